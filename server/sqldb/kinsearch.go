package sqldb

import (
	"context"
	"fmt"

	"aovuon/server/trace"
	"aovuon/server/trace/recall"
)

// Supplies implements recall.Store: what was bought in and used, the one used last first.
func (d *DB) Supplies(ctx context.Context) (out []recall.Supply, err error) {
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var from string
		var last int64
		var s recall.Supply
		if err := scan(&from, &last, &s.Uses); err != nil {
			return err
		}
		ref, err := trace.ParseRef(from)
		s.Ref, s.Last = ref, fromMillis(last)
		out = append(out, s)
		return err
	}, `SELECT from_ref, MAX(at_ms), COUNT(*) FROM trace_edge WHERE from_ref LIKE 'supply:%' AND to_ref NOT LIKE 'supply:%' GROUP BY from_ref ORDER BY MAX(at_ms) DESC, from_ref`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: supplies: %w", err)
	}
	return out, nil
}

// ItemsOf implements recall.Store: every serial of some lots.
func (d *DB) ItemsOf(ctx context.Context, links []trace.Link) (out []trace.Item, err error) {
	for _, l := range links {
		more, err := items(ctx, d.read, `gtin = $1 AND lot = $2 ORDER BY run, n`, l.GTIN, l.Lot)
		if err != nil {
			return nil, fmt.Errorf("sqldb: items of lot %s: %w", l.Lot, err)
		}
		out = append(out, more...)
	}
	return out, nil
}
