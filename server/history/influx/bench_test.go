package influx_test

import (
	"io/fs"
	"path/filepath"
	"testing"

	"aovuon/server/history"
	"aovuon/server/history/historytest"
	"aovuon/server/history/influx"
	"aovuon/server/parttest"
)

func BenchmarkStore(b *testing.B) {
	d := parttest.Influxd(b)
	n := 0
	historytest.Bench(b, func(b *testing.B) history.Store {
		n++
		s := fresh(b, influx.Options{URL: d.URL}, n)
		b.Cleanup(func() {
			if err := s.Close(); err != nil {
				b.Error(err)
			}
		})
		return s
	})
}

// BenchmarkLarge asks a database of 100 million points.
func BenchmarkLarge(b *testing.B) {
	dir := historytest.LargeFolder(b, "influx")
	d := parttest.InfluxdWith(b, parttest.InfluxdOptions{Dir: dir})
	s := setUp(b, influx.Options{URL: d.URL, Database: "large"})
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	historytest.Large(b, dir, s, nil)
	size := int64(0)
	for _, part := range []string{"data", "wal"} {
		if err := filepath.WalkDir(filepath.Join(dir, part), func(_ string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			info, err := e.Info()
			if err == nil {
				size += info.Size()
			}
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("storage_with_rollups", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(float64(size)/100e6, "B/point")
		b.ReportMetric(0, "ns/op")
	})
}
