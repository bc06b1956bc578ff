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
	clear := humidHours(fair(17, 5, nil))
	if drizzle < 16 || clear > 12 {
		t.Errorf("humid hours a day: drizzle %.1f, clear weather %.1f", drizzle, clear)
	}
	t.Logf("humid hours a day: drizzle %.1f, clear weather %.1f", drizzle, clear)
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
	wet := 0.0
	h = p.run(s, h, 20*24, func(_ float64, _ plotFlows) {
		if s[plotPond] > 1 {
			wet += 0.125 / 24
		}
	})
	if wet < 15 {
		t.Errorf("water stood on %.1f of 20 days", wet)
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
