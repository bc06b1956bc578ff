package world

import (
	"math"
	"slices"
	"testing"
	"time"

	"aovuon/gateway/measure"
)

// basin is a pond in a test: its state, and the hour it is at.
type basin struct {
	*pond
	s state
	h float64
}

const tick = 0.125

// weatherAt is the weather of a seed.
func weatherAt(seed uint64) sky { return newWeather(seed, nil).at }

// basinOf makes a pond that begins at midnight of a day of 2026. What a Place leaves out is its default.
func basinOf(t testing.TB, seed uint64, p Place, over sky, m time.Month, day int) *basin {
	t.Helper()
	p.ID, p.Kind = "ao1", Pond
	p, err := p.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	b := &basin{pond: newPond(seed, p, over), h: hoursOf(time.Date(2026, m, day, -7, 0, 0, 0, time.UTC))}
	b.s = b.begin(b.h)
	return b
}

// run moves the pond by hours, and calls each after every step.
func (b *basin) run(hours float64, each func(hour float64)) {
	for end := b.h + hours; b.h < end-tick/2; {
		b.step(b.s, b.h, tick)
		b.h += tick
		if each != nil {
			_, hour := split(b.h)
			each(hour)
		}
	}
}

func (b *basin) do(t testing.TB, a Action) {
	t.Helper()
	if err := b.act(b.s, b.h, a, false); err != nil {
		t.Fatal(err)
	}
}

func (b *basin) read(t testing.TB, q measure.Quantity) float64 {
	t.Helper()
	v, ok := b.value(b.s, b.h, q)
	if !ok {
		t.Fatalf("a pond has no %s", q)
	}
	return v
}

// reach is the least and the most of something in a day, and when.
type reach struct{ low, high, lowAt, highAt float64 }

func newReach() reach { return reach{low: math.Inf(1), high: math.Inf(-1)} }

func (r *reach) take(v, hour float64) {
	if v < r.low {
		r.low, r.lowAt = v, hour
	}
	if v > r.high {
		r.high, r.highAt = v, hour
	}
}

// The day's turning points are what farmers and the dawn forecast live by: lowest between 05:00 and 07:00, highest in the middle
// and late afternoon (Boyd & Tucker 1998). Dry days count; after a storm in the afternoon the peak is where the storm began.
func TestPond_TheDayOfAnOrdinarySummer(t *testing.T) {
	var days, early, late, wide float64
	var peaks []float64
	for seed := range uint64(5) {
		over := weatherAt(seed)
		b := basinOf(t, seed, Place{Alkalinity: 120}, over, time.May, 10)
		for range 120 {
			oxygen, acid, storm := newReach(), newReach(), 0.0
			b.run(24, func(hour float64) {
				oxygen.take(b.read(t, measure.DissolvedOxygen), hour)
				acid.take(b.s[pAcidUp], hour)
				if hour > 11 && hour < 19 {
					storm += over(b.h).Rain * tick
				}
			})
			if oxygen.low < 1.5 || oxygen.high > 16 || oxygen.high-oxygen.low < 0.4 {
				t.Fatalf("seed %d: %.2f … %.2f mg/L is no usual pond", seed, oxygen.low, oxygen.high)
			}
			if storm > 1 {
				continue
			}
			days++
			peaks = append(peaks, oxygen.highAt)
			if oxygen.lowAt < 5 || oxygen.lowAt > 7 {
				early++
			}
			if oxygen.highAt < 13 || oxygen.highAt > 18 {
				late++
			}
			if acid.high-acid.low >= 1 {
				wide++
			}
		}
	}
	slices.Sort(peaks)
	half, first, last := peaks[len(peaks)/2], peaks[len(peaks)/6], peaks[len(peaks)*5/6]
	t.Logf("%g dry days: %g with the least outside 05–07 h, %g with the most outside 13–18 h; the most at %.1f h, two thirds from %.1f to %.1f; %g days with a pH swing of 1 and more",
		days, early, late, half, first, last, wide)
	if days < 150 || early > 0.03*days || late > 0.05*days || half < 14 || half > 17 || wide > 0.08*days {
		t.Error("that is not the day of a pond")
	}
}

// A soft green pond swings more than a limed one: there is less carbon for the same algae to take.
func TestPond_LimeStillsThePH(t *testing.T) {
	mean := func(alkalinity float64) (swing float64) {
		b := basinOf(t, 2, Place{Alkalinity: alkalinity, Care: None, Stock: 250}, weatherAt(2), time.June, 1)
		for range 30 {
			acid := newReach()
			b.run(24, func(hour float64) {
				if hour == 7 {
					b.do(t, Action{Kind: Feed, Amount: 5})
				}
				acid.take(b.read(t, measure.PH), hour)
			})
			swing += (acid.high - acid.low) / 30
		}
		return swing
	}
	limed, soft := mean(120), mean(20)
	t.Logf("mean daily swing of pH: %.2f at 120, %.2f at 20 mg CaCO3/L", limed, soft)
	if limed >= 1 || soft < 1.3*limed {
		t.Error("alkalinity does not hold the pH")
	}
	b := basinOf(t, 2, Place{Alkalinity: 20}, weatherAt(2), time.June, 1)
	b.run(30*24, nil)
	if a := b.s[pAlk] * caCO3PerEq; a < 30 {
		t.Errorf("people whose water is soft lime it; after a month it has %.0f mg CaCO3/L", a)
	}
}

func TestPond_DenserPondsSinkLower(t *testing.T) {
	dawn := func(density float64) (sum float64) {
		b := basinOf(t, 3, Place{Density: density}, weatherAt(3), time.June, 1)
		b.run(60*24, func(hour float64) {
			if hour == 5.5 {
				sum += b.s[pOxyUp] / 60
			}
		})
		return sum
	}
	thin, usual, dense := dawn(0.5), dawn(1), dawn(1.8)
	t.Logf("mean dawn oxygen of June and July: %.2f, %.2f, %.2f mg/L at densities 0.5, 1, 1.8", thin, usual, dense)
	if thin < usual+0.3 || usual < dense+0.8 || usual < 3.5 {
		t.Error("fish do not breathe")
	}
}

// Fifteen tilapia ponds of 0.8 to 2 m were stratified most at 14–16 h, by 1.3 to 4.0 °C (Sriyasak et al. 2015).
func TestPond_StratifiesByDay(t *testing.T) {
	var apart [24]float64
	var days, night float64
	var most []float64
	for seed := range uint64(4) {
		over := weatherAt(seed)
		b := basinOf(t, seed, Place{}, over, time.June, 1)
		for range 60 {
			var day [24]float64
			peak, wind := 0.0, 0.0
			b.run(24, func(hour float64) {
				d := b.s[pWarmUp] - b.s[pWarmLow]
				day[int(hour)%24] += d * tick
				peak, wind = math.Max(peak, d), wind+over(b.h).Wind*tick/24
				if hour == 5 && math.Abs(d) < 0.2 {
					night++
				}
			})
			days++
			if wind < 1.6 {
				most = append(most, peak)
				for h, v := range day {
					apart[h] += v
				}
			}
		}
	}
	hour := 0
	for h, v := range apart {
		if v > apart[hour] {
			hour = h
		}
	}
	mean := 0.0
	for _, v := range most {
		mean += v / float64(len(most))
	}
	t.Logf("widest apart at %d–%d h; by %.1f °C on a calm day; mixed at 05:00 on %.0f of %.0f mornings", hour, hour+1, mean, night, days)
	if hour < 14 || hour > 16 || mean < 1.3 || mean > 4 || night < 0.8*days {
		t.Error("that is not how ponds stratify")
	}
}

func TestPond_WindAndRainMixIt(t *testing.T) {
	over := weatherAt(1)
	calm := func(h float64) Sky {
		a := over(h)
		a.Wind, a.Rain, a.Cloud, a.Sun = 1, 0, 0.1, 0.75*a.Clear
		return a
	}
	at := func(over sky) float64 { // at 18:00 of a calm sunny day
		b := basinOf(t, 1, Place{}, over, time.July, 1)
		b.run(3*24+18, nil)
		return b.s[pWarmUp] - b.s[pWarmLow]
	}
	within := func(h, from, to float64) bool { _, hour := split(h); return hour >= from && hour < to }
	dry := at(calm)
	storm := at(func(h float64) Sky {
		a := calm(h)
		if within(h, 13, 18) {
			a.Wind, a.Sun = 25, 0.2*a.Clear
		}
		return a
	})
	rain := at(func(h float64) Sky {
		a := calm(h)
		if within(h, 15, 17) {
			a.Rain, a.Air, a.Dew, a.Wind, a.Sun = 15, 25, 24.5, 2.5, 0.1*a.Clear
		}
		return a
	})
	t.Logf("18:00: %.2f °C apart in the calm, %.2f after a typhoon's wind, %.2f after 30 mm of rain in the afternoon", dry, storm, rain)
	if dry < 0.7 || storm > 0.1 || rain > 0.3*dry {
		t.Error("wind or rain do not mix the pond")
	}
}

// A cold surge of January, as the hard ones that reach the delta: 10 °C within a day.
func TestPond_ColdSnap(t *testing.T) {
	for seed := range uint64(3) {
		over := weatherAt(seed)
		var from float64
		b := basinOf(t, seed, Place{Species: "carp"}, func(h float64) Sky {
			a := over(h)
			if from > 0 && h >= from { // the day before, again and again, and colder
				a = over(from - 24 + math.Mod(h-from, 24))
				fall := 10 * clamp((h-from)/18, 0, 1)
				a.Air, a.Dew, a.Wind = a.Air-fall, a.Dew-fall-3, a.Wind+2
			}
			return a
		}, time.January, 10)
		b.run(5*24, nil)
		before := b.read(t, measure.WaterTemperature)
		from = b.h
		b.run(48, nil)
		after := b.read(t, measure.WaterTemperature)
		t.Logf("seed %d: %.1f °C to %.1f in two days", seed, before, after)
		if before-after < 4 || after < 5 {
			t.Error("the water does not follow the air")
		}
	}
}

func TestPond_TurbidAfterRainAndClearAgain(t *testing.T) {
	after := func(alum float64) (before, peak, next, later float64) {
		var storm float64
		over := weatherAt(2)
		b := basinOf(t, 2, Place{}, func(h float64) Sky {
			a := over(h)
			a.Rain = 0
			if storm > 0 && h < storm+2 {
				a.Rain = 30
			}
			return a
		}, time.August, 1)
		b.run(48, nil)
		before, storm = b.read(t, measure.Turbidity), b.h
		b.run(4, nil)
		peak = b.read(t, measure.Turbidity)
		if alum > 0 {
			b.do(t, Action{Kind: Treat, What: "alum", Amount: alum})
		}
		b.run(20, nil)
		next = b.read(t, measure.Turbidity)
		b.run(4*24, nil)
		return before, peak, next, b.read(t, measure.Turbidity)
	}
	before, peak, next, later := after(0)
	_, _, cleared, _ := after(75) // 25 mg/L
	t.Logf("%.0f NTU, %.0f after 60 mm of rain, %.0f next day, %.0f with alum, %.0f five days later", before, peak, next, cleared, later)
	if peak < before+15 || later > before+0.4*(peak-before) || cleared > 0.7*next {
		t.Error("that is not how silt comes and goes")
	}
}

func TestPond_OverfeedingRaisesAmmonia(t *testing.T) {
	fed := func(times float64) float64 {
		b := basinOf(t, 1, Place{Care: None, Stock: 300}, weatherAt(1), time.September, 1)
		b.run(14*24, func(hour float64) {
			if hour == 7 || hour == 16.5 {
				b.do(t, Action{Kind: Feed, Amount: 3 * times})
			}
		})
		return b.read(t, measure.TotalAmmonia)
	}
	none, usual, over := fed(0.01), fed(1), fed(4)
	t.Logf("TAN after two weeks: %.2f unfed, %.2f fed 2 %% a day, %.2f fed 8 %%", none, usual, over)
	if usual < none || over-none < 3*(usual-none) {
		t.Error("feed does not become ammonia")
	}
}

func BenchmarkPond_Step(b *testing.B) {
	fixed := Sky{Air: 28, Dew: 25, Humidity: 80, Pressure: 1008, Sun: 400, Clear: 600, Cloud: 0.5, Wind: 2, Rain: 1}
	p := basinOf(b, 1, Place{}, func(float64) Sky { return fixed }, time.July, 1)
	for b.Loop() {
		p.step(p.s, p.h, tick)
		p.h += tick
	}
}
