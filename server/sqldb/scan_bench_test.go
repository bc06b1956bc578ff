package sqldb_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/scan"
)

// BenchmarkScanned is what a public page pays for being counted: of a code it has asked for lately, and of one that it must look up.
func BenchmarkScanned(b *testing.B) {
	db := sqldbtest.Open(b, sqldbtest.SQLite(b))
	items := packed(b, db, trace.ItemShipped)
	c := &clock{at: noon}
	s := scan.New(scan.Options{Store: db, Limits: scan.Defaults(), Keep: scan.Keep, Random: zeros{}, Now: c.now, Log: slog.New(slog.DiscardHandler)})
	for name, code := range map[string]func(i int) string{
		"known": func(int) string { return items[0].Link().Path() }, "new": func(i int) string { return fmt.Sprintf("/01/%s/10/X/21/%013d", items[0].GTIN, i) },
	} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				s.Scanned(b.Context(), scan.Scanned{Code: code(i), Addr: "198.51.100.7", Agent: phone, At: noon})
			}
		})
	}
}

// BenchmarkNoting is how fast scans are worked off behind the pages: each of another browser, of 200 items, rules looked at, on disk.
func BenchmarkNoting(b *testing.B) {
	db := sqldbtest.Open(b, sqldbtest.SQLite(b))
	var states []trace.ItemState
	for range 200 {
		states = append(states, trace.ItemShipped)
	}
	items := packed(b, db, states...)
	c := &clock{at: noon}
	s := scan.New(scan.Options{Store: db, Limits: scan.Defaults(), Keep: scan.Keep, Random: zeros{}, Now: c.now, Log: slog.New(slog.DiscardHandler)})
	done, cancel := context.WithCancel(b.Context())
	cancel()
	n := 0
	for b.Loop() {
		for range 500 {
			n++
			s.Note(scan.Scanned{Code: items[n%len(items)].Link().Path(), Addr: fmt.Sprintf("198.18.%d.%d", n>>8&255, n&255), Agent: fmt.Sprint(phone, n>>16), At: noon})
		}
		if err := s.Run(done); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "scans/s")
}
