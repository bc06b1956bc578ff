package sqldb

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"aovuon/gateway/wire"
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
)

// ChangeTables names the tables whose rows ChangeRows returns.
func ChangeTables() []string { return []string{personTable, consentTable, requestTable, desiredTable} }

// ChangeRows returns what the tables of people and of gateways' settings say now, in the form of the bodies of leaves of kind `change`: a
// subject and what stands behind "after" in them. A subject has as many rows as its table has (consents that were given again).
func (d *DB) ChangeRows(ctx context.Context) ([]ledger.Row, error) {
	out, err := d.changeRows(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqldb: rows of changes: %w", err)
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
	wanted, err := wantedRows(ctx, d.read, wantedColumns)
	if err != nil {
		return nil, err
	}
	for _, w := range wanted {
		if err := add(desiredTable, w.Gateway, wantedOf(w)); err != nil {
			return nil, err
		}
	}
	return out, nil
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
}

func erasedOf(p privacy.Person) erasedPerson {
	return erasedPerson{ID: p.ID, Erased: p.Erased, Name: p.Name, Phone: p.Phone, Photo: p.Photo, Household: p.Household, Places: p.Places}
}

// wantedSaid is what the ledger says of a gateway's settings.
type wantedSaid struct {
	Gateway string        `json:"gateway"`
	Version uint64        `json:"version"`
	Changes []wire.Change `json:"changes,omitempty"`
	Note    []byte        `json:"note"` // as it is sent to the gateway, signed
	Made    time.Time     `json:"made"`
	By      string        `json:"by"` // pseudonym of the account that asked, or operator
}

func wantedOf(w desired.Wanted) wantedSaid {
	return wantedSaid{Gateway: w.Gateway, Version: w.Version, Changes: w.Changes, Note: w.Note, Made: w.Made, By: w.By}
}
