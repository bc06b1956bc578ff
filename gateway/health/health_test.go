package health_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/health"
	"aovuon/gateway/measure"
)

const throttled = "sys/devices/platform/soc/soc:firmware/get_throttled"

type machine struct {
	t    *testing.T
	root string
}

func (m machine) write(path, text string) {
	m.t.Helper()
	full := filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func now() measure.Instant {
	return measure.Instant{Wall: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), Uptime: time.Hour, Boot: "0123456789abcdef"}
}

// values reads once and takes the values by their quantity.
func values(t *testing.T, r *health.Reader) map[measure.Quantity]float64 {
	t.Helper()
	out := make(map[measure.Quantity]float64)
	for _, x := range r.Read(t.Context(), now()) {
		if err := x.Validate(); err != nil {
			t.Error(err)
		}
		if x.Sensor != "gw-health" || x.Time != now() {
			t.Errorf("%+v", x)
		}
		out[x.Quantity] = x.Value
	}
	return out
}

func TestRead_EverythingAPiTells(t *testing.T) {
	m := machine{t, t.TempDir()}
	m.write("sys/class/thermal/thermal_zone0/temp", "54321\n")
	m.write(throttled, "0\n")
	m.write("proc/self/statm", "31000 5000 2000 1000 0 9000 0\n")
	r := health.New(health.Options{
		Sensor: "gw-health", Root: m.root,
		DiskFree: func() (uint64, error) { return 12_345_000_000, nil },
		Waiting:  func(context.Context) (uint64, error) { return 7, nil },
		Link:     func() bool { return true },
		Offset:   func() (time.Duration, bool) { return -1500 * time.Microsecond, true },
	})
	want := map[measure.Quantity]float64{
		measure.CPUTemperature: 54.321, measure.UnderVoltage: 0, measure.DiskFree: 12345, measure.SpoolDepth: 7, measure.LinkUp: 1,
		measure.ClockOffset: -0.0015, measure.MemoryResident: math.Round(5000*float64(os.Getpagesize())/1e5) / 10,
	}
	if diff := cmp.Diff(want, values(t, r)); diff != "" {
		t.Error(diff)
	}
}

func TestRead_WhatIsNotKnownIsLeftOut(t *testing.T) {
	m := machine{t, t.TempDir()}
	o := health.Options{Sensor: "gw-health", Root: m.root}
	if got := values(t, health.New(o)); len(got) != 0 {
		t.Errorf("an empty machine tells %v", got)
	}
	m.write("sys/class/thermal/thermal_zone0/temp", "hot\n")
	m.write(throttled, "\n")
	m.write("proc/self/statm", "1\n")
	m.write("sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
	m.write("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n")
	o.DiskFree = func() (uint64, error) { return 0, errors.New("gone") }
	o.Waiting = func(context.Context) (uint64, error) { return 0, errors.New("gone") }
	o.Offset = func() (time.Duration, bool) { return 0, false }
	if got := values(t, health.New(o)); len(got) != 0 {
		t.Errorf("nonsense tells %v", got)
	}
}

func TestRead_UnderVoltageSinceTheLastReading(t *testing.T) {
	m := machine{t, t.TempDir()}
	r := health.New(health.Options{Sensor: "gw-health", Root: m.root})
	for i, tc := range []struct {
		bits string
		want float64
	}{
		{"0", 0},
		{"50005", 1},   // now
		{"50000", 0},   // it was, and that was told
		{"0x50001", 1}, // again
		{"50000", 0},
	} {
		m.write(throttled, tc.bits+"\n")
		if got := values(t, r); got[measure.UnderVoltage] != tc.want {
			t.Errorf("%d: %s: %v", i, tc.bits, got)
		}
	}
	fresh := health.New(health.Options{Sensor: "gw-health", Root: m.root})
	if got := values(t, fresh); got[measure.UnderVoltage] != 1 {
		t.Errorf("low before the program started: %v", got)
	}
}

func TestRead_UnderVoltageFromTheKernelsMonitor(t *testing.T) {
	m := machine{t, t.TempDir()}
	m.write("sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
	m.write("sys/class/hwmon/hwmon1/name", "rpi_volt\n")
	r := health.New(health.Options{Sensor: "gw-health", Root: m.root})
	for _, want := range []string{"0", "1", "0"} {
		m.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", want+"\n")
		if got, ok := values(t, r)[measure.UnderVoltage]; !ok || got != float64(want[0]-'0') {
			t.Errorf("%s: %v %v", want, got, ok)
		}
	}
}

func TestRead_ThisMachine(t *testing.T) {
	got := values(t, health.New(health.Options{Sensor: "gw-health", Offset: health.ClockOffset}))
	if mb, ok := got[measure.MemoryResident]; ok && (mb < 1 || mb > 10_000) {
		t.Errorf("this test has %g MB resident", mb)
	}
	t.Logf("%v", got)
}
