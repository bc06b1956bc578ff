package sqldb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// LedgerRows returns what the tables say now of everything public that the ledger speaks of, in the form of its bodies: whoever compares
// each with the newest leaf of its kind and subject finds a row that was changed behind the ledger's back.
func (d *DB) LedgerRows(ctx context.Context) ([]ledger.Row, error) {
	var out []ledger.Row
	add := func(kind ledger.Kind, subject string, body any) error {
		raw, err := json.Marshal(body)
		out = append(out, ledger.Row{Kind: kind, Subject: subject, Body: raw})
		return err
	}
	f, err := d.Farm(ctx)
	if err != nil {
		return nil, err
	}
	if f.Coop.Name.VI != "" || len(f.Places) > 0 || len(f.Zones) > 0 { // somebody has said something of it
		if err := add(ledger.FarmSaved, "farm", f); err != nil {
			return nil, fmt.Errorf("sqldb: rows: %w", err)
		}
	}
	products, err := d.Products(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range products {
		if err := add(ledger.ProductSaved, p.GTIN, p); err != nil {
			return nil, fmt.Errorf("sqldb: rows: %w", err)
		}
	}
	lots, err := d.Lots(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range lots {
		if err := add(ledger.LotSaved, l.Link().Path(), l); err != nil {
			return nil, fmt.Errorf("sqldb: rows: %w", err)
		}
	}
	all, err := certificates(ctx, d.read, `1 = 1`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: rows: %w", err)
	}
	for _, c := range all {
		if err := add(ledger.CertificateSaved, c.ID, c); err != nil {
			return nil, fmt.Errorf("sqldb: rows: %w", err)
		}
	}
	if err := d.gatewayRows(ctx, add); err != nil {
		return nil, fmt.Errorf("sqldb: rows: %w", err)
	}
	if err := d.printRows(ctx, add); err != nil {
		return nil, fmt.Errorf("sqldb: rows: %w", err)
	}
	return out, nil
}

// AccountRows returns what the tables say now of every account, for an audit where they lie: `shown` as in the ledger's bodies, and the id of
// the card in service (empty: none; all of them, if there is more than the one there can be).
func (d *DB) AccountRows(ctx context.Context) ([]ledger.Row, error) {
	all, err := accountsOf(ctx, d.read, everyAccount)
	if err != nil {
		return nil, fmt.Errorf("sqldb: account rows: %w", err)
	}
	list, err := d.Cards(ctx)
	if err != nil {
		return nil, err
	}
	in := map[string][]string{}
	for _, c := range list {
		if c.Revoked.IsZero() {
			in[c.Account] = append(in[c.Account], c.ID)
		}
	}
	var out []ledger.Row
	for _, a := range all {
		raw, err := json.Marshal(struct {
			Shown *accountShown `json:"shown"`
			Card  string        `json:"card"`
		}{shownOf(a), strings.Join(in[a.ID], " ")})
		if err != nil {
			return nil, fmt.Errorf("sqldb: account rows: %w", err)
		}
		out = append(out, ledger.Row{Kind: ledger.AccountChanged, Subject: a.ID, Body: raw})
	}
	return out, nil
}

// Products returns every product that lots may be of.
func (d *DB) Products(ctx context.Context) ([]trace.Product, error) {
	out, err := products(ctx, d.read, `1 = 1`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: products: %w", err)
	}
	return out, nil
}

func products(ctx context.Context, q querier, where string, args ...any) (out []trace.Product, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var p trace.Product
		err := scan(&p.GTIN, &p.Name.VI, &p.Name.EN, &p.Record)
		out = append(out, p)
		return err
	}, `SELECT gtin, name_vi, name_en, record FROM product WHERE `+where+` ORDER BY gtin`, args...)
	return out, err
}
