package sqldb

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/mod/sumdb/tlog"
)

// aheadRows is how many rows are copied and committed at once while others write.
const aheadRows = 10_000

// ahead copies the tables that only grow, up to where they are now. old is the old database, or a transaction in it.
func (m *Move) ahead(ctx context.Context, old source) (rows int64, err error) {
	for _, t := range m.tables {
		if t.key == "" {
			continue
		}
		n, err := m.grow(ctx, old, t)
		rows += n
		if err != nil {
			return rows, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return rows, nil
}

// source reads: a pool or a transaction.
type source interface {
	querier
	rower
}

// lastOf returns the number of the last row of a growing table that is to be there.
func lastOf(ctx context.Context, old source, t table) (last int64, err error) {
	if t.name == "batch" {
		return last, old.QueryRowContext(ctx, `SELECT position FROM log_end WHERE id = 1`).Scan(&last)
	}
	if err := old.QueryRowContext(ctx, `SELECT size FROM ledger_end WHERE id = 1`).Scan(&last); err != nil {
		return 0, err
	}
	if t.name == "ledger_hash" {
		last = tlog.StoredHashCount(last)
	}
	return last - 1, nil
}

// grow copies what is new in a growing table, some rows a transaction.
func (m *Move) grow(ctx context.Context, old source, t table) (rows int64, err error) {
	last, err := lastOf(ctx, old, t)
	if err != nil {
		return 0, err
	}
	var at int64 // what is there already
	if err := m.to.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(`+t.key+`), $1) FROM `+t.name, t.first-1).Scan(&at); err != nil {
		return 0, err
	}
	if at > last {
		return 0, fmt.Errorf("the new database has row %d, the old one ends at %d: it is not the one this move began with; make an empty database and begin anew", at, last)
	}
	if at >= t.first {
		if err := m.sameRow(ctx, old, t, at); err != nil {
			return 0, err
		}
	}
	for at < last {
		upto := min(last, at+aheadRows)
		if err := m.slice(ctx, old, t, at, upto); err != nil {
			return rows, err
		}
		rows, at = rows+upto-at, upto
		m.tell(t.name, at-t.first+1, last-t.first+1)
	}
	return rows, nil
}

func (m *Move) tell(name string, done, of int64) {
	if m.said != nil {
		m.said(Moving{Table: name, Done: done, Of: of})
	}
}

// sameRow compares one row of both databases.
func (m *Move) sameRow(ctx context.Context, old source, t table, at int64) error {
	columns, err := columnsOf(ctx, m.to.read, t.name)
	if err != nil {
		return err
	}
	var sums [2]digest
	for i, q := range []querier{old, m.to.read} {
		if sums[i], _, err = sumOf(ctx, q, t, columns, at-1, at); err != nil {
			return err
		}
	}
	if sums[0] != sums[1] {
		return fmt.Errorf("row %d is not the same in both: the new database was begun from another one; make an empty database and begin anew", at)
	}
	return nil
}

// slice copies the rows after < key <= upto in one transaction, and reads them back.
func (m *Move) slice(ctx context.Context, old querier, t table, after, upto int64) (err error) {
	return m.into(ctx, func(w *writer) error {
		n, err := w.copy(ctx, old, t, after, upto)
		if err == nil && n != upto-after {
			err = fmt.Errorf("of rows %d to %d the old database has %d: its log has a hole; server audit names it", after+1, upto, n)
		}
		return err
	})
}

// settle fills all other tables in one transaction, compares both databases, and marks the new one as whole.
func (m *Move) settle(ctx context.Context, old source) (out *Moved, err error) {
	out = &Moved{}
	err = m.into(ctx, func(w *writer) error {
		for _, t := range slices.Backward(m.tables) { // an earlier run's, and rows that a migration wrote
			if t.key == "" {
				if _, err := w.tx.ExecContext(ctx, `DELETE FROM `+t.name+keepMarks(t)); err != nil {
					return fmt.Errorf("%s: %w", t.name, err)
				}
			}
		}
		for _, t := range m.tables {
			if t.key != "" {
				continue
			}
			n, err := w.copy(ctx, old, t, 0, 0)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			m.tell(t.name, n, n)
		}
		if err := m.compare(ctx, old, w.tx, out); err != nil {
			return err
		}
		if m.to.driver == Postgres { // so that the first queries are planned by what is there
			if _, err := w.tx.ExecContext(ctx, `ANALYZE`); err != nil {
				return err
			}
		}
		m.state = stateWhole
		return setMark(ctx, w.tx, markArrival, mark{ID: m.id, Origin: m.origin, Engine: m.from.driver, State: stateWhole, AtMillis: toMillis(m.now())})
	})
	return out, err
}

// keepMarks leaves the marks of moves out: each database has its own.
func keepMarks(t table) string {
	if t.name == "meta" {
		return ` WHERE name <> '` + markArrival + `' AND name <> '` + markMoved + `'`
	}
	return ""
}

// compare counts the rows of every table in both databases, and computes the ledger's head from the hashes of both.
func (m *Move) compare(ctx context.Context, old, fresh source, out *Moved) error {
	for _, t := range m.tables {
		var n [2]int64
		for i, q := range []source{old, fresh} {
			if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+t.name+keepMarks(t)).Scan(&n[i]); err != nil {
				return err
			}
		}
		if n[0] != n[1] {
			return fmt.Errorf("%s has %d rows in the old database and %d in the new one", t.name, n[0], n[1])
		}
		out.Tables = append(out.Tables, Moving{Table: t.name, Done: n[1], Of: n[0]})
	}
	if err := fresh.QueryRowContext(ctx, `SELECT position FROM log_end WHERE id = 1`).Scan(&out.Batches); err != nil {
		return err
	}
	if err := fresh.QueryRowContext(ctx, `SELECT size FROM ledger_end WHERE id = 1`).Scan(&out.Leaves); err != nil {
		return err
	}
	was, err := treeRoot(ctx, old, out.Leaves)
	if err != nil {
		return fmt.Errorf("the old database: %w", err)
	}
	if out.Root, err = treeRoot(ctx, fresh, out.Leaves); err != nil {
		return err
	}
	if was != out.Root {
		return fmt.Errorf("the ledger's head over %d leaves is %s in the old database and %s in the new one", out.Leaves, was, out.Root)
	}
	return nil
}

// treeRoot is the hash of the ledger's tree, base64; empty without leaves.
func treeRoot(ctx context.Context, q rower, leaves int64) (string, error) {
	if leaves == 0 {
		return "", nil
	}
	h, err := tlog.TreeHash(leaves, hashesOf(ctx, q))
	if err != nil {
		return "", fmt.Errorf("ledger head: %w", err)
	}
	return base64.StdEncoding.EncodeToString(h[:]), nil
}

// writer writes rows of one transaction of the new database.
type writer struct {
	driver string
	conn   *sql.Conn
	tx     *sql.Tx
}

// into runs f in one transaction of the new database.
func (m *Move) into(ctx context.Context, f func(*writer) error) (err error) {
	conn, err := m.to.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rollback(tx)) }()
	if m.to.driver == SQLite { // a row may name one of its own table that comes after it
		if _, err := tx.ExecContext(ctx, `PRAGMA defer_foreign_keys = ON`); err != nil {
			return err
		}
	}
	if err := f(&writer{driver: m.to.driver, conn: conn, tx: tx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return m.to.pulse.beat()
}

// copy copies the rows of a table (of a growing one those with after < key <= upto), reads them back and compares what was read with what
// was sent.
func (w *writer) copy(ctx context.Context, old querier, t table, after, upto int64) (n int64, err error) {
	columns, err := columnsOf(ctx, w.tx, t.name)
	if err != nil {
		return 0, err
	}
	rows, err := rowsOf(ctx, old, t, columns, after, upto)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if w.driver == Postgres {
		err = w.stream(ctx, t, columns, rows)
	} else {
		err = w.insert(ctx, t, columns, rows)
	}
	if err != nil {
		return 0, err
	}
	back, n, err := sumOf(ctx, w.tx, t, columns, after, upto)
	if err != nil {
		return 0, err
	}
	if n != rows.n || back != rows.sum {
		return 0, fmt.Errorf("%d rows were sent, %d were read back, and they are not the same", rows.n, n)
	}
	return n, nil
}

// stream sends rows by PostgreSQL's COPY.
func (w *writer) stream(ctx context.Context, t table, columns []column, rows *rowReader) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return w.conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a connection of type %T", driver)
		}
		_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{t.name}, names, pgx.CopyFromFunc(func() ([]any, error) {
			row, err := rows.next()
			if err == nil && row != nil {
				err = keepable(columns, row)
			}
			return row, err
		}))
		return err
	})
}

// keepable finds text that PostgreSQL does not take and SQLite does.
func keepable(columns []column, row []any) error {
	for i, v := range row {
		if s, ok := v.(string); ok && (strings.ContainsRune(s, 0) || !utf8.ValidString(s)) {
			return fmt.Errorf("column %s of row %.200q holds text that PostgreSQL cannot keep (a zero byte, or no UTF-8): %.80q; nothing was changed: say what is meant there in the old database first",
				columns[i].name, row, s)
		}
	}
	return nil
}

// insert sends rows one by one.
func (w *writer) insert(ctx context.Context, t table, columns []column, rows *rowReader) (err error) {
	marks := make([]string, len(columns))
	for i := range marks {
		marks[i] = fmt.Sprint("$", i+1)
	}
	stmt, err := w.tx.PrepareContext(ctx, `INSERT INTO `+t.name+` (`+list(columns)+`) VALUES (`+strings.Join(marks, ", ")+`)`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	for {
		row, err := rows.next()
		if err != nil || row == nil {
			return err
		}
		if _, err := stmt.ExecContext(ctx, row...); err != nil {
			return fmt.Errorf("row %.200q: %w", row, err)
		}
	}
}
