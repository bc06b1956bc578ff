package chip_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

const rom = "28-0123456789ab"

func w1Rig(t *testing.T, celsius float64) (*rig, *chip.W1) {
	t.Helper()
	r := newRig()
	w := chip.NewW1(r.clock.now, r.clock.pass)
	d := chip.NewDS18B20(r.part(t, "temp", chip.DS18B20Faults()), rom, constant(celsius))
	if err := w.Add(d); err != nil {
		t.Fatal(err)
	}
	if w.Add(d) == nil {
		t.Error("two chips of one ROM")
	}
	return r, w
}

// parse takes w1_slave apart as the kernel's document describes it.
func parse(t *testing.T, text string) (s [9]byte, verdict string, milli int) {
	t.Helper()
	lines := strings.Split(text, "\n")
	if len(lines) != 3 || lines[2] != "" {
		t.Fatalf("not two lines: %q", text)
	}
	hex, rest, _ := strings.Cut(lines[0], " : crc=")
	for i, cell := range strings.Fields(hex) {
		if _, err := fmt.Sscanf(cell, "%02x", &s[i]); err != nil {
			t.Fatalf("%q: %v", hex, err)
		}
	}
	if _, err := fmt.Sscanf(lines[1][len(hex):], " t=%d", &milli); err != nil || lines[1][:len(hex)] != hex {
		t.Fatalf("second line %q: %v", lines[1], err)
	}
	return s, rest[3:], milli
}

func TestW1_IsAFileTree(t *testing.T) {
	r := newRig()
	w := chip.NewW1(r.clock.now, func(time.Duration) {}) // so that every reading says the same
	if err := w.Add(chip.NewDS18B20(r.part(t, "temp", nil), rom, constant(27.3))); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(w, rom+"/w1_slave"); err != nil {
		t.Error(err)
	}
}

func TestDS18B20_GivesWhatAGenuineChipGives(t *testing.T) {
	for _, celsius := range []float64{27.3, 0, -3.2, 85} {
		r, w := w1Rig(t, celsius)
		raw, err := fs.ReadFile(w, rom+"/w1_slave")
		if err != nil {
			t.Fatal(err)
		}
		s, verdict, milli := parse(t, string(raw))
		v := float64(int16(uint16(s[1])<<8|uint16(s[0]))) / 16
		near(t, "temperature", v, celsius, 0.15)
		near(t, "t=", float64(milli)/1000, v, 0.001)
		if verdict != "YES" || s[6] != 0x10-s[0]&15 {
			t.Errorf("%s: byte 6 is %02x after byte 0 %02x", verdict, s[6], s[0])
		}
		if e := r.book.last(t, measure.WaterTemperature); e.Value != v || len(r.book.all()) != 1 {
			t.Errorf("ledger %+v, chip %v", r.book.all(), v)
		}
	}
}

func TestDS18B20_Faults(t *testing.T) {
	r, w := w1Rig(t, 27.3)
	read := func() string {
		t.Helper()
		b, err := fs.ReadFile(w, rom+"/w1_slave")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	r.set(t, "temp", fault.CRC)
	if _, verdict, _ := parse(t, read()); verdict != "NO" {
		t.Errorf("crc: %s", verdict)
	}
	r.set(t, "temp", fault.Shorted)
	if s, verdict, _ := parse(t, read()); s != [9]byte{} || verdict != "YES" {
		t.Errorf("shorted: % x %s", s, verdict)
	}
	r.set(t, "temp", fault.PowerUp)
	if s, _, milli := parse(t, read()); s[6] != 0x0C || milli != 85000 {
		t.Errorf("powerup: % x, %d", s, milli)
	}
	r.set(t, "temp", fault.Frozen)
	first := read()
	r.clock.pass(time.Hour)
	if read() != first {
		t.Error("frozen: moved")
	}
	r.set(t, "temp", fault.Unplug)
	if _, err := fs.ReadFile(w, rom+"/w1_slave"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("unplugged: %v", err)
	}
	if list, err := fs.ReadDir(w, "."); err != nil || len(list) != 0 {
		t.Errorf("unplugged: %v, %v", list, err)
	}
	r.set(t, "temp", fault.None)
	read()
}

func TestFolder_IsRefreshedAndEveryReadingIsInTheLedger(t *testing.T) {
	r, w := w1Rig(t, 27.3)
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "28-ffffffffffff"), 0o755); err != nil { // of an earlier run
		t.Fatal(err)
	}
	f, err := chip.NewFolder(w, dir)
	if err != nil {
		t.Fatal(err)
	}
	r.board.OnChange(func() {
		if err := f.Refresh(); err != nil {
			t.Error(err)
		}
	})
	if err := f.Refresh(); err != nil {
		t.Fatal(err)
	}
	slave := filepath.Join(dir, rom, "w1_slave")
	read := func() float64 {
		t.Helper()
		b, err := os.ReadFile(slave)
		if err != nil {
			t.Fatal(err)
		}
		s, _, _ := parse(t, string(b))
		<-r.book.more // the ledger hears of it
		return float64(int16(uint16(s[1])<<8|uint16(s[0]))) / 16
	}
	for i := range 20 {
		v := read()
		if e := r.book.all(); len(e) != i+1 || e[i].Value != v {
			t.Fatalf("reading %d: %v, ledger %+v", i, v, e)
		}
		if i%3 == 0 { // some texts are read more than once, some never
			r.clock.pass(time.Minute)
			if err := f.Refresh(); err != nil {
				t.Fatal(err)
			}
		}
	}
	held, err := os.Open(slave) // a reader that is slow: its text is the one it opened
	if err != nil {
		t.Fatal(err)
	}
	r.set(t, "temp", fault.Unplug)
	if list, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(list) != 0 {
		t.Errorf("unplugged: %v, %v", list, err)
	}
	if err := held.Close(); err != nil {
		t.Error(err)
	}
	<-r.book.more
	r.set(t, "temp", fault.None)
	read()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.Run(ctx, time.Hour, slog.New(slog.DiscardHandler)) // refreshes once, then sees the end
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if list, err := filepath.Glob(filepath.Join(dir, "28-*")); err != nil || len(list) != 0 {
		t.Errorf("after the end: %v, %v", list, err)
	}
}
