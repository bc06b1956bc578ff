package web

import (
	"context"
	"net/http"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
)

// lotWholeView is all about a lot, for staff.
type lotWholeView struct {
	frame
	Lot      trace.Lot
	Name     string
	State    string
	Level    level
	Places   []placeLink
	Day      string
	Causes   []lotCause
	Account  []accountLine
	In, Left string
	Over     bool
	Items    []itemCount
	Boxes    []boxRow
	Events   []goodsLine
	Do, More []deedLink
	Links    []deedLink
	Kept     string // what was just done
	Internal bool
}

type placeLink struct{ Code, Title string }

// accountLine is a line of the mass account.
type accountLine struct {
	Text, Href string
	Day        string
	KG         string // with its sign
	Total      bool
}

type itemCount struct{ Label, Count string }

type boxRow struct{ Href, Code, State, What string }

// goodsLine is an event in the list of a lot.
type goodsLine struct {
	ID, What, When, Who string
	Parts               string
	Reason              string
	Amended             bool
	Undo                string // where it is taken back; empty: not by this visitor, or not any more
}

type deedLink struct{ Href, Label, What string }

func (s *Server) lotPage(r *http.Request, w *words) (answer, error) {
	ctx := r.Context()
	l, ok, err := s.lotAsked(r)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.lot", "")
	}
	f, reg, err := s.landAndRegister(ctx)
	if err != nil {
		return answer{}, err
	}
	t, err := s.teller(ctx, w, f, reg)
	if err != nil {
		return answer{}, err
	}
	v, err := s.lotWhole(ctx, t, l)
	if err != nil {
		return answer{}, err
	}
	if kept := r.URL.Query().Get("kept"); w.has("goods." + kept) {
		v.Kept = w.t("goods.kept", w.t("goods."+kept))
	}
	return s.draw(r, w, "lot.html", "lots", w.t("label.lot", l.Code), func(fr frame) any { v.frame = fr; return v })
}

func (s *Server) lotWhole(ctx context.Context, t teller, l trace.Lot) (v lotWholeView, err error) {
	w := t.w
	names, err := s.productNames(ctx, w)
	if err != nil {
		return v, err
	}
	v = lotWholeView{Lot: l, Name: names[l.GTIN], State: w.t("lot.state." + string(l.State)), Level: lotLevel(l.State), Internal: farm.Internal(l.GTIN)}
	if !l.Harvested.IsZero() {
		v.Day = w.date(l.Harvested)
	}
	for _, code := range l.Places {
		if p, ok := t.farm.Place(code); ok {
			v.Places = append(v.Places, placeLink{code, p.Title.In(w.lang)})
		}
	}
	for _, add := range []func(context.Context, teller, *lotWholeView) error{s.lotStanding, s.lotAccount, s.lotEvents, s.lotBoxes} {
		if err := add(ctx, t, &v); err != nil {
			return v, err
		}
	}
	v.Links = s.lotLinks(ctx, w, l)
	v.Do, v.More = s.lotDeeds(ctx, w, l, v.Do)
	return v, nil
}

// lotStanding adds what holds a lot, and the way to let it go where the diary holds it.
func (s *Server) lotStanding(ctx context.Context, t teller, v *lotWholeView) error {
	if v.Lot.State != trace.Held || s.o.Standings == nil || len(v.Lot.Places) == 0 {
		return nil
	}
	p, ok := t.farm.Place(v.Lot.Places[0])
	if !ok {
		return nil
	}
	all, err := s.o.Standings(ctx, p.Code, time.Time{})
	if err != nil {
		return err
	}
	for _, st := range all {
		if st.Lot.Link() != v.Lot.Link() || !st.Hold.Open() {
			continue
		}
		shown := s.lotShown(ctx, t.w, t, p, st)
		v.Causes = shown.Causes
		if shown.Release != "" {
			v.Do = append(v.Do, deedLink{shown.Release, t.w.t("goods.letgo"), t.w.t("goods.letgo.what")})
		}
	}
	return nil
}
