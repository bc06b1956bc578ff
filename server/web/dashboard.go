package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/trace"
)

type dashboardPage struct {
	frame
	board
	Lots []lotLine
	Now  time.Time
}

// lotLine is one lot on the dashboard.
type lotLine struct {
	trace.Lot
	Path  string // of its label's page
	Place string
}

func (s *Server) dashboard(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	now := s.o.Now()
	p := dashboardPage{frame: s.frame(r, w, f, w.t("dashboard.title")), board: s.newBoard(r.Context(), w, f, now), Now: now}
	p.Nav, p.Live = "home", inLanguage("/live", w.lang)
	if p.Lots, err = s.lotLines(r.Context(), w, f); err != nil && p.Alarm == "" { // while the database is silent, without its lots
		return answer{}, err
	}
	body, err := s.e.render(w.lang, "dashboard.html", "layout", p)
	return answer{status: http.StatusOK, body: body}, err
}

// maxLots is how many lots the dashboard lists.
const maxLots = 12

func (s *Server) lotLines(ctx context.Context, w *words, f *farm.Farm) ([]lotLine, error) {
	lots, err := s.o.Lots.Lots(ctx)
	if err != nil {
		return nil, err
	}
	if !s.may(ctx, account.SeeAllPlaces) { // those that grew at own places
		lots = slices.DeleteFunc(lots, func(l trace.Lot) bool {
			return !slices.ContainsFunc(l.Places, func(code string) bool { _, own := f.Place(code); return own })
		})
	}
	var out []lotLine
	for _, l := range lots[:min(len(lots), maxLots)] {
		line := lotLine{Lot: l, Path: l.Link().Path()}
		for _, code := range l.Places {
			if p, ok := f.Place(code); ok {
				if line.Place != "" {
					line.Place += ", "
				}
				line.Place += p.Title.In(w.lang)
			}
		}
		out = append(out, line)
	}
	return out, nil
}

type missingPage struct {
	frame
	Text, Detail string
}

// missing draws the page for what is not there. It says no more than that.
func (s *Server) missing(r *http.Request, w *words, key, detail string) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		f = &farm.Farm{}
	}
	title := w.t("missing.title")
	if key == "denied.text" {
		title = w.t("denied.title")
	}
	p := missingPage{frame: s.frame(r, w, f, title), Text: w.t(key), Detail: detail}
	p.There = inLanguage("/", w.lang) // a stranger's address is not repeated
	body, err := s.e.render(w.lang, "missing.html", "layout", p)
	return answer{status: http.StatusNotFound, body: body}, err
}
