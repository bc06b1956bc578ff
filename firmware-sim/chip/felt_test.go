package chip_test

import (
	"math"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// skinned is a probe of q in water whose value goes up and down within a day, at a speed of the world.
func skinned(t *testing.T, q measure.Quantity, speed float64) (b *fault.Board, feels chip.Source, clock *clock) {
	t.Helper()
	clock, b = newClock(), fault.NewBoard()
	start := clock.now()
	world := func(at time.Time) time.Time { return start.Add(time.Duration(float64(at.Sub(start)) * speed)) }
	b.UseClock(func() time.Time { return world(clock.now()) })
	sw, err := b.Add("probe", append(chip.SkinFaults(q), fault.Frozen)...)
	if err != nil {
		t.Fatal(err)
	}
	day := func(at time.Time) float64 { return 6 + 3*math.Sin(2*math.Pi*world(at).Sub(start).Hours()/24) }
	return b, chip.Skin{Faults: sw, World: world, Speed: speed}.Own(q, day), clock
}

func TestSkin_DriftsAndStepsByTheWorldsClock(t *testing.T) {
	for _, speed := range []float64{1, 24} {
		b, feels, clock := skinned(t, measure.DissolvedOxygen, speed)
		hour := time.Duration(float64(time.Hour) / speed)
		if err := b.Set("probe", fault.Drift, -0.5); err != nil {
			t.Fatal(err)
		}
		near(t, "begun", feels(clock.now()), 6, 1e-6)
		clock.pass(48 * hour)
		near(t, "two days on", feels(clock.now()), 5, 1e-6)
		if err := b.Set("probe", fault.Step, 2); err != nil {
			t.Fatal(err)
		}
		near(t, "a step instead", feels(clock.now()), 8, 1e-6)
		if err := b.Age("probe", fault.Ageing{Gain: 0.5, Offset: 1}); err != nil {
			t.Fatal(err)
		}
		near(t, "and age", feels(clock.now()), 5, 1e-6)
		if err := b.Dip("probe", &fault.Bath{Value: 3}); err != nil {
			t.Fatal(err)
		}
		near(t, "in a bottle", feels(clock.now()), 3.5, 1e-6) // 0.5 · (3 + 2) + 1
		b.HealAll()
		near(t, "healed, in the bottle", feels(clock.now()), 2.5, 1e-6)
	}
}

// A fouled oxygen probe reads low and lazily: its day gets smaller than the truth's by more than its gain says, and comes later.
func TestSkin_FoulingIsLowAndLazy(t *testing.T) {
	for _, speed := range []float64{1, 60} {
		b, feels, clock := skinned(t, measure.DissolvedOxygen, speed)
		hour := time.Duration(float64(time.Hour) / speed)
		if err := b.Set("probe", fault.Fouling, 2); err != nil {
			t.Fatal(err)
		}
		span := func() (mean, swing float64) {
			low, high := math.Inf(1), math.Inf(-1)
			for range 24 {
				v := feels(clock.now())
				low, high, mean = min(low, v), max(high, v), mean+v/24
				clock.pass(hour)
			}
			return mean, high - low
		}
		begun, wide := span()
		if begun < 4 || begun > 6 || wide < 3 {
			t.Errorf("first day: about %.2f, by %.2f", begun, wide)
		}
		for range 4 {
			span()
		}
		mean, swing := span() // covered: 1 − e^(−5.5/2) = 94 %, gain 0.11, lag 22 h
		near(t, "sixth day's mean", mean, 0.11*6, 0.15)
		if swing > 0.25 {
			t.Errorf("sixth day: by %.2f; the flat line wants 0.2", swing)
		}
		if err := b.Clean("probe"); err != nil {
			t.Fatal(err)
		}
		near(t, "wiped", feels(clock.now()), 6, 0.1)
	}
}

func TestSkin_OnlyWhatGrowthHarmsFouls(t *testing.T) {
	for q, want := range map[measure.Quantity]int{measure.PH: 3, measure.Turbidity: 3, measure.Ammonium: 3, measure.AirTemperature: 2, measure.SoilMoisture: 2} {
		if got := chip.SkinFaults(q); len(got) != want {
			t.Errorf("%s: %v", q, got)
		}
	}
}
