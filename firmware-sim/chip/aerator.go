package chip

import (
	"math"
	"sync"
	"time"

	"periph.io/x/conn/v3/gpio"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// Aerator is a relay, the contactor it pulls in, and the motor behind it. It is safe for concurrent use.
type Aerator struct {
	part      Part
	activeLow bool
	closed    bool // normally closed: the motor runs while the relay is not pulled in
	amps      float64
	changed   func() // tells the pond

	mu   sync.Mutex
	held bool // the position of the relay
}

// NewAerator makes an aerator that draws amps and stands still, or with normallyClosed runs. changed is called after the pin was
// put to a level: the motor may have started or stopped. What faults do to it the board tells (fault.Board.OnChange).
func NewAerator(p Part, amps float64, activeLow, normallyClosed bool, changed func()) *Aerator {
	return &Aerator{part: p, amps: amps, activeLow: activeLow, closed: normallyClosed, changed: changed}
}

// AeratorFaults are the faults it can have.
func AeratorFaults() []fault.Kind {
	return []fault.Kind{fault.Unplug, fault.Stuck, fault.Broken, fault.Welded}
}

// Out puts the pin of the relay to a level.
func (a *Aerator) Out(l gpio.Level) error {
	a.mu.Lock()
	if kind := a.part.Faults.Kind(); kind != fault.Stuck {
		a.held = kind != fault.Unplug && bool(l) != a.activeLow
	}
	a.mu.Unlock()
	a.changed()
	return nil
}

// Turns reports whether the motor runs.
func (a *Aerator) Turns() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	kind := a.part.Faults.Kind()
	if kind == fault.Broken || kind == fault.Welded {
		return kind == fault.Welded
	}
	pulled := a.held && kind != fault.Unplug
	return pulled != a.closed
}

// current is what the motor draws, A.
func (a *Aerator) current(at time.Time) float64 {
	if !a.Turns() {
		return 0
	}
	return a.amps * (1 + 0.02*a.part.jitter(3, at))
}

// Transducer is a current transformer with a DC output round one lead of a motor, with a resistor to ground at the
// converter's input.
type Transducer struct {
	part   Part
	of     *Aerator
	perAmp float64 // V
}

// NewTransducer makes one that gives perAmp volts for every ampere.
func NewTransducer(p Part, of *Aerator, perAmp float64) *Transducer {
	return &Transducer{part: p, of: of, perAmp: perAmp}
}

// TransducerFaults are the faults it can have.
func TransducerFaults() []fault.Kind { return []fault.Kind{fault.Unplug, fault.Shorted} }

func (c *Transducer) volts(at time.Time) (float64, fault.Kind) {
	if kind := c.part.Faults.Kind(); kind != fault.None {
		return 0, kind
	}
	return math.Max(0, c.of.current(at)*c.perAmp+0.001*c.part.jitter(4, at)), fault.None
}

func (c *Transducer) worth(volts float64) (measure.Quantity, float64) {
	return measure.Current, volts / c.perAmp
}

func (c *Transducer) made() Part { return c.part }
