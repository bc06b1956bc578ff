package sqldb_test

import (
	"reflect"
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func TestLimits_EverySetThatHeldHasANumber(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, _ := demoFarm(t)
		save := func(after time.Duration) {
			t.Helper()
			if err := db.SaveFarm(t.Context(), f, byAt(noon.Add(after))); err != nil {
				t.Fatal(err)
			}
		}
		save(0)
		first := f.Limits
		if got, err := db.Farm(t.Context()); err != nil || !reflect.DeepEqual(got.Limits, first) {
			t.Fatalf("kept %+v, %v", got.Limits, err)
		}
		save(time.Hour) // nothing new
		f.Limits = append([]farm.Limit{}, first...)
		f.Limits[0].Value = 4.25
		save(2 * time.Hour)
		versions, err := db.LimitVersions(t.Context())
		if err != nil || versions["freshwater"] != 2 || versions["catra"] != 1 {
			t.Errorf("versions %v, %v", versions, err)
		}
		history, err := db.LimitHistory(t.Context(), "freshwater")
		if err != nil || len(history) != 2 || history[0].Limits[0].Value != 4.25 || history[1].Limits[0].Value != 4 || history[0].Since != noon.Add(2*time.Hour) || history[1].Since != noon {
			t.Errorf("history %+v, %v", history, err)
		}
		f.Limits = f.Limits[:len(f.Limits)-2] // catra is taken out
		save(3 * time.Hour)
		if history, err := db.LimitHistory(t.Context(), "catra"); err != nil || len(history) != 2 || len(history[0].Limits) != 0 {
			t.Errorf("what was taken out: %+v, %v", history, err)
		}
	})
}

// Limits that a program without versions left become the first version as soon as they are changed.
func TestLimits_ThoseOfAnOlderProgramAreNotLost(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, c sqldb.Config) {
		older(t, c)
		db := sqldbtest.Open(t, c)
		f, err := db.Farm(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.Limits[0].Value = 4.25
		if err := db.SaveFarm(t.Context(), f, byAt(noon.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		history, err := db.LimitHistory(t.Context(), "freshwater")
		if err != nil || len(history) != 2 || history[1].Limits[0].Value != 4 || !history[1].Since.IsZero() || history[0].Limits[0].Value != 4.25 {
			t.Errorf("history %+v, %v", history, err)
		}
	})
}
