package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"aovuon/server/trace"
)

// Goods returns the events of goods that were done from a time to before another, the oldest first; a zero time is open.
func (d *DB) Goods(ctx context.Context, from, to time.Time) ([]trace.Goods, error) {
	end := int64(math.MaxInt64)
	if !to.IsZero() {
		end = toMillis(to)
	}
	out, err := goodsWhere(ctx, d.read, `at_ms >= $1 AND at_ms < $2`, toMillis(from), end)
	if err != nil {
		return nil, fmt.Errorf("sqldb: goods: %w", err)
	}
	return out, nil
}

// GoodsOf returns the events that name a thing, in the order they were kept, Amends along. Of an item also those of its run.
func (d *DB) GoodsOf(ctx context.Context, of trace.Ref) ([]trace.Goods, error) {
	out, err := goodsOf(ctx, d.read, of)
	if err != nil {
		return nil, fmt.Errorf("sqldb: goods of %s: %w", of, err)
	}
	return out, nil
}

// GoodsEvent returns one event of goods; ok is false where there is none.
func (d *DB) GoodsEvent(ctx context.Context, id string) (g trace.Goods, ok bool, err error) {
	list, err := goodsWhere(ctx, d.read, `id = $1`, id)
	if err != nil || len(list) == 0 {
		return g, false, wrapGoods(id, err)
	}
	return list[0], true, nil
}

// GoodsStops changes whenever lots were held, let go or recalled by goods events: what was made of them is to be judged again.
func (d *DB) GoodsStops(ctx context.Context) (string, error) {
	var at int64
	err := d.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(made_ms), 0) FROM goods_event WHERE kind IN ($1, $2, $3, $4, $5)`,
		string(trace.Hold), string(trace.LetGo), string(trace.Recall), string(trace.EndRecall), string(trace.Amend)).Scan(&at)
	if err != nil {
		return "", fmt.Errorf("sqldb: goods: %w", err)
	}
	return strconv.FormatInt(at, 10), nil
}

func wrapGoods(id string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqldb: goods event %s: %w", id, err)
}

// Item returns the item of a serial, with what a shop or staff said of its sale; ok is false where nobody issued it.
func (d *DB) Item(ctx context.Context, serial string) (i trace.Item, ok bool, err error) {
	list, err := items(ctx, d.read, `serial = $1`, serial)
	if err != nil || len(list) == 0 {
		if err != nil {
			err = fmt.Errorf("sqldb: item: %w", err)
		}
		return i, false, err
	}
	i = list[0]
	sale, said, err := d.Sale(ctx, serial)
	if said && stillSold(i.State, i.Changed, sale.At) {
		i.State, i.Changed = trace.ItemSold, sale.At
	}
	return i, err == nil, err
}

// Items returns the items of a Pack, in their order.
func (d *DB) Items(ctx context.Context, run string) ([]trace.Item, error) {
	out, err := items(ctx, d.read, `run = $1 ORDER BY n`, run)
	if err != nil {
		return nil, fmt.Errorf("sqldb: items of %s: %w", run, err)
	}
	return out, nil
}

// ItemCounts returns how many serials of a lot there are by state.
func (d *DB) ItemCounts(ctx context.Context, l trace.Link) (map[trace.ItemState]int, error) {
	out := map[trace.ItemState]int{}
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var state string
		var n int
		err := scan(&state, &n)
		out[trace.ItemState(state)] = n
		return err
	}, `SELECT state, COUNT(*) FROM item WHERE gtin = $1 AND lot = $2 GROUP BY state`, l.GTIN, l.Lot)
	if err != nil {
		return nil, fmt.Errorf("sqldb: items of lot %s: %w", l.Lot, err)
	}
	return out, nil
}

// Box returns a box with all that is in it itself: items by lot, loose goods, boxes. ok is false where there is none.
func (d *DB) Box(ctx context.Context, sscc string) (b trace.Box, ok bool, err error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return b, false, fmt.Errorf("sqldb: box: %w", err)
	}
	b, ok, err = fullBox(ctx, tx, sscc)
	if err := closing(tx, err); err != nil {
		return b, false, fmt.Errorf("sqldb: box: %w", err)
	}
	return b, ok, nil
}

// Boxes returns every box without what is in it but loose goods, the youngest first; at most so many, of all where most is 0.
func (d *DB) Boxes(ctx context.Context, most int) ([]trace.Box, error) {
	where := `1 = 1 ORDER BY filled_ms DESC, sscc DESC`
	if most > 0 {
		where += fmt.Sprintf(` LIMIT %d`, most)
	}
	out, err := boxes(ctx, d.read, where)
	if err != nil {
		return nil, fmt.Errorf("sqldb: boxes: %w", err)
	}
	return out, nil
}

// mostBoxes bounds how many boxes of a lot are listed, the youngest.
const mostBoxes = 500

// BoxesOf returns the boxes that hold something of a lot, with all that is in each, the youngest first; at most 500.
func (d *DB) BoxesOf(ctx context.Context, l trace.Link) ([]trace.Box, error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return nil, fmt.Errorf("sqldb: boxes: %w", err)
	}
	list, err := boxes(ctx, tx, fmt.Sprintf(`sscc IN (SELECT box FROM item WHERE gtin = $1 AND lot = $2 AND box <> '' UNION SELECT sscc FROM box_lot WHERE gtin = $1 AND lot = $2)
		ORDER BY filled_ms DESC, sscc DESC LIMIT %d`, mostBoxes), l.GTIN, l.Lot)
	for i := range list {
		if err != nil {
			break
		}
		list[i], _, err = fullBox(ctx, tx, list[i].SSCC)
	}
	if err := closing(tx, err); err != nil {
		return nil, fmt.Errorf("sqldb: boxes of lot %s: %w", l.Lot, err)
	}
	return list, nil
}

// Lot returns one lot. The error wraps trace.ErrUnknown.
func (d *DB) Lot(ctx context.Context, l trace.Link) (trace.Lot, error) {
	list, err := lotsWhere(ctx, d.read, `gtin = $1 AND code = $2`, l.GTIN, l.Lot)
	if err == nil && len(list) == 0 {
		err = trace.ErrUnknown
	}
	if err != nil {
		return trace.Lot{}, fmt.Errorf("sqldb: lot %s: %w", l.Lot, err)
	}
	return list[0], nil
}

func fullBox(ctx context.Context, tx *sql.Tx, sscc string) (b trace.Box, ok bool, err error) {
	found, err := boxes(ctx, tx, `sscc = $1`, sscc)
	if err != nil || len(found) == 0 {
		return b, false, err
	}
	b = found[0]
	list, err := items(ctx, tx, `box = $1 AND box <> '' ORDER BY gtin, lot, run, n`, sscc)
	if err != nil {
		return b, false, err
	}
	for _, i := range list {
		if n := len(b.Parts); n == 0 || b.Parts[n-1].Ref != i.Link().Ref() || len(b.Parts[n-1].Items) == 0 {
			b.Parts = append(b.Parts, trace.Part{Ref: i.Link().Ref()})
		}
		p := &b.Parts[len(b.Parts)-1]
		p.Items = append(p.Items, i.Serial)
		p.Count++
	}
	kids, err := boxes(ctx, tx, `parent = $1 AND parent <> '' ORDER BY sscc`, sscc)
	for _, kid := range kids {
		b.Parts = append(b.Parts, trace.Part{Ref: trace.Ref{Kind: trace.RefBox, ID: kid.SSCC}})
	}
	return b, true, err
}

// goodsRows reads rows of a condition on `goods_event`, in the order they were kept.
func goodsRows(ctx context.Context, q querier, where string, args ...any) (out []goodsRow, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var w goodsRow
		var at, made, erased int64
		var body string
		err := scan(&w.ID, &w.Kind, &at, &made, &erased, &body)
		w.At, w.Made, w.Erased, w.Body = fromMillis(at), fromMillis(made), millisPointer(erased), json.RawMessage(body)
		out = append(out, w)
		return err
	}, `SELECT id, kind, at_ms, made_ms, erased_ms, body FROM goods_event WHERE `+where+` ORDER BY made_ms`, args...)
	return out, err
}

func goodsWhere(ctx context.Context, q querier, where string, args ...any) ([]trace.Goods, error) {
	rows, err := goodsRows(ctx, q, where, args...)
	if err != nil {
		return nil, err
	}
	out := make([]trace.Goods, 0, len(rows))
	for _, w := range rows {
		g, err := w.goods()
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

// goodsOf returns the events that name a thing; of an item also what made it, and what took that back.
func goodsOf(ctx context.Context, q querier, of trace.Ref) ([]trace.Goods, error) {
	where := `id IN (SELECT event FROM goods_ref WHERE ref = $1)`
	if of.Kind == trace.RefItem {
		where += ` OR id IN (SELECT run FROM item WHERE serial = $2)`
		return goodsWhere(ctx, q, where, of.String(), of.ID)
	}
	return goodsWhere(ctx, q, where, of.String())
}

func items(ctx context.Context, q querier, where string, args ...any) (out []trace.Item, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var i trace.Item
		var best, at int64
		err := scan(&i.Serial, &i.GTIN, &i.Lot, &i.Run, &i.N, &i.NetG, &best, &i.State, &i.Box, &at)
		i.Best, i.Changed = fromMillis(best), fromMillis(at)
		out = append(out, i)
		return err
	}, `SELECT serial, gtin, lot, run, n, net_g, best_ms, state, box, changed_ms FROM item WHERE `+where, args...)
	return out, err
}

// boxes reads boxes with what lies loose in them.
func boxes(ctx context.Context, q querier, where string, args ...any) (out []trace.Box, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var b trace.Box
		var filled int64
		err := scan(&b.SSCC, &b.Event, &b.In, &b.State, &filled)
		b.Filled = fromMillis(filled)
		out = append(out, b)
		return err
	}, `SELECT sscc, event, parent, state, filled_ms FROM box WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		err := each(ctx, q, func(scan func(...any) error) error {
			var l trace.Link
			var p trace.Part
			err := scan(&l.GTIN, &l.Lot, &p.KG)
			p.Ref = l.Ref()
			out[i].Parts = append(out[i].Parts, p)
			return err
		}, `SELECT gtin, lot, kg FROM box_lot WHERE sscc = $1 ORDER BY gtin, lot`, out[i].SSCC)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
