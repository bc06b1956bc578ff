package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// shelf reads goods on one transaction. It implements flow.Shelf.
type shelf struct {
	q interface {
		querier
		rower
	}
}

// Lot implements flow.Lots.
func (s *shelf) Lot(ctx context.Context, l trace.Link) (flow.LotNow, error) {
	list, err := standings(ctx, s.q, `gtin = $1 AND code = $2`, l.GTIN, l.Lot)
	if err == nil && len(list) == 0 {
		err = trace.ErrUnknown
	}
	if err != nil {
		return flow.LotNow{}, fmt.Errorf("lot %s: %w", l.Lot, err)
	}
	now := flow.LotNow{Lot: list[0].Lot, Gated: list[0].Hold.Open()}
	if list[0].Hold != nil {
		now.Held = list[0].Hold.Held
	}
	return now, nil
}

// Codes implements flow.Lots.
func (s *shelf) Codes(ctx context.Context, prefix string) ([]string, error) {
	return codes(ctx, s.q, prefix)
}

// Uses implements flow.Lots.
func (s *shelf) Uses(ctx context.Context, code string) ([]flow.Use, error) {
	like, err := mention(code)
	if err != nil {
		return nil, err
	}
	rows, err := entryRows(ctx, s.q, `e.root IN (SELECT root FROM diary_event WHERE kind IN ($1, $2) AND body LIKE $3 ESCAPE '!')`, diary.Sale, diary.Batch, like)
	if err != nil {
		return nil, fmt.Errorf("what the diary tells of lot %s: %w", code, err)
	}
	events := make([]diary.Event, 0, len(rows))
	for _, row := range rows {
		e, err := row.event()
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return flow.UsesOf(code, diary.Entries(events)), nil
}

// Grown implements flow.Lots.
func (s *shelf) Grown(ctx context.Context, l trace.Lot) (g flow.Grown, err error) {
	g.SeasonKG = l.KG
	if l.Cycle != "" {
		if err := s.q.QueryRowContext(ctx, `SELECT COALESCE(SUM(kg), 0) FROM lot WHERE cycle = $1 AND state <> $2`, l.Cycle, string(trace.Void)).Scan(&g.SeasonKG); err != nil {
			return g, err
		}
	}
	for _, root := range l.Harvests {
		rows, err := entryRows(ctx, s.q, `e.root = $1`, root)
		if err != nil {
			return g, err
		}
		events := make([]diary.Event, 0, len(rows))
		for _, row := range rows {
			e, err := row.event()
			if err != nil {
				return g, err
			}
			events = append(events, e)
		}
		for _, e := range diary.Entries(events) {
			if kg, ok := e.Values.Number("in_kg"); ok && e.Kind == diary.Batch && !e.Voided {
				g.Batch = true
				g.BatchKG += kg
				named, err := s.called(ctx, e.Values.List("inputs"))
				if err != nil {
					return g, err
				}
				g.Inputs = append(g.Inputs, named...)
			}
		}
	}
	return g, nil
}

// called returns the lots of some codes.
func (s *shelf) called(ctx context.Context, codes []string) (out []trace.Link, err error) {
	for _, code := range codes {
		err := each(ctx, s.q, func(scan func(...any) error) error {
			var l trace.Link
			err := scan(&l.GTIN, &l.Lot)
			out = append(out, l)
			return err
		}, `SELECT gtin, code FROM lot WHERE code = $1 ORDER BY gtin`, code)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Counts implements flow.Lots.
func (s *shelf) Counts(ctx context.Context, l trace.Link) (items map[trace.ItemState]int, boxedKG float64, err error) {
	items = map[trace.ItemState]int{}
	err = each(ctx, s.q, func(scan func(...any) error) error {
		var state string
		var n int
		err := scan(&state, &n)
		items[trace.ItemState(state)] = n
		return err
	}, `SELECT state, COUNT(*) FROM item WHERE gtin = $1 AND lot = $2 GROUP BY state`, l.GTIN, l.Lot)
	if err != nil {
		return nil, 0, err
	}
	err = s.q.QueryRowContext(ctx, `SELECT COALESCE(SUM(b.kg), 0) FROM box_lot b JOIN box x ON x.sscc = b.sscc WHERE b.gtin = $1 AND b.lot = $2 AND x.state = $3`,
		l.GTIN, l.Lot, string(trace.ItemActivated)).Scan(&boxedKG)
	return items, boxedKG, err
}

// Items implements flow.Stock.
func (s *shelf) Items(ctx context.Context, serials []string) (out []trace.Item, err error) {
	for some := range slices.Chunk(serials, 500) {
		args := make([]any, len(some))
		marks := make([]string, len(some))
		for i, serial := range some {
			args[i], marks[i] = serial, fmt.Sprintf("$%d", i+1)
		}
		list, err := items(ctx, s.q, `serial IN (`+strings.Join(marks, ", ")+`) ORDER BY run, n`, args...)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// Run implements flow.Stock.
func (s *shelf) Run(ctx context.Context, run string) ([]trace.Item, error) {
	return items(ctx, s.q, `run = $1 ORDER BY n`, run)
}

// Free implements flow.Stock.
func (s *shelf) Free(ctx context.Context, l trace.Link, n int) ([]trace.Item, error) {
	return items(ctx, s.q, `gtin = $1 AND lot = $2 AND state = $3 AND box = '' ORDER BY run, n LIMIT $4`, l.GTIN, l.Lot, string(trace.ItemActivated), n)
}

// Inside implements flow.Stock.
func (s *shelf) Inside(ctx context.Context, sscc string) (all []trace.Box, packed []trace.Item, err error) {
	if all, err = boxes(ctx, s.q, `sscc = $1`, sscc); err != nil {
		return nil, nil, err
	}
	for i := 0; i < len(all); i++ {
		kids, err := boxes(ctx, s.q, `parent = $1 AND parent <> ''`, all[i].SSCC)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, kids...)
		list, err := items(ctx, s.q, `box = $1 AND box <> '' ORDER BY run, n`, all[i].SSCC)
		if err != nil {
			return nil, nil, err
		}
		packed = append(packed, list...)
	}
	return all, packed, nil
}

// LastBox implements flow.Stock.
func (s *shelf) LastBox(ctx context.Context, prefix string) (last string, err error) {
	err = s.q.QueryRowContext(ctx, `SELECT COALESCE(MAX(sscc), '') FROM box WHERE sscc >= $1 AND sscc <= $2`, prefix, prefix+strings.Repeat("9", 18-len(prefix))).Scan(&last)
	return last, err
}

// Event implements flow.Journal.
func (s *shelf) Event(ctx context.Context, id string) (trace.Goods, bool, error) {
	list, err := goodsWhere(ctx, s.q, `id = $1`, id)
	if err != nil || len(list) == 0 {
		return trace.Goods{}, false, err
	}
	return list[0], true, nil
}

// GoodsOf implements flow.Journal.
func (s *shelf) GoodsOf(ctx context.Context, of trace.Ref) ([]trace.Goods, error) {
	return goodsOf(ctx, s.q, of)
}

// Suspects implements flow.Journal.
func (s *shelf) Suspects(ctx context.Context) (out []trace.Ref, err error) {
	add := func(scan func(...any) error) error {
		var l trace.Link
		err := scan(&l.GTIN, &l.Lot)
		out = append(out, l.Ref())
		return err
	}
	states := []any{string(trace.Released), string(trace.Shipped), string(trace.Held), string(trace.Recalled), string(trace.Void)}
	// What came out of a Transform that a lot went into which may not be sold.
	err = each(ctx, s.q, add, `SELECT DISTINCT l.gtin, l.code FROM lot u
		JOIN goods_ref a ON a.ref = 'lot:' || u.gtin || '/' || u.code JOIN goods_event e ON e.id = a.event AND e.kind = $6
		JOIN goods_ref b ON b.event = a.event JOIN lot l ON b.ref = 'lot:' || l.gtin || '/' || l.code
		WHERE u.state IN ($3, $4, $5) AND l.state IN ($1, $2)`, append(states, string(trace.Transform))...)
	if err != nil {
		return nil, err
	}
	// What is of a batch of the diary that names the code of one.
	return out, each(ctx, s.q, add, `SELECT DISTINCT l.gtin, l.code FROM lot l JOIN lot_harvest h ON h.gtin = l.gtin AND h.lot = l.code
		JOIN diary_event e ON e.root = h.event AND e.kind = $6 JOIN lot u ON u.state IN ($3, $4, $5) AND e.body LIKE '%"' || u.code || '"%'
		WHERE l.state IN ($1, $2)`, append(states, diary.Batch)...)
}

// Latest implements flow.Journal.
func (s *shelf) Latest(ctx context.Context) (time.Time, error) {
	var ms int64
	err := s.q.QueryRowContext(ctx, `SELECT COALESCE(MAX(made_ms), 0) FROM goods_event`).Scan(&ms)
	return fromMillis(ms), err
}
