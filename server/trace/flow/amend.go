package flow

import (
	"context"
	"errors"
	"slices"

	"aovuon/server/trace"
)

// amend takes an event back, where nothing that was done since stands in the way.
func (t *taking) amend(ctx context.Context) error {
	old, ok, err := t.shelf.Event(ctx, t.g.Voids)
	if err != nil {
		return err
	}
	if !ok || old.Kind == trace.Amend {
		return refuse(NoEvent)
	}
	if !t.who.Role.May(needs(old.Kind)) {
		return refuse(NoRight)
	}
	if err := t.reread(ctx, old); err != nil {
		return err
	}
	t.g.In, t.g.Out = nil, nil
	if err := t.undo(ctx, old); err != nil {
		return err
	}
	// The lots and boxes that it was about are named again, so that whoever asks for their events finds the Amend.
	for _, p := range slices.Concat(old.In, old.Out) {
		if p.Ref.Kind == trace.RefLot || p.Ref.Kind == trace.RefBox {
			if !slices.ContainsFunc(t.g.In, func(q trace.Part) bool { return q.Ref == p.Ref }) {
				t.g.In = append(t.g.In, trace.Part{Ref: p.Ref})
			}
		}
	}
	return nil
}

// reread reads what an event was about, as it is now.
func (t *taking) reread(ctx context.Context, old trace.Goods) error {
	for _, p := range slices.Concat(old.In, old.Out) {
		if _, err := t.items(ctx, p.Items); err != nil {
			return err
		}
		switch p.Ref.Kind {
		case trace.RefLot:
			l, err := t.lot(ctx, p.Ref)
			if err != nil {
				return err
			}
			events, err := t.shelf.GoodsOf(ctx, p.Ref)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(events, func(g trace.Goods) bool { return g.Kind == trace.Amend && g.Voids == old.ID }) {
				return refuse(NoEvent)
			}
			uses, err := t.shelf.Uses(ctx, l.Lot.Code)
			if err != nil {
				return err
			}
			// The account as it would be without the event.
			items := l.account.Items
			l.account = Reckon(l.Lot, append(events, trace.Goods{ID: t.g.ID, Kind: trace.Amend, Voids: old.ID}), uses)
			l.account.Items = items
		case trace.RefBox:
			if err := t.open(ctx, p.Ref.ID); err != nil {
				return err
			}
		case trace.RefSupply, trace.RefSeason, trace.RefPlace, trace.RefItem, trace.RefBuyer:
		}
	}
	if old.Kind == trace.Pack && old.Step != trace.StepActivate {
		run, err := t.shelf.Run(ctx, old.ID)
		if err != nil {
			return err
		}
		t.stock.addItems(run...)
	}
	return nil
}

// undo does the contrary of an event.
func (t *taking) undo(ctx context.Context, old trace.Goods) error {
	if err := t.stock.undo(old, t.g); err != nil {
		if bad, ok := errors.AsType[*RefusedError](err); ok {
			return refuse(Later, bad.Lines...)
		}
		return err
	}
	made := func(ref trace.Ref) bool {
		return (old.Kind == trace.Transform || old.Kind == trace.Receive) && slices.ContainsFunc(old.Out, func(p trace.Part) bool { return p.Ref == ref })
	}
	for _, ref := range sortedRefs(t.lots) {
		l := t.lots[ref]
		if made(ref) {
			if err := t.unmake(ctx, ref, l, old); err != nil {
				return err
			}
			continue
		}
		if l.account.Over() && !slices.ContainsFunc([]trace.GoodsKind{trace.Pack, trace.Ship, trace.Transform, trace.FillBox}, func(k trace.GoodsKind) bool { return k == old.Kind }) {
			return refuse(Later, l.account.Sums()...)
		}
		if err := t.restate(ctx, ref, l, old); err != nil {
			return err
		}
	}
	return nil
}

// unmake takes back a lot that came out of an event: nothing else may have been done with it.
func (t *taking) unmake(ctx context.Context, ref trace.Ref, l *lotNow, old trace.Goods) error {
	events, err := t.shelf.GoodsOf(ctx, ref)
	if err != nil {
		return err
	}
	for _, g := range Valid(events) {
		if g.ID != old.ID {
			return refuse(Later, Line{Kind: LineThing, Ref: ref, Event: g.ID, State: string(g.Kind)})
		}
	}
	uses, err := t.shelf.Uses(ctx, l.Lot.Code)
	if err != nil {
		return err
	}
	if len(uses) > 0 {
		return refuse(Later, Line{Kind: LineThing, Ref: ref, Event: uses[0].Entry, Diary: true, State: string(uses[0].Kind)})
	}
	l.Lot.State = trace.Void
	return nil
}

// restate puts a lot into the state that it has without an event. What was shipped after a release was shipped by it: the release cannot be
// taken back any more.
func (t *taking) restate(ctx context.Context, ref trace.Ref, l *lotNow, old trace.Goods) error {
	if l.Lot.State == trace.Void || l.Lot.State == trace.Growing {
		return nil
	}
	if old.Kind == trace.Issue && (l.account.Items[trace.ItemShipped]+l.account.Items[trace.ItemSold] > 0 || slices.ContainsFunc(l.account.Out, func(x Line) bool { return x.Kind == LineShipped })) {
		return refuse(Later, append(l.account.Sums(), about(ref, string(l.Lot.State)))...)
	}
	return t.refold(ctx, ref, l, trace.Goods{ID: t.g.ID, Kind: trace.Amend, Voids: old.ID})
}
