package flow

import (
	"context"
	"slices"
	"strings"

	"aovuon/server/diary/desk"
	"aovuon/server/farm"
	"aovuon/server/trace"
)

// transform makes lots of lots.
func (t *taking) transform(ctx context.Context) error {
	if err := t.sorts(); err != nil {
		return err
	}
	var in int64
	var lines []Line
	for _, p := range t.g.In {
		if milligrams(p.KG) == 0 || len(p.Items) > 0 {
			return refuse(BadMass, about(p.Ref, ""))
		}
		in += milligrams(p.KG)
		lines = append(lines, Line{Kind: LineUsed, Ref: p.Ref, KG: p.KG})
		if p.Ref.Kind != trace.RefLot {
			continue
		}
		if err := t.take(p.Ref, p.KG, trace.Harvested, trace.Released); err != nil {
			return err
		}
	}
	var out int64
	var most Yield
	for _, p := range t.g.Out {
		if milligrams(p.KG) == 0 {
			return refuse(BadMass, about(p.Ref, ""))
		}
		out += milligrams(p.KG)
		gtin, _, _ := strings.Cut(p.Ref.ID, "/")
		if y, ok := t.terms.most(t.g.Step, t.branch(gtin)); ok && y.Most > most.Most {
			most = y
		}
	}
	bound := int64(float64(in) * most.Most)
	if out > bound {
		lines = append(lines, Line{Kind: LineYield, KG: kilograms(bound), Factor: most.Most, State: t.g.Step}, Line{Kind: LineAsked, KG: kilograms(out)})
		return refuse(BadYield, lines...)
	}
	return t.newLots(ctx)
}

// sorts checks that a split divides one lot and a merge joins lots of one product.
func (t *taking) sorts() error {
	in, out := t.g.In, t.g.Out
	product := func(p trace.Part) string { gtin, _, _ := strings.Cut(p.Ref.ID, "/"); return gtin }
	switch t.g.Step {
	case trace.StepSplit:
		if len(in) != 1 || len(out) < 1 {
			return refuse(BadParts, Line{Kind: LineAsked, Count: len(in), State: t.g.Step})
		}
	case trace.StepMerge:
		if len(in) < 2 || len(out) != 1 {
			return refuse(BadParts, Line{Kind: LineAsked, Count: len(in), State: t.g.Step})
		}
	default:
		return nil
	}
	for _, p := range slices.Concat(in, out) {
		if p.Ref.Kind != trace.RefLot || product(p) != product(in[0]) {
			return refuse(BadParts, about(p.Ref, t.g.Step))
		}
	}
	return nil
}

// receive opens lots that others made.
func (t *taking) receive(ctx context.Context) error {
	for _, p := range t.g.Out {
		if milligrams(p.KG) == 0 {
			return refuse(BadMass, about(p.Ref, ""))
		}
	}
	return t.newLots(ctx)
}

// newLots opens the lots that come out, and gives those without a code the next free one.
func (t *taking) newLots(ctx context.Context) error {
	for i := range t.g.Out {
		p := &t.g.Out[i]
		gtin, code, _ := strings.Cut(p.Ref.ID, "/")
		at := slices.IndexFunc(t.products, func(x trace.Product) bool { return x.GTIN == gtin })
		if at < 0 {
			return refuse(NoProduct, about(p.Ref, ""))
		}
		code, err := t.code(ctx, gtin, code)
		if err != nil {
			return err
		}
		lot := t.newLot(trace.Link{GTIN: gtin, Lot: code}, t.products[at], p.KG)
		p.Ref, p.Items, p.Count = lot.Link().Ref(), nil, 0
		t.fresh = append(t.fresh, lot)
	}
	return nil
}

// newLot fills a lot from what it is made of. What is divided, sorted, joined or dried is still what was harvested: it keeps its places and
// its days, so that what was measured there is told of it. What is made of something is of where and when it was made.
func (t *taking) newLot(l trace.Link, p trace.Product, kg float64) trace.Lot {
	out := trace.Lot{GTIN: l.GTIN, Code: l.Lot, KG: kg, State: trace.Harvested, Species: p.Name, Demo: t.farm.Coop.Demo}
	same := t.g.Kind == trace.Transform && t.g.Step != trace.StepProcess
	for _, ref := range sortedRefs(t.lots) {
		in := t.lots[ref].Lot
		out.Demo = out.Demo || in.Demo
		for _, b := range in.Barred {
			if !slices.Contains(out.Barred, b) {
				out.Barred = append(out.Barred, b)
			}
		}
		if !same {
			continue
		}
		out.Species, out.Scientific = in.Species, in.Scientific
		for _, place := range in.Places {
			if !slices.Contains(out.Places, place) {
				out.Places = append(out.Places, place)
			}
		}
		if out.Stocked.IsZero() || !in.Stocked.IsZero() && in.Stocked.Before(out.Stocked) {
			out.Stocked = in.Stocked
		}
		if in.Harvested.After(out.Harvested) {
			out.Harvested = in.Harvested
		}
	}
	if len(out.Places) == 0 && t.g.Place != "" && t.g.Kind == trace.Transform {
		out.Places = []string{t.g.Place}
	}
	if out.Harvested.IsZero() {
		out.Harvested = t.g.At
	}
	if out.Stocked.IsZero() {
		out.Stocked = out.Harvested
	}
	return out
}

// code checks the code of a new lot, or finds the next that is free.
func (t *taking) code(ctx context.Context, gtin, code string) (string, error) {
	prefix := code
	if code == "" {
		prefix = t.prefix()
	}
	taken, err := t.shelf.Codes(ctx, prefix)
	if err != nil {
		return "", err
	}
	for _, l := range t.fresh {
		taken = append(taken, l.Code)
	}
	if code == "" {
		return desk.NextCode(prefix, taken), nil
	}
	ref := trace.Link{GTIN: gtin, Lot: code}.Ref()
	if !desk.ValidCode(code) {
		return "", refuse(BadCode, about(ref, "malformed"))
	}
	if slices.Contains(taken, code) {
		return "", refuse(BadCode, about(ref, "taken"))
	}
	return code, nil
}

// longestPrefix leaves room for the ending of desk.NextCode in the 20 characters of AI 10.
const longestPrefix = 16

// prefix is what the codes of new lots begin with: the code of the lot that is divided or sorted, else place and day.
func (t *taking) prefix() string {
	if len(t.g.In) > 0 && t.g.Kind == trace.Transform && t.g.Step != trace.StepProcess {
		if l, ok := t.g.In[0].Ref.Link(); ok && len(l.Lot) <= longestPrefix {
			return l.Lot
		}
	}
	name := "LO"
	if p, ok := t.farm.Place(t.g.Place); ok {
		name = p.Name
	}
	return desk.CodePrefix(name, t.g.At.In(farm.Time()))
}

// take has mass leave a lot, or be packed of it, in one of some states, where there is so much.
func (t *taking) take(ref trace.Ref, kg float64, states ...trace.State) error {
	l := t.lots[ref]
	if err := l.in(ref, states...); err != nil {
		return err
	}
	l.taken += milligrams(kg)
	if left := milligrams(l.account.RemainingKG) + l.given - l.taken; left < 0 {
		return refuse(TooMuch, append(l.account.Sums(), Line{Kind: LineAsked, Ref: ref, KG: kilograms(l.taken)})...)
	}
	return nil
}

// in checks the state of a lot.
func (l *lotNow) in(ref trace.Ref, states ...trace.State) error {
	if slices.Contains(states, l.Lot.State) {
		return nil
	}
	if l.Gated {
		return refuse(Gated, about(ref, string(l.Lot.State)))
	}
	return refuse(BadState, about(ref, string(l.Lot.State)))
}
