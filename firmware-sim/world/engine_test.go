package world_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// places has one of every kind, and two ponds.
func places() []world.Place {
	return []world.Place{
		{ID: "ao1", Kind: world.Pond},
		{ID: "ao2", Kind: world.Pond, Density: 1.6},
		{ID: "khoai1", Kind: world.Plot},
		{ID: "say1", Kind: world.Room},
	}
}

func made(t interface{ Fatal(args ...any) }, seed uint64, acts ...world.Action) *world.World {
	w, err := world.New(world.Options{Seed: seed, Begin: start(2026), Places: places(), Actions: acts})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The law of the engine: the same seed, beginning, places and actions are the same world, bit by bit, whatever was asked before
// and whenever the actions were told.
func TestWorld_OneStoryWhateverTheOrder(t *testing.T) {
	type ask struct {
		place string
		q     measure.Quantity
		at    time.Time
	}
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 3).Draw(t, "round") == 0 { // on the grid, and at midnight
			return start(2026).Add(time.Duration(rapid.IntRange(0, 12*8).Draw(t, "quarter")) * 6 * time.Hour / 8 * 4)
		}
		return start(2026).Add(time.Duration(rapid.Int64Range(0, int64(12*24*time.Hour)).Draw(t, "ns")))
	})
	all := made(t, 0)
	question := rapid.Custom(func(t *rapid.T) ask {
		p := rapid.SampledFrom(places()).Draw(t, "place")
		return ask{p.ID, rapid.SampledFrom(all.Quantities(p.ID)).Draw(t, "quantity"), instant.Draw(t, "at")}
	})
	deed := rapid.Custom(func(t *rapid.T) world.Action {
		a := rapid.SampledFrom([]world.Action{
			{Place: "ao1", Kind: world.Aerate, Amount: 0.5},
			{Place: "ao1", Kind: world.Aerate, Amount: 0.3, What: "b", For: 3 * time.Hour},
			{Place: "ao1", Kind: world.Aerate},
			{Place: "ao2", Kind: world.Aerate, Amount: 1, For: 26 * time.Hour},
			{Place: "ao2", Kind: world.Feed, Amount: 12},
			{Place: "ao2", Kind: world.Fill, Amount: 20, For: 5 * time.Hour},
			{Place: "khoai1", Kind: world.Irrigate, Amount: 20, For: 2 * time.Hour},
			{Place: "khoai1", Kind: world.Drain, Amount: 1, For: 30 * time.Hour},
			{Place: "khoai1", Kind: world.Plant, What: "rice"},
			{Place: "khoai1", Kind: world.Fertilise, Amount: 60, What: "nitrogen"},
			{Place: "say1", Kind: world.Load, Amount: 40, What: "herb"},
			{Place: "say1", Kind: world.Heat, Amount: 60, For: 7 * time.Hour},
			{Kind: world.Rainfall, Amount: 60, For: 5 * time.Hour},
			{Kind: world.Overcast, Amount: 1, For: 30 * time.Hour},
			{Kind: world.ColdSnap, Amount: 8, For: 50 * time.Hour},
		}).Draw(t, "deed")
		a.At = instant.Draw(t, "when")
		return a
	})
	rapid.Check(t, func(t *rapid.T) {
		deeds := rapid.SliceOfN(deed, 0, 6).Draw(t, "deeds")
		asks := rapid.SliceOfN(question, 1, 25).Draw(t, "asks")
		told := made(t, 5, deeds...)
		late := made(t, 5)
		left := rapid.Permutation(deeds).Draw(t, "order")
		value := func(w *world.World, a ask) float64 {
			v, err := w.Value(a.place, a.q, a.at)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		for _, a := range asks { // questions and deeds by turns
			value(late, a)
			if len(left) > 0 && rapid.Bool().Draw(t, "act now") {
				if err := late.Act(left[0]); err != nil {
					t.Fatal(err)
				}
				left = left[1:]
			}
		}
		for _, a := range left {
			if err := late.Act(a); err != nil {
				t.Fatal(err)
			}
		}
		for i, a := range rapid.Permutation(asks).Draw(t, "again") {
			x, y := value(told, a), value(late, a)
			z := x
			if i < 2 {
				z = value(made(t, 5, deeds...), a)
			}
			if x != y || x != z {
				t.Fatalf("%s %s at %s: %v told at once, %v told late, %v asked alone", a.place, a.q, a.at, x, y, z)
			}
		}
	})
}

func TestWorld_OldDaysStayAsTheyWere(t *testing.T) {
	w := made(t, 3)
	at := start(2026).AddDate(0, 2, 3).Add(7*time.Hour + 11*time.Minute)
	before := value(t, w, "ao1", measure.DissolvedOxygen, at)
	for day := range 300 { // far more days than are kept
		value(t, w, "ao1", measure.DissolvedOxygen, start(2026).AddDate(0, 0, day))
	}
	if after := value(t, w, "ao1", measure.DissolvedOxygen, at); after != before {
		t.Errorf("%v became %v", before, after)
	}
	act(t, w, world.Action{At: at.Add(time.Hour), Place: "ao1", Kind: world.Aerate, Amount: 2})
	if after := value(t, w, "ao1", measure.DissolvedOxygen, at); after != before {
		t.Errorf("an action an hour later made %v of %v", after, before)
	}
	if o := value(t, w, "ao1", measure.DissolvedOxygen, at.Add(2*time.Hour)); o == value(t, made(t, 3), "ao1", measure.DissolvedOxygen, at.Add(2*time.Hour)) {
		t.Error("the aerator did nothing")
	}
}

func act(t testing.TB, w *world.World, a world.Action) {
	t.Helper()
	if err := w.Act(a); err != nil {
		t.Fatal(err)
	}
}

// Whoever asks while others act gets one of the two stories, and in the end all get the same.
func TestWorld_ManyAskAndAct(t *testing.T) {
	acts := []world.Action{
		{At: start(2026).Add(30 * time.Hour), Kind: world.Overcast, Amount: 1, For: 9 * time.Hour},
		{At: start(2026).Add(20 * time.Hour), Place: "ao1", Kind: world.Aerate, Amount: 1, For: 9 * time.Hour},
		{At: start(2026).Add(41 * time.Hour), Place: "ao1", Kind: world.Aerate, Amount: 2, What: "b"},
		{At: start(2026).Add(40 * time.Hour), Kind: world.Drizzle, For: 9 * time.Hour},
	}
	w, want := made(t, 1), made(t, 1, acts...)
	var all sync.WaitGroup
	for i, a := range acts {
		all.Go(func() {
			if err := w.Act(a); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			w.Reach(start(2026).Add(70 * time.Hour))
			for h := range 70 {
				if _, err := w.Value(places()[i].ID, measure.AirTemperature, start(2026).Add(time.Duration(h)*time.Hour)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, p := range places() {
		for _, q := range w.Quantities(p.ID) {
			for h := range 70 {
				at := start(2026).Add(time.Duration(h)*time.Hour + 7*time.Minute)
				if v, u := value(t, w, p.ID, q, at), value(t, want, p.ID, q, at); v != u {
					t.Fatalf("%s %s %s: %v, want %v", p.ID, q, at, v, u)
				}
			}
		}
	}
}

func TestWorld_BeforeItsBeginning(t *testing.T) {
	w := made(t, 1)
	early := start(2026).Add(-time.Second)
	if _, err := w.Value("ao1", measure.PH, early); !errors.Is(err, world.ErrEarly) || !strings.Contains(err.Error(), "begin in field.yaml") {
		t.Errorf("Value: %v", err)
	}
	if _, err := w.Sky(early); !errors.Is(err, world.ErrEarly) {
		t.Errorf("Sky: %v", err)
	}
	if err := w.Act(world.Action{At: early, Place: "ao1", Kind: world.Feed, Amount: 3}); !errors.Is(err, world.ErrEarly) {
		t.Errorf("Act: %v", err)
	}
	if _, err := world.New(world.Options{Places: places()}); err == nil {
		t.Error("a world without a beginning")
	}
	if got := w.Begin(); !got.Equal(start(2026)) {
		t.Errorf("begins %s", got)
	}
}

func TestDefaultBegin(t *testing.T) {
	for now, want := range map[string]string{
		"2026-11-25T12:00:00Z": "2026-01-01", "2026-02-10T12:00:00Z": "2025-01-01",
		"2026-03-31T16:59:00Z": "2025-01-01", "2026-03-31T17:01:00Z": "2026-01-01", // 1 April in Viet Nam is the 91st day
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := world.DefaultBegin(at).Format(time.DateOnly); got != want {
			t.Errorf("%s: %s, want %s", now, got, want)
		}
	}
}

func TestAct_SaysWhatMayBe(t *testing.T) {
	at := start(2026).Add(time.Hour)
	for _, tc := range []struct {
		a    world.Action
		want string
	}{
		{world.Action{Place: "ao9", Kind: world.Feed, Amount: 1}, "the world has ao1, ao2, khoai1, say1"},
		{world.Action{Place: "ao1", Kind: "dance"}, "it can have aerate, drain, feed"},
		{world.Action{Place: "khoai1", Kind: world.Feed, Amount: 1}, "it can have drain, fertilise, harvest, irrigate, plant"},
		{world.Action{Kind: world.Feed, Amount: 1}, "it can have calm, cold-snap, drizzle, heat-wave, overcast, rain, typhoon"},
		{world.Action{Place: "ao1", Kind: world.Rainfall, Amount: 9, For: time.Hour}, "pond ao1 cannot have"},
		{world.Action{Place: "ao1", Kind: world.Feed}, "want more than 0, up to 5000 kg"},
		{world.Action{Place: "ao1", Kind: world.Feed, Amount: 1, For: time.Hour}, "it happens at once"},
		{world.Action{Place: "ao1", Kind: world.Feed, Amount: 1, What: "gold"}, "want none"},
		{world.Action{Place: "ao1", Kind: world.Treat, Amount: 1}, "want one of lime, probiotic, alum, copper, salt"},
		{world.Action{Place: "ao1", Kind: world.Aerate, Amount: -1}, "want 0 to 100 1/h"},
		{world.Action{Place: "khoai1", Kind: world.Irrigate, Amount: 20}, "want it to last 1m0s to 720h0m0s"},
		{world.Action{Place: "khoai1", Kind: world.Plant, Amount: 20, What: "rice"}, "want none"},
		{world.Action{Kind: world.Overcast, Amount: 3, For: time.Hour}, "want 0 to 1"},
		{world.Action{Kind: world.Typhoon, Amount: 20, For: time.Minute}, "want it to last 1h0m0s"},
	} {
		w := made(t, 1)
		tc.a.At = at
		err := w.Act(tc.a)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want %q", tc.a, err, tc.want)
		}
		if n := len(w.Actions()); n != 0 {
			t.Errorf("%+v: refused and kept", tc.a)
		}
	}
}

// Several aerators add up, each holds until its own next word or its own end.
func TestAerate_SeveralAddUp(t *testing.T) {
	at := start(2026).Add(30 * time.Hour)
	one := func(what string, k float64, after, lasts time.Duration) world.Action {
		return world.Action{At: at.Add(after), Place: "ao2", Kind: world.Aerate, Amount: k, What: what, For: lasts}
	}
	same := func(name string, a, b []world.Action) {
		t.Helper()
		x, y := made(t, 1, a...), made(t, 1, b...)
		for m := range 60 * 12 {
			when := at.Add(time.Duration(m) * time.Minute)
			if v, u := value(t, x, "ao2", measure.DissolvedOxygen, when), value(t, y, "ao2", measure.DissolvedOxygen, when); abs(v-u) > 1e-9 {
				t.Fatalf("%s: %s after: %v and %v mg/L", name, when.Sub(at), v, u)
			}
		}
	}
	h := time.Hour
	same("two at once", []world.Action{one("a", 1, 0, 0), one("b", 0.5, 0, 0)}, []world.Action{one("a", 1.5, 0, 0)})
	same("one ends", []world.Action{one("a", 1, 0, 0), one("b", 0.5, 0, 3*h)}, []world.Action{one("a", 1.5, 0, 0), one("a", 1, 3*h, 0)})
	same("the next word holds", []world.Action{one("a", 1, 0, 4*h), one("a", 2, 2*h, 0)}, []world.Action{one("a", 1, 0, 2*h), one("a", 2, 2*h, 0), one("a", 2, 4*h, 0)})
	same("off", []world.Action{one("a", 1, 0, 0), one("b", 1, 0, 0), one("a", 0, h, 0), one("b", 0, h, 0)}, []world.Action{one("c", 2, 0, h)})
}

func abs(v float64) float64 { return max(v, -v) }

func TestAerate_LiftsTheNight(t *testing.T) {
	at := start(2026).AddDate(0, 5, 0).Add(3 * time.Hour)
	still, lifted := made(t, 1), made(t, 1, world.Action{At: at, Place: "ao2", Kind: world.Aerate, Amount: 2})
	after := at.Add(2 * time.Hour)
	sat := world.Saturation(value(t, lifted, "ao2", measure.WaterTemperature, after), 0, 1)
	o, own := value(t, lifted, "ao2", measure.DissolvedOxygen, after), value(t, still, "ao2", measure.DissolvedOxygen, after)
	if o < 0.7*sat || o > sat || o < own {
		t.Errorf("two hours of aeration: %.2f of %.2f mg/L; without %.2f", o, sat, own)
	}
}

// A day more of a world that goes on costs a day's integration, however old it is: compare ns/op of the ages.
func BenchmarkWorld_NextDay(b *testing.B) {
	for _, years := range []int{0, 3} {
		b.Run(fmt.Sprintf("years=%d", years), func(b *testing.B) {
			w := made(b, 1)
			at := start(2026).AddDate(years, 0, 0)
			value(b, w, "ao1", measure.DissolvedOxygen, at)
			for b.Loop() {
				at = at.AddDate(0, 0, 1)
				value(b, w, "ao1", measure.DissolvedOxygen, at)
			}
		})
	}
}
