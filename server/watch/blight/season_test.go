package blight_test

import (
	"slices"
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/watch/blight"
	"aovuon/server/watch/rule"
)

// field makes a season with air of one kind for all days.
type field struct {
	blight.Season
	from time.Time
}

func at(month time.Month, day, hour int) time.Time {
	return time.Date(2026, month, day, hour, 0, 0, 0, farm.Time())
}

// newField is planted on 1 October 2026: it stands from the 15th on. Its air is dry and warm.
func newField(class blight.Class) *field {
	f := &field{from: at(10, 14, 0), Season: blight.Season{
		Place: farm.Place{Code: "A", Name: "khoai1"}, Cycle: "c", Class: class, ClassSaid: true, Begin: at(9, 28, 0), Planted: at(10, 1, 0), Hours: blight.Hours{}, Probes: true,
		Rain: map[string]float64{}, Zone: farm.Time(),
	}}
	for h := f.from; h.Before(at(12, 31, 0)); h = h.Add(time.Hour) {
		f.set(h, 18, 60)
	}
	return f
}

func (f *field) set(h time.Time, t, rh float64) {
	f.Hours[h.Unix()] = blight.Hour{Start: h, T: t, RH: rh, By: f.Place.Code}
}

// wet makes n hours from h on humid.
func (f *field) wet(h time.Time, n int, t, rh float64) {
	for range n {
		f.set(h, t, rh)
		h = h.Add(time.Hour)
	}
}

func (f *field) lose(h time.Time, n int) {
	for range n {
		delete(f.Hours, h.Unix())
		h = h.Add(time.Hour)
	}
}

func (f *field) dry() {
	for d := range 80 {
		f.Rain[at(10, 1, 0).AddDate(0, 0, d).Format(time.DateOnly)] = 0
	}
}

func (f *field) spray(day time.Time, counts bool) {
	f.Sprays = append(f.Sprays, blight.Spray{Entry: "e", Day: day, Product: "M", Counts: counts})
}

func dayOf(t *testing.T, p blight.Plot, date time.Time) blight.Day {
	t.Helper()
	i := slices.IndexFunc(p.Days, func(d blight.Day) bool { return d.Date.Equal(date) })
	if i < 0 {
		t.Fatalf("no day %s", date)
	}
	return p.Days[i]
}

func keys(list []rule.Reason) (out []string) {
	for _, r := range list {
		out = append(out, r.Key)
	}
	return out
}

// Eight humid hours are eight, not the quarters of two; 90.0 % is humid and 89.9 % is not; the minimum is of the whole day.
func TestAssess_HuttonFixtures(t *testing.T) {
	two := func(hours int, low, rh float64) blight.Tri {
		f := newField("ms")
		for _, d := range []int{20, 21} {
			f.wet(at(10, d, 1), hours, max(low, 15), rh)
			f.set(at(10, d, 12), low, 60)
		}
		return dayOf(t, blight.Assess(f.Season, at(10, 22, 6)), at(10, 21, 0)).Alarm
	}
	for _, tt := range []struct {
		name    string
		hours   int
		low, rh float64
		want    blight.Tri
	}{
		{"exact limits", 6, 10.0, 90.0, blight.Yes},
		{"one hour short", 5, 15.0, 95, blight.No},
		{"cold by 0.1", 8, 9.9, 95, blight.No},
		{"cold night, long wet spell", 10, 4.0, 95, blight.No},
		{"RH short by 0.1", 7, 15.0, 89.9, blight.No},
		{"noise of a mean", 6, 10, 89.9999999999, blight.Yes},
	} {
		if got := two(tt.hours, tt.low, tt.rh); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAssess_ARowIsBroken(t *testing.T) {
	three := func(middle func(*field)) blight.Plot {
		f := newField("ms")
		for _, d := range []int{20, 21, 22} {
			f.wet(at(10, d, 0), 12, 15, 95)
		}
		middle(f)
		return blight.Assess(f.Season, at(10, 23, 6))
	}
	if p := three(func(*field) {}); p.Alarm != blight.Yes || dayOf(t, p, at(10, 22, 0)).Period != blight.SmithPeriod {
		t.Errorf("three in a row: %v", p.Alarm)
	}
	if p := three(func(f *field) { f.wet(at(10, 21, 0), 24, 15, 60) }); p.Alarm != blight.No {
		t.Errorf("yes, no, yes: %v", p.Alarm)
	}
	if p := three(func(f *field) { f.lose(at(10, 21, 13), 5) }); p.Alarm != blight.Unknown {
		t.Errorf("yes, unknown, yes: %v", p.Alarm)
	}
	p := three(func(f *field) { f.lose(at(10, 21, 13), 4) }) // 20 of 24 are enough
	if p.Alarm != blight.Yes || dayOf(t, p, at(10, 21, 0)).Measured != 20 {
		t.Errorf("four hours missing: %v", p.Alarm)
	}
}

func TestAssess_SmithPeriods(t *testing.T) {
	for _, tt := range []struct {
		first, second int
		want          blight.Period
	}{
		{11, 11, blight.SmithPeriod}, {10, 11, blight.MetosPeriod}, {11, 10, blight.NearMiss}, {10, 10, blight.NoPeriod}, {9, 20, blight.NoPeriod}, {20, 9, blight.NoPeriod},
	} {
		f := newField("ms")
		f.wet(at(10, 20, 0), tt.first, 15, 95)
		f.wet(at(10, 21, 0), tt.second, 15, 95)
		if got := dayOf(t, blight.Assess(f.Season, at(10, 22, 6)), at(10, 21, 0)).Period; got != tt.want {
			t.Errorf("%d, %d: %s, want %s", tt.first, tt.second, got, tt.want)
		}
		f.lose(at(10, 21, 12), 5)
		if got := dayOf(t, blight.Assess(f.Season, at(10, 22, 6)), at(10, 21, 0)).Period; (got == blight.NoPeriod) != (tt.first == 9) {
			t.Errorf("%d, unknown: %s", tt.first, got)
		}
	}
}

// Two runs of one window are looked up by themselves and added; the whole-day shortcut would give 6.
func TestAssess_RunsNoonToNoon(t *testing.T) {
	f := newField("ms")
	f.wet(at(10, 20, 13), 8, 18, 95)
	f.wet(at(10, 20, 22), 7, 11, 95)
	p := blight.Assess(f.Season, at(10, 21, 12))
	d := dayOf(t, p, at(10, 21, 0))
	if d.Units != (blight.Span{Lo: 3, Hi: 3}) || !d.NoonKnown || d.Over {
		t.Errorf("%+v", d)
	}
	if p.Units.Lo != 3 {
		t.Errorf("sum %+v", p.Units)
	}
	// A minute before noon the window is not over.
	if d := dayOf(t, blight.Assess(f.Season, at(10, 21, 12).Add(-time.Minute)), at(10, 21, 0)); d.Noon || d.Units.Lo != 0 {
		t.Errorf("before noon: %+v", d)
	}
	// A run over noon is two: 6 and 6 hours score nothing.
	g := newField("ms")
	g.wet(at(10, 20, 6), 12, 18, 95)
	if p := blight.Assess(g.Season, at(10, 22, 6)); p.Units.Lo != 0 {
		t.Errorf("over noon: %+v", p.Units)
	}
}

// An hour that is missing within a run: the run is broken at least, and whole at most. Too few hours: anything may have been.
func TestAssess_MissingHoursAreBounds(t *testing.T) {
	f := newField("ms")
	f.wet(at(10, 20, 13), 13, 18, 95) // 6 units
	f.lose(at(10, 20, 19), 1)         // 6 and 6 hours: none
	if d := dayOf(t, blight.Assess(f.Season, at(10, 21, 12)), at(10, 21, 0)); d.Units != (blight.Span{Lo: 0, Hi: 6}) || !d.NoonKnown {
		t.Errorf("%+v", d)
	}
	for class, most := range map[blight.Class]int{"s": 15, "ms": 10, "r": 9} {
		f := newField(class)
		f.lose(at(10, 20, 13), 5)
		if d := dayOf(t, blight.Assess(f.Season, at(10, 21, 12)), at(10, 21, 0)); d.Units != (blight.Span{Lo: 0, Hi: most}) || d.NoonKnown {
			t.Errorf("%s: %+v", class, d)
		}
	}
}

func TestAssess_FirstSpray(t *testing.T) {
	f := newField("ms")
	for d := range 5 {
		f.wet(at(10, 20+d, 13), 13, 18, 95) // 6 a night
	}
	p := blight.Assess(f.Season, at(10, 25, 13))
	if p.Units.Lo != 30 || p.Due != blight.No || p.Verdict != rule.Notice {
		t.Errorf("30 of 35: %+v %v %s", p.Units, p.Due, p.Verdict)
	}
	f.wet(at(10, 25, 13), 11, 18, 95) // 5
	p = blight.Assess(f.Season, at(10, 26, 13))
	if p.Units.Lo != 35 || p.Due != blight.Yes || p.Verdict != rule.Warn || p.Why[0].Key != "blight_first" || !slices.Contains(keys(p.Do), "blight_spray") {
		t.Errorf("35 of 35: %+v %v %s %v", p.Units, p.Due, p.Verdict, keys(p.Why))
	}
	// A more resistant variety waits.
	f.Class = "hr"
	if p := blight.Assess(f.Season, at(10, 26, 13)); p.Due != blight.No {
		t.Errorf("hr: %v", p.Due)
	}
}

// What the diary says was sprayed resets both sums; what does not stop late blight resets nothing.
func TestAssess_SpraysReset(t *testing.T) {
	f := newField("ms")
	f.dry()
	for d := range 30 {
		f.wet(at(10, 20, 13).AddDate(0, 0, d), 13, 18, 95)
	}
	f.spray(at(10, 28, 0), true)
	f.spray(at(10, 30, 0), false)
	p := blight.Assess(f.Season, at(11, 2, 7))
	if p.Last == nil || !p.Last.Day.Equal(at(10, 28, 0)) || p.SinceLast != 5 || p.Due != blight.No || p.Units.Lo != 24 || p.Fungicide != (blight.Span{Lo: 4, Hi: 4}) {
		t.Errorf("5 days after: %+v %d %v %+v %+v", p.Last, p.SinceLast, p.Due, p.Units, p.Fungicide)
	}
	p = blight.Assess(f.Season, at(11, 3, 13)) // noons of 29/10 to 03/11: 36
	if p.Units.Lo != 36 || p.Due != blight.Yes || p.Verdict != rule.Warn {
		t.Errorf("6 days after: %+v %v", p.Units, p.Due)
	}
	f.spray(at(11, 3, 0), true)
	p = blight.Assess(f.Season, at(11, 3, 14))
	if p.Units.Lo != 0 || p.Due != blight.No || !slices.Contains(keys(p.Why), "blight_fresh") {
		t.Errorf("sprayed again: %+v %v", p.Units, keys(p.Why))
	}
}

// Rain washes a spray off; rain that nobody wrote down may have.
func TestAssess_RainWeathersASpray(t *testing.T) {
	f := newField("ms")
	f.dry()
	f.spray(at(10, 20, 0), true)
	for d := 21; d <= 24; d++ {
		f.Rain[at(10, d, 0).Format(time.DateOnly)] = 9 // 7 + 6 + 5 + 5
	}
	p := blight.Assess(f.Season, at(10, 25, 7))
	if p.Fungicide != (blight.Span{Lo: 23, Hi: 23}) || p.Due != blight.No {
		t.Errorf("day 5: %+v %v", p.Fungicide, p.Due)
	}
	if p = blight.Assess(f.Season, at(10, 26, 7)); p.Due != blight.Yes || p.Units.Lo != 0 {
		t.Errorf("day 6: %+v %v", p.Fungicide, p.Due)
	}
	delete(f.Rain, at(10, 22, 0).Format(time.DateOnly))
	delete(f.Rain, at(10, 23, 0).Format(time.DateOnly))
	p = blight.Assess(f.Season, at(10, 26, 7)) // 7, 1–6, 1–5, 5, 1
	if p.Fungicide != (blight.Span{Lo: 15, Hi: 24}) || p.Due != blight.Unknown || p.Verdict != rule.Unknown || p.UnsaidRain != 2 || !slices.Contains(keys(p.Do), "blight_rain") {
		t.Errorf("unsaid: %+v %v %s %v", p.Fungicide, p.Due, p.Verdict, keys(p.Do))
	}
}

// Too few data are unknown, never safe; what is certain in spite of them is said.
func TestAssess_ShortDataIsNeverSafe(t *testing.T) {
	f := newField("ms")
	f.Hours = blight.Hours{}
	p := blight.Assess(f.Season, at(10, 26, 13)) // twelve noons of at most 10
	if p.Due != blight.Unknown || p.Verdict != rule.Unknown || p.Units != (blight.Span{Lo: 0, Hi: 120}) || p.Alarm != blight.Unknown || p.RiskSure {
		t.Errorf("%+v %v %s", p.Units, p.Due, p.Verdict)
	}
	if p := blight.Assess(f.Season, at(10, 18, 11)); p.Units.Hi != 30 || p.Due != blight.No {
		t.Errorf("three noons cannot reach 35: %+v %v", p.Units, p.Due)
	}
	g := newField("ms")
	for d := range 7 {
		g.wet(at(10, 20+d, 13), 13, 18, 95)
	}
	g.lose(at(10, 16, 0), 24)
	if p := blight.Assess(g.Season, at(10, 28, 7)); p.Due != blight.Yes {
		t.Errorf("42 known units are enough: %v", p.Due)
	}
}

func TestAssess_SeenOnThePlot(t *testing.T) {
	f := newField("ms")
	f.dry()
	f.Seen = []blight.Sighting{{Entry: "x", Day: at(10, 20, 0), Share: 2.5}}
	p := blight.Assess(f.Season, at(10, 22, 7))
	if p.Verdict != rule.Warn || p.Why[0].Key != "blight_seen_share" || keys(p.Do)[0] != "blight_seen" {
		t.Errorf("seen, never sprayed: %s %v %v", p.Verdict, keys(p.Why), keys(p.Do))
	}
	f.spray(at(10, 21, 0), true)
	if p := blight.Assess(f.Season, at(10, 22, 7)); p.Verdict != rule.Notice {
		t.Errorf("sprayed since: %s", p.Verdict)
	}
	if p := blight.Assess(f.Season, at(10, 28, 7)); p.Verdict != rule.Calm {
		t.Errorf("eight days later: %s %v", p.Verdict, keys(p.Why))
	}
}

func TestAssess_BeforeAndAfterTheSeason(t *testing.T) {
	f := newField("ms")
	if p := blight.Assess(f.Season, at(10, 14, 23)); p.Verdict != rule.Calm || p.Why[0].Key != "blight_not_up" || len(p.Days) != 0 {
		t.Errorf("not up: %s %v", p.Verdict, keys(p.Why))
	}
	f.Harvested = at(10, 30, 0)
	if p := blight.Assess(f.Season, at(11, 1, 0)); p.Verdict != rule.Calm || p.Why[0].Key != "blight_harvested" {
		t.Errorf("harvested: %s", p.Verdict)
	}
	f.Harvested, f.Planted = time.Time{}, time.Time{}
	if day, byEntry := f.Emerged(); !day.Equal(at(10, 12, 0)) || byEntry {
		t.Errorf("by the season's begin: %s", day)
	}
	f.Cycle = ""
	if p := blight.Assess(f.Season, at(11, 1, 0)); p.Verdict != rule.Unknown || p.Why[0].Key != "blight_no_season" {
		t.Errorf("no season: %s", p.Verdict)
	}
}

// BLITECAST: humid hours of Wisconsin are above 90 %, those of Michigan from 80 % on; Hyre's days need the rain of ten.
func TestAssess_BlitecastOfASeason(t *testing.T) {
	f := newField("ms")
	f.dry()
	for d := range 14 {
		f.wet(at(10, 16, 0).AddDate(0, 0, d), 16, 18, 90) // not above 90: none by Wisconsin, 3 by Michigan
		f.wet(at(10, 16, 0).AddDate(0, 0, d), 13, 18, 92) // 2 by Wisconsin
	}
	f.Rain[at(10, 20, 0).Format(time.DateOnly)] = 30
	p := blight.Assess(f.Season, at(10, 30, 6)) // days 15 to 29
	if p.Total != 28 || p.TotalMSU != 42 || p.Risk != blight.RiskModerate || !p.RiskSure {
		t.Errorf("%d, %d, %s", p.Total, p.TotalMSU, p.Risk)
	}
	if p.RainDays != 10 || p.Week.Rain != 7 || p.Week.DSV != 14 || p.Week.Schedule != blight.FiveDay || !p.Week.Known {
		t.Errorf("%d %+v", p.RainDays, p.Week)
	}
	delete(f.Rain, at(10, 20, 0).Format(time.DateOnly))
	p = blight.Assess(f.Season, at(10, 30, 6))
	if p.Week.Known || p.RainDays != 0 {
		t.Errorf("rain of a day unsaid: %+v", p.Week)
	}
	f.lose(at(10, 22, 0), 6)
	if p = blight.Assess(f.Season, at(10, 30, 6)); p.RiskSure || p.UnknownDays != 1 {
		t.Errorf("%v %d", p.RiskSure, p.UnknownDays)
	}
}
