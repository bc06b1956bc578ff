package chip

import (
	"errors"
	"fmt"
	"sync"

	"periph.io/x/conn/v3/physic"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/sense"
)

// errNoAck is what a chip's Tx returns when it does not acknowledge. It reads like the kernel's EREMOTEIO and is
// sense.ErrNoAck.
var errNoAck = fmt.Errorf("remote I/O error: %w", sense.ErrNoAck)

// errAddress is wrapped by the error of an address that cannot be used.
var errAddress = errors.New("bad I²C address")

// Device is one chip on an I²C bus. The bus calls it from one goroutine at a time.
type Device interface {
	// Tx answers one transaction: w is written, then r is filled. errNoAck means the chip did not acknowledge.
	Tx(w, r []byte) error
	// Reset brings the registers to their power-on state.
	Reset()
	// Part returns what the device is made of.
	Part() Part
}

// Bus is a simulated I²C bus; it implements periph's i2c.Bus and is safe for concurrent use.
type Bus struct {
	name string
	mu   sync.Mutex
	at   map[uint16]*slot
}

type slot struct {
	chip Device
	off  bool // it had no power at the last transaction
}

// NewBus returns a bus with no chips.
func NewBus(name string) *Bus { return &Bus{name: name, at: make(map[uint16]*slot)} }

// Add wires a chip to an address (7 bit, 0x08 to 0x77). An address that is taken is an error.
func (b *Bus) Add(addr uint16, d Device) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if addr < 0x08 || addr > 0x77 {
		return fmt.Errorf("chip: %w: %s: 0x%02x is none; want 0x08 to 0x77", errAddress, d.Part().Name, addr)
	}
	if other, taken := b.at[addr]; taken {
		return fmt.Errorf("chip: %w: bus %s: 0x%02x belongs to both %s and %s", errAddress, b.name, addr, other.chip.Part().Name, d.Part().Name)
	}
	b.at[addr] = &slot{chip: d}
	return nil
}

// String implements i2c.Bus.
func (b *Bus) String() string { return b.name }

// SetSpeed implements i2c.Bus. The simulated wires carry any speed.
func (b *Bus) SetSpeed(physic.Frequency) error { return nil }

// Tx implements i2c.Bus.
func (b *Bus) Tx(addr uint16, w, r []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.at[addr]
	if !ok {
		return fmt.Errorf("chip: bus %s, address 0x%02x: %w", b.name, addr, errNoAck)
	}
	p := s.chip.Part()
	kind := p.Faults.Kind()
	if kind == fault.Unplug {
		s.off = true
		p.recordFault(p.Now(), "", kind)
		return fmt.Errorf("chip: bus %s, address 0x%02x: %w", b.name, addr, errNoAck)
	}
	if kind == fault.Shorted { // the acknowledge bit reads 0 as well, so everything seems to be acknowledged
		clear(r)
		if len(r) > 0 {
			p.recordFault(p.Now(), "", kind)
		}
		return nil
	}
	if s.off {
		s.off = false
		s.chip.Reset()
	}
	if err := s.chip.Tx(w, r); err != nil {
		return fmt.Errorf("chip: bus %s, address 0x%02x: %w", b.name, addr, err)
	}
	return nil
}
