package world

import (
	"math"
	"testing"
	"time"

	"aovuon/gateway/measure"
)

// landQuantities are those of a plot that a gateway can send.
func landQuantities() []measure.Quantity {
	return []measure.Quantity{
		measure.SoilMoisture, measure.SoilTemperature, measure.SoilConductivity, measure.SoilPH, measure.SoilNitrogen, measure.SoilPhosphorus,
		measure.SoilPotassium, measure.SoilPermittivity, measure.AirTemperature, measure.RelativeHumidity, measure.AirPressure, measure.DewPoint,
		measure.VapourDeficit,
	}
}

// The winter potato of the north, October to February, of several seeds: what an agronomist of the delta would expect to read.
func TestPlot_WinterPotato(t *testing.T) {
	for seed := range uint64(3) {
		w := newWeather(seed, nil)
		p := testPlot(t, Place{}, w.at)
		h := hourOf(2025, 10, 20)
		s := p.begin(h)
		ranges := map[measure.Quantity][2]float64{
			measure.SoilMoisture: {15, 46}, measure.SoilTemperature: {9, 32}, measure.SoilConductivity: {250, 900}, measure.SoilPH: {5, 7.5},
			measure.SoilNitrogen: {2, 120}, measure.SoilPermittivity: {6, 35},
		}
		var planted, harvested, irrigations, turn float64
		canopy := 0.0
		p.run(s, h, 115*24, func(h float64, f plotFlows) {
			for q, r := range ranges {
				if v := read(t, p, s, h, q); v < r[0] || v > r[1] {
					t.Fatalf("seed %d, %s: %s %.2f, want %g to %g", seed, timeOf(h), q, v, r[0], r[1])
				}
			}
			if planted == 0 && s[plotCrop] == potato {
				planted = h
			}
			if planted > 0 && harvested == 0 && s[plotCrop] == fallow {
				harvested = h
			}
			if f.irrigation > 0 && turn == 0 {
				irrigations++
				if left := p.left(s, h); left < lastWater-1 {
					t.Errorf("irrigated %g days before harvest", left)
				}
			}
			turn = f.irrigation
			canopy = math.Max(canopy, s[plotCanopy])
		})
		if days := (harvested - planted) / 24; days < 90 || days > 105 {
			t.Errorf("seed %d: stood for %.0f days (%g to %g)", seed, days, planted, harvested)
		}
		if irrigations < 2 || irrigations > 25 || canopy < 0.85 {
			t.Errorf("seed %d: %g irrigations, canopy %.2f", seed, irrigations, canopy)
		}
		if share := yieldShare(s); share < 0.85 {
			t.Errorf("seed %d: the usual care left %.2f of the yield", seed, share)
		}
		t.Logf("seed %d: %g irrigations", seed, irrigations)
	}
}

// In a week of drizzle most hours are humid enough for late blight (RH ≥ 90 %), and of a clear week's days few are.
func TestPlot_HumidHoursOfDrizzle(t *testing.T) {
	begin := hourOf(2026, 2, 2)
	humidHours := func(k sky) (n float64) {
		p := testPlot(t, Place{}, k)
		s := p.begin(begin)
		p.run(s, begin, 7*24, func(h float64, _ plotFlows) {
			if read(t, p, s, h, measure.RelativeHumidity) >= 90 {
				n += 0.125 / 7
			}
		})
		return n
	}
	drizzle := humidHours(fair(17, 1.2, func(float64) float64 { return 0.15 }))
	bright := humidHours(fair(17, 5, nil))
	if drizzle < 16 || bright > 12 {
		t.Errorf("humid hours a day: drizzle %.1f, clear weather %.1f", drizzle, bright)
	}
	t.Logf("humid hours a day: drizzle %.1f, clear weather %.1f", drizzle, bright)
}

// The delta's own February: two days on end with six humid hours and no night below 10 °C, which late blight wants (Hutton),
// come every year; a commanded week of drizzle is humid day and night.
func TestPlot_FebruaryIsBlightWeather(t *testing.T) {
	for seed := range uint64(4) {
		begin := hourOf(2026, 1, 20)
		w := newWeather(seed, []Action{{At: timeOf(begin + 40*24), Kind: Drizzle, For: 7 * 24 * time.Hour}})
		p := testPlot(t, Place{Season: "spring"}, w.at)
		s := p.begin(begin)
		h, hutton, run, commanded := begin, 0, 0, 0.0
		for day := range 47 {
			humid, coldest := 0.0, math.Inf(1)
			h = p.run(s, h, 24, func(h float64, _ plotFlows) {
				coldest = math.Min(coldest, read(t, p, s, h, measure.AirTemperature))
				if read(t, p, s, h, measure.RelativeHumidity) >= 90 {
					humid += 0.125
				}
			})
			if run++; humid < 6 || coldest < 10 {
				run = 0
			}
			if run >= 2 {
				hutton++
			}
			if day >= 40 {
				commanded += humid / 7
			}
		}
		if hutton < 3 || commanded < 14 {
			t.Errorf("seed %d: Hutton on %d days, %.1f humid hours a day of drizzle", seed, hutton, commanded)
		}
		t.Logf("seed %d: Hutton on %d of 47 days, %.1f humid hours a day of drizzle", seed, hutton, commanded)
	}
}

// Years go by and nothing runs away: salts, nutrients and pH are where a farmer finds them.
func TestPlot_YearsLeaveTheSoilASoil(t *testing.T) {
	if testing.Short() {
		t.Skip("three years")
	}
	w := newWeather(9, nil)
	p := testPlot(t, Place{}, w.at)
	h := hourOf(2023, 1, 1)
	s := p.begin(h)
	h = p.run(s, h, 3*365*24, nil)
	for q, r := range map[measure.Quantity][2]float64{
		measure.SoilPH: {5, 7.5}, measure.SoilPotassium: {50, 200}, measure.SoilPhosphorus: {15, 60}, measure.SoilConductivity: {250, 900},
	} {
		if v := read(t, p, s, h, q); v < r[0] || v > r[1] {
			t.Errorf("%s %.2f, want %g to %g", q, v, r[0], r[1])
		}
	}
}

// Under a canopy in leaf a clear night is a little cooler and damper than over bare ground.
func TestPlot_CanopyCoolsTheNight(t *testing.T) {
	p := testPlot(t, Place{Care: None}, fair(20, 4, nil))
	h := hourOf(2026, 1, 10)
	bare := p.begin(h)
	full := append(state(nil), bare...)
	bare[plotCanopy], full[plotCanopy] = 0, 0.9
	cooler := read(t, p, bare, h+3, measure.AirTemperature) - read(t, p, full, h+3, measure.AirTemperature)
	damper := read(t, p, full, h+3, measure.RelativeHumidity) - read(t, p, bare, h+3, measure.RelativeHumidity)
	if cooler < 0.1 || cooler > 1.2 || damper < 0.5 || damper > 10 {
		t.Errorf("%.2f °C cooler, %.1f %% damper", cooler, damper)
	}
}

// Every value is a number within what its quantity can be, all year, for every crop, soil, care and probe depth.
func TestPlot_ValuesWithinTheirLimits(t *testing.T) {
	for name, place := range map[string]Place{
		"potato": {}, "herb": {Crop: "herb", Soil: Soils()["sandy-loam"], Probe: 0.05}, "rice": {Crop: "rice", Soil: Soils()["clay"], Probe: 0.5},
		"nobody": {Care: None, Soil: Soils()["silty-clay-loam"], Probe: 0.3},
		"layers": {Layers: []Layer{{Thickness: 0.25, Soil: Soils()["loam"]}, {Thickness: 0.5, Soil: Soils()["clay"]}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWeather(uint64(len(name)), nil)
			p := testPlot(t, place, w.at)
			h := hourOf(2026, 1, 1)
			s := p.begin(h)
			n := 0
			p.run(s, h, 365*24, func(h float64, _ plotFlows) {
				if n++; n%7 != 0 {
					return
				}
				for _, q := range landQuantities() {
					v := read(t, p, s, h, q)
					if quality, err := q.Grade(v); err != nil || quality != measure.Good {
						t.Fatalf("%s: %s %g: %v %v", timeOf(h), q, v, quality, err)
					}
				}
			})
			if crop := p.crop(s).name; place.Care != None && place.Crop != "" && place.Crop != crop && crop != "fallow" {
				t.Errorf("it grows %s", crop)
			}
		})
	}
}

// A rice field stands in water, and is dry for the harvest.
func TestPlot_RiceStandsInWater(t *testing.T) {
	p := testPlot(t, Place{Crop: "rice"}, fair(27, 4, nil))
	h := hourOf(2026, 7, 25)
	s := p.begin(h)
	wet, lost := 0.0, 0.0
	h = p.run(s, h, 20*24, func(_ float64, f plotFlows) {
		lost += f.down[1] / 20
		if s[plotPond] > 1 {
			wet += 0.125 / 24
		}
	})
	if wet < 15 {
		t.Errorf("water stood on %.1f of 20 days", wet)
	}
	if lost > 5 {
		t.Errorf("the puddled pan lets %.1f mm a day pass", lost)
	}
	_, _, harvest, ok := p.seasonAt(h)
	if !ok {
		t.Fatal("no season")
	}
	p.run(s, h, harvest-h-24, nil)
	if s[plotPond] > 1 {
		t.Errorf("%.0f mm stand the day before harvest", s[plotPond])
	}
}

func TestPlot_ActionsItCannotHave(t *testing.T) {
	p := testPlot(t, Place{}, fair(20, 4, nil))
	h := hourOf(2026, 1, 10)
	s := p.begin(h)
	for name, a := range map[string]Action{
		"feed": {Kind: Feed, Amount: 1}, "ditch half open": {Kind: Drain, Amount: 0.5}, "crop": {Kind: Plant, What: "cotton"},
		"fertiliser": {Kind: Fertilise, What: "gold", Amount: 1}, "below nothing": {Kind: Fertilise, What: "nitrogen", Amount: -1},
		"irrigation without an end": {Kind: Irrigate, Amount: 10},
	} {
		if err := p.act(s, h, a, false); err == nil {
			t.Errorf("%s passed", name)
		}
	}
	// The routine leaves alone what a person has set, for as long as said.
	do(t, p, s, h, Action{Kind: Drain, Amount: 1, For: 48 * time.Hour})
	p.run(s, h, 47, func(h float64, _ plotFlows) {
		if s[plotDitch] != 1 {
			t.Fatalf("the ditch was closed at %s", timeOf(h))
		}
	})
}

func TestCrop_SeasonsOfTheNorth(t *testing.T) {
	for _, tc := range []struct {
		crop, season string
		at           float64
		want         float64
	}{
		{"potato", "main", hourOf(2025, 12, 15), potato},
		{"potato", "main", hourOf(2026, 1, 20), potato},
		{"potato", "main", hourOf(2026, 3, 15), fallow},
		{"potato", "early", hourOf(2025, 10, 20), potato},
		{"potato", "early", hourOf(2026, 1, 10), fallow},
		{"potato", "spring", hourOf(2026, 2, 20), potato},
		{"potato", "spring", hourOf(2025, 11, 20), fallow},
		{"rice", "main", hourOf(2026, 4, 1), rice},
		{"herb", "main", hourOf(2026, 1, 1), herb},
	} {
		p := testPlot(t, Place{Crop: tc.crop, Season: tc.season}, fair(20, 4, nil))
		if crop, _, _, _ := p.seasonAt(tc.at); crop != tc.want {
			t.Errorf("%s %s at %s: crop %g, want %g", tc.crop, tc.season, timeOf(tc.at), crop, tc.want)
		}
	}
	// The lines of FAO-56 figure 34.
	c := crops()[potato]
	for age, want := range map[float64]float64{0: 0.5, 20: 0.5, 32.5: 0.825, 45: 1.15, 75: 1.15, 86: 0.95, 97: 0.75} {
		if got := c.coefficient(age); math.Abs(got-want) > 1e-9 {
			t.Errorf("Kc on day %g: %g, want %g", age, got, want)
		}
	}
}

func BenchmarkPlot_Step(b *testing.B) {
	w := newWeather(1, nil)
	p := testPlot(b, Place{}, w.at)
	h := hourOf(2026, 1, 1)
	s := p.begin(h)
	for b.Loop() {
		p.step(s, h, 0.125)
		h += 0.125
	}
}
