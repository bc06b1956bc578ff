package web

import (
	"html/template"
	"net/http"
	"slices"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
)

// placeFacts is what everybody may know of a place whose board they scanned: what stands on the board, where about it is, what is certified
// there, and which lots were sold from it. What is measured there now is the co-op's.
type placeFacts struct {
	publicFrame
	Place        labelPlace
	Map          template.HTML
	Certificates []trace.Certificate
	Lots         []boxLot
	Next         string // where those sign in who work here
}

// mostPlaceLots is how many lots the page of a place names, the newest.
const mostPlaceLots = 6

// placePublic draws the page of a place for strangers.
func (s *Server) placePublic(r *http.Request, w *words, f *farm.Farm, p farm.Place) (answer, error) {
	ctx, now := r.Context(), s.o.Now()
	v := placeFacts{publicFrame: s.publicFrame(w, f, p.Title.In(w.lang)), Place: placeShown(w, f, p, now, now), Next: inLanguage("/sign-in?next=/p/"+p.Code, w.lang)}
	v.Reports = false // a board is no label of goods
	v.Map = lotMap(w, f, []labelPlace{v.Place})
	if s.o.Book != nil {
		reg, _, err := s.registerNow(ctx)
		if err != nil {
			return answer{}, err
		}
		v.Certificates = certificatesAt(reg, p.Code, now, f.Coop.Demo)
	}
	lots, err := s.o.Lots.Lots(ctx)
	if err != nil {
		return answer{}, err
	}
	for _, l := range lots {
		verdict := trace.Judge(l.State, nil, false, now)
		if len(v.Lots) == mostPlaceLots || !slices.Contains(l.Places, p.Code) || verdict != trace.IsValid && verdict != trace.IsRecalled {
			continue
		}
		v.Lots = append(v.Lots, boxLot{Name: l.Species.In(w.lang), Code: l.Code, Href: inLanguage(l.Link().Path(), w.lang), Amount: w.date(l.Harvested), Tone: string(verdict.Tone()), Verdict: w.t("verdict." + string(verdict))})
	}
	page, err := s.compose(w, "head", "placebody", v)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: page.Plain(nil), csp: s.labelCSP()}, nil
}

// certificatesAt are the certificates of the register that name a place and hold on a day.
func certificatesAt(reg register, place string, now time.Time, demo bool) (out []trace.Certificate) {
	for _, rec := range reg[farm.Certificate] {
		v := rec.Values
		c := trace.Certificate{
			ID: rec.ID, Scheme: farm.SchemeName(v.Text("scheme")), Standard: v.Text("standard"), Number: v.Text("number"), Issuer: v.Text("issuer"), Place: place,
			From: v.Day("from", farm.Time()), To: v.Day("to", farm.Time()).AddDate(0, 0, 1), Demo: demo,
		}
		if e := v.Text("edition"); e != "" {
			c.Standard += ":" + e
		}
		if !rec.Retired && slices.Contains(v.List("places"), place) && !now.Before(c.From) && now.Before(c.To) {
			out = append(out, c)
		}
	}
	return out
}
