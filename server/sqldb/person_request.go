package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aovuon/server/calibration"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
)

// ErrNoRequest says that there is no request of that number.
var ErrNoRequest = errors.New("no such request")

// AddRequest puts a request of a person on record and returns it with its number.
func (d *DB) AddRequest(ctx context.Context, q privacy.Request, by ledger.By) (privacy.Request, error) {
	q.Received = q.Received.UTC().Truncate(time.Millisecond)
	err := d.record(ctx, "request of "+q.Person, func(r *record) error {
		if _, err := person(ctx, r, q.Person); err != nil {
			return err
		}
		if err := r.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) + 1 FROM person_request`).Scan(&q.ID); err != nil {
			return err
		}
		_, err := r.ExecContext(ctx, `INSERT INTO person_request (id, person, kind, received_ms, acked_ms, done_ms) VALUES ($1, $2, $3, $4, 0, 0)`,
			q.ID, q.Person, string(q.Kind), toMillis(q.Received))
		if err != nil {
			return err
		}
		return r.sayChange(ctx, changed{Table: requestTable, Key: strconv.FormatInt(q.ID, 10), After: q}, by)
	})
	return q, err
}

// AnswerRequest notes that the person was told that the request has come in, or, with done, that it was fulfilled.
func (d *DB) AnswerRequest(ctx context.Context, id int64, done bool, by ledger.By) error {
	return d.record(ctx, "answer request "+strconv.FormatInt(id, 10), func(r *record) error {
		found, err := requests(ctx, r, `id = $1`, id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("%w: server person requests lists them", ErrNoRequest)
		}
		before, after := found[0], found[0]
		at := by.At.UTC().Truncate(time.Millisecond)
		if after.Acked.IsZero() {
			after.Acked = at
		}
		if done && after.Done.IsZero() {
			after.Done = at
		}
		if before == after {
			return nil
		}
		_, err = r.ExecContext(ctx, `UPDATE person_request SET acked_ms = $1, done_ms = $2 WHERE id = $3`, toMillis(after.Acked), toMillis(after.Done), id)
		if err != nil {
			return err
		}
		return r.sayChange(ctx, changed{Table: requestTable, Key: strconv.FormatInt(id, 10), Before: before, After: after}, by)
	})
}

// Requests returns every request, the oldest first.
func (d *DB) Requests(ctx context.Context) ([]privacy.Request, error) {
	out, err := requests(ctx, d.read, `1 = 1`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: requests: %w", err)
	}
	return out, nil
}

func requests(ctx context.Context, q querier, where string, args ...any) ([]privacy.Request, error) {
	var out []privacy.Request
	err := each(ctx, q, func(scan func(...any) error) error {
		var x privacy.Request
		var received, acked, done int64
		err := scan(&x.ID, &x.Person, &x.Kind, &received, &acked, &done)
		x.Received, x.Acked, x.Done = fromMillis(received), fromMillis(acked), fromMillis(done)
		out = append(out, x)
		return err
	}, `SELECT id, person, kind, received_ms, acked_ms, done_ms FROM person_request WHERE `+where+` ORDER BY id`, args...)
	return out, err
}

// EverythingOf returns all that is kept about a person: their row, what they agreed to and asked for, and every leaf of the ledger that is
// about them or by them. The error wraps privacy.ErrNoPerson.
func (d *DB) EverythingOf(ctx context.Context, id string) (out privacy.Everything, err error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return out, fmt.Errorf("sqldb: everything of %s: %w", id, err)
	}
	out, err = everythingOf(ctx, tx, id)
	if err := closing(tx, err); err != nil {
		return out, fmt.Errorf("sqldb: everything of %s: %w", id, err)
	}
	return out, nil
}

func everythingOf(ctx context.Context, q querier, id string) (out privacy.Everything, err error) {
	if out.Person, err = person(ctx, q, id); err != nil {
		return out, err
	}
	if out.Consents, err = consents(ctx, q, id); err != nil {
		return out, err
	}
	if out.Requests, err = requests(ctx, q, `person = $1`, id); err != nil {
		return out, err
	}
	if err := accountInto(ctx, q, &out); err != nil {
		return out, err
	}
	told, err := contactsInto(ctx, q, &out)
	if err != nil {
		return out, err
	}
	numbers := make(map[string]bool, len(out.Requests))
	for _, r := range out.Requests {
		numbers["person_request/"+strconv.FormatInt(r.ID, 10)] = true
	}
	about := func(l ledger.Leaf) bool {
		return l.Actor == id || out.Account != nil && (l.Actor == out.Account.ID || l.Subject == out.Account.ID) || l.Subject == "person/"+id || numbers[l.Subject] || strings.HasPrefix(l.Subject, "consent/"+id+"/") || told[l.Subject]
	}
	err = each(ctx, q, func(scan func(...any) error) error {
		var n int64
		var raw, body []byte
		if err := scan(&n, &raw, &body); err != nil {
			return err
		}
		l, err := ledger.ParseLeaf(raw)
		if err != nil {
			return fmt.Errorf("leaf %d: %w", n, err)
		}
		if about(l) {
			out.Ledger = append(out.Ledger, privacy.Entry{N: n, Kind: string(l.Kind), Subject: l.Subject, Actor: l.Actor, Time: l.Time, Body: body})
		}
		return nil
	}, `SELECT l.n, l.leaf, b.body FROM ledger_leaf l JOIN ledger_body b ON b.n = l.n ORDER BY l.n`)
	return out, err
}

// contactsInto adds how a person is told of alarms and what was sent to them, and returns the subjects of the leaves about it.
func contactsInto(ctx context.Context, q querier, out *privacy.Everything) (map[string]bool, error) {
	list, err := contacts(ctx, q)
	if err != nil {
		return nil, err
	}
	names := []string{out.Person.Name}
	if out.Account != nil {
		names = append(names, out.Account.Name)
	}
	about := map[string]bool{}
	for _, c := range list {
		if !contactOf(c, out.Person.Account, names, out.Person.Phone) {
			continue
		}
		about[contactTable+"/"+c.ID] = true
		x := privacy.Contact{ID: c.ID, Name: c.Name, Places: c.Places, Agreed: c.Agreed}
		for _, a := range c.Addresses {
			x.Addresses = append(x.Addresses, a.Channel+": "+a.To)
		}
		out.Contacts = append(out.Contacts, x)
		sent, err := messagesWhere(ctx, q, `WHERE contact = $1 ORDER BY id`, c.ID)
		if err != nil {
			return nil, err
		}
		for _, m := range sent {
			out.Messages = append(out.Messages, privacy.Message{ID: m.ID, Made: m.Created, Channel: m.Channel, To: m.To, State: string(m.State), Text: m.Text})
		}
	}
	return about, nil
}

// accountInto adds the account of a person, and the calibrations that name them.
func accountInto(ctx context.Context, q querier, out *privacy.Everything) error {
	names := []string{out.Person.Name}
	if out.Person.Account != "" {
		a, err := oneAccount(ctx, q, `WHERE id = $1`, out.Person.Account)
		if err != nil {
			return err
		}
		open, err := sessions(ctx, q, `WHERE account = $1 ORDER BY made_ms`, a.ID)
		if err != nil {
			return err
		}
		out.Account = &privacy.Account{ID: a.ID, Login: a.Login, Name: a.Name, Role: string(a.Role), Places: a.Places, Made: a.Made}
		for _, s := range open {
			out.Account.Sessions = append(out.Account.Sessions, privacy.Session{Device: s.Device, Made: s.Made, Seen: s.Seen})
		}
		keys, err := passkeys(ctx, q, `WHERE account = $1`, a.ID)
		if err != nil {
			return err
		}
		for _, k := range keys {
			out.Account.Passkeys = append(out.Account.Passkeys, privacy.Passkey{Name: k.Name, Made: k.Made, Used: k.Used})
		}
		names = append(names, a.Name, a.Login)
	}
	list, err := calibrationsOf(ctx, q, calibrationColumns+`ORDER BY position, ordinal`)
	if err != nil {
		return err
	}
	for _, e := range list {
		if !calibration.Names(e.Body, names) {
			continue
		}
		c := privacy.Calibration{Gateway: e.Gateway, Sensor: e.Sensor, Time: e.Time}
		if r, err := calibration.Read(e.Body); err == nil {
			c.Who = r.Who
		}
		out.Calibrations = append(out.Calibrations, c)
	}
	return nil
}
