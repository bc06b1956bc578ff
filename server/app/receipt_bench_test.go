package app_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"aovuon/server/parttest"
)

// BenchmarkServer_Receipt measures how long a gateway waits for its receipt while batches come at a steady rate, about half of what the server
// takes: 2,500 batches/s of 5 readings, and 75,000 readings/s in batches of 60, for 20 s each. A wait runs from when the batch was due, so that a
// server that stands still is charged for every batch it held up.
//
//	p50-ms, p99-ms, max-ms     from due to the receipt that covers it
//	offered-batches/s          what was really offered: less than asked for, and the generator could not follow
//	cpu-%                      of one core, of the server process alone
func BenchmarkServer_Receipt(b *testing.B) {
	for _, load := range []struct{ readings, rate int }{{5, 2500}, {60, 1250}} {
		b.Run(fmt.Sprintf("readings=%d/batches=%d", load.readings, load.rate), func(b *testing.B) { benchReceipt(b, load.readings, load.rate, 20*time.Second) })
	}
}

func benchReceipt(b *testing.B, readings, rate int, lasts time.Duration) {
	p := newProcess(b, "{ engine: sqlite }", "")
	each := rate * int(lasts.Seconds()) / benchGateways
	fleet := make([]*sender, benchGateways)
	for i := range fleet {
		fleet[i] = &sender{gateway: p.enrol(fmt.Sprintf("gw-%02d", i))}
	}
	var wg sync.WaitGroup
	for _, s := range fleet {
		wg.Go(func() { s.sealAll(b, each, readings) })
	}
	wg.Wait()
	p.start()
	for _, s := range fleet {
		s.window = make(chan struct{}, each) // whoever is due sends
		parttest.Await(b, "connection", func() bool { return s.connect(p.mqtt) == nil })
	}
	idle := p.metric("process_cpu_seconds_total")
	b.ResetTimer()
	begin := time.Now()
	for i, s := range fleet {
		wg.Go(func() {
			s.due = func(k int) time.Time {
				return begin.Add(time.Duration(k*benchGateways+i) * time.Second / time.Duration(rate))
			}
			s.sendAll(b)
		})
	}
	wg.Wait()
	took := time.Since(begin)
	b.StopTimer()
	cpu := p.metric("process_cpu_seconds_total") - idle
	p.stop()
	var waits []time.Duration
	for _, s := range fleet {
		waits = append(waits, s.waits...)
	}
	slices.Sort(waits)
	ms := func(part float64) float64 {
		return float64(waits[min(len(waits)-1, int(part*float64(len(waits))))].Microseconds()) / 1000
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(0.5), "p50-ms")
	b.ReportMetric(ms(0.99), "p99-ms")
	b.ReportMetric(ms(1), "max-ms")
	b.ReportMetric(float64(each*benchGateways)/took.Seconds(), "offered-batches/s")
	b.ReportMetric(100*cpu/took.Seconds(), "cpu-%")
}
