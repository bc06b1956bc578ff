package dawn_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/history/sqlite"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/watch/dawn"
)

// filled is a history on disk of ponds that were measured every minute for some days.
func filled(tb testing.TB, ponds, days int) (*sqlite.Store, *farm.Farm) {
	tb.Helper()
	h, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "history.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := h.Close(); err != nil {
			tb.Error(err)
		}
	})
	f := &farm.Farm{}
	for i := range ponds {
		code := fmt.Sprint("P", i)
		f.Places = append(f.Places, farm.Place{Code: code, Kind: farm.Pond})
		f.Mounts = append(f.Mounts, farm.Mount{Gateway: "gw", Sensor: code, Place: code, Measures: []measure.Quantity{measure.DissolvedOxygen, measure.WaterTemperature}})
		var points []history.Point
		for m := range days * 1440 {
			at := begin().Add(time.Duration(m) * time.Minute)
			swing := math.Cos((float64(m%1440)/60 - 16.5) / 24 * 2 * math.Pi)
			for q, v := range map[measure.Quantity]float64{measure.DissolvedOxygen: 6 + 2.5*swing, measure.WaterTemperature: 28 + swing} {
				points = append(points, history.Point{Series: history.Series{Place: code, Quantity: q, Gateway: "gw", Sensor: code}, Time: at, Value: v})
			}
		}
		if err := h.Write(tb.Context(), points); err != nil {
			tb.Fatal(err)
		}
	}
	return h, f
}

// The rule over the stores it runs on: it makes up for the nights before, keeps the evening's forecast, and ends it in the morning, also
// after a restart in between.
func TestRule_OverRealStores(t *testing.T) {
	h, f := filled(t, 1, 16)
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		start := func() *dawn.Rule {
			return dawn.New(dawn.Options{Farm: &coop{farm: *f}, History: h, Diary: db, Store: db})
		}
		look := func(r *dawn.Rule, at time.Time) dawn.Outlook {
			if _, err := r.Decide(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			o, _ := r.Outlook("P0")
			return o
		}
		evening := begin().AddDate(0, 0, 14).Add(22*time.Hour + 15*time.Minute)
		first := start()
		look(first, evening.Add(-15*time.Minute))
		if o := look(first, evening); o.Score.Nights != 13 || o.Outcome.State != dawn.Ready { // of 14, with the one that has begun
			t.Errorf("%d nights, %s", o.Score.Nights, o.Outcome.State)
		}
		again := start()
		look(again, evening.Add(11*time.Hour))
		list, err := db.DawnRecords(t.Context(), "2026-07-15")
		if err != nil || len(list) != 1 || list[0].End != dawn.Scored || list[0].Late || !list[0].Made.Equal(evening) || !near(list[0].Lowest, 3.5, 0.05) {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func BenchmarkDecide_OnDisk(b *testing.B) {
	const ponds = 10
	h, f := filled(b, ponds, 16)
	db := sqldbtest.Open(b, sqldbtest.SQLite(b))
	r := dawn.New(dawn.Options{Farm: &coop{farm: *f}, History: h, Diary: db, Store: db})
	at := begin().AddDate(0, 0, 15).Add(23 * time.Hour)
	began := time.Now()
	for range 4 { // 140 nights to make up for, 40 a round
		if _, err := r.Decide(b.Context(), at); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("140 nights made up for in %v", time.Since(began))
	for b.Loop() {
		if _, err := r.Decide(b.Context(), at); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/ponds, "ms/pond")
}
