package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aovuon/server/trace"
	"aovuon/server/trace/kin"
)

// Out implements kin.Edges. Of an item, whose edges are not kept, they are worked out of its events.
func (d *DB) Out(ctx context.Context, from []trace.Ref) ([]kin.Edge, error) {
	return d.edges(ctx, "from_ref", from, func(e kin.Edge, item trace.Ref) bool { return e.From == item })
}

// In implements kin.Edges.
func (d *DB) In(ctx context.Context, to []trace.Ref) ([]kin.Edge, error) {
	return d.edges(ctx, "to_ref", to, func(e kin.Edge, item trace.Ref) bool { return e.To == item })
}

// askedAtOnce bounds how many things one statement asks about.
const askedAtOnce = 500

func (d *DB) edges(ctx context.Context, column string, refs []trace.Ref, of func(e kin.Edge, item trace.Ref) bool) (out []kin.Edge, err error) {
	var names []string
	for _, ref := range refs {
		if ref.Kind != trace.RefItem {
			names = append(names, ref.String())
			continue
		}
		more, err := d.itemEdges(ctx, ref.ID)
		if err != nil {
			return nil, fmt.Errorf("sqldb: edges of an item: %w", err)
		}
		out = append(out, slices.DeleteFunc(more, func(e kin.Edge) bool { return !of(e, ref) })...)
	}
	for some := range slices.Chunk(names, askedAtOnce) {
		marks, args := marksOf(some)
		more, err := edgesWhere(ctx, d.read, column+` IN (`+marks+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("sqldb: edges: %w", err)
		}
		out = append(out, more...)
	}
	return out, nil
}

// itemEdges are the edges of one item.
func (d *DB) itemEdges(ctx context.Context, serial string) ([]kin.Edge, error) {
	item, ok, err := d.Item(ctx, serial)
	if err != nil || !ok {
		return nil, err
	}
	events, err := goodsOf(ctx, d.read, trace.Ref{Kind: trace.RefItem, ID: serial})
	if err != nil {
		return nil, err
	}
	return kin.OfItem(item, events), nil
}

func marksOf(values []string) (marks string, args []any) {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
		args = append(args, v)
	}
	return b.String(), args
}

func edgesWhere(ctx context.Context, q querier, where string, args ...any) (out []kin.Edge, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var e kin.Edge
		var from, to string
		var at, kept, back int64
		if err := scan(&e.Source, &from, &to, &at, &kept, &e.KG, &e.Count, &back, &e.Document); err != nil {
			return err
		}
		e.At, e.Kept, e.Back = fromMillis(at), fromMillis(kept), back != 0
		var err error
		if e.From, err = trace.ParseRef(from); err != nil {
			return err
		}
		e.To, err = trace.ParseRef(to)
		out = append(out, e)
		return err
	}, `SELECT source, from_ref, to_ref, at_ms, kept_ms, kg, items, back, document FROM trace_edge WHERE `+where+` ORDER BY source, ordinal`, args...)
	return out, err
}
