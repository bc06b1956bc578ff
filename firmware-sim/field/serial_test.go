package field_test

import (
	"context"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/bus"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

const levelField = `
seed: 7
w1_refresh: 1s
places:
  - { id: ao1, kind: pond }
  - { id: khoai1, kind: plot }
buses:
  - { id: muc, serial: muc }
  - { id: kk, socket: kk.sock }
devices:
  - { id: ao1-muc, kind: ultrasonic-uart, bus: muc, place: ao1, height: 200 }
  - { id: khoai1-kk, kind: sht4x, bus: kk, address: 0x44, place: khoai1 }
`

// levelRig is the gateway's sensing side on a field with a level sensor; open gives its buses.
func levelRig(t *testing.T, o field.Options, clock sense.Clock, open func(f *field.Field) kind.Buses) (*field.Field, *sense.Station, *last) {
	t.Helper()
	dir := t.TempDir()
	c, err := field.Parse("field.yaml", []byte(levelField), dir)
	if err != nil {
		t.Fatal(err)
	}
	book := &last{m: make(map[string]ledger.Entry)}
	o.Ledger = book
	f, err := field.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	height := 200.0
	channels, err := kind.Build([]kind.Spec{
		{ID: "ao1-muc", Kind: "ultrasonic-uart", Bus: "muc", Height: &height, Temperature: "khoai1-kk"},
		{ID: "khoai1-kk", Kind: "sht4x", Bus: "kk", Address: 0x44},
	}, open(f), map[string]kind.BusSpec{
		"muc": {Serial: filepath.Join(dir, "muc")}, "kk": {I2C: "unix:" + filepath.Join(dir, "kk.sock")},
	}, clock)
	if err != nil {
		t.Fatal(err)
	}
	return f, sense.NewStation(clock, channels, slog.New(slog.DiscardHandler)), book
}

func pollLevel(t *testing.T, st *sense.Station) (level, distance measure.Reading) {
	t.Helper()
	s := make(sink)
	if err := st.PollAll(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s["ao1-muc water_level"], s["ao1-muc surface_distance"]
}

func TestSerial_LevelInVirtualTime(t *testing.T) {
	at := time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)
	clock := &virtual{begin: at.Add(-time.Hour), now: at}
	f, st, book := levelRig(t, field.Options{Now: clock.wall, Sleep: clock.Sleep}, clock, func(f *field.Field) kind.Buses { return f })
	for range 200 {
		before := clock.wall()
		level, distance := pollLevel(t, st)
		if took := clock.wall().Sub(before); took > time.Second {
			t.Errorf("asking took %v of the field's time", took)
		}
		want, ok := book.get("ao1-muc water_level")
		// The thermometer hangs over the plot, the sensor over the pond: half a degree apart.
		if !ok || level.Quality != measure.Good || math.Abs(level.Value-want.Value) > 0.3 || math.Abs(level.Value+distance.Value-200) > 1e-9 {
			t.Errorf("%+v, the ledger says %+v", level, want)
		}
		if level.Time.Wall.Sub(want.Time).Abs() > time.Second {
			t.Errorf("read at %v, the ledger says %v", level.Time.Wall, want.Time)
		}
		if err := clock.Sleep(t.Context(), 37*time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for kind, want := range map[fault.Kind]measure.FaultReason{
		fault.Unplug: measure.NoResponse, fault.CRC: measure.CRC, fault.Garbled: measure.Garbled, fault.Frozen: "", fault.Noise: "",
	} {
		if err := f.Board().Set("ao1-muc", kind); err != nil {
			t.Fatal(err)
		}
		if level, _ := pollLevel(t, st); level.Reason != want {
			t.Errorf("%s: %+v", kind, level)
		}
		f.Board().HealAll()
		if level, _ := pollLevel(t, st); level.Quality != measure.Good {
			t.Errorf("%s, healed: %+v", kind, level)
		}
	}
}

func TestSerial_LevelOverAPseudoTerminal(t *testing.T) {
	set := bus.NewSet(slog.New(slog.DiscardHandler))
	clock := sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: true})
	f, st, _ := levelRig(t, field.Options{Now: time.Now}, clock, func(*field.Field) kind.Buses { return set })
	serve := func() (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done, ready := make(chan error, 1), make(chan struct{})
		go func() { done <- f.Serve(ctx, slog.New(slog.DiscardHandler), func() { close(ready) }) }()
		select {
		case <-ready:
		case err := <-done:
			t.Fatal(err)
		}
		return func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	if level, _ := pollLevel(t, st); level.Reason != measure.BusDown {
		t.Errorf("before there is a field: %+v", level)
	}
	for range 2 { // a simulator that is started again is another adapter
		stop := serve()
		if level, _ := pollLevel(t, st); level.Quality != measure.Good || level.Value < 125 || level.Value > 155 {
			t.Errorf("%+v", level)
		}
		if err := f.Board().Set("muc", fault.Unplug); err != nil {
			t.Fatal(err)
		}
		if level, _ := pollLevel(t, st); level.Reason != measure.BusDown {
			t.Errorf("adapter pulled out: %+v", level)
		}
		f.Board().HealAll()
		if level, _ := pollLevel(t, st); level.Quality != measure.Good {
			t.Errorf("plugged in again: %+v", level)
		}
		stop()
		if level, _ := pollLevel(t, st); level.Reason != measure.BusDown {
			t.Errorf("the field is gone: %+v", level)
		}
	}
	if err := set.Close(); err != nil {
		t.Error(err)
	}
}

func TestSerial_ErrorsOfTheFile(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, want string }{
		"no height":      {", height: 200", "", "needs height"},
		"height on sht4": {"address: 0x44", "address: 0x44, height: 3", "remove it"},
		"too high":       {"height: 200", "height: 900", "1 to 750"},
		"no such line":   {"bus: muc", "bus: kk", "that has serial"},
		"two sorts":      {"serial: muc", "serial: muc, w1: w1", "exactly one"},
		"echo on i2c":    {"socket: kk.sock", "socket: kk.sock, echo: true", "remove it"},
		"name taken":     {"id: ao1-muc", "id: muc", "own id"},
	} {
		if _, err := field.Parse("field.yaml", []byte(strings.Replace(levelField, tc.old, tc.new, 1)), "/x"); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v does not say %q", name, err, tc.want)
		}
	}
	at := time.Now
	dir := t.TempDir()
	c, err := field.Parse("field.yaml", []byte(levelField), dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := field.New(c, field.Options{Now: at})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Serial("/dev/ttyUSB0"); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "muc")) {
		t.Errorf("a line that is not there: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "muc"), []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Serve(t.Context(), slog.New(slog.DiscardHandler), func() {}); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("a file in the way: %v", err)
	}
}
