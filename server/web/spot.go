package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// spotView is a place as those see it who work there: how it is, what is open, what to do now.
type spotView struct {
	frame
	Place  farm.Place
	Zone   string
	Card   card
	Rules  []ruleLine // what holds a harvest back
	Minor  []ruleLine // what is missing, late, good to know
	Cycles []cycleLine
	Last   []entryLine
	First  []kindLink // what the place needs now
	Others []kindLink
	Kept   *justKept
	Held   []lotView // lots of the place that may not be sold
}

// ruleLine is one finding of the gates.
type ruleLine struct {
	Level level
	Text  string
	Until string // YYYY-MM-DD, the day it clears; pages count down to it
	Left  string // in words, as of now
	Entry string // id of the entry that causes it
}

type cycleLine struct {
	Name, Season string
	Began        time.Time
	Day          int64
}

// kindLink is one kind of entry to tap on.
type kindLink struct {
	Kind, Label, Href string
	Last              string // when it was done last here
	Due               bool   // it is overdue
}

// justKept says that an entry was just kept.
type justKept struct {
	Line entryLine
	Undo string // id for the event that takes it back
}

// How many pictures stand first on a place's page, and how many entries below them.
const (
	kindsFirst = 6
	lastShown  = 5
)

// spot is the page behind the board for those who write here.
func (s *Server) spot(r *http.Request, w *words, f *farm.Farm, p farm.Place) (answer, error) {
	ctx, now := r.Context(), s.o.Now()
	reg, _, err := s.registerNow(ctx)
	if err != nil {
		return answer{}, err
	}
	entries, err := s.entriesAt(ctx, p.Code)
	if err != nil {
		return answer{}, err
	}
	t, err := s.teller(ctx, w, f, reg)
	if err != nil {
		return answer{}, err
	}
	v := spotView{Place: p, Card: s.ownCard(ctx, w, f, p, s.values(ctx), now)}
	if z, ok := f.Zone(p.Zone); ok {
		v.Zone = z.Name.In(w.lang)
	}
	cycles := reg.openCycles(p.Code, now)
	for _, c := range cycles {
		began := c.Values.Day("begin", w.zone)
		v.Cycles = append(v.Cycles, cycleLine{c.Name(), c.Values.Text("season"), began, int64(now.Sub(began)/(24*time.Hour)) + 1})
	}
	var overdue []string
	if v.Rules, overdue, err = s.rulesAt(ctx, w, p, now); err != nil {
		return answer{}, err
	}
	grave := func(l ruleLine) bool { return l.Level == danger || l.Level == fine }
	v.Minor = slices.DeleteFunc(slices.Clone(v.Rules), grave)
	v.Rules = slices.DeleteFunc(v.Rules, func(l ruleLine) bool { return !grave(l) })
	order := diary.Order(stand(p, cycles, entries, overdue, now))
	for i, name := range order {
		link := kindLink{Kind: name, Label: w.t("diary." + name), Href: inLanguage("/p/"+p.Code+"/log/"+name, w.lang), Due: slices.Contains(overdue, name), Last: lastOf(w, entries, name, now)}
		if i < kindsFirst {
			v.First = append(v.First, link)
		} else {
			v.Others = append(v.Others, link)
		}
	}
	for _, e := range slices.Backward(entries) {
		if len(v.Last) == lastShown {
			break
		}
		v.Last = append(v.Last, t.line(e))
	}
	if v.Kept, err = s.keptNow(r, t, entries, now); err != nil {
		return answer{}, err
	}
	if v.Held, err = s.lotsShown(r.Context(), w, f, t, p.Code, heldLot); err != nil {
		return answer{}, err
	}
	res, err := s.draw(r, w, "spot.html", "home", p.Title.In(w.lang), func(fr frame) any {
		fr.Live = inLanguage("/live?place="+p.Code, w.lang)
		v.frame = fr
		return v
	})
	return res, err
}

// entriesAt are the entries of a place.
func (s *Server) entriesAt(ctx context.Context, place string) ([]diary.Entry, error) {
	events, err := s.o.Book.Events(ctx, diary.Query{Places: []string{place}})
	return diary.Entries(events), err
}

// stand is what the order of the pictures goes by.
func stand(p farm.Place, cycles []farm.Record, entries []diary.Entry, overdue []string, now time.Time) diary.Stand {
	st := diary.Stand{Place: p.Kind, Entries: entries, Overdue: overdue, Now: now}
	if len(cycles) > 0 {
		c := cycles[0]
		st.Branch, st.Began = farm.Branch(c.Values.Text("branch")), c.Values.Day("begin", farm.Time())
		st.Entries = slices.DeleteFunc(slices.Clone(entries), func(e diary.Entry) bool { return e.Cycle != "" && e.Cycle != c.ID })
	}
	return st
}

func lastOf(w *words, entries []diary.Entry, kind string, now time.Time) string {
	for _, e := range slices.Backward(entries) {
		if e.Kind == kind && !e.Voided {
			return w.ago(now, e.At())
		}
	}
	return ""
}

// keptNow is the entry that a form has just kept, as its redirect names it.
func (s *Server) keptNow(r *http.Request, t teller, entries []diary.Entry, now time.Time) (*justKept, error) {
	id := r.URL.Query().Get("kept")
	i := slices.IndexFunc(entries, func(e diary.Entry) bool { return id != "" && e.First.ID == id })
	if i < 0 || entries[i].Voided || now.Sub(entries[i].First.Synced) >= undoFor || entries[i].First.Actor != visitor(r.Context()).Account.ID {
		return nil, nil //nolint:nilnil // nothing was
	}
	undo, err := s.newEventID()
	return &justKept{t.line(entries[i]), undo}, err
}

// MinorCount is how many rules stand behind a line of their own.
func (v spotView) MinorCount() int64 { return int64(len(v.Minor)) }
