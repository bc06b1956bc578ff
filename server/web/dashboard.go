package web

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/web/parcel"
)

// boardPatience is how long the dashboard waits for what the history last knew of probes that are silent.
const boardPatience = time.Second

type dashboardPage struct {
	frame
	board
	Lots   []lotLine
	Now    time.Time
	Sift   siftForm
	Totals template.HTML
	None   bool // nothing is as it is asked for
	NoMap  []card
	Led    bool // nothing is measured yet: it leads to the first steps
}

// lotLine is one lot on the dashboard.
type lotLine struct {
	trace.Lot
	Path  string // of its label's page
	Place string
}

func (s *Server) dashboard(r *http.Request, w *words) (answer, error) {
	ctx := r.Context()
	f, err := s.farmNow(ctx)
	if err != nil {
		return answer{}, err
	}
	now, ask := s.o.Now(), s.asked(r)
	b := s.newBoard(ctx, w, f, ask, now)
	parts, err := s.boardParts(ctx, w, f, &b)
	if err != nil {
		return answer{}, err
	}
	p := dashboardPage{frame: s.frame(r, w, f, w.t("dashboard.title")), Now: now, Sift: newSiftForm(w, f, s.homes(ctx), ask), Totals: template.HTML(parts[0].HTML)}
	p.Nav, p.Sheet, p.Live = "home", "dash.css", inLanguage(ask.live(tokenOf(parts)), w.lang)
	if ask.View == "" && !ask.Some() {
		if p.Lots, err = s.lotLines(ctx, w, f); err != nil && p.Alarm == "" { // while the database is silent, without its lots
			return answer{}, err
		}
	}
	p.board, p.Led = b.only(ask), s.led(ctx, f)
	p.None = b.Places > 0 && len(p.Zones) == 0 || b.Places == 0 && ask.Some()
	if ask.View == "map" {
		for _, c := range b.cards() {
			if len(c.Place.Outline) == 0 || visitor(ctx) == nil {
				p.NoMap = append(p.NoMap, c)
			}
		}
		worstFirst(p.NoMap)
	}
	body, err := s.e.render(w.lang, "dashboard.html", "layout", p)
	return answer{status: http.StatusOK, body: body}, err
}

// asked is what a request asks for, as far as its visitor may know it: who works a place is for staff.
func (s *Server) asked(r *http.Request) sift {
	a := readSift(r.URL.Query())
	if !s.may(r.Context(), account.SeeRegister) {
		a.Household = ""
	}
	return a
}

// only leaves the cards in the state that is asked for.
func (b board) only(ask sift) board {
	if ask.State == "" {
		return b
	}
	var zones []zoneCards
	for _, z := range b.Zones {
		z.Cards = slices.DeleteFunc(slices.Clone(z.Cards), func(c card) bool { return !ask.state(c.Level) })
		if len(z.Cards) > 0 {
			zones = append(zones, z)
		}
	}
	b.Zones = zones
	return b
}

// homes are the households that staff may look for places by.
func (s *Server) homes(ctx context.Context) []farm.Record {
	if s.o.Book == nil || !s.may(ctx, account.SeeRegister) {
		return nil
	}
	reg, _, err := s.registerNow(ctx)
	if err != nil { // the page without this choice is better than none
		s.o.Log.Warn("households", slog.Any("err", err))
		return nil
	}
	return reg[farm.Household]
}

// boardParts draws what the dashboard shows, each part by itself, so that the stream sends the same: the head, then every place in the order of
// the farm, whatever its state; of a map, every zone. The cards of b get what was drawn.
func (s *Server) boardParts(ctx context.Context, w *words, f *farm.Farm, b *board) ([]part, error) {
	out := []part{{ID: "totals"}}
	if b.Ask.View == "map" {
		for i := range b.Zones {
			z := &b.Zones[i]
			if visitor(ctx) != nil { // where exactly a place lies is for those who work there
				z.Map = zoneMap(w, *z)
			}
			out = append(out, part{"m-" + z.ID, string(z.Map)})
		}
		slices.SortFunc(out[1:], func(x, y part) int { return strings.Compare(x.ID, y.ID) })
	} else {
		name := "place-card"
		if b.Ask.View == "table" {
			name = "place-row"
		}
		drawn := map[string]*card{}
		for i := range b.Zones {
			for j := range b.Zones[i].Cards {
				drawn[b.Zones[i].Cards[j].Place.Code] = &b.Zones[i].Cards[j]
			}
		}
		for _, p := range f.Places {
			c, ok := drawn[p.Code]
			if !ok {
				continue
			}
			html, err := s.e.render(w.lang, "dashboard.html", name, c)
			if err != nil {
				return nil, err
			}
			c.HTML = template.HTML(slim(html))
			out = append(out, part{"p-" + p.Code, string(c.HTML)})
		}
	}
	html, err := s.e.render(w.lang, "dashboard.html", "totals", b)
	out[0].HTML = string(slim(html))
	return out, err
}

// zoneMap draws the places of a zone as they lie.
func zoneMap(w *words, z zoneCards) template.HTML {
	m := parcel.Map{
		ID: "map-" + z.ID, Title: w.t("dashboard.map", z.Name), Desc: w.t("dashboard.map.desc"), North: w.t("dashboard.map.north"),
		Metres: func(m float64) string { return w.num(m, 0) + nbsp + "m" },
	}
	for _, c := range z.Cards {
		if len(c.Place.Outline) == 0 {
			continue
		}
		sh := parcel.Shape{State: c.Level.String(), Label: c.Place.Title.In(w.lang), Title: c.Place.Title.In(w.lang) + ": " + lowerFirst(c.Word), Href: inLanguage("/places/"+c.Place.Code, w.lang)}
		if c.Some && c.Main.Value != "" {
			if sh.Amount = c.Main.Value; c.Main.Old {
				sh.Amount = "" // what was known hours ago says nothing of the water now
			}
			sh.Title += ". " + c.Main.Label + " " + w.withUnit(c.Main.Value, c.Main.Quantity) + ", " + c.Main.Ago
		}
		for _, at := range c.Place.Outline {
			lat, lon := at.Exact()
			sh.Corners = append(sh.Corners, [2]float64{lat, lon})
		}
		m.Shapes = append(m.Shapes, sh)
	}
	return template.HTML(m.SVG())
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
	p.Here, p.There = "/", inLanguage("/", w.lang) // a stranger's address is not repeated
	body, err := s.e.render(w.lang, "missing.html", "layout", p)
	return answer{status: http.StatusNotFound, body: body}, err
}
