package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aovuon/server/account"
	"aovuon/server/ledger"
	"aovuon/server/passkey"
)

const passkeyColumns = `SELECT id, account, credential, public, counter, flags, transports, name, made_ms, used_ms, cloned_ms FROM account_passkey `

// passkeys reads passkeys. Their ids are made anew of what they name: a row whose key was exchanged has another one than the ledger speaks of.
func passkeys(ctx context.Context, q querier, where string, args ...any) (out []account.Passkey, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var k account.Passkey
		var counter, flags, made, used, cloned int64
		err := scan(&k.ID, &k.Account, &k.Credential, &k.Public, &counter, &flags, &k.Transports, &k.Name, &made, &used, &cloned)
		k.Counter, k.Flags = uint32(counter), byte(flags)
		k.ID = k.Fingerprint()
		k.Made, k.Used, k.Cloned = fromMillis(made), fromMillis(used), fromMillis(cloned)
		out = append(out, k)
		return err
	}, passkeyColumns+where+` ORDER BY made_ms, id`, args...)
	return out, err
}

// PasskeysOf implements account.Passkeys: the oldest first.
func (d *DB) PasskeysOf(ctx context.Context, id string) ([]account.Passkey, error) {
	out, err := passkeys(ctx, d.read, `WHERE account = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("sqldb: passkeys: %w", err)
	}
	return out, nil
}

// AddPasskey implements account.Passkeys.
func (d *DB) AddPasskey(ctx context.Context, k account.Passkey, recovery [][]byte, by ledger.By) error {
	return d.record(ctx, "add passkey", func(r *record) error {
		before, err := oneAccount(ctx, r, `WHERE id = $1`, k.Account)
		if err != nil {
			return err
		}
		if there, err := passkeys(ctx, r, `WHERE credential = $1`, k.Credential); err != nil || len(there) > 0 {
			return errors.Join(account.ErrPasskey, err)
		}
		if len(before.Passkeys) >= account.MaxPasskeys {
			return account.ErrMany
		}
		if _, err := r.ExecContext(ctx, `INSERT INTO account_passkey (id, account, credential, public, counter, flags, transports, name, made_ms, used_ms, cloned_ms)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)`,
			k.ID, k.Account, k.Credential, k.Public, int64(k.Counter), int64(k.Flags), k.Transports, k.Name, toMillis(k.Made)); err != nil {
			return err
		}
		return r.sayFactors(ctx, "passkey-added", k.ID, before, recovery, by)
	})
}

// RemovePasskey implements account.Passkeys.
func (d *DB) RemovePasskey(ctx context.Context, id, key string, by ledger.By) error {
	return d.record(ctx, "remove passkey", func(r *record) error {
		before, err := oneAccount(ctx, r, `WHERE id = $1`, id)
		if err != nil {
			return err
		}
		res, err := r.ExecContext(ctx, `DELETE FROM account_passkey WHERE account = $1 AND ($2 = '' OR id = $2)`, id, key)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(account.ErrNone, err)
		}
		return r.sayFactors(ctx, "passkey-removed", key, before, nil, by)
	})
}

// UsedPasskey implements account.Passkeys.
func (d *DB) UsedPasskey(ctx context.Context, key string, counter uint32, at time.Time) (fresh bool, err error) {
	err = d.update(ctx, "passkey used", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE account_passkey SET counter = $2, used_ms = $3
			WHERE id = $1 AND cloned_ms = 0 AND (counter < $2 OR counter = 0 AND $2 = 0)`, key, int64(counter), toMillis(at))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		fresh = n == 1
		return err
	})
	return fresh, err
}

// ClonedPasskey implements account.Passkeys.
func (d *DB) ClonedPasskey(ctx context.Context, k account.Passkey, by ledger.By) error {
	return d.record(ctx, "passkey cloned", func(r *record) error {
		if _, err := r.ExecContext(ctx, `UPDATE account_passkey SET cloned_ms = $2 WHERE id = $1 AND cloned_ms = 0`, k.ID, toMillis(k.Cloned)); err != nil {
			return err
		}
		return r.sayAccount(ctx, k.Account, accountSaid{What: "passkey-cloned", Of: k.ID}, by)
	})
}

// SaveChallenge implements account.Proofs. Those that are over are removed with it.
func (d *DB) SaveChallenge(ctx context.Context, c account.Challenge) error {
	return d.update(ctx, "save challenge", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_challenge WHERE expires_ms < $1`, toMillis(c.Expires.Add(-passkey.Limit))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO account_challenge (hash, purpose, account, session, state, expires_ms) VALUES ($1, $2, $3, $4, $5, $6)`,
			c.Hash, c.Purpose, c.Account, c.Session, c.State, toMillis(c.Expires))
		return err
	})
}

// TakeChallenge implements account.Proofs.
func (d *DB) TakeChallenge(ctx context.Context, hash []byte, now time.Time) (c account.Challenge, err error) {
	err = d.update(ctx, "take challenge", func(tx *sql.Tx) error {
		var expires int64
		err := tx.QueryRowContext(ctx, `DELETE FROM account_challenge WHERE hash = $1 RETURNING hash, purpose, account, session, state, expires_ms`, hash).
			Scan(&c.Hash, &c.Purpose, &c.Account, &c.Session, &c.State, &expires)
		c.Expires = fromMillis(expires)
		if errors.Is(err, sql.ErrNoRows) {
			err = account.ErrLate
		}
		return err
	})
	if err == nil && !c.Expires.After(now) {
		err = account.ErrLate
	}
	return c, err
}

// ProveSession implements account.Proofs.
func (d *DB) ProveSession(ctx context.Context, hash []byte, at time.Time) error {
	return d.update(ctx, "prove session", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE account_session SET proven_ms = $2 WHERE hash = $1`, hash, toMillis(at))
		return err
	})
}

// CountOf implements account.Tally.
func (d *DB) CountOf(ctx context.Context, key []byte) (c account.Count, err error) {
	var until, last int64
	err = d.read.QueryRowContext(ctx, `SELECT n, until_ms, last_ms FROM account_failure WHERE key = $1`, key).Scan(&c.N, &until, &last)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Count{}, nil
	}
	if err != nil {
		return c, fmt.Errorf("sqldb: failures: %w", err)
	}
	c.Until, c.Last = fromMillis(until), fromMillis(last)
	return c, nil
}

// KeepCount implements account.Tally.
func (d *DB) KeepCount(ctx context.Context, key []byte, c account.Count) error {
	return d.update(ctx, "keep failures", func(tx *sql.Tx) error {
		if c.N == 0 {
			_, err := tx.ExecContext(ctx, `DELETE FROM account_failure WHERE key = $1`, key)
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_failure WHERE last_ms < $1`, toMillis(c.Last.Add(-account.ForgetFailures))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO account_failure (key, n, until_ms, last_ms) VALUES ($1, $2, $3, $4)
			ON CONFLICT (key) DO UPDATE SET n = excluded.n, until_ms = excluded.until_ms, last_ms = excluded.last_ms`,
			key, c.N, toMillis(c.Until), toMillis(c.Last))
		return err
	})
}
