package story

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
)

const chartStep = 10 * time.Minute

var storyBegin = time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)

// healthyCharts is the account of a story in which all went well: two channels every 10 s for an hour; power went once, with the
// last three answers of each channel not committed yet.
func healthyCharts() (a account, kept map[channel][]ledger.Entry) {
	cut := storyBegin.Add(25*time.Minute + 31*time.Second)
	a = account{answers: map[channel][]ledger.Entry{}, losses: []window{{cut.Add(-29 * time.Second), cut}}}
	kept = map[channel][]ledger.Entry{}
	for k, c := range []channel{{"a", measure.WaterTemperature}, {"b", measure.PH}} {
		for i := range 360 {
			e := ledger.Entry{Time: storyBegin.Add(time.Duration(10*i+3+k) * time.Second), Device: c.sensor, Quantity: c.quantity, Value: 20 + float64(i*k)/100}
			a.answers[c] = append(a.answers[c], e)
			if !within(a.losses, e.Time) {
				kept[c] = append(kept[c], e)
			}
		}
	}
	return a, kept
}

// chartsOf draws the charts the product would have of readings.
func chartsOf(kept map[channel][]ledger.Entry) map[channel]line {
	all := map[channel]line{}
	for c, entries := range kept {
		l := line{channel: c, step: chartStep}
		for at := storyBegin; at.Before(storyBegin.Add(time.Hour)); at = at.Add(chartStep) {
			var f figures
			for _, e := range entries {
				if !e.Time.Before(at) && e.Time.Before(at.Add(chartStep)) {
					f.add(1, e.Value, e.Value, e.Value)
				}
			}
			l.steps = append(l.steps, bucket{Start: at, N: f.n, Mean: f.sum / float64(max(f.n, 1)), Min: f.min, Max: f.max})
		}
		all[c] = l
	}
	return all
}

// TestAudit_SeesEveryPlantedFault is the proof that the verdict of `account` can be bad.
func TestAudit_SeesEveryPlantedFault(t *testing.T) {
	a, kept := healthyCharts()
	a.charts = chartsOf(kept)
	if sum, wrong := a.audit(); wrong != nil || sum.lost != 6 || sum.readings != 714 || sum.channels != 2 {
		t.Fatalf("a healthy story: %+v, %q", sum, wrong)
	}
	temp, ph := channel{"a", measure.WaterTemperature}, channel{"b", measure.PH}
	for name, tc := range map[string]struct {
		readings func(kept map[channel][]ledger.Entry)
		charts   func(a *account)
		want     string
	}{
		"one reading gone": {readings: func(k map[channel][]ledger.Entry) { k[temp] = slices.Delete(k[temp], 50, 51) }, want: "lost"},
		"one reading twice": {readings: func(k map[channel][]ledger.Entry) {
			k[ph] = slices.Insert(k[ph], 50, k[ph][50])
		}, want: "readings in the step of"},
		"one gone and one twice, though nothing was lost": {charts: func(a *account) {
			all := map[channel][]ledger.Entry{temp: a.answers[temp], ph: slices.Clone(a.answers[ph])}
			all[ph][200] = all[ph][201]
			a.charts = chartsOf(all)
		}, want: "add up to"},
		"one value changed": {readings: func(k map[channel][]ledger.Entry) { k[temp][9].Value += 0.01 }, want: "the chip said"},
		"one value changed within bounds": {readings: func(k map[channel][]ledger.Entry) {
			k[ph][300].Value = k[ph][310].Value + 30
		}, want: "b ph"},
		"one reading in another hour": {readings: func(k map[channel][]ledger.Entry) {
			k[temp][100].Time = k[temp][100].Time.Add(20 * time.Minute)
		}, want: "readings in the step of"},
		"a channel that never arrives": {charts: func(a *account) { delete(a.charts, ph) }, want: "no chart"},
		"no power cut allows a loss":   {charts: func(a *account) { a.losses = nil }, want: "are lost"},
		"a fault of a healthy chip":    {charts: func(a *account) { a.charts[ph].steps[2].Faults = 1 }, want: "faults of a healthy chip"},
	} {
		a, kept := healthyCharts()
		if tc.readings != nil {
			tc.readings(kept)
		}
		a.charts = chartsOf(kept)
		if tc.charts != nil {
			tc.charts(&a)
		}
		_, wrong := a.audit()
		if !slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, tc.want) }) {
			t.Errorf("%s: nobody said %q, only %q", name, tc.want, wrong)
		}
	}
}

// TestInSteps_KeepsLineNumbers: an error names the line of the file that the teller has before him.
func TestInSteps_KeepsLineNumbers(t *testing.T) {
	text := "# What it's about.\n#\n# More of it.\n\nup field\n# Next.\nctrlc field\n-- a.txt --\n# no comment\n"
	want := "step 'What it''s about.  More of it.'\n\n\n\nup field\nstep 'Next.'\nctrlc field\n-- a.txt --\n# no comment\n"
	if got := string(inSteps([]byte(text))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestConditions: an absent value is neither small nor large.
func TestConditions(t *testing.T) {
	for _, tc := range []struct {
		condition, got string
		want           bool
	}{
		{"value>2", "2.5", true},
		{"value>2", "2", false},
		{"value>2", "", false},
		{"value<2", "", false},
		{"value<2", "-3", true},
		{"quality=good", "good", true},
		{"quality=good", "suspect", false},
		{"value=", "", false},
	} {
		all, err := conditions([]string{tc.condition})
		if err != nil {
			if tc.condition != "value=" {
				t.Error(err)
			}
			continue
		}
		if got := unmet(all, map[string]string{all[0].name: tc.got}) == nil; got != tc.want {
			t.Errorf("%s of %q: %t", tc.condition, tc.got, got)
		}
	}
}

// TestBlightUnits: the golden rows of the reference, runs of 6 to 24 humid hours of a moderately susceptible potato, and runs that
// are not to be added up before the table is looked at.
func TestBlightUnits(t *testing.T) {
	for air, row := range map[float64][]int{
		25: {0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2},
		18: {0, 1, 2, 3, 4, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6},
		10: {0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5, 5},
		5:  {0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		2:  {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	} {
		for i, want := range row {
			if got := moderately(6+i, air); got != want {
				t.Errorf("%d h at %g °C: %d units, want %d", 6+i, air, got, want)
			}
		}
	}
	var hours []hour
	for i := range 24 {
		h := hour{air: 18, humidity: 95}
		if i >= 8 && i < 17 {
			h.humidity = 89.9
		} else if i >= 17 {
			h.air = 11
		}
		hours = append(hours, h)
	}
	if got := blightUnits(hours); got != 3 {
		t.Errorf("8 h at 18 °C and 7 h at 11 °C: %d units, want 3", got)
	}
	day := func(wet int, air float64) (hours []hour) {
		for i := range 24 {
			h := hour{air: 15, humidity: 89.9}
			if i < wet {
				h = hour{air: air, humidity: 90}
			}
			hours = append(hours, h)
		}
		return hours
	}
	for _, tc := range []struct {
		wet  int
		air  float64
		want int
	}{{6, 10, 1}, {5, 15, 0}, {8, 9.9, 0}, {20, 4, 0}} {
		if got := judge(day(tc.wet, tc.air)).hutton; got != tc.want {
			t.Errorf("%d humid hours at %g °C: %d Hutton days, want %d", tc.wet, tc.air, got, tc.want)
		}
	}
}
