package ezo

import (
	"context"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// Identity is what a circuit says it is.
type Identity struct {
	Board    string // "pH", "D.O.", "EC", "ORP", "RTD"
	Firmware string
}

// Slope is how a pH probe compares with an ideal one. Healthy: both above 95 %, a new probe within ±5 mV.
type Slope struct {
	Acid, Base  float64 // % of the ideal slope below and above pH 7
	Offset      float64 // mV at pH 7
	OffsetKnown bool    // old firmware does not say
}

// Command sends a command and returns the answer, "" when it has none. It waits as long as this board needs for it. The
// error is a *sense.Fault (Refused when the circuit does not know the command) or ctx's. What a command changes is asked
// anew before the next value.
func (d *Dev) Command(ctx context.Context, command string) (answer string, err error) {
	d.forget()
	return d.ask(ctx, command)
}

// CalPoints asks how many points the calibration has, 0 to 3.
func (d *Dev) CalPoints(ctx context.Context) (int, error) {
	answer, err := d.ask(ctx, "Cal,?")
	if err != nil {
		return 0, err
	}
	return ParseCalibration(answer)
}

// Identify asks a circuit what it is.
func (d *Dev) Identify(ctx context.Context) (Identity, error) {
	answer, err := d.ask(ctx, "I")
	if err != nil {
		return Identity{}, err
	}
	f, ok := fields(answer, "I")
	if !ok || len(f) != 2 || f[0] == "" {
		return Identity{}, sense.Faultf(measure.Garbled, "ezo: %q is no answer to I", answer)
	}
	return Identity{Board: f[0], Firmware: f[1]}, nil
}
