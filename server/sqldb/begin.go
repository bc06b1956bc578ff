package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"aovuon/server/ledger"
)

// begun is the row of meta that says that the ledger speaks of every row there was before it.
const begun = "ledger_begun"

// BeginLedger gives every row that is older than the ledger its first leaf, so that an audit finds each spoken of. It does so once in
// a database's life: later on a row without a leaf was written behind the ledger's back, and must be found. The leaves say by whom and
// when they were entered, which is not when the rows were written: nobody can prove that any more.
func (d *DB) BeginLedger(ctx context.Context, by ledger.By) (entered int, err error) {
	if done, err := d.Meta(ctx, begun); err != nil || done != "" {
		return 0, err
	}
	err = d.record(ctx, "begin ledger", func(r *record) error {
		entered = 0
		var done string
		err := r.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, begun).Scan(&done)
		if !errors.Is(err, sql.ErrNoRows) {
			return err // another process was first, or the database fails
		}
		rows, err := d.LedgerRows(ctx) // by another connection: whoever writes such rows waits for this transaction
		if err != nil {
			return err
		}
		for _, row := range rows {
			var leaves int64
			err := r.QueryRowContext(ctx, `SELECT COUNT(*) FROM ledger_leaf WHERE subject = $1 AND kind = $2`, row.Subject, string(row.Kind)).Scan(&leaves)
			if err != nil {
				return err
			}
			if leaves > 0 {
				continue
			}
			if _, err := r.enter(ctx, ledger.Entry{Kind: row.Kind, Subject: row.Subject, Body: row.Body, By: by}); err != nil {
				return fmt.Errorf("%s %s: %w", row.Kind, row.Subject, err)
			}
			entered++
		}
		_, err = r.tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, '1')`, begun)
		return err
	})
	return entered, err
}
