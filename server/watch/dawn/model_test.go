package dawn_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/server/watch/dawn"
)

func near(a, b, by float64) bool { return math.Abs(a-b) <= by }

// Reference §1.5.
func TestSaturation_Golden(t *testing.T) {
	for celsius, want := range map[float64]float64{10: 11.288, 15: 10.084, 18: 9.467, 20: 9.092, 22: 8.744, 25: 8.263, 28: 7.828, 30: 7.559, 32: 7.305, 34: 7.065, 36: 6.837} {
		if got := dawn.Saturation(celsius); !near(got, want, 0.0006) {
			t.Errorf("%g °C: %.4f, want %.3f", celsius, got, want)
		}
	}
}

// newCurve makes the curve of water of a temperature in °C.
func newCurve(from time.Time, now, mean, slope, celsius, k float64) dawn.Curve {
	return dawn.Curve{From: from, Now: now, Mean: mean, Slope: slope, K: k, Saturation: dawn.Saturation(celsius)}
}

// Reference §3.3, every row.
func TestCurve_Golden(t *testing.T) {
	from := time.Date(2026, 7, 1, 22, 0, 0, 0, time.UTC)
	for _, c := range []struct{ now, mean, s, celsius, k, h, cs, r, ceq, wprd, lin float64 }{
		{6.0, 6.3, -0.25, 28, 0.03, 8, 7.8278, 0.2958, -2.0333, 4.2859, 4.0000},
		{6.0, 6.3, -0.25, 28, 0.02, 8, 7.8278, 0.2806, -6.2000, 4.1962, 4.0000},
		{6.0, 6.3, -0.25, 28, 0.08, 8, 7.8278, 0.3722, 3.1750, 4.6646, 4.0000},
		{7.2, 7.9, -0.45, 30, 0.03, 9, 7.5588, 0.4398, -7.1000, 3.8163, 3.1500},
		{4.5, 4.8, -0.20, 28, 0.03, 7, 7.8278, 0.2908, -1.8667, 3.2941, 3.1000},
	} {
		x := newCurve(from, c.now, c.mean, c.s, c.celsius, c.k)
		at := from.Add(time.Duration(c.h * float64(time.Hour)))
		for name, v := range map[string][2]float64{
			"Cs": {x.Saturation, c.cs}, "R": {x.Respiration(), c.r}, "Ceq": {x.Equilibrium(), c.ceq}, "C_w": {x.Respired(at), c.wprd}, "C_lin": {x.Linear(at), c.lin},
		} {
			if !near(v[0], v[1], 0.00006) {
				t.Errorf("%+v: %s is %.5f, want %.4f", c, name, v[0], v[1])
			}
		}
	}
	first := newCurve(from, 6, 6.3, -0.25, 28, 0.03)
	if at, ok := first.Reaches(4.5); !ok || !at.Equal(from.Add(6*time.Hour)) {
		t.Errorf("4.5 mg/L at %v, want exactly six hours after now", at)
	}
	if _, ok := newCurve(from, 6, 6, 0.01, 28, 0.03).Reaches(4.5); ok {
		t.Error("oxygen that rises comes down")
	}
	if at, ok := newCurve(from, 4, 4, 0.1, 28, 0.03).Reaches(4.5); !ok || !at.Equal(from) {
		t.Error("what is below already is below now")
	}
}

// Whenever oxygen falls the straight line lies below, above as well as below saturation; without diffusion they are one.
func TestCurve_TheLineIsThePessimist(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := func(name string, low, high float64) float64 { return rapid.Float64Range(low, high).Draw(t, name) }
		from := time.Date(2026, 7, 1, 22, 0, 0, 0, time.UTC)
		now, s := f("now", 0.2, 18), f("s", -1.5, -0.001)
		mean := now - s*f("half the window", 0.5, 1.5)
		c := newCurve(from, now, mean, s, f("celsius", 8, 36), f("k", 0.01, 0.1))
		at := from.Add(time.Duration(f("hours", 0, 11) * float64(time.Hour)))
		if c.Linear(at) > c.Respired(at)+1e-9 {
			t.Fatalf("line %g above curve %g", c.Linear(at), c.Respired(at))
		}
		still := c
		still.K = 1e-7
		if !near(still.Respired(at), c.Linear(at), 1e-3) {
			t.Fatalf("without diffusion %g, line %g", still.Respired(at), c.Linear(at))
		}
		still.K = 0
		if still.Respired(at) != c.Linear(at) {
			t.Fatal("without a temperature it is the line")
		}
	})
}

func TestTheilSen_WildValuesDoNotMatter(t *testing.T) {
	from := time.Date(2026, 7, 1, 20, 0, 0, 0, time.UTC)
	rng := rand.New(rand.NewPCG(1, 2))
	var samples []dawn.Sample
	for i := range 36 {
		v := 7 - 0.31*float64(i)/12
		if i%4 == 1 {
			v += 20 * (rng.Float64() - 0.5) // one in four is wild
		}
		samples = append(samples, dawn.Sample{At: from.Add(time.Duration(i) * 5 * time.Minute), Value: v})
	}
	if s, ok := dawn.TheilSen(samples); !ok || !near(s, -0.31, 0.02) {
		t.Errorf("slope %g, want -0.31", s)
	}
	if s, ok := dawn.TheilSen([]dawn.Sample{{At: from, Value: 1}, {At: from.Add(time.Hour), Value: 2}, {At: from.Add(2 * time.Hour), Value: 9}}); !ok || s != 4 {
		t.Errorf("median of 1, 4 and 7 is %g", s)
	}
	for _, none := range [][]dawn.Sample{nil, samples[:1], {samples[0], samples[0]}} {
		if _, ok := dawn.TheilSen(none); ok {
			t.Errorf("%d samples of one time have a slope", len(none))
		}
	}
}

// Sunrise and sunset by Astral 3.2 (a separate implementation of NOAA's method), UTC.
func TestSun_Golden(t *testing.T) {
	zone := time.FixedZone("", 7*3600)
	at := func(s string) time.Time {
		v, err := time.Parse("2006-01-02 15:04:05", s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name      string
		lat, lon  float64
		day       time.Time
		rise, set string
	}{
		{"Thanh Miện", 20.769, 106.238, time.Date(2026, 1, 16, 0, 0, 0, 0, zone), "2026-01-15 23:34:24", ""},
		{"Thanh Miện", 20.769, 106.238, time.Date(2026, 1, 15, 23, 0, 0, 0, zone), "", "2026-01-15 10:34:27"},
		{"Thanh Miện", 20.769, 106.238, time.Date(2026, 6, 21, 5, 0, 0, 0, zone), "", "2026-06-21 11:38:27"},
		{"Thanh Miện", 20.769, 106.238, time.Date(2026, 6, 22, 5, 0, 0, 0, zone), "2026-06-21 22:15:22", ""},
		{"Thanh Miện", 20.769, 106.238, time.Date(2026, 9, 30, 5, 0, 0, 0, zone), "", "2026-09-30 10:44:02"},
		{"Thanh Miện", 20.769, 106.238, time.Date(2026, 12, 23, 5, 0, 0, 0, zone), "2026-12-22 23:27:58", ""},
		{"Cà Mau", 9.177, 105.150, time.Date(2026, 7, 1, 5, 0, 0, 0, zone), "", "2026-07-01 11:22:34"},
		{"Cà Mau", 9.177, 105.150, time.Date(2026, 12, 22, 5, 0, 0, 0, zone), "", "2026-12-22 10:45:22"},
		{"Hà Giang", 23.0, 104.98, time.Date(2026, 3, 21, 5, 0, 0, 0, zone), "2026-03-20 23:03:42", ""},
		{"Greenwich", 51.4779, 0, time.Date(2026, 6, 21, 5, 0, 0, 0, time.UTC), "2026-06-21 03:43:06", "2026-06-21 20:20:31"},
		{"Greenwich", 51.4779, 0, time.Date(2026, 12, 22, 5, 0, 0, 0, time.UTC), "2026-12-22 08:03:56", "2026-12-22 15:53:12"},
	} {
		rise, set, ok := dawn.Sun(c.day, point(c.lat, c.lon))
		for got, want := range map[time.Time]string{rise: c.rise, set: c.set} {
			if want != "" && (!ok || got.Sub(at(want)).Abs() > 75*time.Second) { // Astral asks for the sun of another minute
				t.Errorf("%s %v: %v, want %s", c.name, c.day, got.UTC(), want)
			}
		}
	}
	if _, _, ok := dawn.Sun(time.Date(2026, 6, 21, 0, 0, 0, 0, time.UTC), point(80, 20)); ok {
		t.Error("the midnight sun sets")
	}
}
