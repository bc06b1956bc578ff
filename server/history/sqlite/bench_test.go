package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aovuon/server/history"
	"aovuon/server/history/historytest"
)

func BenchmarkStore(b *testing.B) {
	historytest.Bench(b, func(b *testing.B) history.Store {
		s := open(b, filepath.Join(b.TempDir(), "h.db"))
		b.Cleanup(func() { closed(b, s) })
		return s
	})
}

// largeBulk writes what the large store's part is made of in two statements: through Write it would take an hour.
const largeBulk = `INSERT OR REPLACE INTO point (series, t_ms, value, q)
	WITH RECURSIVE m (minute) AS (VALUES (%[2]d) UNION ALL SELECT minute + 1 FROM m WHERE minute < %[3]d - 1)
	SELECT (SELECT id FROM series WHERE sensor = 's%[1]d'), %[4]d + minute * 60000,
		(300 + %[1]d %% 7 * 100 + CASE WHEN minute %% 1440 > 720 THEN 1440 - minute %% 1440 ELSE minute %% 1440 END / 2 + (minute * 7919 + %[1]d * 104729) %% 97) / 100.0, 0 FROM m;
INSERT OR IGNORE INTO rollup (series, span, start, stale)
	WITH RECURSIVE h (hour) AS (VALUES ((%[4]d + %[2]d * 60000) / 3600000) UNION ALL SELECT hour + 1 FROM h WHERE hour < (%[4]d + %[3]d * 60000) / 3600000)
	SELECT (SELECT id FROM series WHERE sensor = 's%[1]d'), 1, hour, 1 FROM h`

// BenchmarkLarge asks a store of 100 million points.
func BenchmarkLarge(b *testing.B) {
	dir := historytest.LargeFolder(b, "sqlite")
	path := filepath.Join(dir, "history.db")
	s := open(b, path)
	b.Cleanup(func() { closed(b, s) })
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=synchronous(OFF)&_pragma=cache_size(-65536)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	historytest.Large(b, dir, s, func(ctx context.Context, i, first, last int) error {
		begin, _ := historytest.LargeMinutes(i)
		if first == begin { // the series itself
			k := historytest.LargeSeries(i)
			if err := s.Write(ctx, []history.Point{{Series: k, Time: historytest.LargeBegin().Add(time.Duration(begin) * time.Minute)}}); err != nil {
				return err
			}
		}
		_, err := db.ExecContext(ctx, fmt.Sprintf(largeBulk, i, first, last, historytest.LargeBegin().UnixMilli()))
		return err
	})
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("storage_with_rollups", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(float64(info.Size())/100e6, "B/point")
		b.ReportMetric(0, "ns/op")
	})
}
