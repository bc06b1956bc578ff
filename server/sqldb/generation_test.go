package sqldb_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/project"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// One generation is in use at all times; what belongs to one goes with it.
func TestGeneration_TakesOverAndIsDropped(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		at := time.Date(2026, 11, 26, 5, 0, 0, 0, time.UTC)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		live, err := db.LiveGeneration(ctx)
		must(err)
		if diff := cmp.Diff(project.Generation{State: project.StateLive}, live); diff != "" || live.Cursor() != "history" {
			t.Fatal(diff)
		}
		must(db.SaveCursor(ctx, live.Cursor(), 40))
		must(db.NameGeneration(ctx, 0, "autogen"))
		g, err := db.BeginGeneration(ctx, "register 7", at)
		must(err)
		want := project.Generation{Number: 1, State: project.StateDrawing, Register: "register 7", Began: at, Changed: at}
		if diff := cmp.Diff(want, g); diff != "" || g.Cursor() != "history.1" {
			t.Fatal(diff, g.Cursor())
		}
		if again, err := db.BeginGeneration(ctx, "register 8", at.Add(time.Hour)); err != nil || again != g {
			t.Errorf("begun again: %+v, %v", again, err)
		}
		for _, n := range []int64{0, 1} {
			must(db.Sheet(n).Park(ctx, []project.Parked{{Position: 5 + n, Gateway: "gw", Boot: "b", Readings: 3 + n}}))
			must(db.Sheet(n).Park(ctx, []project.Parked{{Position: 5 + n, Gateway: "gw", Boot: "b", Readings: 99}})) // again
			must(db.Sheet(n).SaveRefused(ctx, []history.Rejected{{
				Point:  history.Point{Series: history.Series{Place: "p", Quantity: "ph", Gateway: "gw", Sensor: "s"}, Time: at.Add(time.Duration(n)), Value: 7 + float64(n), Quality: measure.Suspect},
				Reason: "lạ\x00\xff",
			}}, at))
		}
		must(db.SaveCursor(ctx, g.Cursor(), 30))
		if n, err := db.Undated(ctx); err != nil || n != 3 {
			t.Errorf("%d undated, %v", n, err)
		}
		if n, err := db.Drawn(ctx); err != nil || n != 40 {
			t.Errorf("drawn up to %d, %v", n, err)
		}
		if err := db.DropGeneration(ctx, 0); err == nil {
			t.Error("the generation in use was dropped")
		}
		must(db.SwapGeneration(ctx, 1, at.Add(time.Minute)))
		if err := db.SwapGeneration(ctx, 1, at.Add(time.Minute)); err == nil {
			t.Error("swapped twice")
		}
		if n, err := db.Drawn(ctx); err != nil || n != 30 {
			t.Errorf("drawn up to %d after the change, %v", n, err)
		}
		if n, err := db.Undated(ctx); err != nil || n != 4 {
			t.Errorf("%d undated after the change, %v", n, err)
		}
		counts, newest, err := db.RefusedPoints(ctx, 10)
		must(err)
		if len(counts) != 1 || counts[0].Points != 1 || counts[0].Gateway != "gw" || !counts[0].Last.Equal(at) || len(newest) != 1 ||
			newest[0].Value != 8 || newest[0].Quality != measure.Suspect || newest[0].Reason != "lạ ?" || newest[0].Quantity != "ph" {
			t.Errorf("%+v %+v", counts, newest)
		}
		must(db.DropGeneration(ctx, 0))
		must(db.DropGeneration(ctx, 0)) // by whoever does it, too
		list, err := db.Generations(ctx)
		must(err)
		if len(list) != 1 || list[0].Number != 1 || list[0].State != project.StateLive || !list[0].Changed.Equal(at.Add(time.Minute)) {
			t.Errorf("%+v", list)
		}
		if at, err := db.Cursor(ctx, "history"); err != nil || at != 0 {
			t.Errorf("cursor of what was dropped at %d, %v", at, err)
		}
		if next, err := db.BeginGeneration(ctx, "", at); err != nil || next.Number != 2 {
			t.Errorf("%+v, %v", next, err)
		}
	})
}

// Every point that is refused is kept, once, with its reason.
func TestRefused_IsKeptOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		at := time.Date(2026, 11, 26, 5, 0, 0, 0, time.UTC)
		var refused []history.Rejected
		for i := range 300 {
			p := history.Point{Series: history.Series{Place: "p", Quantity: "ph", Gateway: "gw-" + string(rune('a'+i%3)), Sensor: "s"}, Time: time.Date(2300, 1, 1, 0, 0, i, 0, time.UTC), Value: float64(i)}
			if i == 7 {
				p.Value = math.NaN()
			}
			refused = append(refused, history.Rejected{Point: p, Reason: "time 2300 is outside 1970 to 2262"})
		}
		for i := range 3 {
			if err := db.Sheet(0).SaveRefused(ctx, refused, at.Add(time.Duration(i)*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		counts, newest, err := db.RefusedPoints(ctx, 20)
		if err != nil || len(counts) != 3 || counts[0].Points != 100 || counts[2].Points != 100 || !counts[0].First.Equal(at) || !counts[0].Last.Equal(at) || len(newest) != 20 {
			t.Errorf("%+v, %d newest, %v", counts, len(newest), err)
		}
	})
}
