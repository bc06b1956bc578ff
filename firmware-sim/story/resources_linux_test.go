package story_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/spool"
	"aovuon/server/parttest"
)

// thirty is a field of 30 channels at one reading a minute: eight thermometers, nine SHT4x of two channels each, four soil
// probes, on four buses.
func thirty() []device {
	var all []device
	for _, d := range busy() {
		if d.kind != "capacitive" || d.bus == "i2c-1" {
			d.every = time.Minute
			all = append(all, d)
		}
	}
	return all
}

// What one core of a Raspberry Pi 4 does of the reference below: `sysbench cpu --threads=1` 1.0.20, as published at
// https://leoncode.co.uk/articles/raspberry-pi-benchmarks.
const pi4Events = 1477.83

// dear is how much slower a Pi 4 is taken to be at worst, whatever the reference says: its caches and its memory are behind
// by more than its arithmetic.
const dear = 8

// BenchmarkGateway_ThirtyChannels measures the real program, linked to a server on this machine, with 30 channels at one
// reading a minute: how soon after its start the first reading was taken and on the disk, and over two minutes its memory
// and what it takes of a core, here and scaled to a Pi 4. The budgets: 3 s, 40 MB, 3 % of a Pi's core.
func BenchmarkGateway_ThirtyChannels(b *testing.B) {
	for range b.N {
		bin := filepath.Join(b.TempDir(), "gateway")
		build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "aovuon/gateway")
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("build: %v: %s", err, out)
		}
		f := newField(b, setting{devices: thirty(), pace: pace{commit: 2 * time.Second, seal: 30 * time.Second, offline: 15 * time.Minute}})
		f.gateway.Bin = bin
		f.startSim()
		f.startServer()
		began := time.Now()
		f.gateway.start()
		parttest.Await(b, "the first answer of a chip", func() bool { return len(f.answers()) > 0 })
		asked := time.Since(began)
		parttest.Await(b, "the first reading on the disk", func() bool {
			st, err := spool.ReadStats(b.Context(), f.path("gw/spool.db"))
			return err == nil && st.Pending+st.Sealed+st.Released > 0
		})
		b.ReportMetric(asked.Seconds(), "s/first-reading")
		b.ReportMetric(time.Since(began).Seconds(), "s/on-disk")
		pause(20 * time.Second) // its start is over
		pid := f.gateway.PID()
		before, from := cpuTime(b, pid), time.Now()
		pause(2 * time.Minute)
		share := (cpuTime(b, pid) - before).Seconds() / time.Since(from).Seconds()
		ratio := reference() / pi4Events
		b.ReportMetric(float64(memory(b, pid, "VmRSS"))/1000, "MB-resident")
		b.ReportMetric(float64(memory(b, pid, "VmHWM"))/1000, "MB-peak")
		b.ReportMetric(100*share, "%core-here")
		b.ReportMetric(ratio, "x-pi4-by-sysbench")
		b.ReportMetric(100*share*ratio, "%core-pi4")
		b.ReportMetric(100*share*dear, "%core-pi4-at-worst")
		b.ReportMetric(0, "ns/op")
		f.gateway.stop()
	}
}

// pause lets a program live: here time itself is what is measured.
func pause(d time.Duration) {
	t := time.NewTimer(d)
	<-t.C
}

// cpuTime is what the threads of a process have run so far.
func cpuTime(b *testing.B, pid int) (sum time.Duration) {
	b.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		b.Fatalf("%d tasks, %v", len(tasks), err)
	}
	for _, path := range tasks {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(raw))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// memory is a line of a process's status, in kB.
func memory(b *testing.B, pid int, line string) int {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(raw), line+":")
	kb, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		b.Fatal(err)
	}
	return kb
}

// reference is the loop of `sysbench cpu`: how often in a second one core finds the primes up to 10,000 by division.
func reference() float64 {
	primes := uint64(0)
	events, began := 0, time.Now()
	for time.Since(began) < 3*time.Second {
		for c := uint64(3); c < 10_000; c++ {
			prime := true
			for l := uint64(2); l*l <= c && prime; l++ {
				prime = c%l != 0
			}
			if prime {
				primes++
			}
		}
		events++
	}
	if primes == 0 {
		return 0
	}
	return float64(events) / time.Since(began).Seconds()
}
