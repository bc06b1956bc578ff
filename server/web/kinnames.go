package web

import (
	"context"
	"net/url"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/trace"
)

// namer calls things that goods come from, are in and go to by the names that people know them by.
type namer struct {
	t        teller
	products map[string]string
}

func (s *Server) namer(ctx context.Context, w *words) (namer, error) {
	f, reg, err := s.landAndRegister(ctx)
	if err != nil {
		return namer{}, err
	}
	t, err := s.teller(ctx, w, f, reg)
	if err != nil {
		return namer{}, err
	}
	products, err := s.productNames(ctx, w)
	return namer{t, products}, err
}

// name is what a thing is called.
func (n namer) name(r trace.Ref) string {
	w := n.t.w
	switch r.Kind {
	case trace.RefLot:
		l, _ := r.Link()
		return strings.TrimSpace(n.products[l.GTIN] + " · " + l.Lot)
	case trace.RefSupply:
		return n.supply(r)
	case trace.RefSeason:
		return n.record(farm.Cycle, r.ID)
	case trace.RefPlace:
		if p, ok := n.t.farm.Place(r.ID); ok {
			return p.Title.In(w.lang)
		}
	case trace.RefBox:
		return w.t("goods.thing.box", r.ID)
	case trace.RefItem:
		return w.t("goods.thing.item", r.ID)
	case trace.RefBuyer:
		return n.record(farm.Buyer, r.ID)
	}
	return r.ID
}

func (n namer) record(kind farm.RecordKind, id string) string {
	if rec, ok := n.t.reg.record(kind, id); ok {
		return rec.Name()
	}
	return id
}

// supply is what was bought in: an input of the register, or whoever sold it, and its lot.
func (n namer) supply(r trace.Ref) string {
	input, lot, _ := strings.Cut(r.ID, "/")
	switch {
	case input == "":
		return n.t.w.t("kin.lot", lot)
	case lot == "":
		return n.record(farm.Input, input) + " · " + n.t.w.t("kin.nolot")
	}
	return n.record(farm.Input, input) + " · " + n.t.w.t("kin.lot", lot)
}

// place is where a thing is, in words; "" where its name says it.
func (n namer) place(r trace.Ref) string {
	if r.Kind != trace.RefSeason {
		return ""
	}
	rec, ok := n.t.reg.record(farm.Cycle, r.ID)
	if !ok {
		return ""
	}
	return n.name(trace.Ref{Kind: trace.RefPlace, ID: rec.Values.Text("place")})
}

// open is the page of a thing of its own; "" where it has none.
func (n namer) open(r trace.Ref) string {
	switch r.Kind {
	case trace.RefLot:
		l, _ := r.Link()
		return lotHref(l)
	case trace.RefSeason:
		return "/farm/" + string(farm.Cycle) + "/" + url.PathEscape(r.ID)
	case trace.RefPlace:
		return "/places/" + url.PathEscape(r.ID)
	case trace.RefBox:
		return "/boxes/" + url.PathEscape(r.ID)
	case trace.RefBuyer:
		return "/farm/" + string(farm.Buyer) + "/" + url.PathEscape(r.ID)
	case trace.RefSupply:
		input, _, _ := strings.Cut(r.ID, "/")
		if _, ok := n.t.reg.record(farm.Input, input); ok {
			return "/farm/" + string(farm.Input) + "/" + url.PathEscape(input)
		}
	case trace.RefItem:
	}
	return ""
}

// traceHref is where a thing is followed.
func traceHref(r trace.Ref) string { return "/trace?" + url.Values{"of": {r.String()}}.Encode() }
