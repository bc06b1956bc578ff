package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"aovuon/server/trace"
)

// Shortened returns the lots whose short code (trace.Link.Short) is code: one, none, or seldom two. The table is an index alone: what it says
// is drawn again from the lot.
func (d *DB) Shortened(ctx context.Context, code string) ([]trace.Link, error) {
	var out []trace.Link
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var l trace.Link
		err := scan(&l.GTIN, &l.Lot)
		out = append(out, l)
		return err
	}, `SELECT gtin, lot FROM lot_short WHERE code = $1 ORDER BY gtin, lot`, code)
	if err != nil {
		return nil, fmt.Errorf("sqldb: short code %s: %w", code, err)
	}
	return slices.DeleteFunc(out, func(l trace.Link) bool {
		short, err := l.Short()
		return err != nil || short != code
	}), nil
}

// shorten enters the short code of a lot.
func shorten(ctx context.Context, x execer, l trace.Link) error {
	short, err := l.Short()
	if err != nil {
		return err
	}
	_, err = x.ExecContext(ctx, `INSERT INTO lot_short (code, gtin, lot) VALUES ($1, $2, $3) ON CONFLICT (code, gtin, lot) DO NOTHING`, short, l.GTIN, l.Lot)
	return err
}

// shortenOld gives a short code to lots of a time before there were any: SQL cannot reckon them.
func (d *DB) shortenOld(ctx context.Context) error {
	old := func(q querier) (out []trace.Link, err error) {
		err = each(ctx, q, func(scan func(...any) error) error {
			var l trace.Link
			err := scan(&l.GTIN, &l.Lot)
			out = append(out, l)
			return err
		}, `SELECT gtin, code FROM lot WHERE NOT EXISTS (SELECT 1 FROM lot_short s WHERE s.gtin = lot.gtin AND s.lot = lot.code)`)
		return out, err
	}
	some, err := old(d.read)
	if err != nil || len(some) == 0 {
		return err
	}
	return d.update(ctx, "short codes", func(tx *sql.Tx) error {
		links, err := old(tx)
		if err != nil {
			return err
		}
		for _, l := range links {
			if err := shorten(ctx, tx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// formerly returns the lot that a label names which was printed under another number of the same product: a number that was corrected keeps
// its labels alive, and a lot stays under the number it was opened with. What two lots could be is none.
func formerly(ctx context.Context, q querier, l trace.Link) ([]trace.Lot, error) {
	lots, err := lotsWhere(ctx, q, `code = $2 AND gtin IN (SELECT other.gtin FROM product this JOIN product other ON other.record = this.record
		WHERE this.gtin = $1 AND this.record <> '')`, l.GTIN, l.Lot)
	if len(lots) != 1 {
		return nil, err
	}
	return lots, err
}

// Coded returns the lots of a code, whatever their product.
func (d *DB) Coded(ctx context.Context, code string) ([]trace.Link, error) {
	lots, err := lotsWhere(ctx, d.read, `code = $1`, code)
	if err != nil {
		return nil, fmt.Errorf("sqldb: lots of code %s: %w", code, err)
	}
	var out []trace.Link
	for _, l := range lots {
		out = append(out, l.Link())
	}
	return out, nil
}
