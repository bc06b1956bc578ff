package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"aovuon/server/ledger"
)

// The rows of meta that say that the ledger speaks of every row there was before it: of public rows, and, since it speaks of them too, of
// those of people, settings and what lets somebody in.
const (
	begun       = "ledger_begun"
	begunInside = "ledger_begun_inside"
)

// BeginLedger gives every row that is older than the ledger its first leaf, so that an audit finds each spoken of. It does so once in
// a database's life: later on a row without a leaf was written behind the ledger's back, and must be found. The leaves say by whom and
// when they were entered, which is not when the rows were written: nobody can prove that any more.
func (d *DB) BeginLedger(ctx context.Context, by ledger.By) (entered int, err error) {
	n, err := d.begin(ctx, begun, func(r *record) (int, error) {
		rows, err := d.LedgerRows(ctx) // by another connection: whoever writes such rows waits for this transaction
		if err != nil {
			return 0, err
		}
		return r.enterUnsaid(ctx, rows, by)
	})
	if err != nil {
		return n, err
	}
	inside, err := d.begin(ctx, begunInside, func(r *record) (int, error) { return d.beginInside(ctx, r, by) })
	return n + inside, err
}

// begin runs f in a record, once in a database's life.
func (d *DB) begin(ctx context.Context, name string, f func(*record) (int, error)) (entered int, err error) {
	if done, err := d.Meta(ctx, name); err != nil || done != "" {
		return 0, err
	}
	err = d.record(ctx, "begin ledger", func(r *record) error {
		entered = 0
		var done string
		err := r.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, name).Scan(&done)
		if !errors.Is(err, sql.ErrNoRows) {
			return err // another process was first, or the database fails
		}
		if entered, err = f(r); err != nil {
			return err
		}
		_, err = r.tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, '1')`, name)
		return err
	})
	return entered, err
}

// enterUnsaid enters what rows say of which there is no leaf.
func (r *record) enterUnsaid(ctx context.Context, rows []ledger.Row, by ledger.By) (entered int, err error) {
	for _, row := range rows {
		if said, err := r.saidOf(ctx, row.Kind, row.Subject); err != nil || said {
			if err != nil {
				return 0, err
			}
			continue
		}
		if _, err := r.enter(ctx, ledger.Entry{Kind: row.Kind, Subject: row.Subject, Body: row.Body, By: by}); err != nil {
			return 0, fmt.Errorf("%s %s: %w", row.Kind, row.Subject, err)
		}
		entered++
	}
	return entered, nil
}

// saidOf reports whether there is a leaf of a kind and subject.
func (r *record) saidOf(ctx context.Context, kind ledger.Kind, subject string) (bool, error) {
	var leaves int64
	err := r.QueryRowContext(ctx, `SELECT COUNT(*) FROM ledger_leaf WHERE subject = $1 AND kind = $2`, subject, string(kind)).Scan(&leaves)
	return leaves > 0, err
}

// beginInside speaks of settings of gateways that are older than their leaves, and marks what lets each account in. Who asked for those
// settings was free text, which may be a name: it is dropped.
func (d *DB) beginInside(ctx context.Context, r *record, by ledger.By) (entered int, err error) {
	wanted, err := wantedRows(ctx, r, wantedColumns)
	if err != nil {
		return 0, err
	}
	for _, w := range wanted {
		if said, err := r.saidOf(ctx, ledger.Changed, desiredTable+"/"+w.Gateway); err != nil || said {
			if err != nil {
				return 0, err
			}
			continue
		}
		w.By = ledger.Operator
		after, err := wantedOf(w)
		if err != nil {
			return 0, err
		}
		if _, err := r.ExecContext(ctx, `UPDATE desired SET made_by = $2 WHERE gateway = $1`, w.Gateway, w.By); err != nil {
			return 0, err
		}
		if err := r.sayChange(ctx, changed{Table: desiredTable, Key: w.Gateway, After: after}, by); err != nil {
			return 0, err
		}
		entered++
	}
	all, err := accounts(ctx, r, ``)
	if err != nil {
		return 0, err
	}
	for _, a := range all {
		if err := r.sayAccount(ctx, a.ID, accountSaid{What: "marked"}, by); err != nil {
			return 0, err
		}
		entered++
	}
	return entered, nil
}
