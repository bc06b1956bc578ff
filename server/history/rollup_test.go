package history_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// The rest of a rollup, as FORMAT.md of history/sqlite has it.
func TestRollup_RestIsThatOfTheFormat(t *testing.T) {
	start := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	var points []history.Point
	for i := range 60 {
		points = append(points, history.Point{Time: start.Add(time.Duration(i) * time.Minute), Value: 6.03})
	}
	by := history.Judgement{Profile: "ca ro:1", Version: 3, Limits: history.Limits{Low: 4, High: math.Inf(1)}}
	points[0].Value, points[30] = 6.02, history.Point{Time: points[30].Time, Quality: measure.Fault}
	before := history.Point{Time: start.Add(-time.Minute), Value: 5.5, Quality: measure.Suspect}
	points[0].Time = points[0].Time.Add(time.Second)
	r, err := history.RollHour(append([]history.Point{before}, points...), start, by)
	if err != nil {
		t.Fatal(err)
	}
	const want = `59,0,0,0,0,1 21345.079999999976 3540000 3540000 5.5 6.03 1000 1000 3540000 1800000:1860000:1:0 ca+ro%3A1:3:4:+Inf`
	if got := r.Rest(); got != want {
		t.Errorf("rest\n%s, want\n%s", got, want)
	}
	again := history.Rollup{Summary: history.Summary{From: r.From, To: r.To, N: r.N, Min: r.Min, Max: r.Max, Faults: r.Faults}, Total: r.Total}
	if err := again.SetRest(r.Rest()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "-", want + " ", "x" + want[2:], want[:len(want)-5], "1,2 3", `59,0,0,0,0,1 NaN` + want[21:] + " x"} {
		var r history.Rollup
		if err := r.SetRest(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzRollup_SetRest(f *testing.F) {
	f.Add("59,0,0,0,0,1 21345.079999999976 3540000 3540000 5.5 6.03 1000 1000 3540000 1800000:1860000:1:0 ca+ro%3A1:3:4:+Inf")
	f.Add("0,0,0,0,0,0 0 0 0 - - - - - - -")
	f.Fuzz(func(t *testing.T, text string) {
		r := history.Rollup{Summary: history.Summary{From: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}}
		if r.SetRest(text) != nil {
			return
		}
		again := history.Rollup{Summary: history.Summary{From: r.From}}
		if err := again.SetRest(r.Rest()); err != nil || again.Rest() != r.Rest() {
			t.Errorf("%q is read, and written as %q: %v", text, r.Rest(), err)
		}
	})
}

func TestSpan_DaysAreThoseOfVietNam(t *testing.T) {
	at := time.Date(2026, 5, 1, 16, 59, 59, 0, time.UTC)
	for _, tc := range []struct {
		span        history.Span
		floor, ceil time.Time
	}{
		{history.Hour, time.Date(2026, 5, 1, 16, 0, 0, 0, time.UTC), time.Date(2026, 5, 1, 17, 0, 0, 0, time.UTC)},
		{history.Day, time.Date(2026, 4, 30, 17, 0, 0, 0, time.UTC), time.Date(2026, 5, 1, 17, 0, 0, 0, time.UTC)},
	} {
		if got := tc.span.Floor(at); !got.Equal(tc.floor) {
			t.Errorf("%d: floor %s", tc.span, got)
		}
		if got := tc.span.Ceil(at); !got.Equal(tc.ceil) || !tc.span.Ceil(got).Equal(got) {
			t.Errorf("%d: ceil %s", tc.span, got)
		}
	}
	if got := history.Day.Floor(time.Date(1969, 12, 31, 20, 0, 0, 0, time.UTC)); !got.Equal(time.Date(1969, 12, 31, 17, 0, 0, 0, time.UTC)) {
		t.Errorf("before 1970: %s", got)
	}
}

func TestRollup_WithinBy(t *testing.T) {
	hour := func(change func(*history.Rollup)) *history.Rollup {
		r := &history.Rollup{Summary: history.Summary{N: 60, Min: 4, Max: 6, Covered: time.Hour}}
		change(r)
		return r
	}
	by := func(low, high float64) history.Judgement {
		return history.Judgement{Profile: "p", Version: 1, Limits: history.Limits{Low: low, High: high}}
	}
	for name, tc := range map[string]struct {
		r      *history.Rollup
		within time.Duration
		ok     bool
	}{
		"all within":            {hour(func(*history.Rollup) {}), time.Hour, true},
		"all above":             {hour(func(r *history.Rollup) { r.Min, r.Max = 8.5, 9 }), 0, true},
		"all below":             {hour(func(r *history.Rollup) { r.Min, r.Max = 1, 2.9 }), 0, true},
		"across an end":         {hour(func(r *history.Rollup) { r.Max = 9 }), 0, false},
		"the one before across": {hour(func(r *history.Rollup) { r.Entering = history.Standing{Value: 1, Is: true} }), 0, false},
		"only the one before": {hour(func(r *history.Rollup) {
			r.N, r.Min, r.Max, r.Entering, r.Covered = 0, 0, 0, history.Standing{Value: 5, Is: true}, time.Minute
		}), time.Minute, true},
		"judged by the same":     {hour(func(r *history.Rollup) { r.Max, r.Judged, r.Within = 9, by(3, 8), 7*time.Minute }), 7 * time.Minute, true},
		"judged by others":       {hour(func(r *history.Rollup) { r.Max, r.Judged, r.Within = 9, by(3, 7), 7*time.Minute }), 0, false},
		"nothing stands":         {hour(func(r *history.Rollup) { r.N, r.Covered = 0, 0 }), 0, true},
		"outside at both ends":   {hour(func(r *history.Rollup) { r.Min, r.Max = 1, 9 }), 0, false},
		"judged, but all within": {hour(func(r *history.Rollup) { r.Judged = by(0, 1) }), time.Hour, true},
	} {
		if within, ok := tc.r.WithinBy(history.Limits{Low: 3, High: 8}); ok != tc.ok || within != tc.within {
			t.Errorf("%s: %s, %t", name, within, ok)
		}
	}
}
