package flow_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// stocked opens an SQLite store with so many serials in runs of 10,000.
func stocked(b *testing.B, n int) (*sqldb.DB, *flow.Desk, trace.Ref) {
	b.Helper()
	db := sqldbtest.Open(b, sqldbtest.SQLite(b))
	f, err := farm.Demo()
	if err != nil {
		b.Fatal(err)
	}
	by := ledger.By{Actor: ledger.Operator, At: morning}
	if err := db.SaveFarm(b.Context(), f, by); err != nil {
		b.Fatal(err)
	}
	if err := db.SaveProduct(b.Context(), trace.Product{GTIN: fish, Name: farm.Text{VI: "Cá"}}, by); err != nil {
		b.Fatal(err)
	}
	l := trace.Lot{GTIN: fish, Code: "AO1", Places: []string{f.Places[0].Code}, Stocked: morning, Harvested: morning, KG: 1e7, State: trace.Harvested}
	if err := db.SaveLot(b.Context(), l, by); err != nil {
		b.Fatal(err)
	}
	now := morning
	d := flow.New(db, db, flow.Defaults(), rand.Reader, func() time.Time { now = now.Add(time.Second); return now }, slog.New(slog.DiscardHandler))
	for done := 0; done < n; done += 10_000 {
		packed(b, d, l.Link().Ref(), min(10_000, n-done))
	}
	return db, d, l.Link().Ref()
}

func packed(b *testing.B, d *flow.Desk, lot trace.Ref, n int) trace.Goods {
	b.Helper()
	g, err := d.Take(b.Context(), lan, trace.Goods{Kind: trace.Pack, In: part(lot, 0), Out: []trace.Part{{Count: n}}, NetG: 500})
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// BenchmarkItem looks one serial up among many.
func BenchmarkItem(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db, _, lot := stocked(b, n)
			events, err := db.GoodsOf(b.Context(), lot)
			if err != nil {
				b.Fatal(err)
			}
			items, err := db.Items(b.Context(), events[len(events)/2].ID)
			if err != nil {
				b.Fatal(err)
			}
			i := 0
			for b.Loop() {
				i++
				if _, ok, err := db.Item(b.Context(), items[(i*7919)%len(items)].Serial); err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// BenchmarkPack issues 1,000 serials and keeps them.
func BenchmarkPack(b *testing.B) {
	_, d, lot := stocked(b, 0)
	for b.Loop() {
		packed(b, d, lot, 1000)
	}
}
