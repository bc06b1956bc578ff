package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/digitallink"
	"aovuon/server/trace/kin"
)

// kinRoutes are where goods are followed and recalled.
func (s *Server) kinRoutes() []route {
	if s.o.Recall == nil || s.o.Goods == nil || s.o.Book == nil || s.o.Accounts == nil {
		return nil
	}
	read, do := needs(account.SeeRegister), needs(account.ReleaseLot)
	return []route{
		{"GET /trace", read, s.page(s.tracePage)},
		{"GET /recall", read, s.page(s.recallPage)},
		{"GET /recall/found", read, s.page(s.recallFound)},
		{"POST /recall", do, s.form(s.recallStart)},
		{"GET /recall/{id}", read, s.page(s.recallOne)},
		{"POST /recall/{id}/end", do, s.form(s.recallEnd)},
		{"GET /recall/{id}/list.csv", do, s.recallFile},
		{"GET /recall/{id}/list.xlsx", do, s.recallFile},
		{"GET /recall/{id}/items.csv", do, s.recallFile},
	}
}

// traceView is everything upstream and downstream of one thing.
type traceView struct {
	frame
	Asked   string // as it was written
	None    bool   // nothing is called that
	Choices []kinNode
	Of      *kinNode
	Facts   []string
	Up      []*kinNode
	Down    []*kinNode
	Recall  string // where it is recalled
	Often   []kinNode
}

func (s *Server) tracePage(r *http.Request, w *words) (answer, error) {
	ctx := r.Context()
	n, err := s.namer(ctx, w)
	if err != nil {
		return answer{}, err
	}
	v := traceView{Asked: cut(strings.TrimSpace(r.URL.Query().Get("of")))}
	found, err := s.meant(ctx, n, v.Asked)
	if err != nil {
		return answer{}, err
	}
	switch {
	case v.Asked == "":
		if v.Often, err = s.often(ctx, n); err != nil {
			return answer{}, err
		}
	case len(found) == 0:
		v.None = true
	case len(found) > 1:
		for _, ref := range found {
			v.Choices = append(v.Choices, n.choice(ref))
		}
	default:
		if err := s.traced(ctx, n, found[0], &v); err != nil {
			return answer{}, err
		}
	}
	return s.draw(r, w, "trace.html", "trace", w.t("kin.title"), func(fr frame) any { v.frame = fr; return v })
}

// choice is a thing that may be meant.
func (n namer) choice(r trace.Ref) kinNode {
	return kinNode{Kind: string(r.Kind), Name: n.name(r), Sub: n.t.w.t("kin.kind." + string(r.Kind)), Href: traceHref(r)}
}

// traced follows one thing both ways.
func (s *Server) traced(ctx context.Context, n namer, ref trace.Ref, v *traceView) error {
	of := n.choice(ref)
	of.Open = n.open(ref)
	v.Of, v.Asked = &of, n.name(ref)
	for _, d := range []kin.Direction{kin.Up, kin.Down} {
		t, err := kin.Trace(ctx, s.o.Recall, kin.From(ref), d)
		if err != nil {
			return err
		}
		list, err := s.tree(ctx, n, t)
		if err != nil {
			return err
		}
		if d == kin.Up {
			v.Up = list
		} else {
			v.Down = list
		}
	}
	if l, ok := ref.Link(); ok {
		lot, err := s.o.Goods.Lot(ctx, l)
		if err == nil {
			row := newLotRow(n.t.w, n.t.farm, n.products, lot)
			v.Facts = slices.DeleteFunc([]string{n.t.w.t("lot.state." + string(lot.State)), row.Place, row.Day, row.KG}, func(s string) bool { return s == "" })
		}
	}
	if place := n.place(ref); place != "" {
		v.Facts = append(v.Facts, place)
	}
	v.Recall = recallHref(ref)
	return nil
}

// recallHref is where a thing is recalled; "" where it is not by that sort of thing.
func recallHref(ref trace.Ref) string {
	q := url.Values{}
	switch ref.Kind {
	case trace.RefLot:
		l, _ := ref.Link()
		q.Set("lot", l.Path())
	case trace.RefSupply:
		q.Set("supply", ref.ID)
	case trace.RefSeason, trace.RefPlace, trace.RefBox, trace.RefItem, trace.RefBuyer:
		return ""
	}
	return "/recall/found?" + q.Encode()
}

// often are the youngest lots, to begin with.
func (s *Server) often(ctx context.Context, n namer) (out []kinNode, err error) {
	lots, err := s.lotsByDay(ctx)
	for _, l := range lots[:min(8, len(lots))] {
		node := n.choice(l.Link().Ref())
		node.Sub = newLotRow(n.t.w, n.t.farm, n.products, l).Day
		out = append(out, node)
	}
	return out, err
}

// lotsByDay are the lots that there are, those harvested last first.
func (s *Server) lotsByDay(ctx context.Context) ([]trace.Lot, error) {
	lots, err := s.o.Goods.Lots(ctx)
	if err != nil {
		return nil, err
	}
	lots = slices.DeleteFunc(slices.Clone(lots), func(l trace.Lot) bool { return l.State == trace.Void })
	slices.SortStableFunc(lots, func(a, b trace.Lot) int { return -a.Harvested.Compare(b.Harvested) })
	return lots, nil
}

// mostChoices is how many things are offered where a text may mean several.
const mostChoices = 50

// meant are the things that a text may mean: one that is written whole, or all whose name has it in it.
func (s *Server) meant(ctx context.Context, n namer, text string) ([]trace.Ref, error) {
	if text == "" {
		return nil, nil
	}
	if ref, err := trace.ParseRef(text); err == nil {
		return []trace.Ref{ref}, nil
	}
	if found, err := s.codeNamed(ctx, text); err != nil || len(found) > 0 {
		return found, err
	}
	want := fold(text)
	var out []trace.Ref
	add := func(refs ...trace.Ref) {
		for _, r := range refs {
			if len(out) < mostChoices && strings.Contains(fold(n.name(r)+" "+r.ID), want) && !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	lots, err := s.lotsByDay(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range lots {
		add(l.Link().Ref())
	}
	supplies, err := s.o.Recall.Supplies(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range supplies {
		add(x.Ref)
	}
	for _, p := range n.t.farm.Places {
		add(trace.Ref{Kind: trace.RefPlace, ID: p.Code})
	}
	for _, kind := range []farm.RecordKind{farm.Buyer, farm.Cycle} {
		for _, rec := range n.t.reg[kind] {
			if !rec.Retired {
				add(trace.Ref{Kind: map[farm.RecordKind]trace.RefKind{farm.Buyer: trace.RefBuyer, farm.Cycle: trace.RefSeason}[kind], ID: rec.ID})
			}
		}
	}
	return out, nil
}

// codeNamed are the things of a code: a scanned address, a serial, the number of a box, a short code.
func (s *Server) codeNamed(ctx context.Context, text string) ([]trace.Ref, error) {
	path := text
	if u, err := url.Parse(text); err == nil && u.Path != "" {
		path = u.EscapedPath()
	}
	if d, err := digitallink.ParsePath(path, ""); err == nil {
		if d.Key.AI == "00" {
			return []trace.Ref{{Kind: trace.RefBox, ID: d.Key.Value}}, nil
		}
		if l, ok := trace.LinkOf(d); ok && l.Serial != "" {
			return []trace.Ref{{Kind: trace.RefItem, ID: l.Serial}}, nil
		} else if ok && l.Lot != "" {
			return []trace.Ref{trace.Link{GTIN: l.GTIN, Lot: l.Lot}.Ref()}, nil
		}
	}
	code := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimPrefix(path, "/t/")))
	if _, ok, err := s.o.Recall.Item(ctx, code); err != nil || ok {
		return []trace.Ref{{Kind: trace.RefItem, ID: code}}, err
	}
	if _, ok, err := s.o.Recall.Box(ctx, code); err != nil || ok {
		return []trace.Ref{{Kind: trace.RefBox, ID: code}}, err
	}
	if s.o.Names == nil || len(code) < 8 {
		return nil, nil
	}
	links, err := s.o.Names.Shortened(ctx, code)
	var out []trace.Ref
	for _, l := range links {
		out = append(out, trace.Link{GTIN: l.GTIN, Lot: l.Lot}.Ref())
	}
	return out, err
}
