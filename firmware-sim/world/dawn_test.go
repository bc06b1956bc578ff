package world_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
	"aovuon/server/privacy"
	"aovuon/server/watch/dawn"
)

// dawnPonds are ponds of the co-op's kinds; "thap" has its probe in the lower water.
func dawnPonds() []world.Place {
	return []world.Place{
		{ID: "ro-phi", Kind: world.Pond},
		{ID: "ro-phi-day", Kind: world.Pond, Density: 2},
		{ID: "chep", Kind: world.Pond, Species: "carp", Depth: 1.2},
		{ID: "tra", Kind: world.Pond, Species: "pangasius", Depth: 2.5},
		{ID: "thap", Kind: world.Pond, Density: 1.5, Probe: 1.1},
	}
}

// way is one way to foretell, and how it did: mean absolute error and mean error, of all nights and of those that sank by 0.4 mg/L or more
// against the night before.
type way struct{ off, bias, hard float64 }

// skill is how forecasts of one pond did, made so long after sunset.
type skill struct {
	ways    map[string]*way
	n, hard float64
	low     float64 // mean of the minima
	// Nights below 4 mg/L; of them warned of; of those, oxygen was at 4 before the aerator was to start; nights warned of in vain. The same
	// of whoever warns by the night before, with the same margin.
	sank, warned, late, vain, warnedLast, vainLast int
}

// oneNight is what a probe saw of one night, with what came.
type oneNight struct {
	dawn.Night
	seen   []dawn.Sample
	lowest dawn.Sample
}

// nightsOf asks the world for 180 nights from April to September as a probe with a noise of 0.05 mg/L sees them.
func nightsOf(t *testing.T, w *world.World, place string, begin time.Time) (out []oneNight) {
	t.Helper()
	noise := rand.New(rand.NewPCG(8, 8))
	where, err := privacy.NewPoint(20.4, 106.2)
	if err != nil {
		t.Fatal(err)
	}
	for day := 90; day < 271; day++ {
		noon := begin.AddDate(0, 0, day).Add(12 * time.Hour)
		n := oneNight{Night: dawn.NightOf(noon, noon.Location(), where)}
		for at := noon; at.Before(n.Over()); at = at.Add(5 * time.Minute) {
			v, err := w.Value(place, measure.DissolvedOxygen, at)
			if err != nil {
				t.Fatal(err)
			}
			n.seen = append(n.seen, dawn.Sample{At: at, Value: v + 0.05*noise.NormFloat64()})
		}
		var ok bool
		if n.lowest, ok = n.Lowest(n.seen, n.Cast()); !ok {
			t.Fatalf("%s: the night of %s has no end", place, n.Day)
		}
		out = append(out, n)
	}
	return out
}

// windK is k by the true wind of the night to come, which no co-op knows: 0.02 in a calm, 0.08 from 4 m/s on.
func windK(t *testing.T, w *world.World, from time.Time) float64 {
	t.Helper()
	wind := 0.0
	for h := range 8 {
		sky, err := w.Sky(from.Add(time.Duration(h) * time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		wind += sky.Wind / 8
	}
	return 0.02 + 0.06*math.Min(1, wind/4)
}

func (s *skill) take(t *testing.T, w *world.World, place string, n, before oneNight, ago time.Duration) {
	t.Helper()
	now := n.Dusk.Add(ago)
	celsius, err := w.Value(place, measure.WaterTemperature, now)
	if err != nil {
		t.Fatal(err)
	}
	o := n.Judge(dawn.Water{Oxygen: n.seen, Celsius: &celsius}, now)
	windy := n.Judge(dawn.Water{Oxygen: n.seen, Celsius: &celsius, K: windK(t, w, now)}, now)
	if o.State != dawn.Ready {
		t.Fatalf("%s, %s: %s", place, n.Day, o.State)
	}
	said, came, hard := o.Curve.Respired(n.Dawn()), n.lowest.Value, n.lowest.Value < before.lowest.Value-0.4
	s.n++
	s.low += came
	if hard {
		s.hard++
	}
	for name, v := range map[string]float64{
		"model": said, "line": o.Curve.Linear(n.Dawn()), "last night": before.lowest.Value, "dusk": at(n.seen, n.Dusk), "model+wind": windy.Curve.Respired(n.Dawn()),
	} {
		x := s.ways[name]
		if x == nil {
			x = &way{}
			s.ways[name] = x
		}
		x.off += math.Abs(v - came)
		x.bias += v - came
		if hard {
			x.hard += math.Abs(v - came)
		}
	}
	const set, margin = 4.0, 0.4
	count := func(warns bool, hit, vain *int) {
		if warns && came < set {
			*hit++
		} else if warns {
			*vain++
		}
	}
	count(said-margin < set, &s.warned, &s.vain)
	count(before.lowest.Value-margin < set, &s.warnedLast, &s.vainLast)
	if came >= set {
		return
	}
	s.sank++
	if on, ok := o.Curve.Reaches(set + 0.5); said-margin < set && (!ok || on.After(firstBelow(n.seen, now, set))) {
		s.late++
	}
}

func at(all []dawn.Sample, t time.Time) float64 {
	for _, s := range all {
		if !s.At.Before(t) {
			return s.Value
		}
	}
	return math.NaN()
}

func firstBelow(all []dawn.Sample, from time.Time, v float64) time.Time {
	for _, s := range all {
		if !s.At.Before(from) && s.Value < v {
			return s.At
		}
	}
	return time.Time{}
}

func (s *skill) add(o *skill) {
	s.n, s.hard, s.low = s.n+o.n, s.hard+o.hard, s.low+o.low
	s.sank, s.warned, s.late, s.vain = s.sank+o.sank, s.warned+o.warned, s.late+o.late, s.vain+o.vain
	s.warnedLast, s.vainLast = s.warnedLast+o.warnedLast, s.vainLast+o.vainLast
	for name, x := range o.ways {
		y := s.ways[name]
		if y == nil {
			y = &way{}
			s.ways[name] = y
		}
		y.off, y.bias, y.hard = y.off+x.off, y.bias+x.bias, y.hard+x.hard
	}
}

func (s *skill) row(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %-10s | %3.0f | %.2f |", name, s.n, s.low/s.n)
	for _, k := range []string{"model", "line", "last night", "dusk", "model+wind"} {
		x := s.ways[k]
		fmt.Fprintf(&b, " %.2f %+.2f, %.2f |", x.off/s.n, x.bias/s.n, x.hard/math.Max(s.hard, 1))
	}
	fmt.Fprintf(&b, " %d | %d, %d, %d | %d, %d |", s.sank, s.warned, s.late, s.vain, s.warnedLast, s.vainLast)
	return b.String()
}

// The forecast against the simulator's truth: 180 nights from April to September, of showers, long rains, typhoons and heat, in five
// ponds. The world is the same every time, so the figures are; README.md of server/watch/dawn has them.
func TestDawn_SkillAgainstTheTruth(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 7*3600))
	w, err := world.New(world.Options{Seed: 20260701, Begin: begin, Places: dawnPonds()})
	if err != nil {
		t.Fatal(err)
	}
	nights := map[string][]oneNight{}
	for _, p := range dawnPonds() {
		nights[p.ID] = nightsOf(t, w, p.ID, begin)
	}
	sums := map[time.Duration]*skill{}
	for _, ago := range []time.Duration{150 * time.Minute, 210 * time.Minute, 330 * time.Minute, 450 * time.Minute} {
		t.Logf("made %s after sunset", ago)
		t.Log("| pond | nights | mean least | model: error, bias, error of nights that sank | straight line | as last night | as at dusk | with the true wind | below 4 mg/L | warned of, too late, in vain | by last night: warned of, in vain |")
		sum := &skill{ways: map[string]*way{}}
		for _, p := range dawnPonds() {
			s := &skill{ways: map[string]*way{}}
			for i, n := range nights[p.ID][1:] {
				s.take(t, w, p.ID, n, nights[p.ID][i], ago)
			}
			t.Log(s.row(p.ID))
			sum.add(s)
		}
		t.Log(sum.row("all"))
		sums[ago] = sum
	}
	cast, midnight := sums[210*time.Minute], sums[330*time.Minute]
	mean := func(s *skill, name string) (all, hard float64) {
		return s.ways[name].off / s.n, s.ways[name].hard / s.hard
	}
	model, modelHard := mean(cast, "model")
	_, lastHard := mean(cast, "last night")
	if model > 0.40 { // what Madenjian 1987 found in real ponds with a second reading three hours after dusk
		t.Errorf("error of the scored forecast %.2f mg/L, want at most 0.40", model)
	}
	if modelHard > 0.7*lastHard {
		t.Errorf("on nights that sank the error is %.2f mg/L, as last night %.2f: want at most seven tenths", modelHard, lastHard)
	}
	m, _ := mean(midnight, "model")
	l, _ := mean(midnight, "last night")
	if m > 0.7*l {
		t.Errorf("at midnight the error is %.2f mg/L, as last night %.2f: want at most seven tenths", m, l)
	}
}
