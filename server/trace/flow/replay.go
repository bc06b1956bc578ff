package flow

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"aovuon/server/trace"
)

// Books is all there is of goods: events in the order they were kept, what the store says they name, and items and boxes as they stand.
type Books struct {
	Events []trace.Goods
	Refs   map[string][]trace.Ref // by event
	Items  []trace.Item
	Boxes  []trace.Box
}

// Fault is a place where the books do not agree with themselves.
type Fault struct {
	Where string // a goods event, item or box
	What  string
}

// Faults goes through every event again, and says where items and boxes stand otherwise than the events come to, or an event cannot have
// happened as it stands.
func (b Books) Faults() (out []Fault) {
	find := func(where, format string, args ...any) { out = append(out, Fault{where, fmt.Sprintf(format, args...)}) }
	byID := map[string]trace.Goods{}
	for _, g := range b.Events {
		byID[g.ID] = g
		if want := Refs(g); !slices.Equal(sortRefs(b.Refs[g.ID]), want) {
			find("goods event "+g.ID, "the store says that it names other things than it does")
		}
	}
	for id := range b.Refs {
		if _, ok := byID[id]; !ok {
			find("goods event "+id, "is not there, and the store says what it names")
		}
	}
	s, runs := newStock(), b.runs()
	for _, g := range b.Events {
		if err := s.again(g, byID, runs[g.ID]); err != nil {
			bad := err.Error()
			if why, ok := errors.AsType[*RefusedError](err); ok {
				bad = why.Error()
			}
			find("goods event "+g.ID, "cannot have happened as it stands: %s", bad)
		}
		delete(runs, g.ID)
	}
	for _, run := range slices.Sorted(maps.Keys(runs)) {
		find("items of "+run, "no event issued them")
	}
	return append(out, b.differences(s)...)
}

func sortRefs(list []trace.Ref) []trace.Ref {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b trace.Ref) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return out
}

// runs returns the items by run, each in its order.
func (b Books) runs() map[string][]trace.Item {
	out := map[string][]trace.Item{}
	for _, i := range b.Items {
		out[i.Run] = append(out[i.Run], i)
	}
	for _, list := range out {
		slices.SortFunc(list, func(x, y trace.Item) int { return x.N - y.N })
	}
	return out
}

// again does an event again. issued are the items of its run as the store has them: their serials are believed, and nothing else of them.
func (s *stock) again(g trace.Goods, events map[string]trace.Goods, issued []trace.Item) error {
	if g.Kind == trace.Amend {
		old, ok := events[g.Voids]
		if !ok {
			return refuse(NoEvent)
		}
		return s.undo(old, g)
	}
	if g.Kind != trace.Pack || g.Step == trace.StepActivate || g.Step == trace.StepPlain {
		if len(issued) > 0 {
			return refuse(Broken, Line{Kind: LineAsked, Count: len(issued)})
		}
		return s.apply(g)
	}
	if len(g.In) != 1 || len(g.Out) != 1 || g.Out[0].Count != len(issued) {
		return refuse(Broken, Line{Kind: LineAsked, Count: len(issued)})
	}
	link, _ := g.In[0].Ref.Link()
	for n, i := range issued {
		fresh := trace.Item{Serial: i.Serial, GTIN: link.GTIN, Lot: link.Lot, Run: g.ID, N: n + 1, NetG: g.NetG, Best: g.Best, State: firstState(g), Changed: g.Made}
		if !ValidSerial(i.Serial) || s.items[i.Serial] != nil {
			return refuse(NoItem, about(trace.Ref{Kind: trace.RefItem, ID: i.Serial}, ""))
		}
		s.addItems(fresh)
	}
	return s.apply(g)
}

// firstState is what the items of a Pack are at first.
func firstState(g trace.Goods) trace.ItemState {
	if g.Step == trace.StepIssue {
		return trace.ItemPrinted
	}
	return trace.ItemActivated
}

// differences compares items and boxes with what the events came to.
func (b Books) differences(s *stock) (out []Fault) {
	for _, i := range b.Items {
		want := s.items[i.Serial]
		switch {
		case want == nil:
			out = append(out, Fault{"item " + i.Serial, "no event tells of it"})
		case !sameItem(*want, i):
			out = append(out, Fault{"item " + i.Serial, fmt.Sprintf("is %s in box %q of lot %s, its events come to %s in box %q of lot %s", i.State, i.Box, i.Lot, want.State, want.Box, want.Lot)})
		}
	}
	there := map[string]bool{}
	for _, x := range b.Boxes {
		there[x.SSCC] = true
		want := s.boxes[x.SSCC]
		switch {
		case want == nil:
			out = append(out, Fault{"box " + x.SSCC, "no event tells of it"})
		case !sameBox(*want, x):
			out = append(out, Fault{"box " + x.SSCC, "is not what its events come to"})
		}
	}
	for _, sscc := range slices.Sorted(maps.Keys(s.boxes)) {
		if !there[sscc] {
			out = append(out, Fault{"box " + sscc, "is gone"})
		}
	}
	return out
}

func sameItem(a, b trace.Item) bool {
	return a.GTIN == b.GTIN && a.Lot == b.Lot && a.Run == b.Run && a.N == b.N && milligrams(a.NetG) == milligrams(b.NetG) && a.Best.Equal(b.Best) && a.State == b.State &&
		a.Box == b.Box && a.Changed.Equal(b.Changed)
}

func sameBox(a, b trace.Box) bool {
	if a.Event != b.Event || a.In != b.In || a.State != b.State || !a.Filled.Equal(b.Filled) || len(a.Parts) != len(b.Parts) {
		return false
	}
	for _, p := range a.Parts {
		if !slices.ContainsFunc(b.Parts, func(q trace.Part) bool { return p.Ref == q.Ref && milligrams(p.KG) == milligrams(q.KG) }) {
			return false
		}
	}
	return true
}
