package world

import (
	"math"
	"testing"
	"time"

	"aovuon/gateway/measure"
)

// FAO-56 example 19: N'Diaye, Senegal, 1 October, 8 m above the sea.
func TestReferenceET_HourlyExample(t *testing.T) {
	for name, tc := range map[string]struct {
		w    hourlyWeather
		want float64
	}{
		"02:00 to 03:00": {hourlyWeather{air: 28, vapour: 0.90 * saturation(28), wind: 1.9, share: 0.8, pressure: 101.2}, 0},
		"14:00 to 15:00": {hourlyWeather{air: 38, vapour: 0.52 * saturation(38), wind: 3.3, sun: 2.450, share: 0.92, day: true, pressure: 101.2}, 0.63},
	} {
		if got := referenceET(tc.w); math.Abs(got-tc.want) > 0.005 {
			t.Errorf("%s: %.3f mm/h, want %.2f", name, got, tc.want)
		}
	}
}

// A clear day takes what FAO-56 table 2 gives for a warm humid climate (3 to 7 mm), a cool grey one next to nothing.
func TestReferenceET_DaySums(t *testing.T) {
	sum := func(k sky) (mm float64) {
		for i := range 24 * 8 {
			mm += referenceET(hourlyOf(k(float64(i)/8))) / 8
		}
		return mm
	}
	if mm := sum(fair(29, 4.5, nil)); mm < 4 || mm > 7 {
		t.Errorf("a clear day in June: %.2f mm", mm)
	}
	if mm := sum(fair(16, 1, func(float64) float64 { return 0.2 })); mm < 0.2 || mm > 1.3 {
		t.Errorf("a day of drizzle in February: %.2f mm", mm)
	}
}

// Triggers in the middle of the ranges of FAO-56 table 19, and the adjusted depletion.
func TestSoil_Triggers(t *testing.T) {
	for name, want := range map[string][2]float64{
		"sandy-loam": {0.188, 0.194}, "loam": {0.2045, 0.211}, "silt-loam": {0.241, 0.248}, "silty-clay-loam": {0.2895, 0.296}, "clay": {0.311, 0.318},
	} {
		s := Soils()[name]
		for i, p := range []float64{crops()[potato].depletion, crops()[herb].depletion} {
			if got := s.Trigger(p); math.Abs(got-want[i]) > 1e-9 {
				t.Errorf("%s, p %g: %g, want %g", name, p, got, want[i])
			}
		}
	}
	for et, want := range map[float64][2]float64{2: {0.47, 0.42}, 3: {0.43, 0.38}, 5: {0.35, 0.30}, 8: {0.23, 0.18}} {
		for i, p := range []float64{0.35, 0.30} {
			if got := depletion(p, et); math.Abs(got-want[i]) > 1e-9 {
				t.Errorf("p %g at %g mm a day: %g, want %g", p, et, got, want[i])
			}
		}
	}
	p := testPlot(t, Place{Care: None}, fair(20, 4, nil))
	s := p.begin(hourOf(2026, 11, 1))
	for i := range plotLayers {
		s[plotWater+i] = p.ground[i].Trigger(0.35)
	}
	if lack, whole := p.deficit(s, 0.5); math.Abs(whole-70) > 1e-9 || math.Abs(lack-24.5) > 1e-9 {
		t.Errorf("silt loam, 0.5 m: TAW %g, RAW %g, want 70 and 24.5 mm", whole, lack)
	}
}

// Check values computed from the published polynomial (sensors reference 7.6).
func TestPermittivity_Topp(t *testing.T) {
	for e, theta := range map[float64]float64{5: 0.0798, 10: 0.1883, 20: 0.3454, 30: 0.4441, 40: 0.5102} {
		if got := permittivity(theta); math.Abs(got-e) > 0.01 {
			t.Errorf("%g: %g, want %g", theta, got, e)
		}
	}
	for theta := 0.03; theta < 0.55; theta += 0.01 {
		e := permittivity(theta)
		if back := -0.053 + 0.0292*e - 5.5e-4*e*e + 4.3e-6*e*e*e; math.Abs(back-theta) > 1e-9 {
			t.Errorf("θ %g is %g after ε", theta, back)
		}
	}
}

// Rhoades, Raats and Prather 1976: Pachappa sandy loam, σ = σw θ (1.382 θ - 0.093) + 180.
func TestBulk_Rhoades(t *testing.T) {
	c := newGround(Soils()["sandy-loam"]).salt
	if got, want := c.bulk(0.3, 2000), 2000*0.3*(1.382*0.3-0.093)+180; math.Abs(got-want) > 1e-9 {
		t.Errorf("%g, want %g", got, want)
	}
	if got := c.bulk(0.05, 2000); got != 180 {
		t.Errorf("dry: %g, want what the solids conduct", got)
	}
}

// Drying out, a morning's irrigation, and down to field capacity within one to three days.
func TestPlot_DriesIsIrrigatedDrains(t *testing.T) {
	p := testPlot(t, Place{Care: None}, fair(24, 5, nil))
	h := hourOf(2026, 11, 1)
	s := p.begin(h)
	do(t, p, s, h, Action{Kind: Plant, What: "potato"})
	s[plotPlanted] = h - 50*24 // in full leaf
	s[plotCanopy] = 0.9
	fc := 100 * p.ground[1].FieldCapacity
	h = p.run(s, h, 12*24, nil)
	dry := read(t, p, s, h, measure.SoilMoisture)
	if dry > fc-5 {
		t.Fatalf("after 12 days of sun %.1f %%", dry)
	}
	do(t, p, s, h, Action{Kind: Drain, Amount: 0}) // the water is to stay
	water := Action{Kind: Irrigate, Amount: 80, For: 6 * time.Hour}
	do(t, p, s, h, water)
	h = p.run(s, h, 6, nil)
	if err := p.act(s, h, water, true); err != nil {
		t.Fatal(err)
	}
	h = p.run(s, h, 4, nil)
	if wet := read(t, p, s, h, measure.SoilMoisture); wet < fc+3 {
		t.Fatalf("80 mm made %.1f %% of %.1f %%", wet, dry)
	}
	do(t, p, s, h, Action{Kind: Drain, Amount: 1})
	begun, reached := h, 0.0
	p.run(s, h, 4*24, func(h float64, f plotFlows) {
		if f.irrigation > 0 {
			t.Fatal("it is irrigated still")
		}
		if reached == 0 && read(t, p, s, h, measure.SoilMoisture) <= fc+0.5 {
			reached = h - begun
		}
	})
	if reached < 12 || reached > 72 {
		t.Errorf("field capacity after %.0f h, want 12 to 72", reached)
	}
}

// A typhoon's 250 mm on a closed ditch drown the roots for more than a day after the rain; an open ditch drains them within it.
func TestPlot_TyphoonAndTheDitch(t *testing.T) {
	begin := hourOf(2026, 9, 10)
	k := fair(28, 3, func(h float64) float64 {
		if h >= begin+24 && h < begin+44 {
			return 12.5
		}
		return 0
	})
	waterlogged := func(ditch float64) (hours float64) {
		p := testPlot(t, Place{Care: None}, k)
		s := p.begin(begin)
		do(t, p, s, begin, Action{Kind: Plant, What: "potato"})
		do(t, p, s, begin, Action{Kind: Drain, Amount: ditch})
		limit := 100 * (p.ground[1].FieldCapacity + 0.05)
		last := plotLayers - 1
		p.run(s, begin, 7*24, func(h float64, _ plotFlows) {
			deep := s[plotWater+last] - p.ground[last].FieldCapacity
			if h == begin+44+36 && (ditch == 1 && deep > 0.05 || ditch == 0 && deep < 0.1) {
				t.Errorf("ditch %g: a day and a half after the rain the groundwater's layer is %.3f above field capacity", ditch, deep)
			}
			if h > begin+44 && read(t, p, s, h, measure.SoilMoisture) > limit {
				hours += 0.125
			}
		})
		if share := read(t, p, s, begin+7*24, YieldShare); (ditch == 0) != (share < 0.85) {
			t.Errorf("ditch %g: %.2f of the yield is left", ditch, share)
		}
		if s[plotDrowned] < hours {
			t.Errorf("ditch %g: %.1f h in water, the crop counts %.1f", ditch, hours, s[plotDrowned])
		}
		return hours
	}
	closed, open := waterlogged(0), waterlogged(1)
	if closed < 24 {
		t.Errorf("ditch closed: %.1f h above FC + 0.05 after the rain, want 24 at least", closed)
	}
	if open >= 24 {
		t.Errorf("ditch open: %.1f h above FC + 0.05 after the rain, want less than 24", open)
	}
	t.Logf("closed %.1f h, open %.1f h", closed, open)
}

// Fertiliser shows in conductivity and nutrients within days, and a wet month washes it out.
func TestPlot_FertiliserAndLeaching(t *testing.T) {
	begin := hourOf(2026, 6, 1)
	k := fair(27, 3, func(h float64) float64 {
		day, hour := split(h - begin)
		if day >= 12 && hour >= 17 && hour < 19 {
			return 16
		}
		return 0
	})
	p := testPlot(t, Place{Care: None}, k)
	s, same := p.begin(begin), p.begin(begin)
	do(t, p, s, begin, Action{Kind: Fertilise, What: "nitrogen", Amount: 120})
	do(t, p, s, begin, Action{Kind: Fertilise, What: "potassium", Amount: 90})
	do(t, p, s, begin, Action{Kind: Fertilise, What: "phosphorus", Amount: 60})
	for _, x := range []state{s, same} { // watered in, as is the custom
		x[plotPond] += 20
	}
	h := begin + 10*24
	p.run(s, begin, 10*24, nil)
	p.run(same, begin, 10*24, nil)
	for q, least := range map[measure.Quantity]float64{
		measure.SoilConductivity: 40, measure.SoilNitrogen: 20, measure.SoilPotassium: 10, measure.SoilPhosphorus: 1.5,
	} {
		if rise := read(t, p, s, h, q) - read(t, p, same, h, q); rise < least {
			t.Errorf("%s rose by %.1f, want %g at least", q, rise, least)
		}
	}
	if read(t, p, s, h, measure.SoilPH) >= read(t, p, same, h, measure.SoilPH) {
		t.Error("nitrogen did not sour the soil")
	}
	salt := func() float64 { return s[plotSalt] + s[plotSalt+1] }
	before, nitrogen := salt(), s[plotN]
	p.run(s, h, 30*24, nil)
	if salt() > 0.6*before || s[plotN] > 0.6*nitrogen {
		t.Errorf("a month of storms left %.0f %% of the salt, %.0f %% of the nitrogen", 100*salt()/before, 100*s[plotN]/nitrogen)
	}
}
