package sqldb

import (
	"context"
	"fmt"
	"slices"

	"aovuon/server/trace"
	"aovuon/server/trace/recall"
)

// Supplies implements recall.Store: what was bought in and used, the one used last first. It leaps from one to the next in the index, and does not
// read how often each was used.
func (d *DB) Supplies(ctx context.Context) (out []recall.Supply, err error) {
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var from string
		var last int64
		if err := scan(&from, &last); err != nil {
			return err
		}
		ref, err := trace.ParseRef(from)
		out = append(out, recall.Supply{Ref: ref, Last: fromMillis(last)})
		return err
	}, `WITH RECURSIVE s(r) AS (
			SELECT MIN(from_ref) FROM trace_edge WHERE from_ref > 'supply:'
			UNION ALL SELECT (SELECT MIN(e.from_ref) FROM trace_edge e WHERE e.from_ref > s.r) FROM s WHERE s.r LIKE 'supply:%')
		SELECT s.r, (SELECT MAX(e.at_ms) FROM trace_edge e WHERE e.from_ref = s.r) AS last_ms FROM s WHERE s.r LIKE 'supply:%' ORDER BY last_ms DESC, s.r`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: supplies: %w", err)
	}
	return out, nil
}

// ItemsOf implements recall.Store: every serial of some lots.
func (d *DB) ItemsOf(ctx context.Context, links []trace.Link) (out []trace.Item, err error) {
	for some := range slices.Chunk(links, askedAtOnce) {
		pairs, args := pairsOf(some)
		more, err := items(ctx, d.read, `(gtin, lot) IN `+pairs+` ORDER BY gtin, lot, run, n`, args...)
		if err != nil {
			return nil, fmt.Errorf("sqldb: items of lots: %w", err)
		}
		out = append(out, more...)
	}
	return out, nil
}
