// Package sqldbtest gives tests a fresh database: a test goes in, and runs once on SQLite and once on PostgreSQL.
package sqldbtest

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aovuon/server/parttest"
	"aovuon/server/sqldb"
)

// Each runs f as a sub-test on a fresh SQLite file and on a fresh PostgreSQL database. The database is closed after it.
func Each(t *testing.T, f func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, Open(t, newestSQLite(t))) })
	t.Run("postgres", func(t *testing.T) { f(t, Open(t, newestPostgres(t))) })
}

// newest is the name of the database that has the tables of this program and no rows, of which copies are made.
const newest = "newest"

// newestSQLite is SQLite with the tables made where the tests of the package share what is made once (parttest.Sharing).
func newestSQLite(t testing.TB) sqldb.Config {
	t.Helper()
	c := SQLite(t)
	made, ok := parttest.Once(t, newest+".db", func(path string) error {
		return openAndClose(sqldb.Config{Driver: sqldb.SQLite, DSN: path})
	})
	if !ok {
		return c
	}
	b, err := os.ReadFile(made)
	if err == nil {
		err = os.WriteFile(c.DSN, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newestPostgres is what newestSQLite is, of PostgreSQL.
func newestPostgres(t testing.TB) sqldb.Config {
	t.Helper()
	dsn := parttest.PostgresLike(t, newest, func(dsn string) error {
		return openAndClose(sqldb.Config{Driver: sqldb.Postgres, DSN: dsn})
	})
	return sqldb.Config{Driver: sqldb.Postgres, DSN: dsn}
}

func openAndClose(c sqldb.Config) error {
	db, err := sqldb.Open(context.Background(), c)
	if err != nil {
		return err
	}
	return db.Close()
}

// EachConfig is Each for tests that open the database themselves, more than once or in another process.
func EachConfig(t *testing.T, f func(t *testing.T, c sqldb.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, sqldb.Config{Driver: sqldb.Postgres, DSN: parttest.Postgres(t)}) })
}

// SQLite returns the configuration of a fresh SQLite file.
func SQLite(t testing.TB) sqldb.Config {
	return sqldb.Config{Driver: sqldb.SQLite, DSN: filepath.Join(t.TempDir(), "server.db")}
}

// chooseEnv names the environment variable that has tests which need one database, not each, take PostgreSQL instead of SQLite.
const chooseEnv = "AOVUON_TEST_DB"

// OnPostgres reports whether tests that need one database take PostgreSQL.
func OnPostgres() bool { return os.Getenv(chooseEnv) == sqldb.Postgres }

// Fresh returns the configuration of one database without rows: a SQLite file, or with AOVUON_TEST_DB=postgres a PostgreSQL database.
// It may have its tables already, made by Open.
func Fresh(t testing.TB) sqldb.Config {
	t.Helper()
	switch os.Getenv(chooseEnv) {
	case "", sqldb.SQLite:
		return newestSQLite(t)
	case sqldb.Postgres:
		return newestPostgres(t)
	}
	t.Fatalf("%s=%s: want %s or %s", chooseEnv, os.Getenv(chooseEnv), sqldb.SQLite, sqldb.Postgres)
	return sqldb.Config{}
}

// Chosen is the configuration that Fresh returned, of its DSN alone: for a process of a test.
func Chosen(dsn string) sqldb.Config {
	if OnPostgres() {
		return sqldb.Config{Driver: sqldb.Postgres, DSN: dsn}
	}
	return sqldb.Config{Driver: sqldb.SQLite, DSN: dsn}
}

// OnSQLiteOnly skips a test aloud that is about SQLite's own file where PostgreSQL was chosen.
func OnSQLiteOnly(t testing.TB, why string) {
	t.Helper()
	if OnPostgres() {
		t.Skipf("SQLite only: %s (%s)", why, chooseEnv)
	}
}

// Open opens c and closes it when the test ends.
func Open(t testing.TB, c sqldb.Config) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Tamper runs a statement on the database of c behind the back of whoever has it open, as somebody with the machine could. It is written as
// SQLite takes it; where PostgreSQL spells bytes and parameters otherwise, they are.
func Tamper(t testing.TB, c sqldb.Config, query string, args ...any) {
	t.Helper()
	if c.Driver == sqldb.Postgres {
		query = spelled(query)
	}
	db, err := sql.Open(driver(c), c.DSN)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), query, args...)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// spelled writes bytes and parameters of a statement as PostgreSQL does.
func spelled(query string) string {
	query = regexp.MustCompile(`(?i)\bx'([0-9a-f]*)'`).ReplaceAllString(query, `'\x$1'::bytea`)
	query = strings.ReplaceAll(query, " AS BLOB)", " AS BYTEA)")
	for n := 1; strings.Contains(query, "?"); n++ {
		query = strings.Replace(query, "?", mark(n), 1)
	}
	return query
}
