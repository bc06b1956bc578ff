package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// table is one table to move.
type table struct {
	name string
	// key of a table whose rows are never changed and are numbered without holes from first on; empty: of any other.
	key   string
	first int64
}

// named returns the table of a name. Three only grow; all else is copied while nobody writes.
func named(name string) table {
	switch name {
	case "batch":
		return table{name: name, key: "position", first: 1}
	case "ledger_leaf":
		return table{name: name, key: "n"}
	case "ledger_hash":
		return table{name: name, key: "idx"}
	}
	return table{name: name}
}

// gooseTable is the migrations' own: each database has its own.
const gooseTable = "goose_db_version"

// tablesInOrder names the tables that the migrations make, in the order in which they are made: what refers to another comes after it.
func tablesInOrder() (out []table, err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	for _, f := range files {
		raw, err := migrations.ReadFile(f)
		if err != nil {
			return nil, err
		}
		up, _, _ := strings.Cut(string(raw), "-- +goose Down")
		for line := range strings.Lines(up) {
			words := strings.Fields(line)
			switch {
			case len(words) > 2 && words[0] == "CREATE" && words[1] == "TABLE":
				out = append(out, named(words[2]))
			case len(words) > 2 && words[0] == "DROP" && words[1] == "TABLE":
				name := strings.TrimSuffix(words[2], ";")
				out = slices.DeleteFunc(out, func(t table) bool { return t.name == name })
			case len(words) > 5 && words[0] == "ALTER" && words[3] == "RENAME" && words[4] == "TO":
				for i := range out {
					if out[i].name == words[2] {
						out[i] = named(strings.TrimSuffix(words[5], ";"))
					}
				}
			}
		}
	}
	return out, nil
}

// Tables names the tables that the migrations make, what refers to another after it.
func Tables() ([]string, error) {
	list, err := tablesInOrder()
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.name
	}
	return names, err
}

// catalog names the tables that a database has, the engine's own aside.
func (d *DB) catalog(ctx context.Context) (map[string]bool, error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	if d.driver == Postgres {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	names := map[string]bool{}
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var n string
		err := scan(&n)
		names[n] = true
		return err
	}, query)
	return names, err
}

// virgin reports whether a database has nothing in it but what migrations write: it may have no tables at all. One with tables of somebody
// else is none of ours to fill.
func (d *DB) virgin(ctx context.Context, ours []table) (bool, error) {
	names, err := d.catalog(ctx)
	if err != nil {
		return false, err
	}
	for _, t := range ours {
		if !names[t.name] {
			continue
		}
		delete(names, t.name)
		if strings.HasSuffix(t.name, "_end") { // one row, with the number of the newest of another table
			continue
		}
		first := ""
		if t.name == "history_generation" { // its migration writes the first row
			first = ` WHERE generation <> 0`
		}
		var one int
		err := d.read.QueryRowContext(ctx, `SELECT 1 FROM `+t.name+first+` LIMIT 1`).Scan(&one)
		if err == nil {
			return false, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
	}
	delete(names, gooseTable)
	if len(names) > 0 {
		return false, fmt.Errorf("%w: it has tables of another program (%s): make a database for this server alone",
			ErrNotEmpty, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
	}
	return true, nil
}

// class is what a column holds.
type class int

const (
	number class = iota
	decimal
	words
	raws
)

// column is one of a table.
type column struct {
	name string
	class
}

// columnsOf returns the columns of a table of the new database. The old one has the same: both are at the same migration.
func columnsOf(ctx context.Context, q querier, name string) (out []column, err error) {
	rows, err := q.QueryContext(ctx, `SELECT * FROM `+name+` LIMIT 0`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Err(), rows.Close()) }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	for _, t := range types {
		c := column{name: t.Name()}
		switch kind := t.DatabaseTypeName(); kind {
		case "INT8", "BIGINT":
			c.class = number
		case "FLOAT8", "DOUBLE PRECISION":
			c.class = decimal
		case "TEXT":
			c.class = words
		case "BYTEA":
			c.class = raws
		default:
			return nil, fmt.Errorf("column %s.%s is of type %s, which no migration of ours makes", name, c.name, kind)
		}
		out = append(out, c)
	}
	return out, nil
}
