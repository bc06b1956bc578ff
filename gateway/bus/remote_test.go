package bus_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/conn/v3/physic"

	"aovuon/gateway/bus"
	"aovuon/gateway/sense"
)

// wires is an I²C bus made of a function.
type wires func(addr uint16, w, r []byte) error

func (wires) String() string                      { return "wires" }
func (f wires) Tx(addr uint16, w, r []byte) error { return f(addr, w, r) }
func (wires) SetSpeed(physic.Frequency) error     { return nil }

// echo answers with the address and what was written.
func echo(addr uint16, w, r []byte) error {
	copy(r, append([]byte{byte(addr)}, w...))
	return nil
}

func hexBytes(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func shut(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// socket returns a path short enough for a Unix socket.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "i2c") //nolint:usetesting // t.TempDir grows with the test's name; a socket's path has 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(dir, "bus.sock")
}

// serve serves b on path until the returned function is called.
func serve(t *testing.T, path string, b wires) (stop func()) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- bus.ServeI2C(ctx, l, b) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ServeI2C: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestRemote_CarriesATransactionBothWays(t *testing.T) {
	path := socket(t)
	serve(t, path, echo)
	b, err := newSet(t).I2C("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, 32, 4096} {
		w := bytes.Repeat([]byte{0x5A}, n-1)
		got := make([]byte, n)
		if err := b.Tx(0x61, w, got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]byte{0x61}, w...), got); diff != "" {
			t.Errorf("%d bytes: %s", n, diff)
		}
	}
	registered := false
	for _, r := range i2creg.All() {
		registered = registered || strings.HasSuffix(r.Name, path)
	}
	if !registered {
		t.Error("the bus does not stand in periph's registry")
	}
	for name, err := range map[string]error{
		"address of 8 bits": b.Tx(0x80, []byte{1}, nil),
		"4097 bytes":        b.Tx(0x61, make([]byte, 4097), nil),
		"speed":             b.SetSpeed(physic.KiloHertz),
	} {
		if err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

// The vectors of FORMAT.md.
func TestRemote_SpeaksTheDocumentedBytes(t *testing.T) {
	path := socket(t)
	serve(t, path, func(addr uint16, _, r []byte) error {
		if addr == 0x44 {
			return fmt.Errorf("nobody%w", quietError{})
		}
		copy(r, "\x017.312")
		return nil
	})
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, conn)
	for _, tc := range []struct{ ask, want string }{
		{"A5 0063 0001 0000 52", "5A 00 0000"},
		{"A5 0063 0000 0008", "5A 00 0008 01 37 2E 33 31 32 00 00"},
		{"A5 0044 0001 0000 FD", "5A 01 0006 6E 6F 62 6F 64 79"},
	} {
		if _, err := conn.Write(hexBytes(t, tc.ask)); err != nil {
			t.Fatal(err)
		}
		want := hexBytes(t, tc.want)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", tc.ask, diff)
		}
	}
}

// quietError is sense.ErrNoAck without a text.
type quietError struct{}

func (quietError) Error() string { return "" }
func (quietError) Unwrap() error { return sense.ErrNoAck }

func TestRemote_TellsAnAbsentChipFromABrokenBus(t *testing.T) {
	for _, tc := range []struct {
		err   error
		noAck bool
	}{
		{sense.ErrNoAck, true},
		{fmt.Errorf("chip ao1-do: %w", sense.ErrNoAck), true},
		{errors.New("sysfs-i2c: remote I/O error"), true},
		{errors.New("sysfs-i2c: no such device or address"), true},
		{errors.New("sysfs-i2c: connection timed out"), false},
		{errors.New(strings.Repeat("ố", 600)), false},
		{errors.New("bad\xff\xfetext"), false},
	} {
		path := socket(t)
		serve(t, path, func(uint16, []byte, []byte) error { return tc.err })
		b, err := newSet(t).I2C("unix:" + path)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time on a connection that was kept, or opened anew
			err = b.Tx(0x61, []byte("R"), nil)
			if err == nil || errors.Is(err, sense.ErrNoAck) != tc.noAck {
				t.Errorf("%v arrives as %v", tc.err, err)
			}
		}
		if len(tc.err.Error()) < 100 && !strings.Contains(err.Error(), strings.ToValidUTF8(tc.err.Error(), "?")) {
			t.Errorf("the text of %q is lost: %v", tc.err, err)
		}
	}
}

func TestRemote_HealsWhenTheServingProgramComesBack(t *testing.T) {
	path := socket(t)
	stop := serve(t, path, echo)
	b, err := newSet(t).I2C("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error { return b.Tx(0x61, []byte("R"), make([]byte, 2)) }
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	stop()
	serve(t, path, echo)
	if err := ask(); err != nil {
		t.Errorf("a restart between two transactions cost one: %v", err)
	}
}

func TestRemote_FailsWhileTheServingProgramIsGone(t *testing.T) {
	path := socket(t)
	stop := serve(t, path, echo)
	b, err := newSet(t).I2C("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error { return b.Tx(0x61, []byte("R"), make([]byte, 2)) }
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	stop()
	for range 3 {
		if err := ask(); err == nil || errors.Is(err, sense.ErrNoAck) {
			t.Errorf("Tx = %v; want a bus error", err)
		}
	}
	serve(t, path, echo)
	if err := ask(); err != nil {
		t.Errorf("not healed: %v", err)
	}
}

func TestRemote_DoesNotWaitForEverAndNeverTakesALateAnswer(t *testing.T) {
	path := socket(t)
	release := make(chan struct{})
	var first atomic.Bool
	serve(t, path, func(_ uint16, w, r []byte) error {
		if first.CompareAndSwap(false, true) {
			<-release
		}
		copy(r, w)
		return nil
	})
	b, err := newSet(t).I2C("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Tx(0x61, []byte{1}, make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "no response in") {
		t.Errorf("Tx = %v; want no response", err)
	}
	close(release)
	got := make([]byte, 1)
	if err := b.Tx(0x61, []byte{2}, got); err != nil || got[0] != 2 {
		t.Errorf("Tx = %v, %v; want the answer to this question", got, err)
	}
}

func TestRemote_RefusesAnswersOfAnotherProtocol(t *testing.T) {
	for _, answer := range []string{"HTTP/1.1 400 Bad Request\r\n", "\x5a\x09\x00\x00", "\x5a\x00\x00\x05hello", "\x5a\x01\xff\xff", "\x5a\x00"} {
		path := socket(t)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer shut(t, conn)
			if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil {
				return
			}
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
		}()
		b, err := newSet(t).I2C("unix:" + path)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Tx(0x61, []byte("R"), make([]byte, 2)); err == nil || errors.Is(err, sense.ErrNoAck) {
			t.Errorf("%q: Tx = %v; want a bus error", answer, err)
		}
		<-done
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestServe_GarbageCostsItsOwnConnectionOnly(t *testing.T) {
	path := socket(t)
	serve(t, path, echo)
	b, err := newSet(t).I2C("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "\xa5\xff\xff\x00\x01\x00\x01x", "\xa5\x00\x61\xff\xff\x00\x00", "\xa5\x00\x61\x00\x00\x00\x00"} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, garbage); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); len(got) != 0 {
			t.Errorf("%q was answered with %q, %v", garbage, got, err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if err := b.Tx(0x61, []byte("R"), make([]byte, 2)); err != nil {
			t.Errorf("after %q: %v", garbage, err)
		}
	}
}

func TestServe_OneTransactionAtATime(t *testing.T) {
	path := socket(t)
	var inside, most atomic.Int32
	serve(t, path, func(_ uint16, w, r []byte) error {
		most.Store(max(most.Load(), inside.Add(1)))
		defer inside.Add(-1)
		copy(r, w)
		return nil
	})
	var wg sync.WaitGroup
	for i := range 8 {
		s := newSet(t)
		wg.Go(func() {
			b, err := s.I2C("unix:" + path)
			if err != nil {
				t.Error(err)
				return
			}
			for range 200 {
				got := make([]byte, 1)
				if err := b.Tx(0x10, []byte{byte(i)}, got); err != nil || got[0] != byte(i) {
					t.Errorf("got %v, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if most.Load() != 1 {
		t.Errorf("%d transactions at once", most.Load())
	}
}

func TestServe_ReturnsTheListenersError(t *testing.T) {
	l, err := net.Listen("unix", socket(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := bus.ServeI2C(t.Context(), l, wires(echo)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("ServeI2C = %v; want net.ErrClosed", err)
	}
}
