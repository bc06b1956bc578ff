package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"aovuon/server/account"
	"aovuon/server/ledger"
)

// accountSaid is what the ledger says of an account's change: who and what they may do, and of secrets and their hashes salted hashes alone.
type accountSaid struct {
	What   string        `json:"what"`
	Of     string        `json:"of,omitempty"` // a card, a session
	At     time.Time     `json:"at"`           // so that the same change twice is two leaves
	Before *accountShown `json:"before,omitempty"`
	After  *accountShown `json:"after,omitempty"`
	Marks  *marks        `json:"marks,omitempty"` // of what lets them in, as it is from now on
}

type accountShown struct {
	Login    string   `json:"login"`
	Name     string   `json:"name"`
	Role     string   `json:"role"`
	Places   []string `json:"places,omitempty"`
	Disabled bool     `json:"disabled,omitempty"`
	Codes    bool     `json:"codes,omitempty"`    // one-time codes are asked for
	Passkeys []string `json:"passkeys,omitempty"` // fingerprints of their public halves
}

func shownOf(a account.Account) *accountShown {
	return &accountShown{
		Login: a.Login, Name: a.Name, Role: string(a.Role), Places: a.Places, Disabled: !a.Disabled.IsZero(), Codes: len(a.Secret) > 0,
		Passkeys: a.Passkeys,
	}
}

// sayAccount enters what happened to an account, once it has.
func (r *record) sayAccount(ctx context.Context, id string, s accountSaid, by ledger.By) (err error) {
	s.At = by.At.UTC()
	if s.Marks, err = newMarks(ctx, r, id); err != nil {
		return err
	}
	return r.say(ctx, ledger.AccountChanged, id, s, by)
}

// accountColumns reads accounts that were not erased: the login of those is their id.
const (
	everyAccount   = `SELECT id, login, name, role, password, secret, disabled_ms, made_ms FROM account `
	accountColumns = `SELECT id, login, name, role, password, secret, disabled_ms, made_ms FROM (SELECT * FROM account WHERE login <> id) AS account `
)

func accounts(ctx context.Context, q querier, where string, args ...any) ([]account.Account, error) {
	return accountsOf(ctx, q, accountColumns+where, args...)
}

func accountsOf(ctx context.Context, q querier, query string, args ...any) (out []account.Account, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var a account.Account
		var disabled, made int64
		err := scan(&a.ID, &a.Login, &a.Name, &a.Role, &a.Password, &a.Secret, &disabled, &made)
		a.Disabled, a.Made = fromMillis(disabled), fromMillis(made)
		out = append(out, a)
		return err
	}, query+` ORDER BY login`, args...)
	if err != nil {
		return nil, err
	}
	for i, a := range out {
		err = each(ctx, q, func(scan func(...any) error) error {
			var p string
			err := scan(&p)
			out[i].Places = append(out[i].Places, p)
			return err
		}, `SELECT place FROM account_place WHERE account = $1 ORDER BY place`, a.ID)
		if err != nil {
			return nil, err
		}
		keys, err := passkeys(ctx, q, `WHERE account = $1`, a.ID)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			out[i].Passkeys = append(out[i].Passkeys, k.ID)
		}
		slices.Sort(out[i].Passkeys)
	}
	return out, nil
}

func oneAccount(ctx context.Context, q querier, where string, args ...any) (account.Account, error) {
	list, err := accounts(ctx, q, where, args...)
	if err == nil && len(list) == 0 {
		err = account.ErrNone
	}
	if err != nil {
		return account.Account{}, err
	}
	return list[0], nil
}

// Accounts implements account.People.
func (d *DB) Accounts(ctx context.Context) ([]account.Account, error) {
	out, err := accounts(ctx, d.read, ``)
	if err != nil {
		return nil, fmt.Errorf("sqldb: accounts: %w", err)
	}
	return out, nil
}

// AccountOf implements account.People.
func (d *DB) AccountOf(ctx context.Context, id string) (account.Account, error) {
	a, err := oneAccount(ctx, d.read, `WHERE id = $1`, id)
	if err != nil {
		return a, fmt.Errorf("sqldb: account: %w", err)
	}
	return a, nil
}

// AccountByLogin implements account.People.
func (d *DB) AccountByLogin(ctx context.Context, login string) (account.Account, error) {
	a, err := oneAccount(ctx, d.read, `WHERE login = $1`, login)
	if err != nil {
		return a, fmt.Errorf("sqldb: account: %w", err)
	}
	return a, nil
}

// AddAccount implements account.People.
func (d *DB) AddAccount(ctx context.Context, a account.Account, spend []byte, by ledger.By) error {
	return d.record(ctx, "add account", func(r *record) error {
		if err := spendLink(ctx, r, spend, "", by); err != nil {
			return err
		}
		if _, err := oneAccount(ctx, r, `WHERE login = $1`, a.Login); !errors.Is(err, account.ErrNone) {
			return errors.Join(account.ErrTaken, err)
		}
		if spend != nil { // the first admin: of two links at once, one
			if n, err := activeAdmins(ctx, r); err != nil || n > 0 {
				return errors.Join(account.ErrLink, err)
			}
			// The others are not to work again should there once be no admin.
			if _, err := r.ExecContext(ctx, `DELETE FROM account_link WHERE account = '' AND used_ms = 0`); err != nil {
				return err
			}
		}
		if _, err := r.ExecContext(ctx, `INSERT INTO account (id, login, name, role, password, secret, step, disabled_ms, made_ms)
			VALUES ($1, $2, $3, $4, $5, NULL, 0, 0, $6)`, a.ID, a.Login, a.Name, string(a.Role), a.Password, toMillis(a.Made)); err != nil {
			return err
		}
		if err := savePlaces(ctx, r, a); err != nil {
			return err
		}
		return r.sayAccount(ctx, a.ID, accountSaid{What: "added", After: shownOf(a)}, by)
	})
}

func savePlaces(ctx context.Context, r *record, a account.Account) error {
	if _, err := r.ExecContext(ctx, `DELETE FROM account_place WHERE account = $1`, a.ID); err != nil {
		return err
	}
	for _, p := range a.Places {
		if _, err := r.ExecContext(ctx, `INSERT INTO account_place (account, place) VALUES ($1, $2)`, a.ID, p); err != nil {
			return err
		}
	}
	return nil
}

func activeAdmins(ctx context.Context, q rower) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM account WHERE role = $1 AND disabled_ms = 0`, string(account.Admin)).Scan(&n)
	return n, err
}

// ChangeAccount implements account.People.
func (d *DB) ChangeAccount(ctx context.Context, c account.Change) (after account.Account, err error) {
	err = d.record(ctx, "change account", func(r *record) error {
		before, err := oneAccount(ctx, r, `WHERE id = $1`, c.ID)
		if err != nil {
			return err
		}
		if err := spendLink(ctx, r, c.Spend, c.ID, c.By); err != nil {
			return err
		}
		after = before
		after.Places = slices.Clone(before.Places)
		if err := c.Apply(&after); err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `UPDATE account SET name = $2, role = $3, password = $4, disabled_ms = $5 WHERE id = $1`,
			c.ID, after.Name, string(after.Role), after.Password, toMillis(after.Disabled)); err != nil {
			return err
		}
		if err := savePlaces(ctx, r, after); err != nil {
			return err
		}
		if err := keepAdmin(ctx, r, before, after, c.By); err != nil {
			return err
		}
		if err := endStale(ctx, r, c.What, before, after); err != nil {
			return err
		}
		return r.sayAccount(ctx, c.ID, accountSaid{What: c.What, Before: shownOf(before), After: shownOf(after)}, c.By)
	})
	return after, err
}

// keepAdmin refuses the change that would leave no admin, unless it is made at the machine's shell.
func keepAdmin(ctx context.Context, r *record, before, after account.Account, by ledger.By) error {
	if was := before.Role == account.Admin && before.Active(); !was || by.Actor == ledger.Operator || after.Role == account.Admin && after.Active() {
		return nil
	}
	n, err := activeAdmins(ctx, r)
	if err == nil && n == 0 {
		err = account.ErrLastAdmin
	}
	return err
}

// endStale ends the sessions that were opened under what is true no more, and forgets the devices that knew an older password.
func endStale(ctx context.Context, r *record, what string, before, after account.Account) error {
	secret := before.Password != after.Password && what != "rehash"
	if !secret && before.Role == after.Role && before.Active() == after.Active() && slices.Equal(before.Places, after.Places) {
		return nil
	}
	if secret {
		if _, err := r.ExecContext(ctx, `DELETE FROM account_device WHERE account = $1`, after.ID); err != nil {
			return err
		}
	}
	_, err := r.ExecContext(ctx, `DELETE FROM account_session WHERE account = $1`, after.ID)
	return err
}

// spendLink uses a link of an account up; nil: none is asked for.
func spendLink(ctx context.Context, r *record, hash []byte, id string, by ledger.By) error {
	if hash == nil {
		return nil
	}
	res, err := r.ExecContext(ctx, `UPDATE account_link SET used_ms = $3 WHERE hash = $1 AND account = $2 AND used_ms = 0 AND expires_ms > $3`,
		hash, id, toMillis(by.At))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(account.ErrLink, err)
	}
	return nil
}

// SaveLink implements account.Links. Of the link that makes the first admin the ledger hears when it is used.
func (d *DB) SaveLink(ctx context.Context, l account.Link, by ledger.By) error {
	if l.Account == "" {
		return d.update(ctx, "save link", func(tx *sql.Tx) error { return saveSetupLink(ctx, tx, l, by.At) })
	}
	return d.record(ctx, "save link", func(r *record) error {
		if err := saveLink(ctx, r, l); err != nil {
			return err
		}
		return r.sayAccount(ctx, l.Account, accountSaid{What: "link"}, by)
	})
}

func saveLink(ctx context.Context, tx execer, l account.Link) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM account_link WHERE account = $1`, l.Account); err != nil {
		return err
	}
	return insertLink(ctx, tx, l)
}

// saveSetupLink leaves those that still work: the one that server init printed is not to die when server run prints its own.
func saveSetupLink(ctx context.Context, tx execer, l account.Link, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM account_link WHERE account = '' AND (used_ms > 0 OR expires_ms <= $1)`, toMillis(now)); err != nil {
		return err
	}
	return insertLink(ctx, tx, l)
}

func insertLink(ctx context.Context, tx execer, l account.Link) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO account_link (hash, account, expires_ms, used_ms) VALUES ($1, $2, $3, 0)`, l.Hash, l.Account, toMillis(l.Expires))
	return err
}

// LinkOf implements account.Links.
func (d *DB) LinkOf(ctx context.Context, hash []byte, now time.Time) (account.Link, error) {
	l := account.Link{Hash: hash}
	var expires int64
	err := d.read.QueryRowContext(ctx, `SELECT account, expires_ms FROM account_link WHERE hash = $1 AND used_ms = 0 AND expires_ms > $2`, hash, toMillis(now)).
		Scan(&l.Account, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		err = account.ErrLink
	}
	if err != nil {
		return account.Link{}, fmt.Errorf("sqldb: link: %w", err)
	}
	l.Expires = fromMillis(expires)
	return l, nil
}
