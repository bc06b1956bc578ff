package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/watch/blight"
	"aovuon/server/watch/rule"
)

// Blight judges potato plots; blight.Watch is one, with the gates beside it.
type Blight interface {
	// Plots judges the plots of some codes, or all of them, the most urgent first.
	Plots(ctx context.Context, at time.Time, places ...string) ([]blight.Plot, error)
	// Chooser says what might be sprayed now, and what would come of it.
	Chooser(ctx context.Context) (blight.Chooser, error)
}

func (s *Server) blightRoutes() []route {
	if s.o.Blight == nil || s.o.Book == nil {
		return nil
	}
	return []route{{"GET /blight", needs(account.ReadBook), s.page(s.blightPage)}}
}

// blightDays is how many days a plot's table shows unless all are asked for.
const blightDays = 14

type blightView struct {
	frame
	Plots  []blightPlot
	Whole  bool   // every day of the seasons is shown
	Other  string // the same page with, or without, every day
	Source string
}

// blightPlot is one plot on the page.
type blightPlot struct {
	Title, Code    string
	Season, Record string // Record: the way to the season in the register; "": not for this visitor
	Level          level
	Word           string
	Why, Do        []string
	Facts          []fact
	Sums           []sum
	Days           []blightDay
	Others         []string // sprays that do not count, and why
	Choices        []sprayChoice
	Write          bool // the visitor may enter a spray
}

// fact is one line of a list of facts.
type fact struct{ Name, Value, Href string }

// sum is how far a sum is from its limit, for a bar.
type sum struct {
	Name, Text   string
	Width, Maybe float64 // of 100: at least, and what may come on top
}

// sprayChoice is a product and what would come of spraying it today.
type sprayChoice struct {
	Name, Left, Harvest string
	Level               level
	Found               []string
}

func (s *Server) blightPage(r *http.Request, w *words) (answer, error) {
	ctx, now := r.Context(), s.o.Now()
	f, reg, err := s.landAndRegister(ctx)
	if err != nil {
		return answer{}, err
	}
	v := blightView{Whole: r.URL.Query().Get("days") == "all", Source: blight.Source().In(w.lang)}
	v.Other = inLanguage("/blight?days=all", w.lang)
	if v.Whole {
		v.Other = inLanguage("/blight", w.lang)
	}
	if len(f.Places) > 0 {
		var codes []string
		for _, p := range f.Places {
			codes = append(codes, p.Code)
		}
		plots, err := s.o.Blight.Plots(ctx, now, codes...)
		if err != nil {
			return answer{}, err
		}
		sprays, err := s.o.Blight.Chooser(ctx)
		if err != nil {
			return answer{}, err
		}
		for _, p := range plots {
			v.Plots = append(v.Plots, s.blightPlot(ctx, w, reg, sprays, p, v.Whole, now))
		}
	}
	return s.draw(r, w, "blight.html", "blight", w.t("blight.title"), func(fr frame) any { v.frame = fr; return v })
}

// verdictLevel is how much somebody should look at what a rule decided.
func verdictLevel(v rule.Verdict) level {
	switch v {
	case rule.Notice:
		return noted
	case rule.Warn:
		return warned
	case rule.Crit:
		return danger
	case rule.Unknown:
		return lost
	case rule.Calm:
	}
	return fine
}

func (s *Server) blightPlot(ctx context.Context, w *words, reg register, sprays blight.Chooser, p blight.Plot, whole bool, now time.Time) blightPlot {
	v := blightPlot{
		Title: p.Place.Title.In(w.lang), Code: p.Place.Code, Season: p.Name, Level: verdictLevel(p.Verdict), Word: blightWord(w, p),
		Why: w.reasons("why", p.Why, now), Do: w.reasons("do", p.Do, now), Write: s.mayWrite(ctx, p.Place.Code),
	}
	if p.Cycle != "" && s.may(ctx, account.SeeRegister) {
		v.Record = "/farm/" + string(farm.Cycle) + "/" + p.Cycle
	}
	if p.Cycle == "" || !p.Harvested.IsZero() {
		return v
	}
	v.Facts, v.Sums = blightFacts(w, p, v.Record), blightSums(w, p)
	days := slices.Clone(p.Days)
	slices.Reverse(days)
	for i, d := range days {
		if whole || i < blightDays {
			v.Days = append(v.Days, newBlightDay(w, d))
		}
	}
	for _, x := range p.Sprays {
		if !x.Counts && now.Sub(x.Day) < blightDays*24*time.Hour {
			v.Others = append(v.Others, w.t("blight.spray."+x.Why, x.Product, w.date(x.Day)))
		}
	}
	ends := cycleEnd(w, reg, p.Cycle)
	for _, c := range sprays.Choices(p.Place.Code, p.Cycle) {
		v.Choices = append(v.Choices, newSprayChoice(w, c, ends, now))
	}
	return v
}

// blightWord says in a few words what is to be done.
func blightWord(w *words, p blight.Plot) string {
	if p.Verdict == rule.Calm {
		switch {
		case !p.Harvested.IsZero():
			return w.t("blight.word.harvested")
		case len(p.Days) == 0:
			return w.t("blight.word.notup")
		}
	}
	return w.t("blight.word." + string(p.Verdict))
}

// cycleEnd is the last day of a season; zero: nobody said.
func cycleEnd(w *words, reg register, cycle string) time.Time {
	c, ok := reg.record(farm.Cycle, cycle)
	if !ok {
		return time.Time{}
	}
	return c.Values.Day("end", w.zone)
}

func blightFacts(w *words, p blight.Plot, record string) (out []fact) {
	class := w.t("option.blight_class." + string(p.Class))
	if !p.ClassSaid {
		class = w.t("blight.class.usual", class)
	}
	if p.Variety != "" {
		class = p.Variety + ": " + lowerFirst(class)
	}
	out = append(out, fact{w.t("blight.variety"), class, record})
	up, byEntry := p.Emerged()
	text := w.t("blight.up.about", w.date(up))
	if byEntry {
		text = w.t("blight.up.planted", w.date(up), w.date(p.Planted))
	}
	out = append(out, fact{w.t("blight.up"), text, ""})
	if p.Last == nil {
		out = append(out, fact{w.t("blight.last"), w.t("blight.last.none"), ""})
	} else {
		out = append(out, fact{w.t("blight.last"), w.t("blight.last.of", w.date(p.Last.Day), p.Last.Product), "/diary/" + p.Last.Entry})
	}
	risk := w.t("blight.risk." + string(p.Risk))
	switch {
	case !p.RiskSure && p.Risk == blight.RiskNone:
		risk = w.t("blight.unknown")
	case !p.RiskSure:
		risk = w.t("blight.atleast", lowerFirst(risk))
	}
	total := w.count(int64(p.Total))
	if p.UnknownDays > 0 {
		total = w.t("blight.atleast", total)
	}
	out = append(out, fact{w.t("blight.uw"), w.t("blight.uw.of", risk, total, w.count(blight.FirstSprayDSV)), ""})
	metos := w.t("blight.week.unknown")
	if p.Week.Known {
		metos = w.t("blight.week."+scheduleKey(p.Week.Schedule), w.count(int64(p.Week.DSV)), w.count(int64(p.Week.Rain)))
	}
	return append(out, fact{w.t("blight.week"), metos, ""})
}

func scheduleKey(s blight.Schedule) string {
	switch s {
	case blight.Warning:
		return "warning"
	case blight.SevenDay:
		return "seven"
	case blight.FiveDay:
		return "five"
	case blight.NoSpray:
	}
	return "none"
}

func blightSums(w *words, p blight.Plot) (out []sum) {
	add := func(name string, s blight.Span, limit int) {
		one := sum{Name: name, Width: min(100, 100*float64(s.Lo)/float64(limit))}
		one.Maybe = min(100, 100*float64(s.Hi)/float64(limit)) - one.Width
		one.Text = w.t("blight.sum", w.count(int64(s.Lo)), w.count(int64(limit)))
		if s.Hi > s.Lo {
			one.Text = w.t("blight.sum.maybe", w.count(int64(s.Lo)), w.count(int64(s.Hi)), w.count(int64(limit)))
		}
		out = append(out, one)
	}
	add(w.t("blight.units"), p.Units, p.UnitLimit)
	if p.Last != nil {
		add(w.t("blight.fungicide"), p.Fungicide, p.FungicideLimit)
	}
	return out
}

func newSprayChoice(w *words, c blight.Choice, ends, now time.Time) sprayChoice {
	v := sprayChoice{Name: c.Input.Name(), Left: w.figure(c.Left) + nbsp + w.t("option.unit."+c.Input.Values.Text("unit"))}
	switch {
	case c.Harvest.Unknown:
		v.Level, v.Harvest = danger, w.t("blight.choice.unknown")
	default:
		v.Harvest = w.t("blight.choice.from", w.date(c.Harvest.From))
	}
	if !c.Harvest.Unknown && !ends.IsZero() && c.Harvest.From.After(ends) {
		v.Level = warned
		v.Found = append(v.Found, w.t("blight.choice.late", w.date(ends)))
	}
	for _, f := range c.Found {
		line := newRuleLine(w, f, now)
		if f.Rule == gate.UnknownDays {
			continue // said already
		}
		v.Level, v.Found = max(v.Level, line.Level), append(v.Found, line.Text)
	}
	if c.Left <= 0 {
		v.Found = append(v.Found, w.t("blight.choice.none"))
	}
	return v
}
