package app_test

import (
	"os"
	"testing"
	"time"
)

// BenchmarkDrill measures a backup of a server with a million readings, and its restore to a folder nobody uses with the audit of every leaf,
// row and batch: once, 16,700 batches of 60 readings.
func BenchmarkDrill(b *testing.B) {
	p := newProcess(b, "{ engine: sqlite }", "")
	s := &sender{gateway: p.enrol("gw-one"), patient: true}
	s.sealAll(b, 16_700, 60)
	p.start()
	if err := s.deliver(b.Context(), p.mqtt); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	begin := time.Now()
	p.once("backup", "--plain", "--no-drill", "--to", p.path("x"))
	made := time.Since(begin)
	begin = time.Now()
	out := p.once("backup", "drill", p.path("x"))
	drilled := time.Since(begin)
	b.StopTimer()
	p.stop()
	info, err := os.Stat(p.path("x"))
	if err != nil {
		b.Fatal(err)
	}
	b.Log(out)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(made.Seconds(), "s/backup")
	b.ReportMetric(drilled.Seconds(), "s/drill")
	b.ReportMetric(float64(info.Size())/(1<<20), "MB")
}
