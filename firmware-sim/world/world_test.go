package world_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

func field(t testing.TB, seed uint64) *world.World {
	t.Helper()
	w, err := world.New(world.Options{Seed: seed, Begin: start(2025), Places: []world.Place{
		{ID: "ao1", Kind: world.Pond},
		{ID: "ao2", Kind: world.Pond, Density: 1.6},
		{ID: "khoai1", Kind: world.Plot},
		{ID: "thuoc1", Kind: world.Plot, DryOut: 3},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// start is midnight in Vietnam.
func start(year int) time.Time { return time.Date(year, 1, 1, -7, 0, 0, 0, time.UTC) }

func value(t testing.TB, w *world.World, place string, q measure.Quantity, at time.Time) float64 {
	t.Helper()
	v, err := w.Value(place, q, at)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestOxygen_DenserPondSinksLower(t *testing.T) {
	w := field(t, 1)
	var usual, dense float64
	for day := range 365 {
		dawn := start(2026).AddDate(0, 0, day).Add(5*time.Hour + 24*time.Minute)
		usual += value(t, w, "ao1", measure.DissolvedOxygen, dawn)
		dense += value(t, w, "ao2", measure.DissolvedOxygen, dawn)
	}
	if dense > usual-365*0.3 {
		t.Errorf("mean dawn oxygen: dense %.2f, usual %.2f", dense/365, usual/365)
	}
}

func TestWorld_StaysWithinWhatTheDeltaKnows(t *testing.T) {
	type limits struct{ min, max, step float64 } // step: the most that one minute may change it
	for q, tc := range map[measure.Quantity]struct {
		place string
		limits
	}{
		measure.WaterTemperature: {"ao1", limits{10, 38, 0.06}},
		measure.DissolvedOxygen:  {"ao1", limits{1, 16, 0.15}}, // layers that mix in the evening
		measure.OxygenSaturation: {"ao1", limits{10, 250, 2}},
		measure.PH:               {"ao1", limits{6.5, 9.5, 0.03}},
		measure.WaterLevel:       {"ao1", limits{129, 190, 0.6}}, // a typhoon's rain above the overflow
		measure.Conductivity:     {"ao1", limits{200, 600, 1}},
		measure.Salinity:         {"ao1", limits{0.09, 0.3, 0.0005}},
		measure.TotalAmmonia:     {"ao1", limits{0.02, 2.5, 0.005}},
		measure.UnionisedAmmonia: {"ao1", limits{0.0003, 0.6, 0.02}},
		measure.Turbidity:        {"ao1", limits{8, 400, 3}},
		measure.ORP:              {"ao1", limits{60, 340, 1}},
		measure.SoilTemperature:  {"khoai1", limits{8, 38, 0.03}},
		measure.SoilConductivity: {"khoai1", limits{150, 1600, 25}},
		measure.SoilMoisture:     {"khoai1", limits{15, 46, 0.7}},
		measure.AirTemperature:   {"khoai1", limits{2, 42, 0.35}}, // when a front or a shower comes
		measure.RelativeHumidity: {"thuoc1", limits{25, 99.5, 2}},
		measure.AirPressure:      {"thuoc1", limits{950, 1040, 0.1}},
	} {
		t.Run(string(q), func(t *testing.T) {
			for seed := range uint64(3) {
				w := field(t, seed)
				last := math.NaN()
				low, high := math.Inf(1), math.Inf(-1)
				for m := range 400 * 24 * 60 / 31 {
					// Stretches of minutes from all over the year: continuity is per minute, limits are per year.
					at := start(2025).Add(time.Duration(m) * 41 * time.Minute)
					v := value(t, w, tc.place, q, at)
					next := value(t, w, tc.place, q, at.Add(time.Minute))
					if v < tc.min || v > tc.max {
						t.Fatalf("seed %d %s: %g outside %g … %g", seed, at, v, tc.min, tc.max)
					}
					if math.Abs(next-v) > tc.step {
						t.Fatalf("seed %d %s: jumps from %g to %g in a minute", seed, at, v, next)
					}
					if v == last && tc.place == "ao1" { // soil rests at night, wet air at its limit; water never

						t.Fatalf("seed %d %s: stands still at %g", seed, at, v)
					}
					last, low, high = v, math.Min(low, v), math.Max(high, v)
				}
				t.Logf("seed %d: %.2f … %.2f", seed, low, high)
			}
		})
	}
}

func TestWorld_SameSeedSameValues(t *testing.T) {
	a, b, other := field(t, 7), field(t, 7), field(t, 8)
	same := 0
	for m := range 500 {
		at := start(2026).Add(time.Duration(m) * 617 * time.Minute)
		for _, q := range []measure.Quantity{measure.WaterTemperature, measure.DissolvedOxygen, measure.PH} {
			v := value(t, a, "ao1", q, at)
			if v != value(t, b, "ao1", q, at) {
				t.Fatalf("%s %s: two worlds of one seed differ", q, at)
			}
			if v == value(t, other, "ao1", q, at) {
				same++
			}
		}
	}
	if same > 0 {
		t.Errorf("another seed gave %d same values", same)
	}
}

// Check values: sensors reference 7.1, computed from the published formula.
func TestSaturation_BensonKrause(t *testing.T) {
	for _, tc := range []struct{ t, s, p, want float64 }{
		{0, 0, 1, 14.621},
		{10, 0, 1, 11.288},
		{15, 0, 1, 10.084},
		{20, 0, 1, 9.092},
		{25, 0, 1, 8.263},
		{28, 0, 1, 7.828},
		{30, 0, 1, 7.559},
		{32, 0, 1, 7.305},
		{35, 0, 1, 6.949},
		{25, 35, 1, 6.772},
		{28, 15, 1, 7.201},
		{30, 5, 1, 7.354},
		{25, 0, 0.9, 7.411},
		{20, 0, 0.7894737, 7.134},
	} {
		if got := world.Saturation(tc.t, tc.s, tc.p); math.Abs(got-tc.want) > 6e-4 {
			t.Errorf("Saturation(%g, %g, %g) = %.4f, want %.3f", tc.t, tc.s, tc.p, got, tc.want)
		}
	}
}

func TestWorld_RefusesWhatItDoesNotHave(t *testing.T) {
	w := field(t, 1)
	for _, tc := range []struct {
		place string
		q     measure.Quantity
	}{{"ao9", measure.PH}, {"ao1", measure.SoilMoisture}, {"khoai1", measure.PH}} {
		if _, err := w.Value(tc.place, tc.q, start(2026)); !errors.Is(err, world.ErrUnknown) {
			t.Errorf("Value(%s, %s) = %v, want ErrUnknown", tc.place, tc.q, err)
		}
	}
	for name, p := range map[string]world.Place{
		"id":      {ID: "Ao 1", Kind: world.Pond},
		"kind":    {ID: "ao1", Kind: "lake"},
		"density": {ID: "ao1", Kind: world.Pond, Density: 9},
		"dry_out": {ID: "ao1", Kind: world.Plot, DryOut: 1},
		"foreign": {ID: "ao1", Kind: world.Plot, Density: 1},
		"care":    {ID: "ao1", Kind: world.Plot, Care: "some"},
		"species": {ID: "ao1", Kind: world.Pond, Species: "whale"},
		"area":    {ID: "ao1", Kind: world.Pond, Area: -3},
		"goods":   {ID: "say1", Kind: world.Room, Goods: "cement"},
		"layer":   {ID: "ao1", Kind: world.Plot, Layers: []world.Layer{{Thickness: 9, Soil: world.SiltLoam()}}},
		"soil":    {ID: "ao1", Kind: world.Plot, Soil: world.Soil{FieldCapacity: 0.2, WiltingPoint: 0.3, Saturation: 0.4}},
	} {
		if _, err := world.New(world.Options{Begin: start(2026), Places: []world.Place{p}}); err == nil {
			t.Errorf("%s: New passed", name)
		}
	}
	if _, err := world.New(world.Options{Begin: start(2026), Places: []world.Place{{ID: "a", Kind: world.Pond}, {ID: "a", Kind: world.Plot}}}); err == nil {
		t.Error("the same place twice passed")
	}
}

func BenchmarkWorld_Value(b *testing.B) {
	w := field(b, 1)
	for q, place := range map[measure.Quantity]string{
		measure.WaterTemperature: "ao1", measure.DissolvedOxygen: "ao1", measure.PH: "ao1",
		measure.SoilMoisture: "khoai1", measure.AirTemperature: "khoai1", measure.RelativeHumidity: "khoai1",
	} {
		b.Run(string(q), func(b *testing.B) {
			at := start(2026)
			for b.Loop() {
				at = at.Add(time.Minute)
				value(b, w, place, q, at)
			}
		})
	}
}
