package web

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"time"

	"aovuon/server/farm"
	"aovuon/server/web/chart"
)

// period is the time that charts are about.
type period struct {
	Name     string // of one of the spans, or season; "": one's own
	From, To time.Time
	Step     time.Duration // of the charts: the least that gives at most mostSteps
}

const (
	mostSteps   = 200
	leastPeriod = 10 * time.Minute
	mostPeriod  = 400 * 24 * time.Hour
	season      = "season"
)

// span is one choice of time up to now.
type span struct {
	Name string // in the query: 24h
	Long time.Duration
}

// spans are the choices; the first is the one people get who ask for none.
func spans() []span {
	return []span{{"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}}
}

func spanNamed(name string) (span, bool) {
	all := spans()
	i := slices.IndexFunc(all, func(s span) bool { return s.Name == name })
	if name == "" {
		i = 0
	}
	if i < 0 {
		return all[0], false
	}
	return all[i], true
}

// untilNow is the period of a span: its steps are whole ones of the co-op's time, and the last ends with now.
func untilNow(sp span, now time.Time) period {
	step := stepFor(sp.Long)
	return period{Name: sp.Name, From: stepStart(now.Add(-sp.Long), step), To: now, Step: step}
}

// stepFor returns the width of the steps of a chart.
func stepFor(long time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, step := range []time.Duration{
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		if long <= mostSteps*step {
			return step
		}
	}
	return (long + mostSteps*day - 1) / (mostSteps * day) * day
}

// stepStart returns when the step begins that holds t, as the history divides time in the co-op's zone.
func stepStart(t time.Time, step time.Duration) time.Time {
	_, offset := t.In(farm.Time()).Zone()
	shift := time.Duration(offset) * time.Second
	ms, width := t.Add(shift).UnixMilli(), step.Milliseconds()
	return time.UnixMilli(ms - ((ms%width)+width)%width).Add(-shift).UTC()
}

// steps is how many steps of the period there are, the first and the last perhaps in part.
func (p period) steps() int64 {
	return int64((p.To.Sub(stepStart(p.From, p.Step)) + p.Step - 1) / p.Step)
}

// momentForm is how an address says when, in the co-op's time: browsers write so what is chosen in a field for day and time.
const momentForm = "2006-01-02T15:04"

// parseMoment reads a day or a moment of an address. A day that ends a period ends with its last minute.
func parseMoment(s string, end bool) (time.Time, bool) {
	if t, err := time.ParseInLocation(momentForm, s, farm.Time()); err == nil {
		return t, true
	}
	t, err := time.ParseInLocation(time.DateOnly, s, farm.Time())
	if err != nil {
		return time.Time{}, false
	}
	if end {
		t = t.AddDate(0, 0, 1)
	}
	return t, true
}

// askedPeriod reads the period of a page's address: range=, or from= and to=, where one that is left out is a day away from the other. begun is
// the first day of the place's season; zero: there is none. wrong is the key of what is wrong with from and to, and the period then
// the usual one; ok is false where range is none.
func askedPeriod(q url.Values, begun, now time.Time) (p period, wrong string, ok bool) {
	name := q.Get("range")
	if name == season && !begun.IsZero() {
		return period{Name: season, From: begun, To: now, Step: stepFor(now.Sub(begun))}, "", true
	}
	sp, ok := spanNamed(name)
	usual := untilNow(sp, now)
	if !ok || name != "" || q.Get("from") == "" && q.Get("to") == "" {
		return usual, "", ok
	}
	from, fine := parseMoment(q.Get("from"), false)
	to, also := parseMoment(q.Get("to"), true)
	switch {
	case q.Get("from") == "":
		from, fine = to.AddDate(0, 0, -1), also
	case q.Get("to") == "":
		to, also = from.AddDate(0, 0, 1), fine
	}
	to = earliest(to, now)
	switch {
	case !fine || !also:
		wrong = "period.wrong.form"
	case !from.Before(now):
		wrong = "period.wrong.future"
	case to.Sub(from) < leastPeriod:
		wrong = "period.wrong.order"
	case to.Sub(from) > mostPeriod:
		wrong = "period.wrong.long"
	default:
		return period{From: from, To: to, Step: stepFor(to.Sub(from))}, "", true
	}
	return usual, wrong, true
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// query is the part of an address that asks for the period.
func (p period) query() url.Values {
	if p.Name != "" {
		return url.Values{"range": {p.Name}}
	}
	return momentsQuery(p.From, p.To)
}

func momentsQuery(from, to time.Time) url.Values {
	zone := farm.Time()
	return url.Values{"from": {from.In(zone).Format(momentForm)}, "to": {to.In(zone).Format(momentForm)}}
}

// periodView is how a page lets people choose the time.
type periodView struct {
	Tabs           []tab
	Text           string // from when to when
	From, To       string // days, for the form
	Keep           []pair // what else the form must send along
	Action         string
	Earlier, Later string // links; Later is empty where it would begin after now
	Closer, Wider  string // links to half and twice as much; empty where there is no more of it
	Wrong          string
	Gone           string // that single readings of the time were let go; empty: they are there
	Max            string // today
}

type pair struct{ Key, Value string }

type tab struct {
	Label, Href string
	Here        bool
}

// newPeriodView makes the choice of a page; path is the page's, keep what its address says beside the period.
func newPeriodView(w *words, path string, keep url.Values, p period, begun time.Time, wrong string, now time.Time) periodView {
	link := func(period url.Values) string {
		q := url.Values{}
		maps.Copy(q, keep)
		maps.Copy(q, period)
		return inLanguage(path+"?"+q.Encode(), w.lang)
	}
	v := periodView{
		Text: w.t("period.text", w.dateTime(p.From), w.dateTime(p.To)), From: p.From.In(w.zone).Format(time.DateOnly), Action: path,
		To: p.To.Add(-time.Minute).In(w.zone).Format(time.DateOnly), Max: now.In(w.zone).Format(time.DateOnly),
	}
	for _, k := range slices.Sorted(maps.Keys(keep)) {
		for _, one := range keep[k] {
			v.Keep = append(v.Keep, pair{k, one})
		}
	}
	if w.lang != Vietnamese {
		v.Keep = append(v.Keep, pair{"lang", w.lang})
	}
	names := []string{"24h", "7d", "30d"}
	if !begun.IsZero() {
		names = append(names, season)
	}
	for _, n := range names {
		v.Tabs = append(v.Tabs, tab{w.t("range." + n), link(url.Values{"range": {n}}), n == p.Name})
	}
	long := p.To.Sub(p.From).Truncate(time.Minute)
	v.Earlier = link(momentsQuery(p.From.Add(-long), p.From))
	if p.To.Before(now) {
		v.Later = link(momentsQuery(p.To, earliest(p.To.Add(long), now)))
		if now.Sub(p.To) < leastPeriod {
			v.Later = ""
		}
	}
	if long/2 >= leastPeriod {
		v.Closer = link(momentsQuery(p.To.Add(-long/2), p.To))
	}
	if 2*long <= mostPeriod {
		v.Wider = link(momentsQuery(p.To.Add(-2*long), p.To))
	}
	if wrong != "" {
		v.Wrong = w.t(wrong)
	}
	return v
}

// ticks are the marks of the time axis: at most seven, at whole hours, days or every so many of them.
func (p period) ticks() []chart.Tick {
	const day = 24 * time.Hour
	long := p.To.Sub(p.From)
	steps := []time.Duration{
		2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 3 * day, 6 * day, 14 * day, 30 * day, 60 * day, 90 * day,
	}
	i := slices.IndexFunc(steps, func(s time.Duration) bool { return long <= 7*s })
	if i < 0 {
		i = len(steps) - 1
	}
	every := steps[i]
	midnight := farm.Midnight(p.From)
	var out []chart.Tick
	for i := 0; ; i++ {
		at := midnight.Add(time.Duration(i) * every)
		if every >= day {
			at = midnight.AddDate(0, 0, i*int(every/day))
		}
		switch {
		case at.After(p.To):
			return out
		case at.Before(p.From):
			continue
		}
		form := "15:04"
		if every >= day || at.Hour() == 0 && at.Minute() == 0 {
			form = "02/01"
		}
		out = append(out, chart.Tick{At: at, Label: at.Format(form)})
	}
}

// seasonBegin is the first day of the season that a place is in, or was in last; zero: nobody wrote one down, or it is too long ago for a chart.
func (g register) seasonBegin(place string, now time.Time) time.Time {
	var days []time.Time
	for _, c := range g[farm.Cycle] {
		if day := c.Values.Day("begin", farm.Time()); !c.Retired && c.Values.Text("place") == place && day.Before(now) && now.Sub(day) <= mostPeriod {
			days = append(days, day)
		}
	}
	if len(days) == 0 {
		return time.Time{}
	}
	return slices.MaxFunc(days, func(a, b time.Time) int { return cmp.Compare(a.Unix(), b.Unix()) })
}
