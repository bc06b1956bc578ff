package sqldbtest

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"aovuon/server/sqldb"
)

// Editor changes single cells of an SQLite database behind the back of whoever has it open, as somebody with the machine could.
type Editor struct {
	t  testing.TB
	db *sql.DB
}

// NewEditor opens the file of c a second time, until the test ends.
func NewEditor(t testing.TB, c sqldb.Config) *Editor {
	t.Helper()
	if c.Driver != sqldb.SQLite {
		t.Skip("SQLite only: single cells are edited by their rowid")
	}
	db, err := sql.Open("sqlite", c.DSN+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Editor{t: t, db: db}
}

// each runs a query and calls f for each row.
func (e *Editor) each(query string, f func(rows *sql.Rows) error, args ...any) {
	e.t.Helper()
	rows, err := e.db.QueryContext(e.t.Context(), query, args...)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			e.t.Fatal(err)
		}
	}()
	for rows.Next() {
		if err := f(rows); err != nil {
			e.t.Fatal(err)
		}
	}
}

// rows returns the rows of a table for which a condition holds.
func (e *Editor) rows(table, where string) (out []int64) {
	e.t.Helper()
	e.each(`SELECT rowid FROM `+table+` WHERE `+where+` ORDER BY rowid`, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	})
	return out
}

// TablesWith names the tables of an SQLite database that have a column.
func TablesWith(t testing.TB, c sqldb.Config, column string) (out []string) {
	t.Helper()
	e := NewEditor(t, c)
	e.each(`SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND p.name = ? ORDER BY m.name`, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		out = append(out, name)
		return err
	}, column)
	return out
}

// Target is what may be edited: a column of the rows of a table for which a condition holds. Column "*" takes the whole row away.
type Target struct{ Table, Column, Where string }

// Edit changes one cell of a target at random: a bit of bytes, a character of a text, a number a little. It returns what it did, and how to
// undo it; false where the target has no row, or the database itself refuses the change.
func (e *Editor) Edit(r *rand.Rand, target Target) (what string, undo func(), ok bool) {
	e.t.Helper()
	ids := e.rows(target.Table, target.Where)
	if len(ids) == 0 {
		return "", nil, false
	}
	id := ids[r.IntN(len(ids))]
	if target.Column == "*" {
		return e.remove(target.Table, id)
	}
	var old any
	if err := e.db.QueryRowContext(e.t.Context(), `SELECT `+target.Column+` FROM `+target.Table+` WHERE rowid = ?`, id).Scan(&old); err != nil {
		e.t.Fatal(err)
	}
	fresh := changed(r, old)
	set := func(v any) error {
		_, err := e.db.ExecContext(e.t.Context(), `UPDATE `+target.Table+` SET `+target.Column+` = ? WHERE rowid = ?`, v, id)
		return err
	}
	if set(fresh) != nil { // two rows with one key: the database itself says no
		return "", nil, false
	}
	return fmt.Sprintf("%s.%s of row %d: %.80q became %.80q", target.Table, target.Column, id, fmt.Sprint(old), fmt.Sprint(fresh)), func() {
		if err := set(old); err != nil {
			e.t.Fatal(err)
		}
	}, true
}

// Exec runs one statement, and returns what brings every table back to what it was.
func (e *Editor) Exec(query string) (undo func()) {
	e.t.Helper()
	tables := map[string][][]any{}
	var names []string
	e.each(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	for _, name := range names {
		tables[name] = e.all(name)
	}
	exec := func(query string, args ...any) {
		e.t.Helper()
		if _, err := e.db.ExecContext(e.t.Context(), query, args...); err != nil {
			e.t.Fatalf("%s: %v", query, err)
		}
	}
	exec(query)
	return func() {
		e.t.Helper()
		for _, name := range names {
			if fmt.Sprint(e.all(name)) == fmt.Sprint(tables[name]) {
				continue
			}
			exec(`DELETE FROM ` + name)
			for _, row := range tables[name] {
				exec(`INSERT INTO `+name+` VALUES (`+strings.TrimSuffix(strings.Repeat("?, ", len(row)), ", ")+`)`, row...)
			}
		}
	}
}

// all returns every row of a table.
func (e *Editor) all(table string) (out [][]any) {
	e.t.Helper()
	e.each(`SELECT * FROM `+table, func(rows *sql.Rows) error {
		names, err := rows.Columns()
		if err != nil {
			return err
		}
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		out = append(out, values)
		return rows.Scan(into...)
	})
	return out
}

// remove takes a row away.
func (e *Editor) remove(table string, id int64) (what string, undo func(), ok bool) {
	e.t.Helper()
	var names []string
	var values []any
	e.each(`SELECT rowid, * FROM `+table+` WHERE rowid = ?`, func(rows *sql.Rows) (err error) {
		if names, err = rows.Columns(); err != nil {
			return err
		}
		values = make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		return rows.Scan(into...)
	}, id)
	exec := func(query string, args ...any) {
		if _, err := e.db.ExecContext(e.t.Context(), query, args...); err != nil {
			e.t.Fatal(err)
		}
	}
	exec(`DELETE FROM `+table+` WHERE rowid = ?`, id)
	columns := strings.Join(names[1:], ", ")
	if names[0] == names[1] { // an INTEGER PRIMARY KEY is the rowid itself
		values = values[1:]
	} else {
		columns = "rowid, " + columns
	}
	return fmt.Sprintf("%s row %d was taken out", table, id), func() {
		exec(`INSERT INTO `+table+` (`+columns+`) VALUES (`+strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")+`)`, values...)
	}, true
}

// changed returns another value of the same kind.
func changed(r *rand.Rand, old any) any {
	switch v := old.(type) {
	case []byte:
		if len(v) == 0 {
			return []byte{1}
		}
		fresh := bytes.Clone(v)
		fresh[r.IntN(len(fresh))] ^= 1 << r.IntN(8)
		return fresh
	case string:
		runes := []rune(v)
		if len(runes) == 0 {
			return "x"
		}
		i := r.IntN(len(runes))
		if runes[i] == 'x' {
			runes[i] = 'y'
		} else {
			runes[i] = 'x'
		}
		return string(runes)
	case int64:
		if v == 0 || v == 1 {
			return 1 - v
		}
		return v + 1 + r.Int64N(1000)
	case float64:
		return v*1.01 + 1
	}
	return int64(r.IntN(1000))
}
