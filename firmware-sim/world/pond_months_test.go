package world

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
)

// monthMeans is what a probe in a pond shows in a month: means of days' least and most, and the month's own.
type monthMeans struct {
	days, coolest, warmest, dawn, noon, acid, base, apart, tan, ntu, level, ec, orp, sun, evaporated float64
	least, nh3                                                                                       float64
}

// TestPond_TypicalMonths prints a co-op pond of tilapia through a year, in the delta's weather (-v), and holds it against what is
// published of such ponds: water of 16 to 21 °C in winter and 28 to 33 in summer (Nam Định); oxygen at dawn 3 to 6 mg/L and 7 to 13
// in the afternoon, pH 7 to 9, 1 to 4 mm of evaporation a day in winter and 3 to 6 in summer, TAN below 1.5 mg/L (Boyd & Tucker 1998).
func TestPond_TypicalMonths(t *testing.T) {
	var table strings.Builder
	for seed := range uint64(3) {
		over := newWeather(seed, nil)
		b := basinOf(t, seed, Place{}, over.at, time.January, 1)
		for m := time.January; m <= time.December; m++ {
			r := b.month(t, over, m)
			r.print(&table, seed, m, b)
			summer := m >= time.May && m <= time.September
			switch {
			case summer && (r.coolest < 26 || r.warmest > 34.5), r.coolest < 13, !summer && m != time.April && m != time.October && r.warmest > 27:
				t.Errorf("seed %d %s: water of %.1f to %.1f °C", seed, m, r.coolest, r.warmest)
			case r.dawn < 3 || r.noon > 13 || r.noon < r.dawn+0.3:
				t.Errorf("seed %d %s: oxygen of %.1f to %.1f mg/L", seed, m, r.dawn, r.noon)
			case r.acid < 7 || r.base > 9, r.tan > 1.5, r.evaporated < 0.7, r.evaporated > 6.5:
				t.Errorf("seed %d %s: pH %.2f to %.2f, TAN %.2f mg/L, %.1f mm a day", seed, m, r.acid, r.base, r.tan, r.evaporated)
			}
		}
		if lost := b.s[pDeadCount]; lost > 0.05 {
			t.Errorf("seed %d: %.2f fish a m² died in a usual pond", seed, lost)
		}
	}
	t.Log("\n" + table.String())
}

func (b *basin) month(t *testing.T, over *weather, m time.Month) monthMeans {
	r := monthMeans{least: math.Inf(1)}
	for end := hoursOf(time.Date(2026, m+1, 1, -7, 0, 0, 0, time.UTC)); b.h < end-1; {
		oxygen, water, acid, apart := newReach(), newReach(), newReach(), 0.0
		b.run(24, func(hour float64) {
			oxygen.take(b.read(t, measure.DissolvedOxygen), hour)
			water.take(b.read(t, measure.WaterTemperature), hour)
			acid.take(b.read(t, measure.PH), hour)
			apart = math.Max(apart, b.s[pWarmUp]-b.s[pWarmLow])
			r.nh3 = math.Max(r.nh3, b.read(t, measure.UnionisedAmmonia))
			r.sun += over.at(b.h).Sun * tick * 0.0036
			w := b.surroundings(b.s, b.h, over.at(b.h))
			r.evaporated += 1000 * tick * b.heat(slices.Clone(b.s), &w, tick)
		})
		r.days++
		r.least = math.Min(r.least, oxygen.low)
		r.coolest, r.warmest = r.coolest+water.low, r.warmest+water.high
		r.dawn, r.noon = r.dawn+oxygen.low, r.noon+oxygen.high
		r.acid, r.base = r.acid+acid.low, r.base+acid.high
		r.apart += apart
		r.tan += b.read(t, measure.TotalAmmonia)
		r.ntu += b.read(t, measure.Turbidity)
		r.level += b.read(t, measure.WaterLevel)
		r.ec += b.read(t, measure.Conductivity)
		r.orp += b.read(t, measure.ORP)
	}
	for _, v := range []*float64{
		&r.coolest, &r.warmest, &r.dawn, &r.noon, &r.acid, &r.base, &r.apart, &r.tan, &r.ntu, &r.level, &r.ec, &r.orp, &r.sun, &r.evaporated,
	} {
		*v /= r.days
	}
	return r
}

func (r monthMeans) print(w *strings.Builder, seed uint64, m time.Month, b *basin) {
	if m == time.January {
		fmt.Fprintf(w, "%-12s water °C  apart  oxygen mg/L (least)   pH         TAN  NH3   NTU  cm   µS/cm  mV  sun MJ  out mm  chl µg/L  fish g/m²  g each\n", "")
	}
	fmt.Fprintf(w, "%d %-10s %4.1f–%4.1f  %4.1f  %5.2f–%5.2f (%4.2f)  %.2f–%.2f  %4.2f  %.3f  %3.0f  %3.0f  %4.0f  %3.0f  %5.1f  %5.1f  %5.0f  %7.0f  %7.0f\n",
		seed, m, r.coolest, r.warmest, r.apart, r.dawn, r.noon, r.least, r.acid, r.base, r.tan, r.nh3, r.ntu, r.level, r.ec, r.orp, r.sun,
		r.evaporated, chlorAt*b.s[pAlgae], b.s[pFish], b.s[pFish]/math.Max(1e-9, b.s[pFishCount]))
}
