package sqldb_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/watch/dawn"
)

func TestDawnRecords_AForecastStaysWhatItWas(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		made := time.Date(2026, 7, 1, 15, 10, 0, 0, time.UTC)
		peak := 8.25
		r := dawn.Record{Place: "F7NE3CDQ7", Day: "2026-07-01", Gateway: "gw", Sensor: "do", Made: made, Respired: 4.2, Linear: 3.9, Peak: &peak, End: dawn.Open, Looked: made}
		save := func(r dawn.Record) {
			t.Helper()
			if err := db.SaveDawnRecord(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		one := func() dawn.Record {
			t.Helper()
			list, err := db.DawnRecords(t.Context(), "2026-07-01")
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			return list[0]
		}
		save(r)
		if got := one(); got.Respired != 4.2 || !got.Made.Equal(made) || got.Peak == nil || *got.Peak != 8.25 || got.Dusk != nil || got.End != dawn.Open {
			t.Errorf("kept %+v", got)
		}
		r.End, r.Lowest, r.LowestAt, r.Looked = dawn.Scored, 4.41, made.Add(8*time.Hour), made.Add(10*time.Hour)
		save(r)
		again := r
		again.Lowest, again.Respired = 1, 1
		save(again) // what is scored is not scored again
		if got := one(); got.Lowest != 4.41 || got.Respired != 4.2 || math.Abs(got.Error()+0.21) > 1e-9 {
			t.Errorf("after its morning %+v", got)
		}
		if list, err := db.DawnRecords(t.Context(), "2026-07-02"); err != nil || len(list) != 0 {
			t.Errorf("a later day: %v, %v", list, err)
		}
		for _, bad := range []dawn.Record{{}, {Place: "A", Day: "1.7.", End: dawn.Open}, {Place: "A", Day: "2026-07-01", End: "well"}, {Place: "A", Day: "2026-07-01", End: dawn.Gap, Lowest: math.NaN()}} {
			if err := db.SaveDawnRecord(t.Context(), bad); !errors.Is(err, dawn.ErrNoRecord) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}
