package dawn_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/history"
	"aovuon/server/watch/dawn"
	"aovuon/server/watch/rule"
)

// coop is a farm of two ponds and a plot, its history, its diary and its records, in memory.
type coop struct {
	farm    farm.Farm
	points  map[history.Series][]history.Point
	events  []diary.Event
	records map[string]dawn.Record
	broken  error
}

func (c *coop) Farm(context.Context) (*farm.Farm, error) { return &c.farm, c.broken }
func (c *coop) Events(_ context.Context, q diary.Query) (out []diary.Event, _ error) {
	for _, e := range c.events {
		if slices.Contains(q.Kinds, e.Kind) && !e.At().Before(q.From) && e.At().Before(q.To) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (c *coop) Each(_ context.Context, s history.Series, from, to time.Time, f func(history.Point) error) error {
	for _, p := range c.points[s] {
		if !p.Time.Before(from) && p.Time.Before(to) {
			if err := f(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *coop) DawnRecords(_ context.Context, from string) (out []dawn.Record, _ error) {
	for _, r := range c.records {
		if r.Day >= from {
			out = append(out, r)
		}
	}
	return out, nil
}

func (c *coop) SaveDawnRecord(_ context.Context, r dawn.Record) error {
	if err := r.Check(); err != nil {
		return err
	}
	c.records[r.Place+" "+r.Day] = r
	return nil
}

func newCoop() *coop {
	all := []measure.Quantity{measure.DissolvedOxygen, measure.WaterTemperature, measure.AeratorRunning}
	return &coop{
		farm: farm.Farm{
			Places: []farm.Place{{Code: "A", Kind: farm.Pond, Profile: "freshwater"}, {Code: "B", Kind: farm.Pond, Profile: "catra"}, {Code: "C", Kind: farm.Plot}},
			Mounts: []farm.Mount{{Gateway: "gw", Sensor: "a", Place: "A", Measures: all}},
			Limits: []farm.Limit{
				{Profile: "freshwater", Quantity: measure.DissolvedOxygen, Level: farm.Crit, Value: 3},
				{Profile: "freshwater", Quantity: measure.DissolvedOxygen, Level: farm.Warn, Value: 4, Source: farm.Text{VI: "TCVN"}},
				{Profile: "catra", Quantity: measure.DissolvedOxygen, Level: farm.Warn, Value: 2.5},
			},
		},
		points: map[history.Series][]history.Point{}, records: map[string]dawn.Record{},
	}
}

func (c *coop) put(sensor string, q measure.Quantity, at time.Time, v float64) {
	s := history.Series{Place: "A", Quantity: q, Gateway: "gw", Sensor: sensor}
	c.points[s] = append(c.points[s], history.Point{Series: s, Time: at, Value: v})
}

// days fills the pond with days of which each peaks at 17:00 and falls in a straight line until the next morning at 06:00, with the rate of
// its day; the water has 28 °C.
func (c *coop) days(from time.Time, rates ...float64) {
	low := 9 - rates[0]*13
	for i, rate := range rates {
		day := from.AddDate(0, 0, i)
		for m := range 24 * 60 / 5 {
			at := day.Add(time.Duration(6*60+5*m) * time.Minute)
			h := at.Sub(day).Hours() // 6 … 30
			v := 9 - rate*(h-17)
			if h < 17 {
				v = low + (9-low)*(h-6)/11
			}
			c.put("a", measure.DissolvedOxygen, at, v)
			c.put("a", measure.WaterTemperature, at, 28)
			c.put("a", measure.AeratorRunning, at, 0)
		}
		low = 9 - rate*13
	}
}

func (c *coop) rule() *dawn.Rule {
	return dawn.New(dawn.Options{Farm: c, History: c, Diary: c, Store: c})
}

// begin is 06:00 less six hours of the first day.
func begin() time.Time { return time.Date(2026, 7, 1, 0, 0, 0, 0, farm.Time()) }

func decide(t *testing.T, r *dawn.Rule, at time.Time) rule.Decision {
	t.Helper()
	list, err := r.Decide(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Place != "A" || list[0].Topic != dawn.Topic || len(list[0].Why) == 0 {
		t.Fatalf("%+v: want one decision, of the pond with a probe", list)
	}
	return list[0]
}

func keys(list []rule.Reason) (out []string) {
	for _, r := range list {
		out = append(out, r.Key)
	}
	return out
}

func TestRule_TellsWhenToStartTheAerator(t *testing.T) {
	c := newCoop()
	c.days(begin(), slices.Repeat([]float64{0.4}, 16)...)
	r := c.rule()
	evening := begin().AddDate(0, 0, 15).Add(22*time.Hour + 30*time.Minute)
	d := decide(t, r, evening)
	o, ok := r.Outlook("A")
	if !ok || o.Outcome.State != dawn.Ready || !near(o.Outcome.Curve.Slope, -0.4, 1e-9) || o.Set != 4 || o.Off != 5.5 {
		t.Fatalf("%+v", o)
	}
	// At 22:30 there are 6.8 mg/L; the line comes to 4.5 at 04:15.
	if d.Verdict != rule.Warn || !near(o.TurnOn.Sub(evening).Hours(), 5.75, 0.002) || d.Do[0].Key != "dawn_on" || !d.Do[0].Args[0].Time.Equal(o.TurnOn) {
		t.Errorf("%+v, aerator from %v", d, o.TurnOn)
	}
	if _, ok := r.Outlook("B"); ok {
		t.Error("a pond without a probe has a forecast")
	}
	first := c.records["A 2026-07-16"]
	if first.End != dawn.Open || first.Made != evening || first.Late {
		t.Fatalf("record %+v", first)
	}
	decide(t, r, evening.Add(3*time.Hour))
	if got := c.records["A 2026-07-16"]; got != first {
		t.Errorf("the forecast that is scored was changed later: %+v", got)
	}
	d = decide(t, r, evening.Add(6*time.Hour))
	if d.Verdict != rule.Warn || d.Do[0].Key != "dawn_on_now" {
		t.Errorf("at 04:30 %+v", d)
	}
}

func TestRule_ScoresItselfAlsoOverNightsItSleptThrough(t *testing.T) {
	c := newCoop()
	c.days(begin(), slices.Repeat([]float64{0.3}, 10)...)
	c.days(begin().AddDate(0, 0, 10), slices.Repeat([]float64{0.4}, 7)...)
	on := begin().AddDate(0, 0, 12).Add(26 * time.Hour) // of the 13th, for half an hour
	c.put("a", measure.AeratorRunning, on, 1)
	s := history.Series{Place: "A", Quantity: measure.AeratorRunning, Gateway: "gw", Sensor: "a"}
	slices.SortStableFunc(c.points[s], func(a, b history.Point) int { return a.Time.Compare(b.Time) })
	c.events = append(c.events, diary.Event{ID: "1", Kind: diary.Aeration, Place: "A", Occurred: begin().AddDate(0, 0, 11).Add(27 * time.Hour), Values: form.Values{"run_minutes": 30.0}})
	do := history.Series{Place: "A", Quantity: measure.DissolvedOxygen, Gateway: "gw", Sensor: "a"}
	lost := begin().AddDate(0, 0, 8) // the night of the 9th was not seen
	kept := c.points[do]
	c.points[do] = slices.DeleteFunc(slices.Clone(kept), func(p history.Point) bool {
		return p.Time.After(lost.Add(26*time.Hour)) && p.Time.Before(lost.Add(34*time.Hour))
	})
	r := c.rule()
	at := begin().AddDate(0, 0, 16).Add(9 * time.Hour)
	d := decide(t, r, at)
	if d.Verdict != rule.Calm {
		t.Errorf("in the morning %+v", d)
	}
	ends := map[dawn.End]int{}
	for _, x := range c.records {
		ends[x.End]++
		if !x.Late || x.Gateway != "gw" || x.Looked != at {
			t.Errorf("record %+v", x)
		}
	}
	if ends[dawn.Scored] != 11 || ends[dawn.Helped] != 2 || ends[dawn.Gap] != 1 || c.records["A 2026-07-13"].End != dawn.Helped || c.records["A 2026-07-12"].End != dawn.Helped || c.records["A 2026-07-09"].End != dawn.Gap {
		t.Errorf("ends %v", ends)
	}
	decide(t, r, at.Add(15*time.Minute)) // reads what the first wrote
	o, _ := r.Outlook("A")
	x := c.records["A 2026-07-16"]
	if o.Score.Nights != 11 || !near(x.Lowest, 9-0.4*13, 0.05) || x.Dusk == nil || x.Peak == nil || !near(*x.Peak, 9, 0.05) || o.Last.Day != "2026-07-16" {
		t.Errorf("score %+v, newest %+v", o.Score, x)
	}
	off := 0.0
	for _, x := range c.records {
		if x.End == dawn.Scored {
			off += math.Abs(x.Respired-x.Lowest) / 11
		}
	}
	if !near(o.Score.MAE, off, 1e-9) || off < 0.3 || !near(o.Score.Margin(), off, 1e-9) { // a pond without diffusion is not what the model is of
		t.Errorf("score %+v, want an error of %g", o.Score, off)
	}
	// Data of the lost night come in within days: it is looked at again, not at once.
	c.points[do] = kept
	decide(t, r, at.Add(time.Hour))
	if c.records["A 2026-07-09"].End != dawn.Gap {
		t.Error("an old gap was looked at again: it is eight days old")
	}
	x.End = dawn.Gap
	c.records["A 2026-07-16"] = x
	decide(t, r, at.Add(time.Hour))
	if c.records["A 2026-07-16"].End != dawn.Gap {
		t.Error("looked at again within six hours")
	}
	decide(t, r, at.Add(7*time.Hour))
	if got := c.records["A 2026-07-16"]; got.End != dawn.Scored || !got.Made.Equal(x.Made) {
		t.Errorf("not looked at again: %+v", got)
	}
}

func TestScore_ThePriorFillsWhatFewNightsLeaveOpen(t *testing.T) {
	for _, x := range []struct {
		s    dawn.Score
		want float64
	}{{dawn.Score{}, 0.4}, {dawn.Score{Nights: 1, MAE: 0.1}, (0.1 + 4*0.4) / 5}, {dawn.Score{Nights: 5, MAE: 0.1}, 0.1}, {dawn.Score{Nights: 14, MAE: 0.9}, 0.9}} {
		if got := x.s.Margin(); !near(got, x.want, 1e-12) {
			t.Errorf("%+v: %g, want %g", x.s, got, x.want)
		}
	}
}

// What a decision says in every state, whatever else is true.
func TestRule_NothingKnownIsNeverCalm(t *testing.T) {
	night := func(h float64) time.Time { return begin().AddDate(0, 0, 15).Add(time.Duration(h * float64(time.Hour))) }
	for name, x := range map[string]struct {
		do   func(*coop)
		at   time.Time
		want rule.Verdict
		why  string
	}{
		"plenty":           {nil, night(22.5), rule.Calm, "dawn_fine"},
		"early":            {nil, night(20), rule.Calm, "dawn_early"},
		"the morning":      {nil, night(33), rule.Calm, "dawn_lowest"},
		"the afternoon":    {nil, night(15), rule.Calm, "dawn_lowest"},
		"a silent probe":   {func(c *coop) { c.cut(night(20), night(30)) }, night(22.5), rule.Unknown, "dawn_silent"},
		"an empty history": {func(c *coop) { c.cut(night(-999), night(99)) }, night(22.5), rule.Unknown, "dawn_nothing"},
		"few samples":      {func(c *coop) { c.cut(night(19), night(21.9)) }, night(22.5), rule.Unknown, "dawn_short"},
		"gasping fish": {func(c *coop) {
			c.events = append(c.events, diary.Event{ID: "1", Kind: "health", Place: "A", Occurred: night(17), Values: form.Values{"signs": "Cá NỔI ĐẦU ở góc ao"}})
		}, night(22.5), rule.Notice, "dawn_gasping"},
		"a note of colour": {func(c *coop) {
			c.events = append(c.events, diary.Event{ID: "1", Kind: "note", Place: "A", Occurred: night(17), Note: "nước đổi màu nâu đỏ"})
		}, night(22.5), rule.Notice, "dawn_colour"},
		"rain at dusk": {func(c *coop) {
			c.events = append(c.events, diary.Event{ID: "1", Kind: "weather", Occurred: night(18), Values: form.Values{"sky": "rain"}})
		}, night(22.5), rule.Notice, "dawn_rain"},
		"rain at noon": {func(c *coop) {
			c.events = append(c.events, diary.Event{ID: "1", Kind: "weather", Occurred: night(12), Values: form.Values{"sky": "rain"}})
		}, night(22.5), rule.Calm, "dawn_fine"},
		"fish of another pond": {func(c *coop) {
			c.events = append(c.events, diary.Event{ID: "1", Kind: "health", Place: "B", Occurred: night(17), Values: form.Values{"signs": "nổi đầu"}})
		}, night(22.5), rule.Calm, "dawn_fine"},
		"taken back": {func(c *coop) {
			c.events = append(c.events, diary.Event{ID: "1", Kind: "health", Place: "A", Occurred: night(17), Synced: night(17), Values: form.Values{"signs": "nổi đầu"}},
				diary.Event{ID: "2", Kind: diary.Void, Place: "A", Corrects: "1", Occurred: night(18), Synced: night(18)})
		}, night(22.5), rule.Notice, "dawn_gasping"}, // of a kind that is not asked for; the store brings it along
		"the aerator runs": {func(c *coop) { c.put("a", measure.AeratorRunning, night(22.45), 1) }, night(22.5), rule.Notice, "dawn_aerating"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCoop()
			c.days(begin(), slices.Repeat([]float64{0.1}, 17)...)
			if x.do != nil {
				x.do(c)
			}
			r := c.rule()
			decide(t, r, x.at) // makes up for the nights before
			d := decide(t, r, x.at)
			if d.Verdict != x.want || !slices.Contains(keys(d.Why), x.why) {
				t.Errorf("%s %v, want %s and %s", d.Verdict, keys(d.Why), x.want, x.why)
			}
			if !d.Until.After(d.At) {
				t.Error("it stands for ever")
			}
			for _, k := range keys(d.Why) {
				if !slices.Contains(dawn.Words(), "why."+k) {
					t.Errorf("%s is not in Words", k)
				}
			}
			for _, k := range keys(d.Do) {
				if !slices.Contains(dawn.Words(), "do."+k) {
					t.Errorf("%s is not in Words", k)
				}
			}
		})
	}
}

// cut takes away the oxygen of a time.
func (c *coop) cut(from, to time.Time) {
	for s, list := range c.points {
		if s.Quantity == measure.DissolvedOxygen {
			c.points[s] = slices.DeleteFunc(list, func(p history.Point) bool { return p.Time.After(from) && p.Time.Before(to) })
		}
	}
}

func TestRule_ADullDayAndAColdOneAreTold(t *testing.T) {
	c := newCoop()
	c.days(begin(), slices.Repeat([]float64{0.1}, 16)...)
	today := begin().AddDate(0, 0, 15)
	for s, list := range c.points {
		for i, p := range list {
			switch {
			case p.Time.Before(today.Add(7 * time.Hour)):
			case s.Quantity == measure.DissolvedOxygen:
				list[i].Value *= 0.78
			case s.Quantity == measure.WaterTemperature:
				list[i].Value = 23.5
			}
		}
	}
	r := c.rule()
	decide(t, r, today.Add(9*time.Hour))
	d := decide(t, r, today.Add(22*time.Hour))
	if got := keys(d.Why); !slices.Contains(got, "dawn_overcast") || !slices.Contains(got, "dawn_cooling") || d.Verdict != rule.Notice {
		t.Errorf("%s %v", d.Verdict, got)
	}
}

func TestRule_OfTwoProbesTheWorseOneSpeaks(t *testing.T) {
	c := newCoop()
	c.days(begin(), 0.1, 0.1)
	c.farm.Mounts = append(c.farm.Mounts, farm.Mount{Gateway: "gw", Sensor: "b", Place: "A", Measures: []measure.Quantity{measure.DissolvedOxygen}})
	at := begin().Add(46 * time.Hour)
	for _, p := range c.points[history.Series{Place: "A", Quantity: measure.DissolvedOxygen, Gateway: "gw", Sensor: "a"}] {
		c.put("b", measure.DissolvedOxygen, p.Time, p.Value-3)
	}
	r := c.rule()
	decide(t, r, at)
	if o, _ := r.Outlook("A"); o.Sensor != "b" || o.Outcome.Curve.K == 0 {
		t.Errorf("probe %q, %+v", o.Sensor, o.Outcome)
	}
	c.cut(begin(), at.Add(time.Hour))
	for i := range 60 { // only the better one is left
		c.put("a", measure.DissolvedOxygen, at.Add(time.Duration(i-60)*5*time.Minute), 8)
	}
	decide(t, r, at)
	if o, _ := r.Outlook("A"); o.Sensor != "a" {
		t.Errorf("probe %q", o.Sensor)
	}
}

func TestRule_IsBlindWithoutTheFarm(t *testing.T) {
	c := newCoop()
	c.broken = errors.New("no database")
	if _, err := c.rule().Decide(t.Context(), begin()); !errors.Is(err, c.broken) {
		t.Error(err)
	}
}

func BenchmarkDecide_50Ponds(b *testing.B) {
	c := newCoop()
	c.days(begin(), slices.Repeat([]float64{0.2}, 16)...)
	c.farm.Places, c.farm.Mounts = nil, nil
	for i := range 50 {
		code := fmt.Sprint("P", i)
		c.farm.Places = append(c.farm.Places, farm.Place{Code: code, Kind: farm.Pond})
		c.farm.Mounts = append(c.farm.Mounts, farm.Mount{Gateway: "gw", Sensor: "a", Place: code, Measures: []measure.Quantity{measure.DissolvedOxygen, measure.WaterTemperature}})
		for _, q := range []measure.Quantity{measure.DissolvedOxygen, measure.WaterTemperature} {
			c.points[history.Series{Place: code, Quantity: q, Gateway: "gw", Sensor: "a"}] = c.points[history.Series{Place: "A", Quantity: q, Gateway: "gw", Sensor: "a"}]
		}
	}
	r := c.rule()
	at := begin().AddDate(0, 0, 15).Add(23 * time.Hour)
	for b.Loop() {
		if _, err := r.Decide(b.Context(), at); err != nil {
			b.Fatal(err)
		}
	}
}
