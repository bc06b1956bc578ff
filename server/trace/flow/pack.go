package flow

import (
	"context"
	"slices"
	"strings"

	"aovuon/server/trace"
)

// pack puts a lot, or some of it, into items.
func (t *taking) pack() error {
	if t.g.Step == trace.StepActivate {
		return t.activate()
	}
	if len(t.g.In) != 1 || len(t.g.In[0].Items) > 0 {
		return refuse(BadParts, Line{Kind: LineAsked, Count: len(t.g.In)})
	}
	in := &t.g.In[0]
	count := in.Count
	if len(t.g.Out) == 1 {
		count = t.g.Out[0].Count
		if r := t.g.Out[0].Ref; r != (trace.Ref{}) && r != in.Ref {
			return refuse(BadParts, about(r, ""))
		}
	}
	if count < 1 {
		return refuse(BadCount, Line{Kind: LineAsked, Count: count})
	}
	if !(t.g.NetG > 0 && t.g.NetG <= 1e6) {
		return refuse(BadNet)
	}
	if !t.g.Best.IsZero() && !t.g.At.Before(t.g.Best.AddDate(0, 0, 1)) { // the day itself counts: fresh fish is packed and eaten on one day
		return refuse(BadBest)
	}
	net := kilograms(milligrams(t.g.NetG/1000) * int64(count))
	if in.KG == 0 {
		in.KG = net
	}
	if milligrams(in.KG) < milligrams(net) {
		return refuse(TooMuch, Line{Kind: LineAsked, Ref: in.Ref, KG: in.KG}, Line{Kind: LineNet, KG: net, Count: count, Factor: t.g.NetG})
	}
	if err := t.take(in.Ref, in.KG, trace.Harvested, trace.Released); err != nil {
		return err
	}
	in.Count = 0
	t.g.Out = []trace.Part{{Ref: in.Ref, KG: net, Count: count}}
	if t.g.Step == trace.StepPlain {
		return nil
	}
	return t.issue(in.Ref, count)
}

// issue draws serials.
func (t *taking) issue(ref trace.Ref, count int) error {
	link, _ := ref.Link()
	items := make([]trace.Item, 0, count)
	for n := 1; n <= count; n++ {
		serial, err := NewSerial(t.random)
		if err != nil {
			return err
		}
		items = append(items, trace.Item{
			Serial: serial, GTIN: link.GTIN, Lot: link.Lot, Run: t.g.ID, N: n, NetG: t.g.NetG, Best: t.g.Best, State: firstState(t.g), Changed: t.g.Made,
		})
	}
	t.stock.addItems(items...)
	return t.stock.apply(t.g)
}

// activate says that issued serials are on packed items now.
func (t *taking) activate() error {
	for _, p := range t.g.In {
		if len(p.Items) == 0 {
			return refuse(BadParts, about(p.Ref, ""))
		}
		if err := t.lots[p.Ref].in(p.Ref, trace.Harvested, trace.Released); err != nil {
			return err
		}
	}
	if len(t.g.Out) > 0 {
		return refuse(BadParts, about(t.g.Out[0].Ref, ""))
	}
	return t.stock.apply(t.g)
}

// fill puts things into a box: a new one, unless one is named.
func (t *taking) fill(ctx context.Context) error {
	if err := t.loose(trace.Harvested, trace.Released); err != nil {
		return err
	}
	if len(t.g.Out) == 0 || t.g.Out[0].Ref.ID == "" {
		prefix := ssccPrefix(t.terms.Prefix)
		last, err := t.shelf.LastBox(ctx, prefix)
		if err != nil {
			return err
		}
		sscc, err := nextSSCC(prefix, last)
		if err != nil {
			return err
		}
		t.g.Out = []trace.Part{{Ref: boxRef(sscc)}}
	}
	return t.stock.apply(t.g)
}

// loose takes the mass of every part of a lot that names no items, and checks the states of the lots.
func (t *taking) loose(states ...trace.State) error {
	for _, p := range t.g.In {
		if p.Ref.Kind != trace.RefLot {
			continue
		}
		if len(p.Items) > 0 {
			if err := t.lots[p.Ref].in(p.Ref, states...); err != nil {
				return err
			}
			continue
		}
		if milligrams(p.KG) == 0 {
			return refuse(BadMass, about(p.Ref, ""))
		}
		if err := t.take(p.Ref, p.KG, states...); err != nil {
			return err
		}
	}
	return nil
}

// empty takes things out of a box; all of it where the order does not say what.
func (t *taking) empty() error {
	sscc := t.g.In[0].Ref.ID
	b := t.stock.boxes[sscc]
	if b.State != trace.ItemActivated {
		return refuse(BadBox, about(boxRef(sscc), string(b.State)))
	}
	if len(t.g.Out) == 0 {
		t.g.Out = t.contents(b)
	}
	if len(t.g.Out) == 0 {
		return refuse(BadBox, about(boxRef(sscc), "empty"))
	}
	for _, p := range t.g.Out {
		if p.Ref.Kind == trace.RefLot && len(p.Items) == 0 && milligrams(p.KG) == 0 {
			return refuse(BadMass, about(p.Ref, ""))
		}
	}
	return t.stock.apply(t.g)
}

// contents lists what is in a box, not what is in boxes in it.
func (t *taking) contents(b *trace.Box) (out []trace.Part) {
	lots := map[trace.Ref][]string{}
	for _, serial := range t.stock.inBox[b.SSCC] {
		ref := t.stock.items[serial].Link().Ref()
		lots[ref] = append(lots[ref], serial)
	}
	for _, ref := range sortedRefs(lots) {
		serials := lots[ref]
		slices.SortFunc(serials, func(x, y string) int {
			a, b := t.stock.items[x], t.stock.items[y]
			if a.Run != b.Run {
				return strings.Compare(a.Run, b.Run)
			}
			return a.N - b.N
		})
		out = append(out, trace.Part{Ref: ref, Items: serials, Count: len(serials)})
	}
	out = append(out, b.Parts...)
	inside := slices.Clone(t.stock.kids[b.SSCC])
	slices.Sort(inside)
	for _, sscc := range inside {
		out = append(out, trace.Part{Ref: boxRef(sscc)})
	}
	return out
}
