package chain_test

import (
	"math"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/chain"
	"aovuon/gateway/sense/sensetest"
)

func TestRate(t *testing.T) {
	for name, tc := range map[string]struct {
		values []float64
		want   string
	}{
		"what a pond does":       {[]float64{6, 7, 8.5, 7, 9}, "....."},
		"a spike":                {[]float64{6, 12, 6.1, 6}, ".s.."},
		"two spikes":             {[]float64{6, 12, 0.5, 6.1}, ".ss."},
		"a jump that stays":      {[]float64{6, 12, 12.2, 12.1, 12}, ".ss.."},
		"noise that never rests": {[]float64{6, 20, 35, 18, 30}, ".ssss"},
		"after a fault":          {[]float64{6, fault, 12, 6}, ".xs."},
		"out of range is not it": {[]float64{6, 99, 6.5}, ".o."},
		"the first is believed":  {[]float64{12, 6, 6, 6}, ".ss."},
	} {
		p := alone(chain.Settings{Rate: 2})
		got := ""
		for _, v := range tc.values {
			got += outcome(p.chain.Refine([]measure.Reading{p.reading(v)})[0].Quality)
			p.pass(t)
		}
		if got != tc.want {
			t.Errorf("%s: %s; want %s", name, got, tc.want)
		}
	}
}

// The longer nothing was heard, the more may have changed; a moment's difference counts as a minute's.
func TestRate_IsPerMinuteOfUptime(t *testing.T) {
	p := alone(chain.Settings{Rate: 2})
	p.every = 10 * time.Minute
	p.chain.Refine([]measure.Reading{p.reading(2)})
	p.pass(t)
	if r := p.chain.Refine([]measure.Reading{p.reading(21)})[0]; r.Quality != measure.Good {
		t.Errorf("19 in ten minutes: %v", r.Quality)
	}
	p.every = time.Second
	p.pass(t)
	if r := p.chain.Refine([]measure.Reading{p.reading(22.9)})[0]; r.Quality != measure.Good {
		t.Errorf("1.9 in a second: %v", r.Quality)
	}
	p.pass(t)
	if r := p.chain.Refine([]measure.Reading{p.reading(25)})[0]; r.Quality != measure.Suspect {
		t.Errorf("2.1 in a second: %v", r.Quality)
	}
}

func TestFlat_AFrozenProbeIsFoundInTimeAndHeals(t *testing.T) {
	p := alone(chain.Settings{Flat: chain.Flat{LessThan: 0.2, Over: 12 * time.Hour}})
	p.every = 10 * time.Minute
	minute, first, healed := 0, -1, -1
	day := func(h float64) float64 { return 6 + 2*math.Sin(2*math.Pi*h/24) }
	for h := 0.0; h < 40; h += 1.0 / 6 {
		v := day(h)
		if h >= 10 && h < 30 {
			v = day(10) // frozen from hour 10 to 30
		}
		r := p.chain.Refine([]measure.Reading{p.reading(v)})[0]
		if r.Quality == measure.Suspect && first < 0 {
			first = minute
		}
		if first >= 0 && r.Quality == measure.Good && healed < 0 {
			healed = minute
		}
		minute += 10
		p.pass(t)
	}
	if hours := float64(first)/60 - 10; hours < 10 || hours > 12 {
		t.Errorf("found after %.1f hours", hours)
	}
	if healed != 30*60 {
		t.Errorf("healed in minute %d", healed)
	}
}

// A value compensated with a default is no measure for one compensated with the real temperature.
func TestRate_ComparesOnlyWhatIsOnOneFooting(t *testing.T) {
	p := alone(chain.Settings{Rate: 2})
	for i, tc := range []struct {
		v    float64
		came measure.Quality
		want measure.Quality
	}{
		{6, measure.Estimated, measure.Estimated},
		{9, measure.Good, measure.Good},
		{15, measure.Good, measure.Suspect},
		{9, measure.Good, measure.Good},
		{15, measure.Estimated, measure.Estimated},
		{6, measure.Estimated, measure.Suspect},
	} {
		r := p.reading(tc.v)
		r.Quality = tc.came
		if got := p.chain.Refine([]measure.Reading{r})[0].Quality; got != tc.want {
			t.Errorf("%d: %g became %v; want %v", i, tc.v, got, tc.want)
		}
		p.pass(t)
	}
}

// A probe that nobody heard for hours may have moved in them.
func TestFlat_SilenceIsNoFlatLine(t *testing.T) {
	p := alone(chain.Settings{Flat: chain.Flat{LessThan: 0.2, Over: 12 * time.Hour}})
	p.every = 4 * time.Hour
	for i := range 20 {
		if r := p.chain.Refine([]measure.Reading{p.reading(6)})[0]; r.Quality != measure.Good {
			t.Fatalf("reading %d: %v", i, r.Quality)
		}
		p.pass(t)
	}
	p.every = 2 * time.Hour
	var got string
	for range 8 {
		got += outcome(p.chain.Refine([]measure.Reading{p.reading(6)})[0].Quality)
		p.pass(t)
	}
	if got != "......ss" {
		t.Errorf("every two hours: %s", got)
	}
}

func TestFlat_SlowQuantisedValuesOfALivingProbe(t *testing.T) {
	for _, tc := range []struct {
		q         measure.Quantity
		step      float64 // of the probe
		low, high float64 // in a quiet day
	}{
		{measure.WaterTemperature, 0.0625, 21.95, 22.15}, // DS18B20 in a deep pond in winter
		{measure.WaterTemperature, 0.1, 21.95, 22.15},    // a Modbus probe
		{measure.DissolvedOxygen, 0.01, 5.9, 6.2},
		{measure.PH, 0.01, 7.30, 7.34},
		{measure.SoilTemperature, 0.1, 18.02, 18.22},
		{measure.AirTemperature, 0.1, 16, 16.4},
		{measure.AirPressure, 0.2, 1012, 1013},
		{measure.Conductivity, 10, 12_000, 12_001}, // stands still
		{measure.SoilMoisture, 0.1, 31, 31.01},
		{measure.RelativeHumidity, 0.1, 100, 100},
		{measure.Turbidity, 1, 0, 0},
	} {
		clock := sensetest.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		c := chain.New(sense.NewBoard(clock), map[measure.Quantity]chain.Settings{tc.q: chain.Defaults(tc.q)})
		for m := 0; m < 5*24*60; m += 5 {
			v := tc.low + (tc.high-tc.low)*(0.5-0.5*math.Cos(2*math.Pi*float64(m)/1440))
			v = math.Round(v/tc.step) * tc.step
			r := c.Refine([]measure.Reading{{Sensor: "a", Quantity: tc.q, Time: clock.Now(), Value: v}})[0]
			if r.Quality != measure.Good {
				t.Errorf("%s in steps of %g: %v after %d minutes: %s", tc.q, tc.step, r.Quality, m, c.Doubt())
				break
			}
			if err := clock.Sleep(t.Context(), 5*time.Minute); err != nil {
				t.Fatal(err)
			}
		}
	}
}
