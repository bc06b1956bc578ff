package sqldbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"aovuon/server/sqldb"
)

// driver is the name under which database/sql knows the engine.
func driver(c sqldb.Config) string {
	if c.Driver == sqldb.Postgres {
		return "pgx"
	}
	return "sqlite"
}

func raw(t testing.TB, c sqldb.Config) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver(c), c.DSN)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxIdleConns(1) // a test that looks often would hold many connections
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Older makes, in the empty database of c, the tables as they were after the migration with number version of the folder migrations, as a
// program of that time did, and fills them with the rows that the same tables have in the database of full.
func Older(t testing.TB, c, full sqldb.Config, migrations string, version int64) {
	t.Helper()
	db, from := raw(t, c), raw(t, full)
	dialect := goose.DialectSQLite3
	if c.Driver == sqldb.Postgres {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, db, os.DirFS(migrations), goose.WithDisableGlobalRegistry(true))
	if err == nil {
		_, err = p.UpTo(t.Context(), version)
	}
	if err != nil {
		t.Fatal(err)
	}
	tables := inOrder(t, migrations, version)
	for _, table := range slices.Backward(tables) { // rows that a migration wrote are the full database's, too
		exec(t, db, `DELETE FROM `+table)
	}
	for _, table := range tables {
		copyRows(t, table, from, db)
	}
}

// inOrder names the tables of the migrations up to version in the order they are made, which is that of their references.
func inOrder(t testing.TB, migrations string, version int64) (tables []string) {
	t.Helper()
	files, err := os.ReadDir(migrations)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if n, err := goose.NumericComponent(f.Name()); err != nil || n > version {
			continue
		}
		text, err := os.ReadFile(migrations + "/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if name, ok := strings.CutPrefix(line, "CREATE TABLE "); ok {
				tables = append(tables, strings.Fields(name)[0])
			}
		}
	}
	return tables
}

func exec(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Rows returns the rows of a table, each as the text of its columns, ordered.
func Rows(t testing.TB, c sqldb.Config, table string) []string {
	t.Helper()
	return rowsOf(t, raw(t, c), table)
}

// AllRows is Rows of every table that the migrations make, by its name.
func AllRows(t testing.TB, c sqldb.Config) map[string][]string {
	t.Helper()
	tables, err := sqldb.Tables()
	if err != nil {
		t.Fatal(err)
	}
	db, out := raw(t, c), map[string][]string{}
	for _, table := range tables {
		out[table] = rowsOf(t, db, table)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func rowsOf(t testing.TB, db *sql.DB, table string) (out []string) {
	t.Helper()
	err := eachRow(t.Context(), db, table, func(names []string, values []any) error {
		var b strings.Builder
		for i, n := range names {
			b.WriteString(n + "=" + text(values[i]) + " ")
		}
		out = append(out, b.String())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func copyRows(t testing.TB, table string, from, to *sql.DB) {
	t.Helper()
	have, err := columnsOf(t.Context(), to, table)
	if err != nil {
		t.Fatal(err)
	}
	err = eachRow(t.Context(), from, table, func(names []string, values []any) error {
		var columns, marks []string
		var args []any
		for i, n := range names {
			if slices.Contains(have, n) {
				args = append(args, values[i])
				columns, marks = append(columns, n), append(marks, mark(len(args)))
			}
		}
		exec(t, to, `INSERT INTO `+table+` (`+strings.Join(columns, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)`, args...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func columnsOf(ctx context.Context, db *sql.DB, table string) (names []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Err(), rows.Close()) }()
	return rows.Columns()
}

func eachRow(ctx context.Context, db *sql.DB, table string, f func(names []string, values []any) error) (err error) {
	rows, err := db.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Err(), rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := f(names, values); err != nil {
			return err
		}
	}
	return nil
}

func mark(n int) string { return fmt.Sprint("$", n) }

func text(v any) string {
	if b, ok := v.([]byte); ok {
		return fmt.Sprintf("%x", b)
	}
	return fmt.Sprint(v)
}
