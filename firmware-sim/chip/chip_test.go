package chip_test

import (
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a virtual clock.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// book collects what chips answered.
type book struct {
	mu      sync.Mutex
	entries []ledger.Entry
	more    chan struct{}
}

func newBook() *book { return &book{more: make(chan struct{}, 1000)} }

func (b *book) Record(e ledger.Entry) {
	b.mu.Lock()
	b.entries = append(b.entries, e)
	b.mu.Unlock()
	b.more <- struct{}{}
}

func (b *book) all() []ledger.Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]ledger.Entry(nil), b.entries...)
}

func (b *book) last(t *testing.T, q measure.Quantity) ledger.Entry {
	t.Helper()
	list := b.all()
	for _, e := range slices.Backward(list) {
		if e.Quantity == q {
			return e
		}
	}
	t.Fatalf("no %s in the ledger: %v", q, list)
	return ledger.Entry{}
}

func constant(v float64) chip.Source { return func(time.Time) float64 { return v } }

// rig is one bus with a board, a clock and a book.
type rig struct {
	clock *clock
	board *fault.Board
	book  *book
	bus   *chip.Bus
}

func newRig() *rig {
	return &rig{clock: newClock(), board: fault.NewBoard(), book: newBook(), bus: chip.NewBus("sim")}
}

func (r *rig) part(t *testing.T, name string, kinds []fault.Kind) chip.Part {
	t.Helper()
	s, err := r.board.Add(name, kinds...)
	if err != nil {
		t.Fatal(err)
	}
	return chip.Part{Name: name, Seed: 42, Now: r.clock.now, Faults: s, Ledger: r.book}
}

func (r *rig) add(t *testing.T, addr uint16, d chip.Device) {
	t.Helper()
	if err := r.bus.Add(addr, d, nil); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) set(t *testing.T, name string, k fault.Kind) {
	t.Helper()
	if err := r.board.Set(name, k); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) tx(t *testing.T, addr uint16, w []byte, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if err := r.bus.Tx(addr, w, b); err != nil {
		t.Fatalf("Tx(0x%02x, % x): %v", addr, w, err)
	}
	return b
}

func (r *rig) noAck(t *testing.T, addr uint16, w []byte, n int) {
	t.Helper()
	if err := r.bus.Tx(addr, w, make([]byte, n)); !errors.Is(err, sense.ErrNoAck) {
		t.Fatalf("Tx(0x%02x, % x) = %v, want no acknowledge", addr, w, err)
	}
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tol)
	}
}

func TestBus_NobodyAtTheAddressDoesNotAcknowledge(t *testing.T) {
	r := newRig()
	r.noAck(t, 0x44, []byte{0xFD}, 0)
	r.noAck(t, 0x44, nil, 1)
	d := chip.NewSHT4x(r.part(t, "a", nil), constant(20), constant(50))
	r.add(t, 0x44, d)
	if err := r.bus.Add(0x44, d, nil); err == nil {
		t.Error("two chips at one address")
	}
	if err := r.bus.Add(0x80, d, nil); err == nil {
		t.Error("an address of eight bits")
	}
}

func TestShorted_ReadsZerosAndAcknowledgesEverything(t *testing.T) {
	r := newRig()
	r.add(t, 0x44, chip.NewSHT4x(r.part(t, "sht", chip.SHT4xFaults()), constant(25), constant(50)))
	r.set(t, "sht", fault.Shorted)
	r.tx(t, 0x44, []byte{0xFD}, 0)
	for _, b := range r.tx(t, 0x44, nil, 6) {
		if b != 0 {
			t.Errorf("byte %02x on a shorted line", b)
		}
	}
	if e := r.book.all(); len(e) != 1 || e[0].Fault != "shorted" {
		t.Errorf("ledger: %+v", e)
	}
}
