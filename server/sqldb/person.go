package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/privacy"
)

// changed is the body of a `change`: a row before and after.
type changed struct {
	Table  string `json:"table"`
	Key    string `json:"key"`
	Before any    `json:"before,omitempty"`
	After  any    `json:"after,omitempty"`
}

// sayChange enters what became of a row.
func (r *record) sayChange(ctx context.Context, c changed, by ledger.By) error {
	return r.say(ctx, ledger.Changed, c.Table+"/"+c.Key, c, by)
}

// AddPerson puts a person on record, with the places that are theirs.
func (d *DB) AddPerson(ctx context.Context, p privacy.Person, by ledger.By) error {
	if err := p.Check(); err != nil {
		return err
	}
	p.Created = by.At.UTC().Truncate(time.Millisecond)
	return d.record(ctx, "add person "+p.ID, func(r *record) error {
		_, err := r.ExecContext(ctx, `INSERT INTO person (id, name, phone, photo, household, created_ms, erased_ms, account) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)`,
			p.ID, p.Name, p.Phone, p.Photo, p.Household, toMillis(p.Created), p.Account)
		if err != nil {
			return err
		}
		if err := r.accountFree(ctx, p); err != nil {
			return err
		}
		for _, place := range p.Places {
			var known int
			if err := r.QueryRowContext(ctx, `SELECT COUNT(*) FROM place WHERE code = $1`, place).Scan(&known); err != nil {
				return err
			}
			if known == 0 {
				return fmt.Errorf("no place %s in the farm: name one by the code on its board", place)
			}
			if _, err := r.ExecContext(ctx, `INSERT INTO person_place (person, place) VALUES ($1, $2) ON CONFLICT DO NOTHING`, p.ID, place); err != nil {
				return err
			}
		}
		return r.sayChange(ctx, changed{Table: personTable, Key: p.ID, After: p}, by)
	})
}

// accountFree checks that the account of a person is there, and nobody else's.
func (r *record) accountFree(ctx context.Context, p privacy.Person) error {
	if p.Account == "" {
		return nil
	}
	if _, err := oneAccount(ctx, r, `WHERE id = $1`, p.Account); err != nil {
		return err
	}
	others, err := people(ctx, r, `account = $1 AND id <> $2`, p.Account, p.ID)
	if err == nil && len(others) > 0 {
		err = fmt.Errorf("that account is %s's already: two people who use one account cannot be told apart", others[0].ID)
	}
	return err
}

// TieAccount says which account is a person's, so that export and erasure reach it; empty: none.
func (d *DB) TieAccount(ctx context.Context, id, account string, by ledger.By) error {
	return d.record(ctx, "account of person "+id, func(r *record) error {
		before, err := person(ctx, r, id)
		if err != nil || before.Account == account {
			return err
		}
		after := before
		after.Account = account
		if err := r.accountFree(ctx, after); err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `UPDATE person SET account = $1 WHERE id = $2`, account, id); err != nil {
			return err
		}
		return r.sayChange(ctx, changed{Table: personTable, Key: id, Before: before, After: after}, by)
	})
}

// People returns everybody on record who was not erased, the oldest first.
func (d *DB) People(ctx context.Context) ([]privacy.Person, error) {
	out, err := people(ctx, d.read, `erased_ms = 0`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: people: %w", err)
	}
	return out, nil
}

func people(ctx context.Context, q querier, where string, args ...any) ([]privacy.Person, error) {
	var out []privacy.Person
	err := each(ctx, q, func(scan func(...any) error) error {
		var p privacy.Person
		var created, erased int64
		err := scan(&p.ID, &p.Name, &p.Phone, &p.Photo, &p.Household, &created, &erased, &p.Account)
		p.Created, p.Erased = fromMillis(created), fromMillis(erased)
		out = append(out, p)
		return err
	}, `SELECT id, name, phone, photo, household, created_ms, erased_ms, account FROM person WHERE `+where+` ORDER BY created_ms, id`, args...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		err := each(ctx, q, func(scan func(...any) error) error {
			var place string
			err := scan(&place)
			out[i].Places = append(out[i].Places, place)
			return err
		}, `SELECT place FROM person_place WHERE person = $1 ORDER BY place`, out[i].ID)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// person returns one who is on record. The error wraps privacy.ErrNoPerson.
func person(ctx context.Context, q querier, id string) (privacy.Person, error) {
	found, err := people(ctx, q, `id = $1 AND erased_ms = 0`, id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%w: %.40q: server person list shows who is", privacy.ErrNoPerson, id)
	}
	if err != nil {
		return privacy.Person{}, err
	}
	return found[0], nil
}

// Consents returns what a person agreed to, the oldest first; withdrawn ones too.
func (d *DB) Consents(ctx context.Context, id string) ([]privacy.Consent, error) {
	out, err := consents(ctx, d.read, id)
	if err != nil {
		return nil, fmt.Errorf("sqldb: consents: %w", err)
	}
	return out, nil
}

func consents(ctx context.Context, q querier, id string) ([]privacy.Consent, error) {
	return consentsWhere(ctx, q, `person = $1`, id)
}

func consentsWhere(ctx context.Context, q querier, where string, args ...any) ([]privacy.Consent, error) {
	var out []privacy.Consent
	err := each(ctx, q, func(scan func(...any) error) error {
		var c privacy.Consent
		var given, withdrawn int64
		err := scan(&c.Person, &c.Field, &c.To, &c.Text, &given, &withdrawn)
		c.Given, c.Withdrawn = fromMillis(given), fromMillis(withdrawn)
		out = append(out, c)
		return err
	}, `SELECT person, field, audience, text_version, given_ms, withdrawn_ms FROM consent WHERE `+where+` ORDER BY given_ms, field`, args...)
	return out, err
}

// GiveConsent puts a consent on record. One to the same field that is in force under the same text stays as it is; given is then false.
func (d *DB) GiveConsent(ctx context.Context, c privacy.Consent, by ledger.By) (given bool, err error) {
	c.Given = by.At.UTC().Truncate(time.Millisecond)
	err = d.record(ctx, "consent of "+c.Person, func(r *record) error {
		if _, err := person(ctx, r, c.Person); err != nil {
			return err
		}
		have, err := consents(ctx, r, c.Person)
		if err != nil {
			return err
		}
		for _, h := range have {
			if h.Field == c.Field && h.To == c.To && h.Holds() {
				if h.Text == c.Text {
					return nil
				}
				if err := r.endConsent(ctx, h, by); err != nil {
					return err
				}
			}
		}
		given = true
		_, err = r.ExecContext(ctx, `INSERT INTO consent (person, field, audience, text_version, given_ms, withdrawn_ms) VALUES ($1, $2, $3, $4, $5, 0)`,
			c.Person, c.Field, string(c.To), c.Text, toMillis(c.Given))
		if err != nil {
			return err
		}
		return r.sayChange(ctx, changed{Table: consentTable, Key: c.Person + "/" + c.Field, After: c}, by)
	})
	return given, err
}

// WithdrawConsent ends the consents of a person to a field, or to all of them where field is empty. It is in force when it returns.
func (d *DB) WithdrawConsent(ctx context.Context, id, field string, by ledger.By) (n int, err error) {
	err = d.record(ctx, "withdraw consent of "+id, func(r *record) (err error) {
		if _, err := person(ctx, r, id); err != nil {
			return err
		}
		n, err = r.endConsents(ctx, id, field, by)
		return err
	})
	return n, err
}

func (r *record) endConsents(ctx context.Context, id, field string, by ledger.By) (n int, err error) {
	have, err := consents(ctx, r, id)
	if err != nil {
		return 0, err
	}
	for _, c := range have {
		if !c.Holds() || field != "" && c.Field != field {
			continue
		}
		if err := r.endConsent(ctx, c, by); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (r *record) endConsent(ctx context.Context, c privacy.Consent, by ledger.By) error {
	before := c
	c.Withdrawn = by.At.UTC().Truncate(time.Millisecond)
	_, err := r.ExecContext(ctx, `UPDATE consent SET withdrawn_ms = $1 WHERE person = $2 AND field = $3 AND audience = $4 AND given_ms = $5`,
		toMillis(c.Withdrawn), c.Person, c.Field, string(c.To), toMillis(c.Given))
	if err != nil {
		return err
	}
	return r.sayChange(ctx, changed{Table: consentTable, Key: c.Person + "/" + c.Field, Before: before, After: c}, by)
}

// Producers returns what everybody may see of the people of some places now, in the order of the places.
func (d *DB) Producers(ctx context.Context, places []string) ([]privacy.Shown, error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return nil, fmt.Errorf("sqldb: producers: %w", err)
	}
	out, err := producers(ctx, tx, places)
	if err := closing(tx, err); err != nil {
		return nil, fmt.Errorf("sqldb: producers: %w", err)
	}
	return out, nil
}

func producers(ctx context.Context, q querier, places []string) ([]privacy.Shown, error) {
	var out []privacy.Shown
	for _, place := range places {
		all, err := people(ctx, q, `erased_ms = 0 AND id IN (SELECT person FROM person_place WHERE place = $1)`, place)
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			agreed, err := consents(ctx, q, p.ID)
			if err != nil {
				return nil, err
			}
			if s, ok := privacy.Show(p, agreed, privacy.Everybody); ok {
				s.Place = place
				out = append(out, s)
			}
		}
	}
	return out, nil
}
