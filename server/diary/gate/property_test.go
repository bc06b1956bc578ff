package gate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// draw adds treatments, sprays and feed of any input, season and day.
func draw(t *rapid.T, b *bench, label string) *diary.Event {
	kind := rapid.SampledFrom([]string{diary.Treatment, diary.Feeding, diary.EnvProduct}).Draw(t, label+"kind")
	input := rapid.SampledFrom([]string{"drug", "unlabelled", "feed", "bt", "spray", "gone"}).Draw(t, label+"input")
	when := at(9, 1, 0, 0).Add(time.Duration(rapid.IntRange(0, 45*24*60).Draw(t, label+"minute")) * time.Minute)
	e := b.use(kind, ao1, rapid.SampledFrom([]string{"", "fish"}).Draw(t, label+"cycle"), input, when)
	if rapid.Bool().Draw(t, label+"course") {
		e.Values[diary.KeyEnd] = when.AddDate(0, 0, rapid.IntRange(0, 10).Draw(t, label+"days")).Format(time.DateOnly)
	}
	return e
}

// later reports whether a season is free no earlier than another.
func later(a, b gate.Harvest) bool { return (a.Unknown || !b.Unknown) && !a.From.Before(b.From) }

func TestHarvest_AddingNeverMakesItEarlierAndVoidingRestoresIt(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t, at(10, 20, 9, 0))
		if rapid.Bool().Draw(rt, "degrees") {
			b.set(farm.Cycle, "fish", "degree_days", 300.0)
			b.Temperature = func(_ string, d time.Time) (float64, bool) { return 20, d.Day()%5 != 0 }
		}
		for i := range rapid.IntRange(0, 6).Draw(rt, "n") {
			draw(rt, b, fmt.Sprint(i))
		}
		before := b.judge()
		was, _ := before.Harvest(ao1, "fish")
		e := *draw(rt, b, "new")
		with, _ := b.judge().Harvest(ao1, "fish")
		if !later(with, was) {
			rt.Fatalf("earlier: %+v, before %+v", with, was)
		}
		b.wrote(diary.Void, ao1, e.Cycle, at(10, 19, 9, 0), form.Values{"reason": "x"}).Corrects = e.ID
		if diff := cmp.Diff(before, b.judge()); diff != "" {
			rt.Fatalf("voiding does not restore it:\n%s", diff)
		}
	})
}

func TestJudge_DoesNotCareAboutOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t, at(10, 20, 9, 0))
		for i := range rapid.IntRange(1, 8).Draw(rt, "n") {
			draw(rt, b, fmt.Sprint(i))
		}
		b.use(diary.Spraying, khoai1, "potato", "spray", at(10, 18, 6, 0))
		want := b.judge()
		r := rand.New(rand.NewPCG(uint64(rapid.IntRange(0, 1000).Draw(rt, "seed")), 1))
		r.Shuffle(len(b.events), func(i, j int) { b.events[i], b.events[j] = b.events[j], b.events[i] })
		r.Shuffle(len(b.Records), func(i, j int) { b.Records[i], b.Records[j] = b.Records[j], b.Records[i] })
		if diff := cmp.Diff(want, b.judge()); diff != "" {
			rt.Fatal(diff)
		}
		// Entries as they come, without their order by time, say the same.
		b.Entries = diary.Entries(b.events)
		slices.Reverse(b.Entries)
		if diff := cmp.Diff(want, gate.Judge(b.Case)); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// What is said to hold a season agrees with when it may be harvested, at any moment.
func TestHolds_AgreesWithTheDate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t, at(9, 1, 0, 0).Add(time.Duration(rapid.IntRange(0, 60*24*60).Draw(rt, "now"))*time.Minute))
		for i := range rapid.IntRange(0, 5).Draw(rt, "n") {
			draw(rt, b, fmt.Sprint(i))
		}
		v := b.judge()
		h, _ := v.Harvest(ao1, "fish")
		if held := len(v.Holds(ao1, "fish")) > 0; held == h.May(b.Now) {
			rt.Fatalf("held %v at %v, %+v: %+v", held, b.Now, h, v.Findings)
		}
	})
}

// A co-op of 7 places and 10,000 entries of two years.
func BenchmarkJudge(b *testing.B) {
	x := newBench(b, at(10, 20, 9, 0))
	r := rand.New(rand.NewPCG(1, 2))
	places := []string{ao1, ao4, khoai1, thuoc1, "CSSHRYF9K", "72DQY3KX0", "77S9RTVPH"}
	inputs := []string{"drug", "spray", "feed", "feed", "feed", "bt"}
	for range 10_000 {
		when := x.Now.Add(-time.Duration(r.IntN(2*365*24*60)) * time.Minute)
		x.use(diary.Feeding, places[r.IntN(len(places))], "", inputs[r.IntN(len(inputs))], when, "lot", fmt.Sprint("L", r.IntN(20)))
	}
	x.Entries = diary.Entries(x.events)
	for b.Loop() {
		if v := gate.Judge(x.Case); len(v.Harvests) != 7 {
			b.Fatal(len(v.Harvests))
		}
	}
}
