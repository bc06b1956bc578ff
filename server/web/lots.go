package web

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/diary/desk"
	"aovuon/server/farm"
)

// lotView is a lot that the diary opened: whether it may be sold, why not, and the way to let it go.
type lotView struct {
	Code, Place string
	State       string // in words
	Held        bool
	Causes      []lotCause
	Released    string // who let it go, and when
	Why         string // the entry that says why; empty: none
	Release     string // where the visitor may let it go; empty: not this one
}

// lotCause is a reason to hold a lot, and the entry that gave it.
type lotCause struct{ Text, Entry string }

// lotsShown are the lots of a place, or of all that the visitor sees, that are wanted.
func (s *Server) lotsShown(ctx context.Context, w *words, f *farm.Farm, t teller, place string, wanted func(desk.Standing) bool) ([]lotView, error) {
	if s.o.Standings == nil {
		return nil, nil
	}
	all, err := s.o.Standings(ctx, place, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("web: lots: %w", err)
	}
	var out []lotView
	for _, st := range all {
		if !wanted(st) || len(st.Lot.Places) == 0 {
			continue
		}
		if p, ok := f.Place(st.Lot.Places[0]); ok {
			out = append(out, s.lotShown(ctx, w, t, p, st))
		}
	}
	return out, nil
}

func (s *Server) lotShown(ctx context.Context, w *words, t teller, p farm.Place, st desk.Standing) lotView {
	v := lotView{Code: st.Lot.Code, Place: p.Title.In(w.lang), State: w.t("book.lot." + string(st.Lot.State)), Held: st.Hold.Open()}
	if st.Hold == nil {
		return v
	}
	for _, c := range st.Hold.Causes {
		text := w.t("book.lot.never")
		if !c.Clears.IsZero() {
			text = w.t("book.lot.until", w.date(c.Clears))
		}
		v.Causes = append(v.Causes, lotCause{text, c.Event})
	}
	if !v.Held {
		v.Released, v.Why = w.dateTime(st.Hold.Released)+", "+t.who(st.Hold.ReleasedBy), st.Hold.Release
	} else if s.may(ctx, account.ReleaseLot) {
		v.Release = "/p/" + p.Code + "/log/" + diary.Release + "?lot=" + st.Lot.Code
	}
	return v
}

// lotsOf are the lots that an entry opened.
func lotsOf(e diary.Entry) func(desk.Standing) bool {
	return func(st desk.Standing) bool { return slices.Contains(st.Lot.Harvests, e.First.ID) }
}

// heldLot reports whether a lot is held.
func heldLot(st desk.Standing) bool { return st.Hold.Open() }
