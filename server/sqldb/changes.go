package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"aovuon/server/desired"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
)

// The tables of which leaves of kind `change` speak.
const (
	personTable  = "person"
	consentTable = "consent"
	requestTable = "person_request"
	desiredTable = "desired"
	erasedTable  = "calibration_erased"
	holdTable    = "lot_hold"
	mediaTable   = "media"
	landTable    = "place_land"
	recallTable  = "recall"

	capturedTable = "captured"

	decisionTable = "scan_decision"
	shopTable     = "sold_shop"

	contactTable        = "contact"
	notifySettingsTable = "notify_settings"
)

// ChangeTables names the tables whose rows ChangeRows returns.
func ChangeTables() []string {
	return []string{personTable, consentTable, requestTable, desiredTable, erasedTable, landTable, holdTable, mediaTable, recallTable, capturedTable, decisionTable, shopTable, contactTable, notifySettingsTable}
}

// ChangeRows returns what the tables of people, of gateways' settings and of who works which land say now, in the form of the bodies of leaves of kind `change`: a
// subject and what stands behind "after" in them. A subject has as many rows as its table has (consents that were given again).
func (d *DB) ChangeRows(ctx context.Context) ([]ledger.Row, error) {
	out, err := d.changeRows(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqldb: rows of changes: %w", err)
	}
	return out, nil
}

// BookRows returns what the farm's register and the diary say now, in the form of the bodies of leaves of the kinds `record` and `entry`.
func (d *DB) BookRows(ctx context.Context) (out []ledger.Row, err error) {
	saved, errR := recordRows(ctx, d.read, `1 = 1`)
	kept, errE := entryRows(ctx, d.read, `1 = 1`)
	if err := errors.Join(errR, errE); err != nil {
		return nil, fmt.Errorf("sqldb: rows of the register and the diary: %w", err)
	}
	add := func(kind ledger.Kind, subject string, body any) error {
		raw, err := json.Marshal(body)
		out = append(out, ledger.Row{Kind: kind, Subject: subject, Body: raw})
		return err
	}
	for _, w := range saved {
		if err := add(ledger.RecordSaved, w.subject(), w); err != nil {
			return nil, fmt.Errorf("sqldb: record %s: %w", w.subject(), err)
		}
	}
	for _, w := range kept {
		if err := add(ledger.EntryKept, w.ID, w); err != nil {
			return nil, fmt.Errorf("sqldb: event %s: %w", w.ID, err)
		}
	}
	return out, nil
}

func (d *DB) changeRows(ctx context.Context) (out []ledger.Row, err error) {
	add := func(table, key string, body any) error {
		raw, err := json.Marshal(body)
		out = append(out, ledger.Row{Kind: ledger.Changed, Subject: table + "/" + key, Body: raw})
		return err
	}
	all, err := people(ctx, d.read, `1 = 1`)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		var body any = p
		if !p.Erased.IsZero() {
			body = erasedOf(p)
		}
		if err := add(personTable, p.ID, body); err != nil {
			return nil, err
		}
	}
	agreed, err := consentsWhere(ctx, d.read, `1 = 1`)
	if err != nil {
		return nil, err
	}
	for _, c := range agreed {
		if err := add(consentTable, c.Person+"/"+c.Field, c); err != nil {
			return nil, err
		}
	}
	asked, err := requests(ctx, d.read, `1 = 1`)
	if err != nil {
		return nil, err
	}
	for _, q := range asked {
		if err := add(requestTable, strconv.FormatInt(q.ID, 10), q); err != nil {
			return nil, err
		}
	}
	held, err := lands(ctx, d.read)
	if err != nil {
		return nil, err
	}
	for _, place := range slices.Sorted(maps.Keys(held)) {
		if err := add(landTable, place, held[place]); err != nil {
			return nil, err
		}
	}
	if err := capturedRows(ctx, d.read, add); err != nil {
		return nil, err
	}
	if err := notifyChanges(ctx, d.read, add); err != nil {
		return nil, err
	}
	if err := d.diaryChanges(ctx, add); err != nil {
		return nil, err
	}
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var c erasedCalibration
		if err := scan(&c.Gateway, &c.Doc); err != nil {
			return err
		}
		return add(erasedTable, c.Gateway+"/"+c.Doc, c)
	}, `SELECT gateway, doc FROM calibration_erased ORDER BY gateway, doc`)
	if err != nil {
		return nil, err
	}
	return out, each(ctx, d.read, func(scan func(...any) error) error {
		var w wantedSaid
		var version, made int64
		var changes string
		if err := scan(&w.Gateway, &version, &changes, &w.Note, &made, &w.By); err != nil {
			return err
		}
		// As the text stands, not as it is read: a member that nobody knows is an edit, too.
		w.Version, w.Changes, w.Made = uint64(version), json.RawMessage(changes), fromMillis(made)
		return add(desiredTable, w.Gateway, w)
	}, wantedColumns+`ORDER BY d.gateway`)
}

// erasedPerson is what is left of a person: anything more stands there only if somebody put it there.
type erasedPerson struct {
	ID        string    `json:"id"`
	Erased    time.Time `json:"erased"`
	Name      string    `json:"name,omitempty"`
	Phone     string    `json:"phone,omitempty"`
	Photo     string    `json:"photo,omitempty"`
	Household string    `json:"household,omitempty"`
	Places    []string  `json:"places,omitempty"`
	Account   string    `json:"account,omitempty"`
}

// erasedCalibration is a document of which nobody is told any more who it was.
type erasedCalibration struct {
	Gateway string `json:"gateway"`
	Doc     string `json:"doc"`
}

func erasedOf(p privacy.Person) erasedPerson {
	return erasedPerson{ID: p.ID, Erased: p.Erased, Name: p.Name, Phone: p.Phone, Photo: p.Photo, Household: p.Household, Places: p.Places, Account: p.Account}
}

// wantedSaid is what the ledger says of a gateway's settings.
type wantedSaid struct {
	Gateway string          `json:"gateway"`
	Version uint64          `json:"version"`
	Changes json.RawMessage `json:"changes"` // of gateway/wire
	Note    []byte          `json:"note"`    // as it is sent to the gateway, signed
	Made    time.Time       `json:"made"`
	By      string          `json:"by"` // pseudonym of the account that asked, or operator
}

func wantedOf(w desired.Wanted) (wantedSaid, error) {
	changes, err := json.Marshal(w.Changes)
	return wantedSaid{Gateway: w.Gateway, Version: w.Version, Changes: changes, Note: w.Note, Made: w.Made, By: w.By}, err
}
