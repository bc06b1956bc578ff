package world_test

import (
	"math"
	"testing"
	"time"

	"aovuon/firmware-sim/world"
)

// The worked examples of FAO-56: 8 and 9 (20° S, 3 September), 10 (Rio de Janeiro, May), 18 (Uccle, 6 July).
func TestRadiation_FAO56(t *testing.T) {
	for _, tc := range []struct {
		latitude float64
		day      int
		ra, n    float64
	}{
		{-20, 246, 32.2, 11.7},
		{-22.9, 135, 25.1, 10.9},
		{50.8, 187, 41.09, 16.1},
	} {
		ra, n := world.DailyRadiation(tc.latitude, tc.day)
		if math.Abs(ra-tc.ra) > 0.06 || math.Abs(n-tc.n) > 0.06 {
			t.Errorf("latitude %g day %d: Ra %.2f, N %.2f; want %g, %g", tc.latitude, tc.day, ra, n, tc.ra, tc.n)
		}
	}
	// Example 19: N'Diaye (16°13' N, 16°15' W on the clock of 15° W), 1 October.
	for _, tc := range []struct{ from, want float64 }{{14, 3.543}, {2, 0}} {
		if ra := world.HourlyRadiation(16.0+13.0/60, -1.25, 274, tc.from, tc.from+1); math.Abs(ra-tc.want) > 0.006 {
			t.Errorf("%g:00: Ra %.3f, want %g", tc.from, ra, tc.want)
		}
	}
}

func sky(t testing.TB, w *world.World, at time.Time) world.Sky {
	t.Helper()
	s, err := w.Sky(at)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func weatherOf(t testing.TB, seed uint64, year int, acts ...world.Action) *world.World {
	t.Helper()
	w, err := world.New(world.Options{Seed: seed, Begin: start(year), Actions: acts})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// month sums the weather of a month over all years asked.
type month struct {
	air, humidity, sun, clear, wind, pressure, rain float64
	wet                                             float64 // hours with a relative humidity of 90 % or more
	hours, years                                    float64
}

func climate(t testing.TB, seeds uint64, years ...int) (months [12]month, yearly []float64) {
	const step = 20 * time.Minute
	for seed := range seeds {
		for _, year := range years {
			w, total := weatherOf(t, seed, year), 0.0
			for at := start(year); at.Before(start(year + 1)); at = at.Add(step) {
				s, m := sky(t, w, at), &months[at.Add(7*time.Hour).Month()-1]
				m.air += s.Air * step.Hours()
				m.humidity += s.Humidity * step.Hours()
				m.sun += s.Sun
				m.clear += s.Clear
				m.wind += s.Wind * step.Hours()
				m.pressure += s.Pressure * step.Hours()
				m.rain += s.Rain * step.Hours()
				total += s.Rain * step.Hours()
				if s.Humidity >= 90 {
					m.wet += step.Hours()
				}
				m.hours += step.Hours()
			}
			for i := range months {
				months[i].years++
			}
			yearly = append(yearly, total)
		}
	}
	return months, yearly
}

// The normals (normals.go says whose), and how far the mean of 24 simulated years may be from them.
func TestWeather_KeepsTheNormals(t *testing.T) {
	want := [12]struct{ air, humidity, sunshine, rain, pressure float64 }{
		{16.7, 84, 0.21, 26, 1019},
		{17.4, 88, 0.14, 30, 1017},
		{19.9, 90, 0.13, 48, 1014},
		{23.7, 89, 0.24, 80, 1010.5},
		{27.3, 85, 0.46, 172, 1007},
		{29.2, 83, 0.46, 190, 1003.5},
		{29.4, 82, 0.50, 222, 1003},
		{28.7, 85, 0.44, 286, 1004},
		{27.4, 85, 0.47, 300, 1008},
		{24.9, 82, 0.46, 192, 1013},
		{21.7, 80, 0.42, 66, 1017},
		{18.3, 80, 0.34, 28, 1019.5},
	}
	months, yearly := climate(t, 4, 2021, 2022, 2023, 2024, 2025, 2026)
	for i, m := range months {
		sunshine := 1 - (1-m.sun/m.clear)*1.5 // FAO-56 equation 35, turned round
		t.Logf("%2d: %.1f °C, %.0f %%, n/N %.2f, %.1f m/s, %.0f mm, %.1f hPa, %.1f h a day ≥ 90 %%", i+1, m.air/m.hours, m.humidity/m.hours, sunshine,
			m.wind/m.hours, m.rain/m.years, m.pressure/m.hours, m.wet/m.hours*24)
		for _, tc := range []struct {
			what            string
			got, want, band float64
		}{
			{"air", m.air / m.hours, want[i].air, 0.7},
			{"humidity", m.humidity / m.hours, want[i].humidity, 3.5},
			{"sunshine", sunshine, want[i].sunshine, 0.06},
			{"rain", m.rain / m.years, want[i].rain, 8 + 0.2*want[i].rain},
			{"pressure", m.pressure / m.hours, want[i].pressure, 1},
			{"wind", m.wind / m.hours, 2.05, 0.45},
		} {
			if math.Abs(tc.got-tc.want) > tc.band {
				t.Errorf("month %d: %s %.2f, want %g ± %.2g", i+1, tc.what, tc.got, tc.want, tc.band)
			}
		}
	}
	sum := 0.0
	for _, mm := range yearly {
		if sum += mm; mm < 1200 || mm > 2300 { // dry and wet years of the delta
			t.Errorf("a year of %.0f mm", mm)
		}
	}
	if mean := sum / float64(len(yearly)); mean < 1400 || mean > 2000 {
		t.Errorf("%.0f mm in a mean year", mean)
	}
}

// Mưa phùn: from late January to March the air is near saturation by day, too.
func TestWeather_LateWinterIsWet(t *testing.T) {
	months, _ := climate(t, 3, 2025, 2026)
	for _, dry := range []int{10, 11, 12} {
		for _, wet := range []int{2, 3} {
			if w, d := months[wet-1], months[dry-1]; w.wet/w.hours < 1.5*d.wet/d.hours {
				t.Errorf("%.1f h a day at 90 %% in month %d, %.1f in month %d", 24*w.wet/w.hours, wet, 24*d.wet/d.hours, dry)
			}
		}
	}
	whole := 0
	for seed := range uint64(3) {
		w := weatherOf(t, seed, 2026)
		for day := 20; day < 90; day++ {
			least := 100.0
			for hour := range 24 {
				least = math.Min(least, sky(t, w, start(2026).AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour)).Humidity)
			}
			if least >= 93 {
				whole++
			}
		}
	}
	if whole < 15 {
		t.Errorf("%d days of drizzle in three late winters", whole)
	}
}

func TestWeather_ColdSurges(t *testing.T) {
	for seed := range uint64(4) {
		w, cold, falls := weatherOf(t, seed, 2025), 99.0, 0
		for day := range 60 { // January and February
			at := start(2025).AddDate(0, 0, day+1).Add(3 * time.Hour)
			s := sky(t, w, at)
			cold = math.Min(cold, s.Air)
			if sky(t, w, at.Add(-24*time.Hour)).Air-s.Air > 4 {
				falls++
			}
		}
		if cold > 13 || cold < 3 || falls < 2 {
			t.Errorf("seed %d: coldest night %.1f °C, %d falls of 4 °C within a day", seed, cold, falls)
		}
	}
}

func TestWeather_Typhoons(t *testing.T) {
	some := map[int]bool{}
	for seed := range uint64(40) {
		some[world.TyphoonsOf(seed, 2026)] = true
	}
	if len(some) != 4 || !some[0] || !some[3] {
		t.Errorf("typhoons a year: %v, want 0 to 3", some)
	}
	at := start(2026).AddDate(0, 7, 3)
	calm, storm := weatherOf(t, 1, 2026), weatherOf(t, 1, 2026, world.Action{At: at, Kind: world.Typhoon, Amount: 22, For: 30 * time.Hour})
	rain, wind, fall := 0.0, 0.0, 0.0
	for m := 0; m < 30*60; m += 5 {
		when := at.Add(time.Duration(m) * time.Minute)
		s, c := sky(t, storm, when), sky(t, calm, when)
		rain += (s.Rain - c.Rain) / 12
		wind = math.Max(wind, s.Wind)
		fall = math.Max(fall, c.Pressure-s.Pressure)
	}
	if rain < 50 || rain > 250 || wind < 18 || wind > 28 || fall < 15 || fall > 45 {
		t.Errorf("%.0f mm, %.1f m/s, %.1f hPa less", rain, wind, fall)
	}
	if a, b := sky(t, calm, at), sky(t, storm, at); a != b {
		t.Errorf("before it comes: %+v and %+v", a, b)
	}
}

// Nothing but rain that is commanded begins with a jump: at most, a shower cools the air by 2.5 °C in ten minutes.
func TestWeather_Continuous(t *testing.T) {
	acts := []world.Action{
		{At: start(2026).AddDate(0, 0, 10), Kind: world.Overcast, Amount: 1, For: 9 * time.Hour},
		{At: start(2026).AddDate(0, 0, 12), Kind: world.ColdSnap, Amount: 9, For: 60 * time.Hour},
		{At: start(2026).AddDate(0, 0, 20), Kind: world.HeatWave, Amount: 6, For: 90 * time.Hour},
		{At: start(2026).AddDate(0, 0, 24), Kind: world.Drizzle, For: 50 * time.Hour},
		{At: start(2026).AddDate(0, 0, 28), Kind: world.Calm, For: 10 * time.Hour},
		{At: start(2026).AddDate(0, 0, 30), Kind: world.Typhoon, Amount: 25, For: 20 * time.Hour},
	}
	for seed := range uint64(2) {
		w := weatherOf(t, seed, 2026, acts...)
		for m := 1; m < 400*24*60; m++ {
			if m%(24*60) > 40 && m > 40*24*60 && m%7 > 0 { // later on every seventh minute, and around midnight
				continue
			}
			at := start(2026).Add(time.Duration(m) * time.Minute)
			last, s := sky(t, w, at.Add(-time.Minute)), sky(t, w, at)
			if abs(s.Air-last.Air) > 0.25 || abs(s.Dew-last.Dew) > 0.15 || abs(s.Humidity-last.Humidity) > 1.2 || abs(s.Pressure-last.Pressure) > 0.3 ||
				abs(s.Cloud-last.Cloud) > 0.06 || abs(s.Sun-last.Sun) > 45 || abs(s.Wind-last.Wind) > 0.6 || abs(s.Rain-last.Rain) > 6 {
				t.Fatalf("seed %d %s: from %+v to %+v in a minute", seed, at, last, s)
			}
			if s.Humidity < 20 || s.Humidity > 100 || s.Dew > s.Air || s.Sun > s.Clear || s.Sun < 0 || s.Wind < 0 || s.Rain < 0 || s.Cloud < 0 || s.Cloud > 1 || s.Air < 1 || s.Air > 44 {
				t.Fatalf("seed %d %s: %+v is no weather", seed, at, s)
			}
		}
	}
}

func TestWeather_Commanded(t *testing.T) {
	at := start(2026).AddDate(0, 3, 11).Add(11 * time.Hour) // an April noon
	for name, tc := range map[string]struct {
		a     world.Action
		after time.Duration
		holds func(with, without world.Sky) bool
	}{
		"overcast":  {world.Action{Kind: world.Overcast, Amount: 1, For: 5 * time.Hour}, time.Hour, func(s, _ world.Sky) bool { return s.Cloud > 0.999 && s.Sun < 0.34*s.Clear }},
		"sunny":     {world.Action{Kind: world.Overcast, For: 5 * time.Hour}, time.Hour, func(s, _ world.Sky) bool { return s.Cloud < 0.001 && s.Sun > 0.999*s.Clear }},
		"cold-snap": {world.Action{Kind: world.ColdSnap, Amount: 8, For: 48 * time.Hour}, 20 * time.Hour, func(s, c world.Sky) bool { return abs(c.Air-s.Air-8) < 1e-9 && s.Dew < c.Dew-7 }},
		"thawed":    {world.Action{Kind: world.ColdSnap, Amount: 8, For: 48 * time.Hour}, 61 * time.Hour, func(s, c world.Sky) bool { return s == c }},
		"heat-wave": {world.Action{Kind: world.HeatWave, Amount: 5, For: 48 * time.Hour}, 20 * time.Hour, func(s, c world.Sky) bool { return abs(s.Air-c.Air-5) < 1e-9 }},
		"calm":      {world.Action{Kind: world.Calm, For: 5 * time.Hour}, time.Hour, func(s, _ world.Sky) bool { return s.Wind < 0.5 }},
		"drizzle":   {world.Action{Kind: world.Drizzle, For: 24 * time.Hour}, 4 * time.Hour, func(s, _ world.Sky) bool { return s.Humidity > 95 && s.Cloud > 0.95 }},
		"rain":      {world.Action{Kind: world.Rainfall, Amount: 30, For: 3 * time.Hour}, time.Hour, func(s, c world.Sky) bool { return abs(s.Rain-c.Rain-10) < 1e-9 && s.Cloud > 0.9 }},
		"dried up":  {world.Action{Kind: world.Rainfall, Amount: 30, For: 3 * time.Hour}, 4 * time.Hour, func(s, c world.Sky) bool { return s == c }},
	} {
		tc.a.At = at
		with, without := sky(t, weatherOf(t, 2, 2026, tc.a), at.Add(tc.after)), sky(t, weatherOf(t, 2, 2026), at.Add(tc.after))
		if !tc.holds(with, without) {
			t.Errorf("%s: %+v; without %+v", name, with, without)
		}
	}
}

func BenchmarkWorld_Sky(b *testing.B) {
	w, at := weatherOf(b, 1, 2026), start(2026)
	for b.Loop() {
		at = at.Add(450 * time.Second)
		sky(b, w, at)
	}
}
