package sqldbtest

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"aovuon/server/sqldb"
)

// HasRows reports whether a table of c is there and has rows.
func HasRows(t testing.TB, c sqldb.Config, table string) bool {
	t.Helper()
	return hasRows(t, raw(t, c), table)
}

func hasRows(t testing.TB, db *sql.DB, table string) bool {
	t.Helper()
	var one int
	return db.QueryRowContext(t.Context(), `SELECT 1 FROM `+table+` LIMIT 1`).Scan(&one) == nil
}

// FillEmpty puts three rows into every table of c that has none: a text, a number, bytes of its own for each row, the same in every table, so
// that what refers to another table finds it there; in the last row what may be absent is absent.
func FillEmpty(t testing.TB, c sqldb.Config) {
	t.Helper()
	db := raw(t, c)
	tables, err := sqldb.Tables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if hasRows(t, db, table) && !refers(table) {
			continue
		}
		types := typesOf(t, db, table)
		nullable := nullables(t, db, c.Driver, table)
		for i := range 3 {
			var names, marks []string
			var args []any
			for _, column := range types {
				names, marks = append(names, column.Name()), append(marks, mark(len(names)+1))
				var v any
				switch kind := column.DatabaseTypeName(); {
				case i == 2 && slices.Contains(nullable, column.Name()):
				case kind == "TEXT":
					v = fmt.Sprintf("ví dụ %d", i)
				case kind == "BYTEA":
					v = []byte{byte(i), 0, 255}[:i+1]
				case strings.HasPrefix(kind, "DOUBLE") || kind == "FLOAT8":
					v = float64(i) + 0.1
				default:
					v = int64(i) + 1<<40
				}
				args = append(args, v)
			}
			exec(t, db, `INSERT INTO `+table+` (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)`, args...)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// refers reports whether others refer to a table, so that the made-up rows must be there besides real ones.
func refers(table string) bool {
	return slices.Contains([]string{"place", "product", "lot", "gateway", "person", "account"}, table)
}

// nullables names the columns that may be absent.
func nullables(t testing.TB, db *sql.DB, driver, table string) (out []string) {
	t.Helper()
	query := `SELECT name FROM pragma_table_info($1) WHERE "notnull" = 0 AND pk = 0`
	if driver == sqldb.Postgres {
		query = `SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND is_nullable = 'YES'`
	}
	rows, err := db.QueryContext(t.Context(), query, table) //nolint:rowserrcheck // done looks at it
	if err != nil {
		t.Fatal(err)
	}
	defer done(t, rows)
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// typesOf says what a table's columns hold.
func typesOf(t testing.TB, db *sql.DB, table string) []*sql.ColumnType {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table+` LIMIT 0`) //nolint:rowserrcheck // done looks at it
	if err != nil {
		t.Fatal(err)
	}
	defer done(t, rows)
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	return types
}

func done(t testing.TB, rows *sql.Rows) {
	t.Helper()
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
}
