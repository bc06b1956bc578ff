package sqldb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Move takes everything in one database into another one, of the other engine or of the same. It works in two parts: Ahead copies what is never
// changed (batches, leaves and hashes of the ledger) while others write the old database; Finish needs the old one to itself, copies the
// rest, compares both, and makes the new one the one that counts. Whatever ends it in between, exactly one of the two can be opened, or
// the next Finish makes it so; doing it again goes on from there.
type Move struct {
	from, to *DB
	tables   []table
	id       string // of this move, in both databases
	state    string // of the new database
	left     bool   // the old database has been left already
	origin   string
	now      func() time.Time
	said     func(Moving)
}

// MoveOptions says what moves where.
type MoveOptions struct {
	From, To Config
	Origin   string // whose database it is: a half-filled one of another origin is not gone on with
	Now      func() time.Time
	Said     func(Moving) // told of progress; may be nil
}

// Moving is how far a move has come with one table.
type Moving struct {
	Table    string
	Done, Of int64 // rows
}

// Moved is what a finished move did.
type Moved struct {
	Tables  []Moving // each with as many rows in both
	Batches int64
	Leaves  int64
	Root    string // of the ledger's tree over all its leaves, base64; both databases have it
	Already bool   // it had been finished before: nothing was copied now
}

// Left reports whether a database was left for another one. Of a SQLite file, all is in the file itself afterwards.
func Left(ctx context.Context, c Config) (left bool, err error) {
	d, err := connect(c)
	defer func() { err = errors.Join(err, d.Close()) }()
	if err != nil {
		return false, fmt.Errorf("sqldb: %w", err)
	}
	if c.Driver == SQLite {
		if _, err := d.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
			return false, fmt.Errorf("sqldb: %w", err)
		}
	}
	names, err := d.catalog(ctx)
	if err != nil || !names["meta"] {
		return false, err
	}
	gone, err := d.mark(ctx, markMoved)
	return gone != nil, err
}

// ErrNotEmpty says that the database to move into has rows of its own. Nothing was written.
var ErrNotEmpty = errors.New("the database to move into is not empty")

// NewMove opens both databases, and makes the tables of the new one.
func NewMove(ctx context.Context, o MoveOptions) (m *Move, err error) {
	m = &Move{origin: o.Origin, now: o.Now, said: o.Said}
	defer func() {
		if err != nil {
			m, err = nil, errors.Join(fmt.Errorf("sqldb: move: %w", err), m.Close())
		}
	}()
	if m.tables, err = tablesInOrder(); err != nil {
		return m, err
	}
	if m.from, err = connect(o.From); err != nil {
		return m, fmt.Errorf("the old database: %w", err)
	}
	notHalf := func(ctx context.Context) error { return m.from.notArriving(ctx) }
	if err := m.from.migrate(ctx, notHalf); err != nil {
		return m, fmt.Errorf("the old database: %w", err)
	}
	if m.to, err = connect(o.To); err != nil {
		return m, fmt.Errorf("the new database: %w", err)
	}
	if err := m.arrive(ctx); err != nil {
		return m, fmt.Errorf("the new database: %w", err)
	}
	return m, nil
}

// Close closes both databases.
func (m *Move) Close() error {
	var errs []error
	for _, d := range []*DB{m.from, m.to} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}

// arrive finds out how far an earlier run came, or begins a move into an empty database.
func (m *Move) arrive(ctx context.Context) error {
	gone, err := m.from.mark(ctx, markMoved)
	if err != nil {
		return err
	}
	empty, err := m.to.virgin(ctx, m.tables)
	if err != nil {
		return err
	}
	if empty && gone == nil {
		return m.begin(ctx)
	}
	if empty {
		return fmt.Errorf("the old database was left on %s for %s, and the new one is empty: name the database it moved to", gone.day(), gone.Engine)
	}
	here, err := m.to.arrival(ctx)
	if err != nil {
		return err
	}
	switch {
	case here == nil:
		return fmt.Errorf("%w: make an empty one (PostgreSQL: createdb) and name that", ErrNotEmpty)
	case gone != nil && here.ID != gone.ID, here.Origin != m.origin:
		return fmt.Errorf("%w: a move of another database (%s, begun on %s) lies in it: make an empty one and name that", ErrNotEmpty, here.Origin, here.day())
	case gone == nil && here.State == stateArrived:
		return fmt.Errorf("%w: it was moved into on %s, and the old one was in use again since (a backup of it?): make an empty one and name that", ErrNotEmpty, here.day())
	}
	m.id, m.state, m.left = here.ID, here.State, gone != nil
	return m.to.migrate(ctx, func(context.Context) error { return nil })
}

// begin makes the tables, and marks the database as half-filled.
func (m *Move) begin(ctx context.Context) error {
	if err := m.to.migrate(ctx, func(context.Context) error { return nil }); err != nil {
		return err
	}
	m.id, m.state = rand.Text(), stateHalf
	return m.to.update(ctx, "begin", func(tx *sql.Tx) error {
		return setMark(ctx, tx, markArrival, mark{ID: m.id, Origin: m.origin, Engine: m.from.driver, State: stateHalf, AtMillis: toMillis(m.now())})
	})
}

// Ahead copies batches and the ledger's tree up to where they are now, and returns how many rows it copied. Others may write the old
// database meanwhile: these rows are never changed, and new ones come behind.
func (m *Move) Ahead(ctx context.Context) (rows int64, err error) {
	if m.left || m.state == stateArrived {
		return 0, nil
	}
	n, err := m.ahead(ctx, m.from.read)
	if err != nil {
		return n, fmt.Errorf("sqldb: move: %w", err)
	}
	return n, nil
}

// Finish copies the rest and hands over. No server may run on either database.
func (m *Move) Finish(ctx context.Context) (*Moved, error) {
	out, err := m.finish(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqldb: move: %w", err)
	}
	return out, nil
}

func (m *Move) finish(ctx context.Context) (out *Moved, err error) {
	if m.left { // an earlier run was cut off after the old database was left
		out = &Moved{Already: true}
		if err := m.release(ctx); err != nil {
			return nil, err
		}
		if out.Batches, err = m.to.LogEnd(ctx); err != nil {
			return nil, err
		}
		if out.Leaves, err = m.to.LedgerSize(ctx); err != nil {
			return nil, err
		}
		out.Root, err = treeRoot(ctx, m.to.read, out.Leaves)
		return out, err
	}
	old, err := m.from.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rollback(old)) }()
	if _, err := m.ahead(ctx, old); err != nil {
		return nil, err
	}
	if out, err = m.settle(ctx, old); err != nil {
		return nil, err
	}
	// The new database is whole and nobody can open it yet. Now nobody can write the old one any more; then the new one counts.
	if err := m.from.leave(ctx, old, mark{ID: m.id, Origin: m.origin, Engine: m.to.driver, AtMillis: toMillis(m.now())}); err != nil {
		return nil, err
	}
	if err := errors.Join(old.Commit(), m.from.pulse.beat()); err != nil {
		return nil, err
	}
	m.left = true
	return out, m.release(ctx)
}

// rollback ends a transaction that may have ended already.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// release lets the new database be opened.
func (m *Move) release(ctx context.Context) error {
	if m.state == stateArrived {
		return nil
	}
	err := m.to.update(ctx, "release", func(tx *sql.Tx) error {
		return setMark(ctx, tx, markArrival, mark{ID: m.id, Origin: m.origin, Engine: m.from.driver, State: stateArrived, AtMillis: toMillis(m.now())})
	})
	if err == nil {
		m.state = stateArrived
	}
	return err
}

// Undo gives the old database back after a run that was cut off between leaving it and handing over, where the new one cannot be had any
// more: the new one named now is empty, or still waits for the end of this very move, and is then to be filled again. A new database that has
// counted, if only for a moment, may hold what the old one does not: that one moves back.
func Undo(ctx context.Context, o MoveOptions) (err error) {
	m := &Move{origin: o.Origin, now: o.Now}
	defer func() {
		err = errors.Join(err, m.Close())
		if err != nil {
			err = fmt.Errorf("sqldb: undo move: %w", err)
		}
	}()
	if m.tables, err = tablesInOrder(); err != nil {
		return err
	}
	if m.from, err = connect(o.From); err != nil {
		return err
	}
	if m.to, err = connect(o.To); err != nil {
		return err
	}
	gone, err := m.from.mark(ctx, markMoved)
	if err != nil {
		return err
	}
	if gone == nil {
		return errors.New("the old database was not left: there is nothing to undo, start its server")
	}
	empty, err := m.to.virgin(ctx, m.tables)
	if err != nil {
		return err
	}
	if !empty {
		if err := m.halve(ctx, gone); err != nil {
			return err
		}
	}
	return m.from.comeBack(ctx)
}

// halve takes a new database that waits for the end of a move back to where it must be filled again.
func (m *Move) halve(ctx context.Context, gone *mark) error {
	here, err := m.to.arrival(ctx)
	if err != nil {
		return err
	}
	if here == nil || here.ID != gone.ID || here.State == stateArrived {
		return errors.New("the new database counts already, and may hold what the old one does not: move it back with server migrate instead")
	}
	here.State = stateHalf
	return m.to.update(ctx, "halve", func(tx *sql.Tx) error { return setMark(ctx, tx, markArrival, *here) })
}
