package flow

import (
	"slices"

	"aovuon/server/trace"
)

// of lists the states that a step begins in.
func of(states ...trace.ItemState) []trace.ItemState { return states }

// apply does to the stock what an event says, as the desk filled it in. Of a Pack, the items are there already. An error leaves the stock half
// changed: it is thrown away.
func (s *stock) apply(g trace.Goods) error {
	switch g.Kind {
	case trace.Pack:
		return s.pack(g)
	case trace.FillBox:
		return s.fill(g)
	case trace.EmptyBox:
		return s.unbox(g)
	case trace.Ship:
		return s.parts(g.In, func(p trace.Part, serial string) error {
			if serial == "" {
				return s.whole(p.Ref.ID, of(trace.ItemActivated), trace.ItemShipped, g.Made)
			}
			if err := s.outside(serial); err != nil {
				return err
			}
			return s.set(serial, of(trace.ItemActivated), trace.ItemShipped, "", g.Made)
		})
	case trace.Return:
		return s.parts(g.In, func(p trace.Part, serial string) error {
			if serial == "" {
				return s.whole(p.Ref.ID, of(trace.ItemShipped), trace.ItemActivated, g.Made)
			}
			return s.set(serial, of(trace.ItemShipped, trace.ItemSold), trace.ItemActivated, "", g.Made)
		})
	case trace.Destroy:
		return s.parts(g.In, func(p trace.Part, serial string) error {
			if serial == "" {
				return s.whole(p.Ref.ID, of(p.Was), trace.ItemVoid, g.Made)
			}
			return s.set(serial, of(p.Was), trace.ItemVoid, "", g.Made)
		})
	case trace.Transform, trace.Receive, trace.Hold, trace.LetGo, trace.Issue, trace.Recall, trace.EndRecall, trace.Close, trace.Reopen, trace.Amend:
	}
	return nil
}

// parts calls f for every serial of some parts, and with "" for every box.
func (s *stock) parts(list []trace.Part, f func(p trace.Part, serial string) error) error {
	for _, p := range list {
		for _, serial := range p.Items {
			if err := f(p, serial); err != nil {
				return err
			}
		}
		if p.Ref.Kind == trace.RefBox {
			if err := f(p, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stock) pack(g trace.Goods) error {
	if g.Step == trace.StepActivate {
		return s.parts(g.In, func(_ trace.Part, serial string) error {
			return s.set(serial, of(trace.ItemPrinted), trace.ItemActivated, "", g.Made)
		})
	}
	for _, serial := range s.byRun[g.ID] {
		s.movedItems[serial] = ""
	}
	return nil
}

func (s *stock) fill(g trace.Goods) error {
	target := g.Out[0].Ref.ID
	if s.boxes[target] == nil {
		s.boxes[target] = &trace.Box{SSCC: target, Event: g.ID, State: trace.ItemActivated, Filled: g.At}
		s.movedBoxes[target] = ""
	}
	b, err := s.box(target, trace.ItemActivated)
	if err != nil {
		return err
	}
	for _, p := range g.In {
		switch {
		case p.Ref.Kind == trace.RefBox:
			inner, err := s.box(p.Ref.ID, trace.ItemActivated)
			if err != nil {
				return err
			}
			if inner.In != "" || slices.Contains(s.within(inner.SSCC), target) {
				return refuse(BadBox, about(p.Ref, "in"), about(boxRef(inner.In), ""))
			}
			s.stand(inner, target)
		case len(p.Items) == 0:
			if err := s.loose(b, p.Ref, p.KG); err != nil {
				return err
			}
		}
		for _, serial := range p.Items {
			if err := s.outside(serial); err != nil {
				return err
			}
			if err := s.set(serial, of(trace.ItemActivated), trace.ItemActivated, target, g.Made); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stock) unbox(g trace.Goods) error {
	b, err := s.box(g.In[0].Ref.ID, trace.ItemActivated)
	if err != nil {
		return err
	}
	for _, p := range g.Out {
		switch {
		case p.Ref.Kind == trace.RefBox:
			inner, err := s.box(p.Ref.ID, trace.ItemActivated)
			if err != nil {
				return err
			}
			if inner.In != b.SSCC {
				return refuse(BadBox, about(p.Ref, "out"), about(boxRef(b.SSCC), ""))
			}
			s.stand(inner, "")
		case len(p.Items) == 0:
			if err := s.loose(b, p.Ref, -p.KG); err != nil {
				return err
			}
		}
		for _, serial := range p.Items {
			if i := s.items[serial]; i != nil && i.Box != b.SSCC {
				return refuse(BadItem, about(trace.Ref{Kind: trace.RefItem, ID: serial}, "out"), about(boxRef(b.SSCC), ""))
			}
			if err := s.set(serial, of(trace.ItemActivated), trace.ItemActivated, "", g.Made); err != nil {
				return err
			}
		}
	}
	return nil
}

// undo does the contrary of an event that did not happen; amend is the event that says so.
func (s *stock) undo(g, amend trace.Goods) error {
	at := amend.Made
	switch g.Kind {
	case trace.Pack:
		if g.Step == trace.StepActivate {
			return s.parts(g.In, func(_ trace.Part, serial string) error {
				if err := s.outside(serial); err != nil {
					return err
				}
				return s.set(serial, of(trace.ItemActivated), trace.ItemPrinted, "", at)
			})
		}
		for _, serial := range s.byRun[g.ID] {
			if err := s.outside(serial); err != nil {
				return err
			}
			if err := s.set(serial, of(trace.ItemPrinted, trace.ItemActivated), trace.ItemVoid, "", at); err != nil {
				return err
			}
		}
	case trace.FillBox:
		return s.unfill(g, amend)
	case trace.EmptyBox:
		return s.fill(trace.Goods{ID: g.ID, Made: at, At: g.At, In: g.Out, Out: g.In})
	case trace.Ship:
		return s.parts(g.In, func(p trace.Part, serial string) error {
			if serial == "" {
				return s.whole(p.Ref.ID, of(trace.ItemShipped), trace.ItemActivated, at)
			}
			return s.set(serial, of(trace.ItemShipped, trace.ItemSold), trace.ItemActivated, "", at)
		})
	case trace.Return:
		return s.parts(g.In, func(p trace.Part, serial string) error {
			if serial == "" {
				return s.whole(p.Ref.ID, of(trace.ItemActivated), trace.ItemShipped, at)
			}
			if err := s.outside(serial); err != nil {
				return err
			}
			return s.set(serial, of(trace.ItemActivated), trace.ItemShipped, "", at)
		})
	case trace.Destroy:
		return s.parts(g.In, func(p trace.Part, serial string) error {
			if serial == "" {
				return s.whole(p.Ref.ID, of(trace.ItemVoid), p.Was, at)
			}
			return s.set(serial, of(trace.ItemVoid), p.Was, "", at)
		})
	case trace.Transform, trace.Receive, trace.Hold, trace.LetGo, trace.Issue, trace.Recall, trace.EndRecall, trace.Close, trace.Reopen, trace.Amend:
	}
	return nil
}

// unfill takes out of a box what an event put in; the box goes where that event had made it and nothing is left in it.
func (s *stock) unfill(g, amend trace.Goods) error {
	if err := s.unbox(trace.Goods{ID: amend.ID, Made: amend.Made, In: g.Out, Out: g.In}); err != nil {
		return err
	}
	b := s.boxes[g.Out[0].Ref.ID]
	if b.Event != g.ID {
		return nil
	}
	if !s.empty(b) || b.In != "" {
		return refuse(Later, about(boxRef(b.SSCC), string(b.State)))
	}
	b.State = trace.ItemVoid
	return nil
}
