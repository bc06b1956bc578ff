package app

import (
	"fmt"
	"slices"
	"strings"

	"aovuon/server/sqldb"
)

// The roles: what a process does. One alone does everything; several on one PostgreSQL share the work.
const (
	roleIngest  = "ingest"  // takes batches from the broker and sends receipts and settings
	roleWeb     = "web"     // pages
	roleProject = "project" // stands in line for what only one may do: the history, alarms, messages, the ledger's heads, backups
)

func allRoles() []string { return []string{roleIngest, roleWeb, roleProject} }

// roles are those of this process.
func (c *Config) roles() []string {
	if len(c.Roles) == 0 {
		return allRoles()
	}
	return c.Roles
}

func (c *Config) has(role string) bool { return slices.Contains(c.roles(), role) }

// office reports whether this process needs all that lies beside the batch log: accounts, ledger, history, files.
func (c *Config) office() bool { return c.has(roleWeb) || c.has(roleProject) }

// sharedDir is the folder that all processes of one database have in common: keys, photos, tokens of channels.
func (c *Config) sharedDir() string {
	if c.SharedDir != "" {
		return c.SharedDir
	}
	return c.DataDir
}

func (c *Config) checkRoles() *keyError {
	for i, r := range c.Roles {
		switch {
		case !slices.Contains(allRoles(), r):
			return &keyError{"roles", fmt.Sprintf("%q is no role", r), "write some of " + strings.Join(allRoles(), ", ") + ", or remove it: one process does all"}
		case slices.Contains(c.Roles[:i], r):
			return &keyError{"roles", fmt.Sprintf("%q stands there twice", r), "write it once"}
		}
	}
	switch {
	case c.Database.Driver != sqldb.SQLite:
		return nil
	case len(c.Roles) > 0 && len(c.Roles) < len(allRoles()):
		return &keyError{"roles", "sqlite has one process, which does all", "remove it, or set database.driver: postgres"}
	case c.SharedDir != "":
		return &keyError{"shared_dir", "sqlite has one process, which shares with nobody", "remove it, or set database.driver: postgres"}
	}
	return nil
}
