package world

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/gateway/measure"
)

// hourOf is the hour of a day's first instant in Viet Nam.
func hourOf(year int, month time.Month, day int) float64 {
	return float64(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()) / 3600
}

// fair is a sky without weather: a clear day round a mean temperature, and rain as rain says, mm/h.
func fair(mean, swing float64, rain func(h float64) float64) sky {
	return func(h float64) Sky {
		_, hour := split(h)
		full := 850 * math.Max(0, math.Sin(math.Pi*(hour-6)/12))
		air := mean + swing*math.Cos(2*math.Pi*(hour-14)/24)
		k := Sky{Air: air, Dew: mean - swing - 1, Pressure: 1012, Sun: 0.85 * full, Clear: full, Cloud: 0.2, Wind: 1.5}
		k.Humidity = 100 * saturation(k.Dew) / saturation(air)
		if rain != nil {
			if k.Rain = rain(h); k.Rain > 0 {
				k.Cloud, k.Sun, k.Dew = 1, 0.25*full, air-0.5
			}
		}
		return k
	}
}

func testPlot(t failer, p Place, k sky) *plot {
	t.Helper()
	p.ID, p.Kind = "khoai1", Plot
	p, err := p.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	return newPlot(7, p, k)
}

// run steps a plot from h for some hours and asks after every step.
func (p *plot) run(s state, h, hours float64, after func(h float64, f plotFlows)) float64 {
	const dt = 0.125
	for range int(math.Round(hours / dt)) {
		f := p.advance(s, h, dt)
		h += dt
		if after != nil {
			after(h, f)
		}
	}
	return h
}

func do(t failer, m model, s state, h float64, a Action) {
	t.Helper()
	if err := m.act(s, h, a, false); err != nil {
		t.Fatal(err)
	}
}

func read(t failer, m model, s state, h float64, q measure.Quantity) float64 {
	t.Helper()
	v, ok := m.value(s, h, q)
	if !ok {
		t.Fatalf("%s: not there", q)
	}
	return v
}

func stored(s state) float64 {
	mm := s[plotPond]
	for i := range plotLayers {
		mm += s[plotWater+i] * thickness(i)
	}
	return mm
}

// What comes in goes out or stays, to a millionth of a millimetre a step, whatever the weather, the soil and the people do.
func TestPlot_WaterIsNeitherMadeNorLost(t *testing.T) {
	balance := func(t interface{ Fatalf(string, ...any) }, p *plot, begin float64, days int, act func(s state, day int, h float64)) {
		s := p.begin(begin)
		had, sum := stored(s), 0.0
		h := begin
		for day := range days {
			if act != nil {
				act(s, day, h)
			}
			h = p.run(s, h, 24, func(h float64, f plotFlows) {
				sum += f.rain + f.irrigation + f.groundwater - f.runoff - f.drained - f.evaporation - f.transpiration
				for i := range plotLayers {
					if x := s[plotWater+i]; !(x > 0.4*p.ground[i].WiltingPoint && x <= p.ground[i].Saturation+1e-9) || !(s[plotSalt+i] >= 0) {
						t.Fatalf("hour %g: layer %d holds %g water, %g salt", h, i, x, s[plotSalt+i])
					}
				}
			})
		}
		if gap := stored(s) - had - sum; math.Abs(gap) > 1e-6 {
			t.Fatalf("after %d days %g mm are not accounted for (of %g)", days, gap, sum)
		}
	}
	t.Run("random", func(t *testing.T) {
		days := 365
		if testing.Short() {
			days = 60
		}
		rapid.Check(t, func(t *rapid.T) {
			rains := rapid.SliceOfN(rapid.Float64Range(0, 120), 60, 60).Draw(t, "rain") // mm/h, of which some hours are wet
			wet := rapid.IntRange(0, 23).Draw(t, "hour")
			begin := hourOf(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 1)
			k := fair(rapid.Float64Range(8, 32).Draw(t, "mean"), 4, func(h float64) float64 {
				day, hour := split(h)
				r := rains[int((day%60+60)%60)]
				if int(hour) != wet || r < 60 {
					return 0
				}
				return r
			})
			soils := []string{"sandy-loam", "loam", "silt-loam", "silty-clay-loam", "clay"}
			p := testPlot(t, Place{Soil: Soils()[rapid.SampledFrom(soils).Draw(t, "soil")], Crop: rapid.SampledFrom(Crops()).Draw(t, "crop")}, k)
			acts := rapid.SliceOfN(rapid.IntRange(0, 9), 60, 60).Draw(t, "acts")
			balance(t, p, begin, days, func(s state, day int, h float64) {
				for _, a := range [][]Action{
					{{Kind: Drain, Amount: 0}},
					{{Kind: Drain, Amount: 1}},
					{{Kind: Plant, What: "rice"}},
					{{Kind: Harvest}},
					{{Kind: Fertilise, What: "nitrogen", Amount: 100}, {Kind: Fertilise, What: "manure", Amount: 10_000}},
				}[acts[day%60]%5] {
					if acts[day%60] < 5 {
						do(t, p, s, h, a)
					}
				}
			})
		})
	})
	for name, soil := range Soils() {
		t.Run(name, func(t *testing.T) {
			w := newWeather(uint64(len(name)), nil)
			balance(t, testPlot(t, Place{Soil: soil}, w.at), hourOf(2026, 1, 1), 365, nil)
		})
	}
}

// failer is a test, or a check of rapid's.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}
