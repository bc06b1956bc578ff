package trace_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/history/keeper"
	"aovuon/server/history/sqlite"
	"aovuon/server/trace"
)

// rolledUp makes all rollups of a store, judged by the limits of a farm.
func rolledUp(ctx context.Context, f *farm.Farm, s history.Store, now time.Time) error {
	return keeper.New(keeper.Options{
		Store: s, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Judge: func(context.Context) (history.Judge, error) {
			return func(sr history.Series) history.Judgement {
				p, ok := f.Place(sr.Place)
				band := trace.Band(trace.WarnLimits(f, p, sr.Quantity))
				if !ok || band == nil {
					return history.Judgement{}
				}
				return history.Judgement{Profile: p.Profile, Version: 1, Limits: *band}
			}, nil
		},
	}).CatchUp(ctx)
}

// Evidence weighed from hours and days is that of the points: whatever was measured, by whichever probes, one after the other or together.
func TestWeigh_ByRollupsIsThatByPoints(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f, d := demo(t)
		f.Mounts = append([]farm.Mount(nil), f.Mounts...)
		from := d.Lot.Stocked.Add(time.Duration(rapid.IntRange(0, 90).Draw(r, "late")) * time.Minute)
		d.Lot.Stocked, d.Lot.Harvested = from, from.Add(time.Duration(rapid.IntRange(1, 5*1440).Draw(r, "long"))*time.Minute)
		begin := d.Lot.Stocked.Truncate(24 * time.Hour)
		at := func(label string) time.Time {
			if rapid.Bool().Draw(r, label+" on the hour") {
				return begin.Add(time.Duration(rapid.IntRange(0, 120).Draw(r, label)) * time.Hour)
			}
			return begin.Add(time.Duration(rapid.IntRange(0, 120*60).Draw(r, label)) * time.Minute)
		}
		for i, m := range f.Mounts {
			if m.Sensor == "ao1-do" {
				swap := at("swap")
				f.Mounts[i].To = swap
				m.Sensor, m.From = "ao1-do2", swap
				if rapid.Bool().Draw(r, "together") {
					m.From = m.From.Add(-100 * time.Minute)
				}
				f.Mounts = append(f.Mounts, m)
				break
			}
		}
		var h points
		have := map[string]bool{}
		for range rapid.IntRange(0, 6).Draw(r, "stretches") {
			begin, second := at("stretch"), rapid.Bool().Draw(r, "second")
			for i := range rapid.IntRange(1, 400).Draw(r, "minutes") {
				p := oxygen(begin.Add(time.Duration(i)*time.Minute), 3+float64(i%17)/5, measure.Quality(0))
				if i%101 == 100 {
					p.Quality = measure.Quality(i % 6) //nolint:gosec // small
				}
				if p.Quality == measure.Fault {
					p.Value = 0
				}
				if second {
					p.Sensor = "ao1-do2"
				}
				if key := p.Sensor + p.Time.String(); !have[key] {
					have[key] = true
					h = append(h, p)
				}
			}
		}
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "h.db"))
		if err != nil {
			r.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				r.Error(err)
			}
		}()
		if err := s.Write(t.Context(), h); err != nil {
			r.Fatal(err)
		}
		now := d.Lot.Stocked.AddDate(1, 0, 0)
		want, err := trace.Weigh(t.Context(), f, s, d.Lot, now)
		if err != nil {
			r.Fatal(err)
		}
		if err := rolledUp(t.Context(), f, s, now); err != nil {
			r.Fatal(err)
		}
		got, err := trace.Weigh(t.Context(), f, s, d.Lot, now)
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
			r.Fatal(diff)
		}
		if same, err := trace.SameEvidence(want, got); err != nil || !same {
			r.Fatalf("not the same evidence: %v", err)
		}
	})
}

// Where readings were let go and the rollups cannot tell, nothing is weighed: what was weighed before stands.
func TestWeigh_RefusesToGuessWhatIsGone(t *testing.T) {
	f, d := demo(t)
	from := d.Lot.Stocked
	d.Lot.Harvested = from.Add(80 * time.Hour)
	var h points
	for m := range 80 * 60 {
		h = append(h, oxygen(from.Add(time.Duration(m)*time.Minute), 3+float64(m%17)/5, measure.Good))
	}
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "h.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Write(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if err := rolledUp(t.Context(), f, s, from.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if n, err := s.LetGo(t.Context(), h[0].Series, from.Add(30*time.Hour), from.Add(40*time.Hour)); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	if _, err := trace.Weigh(t.Context(), f, s, d.Lot, from.AddDate(1, 0, 0)); err != nil {
		t.Errorf("by the limits it was rolled up with: %v", err)
	}
	for i := range f.Limits {
		if f.Limits[i].Quantity == measure.DissolvedOxygen {
			f.Limits[i].Value += 0.5
		}
	}
	if _, err := trace.Weigh(t.Context(), f, s, d.Lot, from.AddDate(1, 0, 0)); !errors.Is(err, history.ErrGone) {
		t.Errorf("by other limits: %v", err)
	}
}

func TestSameEvidence_OnlyMeansMayDiffer(t *testing.T) {
	a := []trace.Evidence{{Place: "A", N: 5, Min: 1, Mean: 2.345678, Max: 3}}
	for name, tc := range map[string]struct {
		change func(*trace.Evidence)
		same   bool
	}{
		"nothing":            {func(*trace.Evidence) {}, true},
		"the last digit":     {func(e *trace.Evidence) { e.Mean = math.Nextafter(e.Mean, 9) }, true},
		"a millionth":        {func(e *trace.Evidence) { e.Mean *= 1.000001 }, false},
		"the least":          {func(e *trace.Evidence) { e.Min = math.Nextafter(e.Min, 9) }, false},
		"one more":           {func(e *trace.Evidence) { e.N++ }, false},
		"a mean where is 0":  {func(e *trace.Evidence) { e.Mean = 0 }, false},
		"a second of within": {func(e *trace.Evidence) { e.Within += time.Second }, false},
	} {
		b := []trace.Evidence{a[0]}
		tc.change(&b[0])
		if got, err := trace.SameEvidence(a, b); err != nil || got != tc.same {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	if got, err := trace.SameEvidence(a, nil); err != nil || got {
		t.Errorf("nothing is the same: %v", err)
	}
}
