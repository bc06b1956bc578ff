package world_test

import (
	"fmt"
	"testing"
	"time"

	"aovuon/firmware-sim/world"
)

// BenchmarkWorld_Season runs a year of four ponds, three plots and a drying room at the full rate of their models, and asks each of
// them for a value a minute, of all its quantities by turns. x-real-time is how much faster than the clock that is, on one core.
func BenchmarkWorld_Season(b *testing.B) {
	var list []world.Place
	for i := range 4 {
		list = append(list, world.Place{ID: fmt.Sprintf("ao%d", i+1), Kind: world.Pond, Density: 0.7 + 0.2*float64(i)})
	}
	for i := range 3 {
		list = append(list, world.Place{ID: fmt.Sprintf("khoai%d", i+1), Kind: world.Plot})
	}
	list = append(list, world.Place{ID: "say1", Kind: world.Room})
	const year = 365 * 24 * time.Hour
	for b.Loop() {
		w, err := world.New(world.Options{Seed: 952, Begin: start(2026), Places: list})
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range list {
			all := w.Quantities(p.ID)
			for m := range int(year / time.Minute) {
				value(b, w, p.ID, all[m%len(all)], start(2026).Add(time.Duration(m)*time.Minute))
			}
		}
	}
	b.ReportMetric(year.Seconds()*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
}
