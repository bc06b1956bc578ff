package web

import (
	"cmp"
	"context"
	"html/template"
	"net/url"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/web/chart"
)

// figure is the chart of one series, in words too.
type figure struct {
	ID, Heading, Sensor string
	ProbeHref, PNG      string
	SVG                 template.HTML
	Summary             string
	Coverage            string
	// For the script: which series of an answer of /api/series it is, how its numbers are written, and its time in Unix seconds.
	Source, Key, Unit string
	Decimals          int
	Share             bool // the mean of a state is a share of the time
	From, To          int64
	graph             chart.Chart
}

// seriesKey names a series within a page.
func seriesKey(sr history.Series) string {
	return sr.Place + " " + sr.Gateway + " " + sr.Sensor + " " + string(sr.Quantity)
}

// seriesSource is where the script asks for the numbers of a chart: of a quantity, or of all of the place.
func seriesSource(place string, quantity measure.Quantity, p period) string {
	q := p.query()
	q.Set("place", place)
	if quantity != "" {
		q.Set("quantity", string(quantity))
	}
	return "/api/series?" + q.Encode()
}

// stepsOf reads the steps of a period.
func (s *Server) stepsOf(ctx context.Context, sr history.Series, p period) ([]history.Bucket, error) {
	ctx, cancel := context.WithTimeout(ctx, historyPatience)
	defer cancel()
	return s.o.History.Range(ctx, history.Query{Series: sr, From: p.From, To: p.To, Every: p.Step, Zone: farm.Time()})
}

func (s *Server) figure(ctx context.Context, w *words, f *farm.Farm, sr history.Series, p period, line timeline) (figure, error) {
	buckets, err := s.stepsOf(ctx, sr, p)
	if err != nil {
		return figure{}, err
	}
	fig := newFigure(w, f, sr, p, buckets)
	fig.graph.Lanes = slices.Concat(faultLane(w, buckets, p), line.lanes(w, sr.Quantity, p))
	fig.SVG = safeHTML([]byte(fig.graph.SVG()))
	return fig, nil
}

// newFigure makes the chart of steps, without lanes.
func newFigure(w *words, f *farm.Farm, sr history.Series, p period, buckets []history.Bucket) figure {
	info, _ := sr.Quantity.Info()
	q := p.query()
	q.Set("gateway", sr.Gateway)
	q.Set("sensor", sr.Sensor)
	q.Set("quantity", string(sr.Quantity))
	fig := figure{
		ID: "c-" + sr.Gateway + "-" + sr.Sensor + "-" + string(sr.Quantity), Heading: w.t("quantity." + string(sr.Quantity)), Sensor: sr.Gateway + " / " + sr.Sensor,
		Summary: w.t("chart.nothing"), Source: seriesSource(sr.Place, "", p), Key: seriesKey(sr), Unit: w.unit(sr.Quantity), Decimals: info.Decimals, Share: yesNo(sr.Quantity), From: p.From.Unix(), To: p.To.Unix(),
		ProbeHref: inLanguage(probePath(sr.Gateway, sr.Sensor)+"?"+p.query().Encode(), w.lang), PNG: inLanguage("/places/"+sr.Place+"/chart.png?"+q.Encode(), w.lang),
	}
	if !f.Signs(sr.Gateway) {
		fig.Sensor += " · " + w.t("unsigned")
	}
	if fig.Unit != "" {
		fig.Heading += " (" + fig.Unit + ")"
	}
	if fig.Share {
		fig.Heading, fig.Unit = fig.Heading+" (%)", "%"
	}
	steps := toSteps(buckets)
	if len(steps) > 0 {
		fig.describe(w, sr.Quantity, buckets, steps, p)
	}
	fig.graph = chart.Chart{
		ID: fig.ID, Title: w.t("chart.title", fig.Heading, p.text(w)), Desc: fig.Summary + " " + fig.Coverage, From: p.From, To: p.To,
		Every: p.Step, Steps: steps, Ticks: p.ticks(), MinSpan: leastSpan(sr.Quantity), NoData: w.t("chart.gap"), Number: axisNumber(w, steps, sr.Quantity),
	}
	fig.graph.Least, fig.graph.Most = ends(sr.Quantity)
	if place, ok := f.Place(sr.Place); ok {
		fig.graph.Limits = limitsDrawn(w, f.LimitsOf(place, sr.Quantity))
	}
	return fig
}

// ends are the values that none of a quantity can pass, where people know them; equal: there are none worth an axis.
func ends(q measure.Quantity) (least, most float64) {
	info, _ := q.Info()
	if yesNo(q) || q == measure.RelativeHumidity || q == measure.SoilMoisture {
		return info.Min, info.Max
	}
	return 0, 0
}

// text names a period in a title.
func (p period) text(w *words) string {
	if p.Name != "" && p.Name != season {
		return w.t("period.last", w.t("range."+p.Name))
	}
	return w.t("period.text", w.dateTime(p.From), w.dateTime(p.To))
}

// describe says in words what the chart shows; of a state, the share of the records.
func (fig *figure) describe(w *words, q measure.Quantity, buckets []history.Bucket, steps []chart.Step, p period) {
	lo := slices.MinFunc(steps, func(a, b chart.Step) int { return cmp.Compare(a.Min, b.Min) })
	hi := slices.MaxFunc(steps, func(a, b chart.Step) int { return cmp.Compare(a.Max, b.Max) })
	mean, n := 0.0, 0
	for _, b := range buckets {
		mean, n = mean+b.Mean*float64(b.N), n+b.N
	}
	fig.Summary = w.t("chart.summary", w.valueUnit(q, lo.Min), w.dateTime(lo.Start), w.valueUnit(q, hi.Max), w.dateTime(hi.Start), w.valueUnit(q, mean/float64(n)))
	if yesNo(q) {
		fig.Summary = w.t("chart.share", w.t("yes."+string(q)), w.percent(mean/float64(n)))
		for i := range steps {
			steps[i].Min, steps[i].Max = steps[i].Mean, steps[i].Mean
		}
	}
	fig.Coverage = w.t("chart.coverage", w.count(int64(len(steps))), w.count(p.steps()), w.length(p.Step))
}

// limitsDrawn are the limits of a chart: the warning dashed, the danger as a full line.
func limitsDrawn(w *words, limits []farm.Limit) (out []chart.Line) {
	for _, l := range slices.Backward(limits) {
		key := "chart.limit.warn"
		if l.Level == farm.Crit {
			key = "chart.limit.crit"
		}
		out = append(out, chart.Line{Value: l.Value, Above: l.Above, Crit: l.Level == farm.Crit, Label: w.t(key, w.limit(l.Quantity, l.Value))})
	}
	return out
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

// faultLane shows when the probe spoke and gave no value; none while it always did.
func faultLane(w *words, buckets []history.Bucket, p period) []chart.Lane {
	lane, n := chart.Lane{}, 0
	for _, b := range buckets {
		bad := b.Faults + b.OutOfRange
		if bad == 0 {
			continue
		}
		n += bad
		lane.Bars = append(lane.Bars, chart.Bar{From: b.Start, To: earliest(b.Start.Add(p.Step), p.To), Share: float64(bad) / float64(bad+b.N), Class: "lost"})
	}
	if n == 0 {
		return nil
	}
	lane.Label = w.amount("lane.fault", int64(n))
	return []chart.Lane{lane}
}

// files are the links to take along what a page shows.
type files struct{ Steps, Readings string }

func newFiles(w *words, place string, p period) files {
	q := p.query()
	steps := "/places/" + place + "/data.csv?" + q.Encode()
	q.Set("every", "reading")
	return files{inLanguage(steps, w.lang), inLanguage("/places/"+place+"/data.csv?"+q.Encode(), w.lang)}
}

// probePath is the page of a probe.
func probePath(gateway, sensor string) string {
	return "/probes/" + url.PathEscape(gateway) + "/" + url.PathEscape(sensor)
}

// hoursMinutes writes a length of time as a lane does: hours and minutes, whole days from two days on.
func (w *words) hoursMinutes(d time.Duration) string {
	d = d.Round(time.Minute)
	h, m := int64(d/time.Hour), int64(d%time.Hour/time.Minute)
	switch {
	case h == 0:
		return w.amount("for.minutes", m)
	case m == 0 || h >= 48:
		return w.hours(d)
	}
	return w.amount("for.hours", h) + " " + w.amount("for.minutes", m)
}
