package fault

import (
	"fmt"
	"math"
	"strings"
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
	PowerUp Kind = "powerup" // the value a chip holds before its first conversion
	Open    Kind = "open"    // the probe is off its circuit, which answers all the same

	NAK          Kind = "nak"           // it has power and does not acknowledge its address
	NAKData      Kind = "nak-data"      // it acknowledges its address and nothing that is written to it
	WrongAddress Kind = "wrong-address" // it answers at another address
	Twin         Kind = "twin"          // a second one like it has the same address
	BrownOut     Kind = "brown-out"     // its supply dips with every command: it starts anew and forgets

	// Of the sensing end. A device can have one of them and one of the others at once.
	Frozen  Kind = "frozen"  // answers in time, always with the same value
	Noise   Kind = "noise"   // plausible answers that jump about: a bad ground
	Drift   Kind = "drift"   // the value wanders away, a little more every day
	Step    Kind = "step"    // the value is off by so much
	Fouling Kind = "fouling" // growth covers the probe: it reads low, and slowly

	// Of buses.
	PowerCut Kind = "power-cut" // nothing on it has power
	SDALow   Kind = "sda-low"   // a chip holds the data wire down until its power is cycled
	SCLLow   Kind = "scl-low"   // a chip holds the clock wire down until its power is cycled

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

// Parameter is a number that a kind of fault may be given.
type Parameter struct {
	Name      string // with its unit, for errors
	Low, High float64
	Usual     float64 // when it is not given; NaN: it must be
	Whole     bool    // no fractions
	Own       bool    // when it is not given the device knows what is usual for it
}

// Parameter returns the number k may be given; false when there is none.
func (k Kind) Parameter() (Parameter, bool) {
	p, takes := map[Kind]Parameter{
		Drift:        {Name: "RATE, of what the probe measures, a day", Low: -1000, High: 1000, Usual: math.NaN()},
		Step:         {Name: "OFFSET, of what the probe measures", Low: -10_000, High: 10_000, Usual: math.NaN()},
		Fouling:      {Name: "DAYS, until two thirds of the probe are covered", Low: 0.01, High: 1000, Usual: 7},
		Noise:        {Name: "DEVIATION, of what the probe measures", Low: 0, High: 10_000, Own: true},
		WrongAddress: {Name: "ADDRESS, 1 to 247", Low: 1, High: 247, Whole: true, Own: true},
	}[k]
	return p, takes
}

// OfProbe reports whether k is a fault of the sensing end, and not of the electronics.
func (k Kind) OfProbe() bool {
	return k == Frozen || k == Noise || k == Drift || k == Step || k == Fouling
}

// cutsPower reports whether a chip that has k loses its power, or most of it.
func (k Kind) cutsPower() bool {
	return k == Unplug || k == PowerCut || k == BrownOut || k == SDALow || k == SCLLow
}

// check finds parameters that k cannot have, and puts in those it was not given.
func (k Kind) check(params []float64) ([]float64, error) {
	p, takes := k.Parameter()
	switch {
	case !takes && len(params) > 0:
		return nil, fmt.Errorf("%w: %s takes no number: leave it out", ErrUnknown, k)
	case !takes:
		return nil, nil
	case len(params) > 1:
		return nil, fmt.Errorf("%w: %s takes one number: %s", ErrUnknown, k, p.Name)
	case len(params) == 1 && !(params[0] >= p.Low && params[0] <= p.High):
		return nil, fmt.Errorf("%w: %s %g: want %s, from %g to %g", ErrUnknown, k, params[0], p.Name, p.Low, p.High)
	case len(params) == 1 && p.Whole && params[0] != math.Trunc(params[0]):
		return nil, fmt.Errorf("%w: %s %g: want a whole number: %s", ErrUnknown, k, params[0], p.Name)
	case len(params) == 1:
		return []float64{params[0]}, nil
	case p.Own:
		return nil, nil
	case math.IsNaN(p.Usual):
		return nil, fmt.Errorf("%w: %s wants a number: %s", ErrUnknown, k, p.Name)
	}
	return []float64{p.Usual}, nil
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
