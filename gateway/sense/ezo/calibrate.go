package ezo

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// Identity is what a circuit says it is.
type Identity struct {
	Board    string // "pH", "D.O.", "EC", "ORP", "RTD"
	Firmware string
}

// Status is how a circuit is doing.
type Status struct {
	Restart byte    // why it restarted last: P power, S software, B brown-out, W watchdog, U unknown
	Volts   float64 // of its supply; 3.3 or 5 V
}

// Slope is how a pH probe compares with an ideal one. Healthy: both above 95 %, a new probe within ±5 mV.
type Slope struct {
	Acid, Base  float64 // % of the ideal slope below and above pH 7
	Offset      float64 // mV at pH 7
	OffsetKnown bool    // old firmware does not say
}

// Point is a point of a calibration.
type Point string

// The points. Which of them a board has, Points tells.
const (
	Mid    Point = "mid"    // pH: the buffer near 7. First: it deletes the other points
	Low    Point = "low"    // pH: the buffer near 4; EC: the lower of two standards
	High   Point = "high"   // pH: the buffer near 10; EC: the higher of two standards
	Dry    Point = "dry"    // EC: the probe dry in air, before any standard
	Air    Point = "air"    // DO: the probe wet in air, saturated
	Zero   Point = "zero"   // DO: in water without oxygen
	Single Point = "single" // EC, ORP, RTD: the one standard there is
)

// Points lists the points of a board, in the order in which they are to be taken.
func (b Board) Points() []Point {
	switch b {
	case DO:
		return []Point{Air, Zero}
	case PH:
		return []Point{Mid, Low, High}
	case EC:
		return []Point{Dry, Single, Low, High} // Single, or Low and High
	case ORP, RTD:
		return []Point{Single}
	}
	return nil
}

// TakesValue reports whether the value of a standard belongs to the point.
func (p Point) TakesValue() bool { return p == Mid || p == Low || p == High || p == Single }

// Board returns which circuit this one is configured to be.
func (d *Dev) Board() Board { return d.board }

// Command sends a command and returns the answer, "" when it has none. It waits as long as this board needs for it. The
// error is a *sense.Fault (Refused when the circuit does not know the command) or ctx's. What a command changes is asked
// anew before the next value.
func (d *Dev) Command(ctx context.Context, command string) (answer string, err error) {
	d.forget()
	return d.ask(ctx, command)
}

// Calibrate takes a calibration point with the probe standing in its standard; value is that of the standard in the
// board's unit at the present temperature, and ignored for points without one. The reading must have become stable. A
// circuit that is not what it is configured to be refuses.
func (d *Dev) Calibrate(ctx context.Context, p Point, value float64) error {
	if !slices.Contains(d.board.Points(), p) {
		return fmt.Errorf("ezo: a %s circuit has no calibration point %q", d.board, string(p))
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	command := "Cal"
	switch p {
	case Air:
	case Zero:
		command += ",0"
	case Dry:
		command += ",dry"
	case Single:
		command += "," + standard(value)
	case Mid, Low, High:
		command += "," + string(p) + "," + standard(value)
	}
	_, err := d.Command(ctx, command)
	return err
}

func standard(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// ClearCalibration deletes every point.
func (d *Dev) ClearCalibration(ctx context.Context) error {
	_, err := d.Command(ctx, "Cal,clear")
	return err
}

// CalPoints asks how many points the calibration has, 0 to 3.
func (d *Dev) CalPoints(ctx context.Context) (int, error) {
	answer, err := d.ask(ctx, "Cal,?")
	if err != nil {
		return 0, err
	}
	return ParseCalibration(answer)
}

// Slope asks a pH circuit how good its probe is; other circuits refuse.
func (d *Dev) Slope(ctx context.Context) (Slope, error) {
	answer, err := d.ask(ctx, "Slope,?")
	if err != nil {
		return Slope{}, err
	}
	return ParseSlope(answer)
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

// Status asks a circuit how it is doing.
func (d *Dev) Status(ctx context.Context) (Status, error) {
	answer, err := d.ask(ctx, "Status")
	if err != nil {
		return Status{}, err
	}
	return ParseStatus(answer)
}
