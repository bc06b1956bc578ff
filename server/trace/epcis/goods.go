package epcis

import (
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
)

// goods tells the events of the goods. One that did not happen is declared so.
func (t *teller) goods() {
	voided := map[string]time.Time{}
	for _, g := range t.Goods {
		if g.Kind == trace.Amend {
			voided[g.Voids] = g.Made
		}
	}
	for _, g := range t.Goods {
		for _, e := range t.moved(g) {
			kept := t.add(e)
			if wrong, is := voided[g.ID]; is && kept != nil {
				kept.Error = &ErrorDeclaration{At: local(wrong), Reason: "did_not_occur"}
			}
		}
	}
}

// moved tells one event of the goods; nothing of those that say nothing of goods.
func (t *teller) moved(g trace.Goods) []Event {
	e := t.at(Object, g.At, g.Place)
	e.Action = Observe
	e.Ext["farm:cte"] = string(g.Kind)
	if g.Step != "" {
		e.Ext["farm:step"] = g.Step
	}
	t.staff(&e, "farm:reason", g.Reason)
	if g.Document != "" && t.Staff {
		e.Transactions = []BizTransaction{{Type: "desadv", ID: t.Names.own("document", g.Document)}}
	}
	switch g.Kind {
	case trace.Transform:
		return t.transformed(e, g)
	case trace.Pack:
		return t.packed(e, g)
	case trace.FillBox, trace.EmptyBox:
		return t.boxed(e, g)
	case trace.Receive:
		return t.received(e, g)
	case trace.Ship, trace.Return:
		t.shipped(&e, g)
	case trace.Destroy:
		e.Action, e.Step, e.Disposition = Delete, "destroying", "destroyed"
		if g.Step == trace.StepLabels {
			e.Step, e.Disposition = "decommissioning", "inactive"
		}
	case trace.Hold:
		e.Step, e.Disposition = "holding", "non_sellable_other"
	case trace.LetGo:
		e.Step, e.Disposition = "inspecting", "in_progress"
	case trace.Issue:
		e.Step, e.Disposition = "inspecting", "sellable_not_accessible"
	case trace.Recall:
		if g.Drill {
			return nil // nothing happened to the goods
		}
		e.Step, e.Disposition, e.Persistent = "holding", "recalled", &PersistentDisposed{Set: []string{"recalled"}}
	case trace.EndRecall:
		e.Step, e.Persistent = "inspecting", &PersistentDisposed{Unset: []string{"recalled"}}
	case trace.Close, trace.Reopen, trace.Amend:
		return nil
	}
	e.EPCs, e.Quantities = t.things(t.unboxed(slices.Concat(g.In, g.Out), g.At))
	if len(e.EPCs)+len(e.Quantities) == 0 {
		return nil
	}
	return []Event{e}
}

// things names the parts of an event: serials and boxes for those who work here, for all others how many or how much of which lot.
func (t *teller) things(parts []trace.Part) (epcs []string, sums []Quantity) {
	for _, p := range parts {
		link, isLot := p.Ref.Link()
		switch {
		case p.Ref.Kind == trace.RefBox && t.Staff:
			epcs = append(epcs, t.Names.Box(p.Ref.ID))
		case p.Ref.Kind == trace.RefBox, p.Ref.Kind == trace.RefBuyer, p.Ref.Kind == trace.RefPlace:
		case isLot && len(p.Items) > 0 && t.Staff:
			for _, serial := range p.Items {
				link.Serial = serial
				epcs = append(epcs, t.Names.Lot(link))
			}
		case isLot && (len(p.Items) > 0 || p.Count > 0):
			sums = append(sums, Quantity{Class: t.Names.Lot(link), Quantity: new(float64(max(p.Count, len(p.Items))))})
		default:
			sums = append(sums, kilos(t.Names.Ref(p.Ref), p.KG))
		}
	}
	return epcs, joined(sums)
}

// joined adds up what is said of one class in one unit.
func joined(list []Quantity) (out []Quantity) {
	for _, q := range list {
		at := slices.IndexFunc(out, func(o Quantity) bool {
			return o.Class == q.Class && o.Unit == q.Unit && (o.Quantity == nil) == (q.Quantity == nil)
		})
		switch {
		case at < 0:
			out = append(out, q)
		case q.Quantity != nil:
			out[at].Quantity = new(*out[at].Quantity + *q.Quantity)
		}
	}
	return out
}

// unboxed puts what went into boxes in their place, for those who are not told of boxes. What was taken out of a box again is not reckoned
// off: its lots are named then, and no amounts.
func (t *teller) unboxed(parts []trace.Part, at time.Time) []trace.Part {
	if t.Staff {
		return parts
	}
	var out []trace.Part
	for _, p := range parts {
		if p.Ref.Kind != trace.RefBox {
			out = append(out, p)
			continue
		}
		opened := false
		var in []trace.Part
		for _, g := range t.Goods {
			is := func(o trace.Part) bool { return o.Ref == p.Ref }
			switch {
			case g.At.After(at):
			case g.Kind == trace.FillBox && slices.ContainsFunc(g.Out, is):
				in = append(in, t.unboxed(g.In, g.At)...)
			case g.Kind == trace.EmptyBox && slices.ContainsFunc(g.In, is):
				opened = true
			}
		}
		for _, o := range in {
			if opened {
				o = trace.Part{Ref: o.Ref}
			}
			out = append(out, o)
		}
	}
	return out
}

func (t *teller) transformed(e Event, g trace.Goods) []Event {
	e.Type, e.Action, e.Step, e.Disposition = Transformation, "", "commissioning", "active"
	e.InEPCs, e.In = t.things(g.In)
	for _, p := range g.Out {
		e.Out = append(e.Out, kilos(t.Names.Ref(p.Ref), p.KG))
		if p.Grade != "" {
			e.Ext["farm:grade"] = p.Grade
		}
	}
	if d, ok := t.dossier(g.Out); ok {
		t.describe(&e, d)
	}
	return t.sane(e)
}

// dossier returns that of the one lot that comes out.
func (t *teller) dossier(out []trace.Part) (trace.Dossier, bool) {
	if len(out) != 1 {
		return trace.Dossier{}, false
	}
	for _, d := range t.Dossiers {
		if d.Lot.Link().Ref() == out[0].Ref {
			return d, true
		}
	}
	return trace.Dossier{}, false
}

// packed tells that a lot went into packs: those with serials are things of their own from then on.
func (t *teller) packed(e Event, g trace.Goods) []Event {
	if g.Step == trace.StepIssue { // labels, ahead of the packing
		e.Action, e.Step, e.Disposition = Add, "encoding", "encoded"
		e.EPCs, e.Quantities = t.things(g.Out)
		return t.sane(e)
	}
	if g.Step == trace.StepActivate {
		e.Action, e.Step, e.Disposition = Add, "commissioning", "active"
		e.EPCs, e.Quantities = t.things(g.In)
		return t.sane(e)
	}
	e.Type, e.Action, e.Step, e.Disposition = Transformation, "", "commissioning", "active"
	for _, p := range g.In {
		e.In = append(e.In, kilos(t.Names.Ref(p.Ref), p.KG))
	}
	e.OutEPCs, e.Out = t.things(t.serialised(g))
	if g.NetG > 0 {
		e.Ext["farm:netMassGrams"] = g.NetG
	}
	if !g.Best.IsZero() {
		e.ILMD = map[string]any{"cbvmda:bestBeforeDate": g.Best.In(farm.Time()).Format(time.DateOnly)}
	}
	return t.sane(e)
}

// serialised adds the serials of a pack to its part.
func (t *teller) serialised(g trace.Goods) []trace.Part {
	out := slices.Clone(g.Out)
	if serials := t.Serials[g.ID]; len(out) == 1 && len(out[0].Items) == 0 && len(serials) > 0 {
		out[0].Items = serials
	}
	return out
}

// boxed tells what goes into a box, or comes out of it.
func (t *teller) boxed(e Event, g trace.Goods) []Event {
	box, rest := g.Out, g.In
	e.Type, e.Action, e.Step = Aggregation, Add, "packing"
	if g.Kind == trace.EmptyBox {
		box, rest, e.Action, e.Step = g.In, g.Out, Delete, "unpacking"
	}
	if len(box) != 1 || box[0].Ref.Kind != trace.RefBox {
		return nil
	}
	if !t.Staff { // a box is told of without its number
		e.Type, e.Action = Object, Observe
		e.EPCs, e.Quantities = t.things(rest)
		return t.sane(e)
	}
	e.Parent = t.Names.Box(box[0].Ref.ID)
	e.Children, e.ChildCounts = t.things(rest)
	return t.sane(e)
}

func (t *teller) received(e Event, g trace.Goods) []Event {
	e.Action, e.Step, e.Disposition = Observe, "receiving", "in_progress"
	for _, p := range g.Out {
		e.Quantities = append(e.Quantities, kilos(t.Names.Ref(p.Ref), p.KG))
	}
	e.Destinations = []DestinationParty{{Type: "owning_party", ID: t.Names.Coop()}}
	t.staff(&e, "farm:supplier", g.Supplier)
	for _, p := range g.In { // as its maker calls it
		if p.Ref.Kind == trace.RefSupply && (t.Staff || strings.Contains(p.Ref.ID, "id.gs1.org")) {
			e.Ext["farm:from"] = t.Names.Ref(p.Ref)
		}
	}
	return t.sane(e)
}

func (t *teller) shipped(e *Event, g trace.Goods) {
	e.Step, e.Disposition, e.Location = "shipping", "in_transit", nil
	from, to := t.Names.Coop(), ""
	if t.Staff {
		to = t.Names.own("buyer", g.Buyer)
		t.staff(e, "farm:buyer", t.Records[g.Buyer].Name())
		t.staff(e, "farm:vehicle", g.Vehicle)
	}
	if g.Kind == trace.Return {
		e.Step, e.Disposition = "receiving", "returned"
		from, to = to, from
	}
	if from != "" {
		e.Sources = []SourceParty{{Type: "owning_party", ID: from}}
	}
	if to != "" {
		e.Destinations = []DestinationParty{{Type: "owning_party", ID: to}}
	}
}

// sane leaves out an event that would say nothing.
func (t *teller) sane(e Event) []Event {
	told := len(e.EPCs) + len(e.Quantities) + len(e.Children) + len(e.ChildCounts)
	if e.Type == Transformation {
		told = min(len(e.In)+len(e.InEPCs), len(e.Out)+len(e.OutEPCs))
	}
	if told == 0 {
		return nil
	}
	return []Event{e}
}
