package uplink_test

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkUplink_Replay sends a week's backlog of one gateway, 200,000 readings, through the embedded broker to a server
// that opens every batch and keeps nothing.
func BenchmarkUplink_Replay(b *testing.B) {
	const readings = 200_000
	for _, size := range []int{20, 200} {
		b.Run(fmt.Sprintf("%d", size), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				_, r, f, o := setup(b)
				o.ReceiptTimeout = 15 * time.Second
				f.batches(readings/size, size)
				b.StartTimer()
				_, stop := f.start(o)
				for f.stats().Sealed > 0 {
					time.Sleep(time.Millisecond)
				}
				b.StopTimer()
				stop()
				r.check(readings)
			}
			b.ReportMetric(readings*float64(b.N)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}
