package world_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/blight"
)

// blightSeason are the hours and the rain of one winter potato of the simulated delta.
type blightSeason struct {
	planted, end time.Time
	hours        blight.Hours
	rain         map[string]float64
}

// seasonOf asks the world for the air over a plot as a gateway's hourly means, from planting for 90 days.
func seasonOf(t *testing.T, seed uint64, name string, month time.Month, day int) blightSeason {
	t.Helper()
	planted := time.Date(2026, month, day, 0, 0, 0, 0, farm.Time())
	w, err := world.New(world.Options{Seed: seed, Begin: planted.AddDate(0, 0, -20), Places: []world.Place{{ID: "khoai", Kind: world.Plot, Season: name}}})
	if err != nil {
		t.Fatal(err)
	}
	s := blightSeason{planted: planted, end: planted.AddDate(0, 0, 90), hours: blight.Hours{}, rain: map[string]float64{}}
	const samples = 6
	for h := planted; h.Before(s.end); h = h.Add(time.Hour) {
		one := blight.Hour{Start: h, By: "khoai"}
		for i := range samples {
			at := h.Add(time.Duration(i) * time.Hour / samples)
			air, err := w.Value("khoai", measure.AirTemperature, at)
			if err != nil {
				t.Fatal(err)
			}
			humidity, err := w.Value("khoai", measure.RelativeHumidity, at)
			if err != nil {
				t.Fatal(err)
			}
			one.T, one.RH = one.T+air/samples, one.RH+humidity/samples
		}
		sky, err := w.Sky(h.Add(30 * time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		s.rain[h.Format(time.DateOnly)] += sky.Rain
		s.hours[h.Unix()] = one
	}
	return s
}

// plot is the season as it is judged, of a class, with what was sprayed.
func (s blightSeason) plot(class blight.Class, sprays []blight.Spray) blight.Season {
	return blight.Season{
		Place: farm.Place{Code: "khoai"}, Cycle: "c", Class: class, ClassSaid: true, Begin: s.planted, Planted: s.planted, Hours: s.hours, Probes: true, Rain: s.rain,
		Sprays: sprays, Zone: farm.Time(),
	}
}

// followed sprays on every morning on which it is due, and returns the days.
func (s blightSeason) followed(class blight.Class, morning func(at time.Time, p blight.Plot, sprays []blight.Spray)) (sprays []blight.Spray) {
	for day := s.planted.AddDate(0, 0, 1); day.Before(s.end); day = day.AddDate(0, 0, 1) {
		at := day.Add(7 * time.Hour)
		p := blight.Assess(s.plot(class, sprays), at)
		if morning != nil {
			morning(at, p, sprays)
		}
		if p.Due == blight.Yes {
			sprays = append(sprays, blight.Spray{Entry: "e", Day: day, Counts: true})
		}
	}
	return sprays
}

// Three sorts of winter potato in three years of weather: more susceptible varieties are sprayed more, none more often than every sixth day, and
// Hutton is on for most of the season, which is why it decides nothing.
func TestBlight_ASeasonFollowed(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "%-16s %6s %6s %6s %5s %6s | sprays %s, every 7 days: %d\n", "season", "humid", "Hutton", "Smith", "DSV", "units", "s ms mr r hr", (90-blight.EmergenceDays)/7)
	total := map[blight.Class]int{}
	for _, season := range []struct {
		name  string
		month time.Month
		day   int
	}{{"early", 10, 5}, {"main", 11, 1}, {"spring", 12, 5}} {
		for seed := range uint64(3) {
			s := seasonOf(t, seed, season.name, season.month, season.day)
			last := blight.Assess(s.plot("ms", nil), s.end)
			humid, hutton, smith := 0, 0, 0
			for _, d := range last.Days {
				humid += d.Humid
				if d.Alarm == blight.Yes {
					hutton++
				}
				if d.Period == blight.SmithPeriod {
					smith++
				}
			}
			fmt.Fprintf(&table, "%-10s %5d %6.1f %6d %6d %5d %6d |", season.name, seed, float64(humid)/float64(len(last.Days)), hutton, smith, last.Total, last.Units.Lo)
			before := 1 << 20
			for _, class := range blight.Classes() {
				sprays := s.followed(class, nil)
				for i := 1; i < len(sprays); i++ {
					if gap := sprays[i].Day.Sub(sprays[i-1].Day); gap <= blight.Interval*24*time.Hour {
						t.Errorf("%s, seed %d, %s: sprayed again after %s", season.name, seed, class, gap)
					}
				}
				if len(sprays) > before {
					t.Errorf("%s, seed %d: %s is sprayed %d times, a more susceptible variety %d", season.name, seed, class, len(sprays), before)
				}
				before = len(sprays)
				total[class] += len(sprays)
				fmt.Fprintf(&table, " %d", len(sprays))
			}
			table.WriteByte('\n')
			if last.UnknownDays > 0 || last.Units.Lo != last.Units.Hi {
				t.Errorf("%s, seed %d: a whole season has %d unknown days", season.name, seed, last.UnknownDays)
			}
		}
	}
	t.Logf("\n%s", &table)
	if total["s"] <= total["hr"] || total["s"] == 0 {
		t.Errorf("sprays of all seasons: %v", total)
	}
}

// Whatever hours are lost, and whoever forgets to write the rain: a spray that is due with all of them is never said not to be.
func TestBlight_LostHoursNeverMakeItSafe(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 8))
	mornings, unknown, due, early := 0, 0, 0, 0
	for seed := range uint64(3) {
		s := seasonOf(t, seed, "main", 11, 1)
		for _, class := range []blight.Class{"s", "ms", "r"} {
			short := s
			short.hours, short.rain = blight.Hours{}, map[string]float64{}
			for at, h := range s.hours {
				if dice.Float64() > 0.08 { // single hours, and whole days
					short.hours[at] = h
				}
			}
			for day := s.planted; day.Before(s.end); day = day.AddDate(0, 0, 1) {
				switch dice.IntN(12) {
				case 0:
					for h := range 24 {
						delete(short.hours, day.Add(time.Duration(h)*time.Hour).Unix())
					}
				case 1: // nobody wrote whether it rained
				default:
					short.rain[day.Format(time.DateOnly)] = s.rain[day.Format(time.DateOnly)]
				}
			}
			s.followed(class, func(at time.Time, whole blight.Plot, sprays []blight.Spray) {
				p := blight.Assess(short.plot(class, sprays), at)
				mornings++
				switch {
				case p.Due == blight.Unknown:
					unknown++
				case p.Due == blight.Yes && whole.Due == blight.No:
					early++
				case p.Due != whole.Due:
					t.Errorf("seed %d, %s, %s: %v with all hours, %v without some", seed, class, at, whole.Due, p.Due)
				}
				if whole.Due == blight.Yes {
					due++
				}
				if whole.Units.Lo > p.Units.Hi || whole.Fungicide.Lo < p.Fungicide.Lo || whole.Fungicide.Lo > p.Fungicide.Hi {
					t.Errorf("seed %d, %s, %s: %d and %d lie above %+v and %+v", seed, class, at, whole.Units.Lo, whole.Fungicide.Lo, p.Units, p.Fungicide)
				}
			})
		}
	}
	t.Logf("%d mornings, %d due; with hours lost %d unknown, %d due too early", mornings, due, unknown, early)
	if due == 0 || unknown == 0 {
		t.Error("the test tries nothing")
	}
}
