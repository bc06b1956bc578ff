package world

import (
	"math"
	"slices"
	"testing"
	"time"

	"aovuon/gateway/measure"
)

// hotGrey lays days of overcast, calm and 32 °C over a sky, from a day on.
func hotGrey(over sky, from, days float64) sky {
	return func(h float64) Sky {
		a := over(h)
		if h >= from && h < from+24*days {
			_, hour := split(h)
			a.Air = 31.5 + 1.5*(2*swing(hour, 5.5, 14.5, 0.3)-1)
			a.Dew, a.Cloud, a.Sun, a.Wind, a.Rain = 27.5, 1, 0.2*a.Clear, math.Min(a.Wind, 1), 0
		}
		return a
	}
}

// Dense, overcast, warm: nights before dawn kill, and a running aerator saves. Mean oxygen of commercial ponds lay below 1 mg/L
// from 02:00 to 06:00 in 68 % of the nights of Sriyasak et al. 2015.
func TestPond_DenseOvercastWarmNightsCrash(t *testing.T) {
	type outcome struct{ crossed, low, lowAt, noon, died float64 }
	for seed := range uint64(6) {
		grey := func(k float64) (o outcome) {
			from := hoursOf(time.Date(2026, time.July, 18, -7, 0, 0, 0, time.UTC))
			b := basinOf(t, seed, Place{Density: 2}, hotGrey(weatherAt(seed), from, 4), time.July, 10)
			rate := 0.3 // until the grey days the pond has its aerator, in any case
			aerate := func(float64) {
				switch v := b.read(t, measure.DissolvedOxygen); {
				case v < 4 && rate > 0:
					b.do(t, Action{Kind: Aerate, Amount: rate})
				case v > 5.5 || rate == 0:
					b.do(t, Action{Kind: Aerate})
				}
			}
			b.run(8*24+17, aerate)
			rate = k
			before, fish := b.s[pDeadCount], b.s[pFishCount]
			least := newReach()
			o.noon = math.Inf(1)
			b.run(3*24-8, func(hour float64) {
				aerate(hour)
				v := b.read(t, measure.DissolvedOxygen)
				least.take(v, hour)
				if v < 2 && o.crossed == 0 {
					o.crossed = hour
				}
				if hour == 15 && b.s[pDeadCount]-before < 0.01*fish { // a dead pond breathes all day
					o.noon = math.Min(o.noon, v)
				}
			})
			o.low, o.lowAt, o.died = least.low, least.lowAt, (b.s[pDeadCount]-before)/fish
			return o
		}
		night, saved := grey(0), grey(0.3)
		t.Logf("seed %d: below 2 mg/L at %.1f h, least %.2f at %.1f h, %.1f in the afternoons, %.0f %% dead; with the aerator never below %.2f, %.1f %% dead",
			seed, night.crossed, night.low, night.lowAt, night.noon, 100*night.died, saved.low, 100*saved.died)
		if night.crossed < 2 || night.crossed > 6.5 || night.lowAt < 4 || night.lowAt > 6.5 || night.low > 1 || night.noon < 2 || night.died < 0.02 {
			t.Errorf("seed %d: that is not the night that kills", seed)
		}
		if saved.low <= 3 || saved.died > 0.002 {
			t.Errorf("seed %d: the aerator does not save the fish", seed)
		}
	}
}

func TestPond_CatfishOutliveWhatKillsTilapia(t *testing.T) {
	died := func(species string) float64 {
		from := hoursOf(time.Date(2026, time.July, 18, -7, 0, 0, 0, time.UTC))
		b := basinOf(t, 1, Place{Species: species, Stock: 1100}, hotGrey(weatherAt(1), from, 4), time.July, 15)
		before := b.s[pFishCount]
		b.run(6*24, nil)
		return b.s[pDeadCount] / before
	}
	tilapia, catfish := died("tilapia"), died("pangasius")
	t.Logf("dead: %.0f %% of tilapia, %.0f %% of pangasius", 100*tilapia, 100*catfish)
	if tilapia < 0.1 || catfish > tilapia/2 {
		t.Error("all fish are the same")
	}
}

// The dead rot: ammonia rises and oxygen is taken for days.
func TestPond_TheDeadRot(t *testing.T) {
	b := basinOf(t, 1, Place{Density: 0.2}, weatherAt(1), time.July, 1)
	b.s[pDead] = 150
	before := b.read(t, measure.TotalAmmonia)
	b.run(3*24, nil)
	if after := b.read(t, measure.TotalAmmonia); after < before+0.3 || b.s[pDead] > 60 {
		t.Errorf("TAN from %.2f to %.2f, %.0f g/m² of 150 left", before, after, b.s[pDead])
	}
}

// Copper sulphate kills the bloom; what rots then takes the oxygen of the nights after.
func TestPond_CopperKillsTheBloomAndThenTheOxygen(t *testing.T) {
	dawn := func(kg float64) (oxygen, chlorophyll float64) {
		b := basinOf(t, 4, Place{Density: 1.3}, weatherAt(4), time.June, 20)
		if kg > 0 {
			b.do(t, Action{Kind: Treat, What: "copper", Amount: kg})
		}
		oxygen = math.Inf(1)
		b.run(4*24, func(float64) { oxygen = math.Min(oxygen, b.s[pOxyUp]) })
		return oxygen, chlorAt * b.s[pAlgae]
	}
	o, chl := dawn(0)
	low, gone := dawn(4.5) // 1.5 mg/L
	t.Logf("four days: chlorophyll %.0f and %.0f µg/L, lowest oxygen %.2f and %.2f mg/L", chl, gone, o, low)
	if gone > 0.5*chl || low > o-0.3 {
		t.Error("copper does not kill the bloom")
	}
}

// The night's fall is nearly a line, so a forecast from the evening works. Madenjian 1987 had a mean error of 0.40 mg/L at dawn with
// the whole-pond model from a reading at dusk and one three hours later; this is the same, with the slope of Theil and Sen, as
// described in the reference of the dawn forecast: k = 0.03, made three and a half hours after dusk.
func TestPond_DawnCanBeForecast(t *testing.T) {
	const k = 0.03
	var miss, bias, n, low, high float64
	low, high = math.Inf(1), math.Inf(-1)
	for seed := range uint64(3) {
		over := weatherAt(seed)
		b := basinOf(t, seed, Place{}, over, time.July, 1)
		b.run(12, nil)
		for range 10 {
			var hours, values []float64
			var dusk, forecast, dawn float64
			for dawn == 0 {
				b.run(0.25, nil)
				_, hour := split(b.h)
				o := b.read(t, measure.DissolvedOxygen)
				sun := over(b.h).Clear
				switch {
				case dusk == 0 && hour > 12 && sun == 0:
					dusk = b.h
				case dusk > 0 && b.h >= dusk+0.5 && b.h <= dusk+3.5:
					hours, values = append(hours, b.h), append(values, o)
				}
				if dusk > 0 && hour < 12 && sun > 0 { // sunrise; dawn is half an hour later
					now, t0 := hours[len(hours)-1], b.read(t, measure.WaterTemperature)
					s, mean := theilSen(hours, values)
					cs := Saturation(t0, 0, 1)
					r := k*(cs-mean) - s
					eq := cs - r/k
					b.run(0.5, nil)
					dawn = b.read(t, measure.DissolvedOxygen)
					forecast = eq + (values[len(values)-1]-eq)*math.Exp(-k*(b.h-now))
				}
			}
			b.run(6, nil)
			miss += math.Abs(forecast - dawn)
			bias += forecast - dawn
			low, high = math.Min(low, dawn), math.Max(high, dawn)
			n++
		}
	}
	t.Logf("%g nights: mean absolute error %.2f mg/L, bias %+.2f, dawns %.1f to %.1f (Madenjian 1987: 0.40)", n, miss/n, bias/n, low, high)
	if miss/n > 0.8 {
		t.Error("nobody could forecast this pond")
	}
}

// theilSen is the median of the slopes between all pairs, and the mean.
func theilSen(x, y []float64) (slope, mean float64) {
	var all []float64
	for i := range x {
		mean += y[i] / float64(len(y))
		for j := range i {
			all = append(all, (y[i]-y[j])/(x[i]-x[j]))
		}
	}
	slices.Sort(all)
	return all[len(all)/2], mean
}
