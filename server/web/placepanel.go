package web

import (
	"context"
	"html/template"
	"log/slog"
	"time"

	"aovuon/server/farm"
)

// slot is where on a place's page a panel stands.
type slot int

// The slots, in the order of a phone.
const (
	slotUrgent slot = iota // above everything: what somebody must see to now
	slotToday              // above the charts: what to expect and to do today
	slotSide               // beside the charts: how the place is set up
)

// placeAt is a place as of a moment: what a panel is drawn of. Farm holds what the visitor may see.
type placeAt struct {
	Farm  *farm.Farm
	Place farm.Place
	Now   time.Time
}

// placePanel is a part of a place's page that a file of its own draws.
type placePanel struct {
	Name string // of the template, defined in one of partFiles: a whole <section class="card">
	Slot slot
	// Load returns what the template draws; nil: the panel has nothing to say of this place, and is left out.
	Load func(ctx context.Context, w *words, at placeAt) (any, error)
}

// placePanels are the panels of a place's page, in their order within a slot. To add one, add a line.
func (s *Server) placePanels() []placePanel {
	return []placePanel{
		{"cropnotes", slotToday, s.cropPanel},
		{"dawn", slotToday, s.dawnPanel},
		{"placealarms", slotUrgent, s.alarmPanel},
		{"watercard", slotToday, s.waterPanel},
		{"advice", slotToday, s.advicePanel},
		{"dryingpanel", slotToday, s.dryingPanel},
	}
}

// panels are drawn panels.
type panels struct {
	Urgent, Today, Side []template.HTML
}

// panelsOf draws the panels of a place. One that fails says so in its own place: the rest of the page stands.
func (s *Server) panelsOf(ctx context.Context, w *words, at placeAt, list []placePanel) panels {
	var out panels
	for _, p := range list {
		html, err := s.panel(ctx, w, at, p)
		if err != nil {
			s.o.Log.Error("panel failed", slog.String("panel", p.Name), slog.String("place", at.Place.Code), slog.Any("err", err))
			html = panelFailed(w)
		}
		if html == "" {
			continue
		}
		switch p.Slot {
		case slotUrgent:
			out.Urgent = append(out.Urgent, html)
		case slotToday:
			out.Today = append(out.Today, html)
		case slotSide:
			out.Side = append(out.Side, html)
		}
	}
	return out
}

func (s *Server) panel(ctx context.Context, w *words, at placeAt, p placePanel) (template.HTML, error) {
	ctx, cancel := context.WithTimeout(ctx, historyPatience)
	defer cancel()
	data, err := p.Load(ctx, w, at)
	if err != nil || data == nil {
		return "", err
	}
	html, err := s.e.render(w.lang, "place.html", p.Name, data)
	return safeHTML(html), err
}

func panelFailed(w *words) template.HTML {
	return template.HTML(`<p class="offline">` + template.HTMLEscapeString(w.t("place.panel.failed")) + `</p>`)
}
