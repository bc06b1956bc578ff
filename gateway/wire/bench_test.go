package wire_test

import (
	"fmt"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

func benchBatch(n int) *wire.Batch {
	const boot = "0123456789abcdef"
	b := &wire.Batch{Gateway: "gw-ao", Epoch: "00112233445566aa", Seq: 1, Clock: measure.Synced, Boot: boot}
	for i := range n {
		at := measure.Instant{Wall: time.UnixMilli(1763614800000 + int64(i)*137).UTC(), Clock: measure.Synced, Boot: boot}
		b.Readings = append(b.Readings, measure.Reading{Sensor: fmt.Sprintf("ao%d-do", i%5), Quantity: measure.DissolvedOxygen, Time: at, Value: float64(500+i) / 100})
	}
	return b
}

func BenchmarkSeal(b *testing.B) {
	signer, _, _ := gatewayKey(b)
	for _, n := range []int{5, 60} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			batch := benchBatch(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wire.Seal(batch, signer); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	signer, v, _ := gatewayKey(b)
	for _, n := range []int{5, 60} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			sealed, err := wire.Seal(benchBatch(n), signer)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(sealed)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wire.Open(sealed, v); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}
