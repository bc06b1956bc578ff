package web

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"slices"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
	"aovuon/server/watch/soil"
)

// Soil says of plots whether they want water; soil.Service is one.
type Soil interface {
	// Report returns what the last look at all plots came to.
	Report() soil.Report
	// Now looks at one plot again; ok is false where it is none.
	Now(ctx context.Context, place string, at time.Time) (f *soil.Field, ok bool, err error)
	// Capacities returns what the soil probes of a plot read now.
	Capacities(ctx context.Context, p farm.Place, at time.Time) ([]soil.Capacity, error)
}

// waterRoutes are the board of irrigation and drainage, and where a plot's field capacity is read.
func (s *Server) waterRoutes() []route {
	if s.o.Soil == nil {
		return nil
	}
	edit := needs(account.EditFarm)
	return []route{
		{"GET /water", needs(account.SeePlaces), s.page(s.waterPage)},
		{"GET /land/{code}/capacity", edit, s.page(s.capacityPage)},
		{"POST /land/{code}/capacity", edit, s.form(s.saveCapacity)},
	}
}

type waterView struct {
	frame
	Looked string // when; "": nobody looked yet
	Counts []waterCount
	Cards  []waterCard
	Levels []levelRow
}

// waterCount is how many plots stand so.
type waterCount struct {
	Level level
	N     int
	Label string
}

// waterCard is one plot on the board, or on its own page.
type waterCard struct {
	Code, Title, Holds string
	Level              level
	Head               []waterHead
	Bar                template.HTML
	Do, Why            []string
	Notes              []string // how it is reckoned
	Log                string   // where an irrigation is written down; "": not by this visitor
	Capacity           string   // where the field capacity is read; "": not by this visitor
	worst              rule.Verdict
	give               float64
}

// waterHead is what stands of one topic, in a word or two.
type waterHead struct {
	Topic string
	Level level
	Word  string
}

type levelRow struct {
	Code, Place, Value, Rise, Ago string
	Level                         level
}

func (s *Server) waterPage(r *http.Request, w *words) (answer, error) {
	ctx, now := r.Context(), s.o.Now()
	f, err := s.farmNow(ctx)
	if err != nil {
		return answer{}, err
	}
	report := s.o.Soil.Report()
	v := waterView{}
	if !report.At.IsZero() {
		v.Looked = w.moment(report.At, now)
	}
	for _, field := range report.Fields {
		if p, ok := f.Place(field.Place.Code); ok {
			v.Cards = append(v.Cards, s.waterCard(ctx, w, p, field, now))
		}
	}
	slices.SortStableFunc(v.Cards, func(a, b waterCard) int {
		switch {
		case a.worst.Worse(b.worst):
			return -1
		case b.worst.Worse(a.worst):
			return 1
		}
		return cmp.Compare(b.give, a.give)
	})
	v.Counts = waterCounts(w, v.Cards)
	for _, l := range report.Levels {
		if p, ok := f.Place(l.Place.Code); ok {
			v.Levels = append(v.Levels, newLevelRow(w, p, l, now))
		}
	}
	return s.draw(r, w, "water.html", "water", w.t("water.title"), func(fr frame) any {
		fr.Sheet = "place.css"
		v.frame = fr
		return v
	})
}

func waterCounts(w *words, cards []waterCard) []waterCount {
	out := []waterCount{{Level: danger, Label: w.t("water.count.suffer")}, {Level: noted, Label: w.t("water.count.see")}, {Level: lost, Label: w.t("water.count.unknown")}, {Level: fine, Label: w.t("water.count.fine")}}
	for _, c := range cards {
		switch {
		case c.worst.Alarming():
			out[0].N++
		case c.worst == rule.Notice:
			out[1].N++
		case c.worst == rule.Unknown:
			out[2].N++
		default:
			out[3].N++
		}
	}
	return out
}

func newLevelRow(w *words, p farm.Place, l soil.Level, now time.Time) levelRow {
	out := levelRow{Code: p.Code, Place: p.Title.In(w.lang), Value: w.num(l.CM, 0) + nbsp + "cm", Rise: w.t("water.level.unknown"), Ago: w.ago(now, l.Newest)}
	switch {
	case now.Sub(l.Newest) > soil.Fresh:
		out.Level = lost
	case !l.Known:
		out.Level = noted
	}
	if l.Known {
		sign := ""
		if l.Rise > 0 {
			sign = "+"
		}
		out.Rise = sign + w.num(l.Rise, 0) + nbsp + "cm"
	}
	return out
}

// waterCard says of a plot what to do about its water, and why.
func (s *Server) waterCard(ctx context.Context, w *words, p farm.Place, f *soil.Field, now time.Time) waterCard {
	c := waterCard{Code: p.Code, Title: p.Title.In(w.lang), Holds: p.Holds.In(w.lang), worst: rule.Calm, Bar: moistureBar(w, f)}
	if f.Season != nil {
		c.Holds = w.t("soil.crop." + f.Season.Key)
		if f.Season.Flooded {
			c.Head = []waterHead{{"", fine, w.t("water.flooded")}}
			return c
		}
	}
	add := func(list *[]string, texts []string) {
		for _, t := range texts {
			if !slices.Contains(*list, t) {
				*list = append(*list, t)
			}
		}
	}
	decisions := f.Decisions()
	slices.SortStableFunc(decisions, func(a, b rule.Decision) int {
		return map[bool]int{true: -1}[a.Verdict.Worse(b.Verdict)] + map[bool]int{true: 1}[b.Verdict.Worse(a.Verdict)]
	})
	for _, d := range decisions {
		if now.After(d.Until) {
			d.Verdict, d.Why, d.Do = rule.Unknown, []rule.Reason{rule.Because("outdated", rule.At(d.At))}, nil
		}
		if d.Verdict.Worse(c.worst) {
			c.worst = d.Verdict
		}
		c.Head = append(c.Head, waterHead{w.topic(d.Topic), verdictLevel(d.Verdict), w.t("water.say." + d.Topic + "." + string(d.Verdict))})
		add(&c.Do, w.reasons("do", d.Do, now))
		why := &c.Why
		if d.Verdict == rule.Calm && d.Topic != soil.Irrigation { // what is well needs no sentence above the fold
			why = &c.Notes
		}
		because := d.Why
		if !s.mayReadPlace(ctx, p.Code) {
			because = slices.DeleteFunc(slices.Clone(because), soil.OfDiary)
		}
		add(why, w.reasons("why", because, now))
		if source := d.Source.In(w.lang); source != "" {
			add(&c.Notes, []string{w.t("water.source", w.topic(d.Topic), source)})
		}
	}
	c.Level = verdictLevel(c.worst)
	if c.worst == rule.Notice {
		c.give = f.GiveMM
	}
	c.Notes = append(c.Notes, s.waterNotes(w, f)...)
	if s.o.Book != nil && s.mayWrite(ctx, p.Code) {
		c.Log = "/p/" + p.Code + "/log/irrigation"
	}
	if s.may(ctx, account.EditFarm) && f.Lacks != soil.NoProbe {
		c.Capacity = "/land/" + p.Code + "/capacity"
	}
	return c
}

// waterNotes say what the reckoning rests on.
func (s *Server) waterNotes(w *words, f *soil.Field) (out []string) {
	if f.Lacks == "" {
		out = append(out, w.t("water.note.holds", w.num(f.Holds.FieldCapacity, 1)+nbsp+"%", w.num(f.Holds.WiltingPoint, 1)+nbsp+"%"))
		if g := f.Place.Ground; !f.Estimated && !g.On.IsZero() {
			out = append(out, w.t("water.note.read", w.date(g.On), g.Probe))
		}
		probe := f.Probe
		if probe == "" {
			probe = w.t("water.note.probes")
		}
		out = append(out, w.t("water.note.probe", probe, w.moment(f.Newest, f.At)))
	}
	if f.Method != "" {
		out = append(out, w.t("water.note.et", w.t("soil.et."+f.Method)))
		if f.AirFrom.Code != f.Place.Code {
			out = append(out, w.t("water.note.air", f.AirFrom.Title.In(w.lang)))
		}
	}
	return out
}

// waterPanel is the card of a plot on its own page.
func (s *Server) waterPanel(ctx context.Context, w *words, at placeAt) (any, error) {
	if s.o.Soil == nil || at.Place.Kind != farm.Plot {
		return nil, nil //nolint:nilnil // no panel
	}
	f, ok := s.o.Soil.Report().Field(at.Place.Code)
	if !ok {
		return nil, nil //nolint:nilnil // nobody looked yet
	}
	return s.waterCard(ctx, w, at.Place, f, at.Now), nil
}
