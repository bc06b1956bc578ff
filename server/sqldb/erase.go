package sqldb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aovuon/server/account"
	"aovuon/server/calibration"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
)

// ErasePerson removes all that says something of a person: their row, their places, their account, their name at calibrations, and the
// bodies of the leaves about them. What is left is the pseudonym, when it was erased, and what the pseudonym agreed to and asked for: proof
// that the law was kept. Erasing again only repeats the scrubbing of what the database has not overwritten yet.
func (d *DB) ErasePerson(ctx context.Context, id string, by ledger.By) error {
	err := d.record(ctx, "erase person "+id, func(r *record) error {
		p, err := person(ctx, r, id)
		if err != nil {
			return err
		}
		if p.Account != "" {
			if err := r.eraseAccount(ctx, p.Account, by); err != nil && !errors.Is(err, account.ErrNone) {
				return err
			}
		}
		return r.erasePerson(ctx, p, by)
	})
	if errors.Is(err, privacy.ErrNoPerson) {
		if gone, readErr := people(ctx, d.read, `id = $1`, id); readErr != nil || len(gone) == 0 {
			return errors.Join(err, readErr)
		}
		err = nil
	}
	if err != nil {
		return err
	}
	return d.scrub(ctx)
}

func (r *record) erasePerson(ctx context.Context, p privacy.Person, by ledger.By) error {
	if _, err := r.endConsents(ctx, p.ID, "", by); err != nil {
		return err
	}
	if err := r.eraseWho(ctx, []string{p.Name}, by); err != nil {
		return err
	}
	if err := r.eraseDiary(ctx, "", []string{p.Name}, by); err != nil {
		return err
	}
	if err := r.eraseContacts(ctx, p.Account, []string{p.Name}, p.Phone, by); err != nil {
		return err
	}
	if _, err := r.ExecContext(ctx, `DELETE FROM person_place WHERE person = $1`, p.ID); err != nil {
		return err
	}
	_, err := r.ExecContext(ctx, `UPDATE person SET name = '', phone = '', photo = '', household = '', account = '', erased_ms = $1 WHERE id = $2`, toMillis(by.At), p.ID)
	if err != nil {
		return err
	}
	if err := r.eraseHousehold(ctx, p.Household, by); err != nil {
		return err
	}
	if err := r.eraseBodies(ctx, ledger.Changed, personTable+"/"+p.ID); err != nil {
		return err
	}
	return r.sayChange(ctx, changed{Table: personTable, Key: p.ID, After: erasedPerson{ID: p.ID, Erased: by.At.UTC().Truncate(time.Millisecond)}}, by)
}

// eraseBodies takes away what stands behind the leaves about a subject.
func (r *record) eraseBodies(ctx context.Context, kind ledger.Kind, subject string) error {
	_, err := r.ExecContext(ctx, `UPDATE ledger_body SET salt = NULL, body = NULL WHERE n IN (SELECT n FROM ledger_leaf WHERE kind = $1 AND subject = $2)`,
		string(kind), subject)
	return err
}

// EraseAccount removes all that says something of who has an account: login, name, places, cards, sessions and what their browsers are
// called, their name at calibrations, and the bodies of the leaves about it. The pseudonym stays, so that the trail still tells one from
// another; nobody signs in with it. The error wraps account.ErrNone, or ErrLastAdmin unless the operator asks.
func (d *DB) EraseAccount(ctx context.Context, id string, by ledger.By) error {
	err := d.record(ctx, "erase account "+id, func(r *record) error {
		tied, err := people(ctx, r, `account = $1 AND erased_ms = 0`, id)
		if err != nil {
			return err
		}
		if len(tied) > 0 {
			return fmt.Errorf("it is the account of %s: server person erase %[1]s erases both", tied[0].ID)
		}
		return r.eraseAccount(ctx, id, by)
	})
	if err != nil {
		return err
	}
	return d.scrub(ctx)
}

// AccountTables are the tables with rows about an account that go when it is erased.
func AccountTables() []string {
	return []string{"account_place", "account_recovery", "account_passkey", "account_session", "account_challenge", "account_device", "account_link", "account_card"}
}

func (r *record) eraseAccount(ctx context.Context, id string, by ledger.By) error {
	before, err := oneAccount(ctx, r, `WHERE id = $1`, id)
	if err != nil {
		return err
	}
	after := account.Account{ID: id, Login: id, Role: before.Role, Disabled: by.At.UTC().Truncate(time.Millisecond), Made: before.Made}
	for _, table := range AccountTables() {
		if _, err := r.ExecContext(ctx, `DELETE FROM `+table+` WHERE account = $1`, id); err != nil {
			return err
		}
	}
	_, err = r.ExecContext(ctx, `UPDATE account SET login = id, name = '', password = '', secret = NULL, step = 0, disabled_ms = $2 WHERE id = $1`, id, toMillis(after.Disabled))
	if err != nil {
		return err
	}
	if err := keepAdmin(ctx, r, before, after, by); err != nil {
		return err
	}
	if err := r.eraseWho(ctx, []string{before.Name, before.Login}, by); err != nil {
		return err
	}
	if err := r.eraseDiary(ctx, id, []string{before.Name, before.Login}, by); err != nil {
		return err
	}
	if err := r.eraseAlarmNotes(ctx, id); err != nil {
		return err
	}
	if err := r.eraseContacts(ctx, id, []string{before.Name}, "", by); err != nil {
		return err
	}
	if err := r.eraseBodies(ctx, ledger.AccountChanged, id); err != nil {
		return err
	}
	return r.sayAccount(ctx, id, accountSaid{What: "erased", After: shownOf(after)}, by)
}

// eraseWho has no calibration say any more that one of some people did it, now and when the projection is drawn again. The signed batches
// that brought them are not changed: nobody can.
func (r *record) eraseWho(ctx context.Context, names []string, by ledger.By) error {
	list, err := calibrationsOf(ctx, r, calibrationColumns+`ORDER BY position, ordinal`)
	if err != nil {
		return err
	}
	for _, e := range list {
		if !calibration.Names(e.Body, names) {
			continue
		}
		if _, err := r.ExecContext(ctx, `INSERT INTO calibration_erased (gateway, doc) VALUES ($1, $2) ON CONFLICT DO NOTHING`, e.Gateway, e.Key); err != nil {
			return err
		}
		if _, err := r.ExecContext(ctx, `UPDATE calibration SET body = $3 WHERE gateway = $1 AND doc = $2`, e.Gateway, e.Key, []byte(calibration.Erase(e.Body))); err != nil {
			return err
		}
		said := erasedCalibration{Gateway: e.Gateway, Doc: e.Key}
		if err := r.sayChange(ctx, changed{Table: erasedTable, Key: e.Gateway + "/" + e.Key, After: said}, by); err != nil {
			return err
		}
	}
	return nil
}

// erasedDocs returns the keys of the documents of gateways that say no more who did them.
func erasedDocs(ctx context.Context, q querier) (map[erasedCalibration]bool, error) {
	out := map[erasedCalibration]bool{}
	err := each(ctx, q, func(scan func(...any) error) error {
		var c erasedCalibration
		err := scan(&c.Gateway, &c.Doc)
		out[c] = true
		return err
	}, `SELECT gateway, doc FROM calibration_erased`)
	return out, err
}

// scrub overwrites what deleted rows left behind in the database's own files.
func (d *DB) scrub(ctx context.Context) error {
	if d.driver == Postgres {
		for _, table := range slices.Concat([]string{"person", "person_place", "ledger_body", "account", "calibration", "farm_record", "diary_event", "goods_event", "alarm_change", "maintenance", "contact", "notify_message", "notify_attempt"}, AccountTables()) {
			if _, err := d.write.ExecContext(ctx, `VACUUM (FULL) `+table); err != nil {
				return fmt.Errorf("sqldb: scrub %s: %w", table, err)
			}
		}
		return nil
	}
	var busy, log, done int
	if err := d.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done); err != nil {
		return fmt.Errorf("sqldb: scrub: %w", err)
	}
	if busy != 0 {
		return errors.New("sqldb: scrub: the rows are erased, but the database's journal still holds them while somebody reads: do the same again")
	}
	return nil
}
