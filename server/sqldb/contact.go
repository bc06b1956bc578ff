package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/privacy"
	"aovuon/server/watch/notify"
)

// Contacts returns who is told of alarms, in the order of the ladder.
func (d *DB) Contacts(ctx context.Context) ([]notify.Contact, error) {
	out, err := contacts(ctx, d.read)
	if err != nil {
		return nil, fmt.Errorf("sqldb: contacts: %w", err)
	}
	return out, nil
}

// contacts returns those that were not removed. Of one whose account is closed, Disabled is said; a farmer's sees no other places than the own.
func contacts(ctx context.Context, q querier) ([]notify.Contact, error) {
	var out []notify.Contact
	err := each(ctx, q, func(scan func(...any) error) error {
		var body string
		if err := scan(&body); err != nil {
			return err
		}
		var c notify.Contact
		if err := json.Unmarshal([]byte(body), &c); err != nil {
			return fmt.Errorf("contact: %w", err)
		}
		out = append(out, c)
		return nil
	}, `SELECT body FROM contact WHERE erased_ms = 0 ORDER BY id`)
	slices.SortStableFunc(out, func(a, b notify.Contact) int { return a.Step - b.Step })
	return out, err
}

// told returns the contacts as they may be told now: none of a closed account, and a farmer's of the own places alone.
func toldContacts(ctx context.Context, q querier) ([]notify.Contact, error) {
	list, err := contacts(ctx, q)
	if err != nil {
		return nil, err
	}
	own := map[string][]string{}
	closed := map[string]bool{}
	farmer := map[string]bool{}
	err = each(ctx, q, func(scan func(...any) error) error {
		var id, role, place string
		var disabled int64
		err := scan(&id, &role, &disabled, &place)
		closed[id], farmer[id] = disabled != 0, role == "farmer"
		if place != "" {
			own[id] = append(own[id], place)
		}
		return err
	}, `SELECT a.id, a.role, a.disabled_ms, COALESCE(p.place, '') FROM account a LEFT JOIN account_place p ON p.account = a.id
		WHERE a.id IN (SELECT account FROM account_place) OR a.disabled_ms <> 0 OR a.role = 'farmer'`)
	if err != nil {
		return nil, err
	}
	for i, c := range list {
		if c.Account == "" {
			continue
		}
		list[i].Disabled = c.Disabled || closed[c.Account]
		if !farmer[c.Account] {
			continue
		}
		mine := own[c.Account]
		if len(c.Places) > 0 {
			mine = slices.DeleteFunc(slices.Clone(mine), func(p string) bool { return !slices.Contains(c.Places, p) })
		}
		list[i].Places, list[i].Disabled = mine, list[i].Disabled || len(mine) == 0
	}
	return list, nil
}

// SaveContact adds a contact, or changes it.
func (d *DB) SaveContact(ctx context.Context, c notify.Contact, by ledger.By) error {
	if err := c.Check(); err != nil {
		return err
	}
	c.Agreed = millis(c.Agreed)
	return d.record(ctx, "save contact "+c.ID, func(r *record) error {
		list, err := contacts(ctx, r)
		if err != nil {
			return err
		}
		said := changed{Table: contactTable, Key: c.ID, After: c}
		for _, other := range list {
			switch {
			case other.ID == c.ID:
				said.Before = other
			case c.Account != "" && other.Account == c.Account:
				return fmt.Errorf("%w: this account is the contact %s already", notify.ErrContact, other.Name)
			}
		}
		if said.Before == nil {
			var erased int64
			switch err := r.QueryRowContext(ctx, `SELECT erased_ms FROM contact WHERE id = $1`, c.ID).Scan(&erased); {
			case err == nil:
				return notify.ErrNoContact // it was removed: nobody brings it back by a form that was open
			case !errors.Is(err, sql.ErrNoRows):
				return err
			}
		}
		return r.keepContact(ctx, c, said, by)
	})
}

func (r *record) keepContact(ctx context.Context, c notify.Contact, said changed, by ledger.By) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = r.ExecContext(ctx, `INSERT INTO contact (id, body, erased_ms) VALUES ($1, $2, 0) ON CONFLICT (id) DO UPDATE SET body = excluded.body`, c.ID, string(raw))
	if err != nil {
		return err
	}
	return r.sayChange(ctx, said, by)
}

// WithdrawAlarms ends a person's word that they may be told of alarms, whichever contact holds it. Nothing but a test goes to them from then on, until they
// agree again. It returns how many contacts held it.
func (d *DB) WithdrawAlarms(ctx context.Context, id string, by ledger.By) (n int, err error) {
	err = d.record(ctx, "withdraw alarms of "+id, func(r *record) error {
		n = 0
		p, err := person(ctx, r, id)
		if err != nil {
			return err
		}
		list, err := contacts(ctx, r)
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.Agreed.IsZero() || !contactOf(c, p.Account, []string{p.Name}, p.Phone) {
				continue
			}
			said := changed{Table: contactTable, Key: c.ID, Before: c}
			c.Agreed, c.AgreedBy = time.Time{}, ""
			said.After = c
			if err := r.keepContact(ctx, c, said, by); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// erasedContact is what is left of a contact that was removed.
type erasedContact struct {
	ID     string    `json:"id"`
	Erased time.Time `json:"erased"`
}

// RemoveContact removes a contact and all that says who it was; what was sent stays, without address and text.
func (d *DB) RemoveContact(ctx context.Context, id string, by ledger.By) error {
	if err := d.record(ctx, "remove contact "+id, func(r *record) error { return r.eraseContact(ctx, id, by) }); err != nil {
		return err
	}
	return d.scrub(ctx)
}

func (r *record) eraseContact(ctx context.Context, id string, by ledger.By) error {
	left := erasedContact{ID: id, Erased: millis(by.At)}
	raw, err := json.Marshal(left)
	if err != nil {
		return err
	}
	res, err := r.ExecContext(ctx, `UPDATE contact SET body = $2, erased_ms = $3 WHERE id = $1 AND erased_ms = 0`, id, string(raw), toMillis(left.Erased))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(notify.ErrNoContact, err)
	}
	_, err = r.ExecContext(ctx, `UPDATE notify_message SET state = $3, done_ms = $2 WHERE contact = $1 AND state = $4`,
		id, toMillis(left.Erased), string(notify.Expired), string(notify.Waiting))
	if err != nil {
		return err
	}
	// What is being sent goes out with what was read of it; its row says nothing any more.
	if _, err := r.ExecContext(ctx, `UPDATE notify_message SET address = '', subject = '', body = '', short = '', err = '' WHERE contact = $1`, id); err != nil {
		return err
	}
	if _, err := r.ExecContext(ctx, `UPDATE notify_attempt SET err = '' WHERE message IN (SELECT id FROM notify_message WHERE contact = $1)`, id); err != nil {
		return err
	}
	if err := r.eraseBodies(ctx, ledger.Changed, contactTable+"/"+id); err != nil {
		return err
	}
	return r.sayChange(ctx, changed{Table: contactTable, Key: id, After: left}, by)
}

// eraseContacts removes the contacts of an account, or that bear one of some names or a telephone number.
func (r *record) eraseContacts(ctx context.Context, account string, names []string, phone string, by ledger.By) error {
	list, err := contacts(ctx, r)
	if err != nil {
		return err
	}
	for _, c := range list {
		if !contactOf(c, account, names, phone) {
			continue
		}
		if err := r.eraseContact(ctx, c.ID, by); err != nil {
			return err
		}
	}
	return nil
}

// contactOf reports whether a contact is somebody's: by account, by name, or by telephone number.
func contactOf(c notify.Contact, account string, names []string, phone string) bool {
	if account != "" && c.Account == account {
		return true
	}
	if slices.ContainsFunc(names, func(n string) bool { return n != "" && privacy.NameOf(n) == privacy.NameOf(c.Name) }) {
		return true
	}
	digits := notify.Digits(phone)
	return len(digits) > 8 && slices.ContainsFunc(c.Addresses, func(a notify.Address) bool { return strings.HasPrefix(a.To, "+") && notify.Digits(a.To) == digits })
}

// SaveSettings implements notify.Book.
func (d *DB) SaveSettings(ctx context.Context, s notify.Settings, by ledger.By) error {
	if err := s.Check(); err != nil {
		return err
	}
	return d.record(ctx, "save the ladder's settings", func(r *record) error {
		said := changed{Table: notifySettingsTable, Key: "1", After: s}
		before, ok, err := notifySettings(ctx, r)
		if err != nil {
			return err
		}
		if ok {
			if before == s {
				return nil
			}
			said.Before = before
		}
		raw, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `INSERT INTO notify_settings (id, body) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET body = excluded.body`, string(raw)); err != nil {
			return err
		}
		return r.sayChange(ctx, said, by)
	})
}

// notifySettings returns the settings on record; ok is false where nobody changed the default.
func notifySettings(ctx context.Context, q querier) (s notify.Settings, ok bool, err error) {
	s = notify.DefaultSettings()
	err = each(ctx, q, func(scan func(...any) error) error {
		var body string
		if err := scan(&body); err != nil {
			return err
		}
		ok = true
		return json.Unmarshal([]byte(body), &s)
	}, `SELECT body FROM notify_settings WHERE id = 1`)
	return s, ok, err
}

// notifyChanges returns contacts and settings as their leaves have them: as the text stands.
func notifyChanges(ctx context.Context, q querier, add func(table, key string, body any) error) error {
	for _, t := range []struct{ table, query string }{
		{contactTable, `SELECT id, body, erased_ms FROM contact ORDER BY id`},
		{notifySettingsTable, `SELECT CAST(id AS TEXT), body, 0 FROM notify_settings ORDER BY id`},
	} {
		err := each(ctx, q, func(scan func(...any) error) error {
			var key, body string
			var erased int64
			if err := scan(&key, &body, &erased); err != nil {
				return err
			}
			var left struct{ Erased time.Time }
			if err := json.Unmarshal([]byte(body), &left); err != nil || !left.Erased.Equal(fromMillis(erased)) {
				return add(t.table, key, map[string]any{"text": body, "erased_ms": erased}) // nobody ever said this: the audit finds it
			}
			return add(t.table, key, json.RawMessage(body))
		}, t.query)
		if err != nil {
			return err
		}
	}
	return nil
}
