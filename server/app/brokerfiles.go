package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"aovuon/gateway/wire"
	"aovuon/server/broker"
	"aovuon/server/ingest"
	"aovuon/server/sqldb"
)

type brokerCmd struct {
	ACL       brokerACLCmd       `cmd:"" name:"acl" help:"Print the access list for a Mosquitto between gateways and server."`
	Conf      brokerConfCmd      `cmd:"" help:"Print what mosquitto.conf must say beside its listener."`
	Passwords brokerPasswordsCmd `cmd:"" help:"Print Mosquitto's password file: the server and every gateway in service. Write it anew after each enrolment and retirement, and send Mosquitto SIGHUP."`
}

type brokerACLCmd struct {
	Server  []string `help:"User name of a server; may be repeated. Default: broker.outside.username."`
	Intakes string   `help:"User name under which the topics of devices that cannot sign are read. Default: intakes.username."`
}

// Run prints the access list.
func (cmd *brokerACLCmd) Run(e *env) error {
	names, reader := cmd.Server, cmd.Intakes
	if len(names) == 0 {
		c, err := LoadConfig(e.config)
		if err != nil {
			return err
		}
		reader = c.Intakes.Username
		if c.Broker.Outside == nil || c.Broker.Outside.Username == "" {
			return fmt.Errorf("%s names no broker.outside.username: say --server NAME", e.config)
		}
		names = []string{c.Broker.Outside.Username}
	}
	for _, n := range append(slices.Clone(names), cmp.Or(reader, "-")) {
		if n == "" || strings.ContainsAny(n, " \t\r\n:+#") {
			return fmt.Errorf("user name %q: want no spaces and none of : + #", n)
		}
	}
	text := broker.MosquittoACL(names...)
	if reader != "" {
		text += broker.MosquittoDevices(reader)
	}
	return e.printf("%s", text)
}

type brokerConfCmd struct {
	Dir string `help:"Folder in which acl and passwords lie." default:"/etc/mosquitto/aovuon"`
}

// Run prints the configuration.
func (cmd *brokerConfCmd) Run(e *env) error { return e.printf("%s", broker.MosquittoConf(cmd.Dir)) }

type brokerPasswordsCmd struct{}

// Run prints the password file.
func (brokerPasswordsCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if o := c.Broker.Outside; o != nil && o.Username != "" {
		raw, err := os.ReadFile(o.PasswordFile)
		if err != nil {
			return fmt.Errorf("broker.outside.password_file: %w", err)
		}
		if err := e.printf("%s", broker.MosquittoPassword(o.Username, wire.MosquittoHash(strings.TrimSpace(string(raw))))); err != nil {
			return err
		}
	}
	if x := c.Intakes; x.Username != "" {
		raw, err := os.ReadFile(x.PasswordFile)
		if err != nil {
			return fmt.Errorf("intakes.password_file: %w", err)
		}
		if err := e.printf("%s", broker.MosquittoPassword(x.Username, wire.MosquittoHash(strings.TrimSpace(string(raw))))); err != nil {
			return err
		}
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		list, err := db.MosquittoPasswords(ctx)
		if err != nil {
			return err
		}
		for _, g := range list {
			if g.Hash == "" && g.Kind == ingest.Imported {
				continue // nobody signs in by it
			}
			if g.Hash == "" {
				e.log.Warn("left out: its card has no password for Mosquitto; print it again (gateway card) and add it", slog.String("gateway", g.Gateway))
				continue
			}
			if err := e.printf("%s", broker.MosquittoPassword(g.Gateway, g.Hash)); err != nil {
				return err
			}
		}
		return nil
	})
}
