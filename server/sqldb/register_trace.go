package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// publish writes the public rows that a record of the register stands for: what labels are drawn from.
func (r *record) publish(ctx context.Context, rec farm.Record, by ledger.By) error {
	switch rec.Kind {
	case farm.Product:
		return r.publishProduct(ctx, rec, by)
	case farm.Certificate:
		return r.publishCertificate(ctx, rec, by)
	case farm.Household, farm.Cycle, farm.Input, farm.Buyer, farm.Contract, farm.Target, farm.PlaceTable:
	}
	return nil
}

// publishProduct saves the product under its GTIN, or under a number of the co-op's own; then every number it ever had follows its name.
func (r *record) publishProduct(ctx context.Context, rec farm.Record, by ledger.By) error {
	have, err := products(ctx, r, `record = $1`, rec.ID)
	if err != nil {
		return err
	}
	v := rec.Values
	name := farm.Text{VI: v.Text("name"), EN: cmp.Or(v.Text("name_en"), v.Text("name"))}
	gtin := v.Text("gtin")
	if gtin == "" && !slices.ContainsFunc(have, func(p trace.Product) bool { return farm.Internal(p.GTIN) }) {
		var n int
		if err := r.QueryRowContext(ctx, `SELECT COUNT(*) FROM product WHERE gtin LIKE '004%'`).Scan(&n); err != nil {
			return err
		}
		gtin = farm.InternalNumber(n + 1)
	}
	if gtin != "" && !slices.ContainsFunc(have, func(p trace.Product) bool { return p.GTIN == gtin }) {
		if err := r.freeNumber(ctx, gtin); err != nil {
			return err
		}
		have = append(have, trace.Product{GTIN: gtin})
	}
	for _, p := range have {
		p.Name, p.Record = name, rec.ID
		if err := r.saveProduct(ctx, p, by); err != nil {
			return err
		}
	}
	// A product that has got another number is certified under it, too.
	certified, err := records(ctx, r, `kind = $1`, string(farm.Certificate))
	if err != nil {
		return err
	}
	for _, c := range certified {
		if slices.Contains(c.Values.List("products"), rec.ID) {
			if err := r.publishCertificate(ctx, c, by); err != nil {
				return err
			}
		}
	}
	return nil
}

// freeNumber refuses a number under which another product has lots: their labels are out, and would name this one.
func (r *record) freeNumber(ctx context.Context, gtin string) error {
	var n int
	err := r.QueryRowContext(ctx, `SELECT COUNT(*) FROM lot JOIN product p ON p.gtin = lot.gtin WHERE lot.gtin = $1 AND p.record <> ''`, gtin).Scan(&n)
	if err == nil && n > 0 {
		err = &form.InvalidError{Problems: form.Problems{{Key: "gtin", Code: form.Taken, Given: gtin}}}
	}
	return err
}

// publishCertificate saves the certificate for each product and place of its scope, so that labels obey. What was in its scope before and is
// no more covers nothing from now on: the row stays, since the ledger speaks of it.
func (r *record) publishCertificate(ctx context.Context, rec farm.Record, by ledger.By) error {
	v := rec.Values
	demo, err := r.demo(ctx)
	if err != nil {
		return err
	}
	c := trace.Certificate{
		Scheme: farm.SchemeName(v.Text("scheme")), Standard: v.Text("standard"), Number: v.Text("number"), Issuer: v.Text("issuer"),
		From: v.Day("from", farm.Time()), To: v.Day("to", farm.Time()).AddDate(0, 0, 1), Demo: demo,
	}
	if e := v.Text("edition"); e != "" {
		c.Standard += ":" + e
	}
	places := v.List("places")
	if len(places) == 0 {
		places = []string{""}
	}
	gone, err := certificates(ctx, r, `SUBSTR(id, 1, $1) = $2`, len(rec.ID)+1, rec.ID+"/")
	if err != nil {
		return err
	}
	for _, product := range v.List("products") {
		numbers, err := products(ctx, r, `record = $1`, product)
		if err != nil {
			return err
		}
		for _, p := range numbers {
			for _, place := range places {
				c.ID, c.GTIN, c.Place = rec.ID+"/"+p.GTIN+"/"+place, p.GTIN, place
				gone = slices.DeleteFunc(gone, func(o trace.Certificate) bool { return o.ID == c.ID })
				if err := r.saveCertificate(ctx, c, by); err != nil {
					return err
				}
			}
		}
	}
	for _, c := range gone {
		if c.To.Equal(c.From) {
			continue
		}
		c.To = c.From
		if err := r.saveCertificate(ctx, c, by); err != nil {
			return err
		}
	}
	return nil
}

// demo reports whether everything of the co-op is made up.
func (r *record) demo(ctx context.Context) (bool, error) {
	var demo int64
	err := r.QueryRowContext(ctx, `SELECT demo FROM coop`).Scan(&demo)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return demo != 0, err
}

// eraseHousehold takes out of the register what says who a household is, once nobody of it is on record any more. Its code stays: places and
// contracts name it.
func (r *record) eraseHousehold(ctx context.Context, code string, by ledger.By) error {
	if code == "" {
		return nil
	}
	left, err := people(ctx, r, `household = $1 AND erased_ms = 0`, code)
	if err != nil || len(left) > 0 {
		return err
	}
	rows, err := recordRows(ctx, r, `kind = $1 AND erased_ms = 0`, string(farm.Household))
	if err != nil {
		return err
	}
	for _, row := range rows {
		rec, err := row.record()
		if err != nil {
			return err
		}
		if rec.ID != code && rec.Values.Text("code") != code {
			continue
		}
		if err := r.eraseRecord(ctx, row, rec, by); err != nil {
			return err
		}
	}
	return nil
}

func (r *record) eraseRecord(ctx context.Context, row recordRow, rec farm.Record, by ledger.By) error {
	kept := form.Values{"name": rec.Values.Text("code")}
	for _, f := range rec.Kind.Fields() {
		if v, ok := rec.Values[f.Key]; ok && !f.Private && f.Key != "name" && f.Key != "hamlet" {
			kept[f.Key] = v
		}
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	at := millis(by.At)
	row.Values, row.Retired, row.Revision, row.Changed, row.Erased = raw, true, row.Revision+1, at, &at
	_, err = r.ExecContext(ctx, `UPDATE farm_record SET body = $3, retired = 1, revision = $4, changed_ms = $5, erased_ms = $5 WHERE kind = $1 AND id = $2`,
		string(row.Kind), row.ID, string(raw), row.Revision, toMillis(at))
	if err != nil {
		return err
	}
	if err := r.eraseBodies(ctx, ledger.RecordSaved, row.subject()); err != nil {
		return err
	}
	if err := bump(ctx, r, "register"); err != nil {
		return err
	}
	return r.say(ctx, ledger.RecordSaved, row.subject(), row, by)
}
