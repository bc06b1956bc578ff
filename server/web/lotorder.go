package web

import (
	"net/http"
	"time"

	"aovuon/server/form"
	"aovuon/server/trace"
)

// orders makes of a form what flow is asked for: one order, or of boxes one each. id is that of the first.
func (s *Server) orders(r *http.Request, a deedAsked, id string, v form.Values) ([]trace.Goods, error) {
	o := trace.Goods{
		ID: id, Kind: a.deed.kind, Step: a.deed.step, Buyer: v.Text(keyBuyer), Supplier: v.Text(keySupplier), Document: v.Text(keyDocument), Vehicle: v.Text(keyVehicle),
		Reason: v.Text(keyReason), Note: v.Text(keyNote), Best: v.Day(keyBest, s.e.words["vi"].zone),
	}
	if at, err := time.Parse(time.RFC3339, v.Text(keyAt)); err == nil {
		o.At = at
	}
	me := a.lot.Link().Ref()
	kg, _ := v.Number(keyKG)
	switch a.deed.name {
	case "activate":
		items, err := s.printedItems(r, a.lot.Link(), v)
		if err != nil {
			return nil, err
		}
		o.In = []trace.Part{{Ref: me, Items: items}}
	case "spoil":
		o.In = loose(me, 0, serials(v.List(keyItems)))
	case "pack", "issue":
		n, _ := v.Number(keyPacks)
		o.NetG, _ = v.Number(keyPackG)
		o.In = []trace.Part{{Ref: me, Count: int(n)}}
	case "box":
		return s.boxOrders(o, me, v)
	case "ship", "return":
		for _, sscc := range v.List(keyBoxes) {
			o.In = append(o.In, trace.Part{Ref: trace.Ref{Kind: trace.RefBox, ID: sscc}})
		}
		o.In = append(o.In, loose(me, kg, serials(v.List(keyItems)))...)
		if len(o.In) == 0 {
			return nil, &form.InvalidError{Problems: form.Problems{{Key: keyKG, Code: form.Missing}}}
		}
	case "destroy":
		if o.In = loose(me, kg, serials(v.List(keyItems))); len(o.In) == 0 {
			return nil, &form.InvalidError{Problems: form.Problems{{Key: keyKG, Code: form.Missing}}}
		}
	case "process", "dry":
		out, _ := v.Number(keyOutKG)
		gtin, err := s.numberOf(r, v.Text(keyOutProduct))
		if err != nil {
			return nil, err
		}
		o.In, o.Out = []trace.Part{{Ref: me, KG: kg}}, []trace.Part{newLot(gtin, v.Text(keyCode), out)}
	case "grade":
		o.In = []trace.Part{{Ref: me, KG: kg}}
		for i, g := range grades() {
			if out, ok := v.Number(g); ok && out > 0 {
				p := newLot(a.lot.GTIN, "", out)
				p.Grade = string(rune('1' + i))
				o.Out = append(o.Out, p)
			}
		}
		if len(o.Out) == 0 {
			return nil, &form.InvalidError{Problems: form.Problems{{Key: grades()[0], Code: form.Missing}}}
		}
	case "split":
		o.In, o.Out = []trace.Part{{Ref: me, KG: kg}}, []trace.Part{newLot(a.lot.GTIN, v.Text(keyCode), kg)}
	case "merge":
		return s.mergeOrder(r, o, a, v)
	case "receive":
		gtin, err := s.numberOf(r, v.Text(keyOutProduct))
		if err != nil {
			return nil, err
		}
		o.Out = []trace.Part{newLot(gtin, v.Text(keyCode), kg)}
	default: // of the lot's state
		o.In = []trace.Part{{Ref: me}}
	}
	return []trace.Goods{o}, nil
}

// printedItems are the serials of a lot whose labels are on no item yet, in the order they were issued: all, or the first so many.
func (s *Server) printedItems(r *http.Request, l trace.Link, v form.Values) (out []string, err error) {
	events, err := s.o.Goods.GoodsOf(r.Context(), l.Ref())
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if e.Kind != trace.Pack || e.Step != trace.StepIssue {
			continue
		}
		items, err := s.o.Goods.Items(r.Context(), e.ID)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			if i.State == trace.ItemPrinted {
				out = append(out, i.Serial)
			}
		}
	}
	n, some := v.Number(keyPacks)
	switch {
	case len(out) == 0 || some && int(n) > len(out):
		return nil, &form.InvalidError{Problems: form.Problems{{Key: keyPacks, Code: form.TooLarge, Bound: float64(len(out))}}}
	case some:
		return out[:int(n)], nil
	}
	return out, nil
}

// newLot is a lot that comes out; without a code it gets the next one.
func newLot(gtin, code string, kg float64) trace.Part {
	return trace.Part{Ref: trace.Link{GTIN: gtin, Lot: code}.Ref(), KG: kg}
}

// loose are a mass of a lot and items of it.
func loose(lot trace.Ref, kg float64, items []string) (out []trace.Part) {
	if kg > 0 {
		out = append(out, trace.Part{Ref: lot, KG: kg})
	}
	if len(items) > 0 {
		out = append(out, trace.Part{Ref: lot, Items: items})
	}
	return out
}

// boxOrders fill as many boxes as are asked for, each with the next items.
func (s *Server) boxOrders(o trace.Goods, me trace.Ref, v form.Values) ([]trace.Goods, error) {
	per, _ := v.Number(keyPerBox)
	n, _ := v.Number(keyBoxCount)
	var out []trace.Goods
	for i := range int(n) {
		if i > 0 {
			var err error
			if o.ID, err = s.newEventID(); err != nil {
				return nil, err
			}
		}
		o.In = []trace.Part{{Ref: me, Count: int(per)}}
		out = append(out, o)
	}
	return out, nil
}

// mergeOrder puts all that remains of the lots into one.
func (s *Server) mergeOrder(r *http.Request, o trace.Goods, a deedAsked, v form.Values) ([]trace.Goods, error) {
	total := 0.0
	for _, ref := range append([]string{a.lot.Link().Ref().String()}, v.List(keyLots)...) {
		lot, err := trace.ParseRef(ref)
		if err != nil {
			return nil, err
		}
		link, _ := lot.Link()
		acc, err := s.o.Goods.Account(r.Context(), link)
		if err != nil {
			return nil, err
		}
		o.In = append(o.In, trace.Part{Ref: lot, KG: acc.RemainingKG})
		total += acc.RemainingKG
	}
	o.Out = []trace.Part{newLot(a.lot.GTIN, v.Text(keyCode), total)}
	return []trace.Goods{o}, nil
}

// numberOf is the number that a product of the register has on labels.
func (s *Server) numberOf(r *http.Request, record string) (string, error) {
	list, err := s.o.Goods.Products(r.Context())
	if err != nil {
		return "", err
	}
	for _, p := range list {
		if p.Record == record {
			return p.GTIN, nil
		}
	}
	return "", &form.InvalidError{Problems: form.Problems{{Key: keyOutProduct, Code: form.NoRecord}}}
}
