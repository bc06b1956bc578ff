// Package sense turns chips into readings.
//
// Buses come in (periph's conn interfaces, or a folder of w1 files), readings go out, each with a time, a quality and,
// where there is no value, the reason. A driver lives in a folder of its own and does one thing: ask the chip once. When
// to ask, what a value is worth and what time it is are decided here, once.
package sense

import (
	"context"
	"fmt"
	"time"

	"aovuon/gateway/measure"
)

// Sensor is one chip or probe, ready to be asked. A Sensor is used by one goroutine at a time: its bus's.
type Sensor interface {
	// Sense asks the chip once. It returns every quantity the chip gives, or a *Fault. It keeps no goroutine and waits
	// only through the Clock it was made with.
	Sense(ctx context.Context) ([]Sample, error)
}

// Sample is what a driver reads: a value and what the driver knows of its worth.
type Sample struct {
	Quantity measure.Quantity
	Value    float64
	// Quality is what the driver leaves of it, or that of the worst input of a derived value; the physical limits are
	// checked by the caller. Fault: there is no value, and Reason says why, while the rest of the chip is well.
	Quality measure.Quality
	Reason  measure.FaultReason
	Inputs  []measure.Input // what the value was computed with, in the order it was used
}

// Inputs tells a driver the value of another channel that its own is computed with: the water temperature behind an
// oxygen. ok is false when nobody knows it, or only an old value is known: then the driver says what it assumed in its
// place, and its sample is Estimated. It is called from the goroutine of the driver's bus.
type Inputs interface {
	Input(q measure.Quantity) (in measure.Input, ok bool)
}

// NoInputs is the Inputs of a sensor with no others around it.
type NoInputs struct{}

// Input implements Inputs.
func (NoInputs) Input(measure.Quantity) (measure.Input, bool) { return measure.Input{}, false }

// InputOr asks from for q and falls back to a value that is only assumed. The quality is what it leaves of a sample
// computed with it: Good, or Estimated when it is assumed. A stale value is better than a default and is taken, too.
func InputOr(from Inputs, q measure.Quantity, fallback float64) (measure.Input, measure.Quality) {
	in, ok := from.Input(q)
	switch {
	case ok:
		return in, measure.Good
	case in.Sensor != "": // known, and old
		in.Assumed = true
		return in, measure.Estimated
	}
	return measure.Input{Quantity: q, Value: fallback, Assumed: true}, measure.Estimated
}

// Fault is the error a driver returns when there is no value, and why.
type Fault struct { //nolint:errname // a fault is the word of the domain
	Reason measure.FaultReason
	Err    error // what happened, for the log
}

func (f *Fault) Error() string { return fmt.Sprintf("%s: %v", f.Reason, f.Err) }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Clock is the time the sensing side lives in: the machine's, or a simulated season's.
type Clock interface {
	// Now returns the present instant: wall time with its state, uptime and boot.
	Now() measure.Instant
	// Sleep waits for d of this clock's time, or until ctx is done; then it returns ctx's error.
	Sleep(ctx context.Context, d time.Duration) error
}
