package web

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// lotAccount adds the mass account of a lot, line by line.
func (s *Server) lotAccount(ctx context.Context, t teller, v *lotWholeView) error {
	a, err := s.o.Goods.Account(ctx, v.Lot.Link())
	if err != nil {
		return err
	}
	w := t.w
	v.In, v.Left, v.Over = w.mass(a.InKG), w.mass(a.RemainingKG), a.Over()
	for _, part := range []struct {
		lines []flow.Line
		sign  string
	}{{a.In, ""}, {a.Out, "−"}, {a.Packed, "−"}} {
		for _, l := range part.lines {
			line := t.accountLine(l)
			line.KG = part.sign + w.mass(l.KG)
			if l.KG < 0 && part.sign != "" { // taken out of packs again
				line.KG = w.mass(-l.KG)
			}
			v.Account = append(v.Account, line)
		}
	}
	v.Account = append(v.Account, accountLine{Text: w.t("lot.account.total"), KG: w.mass(a.RemainingKG), Total: true})
	for _, st := range trace.ItemStates() {
		if n := a.Items[st]; n > 0 {
			v.Items = append(v.Items, itemCount{w.t("lot.item." + string(st)), w.t("lot.count", w.count(int64(n)))})
		}
	}
	return nil
}

// accountLine tells a line of an account, but for its mass.
func (t teller) accountLine(l flow.Line) accountLine {
	w := t.w
	out := accountLine{Text: w.t("goods.line." + string(l.Kind))}
	if !l.At.IsZero() {
		out.Day = w.date(l.At)
	}
	if l.Count > 0 {
		out.Text += " · " + w.t("lot.count", w.count(int64(l.Count)))
	}
	if l.Shared > 1 {
		out.Text += " · " + w.t("goods.line.shared", w.count(int64(l.Shared)))
	}
	if name := t.thing(l.Ref); name != "" {
		out.Text += " · " + name
	}
	if l.Diary && l.Event != "" {
		out.Href = "/diary/" + l.Event
	}
	return out
}

// thing is what people call what a Ref names; "" for none.
func (t teller) thing(r trace.Ref) string {
	w := t.w
	switch r.Kind {
	case trace.RefLot:
		if l, ok := r.Link(); ok && l.Lot != "" {
			return w.t("label.lot", l.Lot)
		}
	case trace.RefBox:
		return w.t("goods.thing.box", r.ID)
	case trace.RefItem:
		return w.t("goods.thing.item", r.ID)
	case trace.RefBuyer:
		if rec, ok := t.reg.record(farm.Buyer, r.ID); ok {
			return rec.Name()
		}
		return r.ID
	case trace.RefPlace:
		if p, ok := t.farm.Place(r.ID); ok {
			return p.Title.In(w.lang)
		}
	case trace.RefSeason:
		if rec, ok := t.reg.record(farm.Cycle, r.ID); ok {
			return rec.Name()
		}
	case trace.RefSupply:
		return r.ID
	}
	return ""
}

// lotEvents adds what was done with a lot, the newest first.
func (s *Server) lotEvents(ctx context.Context, t teller, v *lotWholeView) error {
	events, err := s.lotGoods(ctx, v.Lot.Link())
	if err != nil {
		return err
	}
	v.Events = s.goodsLines(ctx, t, v.Lot.Link(), events)
	return nil
}

// lotGoods are the events that name a lot, or a box that holds something of it, in the order they were kept.
func (s *Server) lotGoods(ctx context.Context, l trace.Link) ([]trace.Goods, error) {
	events, err := s.o.Goods.GoodsOf(ctx, l.Ref())
	if err != nil {
		return nil, err
	}
	boxes, err := s.o.Goods.BoxesOf(ctx, l)
	if err != nil {
		return nil, err
	}
	for _, b := range boxes {
		more, err := s.o.Goods.GoodsOf(ctx, trace.Ref{Kind: trace.RefBox, ID: b.SSCC})
		if err != nil {
			return nil, err
		}
		events = append(events, more...)
	}
	slices.SortStableFunc(events, func(a, b trace.Goods) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID)) })
	return slices.CompactFunc(events, func(a, b trace.Goods) bool { return a.ID == b.ID }), nil
}

func (s *Server) goodsLines(ctx context.Context, t teller, of trace.Link, events []trace.Goods) []goodsLine {
	gone := map[string]bool{}
	called := map[string]string{}
	for _, e := range events {
		called[e.ID] = t.deedName(e)
		if e.Kind == trace.Amend {
			gone[e.Voids] = true
		}
	}
	move := s.may(ctx, account.EditFarm)
	out := make([]goodsLine, 0, len(events))
	for _, e := range slices.Backward(events) {
		line := goodsLine{
			ID: e.ID, What: called[e.ID], When: t.w.dateTime(e.At), Who: t.who(e.Actor), Parts: t.partsTold(of.Ref(), e), Reason: e.Reason, Amended: gone[e.ID],
		}
		if e.Kind == trace.Amend {
			line.What = t.w.t("lot.event.amends", lowerFirst(called[e.Voids]))
		}
		if move && !line.Amended && amendable(e.Kind) {
			line.Undo = "/goods/" + e.ID + "/void?lot=" + url.QueryEscape(of.Path())
		}
		out = append(out, line)
	}
	return out
}

// amendable reports whether an event of a kind can be said not to have happened; states are changed by another event.
func amendable(k trace.GoodsKind) bool {
	switch k {
	case trace.Transform, trace.Pack, trace.FillBox, trace.EmptyBox, trace.Ship, trace.Receive, trace.Return, trace.Destroy:
		return true
	case trace.Hold, trace.LetGo, trace.Issue, trace.Recall, trace.EndRecall, trace.Close, trace.Reopen, trace.Amend:
	}
	return false
}

// deedName is what an event is called.
func (t teller) deedName(e trace.Goods) string {
	if e.Kind == trace.Transform && e.Step != "" {
		return t.w.t("goods." + e.Step)
	}
	return t.w.t("goods." + string(e.Kind))
}

// partsTold tells what went in and what came out, and with whom.
func (t teller) partsTold(me trace.Ref, e trace.Goods) string {
	w := t.w
	side := func(parts []trace.Part) string {
		var out []string
		for _, p := range parts {
			var one []string
			if p.Ref != me {
				if name := t.thing(p.Ref); name != "" {
					one = append(one, name)
				}
			}
			if p.KG > 0 {
				one = append(one, w.mass(p.KG))
			}
			if n := max(p.Count, len(p.Items)); n > 0 {
				one = append(one, w.t("lot.count", w.count(int64(n))))
			}
			if len(one) > 0 {
				out = append(out, strings.Join(one, " "))
			}
		}
		return strings.Join(out, ", ")
	}
	var told []string
	in, made := side(e.In), side(e.Out)
	if in != "" && made != "" {
		told = append(told, in+" → "+made)
	} else if in+made != "" {
		told = append(told, in+made)
	}
	if e.Buyer != "" {
		told = append(told, t.thing(trace.Ref{Kind: trace.RefBuyer, ID: e.Buyer}))
	}
	for _, more := range []string{e.Supplier, e.Document, e.Vehicle} {
		if more != "" {
			told = append(told, more)
		}
	}
	return strings.Join(told, " · ")
}

// lotBoxes adds the boxes that hold something of a lot.
func (s *Server) lotBoxes(ctx context.Context, t teller, v *lotWholeView) error {
	boxes, err := s.o.Goods.BoxesOf(ctx, v.Lot.Link())
	if err != nil {
		return err
	}
	for _, b := range boxes {
		v.Boxes = append(v.Boxes, newBoxRow(t.w, b))
	}
	return nil
}

func newBoxRow(w *words, b trace.Box) boxRow {
	row := boxRow{Href: "/boxes/" + b.SSCC, Code: b.SSCC, State: w.t("lot.box." + string(b.State))}
	n, kg := 0, 0.0
	for _, p := range b.Parts {
		n += max(p.Count, len(p.Items))
		kg += p.KG
	}
	var what []string
	if n > 0 {
		what = append(what, w.t("lot.count", w.count(int64(n))))
	}
	if kg > 0 {
		what = append(what, w.mass(kg))
	}
	row.What = strings.Join(what, ", ")
	return row
}
