package world

import (
	"math"
	"testing"

	"aovuon/gateway/measure"
)

// The day's wave below a surface that swings by a sine is A e^(-z/d) sin(ωt - z/d), d = √(2 D/ω) (Carslaw and Jaeger 1959,
// section 2.6).
func TestDiffuse_AgainstTheAnalyticWave(t *testing.T) {
	const period, seconds = 86_400.0, 450.0
	g := newGround(SiltLoam())
	var lambda, capacity [plotLayers]float64
	for i := range plotLayers {
		lambda[i], capacity[i] = g.conductivityOf(0.25), g.heatCapacity(0.25)
	}
	omega := 2 * math.Pi / period
	d := math.Sqrt(2 * lambda[0] / capacity[0] / omega)
	temps := make([]float64, heatNodes)
	s := make(state, plotStateSize)
	depths := []float64{0.02, 0.05, 0.10, 0.15, 0.25}
	re, im := make([]float64, len(depths)), make([]float64, len(depths))
	for n := range 30 * int(period/seconds) {
		at := float64(n+1) * seconds
		diffuse(temps, math.Sin(omega*at), 1e9, lambda, capacity, seconds)
		if at <= 25*period {
			continue
		}
		copy(s[plotHeat:], temps)
		for i, z := range depths { // the first harmonic of the last days
			v := soilTemperature(s, z) * 2 / (5 * period / seconds)
			re[i] += v * math.Sin(omega*at)
			im[i] += v * math.Cos(omega*at)
		}
	}
	for i, z := range depths {
		size, lag := math.Hypot(re[i], im[i]), -math.Atan2(im[i], re[i])/omega/3600
		want, late := math.Exp(-z/d), z/d/omega/3600
		t.Logf("%.2f m: size %.3f (analytic %.3f), %.2f h late (%.2f)", z, size, want, lag, late)
		if math.Abs(size-want) > 0.06*want+0.01 || math.Abs(lag-late) > 0.35 {
			t.Errorf("%.2f m: size %.3f, %.2f h late; want %.3f, %.2f h", z, size, lag, want, late)
		}
	}
}

// Check values of Campbell 1985 for a silt loam of 1.3 Mg/m³: dry soil conducts a fifth of what wet soil does.
func TestGround_HeatOfWetAndDrySoil(t *testing.T) {
	g := newGround(SiltLoam())
	if math.Abs(g.density-1.325) > 1e-9 {
		t.Fatalf("density %g", g.density)
	}
	if dry, wet := g.conductivityOf(0), g.conductivityOf(0.3); math.Abs(dry-0.2056) > 0.001 || math.Abs(wet-1.0912) > 0.001 {
		t.Errorf("λ dry %.4f, wet %.4f", dry, wet)
	}
	if wet := g.heatCapacity(0.3); math.Abs(wet-(1.92e6*0.5+4.18e6*0.3)) > 1 {
		t.Errorf("C %g", wet)
	}
}

// Wet soil changes slower: after a cold night's start its upper layer has cooled less.
func TestPlot_WetSoilCoolsSlower(t *testing.T) {
	begin := hourOf(2026, 12, 20)
	fall := func(theta float64) float64 {
		k := fair(18, 0.1, nil)
		p := testPlot(t, Place{Care: None}, func(h float64) Sky {
			x := k(h)
			x.Sun, x.Clear, x.Cloud = 0, 0, 1
			if h > begin {
				x.Air, x.Dew = 8, 6 // the front of a cold surge
			}
			return x
		})
		s := p.begin(begin)
		for i := range plotLayers {
			s[plotWater+i] = theta
		}
		for i := range heatNodes {
			s[plotHeat+i] = 20
		}
		p.run(s, begin, 6, nil)
		return 20 - s[plotHeat]
	}
	if wet, dry := fall(0.40), fall(0.16); wet >= dry-0.3 {
		t.Errorf("in six hours wet soil fell %.2f °C at the top, dry soil %.2f", wet, dry)
	}
}

// A winter's week in the delta: the soil at 15 cm swings less than the air and hours later.
func TestPlot_SoilFollowsTheAirLate(t *testing.T) {
	p := testPlot(t, Place{}, fair(18, 4, nil))
	h := hourOf(2026, 12, 1)
	s := p.begin(h)
	var air, soil extreme
	p.run(s, h, 24, func(h float64, _ plotFlows) {
		air.see(h, read(t, p, s, h, measure.AirTemperature))
		soil.see(h, read(t, p, s, h, measure.SoilTemperature))
	})
	if r := (soil.high - soil.low) / (air.high - air.low); r < 0.08 || r > 0.6 {
		t.Errorf("soil swings %.2f of the air's %.1f °C", r, air.high-air.low)
	}
	if lag := soil.highAt - air.highAt; lag < 2 || lag > 8 {
		t.Errorf("warmest %.1f h after the air", lag)
	}
}

type extreme struct {
	seen                  bool
	low, high             float64
	lowAt, highAt, lastAt float64
}

func (e *extreme) see(h, v float64) {
	if !e.seen || v < e.low {
		e.low, e.lowAt = v, h
	}
	if !e.seen || v > e.high {
		e.high, e.highAt = v, h
	}
	e.seen, e.lastAt = true, h
}
