package sqldb_test

import (
	"errors"
	"testing"
	"time"

	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// How fast a log moves to PostgreSQL, and how long nobody can write once it was copied ahead.
func BenchmarkMove_ToPostgres(b *testing.B) {
	const batches = 20_000
	from := sqldbtest.SQLite(b)
	db, err := sqldb.Open(b.Context(), from)
	if err != nil {
		b.Fatal(err)
	}
	ch, err := newChain("gw-ao")
	if err == nil {
		_, err = appendAll(b.Context(), db, ch, batches)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		b.Fatal(err)
	}
	pg := parttest.NewPostgres(b)
	var ahead, stop time.Duration
	for b.Loop() {
		m, err := sqldb.NewMove(b.Context(), moveOptions(from, sqldb.Config{Driver: sqldb.Postgres, DSN: pg.Database()}))
		if err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		_, err = m.Ahead(b.Context())
		ahead += time.Since(begin)
		if err == nil {
			begin = time.Now()
			_, err = m.Finish(b.Context())
			stop += time.Since(begin)
		}
		if err := errors.Join(err, m.Close(), sqldb.Undo(b.Context(), moveOptions(from, sqldb.Config{Driver: sqldb.Postgres, DSN: pg.Database()}))); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(batches*b.N)/ahead.Seconds(), "batches/s")
	b.ReportMetric(stop.Seconds()*1000/float64(b.N), "ms-stop")
}
