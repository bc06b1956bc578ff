package flow

import (
	"context"
	"slices"

	"aovuon/server/trace"
)

// Grown is what a lot's mass is held against.
type Grown struct {
	SeasonKG float64      // of every lot of its season, or of the lot alone where it has none
	BatchKG  float64      // what went into the diary's batches that it is made of
	Batch    bool         // it is of batches
	Inputs   []trace.Link // lots of the codes that the batches name
}

// bounds returns how much of a lot there is, and the most that there can be: what went into a batch with the yield of its step, else what
// grows on the area of its places in one season. over says that there is more. Nothing is known of a lot that came out of other lots (its
// Transform was weighed) or whose branch or places' area nobody wrote down: then there are no lines.
func (t *taking) bounds(ctx context.Context, l trace.Lot, made bool) (lines []Line, over bool, err error) {
	if made {
		return nil, false, nil
	}
	g, err := t.shelf.Grown(ctx, l)
	if err != nil {
		return nil, false, err
	}
	ref, branch := l.Link().Ref(), t.branch(l.GTIN)
	if g.Batch {
		y, ok := t.terms.most(trace.StepProcess, branch)
		if !ok {
			return nil, false, nil
		}
		most := float64(milligrams(g.BatchKG)) * y.Most
		lines = []Line{{Kind: LineBatch, KG: g.BatchKG}, {Kind: LineYield, KG: kilograms(int64(most)), Factor: y.Most, State: trace.StepProcess}, {Kind: LineAsked, Ref: ref, KG: l.KG}}
		return lines, float64(milligrams(l.KG)) > most, nil
	}
	area := 0.0
	for _, code := range l.Places {
		if p, ok := t.farm.Place(code); ok {
			area += p.AreaM2
		}
	}
	d, ok := t.terms.density(branch)
	if !ok || area == 0 {
		return nil, false, nil
	}
	lines = []Line{{Kind: LineArea, KG: area * d.KGM2, Count: int(area), Factor: d.KGM2}, {Kind: LineAsked, Ref: ref, KG: g.SeasonKG}}
	return lines, milligrams(g.SeasonKG) > milligrams(area*d.KGM2), nil
}

// made reports whether a lot came out of goods events.
func (a Account) made() bool {
	return slices.ContainsFunc(a.In, func(l Line) bool { return l.Kind == LineMade || l.Kind == LineReceived })
}
