package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aovuon/server/diary"
	"aovuon/server/trace"
	"aovuon/server/trace/kin"
)

// drawEntry draws the edges of an entry of the diary anew. It is called in the transaction that wrote an event of it, or a lot that it means.
func (r *record) drawEntry(ctx context.Context, root string) error {
	found, err := entryEdges(ctx, r, askedLots{r}, []string{root})
	if err != nil {
		return err
	}
	return r.saveEdges(ctx, root, found[root])
}

// drawEvent draws the edges of the entry that an event is of.
func (r *record) drawEvent(ctx context.Context, id string) error {
	var root string
	if err := r.QueryRowContext(ctx, `SELECT root FROM diary_event WHERE id = $1`, id).Scan(&root); err != nil {
		return err
	}
	return r.drawEntry(ctx, root)
}

// drawGoods draws the edges of an event of goods, and takes those away that it takes back.
func (r *record) drawGoods(ctx context.Context, g trace.Goods) error {
	if g.Kind == trace.Amend {
		return r.saveEdges(ctx, g.Voids, nil)
	}
	return r.saveEdges(ctx, g.ID, kin.OfGoods(g))
}

// redrawGoods draws the edges of an event of goods that says something else now, unless it was taken back.
func (r *record) redrawGoods(ctx context.Context, g trace.Goods) error {
	var gone int64
	err := r.QueryRowContext(ctx, `SELECT COUNT(*) FROM goods_event WHERE kind = $1 AND body LIKE $2`, string(trace.Amend), `%"voids":"`+g.ID+`"%`).Scan(&gone)
	if err != nil || gone > 0 || g.Kind == trace.Amend {
		return err
	}
	return r.drawGoods(ctx, g)
}

// drawLot draws the entries of the diary anew that a lot is made of, or was; of a new one also those that name its code, which may have been
// written before there was the lot.
func (r *record) drawLot(ctx context.Context, code string, added bool, was, is []string) error {
	roots := slices.Concat(was, is)
	if !added && slices.Equal(was, is) {
		return nil
	}
	if added {
		named, err := texts(ctx, r, `SELECT DISTINCT root FROM diary_event WHERE kind IN ($1, $2) AND body LIKE $3`, diary.Batch, diary.Sale, "%"+likeText(code)+"%")
		if err != nil {
			return err
		}
		roots = append(roots, named...)
	}
	slices.Sort(roots)
	for _, root := range slices.Compact(roots) {
		if err := r.drawEntry(ctx, root); err != nil {
			return err
		}
	}
	return nil
}

// likeText takes the signs that LIKE or JSON know out of a code: what is found too much is drawn again, which changes nothing.
func likeText(code string) string {
	return strings.NewReplacer("%", "_", `\`, "%", `"`, "%", "&", "%", "<", "%", ">", "%").Replace(code)
}

func texts(ctx context.Context, q querier, query string, args ...any) (out []string, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		out = append(out, s)
		return err
	}, query, args...)
	return out, err
}

// saveEdges replaces the edges of a source.
func (r *record) saveEdges(ctx context.Context, source string, edges []kin.Edge) error {
	if _, err := r.tx.ExecContext(ctx, `DELETE FROM trace_edge WHERE source = $1`, source); err != nil {
		return err
	}
	for i, e := range edges {
		_, err := r.tx.ExecContext(ctx, `INSERT INTO trace_edge (source, ordinal, from_ref, to_ref, at_ms, kept_ms, kg, items, back, document) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			source, i, e.From.String(), e.To.String(), toMillis(e.At), toMillis(e.Kept), e.KG, e.Count, flag(e.Back), e.Document)
		if err != nil {
			return err
		}
	}
	return nil
}

// namedLots says which lots entries of the diary mean.
type namedLots interface {
	own(ctx context.Context, root string) ([]trace.Ref, error)
	coded(ctx context.Context, code string) ([]trace.Ref, error)
}

// askedLots asks for each.
type askedLots struct{ q querier }

func (l askedLots) own(ctx context.Context, root string) ([]trace.Ref, error) {
	return lotRefs(ctx, l.q, `SELECT gtin, lot FROM lot_harvest WHERE event = $1 ORDER BY gtin, lot`, root)
}

func (l askedLots) coded(ctx context.Context, code string) ([]trace.Ref, error) {
	return lotRefs(ctx, l.q, `SELECT gtin, code FROM lot WHERE code = $1 ORDER BY gtin`, code)
}

func lotRefs(ctx context.Context, q querier, query string, args ...any) (out []trace.Ref, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var l trace.Link
		err := scan(&l.GTIN, &l.Lot)
		out = append(out, l.Ref())
		return err
	}, query, args...)
	return out, err
}

// entryEdges works the edges of entries out, by root.
func entryEdges(ctx context.Context, q querier, lots namedLots, roots []string) (map[string][]kin.Edge, error) {
	marks, args := marksOf(roots)
	rows, err := entryRows(ctx, q, `e.root IN (`+marks+`)`, args...)
	if err != nil {
		return nil, err
	}
	var list []diary.Event
	for _, row := range rows {
		e, err := row.event()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	out := map[string][]kin.Edge{}
	for _, e := range diary.Entries(list) {
		var errs []error
		known := kin.Lots{Coded: func(code string) []trace.Ref {
			found, err := lots.coded(ctx, code)
			errs = append(errs, err)
			return found
		}}
		known.Own, err = lots.own(ctx, e.First.ID)
		if err := errors.Join(err, errors.Join(errs...)); err != nil {
			return nil, err
		}
		out[e.First.ID] = kin.OfEntry(e, known)
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// edgesVersion is the version of the rules by which edges are drawn: a server that finds others draws all of them anew.
const (
	edgesVersion = "2"
	edgesDrawn   = "edges_drawn"
)

// DrawEdges draws all edges anew, where they were not drawn by the rules of this program. A server calls it before it takes anything in.
func (d *DB) DrawEdges(ctx context.Context) (drawn bool, err error) {
	if done, err := d.Meta(ctx, edgesDrawn); err != nil || done == edgesVersion {
		return false, err
	}
	return true, d.RedrawEdges(ctx)
}

// RedrawEdges draws all edges anew from the diary and the goods events.
func (d *DB) RedrawEdges(ctx context.Context) error {
	return d.record(ctx, "draw edges", func(r *record) error {
		if _, err := r.tx.ExecContext(ctx, `DELETE FROM trace_edge`); err != nil {
			return err
		}
		if err := allEdges(ctx, r, r.saveEdges); err != nil {
			return err
		}
		_, err := r.tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, edgesDrawn, edgesVersion)
		return err
	})
}

// allEdges works the edges of every source out, one after the other.
func allEdges(ctx context.Context, q querier, f func(ctx context.Context, source string, edges []kin.Edge) error) error {
	lots, err := allLots(ctx, q)
	if err != nil {
		return err
	}
	roots, err := texts(ctx, q, `SELECT id FROM diary_event WHERE root = id ORDER BY id`)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(roots, askedAtOnce) {
		found, err := entryEdges(ctx, q, lots, some)
		if err != nil {
			return err
		}
		for _, root := range some {
			if err := f(ctx, root, found[root]); err != nil {
				return err
			}
		}
	}
	ids, err := texts(ctx, q, `SELECT id FROM goods_event ORDER BY id`)
	if err != nil {
		return err
	}
	amends, err := goodsWhere(ctx, q, `kind = $1`, string(trace.Amend))
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for _, g := range amends {
		gone[g.Voids] = true
	}
	for some := range slices.Chunk(ids, askedAtOnce) {
		marks, args := marksOf(some)
		list, err := goodsWhere(ctx, q, `id IN (`+marks+`)`, args...)
		if err != nil {
			return err
		}
		for _, g := range list {
			var edges []kin.Edge
			if !gone[g.ID] {
				edges = kin.OfGoods(g)
			}
			if err := f(ctx, g.ID, edges); err != nil {
				return err
			}
		}
	}
	return nil
}

// keptLots are all lots, read at once.
type keptLots struct {
	byRoot, byCode map[string][]trace.Ref
}

func (l keptLots) own(_ context.Context, root string) ([]trace.Ref, error) {
	return l.byRoot[root], nil
}

func (l keptLots) coded(_ context.Context, code string) ([]trace.Ref, error) {
	return l.byCode[code], nil
}

func allLots(ctx context.Context, q querier) (keptLots, error) {
	out := keptLots{map[string][]trace.Ref{}, map[string][]trace.Ref{}}
	fill := func(into map[string][]trace.Ref, query string) error {
		return each(ctx, q, func(scan func(...any) error) error {
			var l trace.Link
			var key string
			err := scan(&l.GTIN, &l.Lot, &key)
			into[key] = append(into[key], l.Ref())
			return err
		}, query)
	}
	if err := fill(out.byRoot, `SELECT gtin, lot, event FROM lot_harvest ORDER BY gtin, lot`); err != nil {
		return out, err
	}
	return out, fill(out.byCode, `SELECT gtin, code, code FROM lot ORDER BY gtin`)
}

// EdgeFaults compares the edges that are kept with what the diary and the goods events stand for, and returns the sources whose edges say
// otherwise, at most some.
func (d *DB) EdgeFaults(ctx context.Context, most int) (faults []string, err error) {
	if done, err := d.Meta(ctx, edgesDrawn); err != nil || done != edgesVersion {
		return nil, err // drawn anew before they are read
	}
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return nil, fmt.Errorf("sqldb: edges: %w", err)
	}
	var right int64
	err = allEdges(ctx, tx, func(ctx context.Context, source string, edges []kin.Edge) error {
		kept, err := edgesWhere(ctx, tx, `source = $1`, source)
		if err == nil && !slices.EqualFunc(kept, edges, sameEdge) && len(faults) < most {
			faults = append(faults, source)
		}
		right += int64(len(edges))
		return err
	})
	var all int64
	if err == nil {
		err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM trace_edge`).Scan(&all)
	}
	if err == nil && len(faults) == 0 && all != right {
		faults = append(faults, fmt.Sprintf("%d edges too many", all-right))
	}
	if err := closing(tx, err); err != nil {
		return nil, fmt.Errorf("sqldb: edges: %w", err)
	}
	return faults, nil
}

func sameEdge(a, b kin.Edge) bool {
	same := toMillis(a.At) == toMillis(b.At) && toMillis(a.Kept) == toMillis(b.Kept)
	a.At, a.Kept = b.At, b.Kept
	return same && a == b
}
