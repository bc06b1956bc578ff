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

// errTimeout reads like the kernel's ETIMEDOUT: the controller waits in vain for the clock wire to rise.
var errTimeout = errors.New("connection timed out")

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

// dipper is a chip that knows a supply that dipped from one that was off.
type dipper interface{ BrownOut() }

// mover is a chip that can be told another address; 0 is the one it was wired with.
type mover interface{ Address() uint16 }

// Bus is a simulated I²C bus; it implements periph's i2c.Bus and is safe for concurrent use.
//
// Chips that share an address, by a fault or because one was told so, answer at once: who acknowledges, acknowledges for all, and
// since every chip can only pull the wire down, the master reads the bits of all of them wired together.
type Bus struct {
	name   string
	faults *fault.Switch
	mu     sync.Mutex
	slots  []*slot
}

type slot struct {
	addr   uint16
	chip   Device
	twin   func() Device // makes another one like it; nil: there is none
	second Device        // the twin, once it was asked
	losses fault.Losses  // of its power, that its registers know of
	bus    fault.Losses  // of the bus's
}

// NewBus returns a bus with no chips.
func NewBus(name string) *Bus { return &Bus{name: name, faults: new(fault.Switch)} }

// Suffer has the bus suffer the faults of a switch (BusFaults).
func (b *Bus) Suffer(sw *fault.Switch) { b.faults = sw }

// BusFaults are the faults an I²C bus can have.
func BusFaults() []fault.Kind {
	return []fault.Kind{fault.Unplug, fault.PowerCut, fault.SDALow, fault.SCLLow}
}

// i2cFaults are the faults every chip on an I²C bus can have, and those of its own.
func i2cFaults(own ...fault.Kind) []fault.Kind {
	return append([]fault.Kind{
		fault.Unplug, fault.Shorted, fault.NAK, fault.NAKData, fault.BrownOut, fault.WrongAddress, fault.Twin,
	}, own...)
}

// Add wires a chip to an address (7 bit, 0x08 to 0x77). An address that is taken is an error. twin makes a second chip of the kind,
// for the fault of that name; nil: it cannot have it.
func (b *Bus) Add(addr uint16, d Device, twin func() Device) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if addr < 0x08 || addr > 0x77 {
		return fmt.Errorf("chip: %w: %s: 0x%02x is none; want 0x08 to 0x77", errAddress, d.Part().Name, addr)
	}
	for _, s := range b.slots {
		if s.addr == addr {
			return fmt.Errorf("chip: %w: bus %s: 0x%02x belongs to both %s and %s", errAddress, b.name, addr, s.chip.Part().Name, d.Part().Name)
		}
	}
	b.slots = append(b.slots, &slot{addr: addr, chip: d, twin: twin})
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
	if err := b.transact(addr, w, r); err != nil {
		return fmt.Errorf("chip: bus %s, address 0x%02x: %w", b.name, addr, err)
	}
	return nil
}

func (b *Bus) transact(addr uint16, w, r []byte) error {
	kind := b.faults.Kind()
	if kind != fault.None {
		for _, s := range b.slots {
			if s.addr == addr {
				s.chip.Part().recordFault(s.chip.Part().Now(), "", kind)
			}
		}
	}
	if kind == fault.SCLLow {
		return errTimeout
	}
	if kind == fault.SDALow { // the acknowledge bit reads 0 as well, so everything seems to be acknowledged
		clear(r)
		return nil
	}
	if kind == fault.Unplug || kind == fault.PowerCut {
		return errNoAck
	}
	answers := b.answers(addr, w, len(r))
	if len(answers) == 0 {
		return errNoAck
	}
	for i := range r {
		r[i] = 0xFF
		for _, a := range answers {
			r[i] &= a[i]
		}
	}
	return nil
}

// answers has every chip that is at addr now answer; those that do not acknowledge are left out.
func (b *Bus) answers(addr uint16, w []byte, n int) (list [][]byte) {
	for _, s := range b.slots {
		if s.at() != addr {
			if s.addr == addr && s.chip.Part().Faults.Kind() == fault.WrongAddress {
				s.chip.Part().recordFault(s.chip.Part().Now(), "", fault.WrongAddress)
			}
			continue
		}
		s.powered(b.faults.Losses())
		r := make([]byte, n)
		if err := s.tx(w, r); err == nil {
			list = append(list, r)
		}
		if s.chip.Part().Faults.Kind() != fault.Twin || s.twin == nil {
			continue
		}
		if s.second == nil {
			s.second = s.twin()
		}
		r = make([]byte, n)
		if err := s.second.Tx(w, r); err == nil {
			list = append(list, r)
		}
	}
	return list
}

// at is where the chip answers: where it is wired, where it was told to, or where its fault puts it.
func (s *slot) at() uint16 {
	addr := s.addr
	if m, ok := s.chip.(mover); ok && m.Address() != 0 {
		addr = m.Address()
	}
	if f := s.chip.Part().Faults.Wiring(); f.Kind == fault.WrongAddress {
		return uint16(f.Param(float64(addr ^ 8)))
	}
	return addr
}

// powered has the chip start anew if its power was away since it was asked last.
func (s *slot) powered(bus fault.Losses) {
	own := s.chip.Part().Faults.Losses()
	switch {
	case own.Times != s.losses.Times && own.Last == fault.BrownOut:
		s.dip()
	case own.Times != s.losses.Times, bus.Times != s.bus.Times:
		s.chip.Reset()
	}
	s.losses, s.bus = own, bus
}

func (s *slot) dip() {
	s.chip.Reset()
	if d, ok := s.chip.(dipper); ok {
		d.BrownOut()
	}
}

// tx is one transaction with the chip, as the faults of its wires have it.
func (s *slot) tx(w, r []byte) error {
	p := s.chip.Part()
	kind := p.Faults.Kind()
	failed := func() { p.recordFault(p.Now(), "", kind) }
	switch {
	case kind == fault.Unplug, kind == fault.NAK, kind == fault.NAKData && len(w) > 0:
		failed()
		return errNoAck
	case kind == fault.Shorted: // acknowledged as with SDALow
		if len(r) > 0 {
			failed()
		}
		return nil
	case kind == fault.BrownOut && len(w) > 0 && len(r) == 0: // what it is told to do takes current, and the supply gives way
		err := s.chip.Tx(w, r)
		s.dip()
		failed()
		return err
	}
	return s.chip.Tx(w, r)
}
