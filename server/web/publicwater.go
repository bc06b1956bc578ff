package web

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/web/chart"
)

// maxGapLines is how many gaps the public page lists, the longest.
const maxGapLines = 6

// lifeChart is one quantity over the life of a lot.
type lifeChart struct {
	Heading string // with the place, where the lot is from several
	Unit    string
	Within  string // share and hours within limits; "": there are none
	Bad     bool   // a part of the time it was outside them
	Figures string // least, mean, greatest
	Said    string // share that was measured, and what is doubtful about it
	SVG     template.HTML
}

// evidenceColumn is one quantity in the table of the evidence.
type evidenceColumn struct {
	trace.Evidence
	Heading, Unit string
	Any           bool // there are values
	Limited       bool
	WithinHours   string
	Count         int64
	UncalCount    int64
	UnsignedCount int64
}

// gapLine is a gap that several quantities share.
type gapLine struct {
	trace.Gap
	Reason, Of string
	Days       bool // long enough to be told in days
}

// water turns the evidence into charts, words and the columns of a table.
func (p *publicFacts) water(w *words) {
	least := 1.0
	for i, e := range p.Evidence {
		c := evidenceColumn{
			Evidence: e, Heading: w.t("quantity." + string(e.Quantity)), Unit: w.unit(e.Quantity), Any: e.N > 0,
			Limited: len(e.Limits) > 0, Count: int64(e.N), UncalCount: int64(e.Uncal), UnsignedCount: int64(e.Unsigned),
		}
		if len(p.Places) > 1 {
			if at := slices.IndexFunc(p.Places, func(l labelPlace) bool { return l.Code == e.Place }); at >= 0 {
				c.Heading += ", " + p.Places[at].Title.In(w.lang)
			}
		}
		least = min(least, e.Share())
		p.Measured = p.Measured || e.N > 0
		if c.Limited {
			c.WithinHours = w.hours(e.Within)
			p.Limits = append(p.Limits, w.t("evidence.limit", c.Heading, bandText(w, e), e.Limits[0].Source.In(w.lang)))
		}
		p.Columns = append(p.Columns, c)
		p.Charts = append(p.Charts, lifeChartOf(w, c, "c"+strconv.Itoa(i)))
	}
	p.Pending = len(p.Evidence) == 0
	if !p.Pending {
		p.Covered = w.t("evidence.covered", w.percent(least))
	}
}

func lifeChartOf(w *words, c evidenceColumn, id string) lifeChart {
	l := lifeChart{Heading: c.Heading, Unit: c.Unit}
	if !c.Any {
		l.Figures = w.t("evidence.nothing")
		return l
	}
	l.Figures = w.t("evidence.figures", w.value(c.Quantity, c.Min), w.value(c.Quantity, c.Mean), w.value(c.Quantity, c.Max))
	l.Said = w.t("evidence.said", w.percent(c.Share()))
	if c.Uncal > 0 {
		l.Said += " " + w.t("evidence.uncal", w.percent(float64(c.Uncal)/float64(c.N)))
	}
	if c.Unsigned > 0 {
		l.Said += " " + w.t("evidence.unsigned", w.percent(float64(c.Unsigned)/float64(c.N)))
	}
	if c.Doubtful > 0 {
		l.Said += " " + w.t("evidence.doubtful", w.percent(float64(c.Doubtful)/float64(c.N)))
	}
	if c.Limited {
		l.Within = w.t("evidence.within", bandText(w, c.Evidence), w.percent(c.ShareWithin()), c.WithinHours)
		l.Bad = c.Within < c.Covered
	}
	l.SVG = safeHTML([]byte(courseChart(w, c.Evidence, id, c.Heading, l.Figures).SVG()))
	return l
}

// courseChart is the drawing of a course, day by day.
func courseChart(w *words, e trace.Evidence, id, title, desc string) chart.Chart {
	steps := make([]chart.Step, 0, len(e.Course.Steps))
	for _, s := range e.Course.Steps {
		steps = append(steps, chart.Step{Start: e.Course.At(s), Min: s.Min, Mean: s.Mean, Max: s.Max})
	}
	c := chart.Chart{
		ID: id, Title: title, Desc: desc, From: e.From, To: e.To, Every: time.Duration(max(1, e.Course.Days)) * 24 * time.Hour, Steps: steps, Ticks: lifeTicks(e.From, e.To),
		MinSpan: leastSpan(e.Quantity), NoData: w.t("chart.gap"), Number: axisNumber(w, steps, e.Quantity), Height: 138, Whole: true,
	}
	for _, l := range e.Limits {
		c.Limits = append(c.Limits, chart.Line{Value: l.Value, Above: l.Above, Label: w.t("chart.limit", w.limit(l.Quantity, l.Value))})
	}
	return c
}

// lifeTicks are four or five marks: the first days of months for a life of months, else days.
func lifeTicks(from, to time.Time) (out []chart.Tick) {
	begin := from.In(farm.Time())
	days := to.Sub(from).Hours() / 24
	if days >= 60 {
		months := max(1, int(days/30.4/4.5+0.5))
		for at := time.Date(begin.Year(), begin.Month()+1, 1, 0, 0, 0, 0, begin.Location()); at.Before(to); at = at.AddDate(0, months, 0) {
			out = append(out, chart.Tick{At: at, Label: at.Format("02/01")})
		}
		return out
	}
	every := max(1, int(days/4.5+0.5))
	for at := time.Date(begin.Year(), begin.Month(), begin.Day()+1, 0, 0, 0, 0, begin.Location()); at.Before(to); at = at.AddDate(0, 0, every) {
		out = append(out, chart.Tick{At: at, Label: at.Format("02/01")})
	}
	return out
}

// bandText writes the limits as a band: "từ 6,50 đến 9,00".
func bandText(w *words, e trace.Evidence) string {
	var low, high string
	for _, l := range e.Limits {
		if l.Above {
			high = w.limit(e.Quantity, l.Value)
		} else {
			low = w.limit(e.Quantity, l.Value)
		}
	}
	switch {
	case low != "" && high != "":
		return w.t("band.both", low, high)
	case low != "":
		return w.t("band.low", low)
	}
	return w.t("band.high", high)
}

// gaps gathers the gaps of all quantities; those that begin and end together, to ten minutes, are one line.
func (p *publicFacts) gaps(w *words) {
	type key struct {
		reason   trace.GapReason
		from, to int64
	}
	at := map[key]int{}
	for _, e := range p.Evidence {
		p.MoreGaps += int64(e.MoreGaps)
		for _, g := range e.Gaps {
			k := key{g.Reason, g.From.Unix() / 600, g.To.Unix() / 600}
			name := w.t("quantity." + string(e.Quantity))
			if i, ok := at[k]; ok {
				p.Gaps[i].Of += ", " + lowerFirst(name)
				continue
			}
			at[k] = len(p.Gaps)
			p.Gaps = append(p.Gaps, gapLine{Gap: g, Reason: w.t("gap." + string(g.Reason)), Of: name, Days: g.To.Sub(g.From) >= 48*time.Hour})
		}
	}
	if more := len(p.Gaps) - maxGapLines; more > 0 {
		slices.SortStableFunc(p.Gaps, func(a, b gapLine) int { return cmp.Compare(b.To.Sub(b.From), a.To.Sub(a.From)) })
		p.Gaps = p.Gaps[:maxGapLines]
		p.MoreGaps += int64(more)
	}
	slices.SortStableFunc(p.Gaps, func(a, b gapLine) int { return a.From.Compare(b.From) })
}
