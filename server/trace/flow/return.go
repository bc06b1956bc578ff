package flow

import (
	"context"
	"fmt"
	"slices"

	"aovuon/server/trace"
)

// fromBuyer checks that items and boxes that come back went to the buyer who is said to return them: a list of whom to call in a recall must
// not lose the one who still has them.
func (t *taking) fromBuyer(ctx context.Context) error {
	w := whereabouts{taking: t, events: map[trace.Ref][]trace.Goods{}}
	for _, p := range t.g.In {
		var things []trace.Ref
		if p.Ref.Kind == trace.RefBox {
			things = append(things, p.Ref)
		}
		for _, serial := range p.Items {
			things = append(things, trace.Ref{Kind: trace.RefItem, ID: serial})
		}
		for _, thing := range things {
			has, err := w.buyer(ctx, thing)
			if err != nil {
				return err
			}
			if has != "" && has != t.g.Buyer {
				return refuse(WrongBuyer, about(thing, ""), about(trace.Ref{Kind: trace.RefBuyer, ID: has}, ""))
			}
		}
	}
	return nil
}

// whereabouts knows to whom things were shipped.
type whereabouts struct {
	*taking
	events map[trace.Ref][]trace.Goods // that stand, by what they name
}

// buyer returns to whom a thing went last, by itself or in a box; empty: it was shipped to nobody.
func (w *whereabouts) buyer(ctx context.Context, thing trace.Ref) (string, error) {
	var last trace.Goods
	look := func(named trace.Ref, in func(trace.Part) bool) error {
		events, err := w.of(ctx, named)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Kind == trace.Ship && e.Made.After(last.Made) && slices.ContainsFunc(e.In, in) {
				last = e
			}
		}
		return nil
	}
	box := thing.ID
	if thing.Kind == trace.RefItem {
		i := w.stock.items[thing.ID]
		if i == nil {
			return "", nil // apply says so
		}
		if err := look(i.Link().Ref(), func(p trace.Part) bool { return slices.Contains(p.Items, thing.ID) }); err != nil {
			return "", err
		}
		box = i.Box
	}
	for depth := 0; box != "" && depth < mostBoxes; depth++ {
		ref := boxRef(box)
		if err := look(ref, func(p trace.Part) bool { return p.Ref == ref }); err != nil {
			return "", err
		}
		found, _, err := w.shelf.Inside(ctx, box)
		if err != nil {
			return "", err
		}
		if box = ""; len(found) > 0 {
			box = found[0].In
		}
	}
	return last.Buyer, nil
}

// mostBoxes is how many boxes may stand in one another.
const mostBoxes = 16

func (w *whereabouts) of(ctx context.Context, r trace.Ref) ([]trace.Goods, error) {
	if known, ok := w.events[r]; ok {
		return known, nil
	}
	events, err := w.shelf.GoodsOf(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("who has %s: %w", r, err)
	}
	w.events[r] = Valid(events)
	return w.events[r], nil
}
