package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The rows of meta in which a move is kept: in the new database how far it has come, in the old one that it was left. They are not copied.
const (
	markArrival = "move_arrival"
	markMoved   = "move_left"
)

// States of the new database. One that is half or whole is not opened: until the old one is left, that one counts.
const (
	stateHalf    = "half"
	stateWhole   = "whole"
	stateArrived = "arrived"
)

// mark is the JSON of such a row.
type mark struct {
	ID       string `json:"id"`
	Origin   string `json:"origin"`
	Engine   string `json:"engine"` // of the other database
	State    string `json:"state,omitempty"`
	AtMillis int64  `json:"at_ms"`
}

func (k *mark) day() string { return time.UnixMilli(k.AtMillis).UTC().Format(time.RFC3339) }

// ErrMoved says that a database was moved to another one, which counts since. Nothing was written.
var ErrMoved = errors.New("this database was moved")

// ErrArriving says that a move into a database is not finished.
var ErrArriving = errors.New("a move into this database is not finished")

// ErrNotAlone says that others are connected to a database that shall be left.
var ErrNotAlone = errors.New("the old database is in use")

// atHome refuses a database that does not count: one that was left, or one that is not whole yet.
func (d *DB) atHome(ctx context.Context) error {
	gone, err := d.mark(ctx, markMoved)
	if err != nil {
		return err
	}
	if gone != nil {
		return fmt.Errorf("%w to %s on %s: set database in the configuration to that one; what was recorded since is only there", ErrMoved, gone.Engine, gone.day())
	}
	return d.notArriving(ctx)
}

func (d *DB) notArriving(ctx context.Context) error {
	here, err := d.mark(ctx, markArrival)
	if err != nil {
		return err
	}
	if here != nil && here.State != stateArrived {
		return fmt.Errorf("%w: with the configuration of the old database (%s) run server migrate again; until then the old one counts", ErrArriving, here.Engine)
	}
	return nil
}

// mark reads one; nil where there is none.
func (d *DB) mark(ctx context.Context, name string) (*mark, error) {
	value, err := d.Meta(ctx, name)
	if err != nil || value == "" {
		return nil, err
	}
	var k mark
	if err := json.Unmarshal([]byte(value), &k); err != nil {
		return nil, fmt.Errorf("meta %s: %w", name, err)
	}
	return &k, nil
}

// arrival is the mark of a database that may have no tables of ours.
func (d *DB) arrival(ctx context.Context) (*mark, error) {
	names, err := d.catalog(ctx)
	if err != nil || !names["meta"] {
		return nil, err
	}
	return d.mark(ctx, markArrival)
}

func setMark(ctx context.Context, tx *sql.Tx, name string, k mark) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, string(raw))
	return err
}

// fence returns what makes and what takes away the fence of a database that was left: whatever still has it open can append neither a batch
// nor a leaf, so nothing is acknowledged that the new database does not have.
func fence(driver string) (up, down []string) {
	const words = `this database was moved: stop this program`
	if driver == Postgres {
		up = []string{
			`CREATE FUNCTION left_fence() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''` + words + `''; END'`,
			`CREATE TRIGGER left_log BEFORE UPDATE ON log_end EXECUTE FUNCTION left_fence()`,
			`CREATE TRIGGER left_ledger BEFORE UPDATE ON ledger_end EXECUTE FUNCTION left_fence()`,
		}
		down = []string{`DROP TRIGGER left_log ON log_end`, `DROP TRIGGER left_ledger ON ledger_end`, `DROP FUNCTION left_fence()`}
		return up, down
	}
	up = []string{
		`CREATE TRIGGER left_log BEFORE UPDATE ON log_end BEGIN SELECT RAISE(ABORT, '` + words + `'); END`,
		`CREATE TRIGGER left_ledger BEFORE UPDATE ON ledger_end BEGIN SELECT RAISE(ABORT, '` + words + `'); END`,
	}
	return up, []string{`DROP TRIGGER left_log`, `DROP TRIGGER left_ledger`}
}

// leave marks the database as left, and fences it.
func (d *DB) leave(ctx context.Context, tx *sql.Tx, k mark) error {
	up, _ := fence(d.driver)
	for _, statement := range up {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("leave: %w", err)
		}
	}
	return setMark(ctx, tx, markMoved, k)
}

// comeBack undoes leave.
func (d *DB) comeBack(ctx context.Context) error {
	_, down := fence(d.driver)
	return d.update(ctx, "come back", func(tx *sql.Tx) error {
		for _, statement := range down {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM meta WHERE name = $1`, markMoved)
		return err
	})
}

// alone begins a transaction that has the database to itself until it ends: SQLite's is the one writer; on PostgreSQL nobody else may be
// connected, and who comes meanwhile can append neither a batch nor a leaf.
func (d *DB) alone(ctx context.Context) (tx *sql.Tx, err error) {
	if d.driver == SQLite {
		return d.write.BeginTx(ctx, nil)
	}
	d.write.SetMaxIdleConns(0) // what is idle here would look like somebody else
	d.read.SetMaxIdleConns(0)
	if tx, err = d.write.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead}); err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `LOCK TABLE log_end, ledger_end IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return nil, errors.Join(err, rollback(tx))
	}
	if err := nobodyElse(ctx, tx); err != nil {
		return nil, errors.Join(err, rollback(tx))
	}
	return tx, nil
}

// nobodyElse looks who is connected. A connection that was closed a moment ago is still seen for another, so it looks some seconds long.
func nobodyElse(ctx context.Context, tx *sql.Tx) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for tries := 0; ; tries++ {
		var n int
		// Whose session it is, PostgreSQL tells everybody; what kind of process, only some.
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
			AND COALESCE(backend_type, 'client backend') = 'client backend' AND usename IS NOT NULL`).Scan(&n)
		if err != nil || n == 0 {
			return err
		}
		if tries == 60 {
			return fmt.Errorf("%w: %d other connections to it are open: stop every server that works on it, and end psql", ErrNotAlone, n)
		}
		// Within one transaction these figures are kept as they were first seen.
		if _, err := tx.ExecContext(ctx, `SELECT pg_stat_clear_snapshot()`); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}
