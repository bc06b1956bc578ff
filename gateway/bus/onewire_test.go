package bus_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/onewire"
	"periph.io/x/conn/v3/onewire/onewirereg"

	"aovuon/gateway/bus"
	"aovuon/gateway/sense"
)

// wire is a 1-Wire bus that does what a test says.
type wire struct {
	tx             func(w, r []byte) error
	opened, closed int
}

func (w *wire) String() string { return "wire" }
func (w *wire) Close() error   { w.closed++; return nil }
func (w *wire) Search(bool) ([]onewire.Address, error) {
	return []onewire.Address{0x7a00000131825228}, nil
}
func (w *wire) Tx(out, in []byte, _ onewire.Pullup) error { return w.tx(out, in) }

// wired registers w with periph and returns it as the gateway opens it.
func wired(t *testing.T, s *bus.Set, w *wire) onewire.Bus {
	t.Helper()
	const name = "wire-of-the-test"
	if err := onewirereg.Register(name, nil, -1, func() (onewire.BusCloser, error) { w.opened++; return w, nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := onewirereg.Unregister(name); err != nil {
			t.Error(err)
		}
	})
	b, err := s.OneWire(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// quickSet is a Set whose host has nothing to start.
func quickSet() *bus.Set {
	return bus.NewSetWithInit(slog.New(slog.DiscardHandler), func() error { return nil }, time.Second)
}

func TestOneWire_RefusesNamesThatCanNeverWork(t *testing.T) {
	for _, name := range []string{"", "unix:/x", "-1", "OneWire-2"} {
		if _, err := newSet(t).OneWire(name); err == nil || !strings.Contains(err.Error(), "write") {
			t.Errorf("OneWire(%q) = %v; want an error that says what to write", name, err)
		}
	}
}

func TestOneWire_MissingBusSaysHowToMend(t *testing.T) {
	for name, want := range map[string]string{"97": "w1_bus_master97", "OneWire97": "dtoverlay=w1-gpio", "ds2482": `write "1"`} {
		s := quickSet()
		b, err := s.OneWire(name)
		if err != nil {
			t.Fatalf("OneWire(%q): %v; a bus that is not there yet must not stop the program", name, err)
		}
		err = b.Tx([]byte{0xCC}, nil, onewire.WeakPullup)
		if err == nil || errors.Is(err, sense.ErrNoAck) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Tx = %v; want %q in it", name, err, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOneWire_IsOpenedOnceAndAgainAfterItBroke(t *testing.T) {
	s := quickSet()
	w := &wire{tx: func(out, in []byte) error { copy(in, bytes.Repeat(out[:1], len(in))); return nil }}
	b := wired(t, s, w)
	in := make([]byte, 2)
	for range 3 {
		if err := b.Tx([]byte{7}, in, onewire.WeakPullup); err != nil || in[1] != 7 {
			t.Fatalf("Tx = %v, read % x", err, in)
		}
	}
	if found, err := b.Search(false); err != nil || len(found) != 1 {
		t.Errorf("Search = %x, %v", found, err)
	}
	if again, err := s.OneWire("wire-of-the-test"); err != nil || again != b {
		t.Errorf("the same name is another bus: %v", err)
	}
	w.tx = func(_, _ []byte) error {
		return errors.New("netlink-onewire: transaction failed: invalid w1_netlink_msg status 255")
	}
	if err := b.Tx([]byte{7}, in, onewire.WeakPullup); !errors.Is(err, sense.ErrNoAck) || w.closed != 0 {
		t.Errorf("nobody there: %v, closed %d times", err, w.closed)
	}
	w.tx = func(_, _ []byte) error { return errors.New("socket is broken") }
	if err := b.Tx([]byte{7}, in, onewire.WeakPullup); err == nil || errors.Is(err, sense.ErrNoAck) {
		t.Errorf("broken: %v", err)
	}
	w.tx = func(_, _ []byte) error { return nil }
	if err := b.Tx([]byte{7}, in, onewire.WeakPullup); err != nil || w.opened != 2 || w.closed != 1 {
		t.Errorf("healed: %v, opened %d, closed %d times", err, w.opened, w.closed)
	}
	if err := s.Close(); err != nil || w.closed != 2 {
		t.Errorf("close: %v, closed %d times", err, w.closed)
	}
	if err := b.Tx([]byte{7}, in, onewire.WeakPullup); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

// The kernel may never answer. That costs the bus its limit once, one goroutine, and nothing else.
func TestOneWire_AHangingKernelIsAnErrorAndHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := quickSet()
		release := make(chan struct{})
		w := &wire{tx: func(_, in []byte) error {
			<-release
			copy(in, "late")
			return nil
		}}
		b := wired(t, s, w)
		in := []byte("....")
		begun := time.Now()
		if err := b.Tx([]byte{7}, in, onewire.WeakPullup); err == nil || !strings.Contains(err.Error(), "does not answer within 5s") {
			t.Errorf("Tx = %v", err)
		}
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("waited %v", took)
		}
		if err := b.Tx([]byte{7}, in, onewire.WeakPullup); err == nil || time.Since(begun) != 5*time.Second || !strings.Contains(err.Error(), "still") {
			t.Errorf("second Tx = %v after %v", err, time.Since(begun))
		}
		close(release)
		synctest.Wait()
		if string(in) != "...." {
			t.Errorf("a late answer came through: %q", in)
		}
		if err := b.Tx([]byte{7}, in, onewire.WeakPullup); err != nil || w.opened != 2 || w.closed != 1 {
			t.Errorf("healed: %v, opened %d, closed %d times", err, w.opened, w.closed)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
