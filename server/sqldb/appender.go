package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// appender writes what Append appends, by statements that are kept: there are dozens of appends a second.
type appender struct {
	db      *sql.DB
	keep    bool // SQLite: pgx keeps those of PostgreSQL by itself, for each connection
	mu      sync.Mutex
	batches rowsInsert
	heads   rowsInsert
}

func newAppender(db *sql.DB, keep bool) *appender {
	return &appender{
		db: db, keep: keep,
		batches: rowsInsert{columns: 7, head: `INSERT INTO batch (position, gateway, epoch, seq, received_ms, hash, body) VALUES `},
		heads: rowsInsert{
			columns: 5, head: `INSERT INTO chain_head (gateway, epoch, seq, hash, received_ms) VALUES `,
			tail: ` ON CONFLICT (gateway, epoch) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, received_ms = excluded.received_ms`,
		},
	}
}

// prepare must not be called within a transaction, which on SQLite holds the only connection.
func (p *appender) prepare(ctx context.Context) error {
	if !p.keep {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range []*rowsInsert{&p.batches, &p.heads} {
		if err := r.prepare(ctx, p.db); err != nil {
			return fmt.Errorf("sqldb: append batches: %w", err)
		}
	}
	return nil
}

func (p *appender) close() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.batches.close(), p.heads.close())
}

// rowsSteps are how many rows one statement inserts, most first. SQLite looks the name of a parameter up in a list of all those of its
// statement, so that still more rows cost more than they spare.
func rowsSteps() [3]int { return [...]int{32, 8, 1} }

// rowsInsert inserts any number of rows by a few statements.
type rowsInsert struct {
	columns    int
	head, tail string // before and after the rows
	stmts      [3]*sql.Stmt
}

func (r *rowsInsert) text(rows int) string { return r.head + tuples(rows, r.columns) + r.tail }

func (r *rowsInsert) prepare(ctx context.Context, db *sql.DB) (err error) {
	for i, n := range rowsSteps() {
		if r.stmts[i] != nil {
			continue
		}
		if r.stmts[i], err = db.PrepareContext(ctx, r.text(n)); err != nil { //nolint:sqlclosecheck // kept until close
			return err
		}
	}
	return nil
}

// exec inserts the rows that args are the columns of, one after the other.
func (r *rowsInsert) exec(ctx context.Context, tx *sql.Tx, args []any) error {
	for i, n := range rowsSteps() {
		size := n * r.columns
		if r.stmts[i] == nil || len(args) < size {
			continue
		}
		stmt := tx.StmtContext(ctx, r.stmts[i]) //nolint:sqlclosecheck // tx closes it when it ends
		for ; len(args) >= size; args = args[size:] {
			if _, err := stmt.ExecContext(ctx, args[:size]...); err != nil {
				return err
			}
		}
	}
	for len(args) > 0 { // nothing is kept: as many at once as may be, each statement is a way to the server and back
		size := min(len(args), rowsAtOnce*r.columns)
		if _, err := tx.ExecContext(ctx, r.text(size/r.columns), args[:size]...); err != nil {
			return err
		}
		args = args[size:]
	}
	return nil
}

func (r *rowsInsert) close() error {
	var errs []error
	for i, stmt := range r.stmts {
		if stmt != nil {
			errs = append(errs, stmt.Close())
			r.stmts[i] = nil
		}
	}
	return errors.Join(errs...)
}
