package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aovuon/server/account"
	"aovuon/server/ledger"
)

// sessionsKept is how many sessions an account has at most; the oldest end.
const sessionsKept = 20

// StartSession implements account.Sessions. Sessions that are over for their age are removed with it.
func (d *DB) StartSession(ctx context.Context, s account.Session) error {
	return d.update(ctx, "start session", func(tx *sql.Tx) error {
		ago := func(limit time.Duration) int64 { return toMillis(s.Made.Add(-limit)) }
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_session WHERE (card = '' AND (seen_ms < $1 OR made_ms < $2)) OR seen_ms < $3 OR made_ms < $4`,
			ago(account.IdleLimit), ago(account.AbsoluteLimit), ago(account.CardIdle), ago(account.CardAbsolute)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO account_session (hash, id, account, stage, card, device, made_ms, seen_ms, proven_ms)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, s.Hash, s.ID, s.Account, s.Stage, s.Card, s.Device, toMillis(s.Made), toMillis(s.Seen), toMillis(s.Proven)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM account_session WHERE account = $1 AND hash NOT IN
			(SELECT hash FROM account_session WHERE account = $1 ORDER BY made_ms DESC, seen_ms DESC LIMIT $2)`, s.Account, sessionsKept)
		return err
	})
}

const sessionColumns = `SELECT hash, id, account, stage, card, device, made_ms, seen_ms, proven_ms FROM account_session `

func sessions(ctx context.Context, q querier, where string, args ...any) (out []account.Session, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var s account.Session
		var made, seen, proven int64
		err := scan(&s.Hash, &s.ID, &s.Account, &s.Stage, &s.Card, &s.Device, &made, &seen, &proven)
		s.Made, s.Seen, s.Proven = fromMillis(made), fromMillis(seen), fromMillis(proven)
		out = append(out, s)
		return err
	}, sessionColumns+where, args...)
	return out, err
}

// SessionOf implements account.Sessions.
func (d *DB) SessionOf(ctx context.Context, hash []byte) (account.Session, account.Account, error) {
	list, err := sessions(ctx, d.read, `WHERE hash = $1`, hash)
	if err == nil && len(list) == 0 {
		err = account.ErrNone
	}
	if err != nil {
		return account.Session{}, account.Account{}, fmt.Errorf("sqldb: session: %w", err)
	}
	a, err := d.AccountOf(ctx, list[0].Account)
	return list[0], a, err
}

// SeenSession implements account.Sessions.
func (d *DB) SeenSession(ctx context.Context, hash []byte, at time.Time) error {
	return d.update(ctx, "session seen", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE account_session SET seen_ms = $2 WHERE hash = $1 AND seen_ms < $2`, hash, toMillis(at))
		return err
	})
}

// SessionsOf implements account.Sessions.
func (d *DB) SessionsOf(ctx context.Context, id string) ([]account.Session, error) {
	out, err := sessions(ctx, d.read, `WHERE account = $1 AND stage = '' ORDER BY seen_ms DESC, id`, id)
	if err != nil {
		return nil, fmt.Errorf("sqldb: sessions: %w", err)
	}
	return out, nil
}

// EndSessions implements account.Sessions.
func (d *DB) EndSessions(ctx context.Context, id, session string, by ledger.By) error {
	const end = `DELETE FROM account_session WHERE account = $1 AND ($2 = '' OR id = $2)`
	if by.Actor == id {
		return d.update(ctx, "end sessions", func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, end, id, session)
			return err
		})
	}
	return d.record(ctx, "end sessions", func(r *record) error {
		if _, err := r.ExecContext(ctx, end, id, session); err != nil {
			return err
		}
		return r.sayAccount(ctx, id, accountSaid{What: "sessions-ended", Of: session}, by)
	})
}

// KnowDevice implements account.Devices.
func (d *DB) KnowDevice(ctx context.Context, id string, hash []byte, at time.Time) error {
	return d.update(ctx, "know device", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_device WHERE seen_ms < $1`, toMillis(at.AddDate(-1, 0, 0))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO account_device (account, hash, seen_ms) VALUES ($1, $2, $3)
			ON CONFLICT (account, hash) DO UPDATE SET seen_ms = excluded.seen_ms`, id, hash, toMillis(at))
		return err
	})
}

// KnownDevice implements account.Devices.
func (d *DB) KnownDevice(ctx context.Context, id string, hash []byte) (bool, error) {
	var n int
	if err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM account_device WHERE ($1 = '' OR account = $1) AND hash = $2`, id, hash).Scan(&n); err != nil {
		return false, fmt.Errorf("sqldb: device: %w", err)
	}
	return n > 0, nil
}

// AddCard implements account.Cards.
func (d *DB) AddCard(ctx context.Context, c account.Card, by ledger.By) error {
	return d.record(ctx, "add card", func(r *record) error {
		if _, err := r.ExecContext(ctx, `UPDATE account_card SET revoked_ms = $2, device = NULL WHERE account = $1 AND revoked_ms = 0`, c.Account, toMillis(by.At)); err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `DELETE FROM account_session WHERE account = $1 AND card <> ''`, c.Account); err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `INSERT INTO account_card (id, account, code, device, pin, pin_tries, made_ms, bound_ms, revoked_ms)
			VALUES ($1, $2, $3, NULL, '', 0, $4, 0, 0)`, c.ID, c.Account, c.Code, toMillis(c.Made)); err != nil {
			return err
		}
		return r.sayAccount(ctx, c.Account, accountSaid{What: "card-made", Of: c.ID}, by)
	})
}

const cardColumns = `SELECT id, account, code, device, pin, pin_tries, made_ms, bound_ms, revoked_ms FROM account_card `

func cards(ctx context.Context, q querier, where string, args ...any) (out []account.Card, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var c account.Card
		var made, bound, revoked int64
		err := scan(&c.ID, &c.Account, &c.Code, &c.Device, &c.PIN, &c.PINTries, &made, &bound, &revoked)
		c.Made, c.Bound, c.Revoked = fromMillis(made), fromMillis(bound), fromMillis(revoked)
		out = append(out, c)
		return err
	}, cardColumns+where, args...)
	return out, err
}

// CardOf implements account.Cards.
func (d *DB) CardOf(ctx context.Context, code, device []byte) (account.Card, error) {
	where, hash := `WHERE code = $1`, code
	if code == nil {
		where, hash = `WHERE device = $1`, device
	}
	list, err := cards(ctx, d.read, where, hash)
	if err == nil && len(list) == 0 {
		err = account.ErrNone
	}
	if err != nil {
		return account.Card{}, fmt.Errorf("sqldb: card: %w", err)
	}
	return list[0], nil
}

// BindCard implements account.Cards.
func (d *DB) BindCard(ctx context.Context, id string, device []byte, by ledger.By) (bool, error) {
	err := d.record(ctx, "bind card", func(r *record) error {
		var owner string
		err := r.QueryRowContext(ctx, `SELECT account FROM account_card WHERE id = $1 AND device IS NULL AND revoked_ms = 0`, id).Scan(&owner)
		if errors.Is(err, sql.ErrNoRows) {
			return errNotSpent
		}
		if err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `UPDATE account_card SET device = $2, bound_ms = $3 WHERE id = $1`, id, device, toMillis(by.At)); err != nil {
			return err
		}
		return r.sayAccount(ctx, owner, accountSaid{What: "card-bound", Of: id}, by)
	})
	if errors.Is(err, errNotSpent) {
		return false, nil
	}
	return err == nil, err
}

// RevokeCard implements account.Cards. The error wraps account.ErrNone where there is no such card in service.
func (d *DB) RevokeCard(ctx context.Context, id string, by ledger.By) error {
	return d.record(ctx, "revoke card", func(r *record) error {
		var owner string
		err := r.QueryRowContext(ctx, `SELECT account FROM account_card WHERE id = $1 AND revoked_ms = 0`, id).Scan(&owner)
		if errors.Is(err, sql.ErrNoRows) {
			return account.ErrNone
		}
		if err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `UPDATE account_card SET revoked_ms = $2, device = NULL WHERE id = $1`, id, toMillis(by.At)); err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `DELETE FROM account_session WHERE card = $1`, id); err != nil {
			return err
		}
		return r.sayAccount(ctx, owner, accountSaid{What: "card-revoked", Of: id}, by)
	})
}

// Cards implements account.Cards: the newest first.
func (d *DB) Cards(ctx context.Context) ([]account.Card, error) {
	out, err := cards(ctx, d.read, `ORDER BY made_ms DESC, id`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: cards: %w", err)
	}
	return out, nil
}

// SavePIN implements account.PINs.
func (d *DB) SavePIN(ctx context.Context, card, pin string, by ledger.By) error {
	return d.record(ctx, "save PIN", func(r *record) error {
		var owner string
		if err := r.QueryRowContext(ctx, `SELECT account FROM account_card WHERE id = $1`, card).Scan(&owner); err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `UPDATE account_card SET pin = $2, pin_tries = 0 WHERE id = $1`, card, pin); err != nil {
			return err
		}
		what := "pin-set"
		if pin == "" {
			what = "pin-dropped"
		}
		return r.sayAccount(ctx, owner, accountSaid{What: what, Of: card}, by)
	})
}

// TryPIN implements account.PINs.
func (d *DB) TryPIN(ctx context.Context, card string, most int) (may bool, err error) {
	err = d.update(ctx, "try PIN", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE account_card SET pin_tries = pin_tries + 1 WHERE id = $1 AND pin_tries < $2`, card, most)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		may = n == 1
		return err
	})
	return may, err
}

// GoodPIN implements account.PINs.
func (d *DB) GoodPIN(ctx context.Context, card string) error {
	return d.update(ctx, "good PIN", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE account_card SET pin_tries = 0 WHERE id = $1`, card)
		return err
	})
}
