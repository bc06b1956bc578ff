// Package fault is what goes wrong in the field, switchable while it runs.
//
// Commands come in (from a test, from a schedule, or as verbs of firmware-sim/control: FORMAT.md), the simulated chips look at
// their Switch and misbehave accordingly. Nothing here knows how a chip misbehaves; that is the chip's to know.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrUnknown is wrapped by the errors of a device that is not there, and of a fault it cannot have.
var ErrUnknown = errors.New("fault")

// State is a fault in force.
type State struct {
	Kind   Kind
	Params []float64
	Since  time.Time // by the board's clock; zero when it has none
}

// Param returns the fault's number; fallback when it was given none.
func (s State) Param(fallback float64) float64 {
	if len(s.Params) == 0 {
		return fallback
	}
	return s.Params[0]
}

// Age is how long the fault has been in force at t of the board's clock.
func (s State) Age(t time.Time) time.Duration {
	if s.Since.IsZero() {
		return 0
	}
	return max(0, t.Sub(s.Since))
}

// Switch is the faults of one device: at most one of its electronics and one of its sensing end. The zero value is healthy
// and can have no fault.
type Switch struct {
	board   *Board // nil: a switch on no board
	name    string
	allowed []Kind

	mu     sync.Mutex
	wiring State // of the electronics and wires
	probe  State // of the sensing end
	losses Losses
	bath   *Bath   // nil: in its place
	aged   *Ageing // nil: as new
}

// Losses counts how often a device has lost its power.
type Losses struct {
	Times int
	Last  Kind // how it did
}

// Kind returns the fault in force: that of the electronics, or else that of the sensing end.
func (s *Switch) Kind() Kind {
	s.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wiring.Kind != None {
		return s.wiring.Kind
	}
	return s.probe.Kind
}

// Wiring returns the fault of the electronics and wires.
func (s *Switch) Wiring() State {
	s.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wiring
}

// Probe returns the fault of the sensing end.
func (s *Switch) Probe() State {
	s.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.probe
}

// Losses returns how often the device has lost its power.
func (s *Switch) Losses() Losses {
	s.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.losses
}

// settle has the board's schedule do what is due.
func (s *Switch) settle() {
	if s.board != nil {
		s.board.settle()
	}
}

// set puts a fault in force; the board has checked it.
func (s *Switch) set(f State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case f.Kind == None:
		s.wiring, s.probe = State{}, State{}
	case f.Kind.OfProbe():
		s.probe = f
	default:
		s.wiring = f
	}
	if f.Kind.cutsPower() {
		s.losses = Losses{Times: s.losses.Times + 1, Last: f.Kind}
	}
}

// end heals the fault of this kind, if it is the one in force.
func (s *Switch) end(k Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range []*State{&s.wiring, &s.probe} {
		if f.Kind == k {
			*f = State{}
		}
	}
}

// Board holds the switches of all devices and buses of a field. It is safe for concurrent use.
type Board struct {
	mu       sync.Mutex
	names    []string
	switches map[string]*Switch
	changed  func()
	now      func() time.Time // nil: faults have no age and nothing is scheduled
	plan     plan
}

// NewBoard returns an empty board without a clock.
func NewBoard() *Board { return &Board{switches: make(map[string]*Switch), changed: func() {}} }

// UseClock gives the board the clock by which faults age and schedules run: the world's. Call it before the board is used.
func (b *Board) UseClock(now func() time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
}

// time is now by the board's clock, or zero.
func (b *Board) time() time.Time {
	b.mu.Lock()
	now := b.now
	b.mu.Unlock()
	if now == nil {
		return time.Time{}
	}
	return now()
}

// OnChange has f called after every change of a fault, before the one who changed it gets his answer. It replaces the
// function of the call before.
func (b *Board) OnChange(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed = f
}

// Add puts a device or a bus on the board, with the faults it can have, and returns its switch.
func (b *Board) Add(device string, kinds ...Kind) (*Switch, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, twice := b.switches[device]; twice {
		return nil, fmt.Errorf("%w: device %q is there twice", ErrUnknown, device)
	}
	s := &Switch{board: b, name: device, allowed: slices.Clone(kinds)}
	b.switches[device] = s
	b.names = append(b.names, device)
	return s, nil
}

// Set puts a fault in force, in the place of the one before of the same end (Kind.OfProbe); None heals both. A number goes with
// the kinds that have a Parameter.
func (b *Board) Set(device string, k Kind, params ...float64) error {
	s, params, err := b.check(device, k, params)
	if err != nil {
		return err
	}
	b.settle() // what was due before
	s.set(State{Kind: k, Params: params, Since: b.time()})
	b.tell()
	return nil
}

// check finds what the board or a device cannot do.
func (b *Board) check(device string, k Kind, params []float64) (*Switch, []float64, error) {
	s, err := b.find(device)
	if err != nil {
		return nil, nil, err
	}
	if k == None {
		return s, nil, nil
	}
	if !slices.Contains(s.allowed, k) {
		return nil, nil, fmt.Errorf("%w: %s cannot be %q; it can be: %s, heal", ErrUnknown, device, string(k), join(s.allowed))
	}
	if params, err = k.check(params); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", device, err)
	}
	return s, params, nil
}

func (b *Board) find(device string) (*Switch, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.switches[device]
	if !ok {
		return nil, fmt.Errorf("%w: no device %q; there are: %s", ErrUnknown, device, strings.Join(b.names, ", "))
	}
	return s, nil
}

// Clean wipes what has grown on a probe: fouling begins anew. It heals nothing else.
func (b *Board) Clean(device string) error {
	s, err := b.find(device)
	if err != nil {
		return err
	}
	b.settle()
	now := b.time()
	s.mu.Lock()
	if s.probe.Kind == Fouling {
		s.probe.Since = now
	}
	s.mu.Unlock()
	b.tell()
	return nil
}

// HealAll ends every fault. What is scheduled comes all the same.
func (b *Board) HealAll() {
	b.settle()
	b.mu.Lock()
	for _, s := range b.switches {
		s.set(State{})
	}
	b.mu.Unlock()
	b.tell()
}

// tell calls who wants to know of changes.
func (b *Board) tell() {
	b.mu.Lock()
	changed := b.changed
	b.mu.Unlock()
	changed()
}

// Device is one line of the board.
type Device struct {
	Name  string
	Fault Kind   // of the electronics, or else of the sensing end
	Probe Kind   // of the sensing end
	Kinds []Kind // the faults it can have
}

// Devices lists the board in the order of Add.
func (b *Board) Devices() []Device {
	b.settle()
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Device, 0, len(b.names))
	for _, n := range b.names {
		s := b.switches[n]
		s.mu.Lock()
		d := Device{Name: n, Fault: s.wiring.Kind, Probe: s.probe.Kind, Kinds: slices.Clone(s.allowed)}
		s.mu.Unlock()
		if d.Fault == None {
			d.Fault = d.Probe
		}
		list = append(list, d)
	}
	return list
}
