package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/history"
	"aovuon/server/history/influx"
	"aovuon/server/history/sqlite"
	"aovuon/server/sqldb"
)

func (c *Config) keyFile() string       { return filepath.Join(c.DataDir, "server.key") }
func (c *Config) ledgerKeyFile() string { return filepath.Join(c.DataDir, "ledger.key") }
func (c *Config) historyFile() string   { return filepath.Join(c.DataDir, "history.db") }

// openDB opens the batch log and the registers.
func (c *Config) openDB(ctx context.Context) (*sqldb.DB, error) {
	if _, err := os.Stat(c.DataDir); err != nil {
		return nil, fmt.Errorf("data folder: %w: make it with server init", err)
	}
	if c.Database.Driver == sqldb.SQLite {
		return sqldb.Open(ctx, sqldb.Config{Driver: sqldb.SQLite, DSN: filepath.Join(c.DataDir, "server.db")})
	}
	dsn, err := secret(c.Database.DSNFile)
	if err != nil {
		return nil, fmt.Errorf("database.dsn_file: %w", err)
	}
	return sqldb.Open(ctx, sqldb.Config{Driver: sqldb.Postgres, DSN: dsn})
}

// openHistory opens the time series. InfluxDB need not be up.
func (c *Config) openHistory(ctx context.Context) (history.Store, error) {
	if c.History.Engine == "sqlite" {
		return sqlite.Open(ctx, c.historyFile())
	}
	o := influx.Options{URL: c.History.URL, Database: c.History.Database, Username: c.History.Username}
	if c.History.PasswordFile != "" {
		var err error
		if o.Password, err = secret(c.History.PasswordFile); err != nil {
			return nil, fmt.Errorf("history.password_file: %w", err)
		}
	}
	return influx.New(o)
}

// loadKey reads the server's signing key.
func (c *Config) loadKey() (note.Signer, string, error) {
	signer, vkey, err := wire.LoadKey(c.keyFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("no key %s: make it with server init", c.keyFile())
	}
	if err != nil {
		return nil, "", fmt.Errorf("%w: put back the copy you kept; a new key, made by server init after this file is moved away, has to be given to every gateway", err)
	}
	if signer.Name() != c.Name {
		err = fmt.Errorf("key file %s belongs to %q, the configuration names the server %q: set name to %q",
			c.keyFile(), signer.Name(), c.Name, signer.Name())
	}
	return signer, vkey, err
}

// logName is the origin of the server's ledger: the name of the key that signs its heads.
func (c *Config) logName() string { return c.Name + "/ledger" }

// firstLedgerKey makes the key of a ledger that was never signed: of a server that is older than its ledger.
func (c *Config) firstLedgerKey(ctx context.Context, db *sqldb.DB) error {
	signed, err := db.Checkpoint(ctx, 0)
	if err != nil || signed != nil {
		return err
	}
	_, err = wire.CreateKey(c.ledgerKeyFile(), c.logName())
	return err
}

// loadLedgerKey reads the key that signs the ledger's heads.
func (c *Config) loadLedgerKey() (note.Signer, string, error) {
	signer, vkey, err := wire.LoadKey(c.ledgerKeyFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("no key %s: the ledger was signed with it: put back the copy you kept", c.ledgerKeyFile())
	}
	if err != nil {
		return nil, "", fmt.Errorf("%w: put back the copy you kept: heads of another key are those of another ledger", err)
	}
	if signer.Name() != c.logName() {
		err = fmt.Errorf("key file %s signs for %q, the server is named %q: set name back to what it was", c.ledgerKeyFile(), signer.Name(), c.Name)
	}
	return signer, vkey, err
}

// secret reads a file with one secret.
func secret(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	s := strings.TrimSpace(string(raw))
	if s == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return s, nil
}
