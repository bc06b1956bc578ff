package recall_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/recall"
)

// crowded has a million events: 1,000 seasons, each fed 880 times out of 22 lots of feed that two neighbours share, and harvested 10 times; each lot
// is packed into 40 items, 8 to a box, and every box is shipped to one of 200 buyers. One lot of feed more went into every twentieth season.
func crowded(b *testing.B, c sqldb.Config) *sqldb.DB {
	b.Helper()
	db := sqldbtest.Open(b, c)
	by := ledger.By{Actor: ledger.Operator, At: morning}
	f, err := farm.Demo()
	if err != nil {
		b.Fatal(err)
	}
	if err := db.SaveFarm(b.Context(), f, by); err != nil {
		b.Fatal(err)
	}
	if err := db.SaveProduct(b.Context(), trace.Product{GTIN: fish, Name: farm.Text{VI: "Cá"}}, by); err != nil {
		b.Fatal(err)
	}
	const counted = `(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < COUNT) SELECT i FROM n) n`
	fill := func(into string, count int, columns string) {
		b.Helper()
		sqldbtest.Tamper(b, c, `INSERT INTO `+into+` SELECT `+columns+` FROM `+strings.Replace(counted, "COUNT", strconv.Itoa(count-1), 1))
	}
	const (
		season  = `'season:v' || CAST(i / 880 AS TEXT)`
		feed    = `'supply:cam/F' || CAST(i / 880 / 3 * 22 + i % 880 / 40 AS TEXT)`
		lot     = `'L' || CAST(i AS TEXT)`
		boxLot  = `'lot:` + fish + `/L' || CAST(i / 5 AS TEXT)`
		box     = `'box:' || CAST(100000000000000000 + i AS TEXT)`
		columns = `(source, ordinal, from_ref, to_ref, at_ms, kept_ms, kg, items, back, document)`
	)
	fill(`diary_event`, 880_000, `'D' || CAST(i AS TEXT), 'feeding', 'ao1', 'v' || CAST(i / 880 AS TEXT), i % 880 * 100, 0, 0, 0, 0, 'u', '', '', 'D' || CAST(i AS TEXT), 0, '{}'`)
	fill(`trace_edge `+columns, 880_000, `'D' || CAST(i AS TEXT), 0, `+feed+`, `+season+`, i % 880 * 100, 0, 0, 0, 0, ''`)
	fill(`trace_edge `+columns, 50, `'W' || CAST(i AS TEXT), 0, 'supply:cam/WIDE', 'season:v' || CAST(i * 20 AS TEXT), 0, 0, 0, 0, 0, ''`)
	fill(`lot (gtin, code, species_vi, species_en, scientific, stocked_ms, harvested_ms, kg, state, demo)`, 10_000, `'`+fish+`', `+lot+`, '', '', '', 0, i % 10 * 8800 + 8800, 500, 'released', 0`)
	fill(`trace_edge `+columns, 10_000, `'H' || CAST(i AS TEXT), 0, 'season:v' || CAST(i / 10 AS TEXT), 'lot:`+fish+`/' || `+lot+`, i % 10 * 8800 + 8800, 0, 500, 0, 0, ''`)
	fill(`goods_event (id, kind, at_ms, made_ms, erased_ms, body)`, 110_000, `'G' || CAST(i AS TEXT), 'pack', i, i, 0, '{}'`)
	fill(`item (serial, gtin, lot, run, n, net_g, best_ms, state, box, changed_ms)`, 400_000,
		`'S' || CAST(i AS TEXT), '`+fish+`', 'L' || CAST(i / 40 AS TEXT), 'G' || CAST(i / 40 AS TEXT), i % 40, 500, 0, 'shipped', CAST(100000000000000000 + i / 8 AS TEXT), 0`)
	fill(`trace_edge `+columns, 50_000, `'B' || CAST(i AS TEXT), 0, `+boxLot+`, `+box+`, 1000, 1000 + i, 0, 8, 0, ''`)
	fill(`trace_edge `+columns, 50_000, `'X' || CAST(i AS TEXT), 0, `+box+`, 'buyer:k' || CAST(i % 200 AS TEXT), 2000, 90000 + i, 0, 0, 0, 'PX'`)
	sqldbtest.Tamper(b, c, `ANALYZE`)
	return db
}

// BenchmarkRecall finds every serial, box and buyer downstream of one lot of feed among a million events: one that went into three seasons, and one
// that went into fifty.
func BenchmarkRecall(b *testing.B) {
	for name, config := range map[string]func() sqldb.Config{
		"sqlite":   func() sqldb.Config { return sqldbtest.SQLite(b) },
		"postgres": func() sqldb.Config { return sqldb.Config{Driver: sqldb.Postgres, DSN: parttest.Postgres(b)} },
	} {
		db := crowded(b, config())
		for maker, want := range map[string][4]int{"F3344": {30, 1200, 150, 150}, "WIDE": {500, 20_000, 2500, 50}} {
			b.Run(name+"/"+maker, func(b *testing.B) {
				for b.Loop() {
					f, err := recall.Find(b.Context(), db, recall.Ask{Input: "cam", Maker: maker}, time.Now)
					if err != nil {
						b.Fatal(err)
					}
					items, err := db.ItemsOf(b.Context(), f.Links())
					if got := [4]int{len(f.Lots), len(items), len(f.Boxes), len(f.Buyers())}; err != nil || got != want {
						b.Fatalf("lots, serials, boxes, buyers: %v, want %v, %v", got, want, err)
					}
				}
			})
		}
	}
}
