package flow

import (
	"context"

	"aovuon/server/trace"
)

// ship has things leave to a buyer.
func (t *taking) ship(ctx context.Context) error {
	if err := t.loose(trace.Released); err != nil {
		return err
	}
	for _, ref := range sortedRefs(t.lots) { // of what is in boxes, too
		if err := t.lots[ref].in(ref, trace.Released); err != nil {
			return err
		}
	}
	if err := t.stock.apply(t.g); err != nil {
		return err
	}
	return t.gone(ctx)
}

// gone marks lots of which nothing is there any more as shipped.
func (t *taking) gone(ctx context.Context) error {
	for _, ref := range sortedRefs(t.lots) {
		l := t.lots[ref]
		if l.Lot.State != trace.Released || milligrams(l.account.RemainingKG)+l.given-l.taken > 0 {
			continue
		}
		link, _ := ref.Link()
		counts, boxed, err := t.shelf.Counts(ctx, link)
		if err != nil {
			return err
		}
		here, left := counts[trace.ItemPrinted]+counts[trace.ItemActivated], milligrams(boxed)
		for serial, was := range t.stock.movedItems {
			if i := t.stock.items[serial]; i.Link().Ref() == ref {
				here += present(i.State) - present(was)
			}
		}
		for sscc, was := range t.stock.movedBoxes {
			b := t.stock.boxes[sscc]
			for _, p := range b.Parts {
				if p.Ref == ref {
					left += milligrams(p.KG) * int64(present(b.State)-present(was))
				}
			}
		}
		if here == 0 && left <= 0 {
			l.Lot.State = trace.Shipped
		}
	}
	return nil
}

// present is 1 for what is still there.
func present(s trace.ItemState) int {
	if s == trace.ItemPrinted || s == trace.ItemActivated {
		return 1
	}
	return 0
}

// giveBack takes back what a buyer returns. The lot stays released, for the sake of all who bought of it: whoever doubts it holds it.
func (t *taking) giveBack(ctx context.Context) error {
	if err := t.fromBuyer(ctx); err != nil {
		return err
	}
	for _, p := range t.g.In {
		if p.Ref.Kind != trace.RefLot || len(p.Items) > 0 {
			continue
		}
		if milligrams(p.KG) == 0 {
			return refuse(BadMass, about(p.Ref, ""))
		}
		sent := t.sent(t.lots[p.Ref].account)
		if milligrams(p.KG) > sent {
			return refuse(TooMuchBack, Line{Kind: LineShipped, Ref: p.Ref, KG: kilograms(sent)}, Line{Kind: LineAsked, Ref: p.Ref, KG: p.KG})
		}
	}
	if err := t.stock.apply(t.g); err != nil {
		return err
	}
	for _, l := range t.lots {
		if l.Lot.State == trace.Shipped {
			l.Lot.State = trace.Released
		}
	}
	return nil
}

// sent is how much of a lot went to the buyer loose, less what came back.
func (t *taking) sent(a Account) (mg int64) {
	to := buyer(t.g)
	for _, l := range a.Out {
		if l.Ref == to && (l.Kind == LineShipped || l.Kind == LineSold) {
			mg += milligrams(l.KG)
		}
	}
	for _, l := range a.In {
		if l.Ref == to && l.Kind == LineReturned {
			mg -= milligrams(l.KG)
		}
	}
	return mg
}

// destroy takes goods out of the world, or labels.
func (t *taking) destroy(ctx context.Context) error {
	open := []trace.State{trace.Harvested, trace.Held, trace.Released, trace.Shipped, trace.Recalled, trace.Closed}
	for i := range t.g.In {
		p := &t.g.In[i]
		switch {
		case p.Ref.Kind == trace.RefBox:
			if t.g.Step == trace.StepLabels {
				return refuse(BadParts, about(p.Ref, t.g.Step))
			}
			p.Was = t.stock.boxes[p.Ref.ID].State
			if p.Was == trace.ItemVoid {
				return refuse(BadBox, about(p.Ref, string(p.Was)))
			}
		case len(p.Items) == 0:
			if milligrams(p.KG) == 0 || t.g.Step == trace.StepLabels {
				return refuse(BadMass, about(p.Ref, ""))
			}
			if err := t.take(p.Ref, p.KG, open...); err != nil {
				return err
			}
		default:
			p.KG = 0
		}
	}
	if err := t.byState(ctx); err != nil {
		return err
	}
	if err := t.stock.apply(t.g); err != nil {
		return err
	}
	return t.gone(ctx)
}

// byState splits parts of items so that each is of items in one state, and says for labels how much mass becomes loose again.
func (t *taking) byState(ctx context.Context) error {
	var out []trace.Part
	for _, p := range t.g.In {
		if len(p.Items) == 0 {
			out = append(out, p)
			continue
		}
		for _, state := range trace.ItemStates() {
			part := trace.Part{Ref: p.Ref, Was: state}
			var mg int64
			for _, serial := range p.Items {
				i := t.stock.items[serial]
				if i.State != state {
					continue
				}
				part.Items = append(part.Items, serial)
				each, err := t.massOf(ctx, i)
				if err != nil {
					return err
				}
				mg += each
			}
			if len(part.Items) == 0 {
				continue
			}
			if state == trace.ItemVoid || t.g.Step == trace.StepLabels && state != trace.ItemPrinted && state != trace.ItemActivated {
				return refuse(BadItem, about(trace.Ref{Kind: trace.RefItem, ID: part.Items[0]}, string(state)))
			}
			if part.Count = len(part.Items); t.g.Step == trace.StepLabels {
				part.KG = kilograms(mg)
				t.lots[p.Ref].given += mg
			}
			out = append(out, part)
		}
	}
	t.g.In = out
	return nil
}

// massOf is the share of an item in the mass that its run took of the lot.
func (t *taking) massOf(ctx context.Context, i *trace.Item) (int64, error) {
	run, ok, err := t.shelf.Event(ctx, i.Run)
	if err != nil || !ok || len(run.In) == 0 || len(run.Out) == 0 || run.Out[0].Count == 0 {
		return milligrams(i.NetG / 1000), err
	}
	return milligrams(run.In[0].KG) / int64(run.Out[0].Count), nil
}
