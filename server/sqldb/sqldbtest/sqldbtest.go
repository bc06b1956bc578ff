// Package sqldbtest gives tests a fresh database: a test goes in, and runs once on SQLite and once on PostgreSQL.
package sqldbtest

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"aovuon/server/parttest"
	"aovuon/server/sqldb"
)

// Each runs f as a sub-test on a fresh SQLite file and on a fresh PostgreSQL database. The database is closed after it.
func Each(t *testing.T, f func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	EachConfig(t, func(t *testing.T, c sqldb.Config) { f(t, Open(t, c)) })
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

// Tamper runs a statement on the database of c behind the back of whoever has it open, as somebody with the machine could.
func Tamper(t testing.TB, c sqldb.Config, query string, args ...any) {
	t.Helper()
	driver := map[string]string{sqldb.SQLite: "sqlite", sqldb.Postgres: "pgx"}[c.Driver]
	raw, err := sql.Open(driver, c.DSN)
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.ExecContext(t.Context(), query, args...)
	if err := errors.Join(err, raw.Close()); err != nil {
		t.Fatal(err)
	}
}
