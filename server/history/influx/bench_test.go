package influx_test

import (
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
