package sqldb

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aovuon/server/trace"
	"aovuon/server/trace/recall"
)

// LotsAt implements recall.Store.
func (d *DB) LotsAt(ctx context.Context, place string, from, to time.Time) ([]trace.Link, error) {
	return d.links(ctx, `SELECT l.gtin, l.code FROM lot l JOIN lot_place p ON p.gtin = l.gtin AND p.lot = l.code
		WHERE p.place = $1 AND l.stocked_ms <= $2 AND (l.harvested_ms >= $3 OR l.harvested_ms = 0) ORDER BY l.gtin, l.code`, place, toMillis(to), toMillis(from))
}

// LotsUnder implements recall.Store.
func (d *DB) LotsUnder(ctx context.Context, certificate string) ([]trace.Link, error) {
	certs, err := certificates(ctx, d.read, `id = $1`, certificate)
	if err != nil {
		return nil, fmt.Errorf("sqldb: lots under a certificate: %w", err)
	}
	var out []trace.Link
	for _, c := range certs {
		lots, err := lotsWhere(ctx, d.read, `gtin = $1 AND harvested_ms >= $2 AND harvested_ms < $3`, c.GTIN, toMillis(c.From), toMillis(c.To))
		if err != nil {
			return nil, fmt.Errorf("sqldb: lots under a certificate: %w", err)
		}
		for _, l := range lots {
			if len(trace.CertificatesOf(l, certs)) > 0 {
				out = append(out, l.Link())
			}
		}
	}
	return out, nil
}

func (d *DB) links(ctx context.Context, query string, args ...any) (out []trace.Link, err error) {
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var l trace.Link
		err := scan(&l.GTIN, &l.Lot)
		out = append(out, l)
		return err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("sqldb: lots: %w", err)
	}
	return out, nil
}

// LotsNow implements recall.Store.
func (d *DB) LotsNow(ctx context.Context, links []trace.Link) ([]recall.Lot, error) {
	var out []recall.Lot
	for len(links) > 0 {
		n := min(askedAtOnce, len(links))
		pairs, args := pairsOf(links[:n])
		links = links[n:]
		more, err := d.lotsNow(ctx, pairs, args)
		if err != nil {
			return nil, fmt.Errorf("sqldb: lots: %w", err)
		}
		out = append(out, more...)
	}
	return out, nil
}

// pairsOf writes links as a list of rows for `(gtin, code) IN`.
func pairsOf(links []trace.Link) (pairs string, args []any) {
	marks := make([]string, len(links))
	for i, l := range links {
		marks[i] = "($" + strconv.Itoa(2*i+1) + ", $" + strconv.Itoa(2*i+2) + ")"
		args = append(args, l.GTIN, l.Lot)
	}
	return "(VALUES " + strings.Join(marks, ", ") + ")", args
}

func (d *DB) lotsNow(ctx context.Context, pairs string, args []any) (out []recall.Lot, err error) {
	at := map[trace.Link]int{}
	err = each(ctx, d.read, func(scan func(...any) error) error {
		l := recall.Lot{Items: map[trace.ItemState]int{}}
		var harvested int64
		err := scan(&l.Link.GTIN, &l.Link.Lot, &l.KG, &l.State, &harvested)
		l.Harvested = fromMillis(harvested)
		at[l.Link] = len(out)
		out = append(out, l)
		return err
	}, `SELECT gtin, code, kg, state, harvested_ms FROM lot WHERE (gtin, code) IN `+pairs+` ORDER BY gtin, code`, args...)
	if err != nil {
		return nil, err
	}
	return out, each(ctx, d.read, func(scan func(...any) error) error {
		var l trace.Link
		var state trace.ItemState
		var n int
		err := scan(&l.GTIN, &l.Lot, &state, &n)
		if i, ok := at[l]; ok {
			out[i].Items[state] = n
		}
		return err
	}, `SELECT gtin, lot, state, COUNT(*) FROM item WHERE (gtin, lot) IN `+pairs+` GROUP BY gtin, lot, state`, args...)
}
