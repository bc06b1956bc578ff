package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// Goods are lots after the harvest: what is done with them, and what is in them.
type Goods interface {
	// Take takes an order in; the error is a flow.RefusedError where it cannot be done.
	Take(ctx context.Context, who flow.Who, o trace.Goods) (trace.Goods, error)
	// Account returns the mass account of a lot; the error wraps trace.ErrUnknown.
	Account(ctx context.Context, l trace.Link) (flow.Account, error)
	LotShelf
	GoodsShelf
}

// LotShelf reads lots and products.
type LotShelf interface {
	Lot(ctx context.Context, l trace.Link) (trace.Lot, error)
	Lots(ctx context.Context) ([]trace.Lot, error)
	Products(ctx context.Context) ([]trace.Product, error)
}

// GoodsShelf reads events of goods, and boxes.
type GoodsShelf interface {
	// GoodsOf returns the events that name a thing, the oldest first.
	GoodsOf(ctx context.Context, ref trace.Ref) ([]trace.Goods, error)
	// Items returns the items of a Pack, in their order.
	Items(ctx context.Context, run string) ([]trace.Item, error)
	Box(ctx context.Context, sscc string) (trace.Box, bool, error)
	// BoxesOf returns the boxes that hold something of a lot, the newest first.
	BoxesOf(ctx context.Context, l trace.Link) ([]trace.Box, error)
}

// goodsRoutes are where staff see lots, and move goods.
func (s *Server) goodsRoutes() []route {
	if s.o.Goods == nil || s.o.Book == nil || s.o.Accounts == nil {
		return nil
	}
	read, move := needs(account.SeeRegister), needs(account.EditFarm)
	return []route{
		{"GET /lots", read, s.page(s.lotsPage)},
		{"GET /lots/{gtin}/{code}", read, s.page(s.lotPage)},
		{"GET /lots/{gtin}/{code}/{deed}", move, s.page(s.deedPage)},
		{"POST /lots/{gtin}/{code}/{deed}", move, s.form(s.takeDeed)},
		{"GET /goods/receive", move, s.page(s.deedPage)},
		{"POST /goods/receive", move, s.form(s.takeDeed)},
		{"GET /goods/{id}/void", move, s.page(s.amendPage)},
		{"POST /goods/{id}/void", move, s.form(s.amend)},
		{"GET /boxes/{sscc}", read, s.page(s.boxPage)},
		{"POST /boxes/{sscc}/unbox", move, s.form(s.unbox)},
	}
}

// lotsView are all lots, by what is to be done with them.
type lotsView struct {
	frame
	Search   string
	State    string
	Groups   []lotGroup
	Any      bool // there are lots at all
	Edit     bool
	Exchange bool // data of lots is exchanged with others
}

type lotGroup struct {
	State, Title string
	Lots         []lotRow
	More         string // where the others are; empty: these are all
	MoreCount    string
}

// lotRow is a lot in the list.
type lotRow struct {
	Href, Name, Code, Place, Day string
	Level                        level
	KG, Left                     string // empty: not known
}

// groupOrder is the order of the list: what somebody waits for comes first.
func groupOrder() []trace.State {
	return []trace.State{trace.Recalled, trace.Held, trace.Harvested, trace.Released, trace.Shipped, trace.Closed, trace.Growing, trace.Void}
}

// mostInGroup is how many lots of a state the list shows at once.
const mostInGroup = 12

func (s *Server) lotsPage(r *http.Request, w *words) (answer, error) {
	ctx := r.Context()
	f, err := s.farmNow(ctx)
	if err != nil {
		return answer{}, err
	}
	lots, err := s.o.Goods.Lots(ctx)
	if err != nil {
		return answer{}, err
	}
	names, err := s.productNames(ctx, w)
	if err != nil {
		return answer{}, err
	}
	v := lotsView{Search: cut(strings.TrimSpace(r.URL.Query().Get("q"))), State: r.URL.Query().Get("state"), Any: len(lots) > 0, Edit: s.may(ctx, account.EditFarm), Exchange: s.o.Captures != nil}
	for _, state := range groupOrder() {
		if v.State != "" && v.State != string(state) {
			continue
		}
		g, err := s.lotGroup(ctx, w, v, state, f, names, lots)
		if err != nil {
			return answer{}, err
		}
		if len(g.Lots) > 0 {
			v.Groups = append(v.Groups, g)
		}
	}
	return s.draw(r, w, "lots.html", "lots", w.t("lots.title"), func(fr frame) any { v.frame = fr; return v })
}

func (s *Server) lotGroup(ctx context.Context, w *words, v lotsView, state trace.State, f *farm.Farm, names map[string]string, lots []trace.Lot) (lotGroup, error) {
	g := lotGroup{State: string(state), Title: w.t("lots.group." + string(state))}
	total := 0
	for _, l := range lots {
		row := newLotRow(w, f, names, l)
		if l.State != state || !strings.Contains(fold(row.Name+" "+row.Code+" "+row.Place), fold(v.Search)) {
			continue
		}
		if total++; v.State == "" && total > mostInGroup {
			continue
		}
		if err := s.weighRow(ctx, w, l, &row); err != nil {
			return g, err
		}
		g.Lots = append(g.Lots, row)
	}
	if more := total - len(g.Lots); more > 0 {
		g.MoreCount = w.t("lots.group.more", w.count(int64(more)))
		g.More = "/lots?" + url.Values{"state": {string(state)}, "q": {v.Search}}.Encode()
	}
	return g, nil
}

// productNames are the names of products by their numbers.
func (s *Server) productNames(ctx context.Context, w *words) (map[string]string, error) {
	list, err := s.o.Goods.Products(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, p := range list {
		out[p.GTIN] = p.Name.In(w.lang)
	}
	return out, nil
}

func newLotRow(w *words, f *farm.Farm, names map[string]string, l trace.Lot) lotRow {
	row := lotRow{Href: lotHref(l.Link()), Name: names[l.GTIN], Code: l.Code, Level: lotLevel(l.State)}
	if l.KG > 0 {
		row.KG = w.mass(l.KG)
	}
	if !l.Harvested.IsZero() {
		row.Day = w.date(l.Harvested)
	}
	var places []string
	for _, code := range l.Places {
		if p, ok := f.Place(code); ok {
			places = append(places, p.Title.In(w.lang))
		}
	}
	row.Place = strings.Join(places, ", ")
	return row
}

// mass writes a mass to the gram, and no more digits than it has.
func (w *words) mass(kg float64) string {
	decimals := 0
	for decimals < 3 && math.Abs(kg*math.Pow10(decimals)-math.Round(kg*math.Pow10(decimals))) > 1e-6 {
		decimals++
	}
	return w.num(kg, decimals) + nbsp + "kg"
}

// weighRow adds what remains of a lot that something may still be done with.
func (s *Server) weighRow(ctx context.Context, w *words, l trace.Lot, row *lotRow) error {
	switch l.State {
	case trace.Closed, trace.Growing, trace.Void, trace.Shipped:
		return nil
	case trace.Harvested, trace.Held, trace.Released, trace.Recalled:
	}
	a, err := s.o.Goods.Account(ctx, l.Link())
	if err != nil {
		return err
	}
	row.Left = w.mass(a.RemainingKG)
	return nil
}

// lotHref is where staff see a lot.
func lotHref(l trace.Link) string {
	return "/lots/" + url.PathEscape(l.GTIN) + "/" + url.PathEscape(l.Lot)
}

// fileStem is a lot code as the name of a file: a slash, a quote or an angle bracket, which AI 10 allows, is no part of one.
func fileStem(code string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(`"%&'()*+,/:;<=>?\|`, c) {
			return '_'
		}
		return c
	}, code)
}

// lotLevel is how a state is coloured.
func lotLevel(st trace.State) level {
	switch st {
	case trace.Held, trace.Recalled, trace.Void:
		return danger
	case trace.Harvested, trace.Growing:
		return noted
	case trace.Released, trace.Shipped, trace.Closed:
	}
	return fine
}

// lotAsked returns the lot of an address; ok is false where there is none.
func (s *Server) lotAsked(r *http.Request) (l trace.Lot, ok bool, err error) {
	l, err = s.o.Goods.Lot(r.Context(), trace.Link{GTIN: r.PathValue("gtin"), Lot: r.PathValue("code")})
	if errors.Is(err, trace.ErrUnknown) {
		return l, false, nil
	}
	return l, err == nil, err
}

// lotDeeds are what may be done with a lot in its state: what comes next, and what else there is. do is what leads elsewhere.
func (s *Server) lotDeeds(ctx context.Context, w *words, l trace.Lot, do []deedLink) (next, more []deedLink) {
	if !s.may(ctx, account.EditFarm) {
		return nil, nil
	}
	first, others := deedsOf(l.State)
	if len(do) > 0 { // the diary holds it, and lets it go
		first = slices.DeleteFunc(first, func(n string) bool { return n == "letgo" })
	}
	link := func(name string) deedLink {
		return deedLink{lotHref(l.Link()) + "/" + name, w.t("goods." + name), w.t("goods." + name + ".what")}
	}
	next = do
	for _, name := range first {
		next = append(next, link(name))
	}
	for _, name := range others {
		more = append(more, link(name))
	}
	return next, more
}

// deedsOf are the deeds that a state offers. Whether one can be done is for flow.
func deedsOf(st trace.State) (first, others []string) {
	made := []string{"process", "dry", "grade", "split", "merge"}
	switch st {
	case trace.Harvested:
		return []string{"release"}, slices.Concat([]string{"pack", "box", "issue", "activate"}, made, []string{"spoil", "destroy", "hold", "close"})
	case trace.Released:
		return []string{"pack", "box", "ship"}, slices.Concat([]string{"issue", "activate", "return"}, made, []string{"spoil", "destroy", "hold", "close"})
	case trace.Held:
		return []string{"letgo"}, []string{"return", "destroy"}
	case trace.Shipped:
		return []string{"return"}, []string{"hold", "close"}
	case trace.Recalled:
		return []string{"return"}, []string{"destroy"}
	case trace.Closed:
		return nil, []string{"reopen"}
	case trace.Growing, trace.Void:
	}
	return nil, nil
}

// lotLinks lead on from a lot.
func (s *Server) lotLinks(ctx context.Context, w *words, l trace.Lot) []deedLink {
	path := l.Link().Path()
	out := []deedLink{{path, w.t("lot.public"), ""}}
	if s.o.Recall != nil {
		out = append(out, deedLink{traceHref(l.Link().Ref()), w.t("lot.trace"), ""})
		if s.may(ctx, account.ReleaseLot) && l.State != trace.Growing && l.State != trace.Void {
			out = append(out, deedLink{recallHref(l.Link().Ref()), w.t("lot.recall"), ""})
		}
	}
	if l.State == trace.Released || l.State == trace.Shipped {
		out = append(out, deedLink{"/labels/lot?" + url.Values{"link": {path}}.Encode(), w.t("lot.labels"), ""})
	}
	if len(l.Harvests) > 0 {
		out = append(out, deedLink{"/diary/" + l.Harvests[0], w.t("lot.book"), ""})
	}
	if l.Sellable() && (s.o.OpenBatches || s.may(ctx, account.SeeBatches)) && s.o.Bundle != nil {
		out = append(out, deedLink{"/ledger/bundle" + path + ".zip", w.t("lot.bundle"), ""})
	}
	if s.o.EPCIS != nil {
		out = append(out, deedLink{portalHref(l.Link()), w.t("portal.link"), ""}, deedLink{"/epcis/lot" + path + ".jsonld", w.t("portal.epcis"), ""})
	}
	return out
}
