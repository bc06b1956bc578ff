package flow

import (
	"context"
	"errors"
	"slices"

	"aovuon/server/trace"
)

// state changes the states of lots.
func (t *taking) state(ctx context.Context) error {
	for _, p := range t.g.In {
		if len(p.Items) > 0 || p.Count > 0 || p.KG > 0 {
			return refuse(BadParts, about(p.Ref, "")) // a lot is held or released as a whole
		}
	}
	for _, p := range t.g.In {
		if err := t.stateOf(ctx, p.Ref, t.lots[p.Ref]); err != nil {
			return err
		}
	}
	return nil
}

func (t *taking) stateOf(ctx context.Context, ref trace.Ref, l *lotNow) error {
	switch t.g.Kind {
	case trace.Hold:
		if err := l.in(ref, trace.Harvested, trace.Held, trace.Released, trace.Shipped); err != nil {
			return err
		}
		l.Lot.State = trace.Held
	case trace.LetGo:
		return t.letGo(ctx, ref, l)
	case trace.Issue:
		return t.release(ctx, ref, l)
	case trace.Recall:
		if err := l.in(ref, trace.Harvested, trace.Held, trace.Released, trace.Shipped, trace.Closed, trace.Recalled); err != nil {
			return err
		}
		if !t.g.Drill {
			l.Lot.State = trace.Recalled
		}
	case trace.EndRecall:
		if err := l.in(ref, trace.Recalled); err != nil {
			return err
		}
		return t.refold(ctx, ref, l, t.g)
	case trace.Close:
		if err := l.in(ref, trace.Harvested, trace.Released, trace.Shipped); err != nil {
			return err
		}
		l.Lot.State = trace.Closed
	case trace.Reopen:
		if err := l.in(ref, trace.Closed); err != nil {
			return err
		}
		return t.refold(ctx, ref, l, t.g)
	case trace.Transform, trace.Pack, trace.FillBox, trace.EmptyBox, trace.Ship, trace.Receive, trace.Return, trace.Destroy, trace.Amend:
	}
	return nil
}

// refold gives a lot the state that its events come to with one more.
func (t *taking) refold(ctx context.Context, ref trace.Ref, l *lotNow, more trace.Goods) error {
	events, err := t.shelf.GoodsOf(ctx, ref)
	if err != nil {
		return err
	}
	l.Lot.State = Fold(append(events, more), l.LotNow)
	return t.gone(ctx)
}

// Fold returns the state of a lot of which these are the events, in their order: Harvested where nothing was said of it. Released stands for
// Shipped, too: whether something is left, events do not say.
func Fold(events []trace.Goods, now LotNow) trace.State {
	state, closed := trace.Harvested, false
	for _, g := range Valid(events) {
		switch g.Kind {
		case trace.Hold:
			state = trace.Held
		case trace.LetGo:
			if state == trace.Held {
				state = trace.Harvested
			}
		case trace.Issue:
			if g.Made.After(now.Held) {
				state = trace.Released
			}
		case trace.Recall:
			if !g.Drill {
				state = trace.Recalled
			}
		case trace.EndRecall:
			if state = trace.Harvested; HeldBy(events) != "" {
				state = trace.Held
			}
		case trace.Close:
			closed = true
		case trace.Reopen:
			closed = false
		case trace.Transform, trace.Pack, trace.FillBox, trace.EmptyBox, trace.Ship, trace.Receive, trace.Return, trace.Destroy, trace.Amend:
		}
	}
	switch {
	case closed && state != trace.Recalled:
		return trace.Closed
	case now.Gated && state != trace.Recalled:
		return trace.Held
	}
	return state
}

// HeldBy returns who held a lot of which these are the events, in their order, by a Hold that nobody let go; empty: nobody.
func HeldBy(events []trace.Goods) (actor string) {
	for _, g := range Valid(events) {
		switch g.Kind {
		case trace.Hold:
			actor = g.Actor
		case trace.LetGo:
			actor = ""
		case trace.Transform, trace.Pack, trace.FillBox, trace.EmptyBox, trace.Ship, trace.Receive, trace.Return, trace.Destroy, trace.Issue, trace.Recall,
			trace.EndRecall, trace.Close, trace.Reopen, trace.Amend:
		}
	}
	return actor
}

// letGo ends a Hold. Where the diary holds the lot, too, it stays held.
func (t *taking) letGo(ctx context.Context, ref trace.Ref, l *lotNow) error {
	if err := l.in(ref, trace.Held); err != nil {
		return err
	}
	events, err := t.shelf.GoodsOf(ctx, ref)
	if err != nil {
		return err
	}
	switch by := HeldBy(events); {
	case by == "" && l.Gated:
		return refuse(Gated, about(ref, string(l.Lot.State)))
	case by == "":
		return refuse(BadState, about(ref, string(l.Lot.State)))
	case by == t.who.Actor:
		return refuse(Second, about(ref, string(l.Lot.State)))
	}
	if !l.Gated {
		l.Lot.State = trace.Harvested
	}
	return nil
}

// release lets a lot be labelled and sold.
func (t *taking) release(ctx context.Context, ref trace.Ref, l *lotNow) error {
	if err := l.in(ref, trace.Harvested); err != nil {
		return err
	}
	if l.Gated {
		return refuse(Gated, about(ref, string(l.Lot.State)))
	}
	if l.account.Over() || milligrams(l.account.InKG) == 0 {
		return refuse(TooMuch, append(l.account.Sums(), Line{Kind: LineAsked, Ref: ref, KG: kilograms(sum(l.account.Out) + sum(l.account.Packed))})...)
	}
	if l.Lot.Harvested.After(t.clock) {
		return refuse(BadTime, about(ref, ""))
	}
	lines, over, err := t.bounds(ctx, l.Lot, l.account.made())
	if err != nil {
		return err
	}
	if over {
		return refuse(BadYield, lines...)
	}
	if err := t.sources(ctx, ref, l); err != nil {
		return err
	}
	r, err := t.sealing(ctx, ref, l)
	if err != nil {
		return err
	}
	t.releases = append(t.releases, r)
	l.Lot.State = trace.Released
	return t.gone(ctx)
}

// sources checks that what a lot is made of is not held, recalled or void.
func (t *taking) sources(ctx context.Context, ref trace.Ref, l *lotNow) error {
	bad, err := doubts(ctx, t.shelf, ref)
	if err != nil || len(bad) == 0 {
		return err
	}
	return refuse(Upstream, append(bad, about(ref, string(l.Lot.State)))...)
}

// doubts returns the lots that a lot is made of, by a Transform or by batches of the diary, and that may not be sold.
func doubts(ctx context.Context, s Shelf, ref trace.Ref) (bad []Line, err error) {
	from, err := madeOf(ctx, s, ref)
	if err != nil {
		return nil, err
	}
	for _, link := range from {
		in, err := s.Lot(ctx, link)
		if err != nil && !errors.Is(err, trace.ErrUnknown) {
			return nil, err
		}
		if err != nil || in.Gated || in.Lot.State == trace.Held || in.Lot.State == trace.Recalled || in.Lot.State == trace.Void {
			bad = append(bad, about(link.Ref(), string(in.Lot.State)))
		}
	}
	return bad, nil
}

func madeOf(ctx context.Context, s Shelf, ref trace.Ref) (out []trace.Link, err error) {
	events, err := s.GoodsOf(ctx, ref)
	if err != nil {
		return nil, err
	}
	for _, g := range Valid(events) {
		if g.Kind != trace.Transform || !slices.ContainsFunc(g.Out, func(p trace.Part) bool { return p.Ref == ref }) {
			continue
		}
		for _, p := range g.In {
			if link, ok := p.Ref.Link(); ok {
				out = append(out, link)
			}
		}
	}
	link, _ := ref.Link()
	now, err := s.Lot(ctx, link)
	if err != nil {
		return nil, err
	}
	grown, err := s.Grown(ctx, now.Lot)
	return append(out, grown.Inputs...), err
}
