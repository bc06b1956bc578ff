package world_test

import (
	"errors"
	"testing"
	"time"

	"aovuon/firmware-sim/world"
)

// TestFish_TheNightThatKills: 1,200 kg under a warm grey calm sky die without an aerator and live with one; who asks a plot, or a day
// before the world, is told so.
func TestFish_TheNightThatKills(t *testing.T) {
	begin := time.Date(2026, time.July, 1, 0, 0, 0, 0, time.FixedZone("+07", 7*3600))
	at := func(day int) time.Time { return begin.AddDate(0, 0, day) }
	for k, died := range map[float64]bool{0: true, 0.5: false} {
		w, err := world.New(world.Options{
			Seed: 952, Begin: begin,
			Places: []world.Place{{ID: "ao1", Kind: world.Pond, Care: world.None, Stock: 1200}, {ID: "khoai1", Kind: world.Plot}},
			Actions: []world.Action{
				{At: at(0), Place: "ao1", Kind: world.Aerate, Amount: 0.5, What: "old", For: 96 * time.Hour},
				{At: at(0), Place: "ao1", Kind: world.Aerate, Amount: k, What: "new"},
				{At: at(0), Kind: world.HeatWave, Amount: 4, For: 10 * 24 * time.Hour},
				{At: at(4), Kind: world.Overcast, Amount: 1, For: 4 * 24 * time.Hour},
				{At: at(4), Kind: world.Calm, For: 4 * 24 * time.Hour},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		before, err1 := w.Fish("ao1", at(4))
		after, err2 := w.Fish("ao1", at(8))
		if err1 != nil || err2 != nil || before.Died > 0.01 || before.Alive < 1000 || (after.Died > 0.2) != died || (after.Alive < 1000) != died {
			t.Errorf("aeration %g: %+v, then %+v (%v, %v)", k, before, after, err1, err2)
		}
		if _, err := w.Fish("khoai1", at(1)); !errors.Is(err, world.ErrUnknown) {
			t.Errorf("fish in a plot: %v", err)
		}
		if _, err := w.Fish("ao1", at(-1)); !errors.Is(err, world.ErrEarly) {
			t.Errorf("fish before the world: %v", err)
		}
	}
}
