package keeper_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/history/keeper"
	"aovuon/server/history/sqlite"
)

func series(sensor string) history.Series {
	return history.Series{Place: "AO1", Quantity: measure.DissolvedOxygen, Gateway: "gw-ao", Sensor: sensor}
}

// midnight in Việt Nam.
func midnight() time.Time { return time.Date(2024, 3, 1, 17, 0, 0, 0, time.UTC) }

// rig is a keeper on a file, with a clock and limits of the test's own.
type rig struct {
	*testing.T
	*keeper.Keeper
	store *sqlite.Store
	now   time.Time
	by    history.Judgement
	needs keeper.Needs
}

func newRig(t *testing.T, r keeper.Retention) *rig {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	x := &rig{T: t, store: s, now: midnight(), by: history.Judgement{Profile: "ca-ro", Version: 1, Limits: history.Limits{Low: 4, High: 14}}}
	x.Keeper = keeper.New(keeper.Options{
		Store: s, Retention: r, Now: func() time.Time { return x.now }, Log: slog.New(slog.DiscardHandler),
		Judge: func(context.Context) (history.Judge, error) {
			return func(history.Series) history.Judgement { return x.by }, nil
		},
		Needed: func(context.Context, time.Time) (keeper.Needs, error) { return x.needs, nil },
	})
	return x
}

// write writes a reading a minute.
func (r *rig) write(s history.Series, from, to time.Time) {
	r.Helper()
	var points []history.Point
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		points = append(points, history.Point{Series: s, Time: at, Value: float64(3 + at.Hour()%3)})
	}
	if err := r.store.Write(r.Context(), points); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) catchUp() {
	r.Helper()
	if err := r.CatchUp(r.Context()); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) hours(s history.Series) []history.Rollup {
	r.Helper()
	all, err := r.store.Rollups(r.Context(), s, history.Hour, midnight().AddDate(-1, 0, 0), midnight().AddDate(5, 0, 0))
	if err != nil {
		r.Fatal(err)
	}
	return all
}

// points returns the first and the number of a series.
func (r *rig) points(s history.Series) (first time.Time, n int) {
	r.Helper()
	if err := r.store.Each(r.Context(), s, time.Time{}, midnight().AddDate(5, 0, 0), func(p history.Point) error {
		if n++; n == 1 {
			first = p.Time
		}
		return nil
	}); err != nil {
		r.Fatal(err)
	}
	return first, n
}

func TestKeeper_MakesHoursThatAreOverAndJudgesThemByTheLimitsThatHold(t *testing.T) {
	r := newRig(t, keeper.Retention{})
	r.write(series("a"), midnight(), midnight().Add(150*time.Minute))
	r.now = midnight().Add(150 * time.Minute)
	r.catchUp()
	stale := func() (out []bool) {
		for _, h := range r.hours(series("a")) {
			out = append(out, h.Stale)
		}
		return out
	}
	if diff := cmp.Diff([]bool{false, false, true}, stale()); diff != "" {
		t.Errorf("at half past two: %s", diff)
	}
	if w := r.State(); w.Waiting != 0 || w.Made < 2 || w.Looked != r.now || w.Trouble != "" {
		t.Errorf("%+v", w)
	}
	r.now = midnight().Add(3*time.Hour + 9*time.Minute)
	r.catchUp()
	if got := stale(); !got[2] {
		t.Error("an hour is made before what is late can be there")
	}
	r.now = midnight().Add(3*time.Hour + 10*time.Minute)
	r.catchUp()
	if got := stale(); got[2] {
		t.Error("an hour that is over is not made")
	}
	if h := r.hours(series("a"))[0]; h.Judged != r.by {
		t.Errorf("judged by %+v", h.Judged)
	}
	r.by.Version, r.by.Limits.Low = 2, 3.5
	r.now = r.now.Add(2 * time.Minute)
	r.catchUp()
	for _, h := range r.hours(series("a"))[:3] {
		if h.Judged != r.by || h.Stale {
			t.Errorf("judged by %+v after the limits changed", h.Judged)
		}
	}
	// A keeper that begins anew finds limits that changed while it was not there.
	r.by.Version, r.by.Limits.Low = 3, 5
	again := newRig(t, keeper.Retention{})
	k := keeper.New(keeper.Options{
		Store: r.store, Now: func() time.Time { return r.now }, Log: slog.New(slog.DiscardHandler),
		Judge: func(context.Context) (history.Judge, error) {
			return func(history.Series) history.Judgement { return r.by }, nil
		},
	})
	if err := k.CatchUp(again.Context()); err != nil {
		t.Fatal(err)
	}
	if h := r.hours(series("a"))[0]; h.Judged != r.by {
		t.Errorf("judged by %+v after a restart", h.Judged)
	}
}

func TestKeeper_LetsReadingsGoThatNobodyNeeds(t *testing.T) {
	r := newRig(t, keeper.Retention{Of: map[measure.Quantity]keeper.Term{measure.DissolvedOxygen: {Months: 12}}})
	a, idle, other := series("a"), series("idle"), series("other")
	other.Quantity = measure.PH
	day := func(n int) time.Time { return midnight().AddDate(0, 0, n) }
	for _, s := range []history.Series{a, other} {
		r.write(s, day(0), day(20))
		r.write(s, midnight().AddDate(1, 0, 0), midnight().AddDate(1, 0, 30))
	}
	r.write(idle, day(0), day(2)) // and never again: its last day stays
	r.needs = keeper.Needs{"AO1": {{From: day(5).Add(90 * time.Minute), To: day(7)}}, "AO2": {{From: day(0), To: day(99)}}}
	r.now = midnight().AddDate(1, 0, 30).Add(time.Hour)
	r.catchUp()
	if first, n := r.points(a); !first.Equal(day(5).Add(55*time.Minute)) || n != 2*1440-55+30*1440 {
		t.Errorf("%d readings are left, the first of %s", n, first)
	}
	if _, n := r.points(other); n != 50*1440 {
		t.Errorf("%d readings of a quantity that is kept", n)
	}
	if first, n := r.points(idle); !first.Equal(day(1).Add(-5*time.Minute)) || n != 1445 {
		t.Errorf("%d readings of a sensor that is gone, the first of %s", n, first)
	}
	gone := 0
	for _, h := range r.hours(a) {
		if h.Gone && h.N > 0 {
			gone++
			if h.N != 60 || h.From.After(day(20)) || !h.From.Before(day(5)) && h.From.Before(day(7)) && h.From.After(day(5).Add(time.Hour)) {
				t.Errorf("gone: %+v", h)
			}
		}
	}
	if gone < 17*24 {
		t.Errorf("%d hours are gone", gone)
	}
	want := []keeper.Kept{{Quantity: measure.DissolvedOxygen, For: keeper.Term{Months: 12}, Before: day(30), Needed: 1}}
	if diff := cmp.Diff(want, r.State().Kept); diff != "" || r.State().Dropped == 0 || r.State().Stays != "" {
		t.Errorf("%s %+v", diff, r.State())
	}
	// Once nobody needs them any more they go.
	r.needs, r.now = nil, r.now.Add(2*time.Hour)
	r.catchUp()
	if first, _ := r.points(a); first.Before(day(19)) {
		t.Errorf("the first reading is of %s", first)
	}
	// By the months that pass the rest goes, but the newest day.
	r.now = midnight().AddDate(3, 0, 0)
	r.catchUp()
	if first, n := r.points(a); !first.Equal(midnight().AddDate(1, 0, 29).Add(-5*time.Minute)) || n != 1445 {
		t.Errorf("%d readings are left, the first of %s", n, first)
	}
}

func TestKeeper_LetsNothingGoBeforeItIsRolledUp(t *testing.T) {
	r := newRig(t, keeper.Retention{Default: keeper.Term{Days: 100}})
	r.write(series("a"), midnight(), midnight().AddDate(0, 0, 3))
	r.now = midnight().AddDate(0, 0, 200)
	if n, err := r.store.LetGo(t.Context(), series("a"), midnight(), midnight().AddDate(0, 0, 2)); err != nil || n != 0 {
		t.Fatalf("%d let go, %v", n, err)
	}
	r.catchUp()
	if _, n := r.points(series("a")); n != 1445 {
		t.Errorf("%d readings are left", n)
	}
	days, err := r.store.Rollups(t.Context(), series("a"), history.Day, midnight(), midnight().AddDate(0, 0, 3))
	if err != nil || len(days) != 3 || days[0].N != 1440 || days[0].Covered != 24*time.Hour {
		t.Errorf("%d days, %v", len(days), err)
	}
}

func TestParseTerm(t *testing.T) {
	for text, want := range map[string]keeper.Term{"400d": {Days: 400}, "24mo": {Months: 24}, "5y": {Months: 60}, "keep": {}} {
		if got, err := keeper.ParseTerm(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0d", "24", "mo", "24 mo", "-3mo", "24m", "1.5y", "99999999999999999999d", "keep it"} {
		if got, err := keeper.ParseTerm(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
	if got := (keeper.Term{Months: 12}).Before(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)); !got.Equal(time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("a year before a leap day is %s", got)
	}
}
