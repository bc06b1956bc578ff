package story_test

import (
	"fmt"
	"testing"
	"time"

	"aovuon/gateway/spool"
)

// sevenDays is the backlog of a gateway that was a week without a link.
const sevenDays = 7 * 24 * time.Hour

// BenchmarkReplay_SevenDays measures how fast a gateway with a week of readings (20 channels, once a minute) hands it over
// to the server, until the server has signed for all of it (drained) and the history has it (charted). What arrives is
// counted; how fast is only reported.
func BenchmarkReplay_SevenDays(b *testing.B) {
	for name, influx := range map[string]bool{"SQLite": false, "InfluxDB": true} {
		b.Run(name, func(b *testing.B) {
			var drained, charted time.Duration
			readings := 0
			for range b.N {
				b.StopTimer()
				f := newField(b, setting{devices: week(), influx: influx, pace: pace{commit: 2 * time.Second, seal: 30 * time.Second, offline: 15 * time.Minute}})
				readings = f.makeBacklog(time.Now().Add(-sevenDays-time.Minute), sevenDays)
				f.startServer()
				b.StartTimer()
				d, c := f.replay()
				b.StopTimer()
				drained, charted = drained+d, charted+c
				f.countReplay(readings)
			}
			n := float64(b.N)
			b.ReportMetric(drained.Seconds()/n, "s/drained")
			b.ReportMetric(charted.Seconds()/n, "s/charted")
			b.ReportMetric(float64(readings)*n/charted.Seconds(), "readings/s")
		})
	}
}

// makeBacklog fills the spool and returns how many readings are in it.
func (f *field) makeBacklog(from time.Time, d time.Duration) int {
	f.t.Helper()
	began := time.Now()
	f.play(from, from.Add(d), time.Minute)
	n := len(f.answers())
	st, _ := f.spool()
	f.t.Logf("%d readings of %v made in %.1f s: %d batches, %d KiB of spool", n, d, time.Since(began).Seconds(), st.Sealed, st.Bytes>>10)
	return n
}

// replay starts the gateway and waits until everything it had is signed for, and then in the history. The gateway
// is a quiet one.
func (f *field) replay() (drained, charted time.Duration) {
	f.t.Helper()
	f.quieten()
	held := f.waiting()
	began := time.Now()
	f.gateway.start()
	awaitWithin(f.t, 10*time.Minute, "the backlog to be signed for", func() (bool, string) {
		st, err := spool.ReadStats(f.t.Context(), f.path("gw/spool.db"))
		return err == nil && st.Released >= held, fmt.Sprintf("%+v %v", st, err)
	})
	drained = time.Since(began)
	f.awaitHistory()
	return drained, time.Since(began)
}

// countReplay stops everything and counts: the backlog, once, and nothing else.
func (f *field) countReplay(readings int) {
	f.t.Helper()
	f.gateway.stop()
	f.awaitHistory()
	f.server.stop()
	a := account{history: f.history(), ledger: f.answers(), dated: time.Second}
	a.log, _ = f.batchLog()
	if sum := a.settle(f.t); sum.Readings != readings || sum.Lost != 0 {
		f.t.Errorf("%d readings in the history, want %d; %d lost", sum.Readings, readings, sum.Lost)
	}
}
