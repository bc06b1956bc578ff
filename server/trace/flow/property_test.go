package flow_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/server/parttest"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// world is a rig on which orders are drawn at random.
type world struct {
	*rig
	rt     *rapid.T
	lots   []trace.Ref
	boxes  []trace.Ref
	events []string
	kept   int
}

// try takes an order or has it refused for a reason; any other error is a fault.
func (w *world) try(g trace.Goods) (trace.Goods, bool) {
	w.now = w.now.Add(time.Minute)
	out, err := w.desk.Take(w.Context(), []flow.Who{lan, minh}[w.kept%2], g)
	if _, refused := errors.AsType[*flow.RefusedError](err); refused {
		return out, false
	}
	if err != nil {
		w.rt.Fatalf("%s %s: %v", g.Kind, g.Step, err)
	}
	w.kept++
	w.events = append(w.events, out.ID)
	for _, p := range out.Out {
		switch {
		case p.Ref.Kind == trace.RefBox && !slices.Contains(w.boxes, p.Ref):
			w.boxes = append(w.boxes, p.Ref)
		case p.Ref.Kind == trace.RefLot && !slices.Contains(w.lots, p.Ref):
			w.lots = append(w.lots, p.Ref)
		}
	}
	return out, true
}

func pick[T any](w *world, name string, list []T) T { return rapid.SampledFrom(list).Draw(w.rt, name) }

func (w *world) kg() float64 { return float64(rapid.IntRange(1, 60_000).Draw(w.rt, "g")) / 1000 }

// some draws goods: a mass, items by count, or a box.
func (w *world) some() trace.Part {
	lot := pick(w, "lot", w.lots)
	switch n := rapid.IntRange(0, 2).Draw(w.rt, "sort"); {
	case n == 0:
		return trace.Part{Ref: lot, KG: w.kg()}
	case n == 1 && len(w.boxes) > 0:
		return trace.Part{Ref: pick(w, "box", w.boxes)}
	}
	return trace.Part{Ref: lot, Count: rapid.IntRange(1, 6).Draw(w.rt, "count")}
}

// likely returns the kinds, those more often that take goods on their way.
func likely() []trace.GoodsKind {
	return slices.Concat(trace.GoodsKinds(), slices.Repeat([]trace.GoodsKind{trace.Pack, trace.FillBox, trace.Issue, trace.Ship, trace.Return, trace.Destroy, trace.Amend, trace.EmptyBox, trace.LetGo, trace.EndRecall, trace.Reopen}, 3))
}

func (w *world) order() trace.Goods {
	lot := pick(w, "lot", w.lots)
	g := trace.Goods{Kind: pick(w, "kind", likely()), In: part(lot, 0)}
	switch g.Kind {
	case trace.Transform:
		g.Step = pick(w, "step", []string{trace.StepSplit, trace.StepGrade, trace.StepDry, trace.StepProcess})
		g.In, g.Out = part(lot, w.kg()), part(trace.Ref{Kind: trace.RefLot, ID: pick(w, "gtin", []string{fish, sheets}) + "/"}, w.kg())
	case trace.Pack:
		g.Step, g.NetG = pick(w, "step", []string{"", "", trace.StepIssue, trace.StepPlain}), float64(rapid.IntRange(1, 3000).Draw(w.rt, "net"))
		g.Out = []trace.Part{{Count: rapid.IntRange(1, 12).Draw(w.rt, "packs")}}
	case trace.FillBox:
		g.In = []trace.Part{w.some(), w.some()}
		if len(w.boxes) > 0 && rapid.Bool().Draw(w.rt, "there") {
			g.Out = []trace.Part{{Ref: pick(w, "into", w.boxes)}}
		}
	case trace.EmptyBox:
		if len(w.boxes) > 0 {
			g.In = []trace.Part{{Ref: pick(w, "box", w.boxes)}}
		}
	case trace.Ship, trace.Return:
		g.In, g.Buyer, g.Reason = []trace.Part{w.some()}, "bep", "x"
	case trace.Receive:
		g.In, g.Out, g.Supplier = nil, part(trace.Ref{Kind: trace.RefLot, ID: sheets + "/"}, w.kg()), "x"
	case trace.Destroy:
		g.In, g.Reason, g.Step = []trace.Part{w.some()}, "x", pick(w, "what", []string{"", trace.StepLabels})
	case trace.Amend:
		g.In, g.Reason = nil, "x"
		if len(w.events) > 0 {
			g.Voids = pick(w, "event", w.events)
		}
	case trace.Hold, trace.LetGo, trace.Issue, trace.Recall, trace.EndRecall, trace.Close, trace.Reopen:
		g.Reason = "x"
	}
	return g
}

// check holds the store against the rules: no lot has less than nothing, nothing comes out of nothing, and the events come to what is there.
func (w *world) check() {
	var in, left int64
	for _, ref := range w.lots {
		a := w.account(ref)
		if a.Over() {
			w.rt.Fatalf("lot %s: %+v", ref.ID, a)
		}
		for _, l := range a.In {
			if l.Kind == flow.LineHarvest || l.Kind == flow.LineReceived {
				in += int64(l.KG*1000 + 0.5)
			}
		}
		left += int64(a.RemainingKG*1000+0.5) + int64(a.PackedKG*1000+0.5)
	}
	if float64(left) > 1.5*float64(in) { // sheets of rice weigh a little more than the rice, a few times over
		w.rt.Fatalf("%d g are there, %d g came in", left, in)
	}
	books, err := w.db.GoodsBooks(w.Context())
	if err != nil {
		w.rt.Fatal(err)
	}
	if faults := books.Faults(); len(faults) > 0 {
		w.rt.Fatalf("faults %+v", faults)
	}
	if len(books.Events) != w.kept {
		w.rt.Fatalf("%d events, %d were kept", len(books.Events), w.kept)
	}
	packs := map[trace.Ref]float64{}
	for _, i := range books.Items {
		if i.State != trace.ItemVoid {
			packs[i.Link().Ref()] += i.NetG / 1000
		}
	}
	for ref, kg := range packs {
		if a := w.account(ref); kg > a.PackedKG+1e-6 {
			w.rt.Fatalf("lot %s: labels for %g kg, %g kg are packed", ref.ID, kg, a.PackedKG)
		}
	}
}

// TestMassBalance_OfWhateverIsDone draws orders at random. Whatever is taken, masses, serials and boxes agree.
func TestMassBalance_OfWhateverIsDone(t *testing.T) {
	steps, kept := parttest.Effort(t, 40, 120, 400, 400), 0
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, sqldbtest.Open(t, sqldbtest.Fresh(t)))
		w := &world{rig: r, rt: rt, lots: []trace.Ref{r.lot}}
		for n := range steps {
			w.try(w.order())
			if n%20 == 19 {
				w.check()
			}
		}
		kept += w.kept
	})
	t.Logf("%d orders were kept", kept)
}
