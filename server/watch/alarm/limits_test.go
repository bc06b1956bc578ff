package alarm

import (
	"math"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// Every fault that a pond, a probe and a gateway have, and what is told of it.
func TestLimits_FaultTable(t *testing.T) {
	wave := func(t time.Time) (float64, bool) { // oxygen of a living pond
		return 6 + 2*math.Sin(2*math.Pi*t.Sub(noon).Hours()/24), true
	}
	for _, tc := range []struct {
		name   string
		limits []farm.Limit
		feeds  []feed
		run    time.Duration
		want   string
	}{
		{"all is well", oxygenLimits(), []feed{oxygen(steps(-1e6, 6))}, 2 * time.Hour, ""},
		{"oxygen sinks to a warning, to danger, and comes back", oxygenLimits(), []feed{oxygen(steps(-1e6, 6, 10, 3.8, 40, 2.9, 60, 3.2, 70, 4.2, 80, 4.6))}, 2 * time.Hour, `
			10 dissolved_oxygen pending
			20 dissolved_oxygen firing (warn)
			43 dissolved_oxygen raised to crit
			80 dissolved_oxygen recovering
			95 dissolved_oxygen normal`},
		{"straight to danger", oxygenLimits(), []feed{oxygen(steps(-1e6, 6, 10, 2.5, 30, 6))}, time.Hour, `
			10 dissolved_oxygen pending
			13 dissolved_oxygen firing (crit)
			30 dissolved_oxygen recovering
			45 dissolved_oxygen normal`},
		{"one reading alone wakes nobody", oxygenLimits(), []feed{oxygen(steps(-1e6, 6, 10, 1, 11, 6))}, time.Hour, `
			10 dissolved_oxygen pending
			25 dissolved_oxygen normal`},
		{"it trembles at the limit, never for ten minutes", oxygenLimits(), []feed{oxygen(func(t time.Time) (float64, bool) {
			return 4.1 - 0.2*float64(int(t.Sub(noon).Minutes())/5%2), true
		})}, 2 * time.Hour, `
			5 dissolved_oxygen pending`},
		{"worse again while it recovers", oxygenLimits(), []feed{oxygen(steps(-1e6, 6, 0, 3.8, 20, 4.6, 25, 4.2, 40, 6))}, time.Hour, `
			0 dissolved_oxygen pending
			10 dissolved_oxygen firing (warn)
			20 dissolved_oxygen recovering
			25 dissolved_oxygen firing
			40 dissolved_oxygen recovering
			55 dissolved_oxygen normal`},
		{"exactly at the limit is within it", oxygenLimits(), []feed{oxygen(steps(-1e6, 4))}, time.Hour, ""},
		{"a dead probe is an alarm", oxygenLimits(), []feed{oxygen(steps(-1e6, 6, 10, quiet, 60, 6)), alive("gw1")}, 90 * time.Minute, `
			19.5 dissolved_oxygen nodata (warn)
			39 dissolved_oxygen raised to crit
			60 dissolved_oxygen recovering
			75 dissolved_oxygen normal`},
		{"a probe in fault is as good as dead", oxygenLimits(), []feed{{gateway: "gw1", sensor: "ao1-do", quantity: measure.DissolvedOxygen, says: lively(steps(-1e6, 6)), fault: func(t time.Time) measure.FaultReason {
			if t.Before(noon.Add(10 * time.Minute)) {
				return ""
			}
			return measure.NoResponse
		}}}, 30 * time.Minute, `
			19.5 dissolved_oxygen nodata (warn)`},
		{"it dies while it warns, and comes back as bad", oxygenLimits(), []feed{oxygen(steps(-1e6, 3.8, 20, quiet, 60, 3.8)), alive("gw1")}, 80 * time.Minute, `
			0 dissolved_oxygen pending
			0 dissolved_oxygen firing (warn)
			29.5 dissolved_oxygen nodata (warn)
			49 dissolved_oxygen raised to crit
			60 dissolved_oxygen firing (crit)`},
		{"a silent gateway is one alarm, not one of each probe", oxygenLimits(), []feed{
			oxygen(steps(-1e6, 6, 10, quiet, 60, 6)),
			{gateway: "gw1", sensor: "ao1-do2", quantity: measure.DissolvedOxygen, says: lively(steps(-1e6, 6, 10, quiet, 60, 6))},
		}, 80 * time.Minute, `
			19 gateway gw1gateway nodata (warn)
			39 gateway gw1gateway raised to crit
			60 gateway gw1gateway recovering
			65 gateway gw1gateway normal`},
		{"one of two probes dies: the water is watched, and the probe told", oxygenLimits(), []feed{
			oxygen(steps(-1e6, 6, 10, quiet)),
			{gateway: "gw1", sensor: "ao1-do2", quantity: measure.DissolvedOxygen, says: lively(steps(-1e6, 6, 30, 2))},
		}, 40 * time.Minute, `
			19.5 probe/dissolved_oxygen pending
			19.5 probe/dissolved_oxygen firing (warn)
			30 dissolved_oxygen pending
			33 dissolved_oxygen firing (crit)`},
		{"two probes disagree", oxygenLimits(), []feed{
			oxygen(steps(-1e6, 6)),
			{gateway: "gw1", sensor: "ao1-do2", quantity: measure.DissolvedOxygen, says: lively(steps(-1e6, 6.1, 10, 7.6))},
		}, time.Hour, `
			16 probe/dissolved_oxygen pending
			46 probe/dissolved_oxygen firing (warn)`},
		{"a fouled probe moves no more", oxygenLimits(), []feed{oxygen(func(t time.Time) (float64, bool) {
			if t.Before(noon) {
				return wave(t)
			}
			return 6, true
		})}, 14 * time.Hour, `
			690 probe/dissolved_oxygen pending
			690 probe/dissolved_oxygen firing (warn)`},
		{"more oxygen than water can hold", nil, []feed{
			oxygen(steps(-1e6, 8, 10, 17)), {gateway: "gw1", sensor: "ao1-t", quantity: measure.WaterTemperature, says: steps(-1e6, 28)},
		}, time.Hour, `
			18.5 probe/dissolved_oxygen pending
			48.5 probe/dissolved_oxygen firing (warn)`},
		{"three of five", []farm.Limit{{Quantity: measure.DissolvedOxygen, Level: farm.Crit, Value: 3, N: 3, M: 5}}, []feed{oxygen(steps(-1e6, 6, 10, 2, 11, 6, 12, 2, 13, 2, 14, 6))}, 20 * time.Minute, `
			10 dissolved_oxygen pending
			13 dissolved_oxygen firing (crit)
			15 dissolved_oxygen recovering`},
		{"oxygen falls fast", []farm.Limit{{Quantity: measure.DissolvedOxygen, What: farm.OfRate, Level: farm.Warn, Value: -1.5, For: 10 * time.Minute}}, []feed{oxygen(func(t time.Time) (float64, bool) {
			return 8 - 2*max(0, t.Sub(noon).Hours()), true
		})}, 2 * time.Hour, `
			46 rate/dissolved_oxygen pending
			56 rate/dissolved_oxygen firing (warn)`},
		{"pH swings too far", []farm.Limit{{Quantity: measure.PH, What: farm.OfSwing, Level: farm.Warn, Above: true, Value: 1, For: 30 * time.Minute}}, []feed{
			{gateway: "gw1", sensor: "ao1-ph", quantity: measure.PH, says: steps(-1e6, 7.5, 10, 8.7)},
		}, time.Hour, `
			10 swing/ph pending
			40 swing/ph firing (warn)`},
		{"the gateway at the pond raises its own alarm", nil, []feed{{gateway: "gw1", sensor: "ao1-thieu-oxy", quantity: measure.AlarmState, says: steps(-1e6, 0, 10, 1, 30, 0)}}, time.Hour, `
			10 alarm pending
			10 alarm firing (crit)
			30 alarm recovering
			35 alarm normal`},
		{"an aerator does not start: an alarm of its own beside that of the oxygen", nil, []feed{
			{gateway: "gw1", sensor: "ao1-thieu-oxy", quantity: measure.AlarmState, says: steps(-1e6, 0, 5, 1)},
			{gateway: "gw1", sensor: "ao1-quat", quantity: measure.AlarmState, says: steps(-1e6, 0, 10, 1, 30, 0)},
			{gateway: "gw1", sensor: "ao1-quat", quantity: measure.AeratorCommand, says: steps(-1e6, 0, 9, 1)},
		}, time.Hour, `
			5 alarm pending
			5 alarm firing (crit)
			10 aerator pending
			10 aerator firing (crit)
			30 aerator recovering
			35 aerator normal`},
		{"an aerator runs although it is off: no fish is in danger", nil, []feed{
			{gateway: "gw1", sensor: "ao1-quat", quantity: measure.AlarmState, says: steps(-1e6, 0, 10, 1)},
			{gateway: "gw1", sensor: "ao1-quat", quantity: measure.AeratorCommand, says: steps(-1e6, 1, 8, 0)},
		}, 20 * time.Minute, `
			10 aerator pending
			10 aerator firing (warn)`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStory(t, tc.limits, tc.feeds...)
			s.run(tc.run)
			if got, want := s.told(), tidy(tc.want); got != want {
				t.Errorf("told\n%swant\n%s", got, want)
			}
		})
	}
}

func tidy(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n") + "\n"
}

// Whenever the server is started again, the same is told at the same times.
func TestLimits_ARestartTakesNoPersistenceAway(t *testing.T) {
	told := func(restarts ...int) string {
		s := newStory(t, oxygenLimits(), oxygen(steps(-1e6, 6, 10, 3.8, 40, 2.9, 60, 4.6)))
		for m := range 100 {
			for _, at := range restarts {
				if at == m {
					s.start()
				}
			}
			s.run(time.Minute)
		}
		return s.told()
	}
	want := told()
	for m := range 99 {
		if got := told(m); got != want {
			t.Fatalf("restarted at %d:\n%swant\n%s", m, got, want)
		}
	}
}

// What a gateway sends late says what was, not what is: three low hours of last night ring no bell this noon, and are no silence either.
func TestLimits_LateReadingsRaiseNoAlarmOfNow(t *testing.T) {
	s := newStory(t, oxygenLimits(), oxygen(steps(-1e6, 6, -300, quiet, 0, 6)))
	var late []Sample
	for m := -300; m < -10; m++ {
		late = append(late, Sample{Series: history.Series{Place: "P1", Quantity: measure.DissolvedOxygen, Gateway: "gw1", Sensor: "ao1-do"}, Time: noon.Add(time.Duration(m) * time.Minute), Value: 1})
	}
	s.run(2 * time.Minute)
	s.windows.Add(late, s.now)
	s.run(30 * time.Minute)
	if got := s.told(); got != "" {
		t.Errorf("told\n%s", got)
	}
}

func TestLimits_AnAlarmOfWhatIsNotWatchedAnyMoreEnds(t *testing.T) {
	s := newStory(t, oxygenLimits(), oxygen(steps(-1e6, 2)))
	s.run(10 * time.Minute)
	s.farm.Limits, s.revision = nil, 1
	s.run(2 * time.Minute)
	want := tidy(`
		0 dissolved_oxygen pending
		0 dissolved_oxygen firing (crit)
		10 dissolved_oxygen normal`)
	if got := s.told(); got != want {
		t.Errorf("told\n%swant\n%s", got, want)
	}
	if why := s.store.changes[2].Alarm.Decision.Why[0].Key; why != "not_watched" {
		t.Errorf("ended because of %s", why)
	}
}

// An alarm says by which set of limits it was judged, whose it is, and in numbers why.
func TestLimits_AnAlarmSaysByWhatItWasJudged(t *testing.T) {
	s := newStory(t, oxygenLimits(), oxygen(steps(-1e6, 2.25)))
	s.run(5 * time.Minute)
	open, err := s.desk.Open(t.Context())
	if err != nil || len(open) != 1 {
		t.Fatalf("%v, %v", open, err)
	}
	d := open[0].Decision
	if d.Profile != "freshwater" || d.Version != 3 || d.Source.VI != "Quảng Thọ" || d.Why[0].Key != "below" || *d.Why[0].Args[1].Number != 2.25 || *d.Why[0].Args[2].Number != 3 || len(d.Do) == 0 {
		t.Errorf("decided %+v", d)
	}
}

func TestSaturation_GoldenValues(t *testing.T) {
	for celsius, want := range map[float64]float64{10: 11.288, 15: 10.084, 20: 9.092, 25: 8.263, 28: 7.828, 30: 7.559, 36: 6.837} {
		if got := Saturation(celsius); math.Abs(got-want) > 0.0006 {
			t.Errorf("%v °C: %.4f, want %v", celsius, got, want)
		}
	}
}
