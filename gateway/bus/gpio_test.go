package bus_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"

	"aovuon/gateway/bus"
)

func TestOutput_RefusesNamesThatCanNeverWork(t *testing.T) {
	for _, name := range []string{"", "unix:", "unix:/x.sock", "unix:#a", "unix:/x.sock#", "/dev/gpiochip0", "unix:/x#" + strings.Repeat("a", 65)} {
		if _, err := newSet(t).Output(name); err == nil || !strings.Contains(err.Error(), "write") {
			t.Errorf("Output(%q) = %v; want an error that says what to write", name, err)
		}
	}
}

func TestOutput_MissingPinSaysHowToMend(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		name string
		want string
	}{
		{"GPIO99", "pin"},
		{"unix:" + filepath.Join(dir, "none.sock") + "#quat", "firmware-sim serve"},
	} {
		o, err := newSet(t).Output(tc.name)
		if err != nil {
			t.Fatalf("%s: %v; a pin that is not there yet must not stop the program", tc.name, err)
		}
		if err := o.Set(true); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.name) {
			t.Errorf("Set = %v; want %q", err, tc.want)
		}
	}
}

// testPin is a pin that remembers its level.
type testPin struct {
	gpio.PinIO
	name string
	mu   sync.Mutex
	l    gpio.Level
}

func newTestPin(name string) *testPin { return &testPin{PinIO: gpio.INVALID, name: name} }

func (p *testPin) Name() string   { return p.name }
func (p *testPin) String() string { return p.name }
func (p *testPin) Number() int    { return -1 }

func (p *testPin) Out(l gpio.Level) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.l = l
	return nil
}

func (p *testPin) level() gpio.Level {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.l
}

// stubborn is a pin that fails the first time.
type stubborn struct {
	*testPin
	fails  int
	closed int
}

func (p *stubborn) Out(l gpio.Level) error {
	if p.fails > 0 {
		p.fails--
		return errors.New("device or resource busy")
	}
	return p.testPin.Out(l)
}

func (p *stubborn) Close() { p.closed++ }

func TestOutput_OfThisMachineIsFoundByNameAndHeals(t *testing.T) {
	p := &stubborn{testPin: newTestPin("TESTPIN7"), fails: 1}
	if err := gpioreg.Register(p); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := gpioreg.Unregister("TESTPIN7"); err != nil {
			t.Error(err)
		}
	}()
	s := newSet(t)
	o, err := s.Output("TESTPIN7")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Output("TESTPIN7"); err != nil || again != o {
		t.Errorf("the same pin twice: %v", err)
	}
	if err := o.Set(true); err == nil || !strings.Contains(err.Error(), "busy") || p.closed != 1 {
		t.Errorf("Set = %v, closed %d", err, p.closed)
	}
	if err := o.Set(true); err != nil || p.level() != gpio.High {
		t.Errorf("Set = %v, level %v", err, p.level())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := o.Set(false); !errors.Is(err, bus.ErrClosed) || p.level() != gpio.High {
		t.Errorf("after Close: %v, level %v", err, p.level())
	}
	if _, err := s.Output("GPIO1"); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("Output after Close: %v", err)
	}
}

// servePins serves until the function it returns is called.
func servePins(t *testing.T, path string, pins map[string]bus.Level) (stop func()) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- bus.ServePins(ctx, l, pins) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestOutput_BehindASocketSurvivesARestartOfTheOtherSide(t *testing.T) {
	dir, err := os.MkdirTemp("", "pins") //nolint:usetesting // t.TempDir grows with the test's name; a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}()
	path := filepath.Join(dir, "p.sock")
	quat := newTestPin("quat")
	pins := map[string]bus.Level{"quat": quat}
	stop := servePins(t, path, pins)
	s := newSet(t)
	o, err := s.Output("unix:" + path + "#quat")
	if err != nil {
		t.Fatal(err)
	}
	for _, high := range []bool{true, false, true} {
		if err := o.Set(high); err != nil || bool(quat.level()) != high {
			t.Errorf("Set(%v) = %v, level %v", high, err, quat.level())
		}
	}
	other, err := s.Output("unix:" + path + "#quay")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Set(true); err == nil || !strings.Contains(err.Error(), `"quay"; there are: quat`) {
		t.Errorf("an unknown pin: %v", err)
	}
	stop()
	if err := o.Set(true); err == nil {
		t.Error("Set passed with nobody there")
	}
	servePins(t, path, pins)
	if err := o.Set(false); err != nil || quat.level() != gpio.Low {
		t.Errorf("after the restart: %v, level %v", err, quat.level())
	}
}

func TestServePins_DropsAPeerThatSpeaksSomethingElse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p")
	servePins(t, path, nil)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n")); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("an answer of %d bytes", n)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzPinRequest(f *testing.F) {
	for _, s := range []string{"A6010471756174", "A6", "", "A60000", "A6020161", "A50063000100"} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := bus.ReadPinRequest(bytes.NewReader(b))
		if err == nil && !bytes.HasPrefix(b, again) {
			t.Errorf("%x is read as %x", b, again)
		}
	})
}
