package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"aovuon/server/account"
	"aovuon/server/ledger"
)

// SaveSecret implements account.Factors.
func (d *DB) SaveSecret(ctx context.Context, id string, secret []byte, step int64, recovery [][]byte, by ledger.By) error {
	return d.record(ctx, "one-time codes", func(r *record) error {
		before, err := oneAccount(ctx, r, `WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `UPDATE account SET secret = $2, step = $3 WHERE id = $1`, id, secret, step); err != nil {
			return err
		}
		return r.sayFactors(ctx, "codes", "", before, recovery, by)
	})
}

// sayFactors saves the recovery codes that come with a changed factor (nil: they stay, while there is a factor), and enters the change.
func (r *record) sayFactors(ctx context.Context, what, of string, before account.Account, recovery [][]byte, by ledger.By) error {
	after, err := oneAccount(ctx, r, `WHERE id = $1`, before.ID)
	if err != nil {
		return err
	}
	if recovery != nil || !after.Second() {
		if err := saveRecovery(ctx, r, before.ID, recovery); err != nil {
			return err
		}
	}
	return r.sayAccount(ctx, before.ID, accountSaid{What: what, Of: of, Before: shownOf(before), After: shownOf(after)}, by)
}

func saveRecovery(ctx context.Context, r *record, id string, recovery [][]byte) error {
	if _, err := r.ExecContext(ctx, `DELETE FROM account_recovery WHERE account = $1`, id); err != nil {
		return err
	}
	for _, h := range recovery {
		if _, err := r.ExecContext(ctx, `INSERT INTO account_recovery (account, hash, used_ms) VALUES ($1, $2, 0)`, id, h); err != nil {
			return err
		}
	}
	return nil
}

// SaveRecovery implements account.Factors.
func (d *DB) SaveRecovery(ctx context.Context, id string, recovery [][]byte, by ledger.By) error {
	return d.record(ctx, "recovery codes", func(r *record) error {
		if err := saveRecovery(ctx, r, id, recovery); err != nil {
			return err
		}
		return r.sayAccount(ctx, id, accountSaid{What: "recovery-new"}, by)
	})
}

// SealSecret puts the sealed secret of one-time codes in place of what it was, unless that was changed meanwhile.
func (d *DB) SealSecret(ctx context.Context, id string, was, box []byte, by ledger.By) error {
	err := d.record(ctx, "seal secret", func(r *record) error {
		res, err := r.ExecContext(ctx, `UPDATE account SET secret = $3 WHERE id = $1 AND secret = $2`, id, was, box)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(errNotSpent, err)
		}
		return r.sayAccount(ctx, id, accountSaid{What: "sealed"}, by)
	})
	if errors.Is(err, errNotSpent) {
		return nil
	}
	return err
}

// SpendStep implements account.Factors.
func (d *DB) SpendStep(ctx context.Context, id string, step int64) (fresh bool, err error) {
	err = d.update(ctx, "spend code", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE account SET step = $2 WHERE id = $1 AND step < $2`, id, step)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		fresh = n == 1
		return err
	})
	return fresh, err
}

// errNotSpent undoes a transaction that found nothing to do.
var errNotSpent = errors.New("nothing there")

// SpendRecovery implements account.Factors.
func (d *DB) SpendRecovery(ctx context.Context, id string, hash []byte, by ledger.By) (bool, error) {
	err := d.record(ctx, "spend recovery code", func(r *record) error {
		res, err := r.ExecContext(ctx, `UPDATE account_recovery SET used_ms = $3 WHERE account = $1 AND hash = $2 AND used_ms = 0`, id, hash, toMillis(by.At))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(errNotSpent, err)
		}
		return r.sayAccount(ctx, id, accountSaid{What: "recovery"}, by)
	})
	if errors.Is(err, errNotSpent) {
		return false, nil
	}
	return err == nil, err
}

// RecoveryLeft implements account.Factors.
func (d *DB) RecoveryLeft(ctx context.Context, id string) (n int, err error) {
	if err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM account_recovery WHERE account = $1 AND used_ms = 0`, id).Scan(&n); err != nil {
		return 0, fmt.Errorf("sqldb: recovery codes: %w", err)
	}
	return n, nil
}
