package web

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/web/chart"
)

// span is one choice of time on a place's page.
type span struct {
	Name string // in the query: 24h
	Long time.Duration
	Step time.Duration
	tick func(from time.Time, i int) time.Time // i-th mark of the time axis from the first midnight at or before from
	form string                                // of a mark
}

// spans are the choices; the first is the one people get who ask for none.
func spans() []span {
	days := func(k int) func(time.Time, int) time.Time {
		return func(from time.Time, i int) time.Time { return from.AddDate(0, 0, i*k) }
	}
	return []span{
		{"24h", 24 * time.Hour, 10 * time.Minute, func(from time.Time, i int) time.Time { return from.Add(time.Duration(i) * 6 * time.Hour) }, "15:04"},
		{"7d", 7 * 24 * time.Hour, time.Hour, days(1), "02/01"},
		{"30d", 30 * 24 * time.Hour, 4 * time.Hour, days(6), "02/01"},
	}
}

func spanNamed(name string) (span, bool) {
	all := spans()
	if name == "" {
		return all[0], true
	}
	i := slices.IndexFunc(all, func(s span) bool { return s.Name == name })
	if i < 0 {
		return all[0], false
	}
	return all[i], true
}

type placePage struct {
	frame
	Card    card
	Zone    string
	Address string
	Tabs    []tab
	Span    string
	Charts  []figure
	Limits  []limitLine
	Lots    []lotLine
	Probes  []probeLine // how each probe is calibrated
	Gates   *gateView   // what holds a harvest back; nil: nobody judges, or it is not for this visitor
	Broken  bool        // the history does not answer
}

type tab struct {
	Label, Href string
	Here        bool
}

// figure is the chart of one series, in words too.
type figure struct {
	ID, Heading, Sensor string
	SVG                 template.HTML
	Summary             string
	Coverage            string
}

type limitLine struct{ Quantity, Text, Source string }

// placeAsked returns the place of a page's address; ok is false when there is none.
func (s *Server) placeAsked(r *http.Request) (f *farm.Farm, p farm.Place, ok bool, err error) {
	if f, err = s.farmNow(r.Context()); err != nil {
		return nil, p, false, err
	}
	if code, bad := farm.ParseCode(r.PathValue("code")); bad == nil {
		p, ok = f.Place(code)
	}
	return f, p, ok, nil
}

func (s *Server) place(r *http.Request, w *words) (answer, error) {
	f, p, ok, err := s.placeAsked(r)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.place", "")
	}
	sp, ok := spanNamed(r.URL.Query().Get("range"))
	if !ok {
		return s.missing(r, w, "missing.range", "")
	}
	now := s.o.Now()
	values := s.values(r.Context())
	v := placePage{
		frame: s.frame(r, w, f, p.Title.In(w.lang)), Span: sp.Name,
		Card: s.ownCard(r.Context(), w, f, p, values, now), Limits: limitLines(w, f, p),
	}
	v.Live = inLanguage("/live?place="+p.Code, w.lang)
	if z, ok := f.Zone(p.Zone); ok {
		v.Zone = z.Name.In(w.lang)
		if a, ok := farm.AddressAt(z.Addresses, now); ok {
			v.Address = a.Text.In(w.lang)
		}
	}
	for _, sp2 := range spans() {
		v.Tabs = append(v.Tabs, tab{w.t("range." + sp2.Name), inLanguage("/places/"+p.Code+"?range="+sp2.Name, w.lang), sp2.Name == sp.Name})
	}
	if v.Probes, err = s.probeLines(r.Context(), w, f, p, now); err != nil {
		return answer{}, err
	}
	if v.Gates, err = s.gatesAt(r.Context(), w, p, now); err != nil {
		return answer{}, err
	}
	lots, err := s.lotLines(r.Context(), w, f)
	if err != nil {
		return answer{}, err
	}
	v.Lots = slices.DeleteFunc(lots, func(l lotLine) bool { return !slices.Contains(l.Places, p.Code) })
	for _, sr := range charted(seriesAt(f, p, values, now.Add(-sp.Long), now.Add(time.Nanosecond))) {
		fig, err := s.figure(r.Context(), w, f.LimitsOf(p, sr.Quantity), sr, sp, now)
		if err != nil {
			s.o.Log.Warn("chart", slog.String("sensor", sr.Sensor), slog.Any("err", err))
			v.Broken = true
			break
		}
		v.Charts = append(v.Charts, fig)
	}
	body, err := s.e.render(w.lang, "place.html", "layout", v)
	return answer{status: http.StatusOK, body: body}, err
}

// charted leaves out series whose chart would say what another one says: what an aerator was told, and the ampere it drew, beside
// whether it ran. Alarms are lines in the card.
func charted(all []history.Series) []history.Series {
	runs := slices.ContainsFunc(all, func(sr history.Series) bool { return sr.Quantity == measure.AeratorRunning })
	return slices.DeleteFunc(all, func(sr history.Series) bool {
		switch sr.Quantity { //nolint:exhaustive // a part of them
		case measure.AlarmState:
			return true
		case measure.AeratorCommand, measure.Current:
			return runs
		}
		return false
	})
}

// stepsOf reads the steps of a span. They begin at whole steps of the co-op's time, and the last ends with now.
func (s *Server) stepsOf(ctx context.Context, sr history.Series, sp span, now time.Time) (from time.Time, buckets []history.Bucket, err error) {
	ctx, cancel := context.WithTimeout(ctx, historyPatience)
	defer cancel()
	zone := farm.Time()
	_, offset := now.In(zone).Zone()
	shift := time.Duration(offset) * time.Second
	from = now.Add(shift).Add(-sp.Long).Truncate(sp.Step).Add(-shift).UTC()
	buckets, err = s.o.History.Range(ctx, history.Query{Series: sr, From: from, To: now, Every: sp.Step, Zone: zone})
	return from, buckets, err
}

func (s *Server) figure(ctx context.Context, w *words, limits []farm.Limit, sr history.Series, sp span, now time.Time) (figure, error) {
	from, buckets, err := s.stepsOf(ctx, sr, sp, now)
	if err != nil {
		return figure{}, err
	}
	steps := toSteps(buckets)
	fig := figure{
		ID: "c-" + sr.Gateway + "-" + sr.Sensor + "-" + string(sr.Quantity), Heading: w.t("quantity." + string(sr.Quantity)), Sensor: sr.Gateway + " / " + sr.Sensor,
		Summary: w.t("chart.nothing"),
	}
	if u := w.unit(sr.Quantity); u != "" {
		fig.Heading += " (" + u + ")"
	}
	if yesNo(sr.Quantity) {
		fig.Heading += " (%)"
	}
	if len(steps) > 0 {
		lo := slices.MinFunc(steps, func(a, b chart.Step) int { return cmp.Compare(a.Min, b.Min) })
		hi := slices.MaxFunc(steps, func(a, b chart.Step) int { return cmp.Compare(a.Max, b.Max) })
		mean, n := 0.0, 0
		for _, b := range buckets {
			mean, n = mean+b.Mean*float64(b.N), n+b.N
		}
		fig.Summary = w.t("chart.summary", w.valueUnit(sr.Quantity, lo.Min), w.dateTime(lo.Start), w.valueUnit(sr.Quantity, hi.Max), w.dateTime(hi.Start),
			w.valueUnit(sr.Quantity, mean/float64(n)))
		if yesNo(sr.Quantity) {
			fig.Summary = w.t("chart.share", w.t("yes."+string(sr.Quantity)), w.percent(mean/float64(n)))
			for i, b := range steps {
				steps[i].Min, steps[i].Max = b.Mean, b.Mean
			}
		}
		total := int64((now.Sub(from) + sp.Step - 1) / sp.Step)
		fig.Coverage = w.t("chart.coverage", w.count(int64(len(steps))), w.count(total), w.length(sp.Step))
	}
	c := chart.Chart{
		ID: fig.ID, Title: w.t("chart.title", fig.Heading, w.t("range."+sp.Name)), Desc: fig.Summary + " " + fig.Coverage, From: from, To: now,
		Every: sp.Step, Steps: steps, Ticks: ticks(sp, from, now), MinSpan: leastSpan(sr.Quantity), NoData: w.t("chart.gap"),
		Number: axisNumber(w, steps, sr.Quantity),
	}
	for _, l := range limits {
		if l.Level == farm.Warn {
			c.Limits = append(c.Limits, chart.Line{Value: l.Value, Above: l.Above, Label: w.t("chart.limit", w.limit(l.Quantity, l.Value))})
		}
	}
	fig.SVG = template.HTML(c.SVG())
	return fig, nil
}

// axisNumber prints marks of the value axis with no more decimals than its steps need.
func axisNumber(w *words, steps []chart.Step, q measure.Quantity) func(float64) string {
	low, high := 0.0, leastSpan(q)
	for i, s := range steps {
		if i == 0 {
			low, high = s.Min, s.Max
		}
		low, high = min(low, s.Min), max(high, s.Max)
	}
	if yesNo(q) {
		return func(v float64) string { return w.num(100*v, 0) }
	}
	decimals := 0
	if max(high-low, leastSpan(q)) < 6 {
		decimals = 1
	}
	if max(high-low, leastSpan(q)) < 0.9 {
		decimals = 2
	}
	return func(v float64) string { return w.num(v, decimals) }
}

func ticks(sp span, from, to time.Time) []chart.Tick {
	local := from.In(farm.Time())
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
	var out []chart.Tick
	for i := 0; ; i++ {
		at := sp.tick(midnight, i)
		if at.After(to) {
			return out
		}
		if at.Before(from) {
			continue
		}
		label := at.Format(sp.form)
		if sp.form == "15:04" && at.Hour() == 0 {
			label = at.Format("02/01")
		}
		out = append(out, chart.Tick{At: at, Label: label})
	}
}

func limitLines(w *words, f *farm.Farm, p farm.Place) []limitLine {
	var out []limitLine
	for _, q := range measure.Quantities() {
		for _, l := range f.LimitsOf(p, q) {
			key := fmt.Sprintf("limits.%s.low", l.Level)
			if l.Above {
				key = fmt.Sprintf("limits.%s.high", l.Level)
			}
			out = append(out, limitLine{w.t("quantity." + string(q)), w.t(key, w.limit(q, l.Value)), l.Source.In(w.lang)})
		}
	}
	return out
}
