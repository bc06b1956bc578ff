package field_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/bus"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sample(t *testing.T) (field.Config, string) {
	t.Helper()
	dir := t.TempDir()
	c, err := field.Parse("field.yaml", []byte(field.Sample()), dir)
	if err != nil {
		t.Fatal(err)
	}
	return c, dir
}

func TestSample_IsAFieldOfPondsPlotsAndARoom(t *testing.T) {
	c, dir := sample(t)
	if len(c.Places) != 8 || len(c.Devices) != 25 {
		t.Errorf("%d places, %d devices", len(c.Places), len(c.Devices))
	}
	f, err := field.New(c, field.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.I2C("unix:" + filepath.Join(dir, "ao1.sock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Tx(0x61, []byte("R"), nil); err != nil {
		t.Error(err)
	}
	if _, err := f.I2C("unix:/elsewhere.sock"); err == nil || !strings.Contains(err.Error(), "ao1.sock") {
		t.Errorf("a bus that is not there: %v", err)
	}
	tree, err := f.W1(filepath.Join(dir, "w1"))
	if err != nil {
		t.Fatal(err)
	}
	if list, err := fs.Glob(tree, "28-*/w1_slave"); err != nil || len(list) != 4 {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := f.W1("/elsewhere"); err == nil {
		t.Error("a folder that is not there")
	}
}

func TestParse_TakesAByteOrderMark(t *testing.T) {
	if _, err := field.Parse("field.yaml", []byte("\ufeff"+field.Sample()), t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestParse_ErrorsNameFileLineAndMend(t *testing.T) {
	edit := func(old, now string) string {
		if !strings.Contains(field.Sample(), old) {
			t.Fatalf("the sample has no %q", old)
		}
		return strings.Replace(field.Sample(), old, now, 1)
	}
	line := func(of string) string {
		head, _, _ := strings.Cut(field.Sample(), of)
		return "field.yaml:" + strconv.Itoa(strings.Count(head, "\n")+1) + ":"
	}
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"unknown key":      {edit("seed: 952", "sead: 952"), []string{"field.yaml", `unknown field "sead"`}},
		"unknown kind":     {edit("kind: sht4x, bus: vuon-i2c, address: 0x44", "kind: sht9, bus: vuon-i2c, address: 0x44"), []string{line("id: khoai1-kk"), "sht4x"}},
		"no such bus":      {edit("kind: ads1115, bus: vuon-i2c", "kind: ads1115, bus: nowhere"), []string{line("id: vuon-adc"), `"nowhere"`}},
		"address twice":    {edit("address: 0x45", "address: 0x44"), []string{line("id: khoai2-kk"), "0x44 belongs to both"}},
		"device twice":     {edit("id: ao2-do", "id: ao1-do"), []string{line("id: ao2-do"), "its own id"}},
		"input taken":      {edit("input: 1", "input: 0"), []string{line("id: khoai2-am"), "free one"}},
		"wrong place":      {edit("bus: ao1-i2c, address: 0x61, place: ao1", "bus: ao1-i2c, address: 0x61, place: khoai1"), []string{line("id: ao1-do"), "unknown quantity"}},
		"no address":       {edit(", address: 0x76", ""), []string{line("id: thuoc1-kk"), "needs address"}},
		"useless rom":      {edit("address: 0x76,", "address: 0x76, rom: 28-1,"), []string{line("id: thuoc1-kk"), "remove it"}},
		"place kind":       {edit("kind: pond, density: 0.9", "kind: sea, density: 0.9"), []string{line("id: ao1, kind: pond"), "pond, plot or room"}},
		"empty":            {"\n \n", []string{"is empty", "firmware-sim sample"}},
		"speed of none":    {edit("speed: 1 ", "speed: .nan "), []string{line("speed: 1"), "real time"}},
		"volts of none":    {edit("volts: 2.42", "volts: .nan"), []string{line("id: khoai1-am"), "wetter soil gives a lower voltage"}},
		"volts of a mains": {edit("volts: 2.42", "volts: 230"), []string{line("id: khoai1-am"), "0 to 5"}},
		"speed":            {edit("speed: 1 ", "speed: 0 "), []string{line("speed: 1"), "real time"}},
		"bus of two sorts": {edit("socket: vuon.sock", "socket: vuon.sock, w1: w1"), []string{line("id: vuon-i2c"), "exactly one"}},
		"long socket":      {edit("socket: vuon.sock", "socket: "+strings.Repeat("x", 120)), []string{line("id: vuon-i2c"), "run_dir"}},
		"no devices":       {"seed: 1\n", []string{"field.yaml:1:", "no devices"}},
		"probe upside down": {
			edit("dry: { volts: 2.42, vwc: 5 }", "dry: { volts: 1.2, vwc: 5 }"),
			[]string{line("id: khoai1-am"), "lower voltage"},
		},
	} {
		_, err := field.Parse("field.yaml", []byte(tc.text), "/x")
		if err == nil {
			t.Errorf("%s: parsed", name)
			continue
		}
		for _, w := range tc.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", name, err, w)
			}
		}
	}
	if _, err := field.Load(filepath.Join(t.TempDir(), "field.yaml")); err == nil || !strings.Contains(err.Error(), "firmware-sim sample") {
		t.Errorf("no file: %v", err)
	}
}

// book collects what chips answered.
type book struct {
	mu      sync.Mutex
	entries []ledger.Entry
	more    chan struct{}
}

func (b *book) Record(e ledger.Entry) {
	b.mu.Lock()
	b.entries = append(b.entries, e)
	b.mu.Unlock()
	b.more <- struct{}{}
}

// serve runs the sample field with the machine's clock until the returned stop is called.
func serve(t *testing.T, c field.Config, rec *book) (stop func()) {
	t.Helper()
	f, err := field.New(c, field.Options{Now: time.Now, Ledger: rec})
	if err != nil {
		t.Fatal(err)
	}
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
			t.Errorf("Serve: %v", err)
		}
	}
}

func TestServe_OtherProcessesReachTheChips(t *testing.T) {
	c, dir := sample(t)
	rec := &book{more: make(chan struct{}, 1000)}
	stop := serve(t, c, rec)
	set := bus.NewSet(slog.New(slog.DiscardHandler))
	b, err := set.I2C("unix:" + filepath.Join(dir, "ao1.sock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Tx(0x61, []byte("I"), nil); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, 16)
	for reply[0] != 1 {
		if err := b.Tx(0x61, nil, reply); err != nil || reply[0] != 1 && reply[0] != 254 {
			t.Fatalf("% x, %v", reply, err)
		}
	}
	if !bytes.HasPrefix(reply, []byte("\x01?I,D.O.,")) {
		t.Errorf("%q", reply)
	}
	if err := b.Tx(0x10, nil, reply); !errors.Is(err, sense.ErrNoAck) {
		t.Errorf("nobody's address: %v", err)
	}
	socket := filepath.Join(dir, "control.sock")
	slave := filepath.Join(dir, "w1", "28-00000a01f1a1", "w1_slave")
	if _, err := os.ReadFile(slave); err != nil {
		t.Error(err)
	}
	for range 2 { // two unknown addresses are nobody's answers; the thermometer's is
		<-rec.more
		rec.mu.Lock()
		last := rec.entries[len(rec.entries)-1]
		rec.mu.Unlock()
		if last.Device == "ao1-temp" && last.Quantity == measure.WaterTemperature {
			break
		}
		t.Fatalf("ledger: %+v", last)
	}
	for _, request := range []string{"set ao1-do unplug", "set ao1-temp unplug"} {
		if _, err := control.Ask(t.Context(), socket, request); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Tx(0x61, nil, reply); !errors.Is(err, sense.ErrNoAck) {
		t.Errorf("unplugged: %v", err)
	}
	if _, err := os.Stat(slave); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("unplugged thermometer: %v", err)
	}
	if _, err := control.Ask(t.Context(), socket, "heal all"); err != nil {
		t.Fatal(err)
	}
	if err := b.Tx(0x61, nil, reply); err != nil {
		t.Errorf("healed: %v", err)
	}
	if _, err := os.Stat(slave); err != nil {
		t.Errorf("healed thermometer: %v", err)
	}
	second, err := field.New(c, field.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Serve(t.Context(), slog.New(slog.DiscardHandler), func() {}); !errors.Is(err, field.ErrTaken) {
		t.Errorf("a second simulator on the same sockets: %v", err)
	}
	stop()
	if err := b.Tx(0x61, nil, reply); err == nil || errors.Is(err, sense.ErrNoAck) {
		t.Errorf("after the end: %v", err)
	}
	stop = serve(t, c, rec) // plugged in again: the same bus value heals
	if err := b.Tx(0x61, nil, reply); err != nil {
		t.Errorf("served again: %v", err)
	}
	if err := set.Close(); err != nil {
		t.Error(err)
	}
	stop()
}

func TestServe_TakesOverASocketLeftByAKilledSimulator(t *testing.T) {
	c, dir := sample(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "ao1.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	serve(t, c, &book{more: make(chan struct{}, 1000)})()
	if err := os.WriteFile(filepath.Join(dir, "ao1.sock"), []byte("a farmer's file"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := field.New(c, field.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Serve(t.Context(), slog.New(slog.DiscardHandler), func() {}); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file in the way: %v", err)
	}
}

func TestSpeed_MovesTheWorldAndNotTheChips(t *testing.T) {
	c, dir := sample(t)
	c.Speed = 3600
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	still := func(context.Context, time.Duration) error { return nil }
	f, err := field.New(c, field.Options{Now: func() time.Time { return now }, Sleep: still})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := f.W1(filepath.Join(dir, "w1"))
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]bool)
	for range 12 { // half a day
		raw, err := fs.ReadFile(tree, "28-00000a01f1a1/w1_slave")
		if err != nil {
			t.Fatal(err)
		}
		texts[string(raw)] = true
		now = now.Add(time.Second)
	}
	if len(texts) < 6 {
		t.Errorf("the water knew %d temperatures in half a day", len(texts))
	}
}
