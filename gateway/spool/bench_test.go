package spool_test

import (
	"fmt"
	"testing"

	"aovuon/gateway/spool"
)

func BenchmarkSpool(b *testing.B) {
	record := make([]byte, 70)
	for _, size := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("Add/%d", size), func(b *testing.B) {
			s, _ := mustOpen(b, newPath(b))
			records := make([][]byte, size)
			for i := range records {
				records[i] = record
			}
			for b.Loop() {
				if err := s.Add(b.Context(), records); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "records/s")
		})
	}
	b.Run("Seal/200", func(b *testing.B) {
		s, _ := mustOpen(b, newPath(b))
		sealed := make([]byte, 10_000)
		records := make([][]byte, 200)
		for i := range records {
			records[i] = record
		}
		for range b.N {
			if err := s.Add(b.Context(), records); err != nil {
				b.Fatal(err)
			}
		}
		b.ResetTimer()
		for range b.N {
			if _, err := s.Seal(b.Context(), 200, func(_ spool.Next, r [][]byte) ([]byte, int, error) { return sealed, len(r), nil }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N*200)/b.Elapsed().Seconds(), "records/s")
	})
}
