package advice_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/calibration"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/history"
	"aovuon/server/watch/advice"
	"aovuon/server/watch/rule"
)

// coop is one pond with probes, in memory: what a quantity is at a time, what the diary says, how the probes were calibrated.
type coop struct {
	farm   farm.Farm
	water  func(measure.Quantity, time.Time) (v float64, q measure.Quality, ok bool)
	events []diary.Event
	books  map[string][]calibration.Entry
	broken error
}

func (c *coop) Farm(context.Context) (*farm.Farm, error) { return &c.farm, nil }
func (c *coop) Events(_ context.Context, q diary.Query) (out []diary.Event, _ error) {
	for _, e := range c.events {
		if slices.Contains(q.Kinds, e.Kind) && !e.At().Before(q.From) && e.At().Before(q.To) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (c *coop) Calibrations(_ context.Context, _, sensor string, limit int) ([]calibration.Entry, error) {
	return c.books[sensor][:min(limit, len(c.books[sensor]))], c.broken
}

func (c *coop) Range(_ context.Context, q history.Query) (out []history.Bucket, _ error) {
	for at := q.From; at.Before(q.To); at = at.Add(q.Every) {
		if v, quality, ok := c.water(q.Quantity, at); ok {
			out = append(out, history.Bucket{Start: at, N: 5, Min: v, Mean: v, Max: v, Worst: quality})
		}
	}
	return out, c.broken
}

func noon() time.Time { return time.Date(2026, 7, 10, 12, 0, 0, 0, farm.Time()) }

// well is a pond in which nothing is wrong.
func well() *coop {
	return &coop{
		farm: farm.Farm{
			Places: []farm.Place{{Code: "A", Kind: farm.Pond, Profile: "freshwater"}, {Code: "C", Kind: farm.Plot}},
			Mounts: []farm.Mount{{Gateway: "gw", Sensor: "x", Place: "A", Measures: []measure.Quantity{measure.DissolvedOxygen, measure.WaterTemperature, measure.PH}}},
			Limits: []farm.Limit{
				{Profile: "freshwater", Quantity: measure.DissolvedOxygen, Level: farm.Warn, Value: 4},
				{Profile: "freshwater", Quantity: measure.DissolvedOxygen, Level: farm.Crit, Value: 3},
				{Profile: "catra", Quantity: measure.DissolvedOxygen, Level: farm.Warn, Value: 2.5},
				{Profile: "catra", Quantity: measure.DissolvedOxygen, Level: farm.Crit, Value: 2},
			},
		},
		water: constant(6, 28, 7.5), books: map[string][]calibration.Entry{},
	}
}

func constant(oxygen, celsius, ph float64) func(measure.Quantity, time.Time) (float64, measure.Quality, bool) {
	return func(q measure.Quantity, _ time.Time) (float64, measure.Quality, bool) {
		return map[measure.Quantity]float64{measure.DissolvedOxygen: oxygen, measure.WaterTemperature: celsius, measure.PH: ph}[q], measure.Good, true
	}
}

// decide lets the rule of a topic look; nil: it has nothing to say.
func decide(t *testing.T, c *coop, topic string, at time.Time) *rule.Decision {
	t.Helper()
	for _, r := range advice.Rules(advice.Options{Farm: c, History: c, Diary: c, Calibrations: c}) {
		if r.ID() != topic {
			continue
		}
		list, err := r.Decide(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return nil
		}
		d := list[0]
		if len(list) > 1 || d.Place != "A" || d.Topic != topic || d.Rule != topic || len(d.Why) == 0 || !d.Until.After(at) || d.Source.VI == "" {
			t.Fatalf("%+v", list)
		}
		for _, w := range d.Why {
			if !slices.Contains(advice.Words(), "why."+w.Key) {
				t.Errorf("why.%s is not in Words", w.Key)
			}
		}
		for _, w := range d.Do {
			if !slices.Contains(advice.Words(), "do."+w.Key) {
				t.Errorf("do.%s is not in Words", w.Key)
			}
		}
		return &d
	}
	t.Fatalf("no rule of %s", topic)
	return nil
}

func does(d *rule.Decision) string {
	if d == nil || len(d.Do) == 0 {
		return ""
	}
	return d.Do[0].Key
}

func TestFeeding_IsWithheldAtLowOxygen(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 7, 10, hour, 0, 0, 0, farm.Time()) }
	event := func(kind string, days int, v form.Values) diary.Event {
		return diary.Event{ID: fmt.Sprint(kind, days), Kind: kind, Place: "A", Occurred: noon().AddDate(0, 0, -days), Values: v}
	}
	for name, x := range map[string]struct {
		do      func(*coop)
		at      time.Time
		verdict rule.Verdict // empty: nothing is said
		what    string
	}{
		"plenty":                  {nil, at(9), rule.Calm, ""},
		"at the limit":            {func(c *coop) { c.water = constant(4, 28, 7.5) }, at(9), rule.Calm, ""},
		"below the first":         {func(c *coop) { c.water = constant(3.99, 28, 7.5) }, at(9), rule.Notice, "feed_wait"},
		"at the second":           {func(c *coop) { c.water = constant(3, 28, 7.5) }, at(9), rule.Notice, "feed_wait"},
		"below the second":        {func(c *coop) { c.water = constant(2.99, 28, 7.5) }, at(9), rule.Notice, "feed_stop"},
		"cá tra bears less":       {func(c *coop) { c.farm.Places[0].Profile = "catra"; c.water = constant(2.6, 28, 7.5) }, at(9), rule.Calm, ""},
		"no limits are set":       {func(c *coop) { c.farm.Limits = nil; c.water = constant(2.99, 28, 7.5) }, at(9), rule.Notice, "feed_stop"},
		"cold water":              {func(c *coop) { c.water = constant(9, 15, 7.5) }, at(9), rule.Notice, "feed_watch"},
		"hot water":               {func(c *coop) { c.water = constant(5, 35, 7.5) }, at(9), rule.Notice, "feed_watch"},
		"hot, and without oxygen": {func(c *coop) { c.water = constant(2, 35, 7.5) }, at(9), rule.Notice, "feed_stop"},
		"a silent probe":          {func(c *coop) { c.water = nothing }, at(9), rule.Unknown, "feed_measure"},
		"a suspect probe":         {func(c *coop) { c.water = suspect }, at(9), rule.Unknown, "feed_measure"},
		"at night":                {func(c *coop) { c.water = constant(2, 28, 7.5) }, at(2), "", ""},
		"no probe":                {func(c *coop) { c.farm.Mounts = nil }, at(9), "", ""},
		"an empty pond": {func(c *coop) {
			c.events = []diary.Event{event(diary.Stocking, 100, nil), event(diary.Harvest, 5, form.Values{"final": true})}
		}, at(9), "", ""},
		"stocked again": {func(c *coop) {
			c.events = []diary.Event{event(diary.Harvest, 5, form.Values{"final": true}), event(diary.Stocking, 2, nil)}
		}, at(9), rule.Calm, ""},
		"harvested in part": {func(c *coop) { c.events = []diary.Event{event(diary.Harvest, 5, form.Values{"kg": 100.0})} }, at(9), rule.Calm, ""},
	} {
		c := well()
		if x.do != nil {
			x.do(c)
		}
		d := decide(t, c, advice.TopicFeeding, x.at)
		if (d == nil) != (x.verdict == "") || d != nil && d.Verdict != x.verdict || does(d) != x.what {
			t.Errorf("%s: %+v, want %q and %q", name, d, x.verdict, x.what)
		}
	}
}

func nothing(measure.Quantity, time.Time) (float64, measure.Quality, bool) {
	return 0, measure.Fault, false
}

func suspect(measure.Quantity, time.Time) (float64, measure.Quality, bool) {
	return 7, measure.Suspect, true
}

func TestAmmonia_OfAKitIsJudgedWithWhatWasMeasuredThen(t *testing.T) {
	test := func(hoursAgo float64, v form.Values) []diary.Event {
		return []diary.Event{{ID: "1", Kind: diary.WaterTest, Place: "A", Occurred: noon().Add(-time.Duration(hoursAgo * float64(time.Hour))), Values: v}}
	}
	rising := func(q measure.Quantity, at time.Time) (float64, measure.Quality, bool) { // pH 8 in the morning, 9 in the afternoon
		if q == measure.PH {
			return 8 + max(0, min(1, at.Sub(noon().Add(-5*time.Hour)).Hours()/4)), measure.Good, true
		}
		return 28, measure.Good, true
	}
	for name, x := range map[string]struct {
		events  []diary.Event
		water   func(measure.Quantity, time.Time) (float64, measure.Quality, bool)
		limits  []farm.Limit
		verdict rule.Verdict
		what    string
	}{
		"no test":             {nil, nil, nil, "", ""},
		"a test without TAN":  {test(1, form.Values{"ph": 8.0}), nil, nil, "", ""},
		"little":              {test(1, form.Values{"tan": 0.5}), nil, nil, rule.Calm, ""},
		"an old one":          {test(80, form.Values{"tan": 20.0}), nil, nil, "", ""},
		"on the day":          {test(1, form.Values{"tan": 2.0, "ph": 8.5, "temperature": 28.0, "tan_basis": "n"}), nothing, nil, rule.Crit, "tan_now"},
		"its own pH counts":   {test(1, form.Values{"tan": 2.0, "ph": 7.0, "temperature": 28.0}), nothing, nil, rule.Calm, ""},
		"a day later":         {test(25, form.Values{"tan": 2.0, "ph": 8.5, "temperature": 28.0}), nothing, nil, rule.Notice, "tan_again"},
		"nobody knows the pH": {test(1, form.Values{"tan": 2.0, "temperature": 28.0}), nothing, nil, rule.Unknown, "tan_measure"},
		// 1.40 mg/L at pH 8 and 28 °C: 0.0915 mg/L of N, 0.111 of NH3. The trap is the difference.
		"as N over the limit":    {test(1, form.Values{"tan": 1.40, "ph": 8.0, "temperature": 28.0, "tan_basis": "n"}), nothing, nil, rule.Warn, "tan_less"},
		"the same as NH4 is not": {test(1, form.Values{"tan": 1.40, "ph": 8.0, "temperature": 28.0, "tan_basis": "ion"}), nothing, nil, rule.Calm, ""},
		"unsaid is the worse":    {test(1, form.Values{"tan": 1.40, "ph": 8.0, "temperature": 28.0}), nothing, nil, rule.Warn, "tan_less"},
		"pH rose after it":       {test(5, form.Values{"tan": 0.6, "ph": 8.0, "temperature": 28.0, "tan_basis": "ion"}), rising, nil, rule.Warn, "tan_less"},
		"the pond's own limit":   {test(1, form.Values{"tan": 1.40, "ph": 8.0, "temperature": 28.0}), nothing, []farm.Limit{{Profile: "freshwater", Quantity: measure.UnionisedAmmonia, Level: farm.Warn, Above: true, Value: 0.2}}, rule.Calm, ""},
		"of another pond":        {[]diary.Event{{ID: "1", Kind: diary.WaterTest, Place: "B", Occurred: noon(), Values: form.Values{"tan": 20.0}}}, nil, nil, "", ""},
		"taken back":             {append(test(1, form.Values{"tan": 20.0}), diary.Event{ID: "2", Kind: diary.WaterTest, Place: "A", Corrects: "1", Occurred: noon().Add(-time.Hour), Synced: noon(), Values: form.Values{"tan": 0.2}}), nil, nil, rule.Calm, ""},
	} {
		c := well()
		c.events, c.farm.Limits = x.events, append(c.farm.Limits, x.limits...)
		if x.water != nil {
			c.water = x.water
		}
		d := decide(t, c, advice.TopicAmmonia, noon())
		if (d == nil) != (x.verdict == "") || d != nil && d.Verdict != x.verdict || does(d) != x.what {
			t.Errorf("%s: %+v, want %q and %q", name, d, x.verdict, x.what)
		}
	}
}

func TestWeather_SnapsAreTold(t *testing.T) {
	days := func(before, today float64) func(measure.Quantity, time.Time) (float64, measure.Quality, bool) {
		return func(_ measure.Quantity, at time.Time) (float64, measure.Quality, bool) {
			if at.Before(noon().Add(-24 * time.Hour)) {
				return before, measure.Good, true
			}
			return today, measure.Good, true
		}
	}
	for name, x := range map[string]struct {
		water   func(measure.Quantity, time.Time) (float64, measure.Quality, bool)
		verdict rule.Verdict
		what    string
	}{
		"ordinary":       {days(27, 25), rule.Calm, ""},
		"just below":     {days(27, 24.01), rule.Calm, ""},
		"cold snap":      {days(27, 24), rule.Notice, "snap_cold"},
		"hard cold snap": {days(24, 19), rule.Warn, "snap_cold"},
		"cold":           {days(17.9, 17.9), rule.Notice, "snap_cold"},
		"warmer":         {days(20, 26), rule.Calm, ""},
		"heat":           {days(31, 32), rule.Notice, "snap_warm"},
		"a hard cold snap at the end of a heat": {func(_ measure.Quantity, at time.Time) (float64, measure.Quality, bool) {
			if at.Before(noon().Add(-22 * time.Hour)) {
				return 34.5, measure.Good, true
			}
			return 28, measure.Good, true
		}, rule.Warn, "snap_cold"},
		"not heat": {days(31, 31.9), rule.Calm, ""},
		"nothing":  {nothing, rule.Unknown, ""},
		"half a day": {func(_ measure.Quantity, at time.Time) (float64, measure.Quality, bool) {
			return 25, measure.Good, at.After(noon().Add(-12 * time.Hour))
		}, rule.Unknown, ""},
		"yesterday is not known": {func(_ measure.Quantity, at time.Time) (float64, measure.Quality, bool) {
			return 25, measure.Good, !at.Before(noon().Add(-24 * time.Hour))
		}, rule.Calm, ""},
	} {
		c := well()
		c.water = x.water
		if d := decide(t, c, advice.TopicWeather, noon()); d == nil || d.Verdict != x.verdict || does(d) != x.what {
			t.Errorf("%s: %+v, want %q and %q", name, d, x.verdict, x.what)
		}
	}
}

func TestProbes_AreDueByTheirBookAndByTheirDrift(t *testing.T) {
	entry := func(daysAgo int, verdict string, everyDays int, before float64) calibration.Entry {
		e := calibration.New("gw", wire.Document{Kind: wire.DocCalibration, Body: fmt.Sprintf(`{"format":"aovuon/calibration/1","sensor":"x","quantity":"ph","verdict":%q,"every_s":%d,
			"points":[{"name":"mid","expected":7,"before":%g,"after":7}]}`, verdict, everyDays*86400, before)})
		e.Time = noon().AddDate(0, 0, -daysAgo)
		return e
	}
	for name, x := range map[string]struct {
		book    []calibration.Entry
		verdict rule.Verdict
		why     string
		what    string
	}{
		"never":             {nil, "", "", ""},
		"fresh":             {[]calibration.Entry{entry(2, "good", 30, 7)}, rule.Calm, "care_fine", ""},
		"due in eight days": {[]calibration.Entry{entry(22, "good", 30, 7)}, rule.Calm, "care_fine", ""},
		"due in seven":      {[]calibration.Entry{entry(23, "good", 30, 7)}, rule.Notice, "care_due", "care_calibrate"},
		"overdue":           {[]calibration.Entry{entry(31, "good", 30, 7)}, rule.Notice, "care_overdue", "care_calibrate"},
		"bad":               {[]calibration.Entry{entry(1, "bad", 30, 7)}, rule.Warn, "care_unfit", "care_replace"},
		// 0.3 in 30 days: off by 0.2 after 20 days, of which 15 are over.
		"drifts":          {[]calibration.Entry{entry(15, "good", 90, 7.3), entry(45, "good", 90, 7)}, rule.Notice, "care_drift", "care_clean"},
		"drifts slowly":   {[]calibration.Entry{entry(15, "good", 90, 7.05), entry(45, "good", 90, 7)}, rule.Calm, "care_fine", ""},
		"drifted before":  {[]calibration.Entry{entry(15, "good", 90, 7), entry(45, "good", 90, 6.7), entry(75, "good", 90, 7)}, rule.Notice, "care_drift", "care_clean"},
		"of the future":   {[]calibration.Entry{entry(-3, "bad", 30, 7), entry(2, "good", 30, 7)}, rule.Calm, "care_fine", ""},
		"nobody can read": {[]calibration.Entry{{Gateway: "gw", Sensor: "x", Quantity: measure.PH, Time: noon(), Body: "{"}}, "", "", ""},
	} {
		c := well()
		c.books["x"] = x.book
		d := decide(t, c, advice.TopicProbes, noon())
		if (d == nil) != (x.verdict == "") || d != nil && (d.Verdict != x.verdict || d.Why[0].Key != x.why) || does(d) != x.what {
			t.Errorf("%s: %+v, want %q, %q and %q", name, d, x.verdict, x.why, x.what)
		}
	}
}

func TestRules_AreBlindWhenNothingAnswers(t *testing.T) {
	c := well()
	c.broken = errors.New("no history")
	c.events = []diary.Event{{ID: "1", Kind: diary.WaterTest, Place: "A", Occurred: noon().Add(-time.Hour), Values: form.Values{"tan": 2.0}}}
	for _, r := range advice.Rules(advice.Options{Farm: c, History: c, Diary: c, Calibrations: c}) {
		if _, err := r.Decide(t.Context(), noon()); !errors.Is(err, c.broken) {
			t.Errorf("%s: %v", r.ID(), err)
		}
	}
}
