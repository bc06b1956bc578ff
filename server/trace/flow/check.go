package flow

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/trace"
)

// Bounds of an order.
const (
	mostText  = 300
	mostNote  = 4000
	mostParts = 500
	// MostItems is how many serials one Pack may issue.
	MostItems = 100_000
	mostKG    = 1e8
)

// tidy puts an order into the form it is kept in: times in whole milliseconds UTC, items under the lot they are of.
func tidy(g trace.Goods) trace.Goods {
	whole := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.UTC().Truncate(time.Millisecond)
	}
	g.At, g.Best, g.Made = whole(g.At), whole(g.Best), time.Time{}
	g.In, g.Out = slices.Clone(g.In), slices.Clone(g.Out)
	for _, text := range []*string{&g.Supplier, &g.Document, &g.Vehicle, &g.Reason, &g.Note} {
		*text = strings.TrimSpace(*text)
	}
	return g
}

// sameOrder reports whether an order asks for what an event says that was kept under its id: what the desk filled in does not count.
func sameOrder(kept, order trace.Goods, actor string) bool {
	strip := func(g trace.Goods) string {
		g.Made, g.Actor, g.Note, g.At, g.Place = time.Time{}, "", "", time.Time{}, ""
		g.In, g.Out = nil, nil
		raw, err := json.Marshal(g)
		if err != nil {
			return ""
		}
		return string(raw)
	}
	return kept.Actor == actor && strip(kept) == strip(order)
}

// check finds what is wrong with an order by itself.
func (t *taking) check() error {
	g := &t.g
	if !slices.Contains(trace.GoodsKinds(), g.Kind) {
		return refuse(BadKind)
	}
	if !t.who.Role.May(needs(g.Kind)) {
		return refuse(NoRight)
	}
	if g.ID != "" && !diary.ValidID(g.ID) {
		return refuse(BadID)
	}
	if g.At.IsZero() {
		g.At = t.clock
	}
	if g.At.After(t.clock.Add(diary.MostAhead)) || g.At.Year() < 2000 {
		return refuse(BadTime)
	}
	for _, text := range []string{g.Supplier, g.Document, g.Vehicle, g.Reason, g.Place, g.Buyer, g.Voids, g.Step} {
		if !clean(text, mostText) {
			return refuse(BadText)
		}
	}
	if !clean(g.Note, mostNote) {
		return refuse(BadText)
	}
	if len(g.In)+len(g.Out) > mostParts {
		return refuse(BadParts, Line{Kind: LineAsked, Count: len(g.In) + len(g.Out)})
	}
	for _, p := range slices.Concat(g.In, g.Out) {
		if err := checkPart(p); err != nil {
			return err
		}
	}
	return t.shape()
}

// clean reports whether a text is short enough and holds characters alone; line feeds may stand in it.
func clean(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' })
}

func checkPart(p trace.Part) error {
	bad := func(code Code) error {
		return refuse(code, Line{Kind: LineAsked, Ref: p.Ref, KG: p.KG, Count: p.Count})
	}
	switch {
	case math.IsNaN(p.KG) || math.IsInf(p.KG, 0) || p.KG < 0 || p.KG > mostKG || p.KG > 0 && milligrams(p.KG) == 0:
		return refuse(BadMass, about(p.Ref, ""))
	case p.Count < 0 || p.Count > MostItems || len(p.Items) > MostItems:
		return bad(BadCount)
	case !clean(p.Ref.ID, mostText) || !clean(p.Grade, mostText):
		return bad(BadText)
	case p.Ref.Kind == trace.RefBox && p.Ref.ID != "" && !ValidSSCC(p.Ref.ID):
		return bad(NoBox)
	case p.Was != "":
		return bad(BadParts)
	}
	for i, s := range p.Items {
		if !ValidSerial(s) || slices.Contains(p.Items[:min(i, 1000)], s) {
			return refuse(NoItem, about(trace.Ref{Kind: trace.RefItem, ID: s}, ""))
		}
	}
	if p.Ref.Kind == trace.RefLot {
		if _, ok := p.Ref.Link(); !ok {
			return bad(NoLot)
		}
	}
	return nil
}

// shape says which parts and texts an order of a kind needs, and has no others.
type shape struct {
	in, out       []trace.RefKind // sorts of parts there may be
	least, most   int             // parts that go in
	outs, mostOut int             // parts that come out
	reason, buyer bool
	steps         []string
}

func shapes(kind trace.GoodsKind) shape {
	lots := []trace.RefKind{trace.RefLot}
	goods := []trace.RefKind{trace.RefLot, trace.RefBox, trace.RefItem}
	switch kind {
	case trace.Transform:
		return shape{
			in: []trace.RefKind{trace.RefLot, trace.RefSupply}, out: lots, least: 1, most: mostParts, outs: 1, mostOut: 50,
			steps: []string{trace.StepProcess, trace.StepDry, trace.StepGrade, trace.StepSplit, trace.StepMerge},
		}
	case trace.Pack:
		return shape{
			in: []trace.RefKind{trace.RefLot, trace.RefItem}, out: lots, least: 1, most: mostParts, mostOut: 1,
			steps: []string{"", trace.StepIssue, trace.StepActivate, trace.StepPlain},
		}
	case trace.FillBox:
		return shape{in: goods, out: []trace.RefKind{trace.RefBox}, least: 1, most: mostParts, mostOut: 1, steps: []string{""}}
	case trace.EmptyBox:
		return shape{in: []trace.RefKind{trace.RefBox}, out: goods, least: 1, most: 1, mostOut: mostParts, steps: []string{""}}
	case trace.Ship:
		return shape{in: goods, least: 1, most: mostParts, buyer: true, steps: []string{""}}
	case trace.Return:
		return shape{in: goods, least: 1, most: mostParts, buyer: true, reason: true, steps: []string{""}}
	case trace.Receive:
		return shape{in: []trace.RefKind{trace.RefSupply}, out: lots, most: mostParts, outs: 1, mostOut: 50, steps: []string{""}}
	case trace.Destroy:
		return shape{in: goods, least: 1, most: mostParts, reason: true, steps: []string{"", trace.StepLabels}}
	case trace.Hold:
		return shape{in: lots, least: 1, most: mostParts, reason: true, steps: []string{"", trace.StepUpstream}}
	case trace.LetGo, trace.Recall, trace.EndRecall, trace.Reopen:
		return shape{in: lots, least: 1, most: mostParts, reason: true, steps: []string{""}}
	case trace.Issue, trace.Close:
		return shape{in: lots, least: 1, most: mostParts, steps: []string{""}}
	case trace.Amend:
		return shape{reason: true, steps: []string{""}}
	}
	return shape{}
}

func (t *taking) shape() error {
	g, s := t.g, shapes(t.g.Kind)
	if !slices.Contains(s.steps, g.Step) {
		return refuse(BadStep)
	}
	if len(g.In) < s.least || len(g.In) > s.most || len(g.Out) < s.outs || len(g.Out) > s.mostOut {
		return refuse(BadParts)
	}
	for _, p := range g.In {
		if !slices.Contains(s.in, p.Ref.Kind) || p.Ref.ID == "" {
			return refuse(BadParts, about(p.Ref, ""))
		}
	}
	for _, p := range g.Out {
		if g.Kind == trace.Pack && p.Ref == (trace.Ref{}) {
			continue // of the lot that goes in
		}
		if !slices.Contains(s.out, p.Ref.Kind) {
			return refuse(BadParts, about(p.Ref, ""))
		}
	}
	switch {
	case s.reason && g.Reason == "":
		return refuse(NoReason)
	case s.buyer && g.Buyer == "":
		return refuse(BadBuyer)
	case g.Kind == trace.Receive && g.Supplier == "":
		return refuse(BadSupplier)
	case (g.Kind == trace.Amend) != (g.Voids != ""):
		return refuse(NoEvent)
	case g.Drill && g.Kind != trace.Recall:
		return refuse(BadKind)
	}
	return nil
}

// after checks that nothing is done with goods on a day before they were harvested or made.
func (t *taking) after() error {
	day := func(at time.Time) string { return at.In(farm.Time()).Format(time.DateOnly) }
	for _, ref := range sortedRefs(t.lots) {
		if l := t.lots[ref].Lot; !l.Harvested.IsZero() && day(t.g.At) < day(l.Harvested) {
			return refuse(BadTime, Line{Kind: LineThing, Ref: ref, At: l.Harvested, State: string(l.State)})
		}
	}
	return nil
}

func sortedRefs[T any](m map[trace.Ref]T) []trace.Ref {
	out := make([]trace.Ref, 0, len(m))
	for r := range m {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b trace.Ref) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return out
}
