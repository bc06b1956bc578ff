// Package fault is what goes wrong in the field, switchable while it runs.
//
// Commands come in (from a test, or as verbs of firmware-sim/control: FORMAT.md), the simulated chips look at their Switch and
// misbehave accordingly. Nothing here knows how a chip misbehaves; that is the chip's to know.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Kind is one way to go wrong. The text is what the command line and the control socket say.
type Kind string

// The faults. Which of them a device can have depends on what it is: Board.Devices tells.
const (
	None    Kind = ""
	Unplug  Kind = "unplug"  // the wire is off: no acknowledge, no w1 folder; an analog input floats
	Shorted Kind = "shorted" // data line to ground: all bits read 0
	CRC     Kind = "crc"     // bits flip on the way: checksums do not match
	Garbled Kind = "garbled" // characters lost and swapped, on a chip whose answers have no checksum
	Bit7    Kind = "bit7"    // the Raspberry Pi's known glitch: the top bit of answer bytes is set
	Stuck   Kind = "stuck"   // measures for ever, is never ready; a chip with no such state repeats its value
	Frozen  Kind = "frozen"  // answers in time, always with the same value: a fouled probe
	PowerUp Kind = "powerup" // the value a chip holds before its first conversion
	Noise   Kind = "noise"   // plausible answers that jump about: a bad ground
	Open    Kind = "open"    // the probe is off its circuit, which answers all the same

	// Of what is switched.
	Broken Kind = "broken" // the motor does not run, whatever it is told
	Welded Kind = "welded" // the contactor's contacts stick together: the motor does not stop

	// Of units on a serial line.
	Exception Kind = "exception"  // the unit refuses every question
	WrongUnit Kind = "wrong-unit" // the answer bears the address of another unit
	Late      Kind = "late"       // the answer comes when nobody waits for it any more
	Slow      Kind = "slow"       // the answer comes just in time
	Glitch    Kind = "glitch"     // the line driver sends a stray byte or two before the answer
)

// ErrUnknown is wrapped by the errors of a device that is not there, and of a fault it cannot have.
var ErrUnknown = errors.New("fault")

// Switch is the fault of one device. The zero value is healthy and can have no fault.
type Switch struct {
	mu      sync.Mutex
	kind    Kind
	allowed []Kind
	bath    *Bath  // nil: in its place
	drift   *Drift // nil: as new
}

// Kind returns the fault in force.
func (s *Switch) Kind() Kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kind
}

func (s *Switch) set(k Kind) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k != None && !slices.Contains(s.allowed, k) {
		return false
	}
	s.kind = k
	return true
}

// Board holds the switches of all devices of a field. It is safe for concurrent use.
type Board struct {
	mu       sync.Mutex
	names    []string
	switches map[string]*Switch
	changed  func()
}

// NewBoard returns an empty board.
func NewBoard() *Board { return &Board{switches: make(map[string]*Switch), changed: func() {}} }

// OnChange has f called after every change of a fault, before the one who changed it gets his answer. It replaces the
// function of the call before.
func (b *Board) OnChange(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed = f
}

// Add puts a device on the board, with the faults it can have, and returns its switch.
func (b *Board) Add(device string, kinds ...Kind) (*Switch, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, twice := b.switches[device]; twice {
		return nil, fmt.Errorf("%w: device %q is there twice", ErrUnknown, device)
	}
	s := &Switch{allowed: slices.Clone(kinds)}
	b.switches[device] = s
	b.names = append(b.names, device)
	return s, nil
}

// Set puts a fault in force, in the place of the one before; None heals.
func (b *Board) Set(device string, k Kind) error {
	b.mu.Lock()
	s, ok := b.switches[device]
	names, changed := strings.Join(b.names, ", "), b.changed
	b.mu.Unlock()
	if !ok {
		return fmt.Errorf("%w: no device %q; there are: %s", ErrUnknown, device, names)
	}
	if !s.set(k) {
		return fmt.Errorf("%w: %s cannot be %q; it can be: %s, heal", ErrUnknown, device, string(k), join(s.allowed))
	}
	changed()
	return nil
}

// HealAll ends every fault.
func (b *Board) HealAll() {
	b.mu.Lock()
	for _, s := range b.switches {
		s.set(None)
	}
	changed := b.changed
	b.mu.Unlock()
	changed()
}

// Device is one line of the board.
type Device struct {
	Name  string
	Fault Kind
	Kinds []Kind // the faults it can have
}

// Devices lists the board in the order of Add.
func (b *Board) Devices() []Device {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Device, 0, len(b.names))
	for _, n := range b.names {
		s := b.switches[n]
		list = append(list, Device{Name: n, Fault: s.Kind(), Kinds: slices.Clone(s.allowed)})
	}
	return list
}

func join(kinds []Kind) string {
	var b strings.Builder
	for i, k := range kinds {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(k))
	}
	return b.String()
}
