package flow

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"aovuon/server/trace"
)

// stock is items and boxes as they stand, and what an event makes of them. The desk fills one with what an order touches; an audit with
// everything there ever was, and replays each event.
type stock struct {
	items map[string]*trace.Item
	boxes map[string]*trace.Box
	// What was changed, and what state it was in before; "" is new.
	movedItems map[string]trace.ItemState
	movedBoxes map[string]trace.ItemState
	byRun      map[string][]string // serials of a run, in their order
	inBox      map[string][]string // serials by box
	kids       map[string][]string // boxes by the box they stand in
}

func newStock() *stock {
	return &stock{
		items: map[string]*trace.Item{}, boxes: map[string]*trace.Box{}, movedItems: map[string]trace.ItemState{}, movedBoxes: map[string]trace.ItemState{},
		byRun: map[string][]string{}, inBox: map[string][]string{}, kids: map[string][]string{},
	}
}

func (s *stock) addItems(list ...trace.Item) {
	for _, i := range list {
		if s.items[i.Serial] != nil {
			continue
		}
		s.items[i.Serial] = &i
		s.byRun[i.Run] = append(s.byRun[i.Run], i.Serial)
		if i.Box != "" {
			s.inBox[i.Box] = append(s.inBox[i.Box], i.Serial)
		}
	}
}

func (s *stock) addBoxes(list ...trace.Box) {
	for _, b := range list {
		if s.boxes[b.SSCC] == nil {
			b.Parts = slices.Clone(b.Parts)
			s.boxes[b.SSCC] = &b
			if b.In != "" {
				s.kids[b.In] = append(s.kids[b.In], b.SSCC)
			}
		}
	}
}

// changedItems returns the items that were changed, by run and number.
func (s *stock) changedItems() []trace.Item {
	out := make([]trace.Item, 0, len(s.movedItems))
	for serial := range s.movedItems {
		out = append(out, *s.items[serial])
	}
	slices.SortFunc(out, func(a, b trace.Item) int { return cmp.Or(cmp.Compare(a.Run, b.Run), a.N-b.N) })
	return out
}

func (s *stock) changedBoxes() (out []trace.Box) {
	for _, sscc := range slices.Sorted(maps.Keys(s.movedBoxes)) {
		out = append(out, *s.boxes[sscc])
	}
	return out
}

// set changes the state of an item that is in one of some states, and where it is.
func (s *stock) set(serial string, from []trace.ItemState, to trace.ItemState, box string, at time.Time) error {
	i := s.items[serial]
	if i == nil {
		return refuse(NoItem, about(trace.Ref{Kind: trace.RefItem, ID: serial}, ""))
	}
	if !slices.Contains(from, i.State) {
		return refuse(BadItem, about(trace.Ref{Kind: trace.RefItem, ID: serial}, string(i.State)))
	}
	if _, moved := s.movedItems[serial]; !moved {
		s.movedItems[serial] = i.State
	}
	if i.State != to {
		i.Changed = at
	}
	if i.Box != box {
		s.inBox[i.Box] = slices.DeleteFunc(s.inBox[i.Box], func(x string) bool { return x == serial })
		if box != "" {
			s.inBox[box] = append(s.inBox[box], serial)
		}
	}
	i.State, i.Box = to, box
	return nil
}

// outside checks that an item is in no box.
func (s *stock) outside(serial string) error {
	if i := s.items[serial]; i != nil && i.Box != "" {
		return refuse(BadItem, about(trace.Ref{Kind: trace.RefItem, ID: serial}, "box"), about(boxRef(i.Box), ""))
	}
	return nil
}

func boxRef(sscc string) trace.Ref { return trace.Ref{Kind: trace.RefBox, ID: sscc} }

// box returns a box that is in one of some states.
func (s *stock) box(sscc string, states ...trace.ItemState) (*trace.Box, error) {
	b := s.boxes[sscc]
	if b == nil {
		return nil, refuse(NoBox, about(boxRef(sscc), ""))
	}
	if !slices.Contains(states, b.State) {
		return nil, refuse(BadBox, about(boxRef(sscc), string(b.State)))
	}
	if _, moved := s.movedBoxes[sscc]; !moved {
		s.movedBoxes[sscc] = b.State
	}
	return b, nil
}

// stand puts a box into another, or out of it where in is empty.
func (s *stock) stand(b *trace.Box, in string) {
	s.kids[b.In] = slices.DeleteFunc(s.kids[b.In], func(x string) bool { return x == b.SSCC })
	if in != "" {
		s.kids[in] = append(s.kids[in], b.SSCC)
	}
	b.In = in
}

// within returns a box and all boxes in it.
func (s *stock) within(sscc string) []string {
	out := []string{sscc}
	for i := 0; i < len(out); i++ {
		out = append(out, s.kids[out[i]]...)
	}
	return out
}

// whole changes the state of a box that stands in no other, with all that is in it.
func (s *stock) whole(sscc string, from []trace.ItemState, to trace.ItemState, at time.Time) error {
	b, err := s.box(sscc, from...)
	if err != nil {
		return err
	}
	if b.In != "" {
		return refuse(BadBox, about(boxRef(sscc), "in"), about(boxRef(b.In), ""))
	}
	for _, id := range s.within(sscc) {
		inner, err := s.box(id, from...)
		if err != nil {
			return err
		}
		inner.State = to
		for _, serial := range slices.Clone(s.inBox[id]) {
			also := from
			if slices.Contains(from, trace.ItemShipped) {
				also = append(slices.Clone(from), trace.ItemSold) // a buyer said so
			}
			if err := s.set(serial, also, to, id, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// loose adds mass of a lot to a box, or takes it out where kg is negative.
func (s *stock) loose(b *trace.Box, lot trace.Ref, kg float64) error {
	i := slices.IndexFunc(b.Parts, func(p trace.Part) bool { return p.Ref == lot })
	have := 0.0
	if i >= 0 {
		have = b.Parts[i].KG
	}
	left := milligrams(have) + milligrams(kg)
	switch {
	case left < 0:
		return refuse(TooMuch, Line{Kind: LineBoxed, Ref: boxRef(b.SSCC), KG: have}, Line{Kind: LineAsked, Ref: lot, KG: -kg})
	case left == 0 && i >= 0:
		b.Parts = slices.Delete(b.Parts, i, i+1)
	case i >= 0:
		b.Parts[i].KG = kilograms(left)
	case left > 0:
		b.Parts = append(b.Parts, trace.Part{Ref: lot, KG: kilograms(left)})
	}
	return nil
}

// empty reports whether nothing is in a box.
func (s *stock) empty(b *trace.Box) bool {
	return len(b.Parts) == 0 && len(s.inBox[b.SSCC]) == 0 && len(s.kids[b.SSCC]) == 0
}
