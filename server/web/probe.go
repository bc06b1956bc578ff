package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/calibration"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// probeRoutes are where one probe is looked at.
func (s *Server) probeRoutes() []route {
	return []route{{"GET /probes/{gateway}/{sensor}", needs(account.SeePlaces), s.page(s.probe)}}
}

// gapsShown is how many gaps of a series a page lists, the longest.
const gapsShown = 8

type probePage struct {
	frame
	Gateway, Sensor string
	Period          periodView
	Times           string
	Step            int64
	Now             []reading
	Mounts          []mountRow
	Charts          []figure
	Quality         []qualityRow
	Calibrations    []calibrationRow
	Calibrated      string // link to all of them
	Guides          []guideLink
	Drifts          []driftRow
	Broken          bool
	Unsigned        bool // the device cannot sign
}

// mountRow is where the probe hung.
type mountRow struct {
	Place, Href string
	Measures    string
	From, To    string
	Now         bool
}

// qualityRow is what the readings of a series are worth.
type qualityRow struct {
	Label, Place string
	N            string // readings
	Covered      string // share of the time that a reading stands for
	Shares       []qualityShare
	Gaps         []probeGap
	More         int64 // gaps that are not listed
	Nothing      bool
}

type qualityShare struct {
	Word  string
	Share string
	Level level
}

type probeGap struct{ From, To, Long, Why string }

// driftRow is how far off the probe was at a calibration.
type driftRow struct{ Label, When, Off, Monthly, Point, Since string }

// probeAsked returns when and where the probe of an address hung, the newest first, and its newest values; ok is false for one that the visitor
// knows nothing of.
func (s *Server) probeAsked(r *http.Request, f *farm.Farm) (mounts []farm.Mount, values []reading, ok bool) {
	gateway, sensor := r.PathValue("gateway"), r.PathValue("sensor")
	for _, m := range f.Mounts {
		if m.Gateway == gateway && m.Sensor == sensor {
			mounts = append(mounts, m)
		}
	}
	slices.SortStableFunc(mounts, func(a, b farm.Mount) int { return b.From.Compare(a.From) })
	w, now := s.words(r), s.o.Now()
	for _, v := range s.values(r.Context()) {
		if v.Gateway != gateway || v.Sensor != sensor {
			continue
		}
		p, _ := f.Place(v.Place)
		values = append(values, judge(w, f, f.LimitsOf(p, v.Quantity), v, true, now))
	}
	return mounts, values, len(mounts)+len(values) > 0
}

func (s *Server) probe(r *http.Request, w *words) (answer, error) {
	ctx, now := r.Context(), s.o.Now()
	f, err := s.farmNow(ctx)
	if err != nil {
		return answer{}, err
	}
	mounts, values, ok := s.probeAsked(r, f)
	if !ok {
		return s.missing(r, w, "missing.probe", "")
	}
	q := r.URL.Query()
	if q.Get("range") == season { // of which place
		q.Set("range", "30d")
	}
	asked, wrong, ok := askedPeriod(q, time.Time{}, now)
	if !ok {
		return s.missing(r, w, "missing.range", "")
	}
	v := probePage{Gateway: r.PathValue("gateway"), Sensor: r.PathValue("sensor"), Now: values, Step: int64(asked.Step.Seconds())}
	v.Unsigned = !f.Signs(v.Gateway)
	path := probePath(v.Gateway, v.Sensor)
	v.frame = s.frame(r, w, f, w.t("probe.title", v.Sensor))
	v.Nav, v.Sheet, v.Forms, v.Script = "home", "place.css", true, "chart.js"
	v.Period, v.Times = newPeriodView(w, path, url.Values{}, asked, time.Time{}, wrong, now), inLanguage(path, w.lang)
	for _, m := range mounts {
		v.Mounts = append(v.Mounts, newMountRow(w, f, m, now))
	}
	v.Guides = s.e.probeGuides(w, measuredBy(mounts, values))
	if err := s.probeCalibrations(ctx, w, mounts, &v); err != nil {
		return answer{}, err
	}
	all := probeSeries(mounts, values, asked)
	asked, gone, err := s.asKept(ctx, all, asked)
	v.Period.Gone, v.Step = w.goneText(gone), int64(asked.Step.Seconds())
	if err == nil {
		v.Charts, err = s.figures(ctx, w, f, all, asked, timeline{})
	}
	if err == nil {
		err = s.probeQuality(ctx, w, f, all, asked, &v)
	}
	if err != nil {
		s.o.Log.Warn("probe", slog.String("sensor", v.Sensor), slog.Any("err", err))
		v.Broken = true
	}
	body, err := s.e.render(w.lang, "probe.html", "layout", v)
	return answer{status: http.StatusOK, body: body}, err
}

// measuredBy lists what a probe measures, by its mounts and its values.
func measuredBy(mounts []farm.Mount, values []reading) (out []measure.Quantity) {
	for _, m := range mounts {
		out = append(out, m.Measures...)
	}
	for _, v := range values {
		out = append(out, v.Quantity)
	}
	return out
}

func newMountRow(w *words, f *farm.Farm, m farm.Mount, now time.Time) mountRow {
	row := mountRow{Place: m.Place, From: w.t("probe.always"), Now: m.Holds(now)}
	if p, ok := f.Place(m.Place); ok {
		row.Place, row.Href = p.Title.In(w.lang), inLanguage("/places/"+p.Code, w.lang)
	}
	var names []string
	for _, q := range m.Measures {
		names = append(names, lowerFirst(w.t("quantity."+string(q))))
	}
	row.Measures = strings.Join(names, ", ")
	if !m.From.IsZero() {
		row.From = w.dateTime(m.From)
	}
	if !m.To.IsZero() {
		row.To = w.dateTime(m.To)
	}
	return row
}

// probeSeries are the series of a probe in a period: at every place where it hung, and wherever it speaks from now.
func probeSeries(mounts []farm.Mount, values []reading, asked period) (out []history.Series) {
	for _, m := range mounts {
		if !m.From.Before(asked.To) || !m.To.IsZero() && !m.To.After(asked.From) {
			continue
		}
		for _, q := range m.Measures {
			sr := history.Series{Place: m.Place, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor}
			if !slices.Contains(out, sr) {
				out = append(out, sr)
			}
		}
	}
	for _, v := range values {
		if !slices.Contains(out, v.last.Series) {
			out = append(out, v.last.Series)
		}
	}
	rank := measure.Quantities()
	slices.SortStableFunc(out, func(a, b history.Series) int {
		return cmp.Compare(slices.Index(rank, a.Quantity), slices.Index(rank, b.Quantity))
	})
	return slices.DeleteFunc(out, func(sr history.Series) bool { return sr.Quantity == measure.AlarmState })
}

// probeQuality counts what the readings of a period are worth.
func (s *Server) probeQuality(ctx context.Context, w *words, f *farm.Farm, all []history.Series, asked period, v *probePage) error {
	ctx, cancel := context.WithTimeout(ctx, historyPatience)
	defer cancel()
	for _, sr := range all {
		sum, err := history.Summarise(ctx, s.o.History, sr, history.Terms{From: asked.From, To: asked.To, Hold: readingHolds})
		if err != nil {
			return err
		}
		row := newQualityRow(w, sr, sum)
		if p, ok := f.Place(sr.Place); ok {
			row.Place = p.Title.In(w.lang)
		}
		v.Quality = append(v.Quality, row)
	}
	return nil
}

// readingHolds is how long a reading stands for the time after it, as in the evidence of a lot: probes are read every minute, and one or two that
// are late make no gap.
const readingHolds = history.RollupHold

func newQualityRow(w *words, sr history.Series, sum history.Summary) qualityRow {
	row := qualityRow{Label: w.t("quantity." + string(sr.Quantity)), Covered: w.percent(sum.CoveredShare())}
	total := 0
	for _, n := range sum.ByQuality {
		total += n
	}
	row.N, row.Nothing = w.count(int64(total)), total == 0
	for q, n := range sum.ByQuality {
		if n == 0 {
			continue
		}
		at, word := quality(w, measure.Quality(q))
		row.Shares = append(row.Shares, qualityShare{word, w.percent(float64(n) / float64(total)), at})
	}
	gaps := slices.Clone(sum.Gaps)
	slices.SortStableFunc(gaps, func(a, b history.Gap) int { return cmp.Compare(b.Length(), a.Length()) })
	if more := len(gaps) - gapsShown; more > 0 {
		row.More, gaps = int64(more), gaps[:gapsShown]
	}
	slices.SortStableFunc(gaps, func(a, b history.Gap) int { return b.From.Compare(a.From) })
	for _, g := range gaps {
		why := w.t("probe.gap.silent")
		switch {
		case g.Faults > 0:
			why = w.amount("probe.gap.faults", int64(g.Faults))
		case g.OutOfRange > 0:
			why = w.amount("probe.gap.out", int64(g.OutOfRange))
		}
		row.Gaps = append(row.Gaps, probeGap{w.dateTime(g.From), w.dateTime(g.To), w.hoursMinutes(g.Length()), why})
	}
	return row
}

// probeCalibrations are the calibrations of the probe, and how far off it was at each. Those who see a probe at their place see all of them: it is the
// probe they are of.
func (s *Server) probeCalibrations(ctx context.Context, w *words, mounts []farm.Mount, v *probePage) error {
	entries, err := s.o.Calibrations.Calibrations(ctx, v.Gateway, v.Sensor, calibrationsShown)
	if err != nil {
		return err
	}
	v.Calibrations = calibrationRows(w, entries, s.o.Now())
	if len(mounts) > 0 && len(entries) > 0 {
		v.Calibrated = inLanguage("/places/"+mounts[0].Place+"/calibrations", w.lang)
	}
	var seen []measure.Quantity
	for _, e := range entries {
		if e.Quantity == "" || slices.Contains(seen, e.Quantity) {
			continue
		}
		seen = append(seen, e.Quantity)
		for _, d := range calibration.Drifts(entries, e.Quantity) {
			v.Drifts = append(v.Drifts, newDriftRow(w, e.Quantity, d))
		}
	}
	return nil
}

func newDriftRow(w *words, q measure.Quantity, d calibration.Drift) driftRow {
	info, _ := q.Info()
	signed := func(x float64) string {
		text := w.num(x, max(info.Decimals, 2))
		if x > 0 && strings.ContainsAny(text, "123456789") {
			text = "+" + text
		}
		return w.withUnit(text, q)
	}
	row := driftRow{Label: w.t("quantity." + string(q)), When: w.dateTime(d.At), Off: signed(d.Off), Monthly: "—", Point: d.Point, Since: "—"}
	if key := "calibration.step." + d.Point; w.has(key) {
		row.Point = w.t(key)
	}
	if !d.Since.IsZero() {
		row.Since = w.date(d.Since)
	}
	if d.Monthly != 0 {
		row.Monthly = signed(d.Monthly)
	}
	return row
}
