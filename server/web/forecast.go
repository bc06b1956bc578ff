package web

import (
	"cmp"
	"context"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/watch/dawn"
	"aovuon/server/watch/rule"
	"aovuon/server/web/chart"
)

// Dawn is the forecast of oxygen; dawn.Rule is one.
type Dawn interface {
	Outlook(place string) (dawn.Outlook, bool)
}

func (s *Server) forecastRoutes() []route {
	return []route{{"GET /forecast", needs(account.SeePlaces), s.page(s.forecastPage)}}
}

type forecastPage struct {
	frame
	Ponds   []dawnView
	Waiting bool // there are probes, and nothing was reckoned yet
}

// dawnView is the night of one pond.
type dawnView struct {
	Code, Name              string
	Own                     bool // on the page of its place
	Level                   level
	Word                    string
	Do, Why                 []string
	Foretold, Value, Within string // when dawn is; how much then; between what
	SVG                     template.HTML
	Legend                  string
	Score                   string
	ScoreMore               []string
	At, Source, LimitSource string
	Probe                   string

	verdict rule.Verdict
	low     float64
}

// forecastPage shows the coming dawn of all ponds that the visitor may see, the worst first.
func (s *Server) forecastPage(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	now := s.o.Now()
	v := forecastPage{frame: s.frame(r, w, f, w.t("dawn.title"))}
	v.Nav, v.Sheet = "forecast", "place.css"
	for _, p := range f.Places {
		if d, ok := s.dawnView(r.Context(), w, p, now); ok {
			v.Ponds = append(v.Ponds, d)
		} else if p.Kind == farm.Pond && slices.ContainsFunc(f.MountsAt(p.Code, now.Add(-24*time.Hour), now), func(m farm.Mount) bool { return slices.Contains(m.Measures, measure.DissolvedOxygen) }) {
			v.Waiting = true
		}
	}
	slices.SortStableFunc(v.Ponds, func(a, b dawnView) int {
		switch {
		case a.verdict.Worse(b.verdict):
			return -1
		case b.verdict.Worse(a.verdict):
			return 1
		}
		return cmp.Compare(a.low, b.low)
	})
	body, err := s.e.render(w.lang, "forecast.html", "layout", v)
	return answer{status: http.StatusOK, body: body}, err
}

// dawnPanel is that part of a place's page.
func (s *Server) dawnPanel(ctx context.Context, w *words, at placeAt) (any, error) {
	v, ok := s.dawnView(ctx, w, at.Place, at.Now)
	if !ok {
		return nil, nil
	}
	v.Own = true
	return v, nil
}

// dawnView is made of the newest decision on the board, so that no page says other than the alarms do, and of the numbers behind it.
func (s *Server) dawnView(ctx context.Context, w *words, p farm.Place, now time.Time) (v dawnView, ok bool) {
	if s.o.Dawn == nil || s.o.Board == nil {
		return v, false
	}
	o, ok := s.o.Dawn.Outlook(p.Code)
	all := s.o.Board.Decisions(p.Code, now)
	i := slices.IndexFunc(all, func(d rule.Decision) bool { return d.Topic == dawn.Topic })
	if !ok || i < 0 {
		return v, false
	}
	d := all[i]
	because := d.Why
	if !s.mayReadPlace(ctx, p.Code) {
		because = slices.DeleteFunc(slices.Clone(because), dawn.OfDiary)
	}
	v = dawnView{
		Code: p.Code, Name: p.Title.In(w.lang), Level: dawnLevel(d.Verdict), Word: w.t("dawn.verdict." + string(d.Verdict)), verdict: d.Verdict, low: math.Inf(1),
		Do: w.reasons("do", d.Do, now), Why: w.reasons("why", because, now), At: w.moment(o.At, now), Source: w.t("dawn.source", d.Source.In(w.lang)),
		LimitSource: w.t("dawn.limit.source", o.SetSource.In(w.lang)), Probe: o.Gateway + " / " + o.Sensor,
	}
	if d.Verdict == rule.Calm && o.Outcome.State != dawn.Ready {
		v.Word, v.Level = w.t("dawn.wait"), noted
	}
	if o.Outcome.State == dawn.Ready && d.Verdict != rule.Unknown {
		at, margin := o.Night.Dawn(), 2*o.Score.Margin()
		v.low = o.Outcome.Curve.Respired(at)
		v.Foretold, v.Value = w.t("dawn.foretold", w.moment(at, now)), w.oxygenLeft(v.low)
		v.Within = w.t("dawn.within", w.oxygenLeft(v.low-margin), w.oxygenLeft(v.low+margin))
	}
	v.Score, v.ScoreMore = w.dawnScore(o.Score)
	drawn := dawnChart(w, p, o)
	v.SVG, v.Legend = template.HTML(drawn.SVG()), drawn.Desc
	return v, true
}

// dawnLevel is how a verdict looks.
func dawnLevel(v rule.Verdict) level {
	switch v {
	case rule.Calm:
		return fine
	case rule.Notice:
		return noted
	case rule.Warn:
		return warned
	case rule.Crit:
		return danger
	case rule.Unknown:
	}
	return lost
}

// oxygenLeft writes what a forecast says: there is no oxygen below nothing.
func (w *words) oxygenLeft(v float64) string {
	if v <= 0 {
		return w.t("dawn.below")
	}
	return w.withUnit(w.num(v, 1), measure.DissolvedOxygen)
}

// dawnScore says how good the forecast was here, and against what.
func (w *words) dawnScore(s dawn.Score) (head string, more []string) {
	if s.Nights == 0 {
		return w.t("dawn.score.none"), nil
	}
	mg := func(v float64) string { return w.withUnit(w.num(v, 1), measure.DissolvedOxygen) }
	head = w.t("dawn.score", w.count(int64(s.Nights)), mg(s.MAE))
	if s.BeforeNights > 0 {
		more = append(more, w.t("dawn.score.before", mg(s.Before)))
	}
	switch {
	case s.Bias >= 0.1:
		more = append(more, w.t("dawn.score.bias.high", mg(s.Bias)))
	case s.Bias <= -0.1:
		more = append(more, w.t("dawn.score.bias.low", mg(-s.Bias)))
	}
	return head, more
}

// dawnChart draws one night from noon on.
func dawnChart(w *words, p farm.Place, o dawn.Outlook) chart.Night {
	noon := o.Night.Dusk.In(w.zone)
	from := time.Date(noon.Year(), noon.Month(), noon.Day(), 12, 0, 0, 0, w.zone)
	c := chart.Night{Chart: chart.Chart{
		ID: "dawn-chart-" + p.Code, Title: w.t("dawn.chart"), Desc: w.t("dawn.chart.measured"), From: from, To: from.Add(20 * time.Hour), Every: 10 * time.Minute,
		MinSpan: 2, NoData: w.t("dawn.gap"), Limits: []chart.Line{{Value: o.Set, Label: w.t("dawn.set", w.num(o.Set, 1))}},
		Number: func(v float64) string { return w.num(v, 0) }, Height: 200,
	}, Now: o.At}
	if o.At.After(c.To) {
		c.Now = c.To
	}
	for h := 12; h <= 32; h += 4 {
		t := from.Add(time.Duration(h-12) * time.Hour)
		c.Ticks = append(c.Ticks, chart.Tick{At: t, Label: t.Format("15:04")})
	}
	for _, s := range o.Oxygen {
		if n := len(c.Steps); n == 0 || s.At.Sub(c.Steps[n-1].Start) >= c.Every {
			c.Steps = append(c.Steps, chart.Step{Start: s.At, Min: s.Value, Mean: s.Value, Max: s.Value})
		}
	}
	for _, a := range o.Aerated {
		c.Aired = append(c.Aired, chart.Period{From: a.From, To: a.To})
	}
	if len(c.Aired) > 0 {
		c.Desc += " " + w.t("dawn.chart.aired")
	}
	if o.Outcome.State != dawn.Ready {
		return c
	}
	c.Desc = strings.Replace(c.Desc, w.t("dawn.chart.measured"), w.t("dawn.chart.desc"), 1)
	if o.Act && !o.TurnOn.IsZero() {
		c.Mark, c.Label = o.TurnOn, w.t("dawn.chart.on", o.TurnOn.In(w.zone).Format("15:04"))
	}
	at, margin := o.Night.Dawn(), 2*o.Score.Margin()
	total := at.Sub(o.At)
	for t := o.At; ; t = t.Add(15 * time.Minute) {
		if t.After(at) {
			t = at
		}
		mid, wide := o.Outcome.Curve.Respired(t), margin // the band opens as the night goes on
		if total > 0 {
			wide *= t.Sub(o.At).Hours() / total.Hours()
		}
		c.Ahead = append(c.Ahead, chart.Ahead{At: t, Low: mid - wide, Mid: mid, High: mid + wide})
		if !t.Before(at) {
			return c
		}
	}
}
