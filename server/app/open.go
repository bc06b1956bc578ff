package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/history/influx"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
)

func (c *Config) keyFile() string        { return filepath.Join(c.sharedDir(), "server.key") }
func (c *Config) ledgerKeyFile() string  { return filepath.Join(c.sharedDir(), "ledger.key") }
func (c *Config) accountKeyFile() string { return filepath.Join(c.sharedDir(), "account.key") }
func (c *Config) databaseFile() string   { return filepath.Join(c.DataDir, "server.db") }
func (c *Config) arrivingFile() string   { return filepath.Join(c.DataDir, "server.db.arriving") } // server migrate fills it

// at says which database the configuration names.
func (c *Config) at() (sqldb.Config, error) {
	if _, err := os.Stat(c.DataDir); err != nil {
		return sqldb.Config{}, fmt.Errorf("data folder: %w: make it with server init", err)
	}
	if c.Database.Driver == sqldb.Postgres {
		dsn, err := secret(c.Database.DSNFile)
		if err != nil {
			return sqldb.Config{}, fmt.Errorf("database.dsn_file: %w", err)
		}
		return sqldb.Config{Driver: sqldb.Postgres, DSN: dsn}, nil
	}
	if !exists(c.databaseFile()) && exists(c.arrivingFile()) {
		return sqldb.Config{}, fmt.Errorf("%w (%s): run server migrate --to-sqlite again with the configuration of the old database", sqldb.ErrArriving, c.arrivingFile())
	}
	return sqldb.Config{Driver: sqldb.SQLite, DSN: c.databaseFile()}, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// openDB opens the batch log and the registers.
func (c *Config) openDB(ctx context.Context) (*sqldb.DB, error) {
	at, err := c.at()
	if err != nil {
		return nil, err
	}
	db, err := sqldb.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	// Rows of a server that is older than its ledger get their first leaves.
	if _, err := db.BeginLedger(ctx, ledger.By{Actor: ledger.Server, At: time.Now()}); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	// And what is in what is drawn, where an older program did not.
	if _, err := db.DrawEdges(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openInflux opens one retention policy of the configured database, the default one where it is empty. InfluxDB need not be up.
func (c *Config) openInflux(policy string) (*influx.Store, error) {
	h := c.History
	o := influx.Options{URL: h.URL, Database: h.Database, Policy: policy, Bucket: h.Bucket, Org: h.Org, Username: h.Username}
	for _, f := range []struct {
		key, path string
		to        *string
	}{{"history.password_file", h.PasswordFile, &o.Password}, {"history.token_file", h.TokenFile, &o.Token}} {
		if f.path == "" {
			continue
		}
		var err error
		if *f.to, err = secret(f.path); err != nil {
			return nil, fmt.Errorf("%s: %w", f.key, err)
		}
	}
	return influx.New(o)
}

// loadKey reads the server's signing key.
func (c *Config) loadKey() (note.Signer, string, error) {
	signer, vkey, err := loadKeyOf(c.keyFile(), "make it with server init")
	if err == nil && signer.Name() != c.Name {
		err = fmt.Errorf("key file %s belongs to %q, the configuration names the server %q: set name to %q",
			c.keyFile(), signer.Name(), c.Name, signer.Name())
	}
	return signer, vkey, err
}

var errNoKey = errors.New("no key")

// loadKeyOf reads a key file of the server; missing is what to do when it is not there.
func loadKeyOf(path, missing string) (note.Signer, string, error) {
	signer, vkey, err := wire.LoadKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("%w %s: %s", errNoKey, path, missing)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%w: put back the copy you kept; a new key has to be given to everybody who knows the old one", err)
	}
	return signer, vkey, nil
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
