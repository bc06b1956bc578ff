package ezo

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// settle asks what has to be known of a circuit before its numbers mean anything: see the package comment.
func (d *Dev) settle(ctx context.Context) error {
	if !d.settled {
		id, err := d.Identify(ctx)
		if err != nil {
			return err
		}
		if !d.board.is(id.Board) {
			return sense.Faultf(measure.Refused, "ezo: the circuit at 0x%02x is %q, not %s: correct its kind or its address in the configuration",
				d.dev.Addr, id.Board, d.board)
		}
		if err := d.settleOutputs(ctx); err != nil {
			return err
		}
		d.settled = true
	}
	if d.calibrated || !d.board.traits().calibrated {
		return nil
	}
	points, err := d.CalPoints(ctx)
	if errors.Is(err, errSyntax) {
		return nil // it counts as uncalibrated, and can measure all the same
	}
	d.calibrated = points > 0
	return err
}

// settleOutputs has the circuit put out the quantity and unit that is wanted, and learns how many others come with it.
func (d *Dev) settleOutputs(ctx context.Context) error {
	d.on = 1
	if d.board == RTD {
		return d.settleScale(ctx)
	}
	possible := d.board.traits().outputs
	if possible == nil {
		return nil
	}
	for _, command := range []string{"", "O," + possible[0] + ",1"} {
		if command != "" {
			if _, err := d.ask(ctx, command); err != nil {
				return err
			}
		}
		answer, err := d.ask(ctx, "O,?")
		if errors.Is(err, errSyntax) {
			d.on = 0 // firmware older than the command: it puts out what is wanted, and whatever comes with it
			return nil
		}
		if err != nil {
			return err
		}
		on, err := ParseOutputs(answer, possible)
		if err != nil {
			return err
		}
		if slices.Contains(on, possible[0]) {
			d.on = len(on)
			return nil
		}
	}
	return sense.Faultf(measure.Refused, "ezo: the %s circuit does not put out %s and does not take O,%s,1", d.board, possible[0], possible[0])
}

// settleScale has an RTD circuit give degrees Celsius.
func (d *Dev) settleScale(ctx context.Context) error {
	for _, command := range []string{"S,?", "S,c", "S,?"} {
		answer, err := d.ask(ctx, command)
		if err != nil {
			return err
		}
		if command == "S,c" {
			continue
		}
		scale, ok := fields(answer, "S")
		if !ok || len(scale) != 1 {
			return sense.Faultf(measure.Garbled, "ezo: %q is no answer to S,?", answer)
		}
		if strings.EqualFold(scale[0], "c") {
			return nil
		}
	}
	return sense.Faultf(measure.Refused, "ezo: the RTD circuit does not take S,c: it goes on with another scale")
}

// told is the state of the water that an oxygen circuit is told apart from the question.
type told struct {
	salinity float64 // ‰
	kPa      float64
}

// near reports whether a circuit that repeats b was told a: it rounds.
func (a told) near(b told) bool {
	return math.Abs(a.salinity-b.salinity) < 0.06 && math.Abs(a.kPa-b.kPa) < 0.06
}

// tell has the circuit compensate with want. It asks first what the circuit works with: one that has lost what it was told
// was restarted, and is asked everything else anew, too.
func (d *Dev) tell(ctx context.Context, want told) error {
	has, err := d.toldNow(ctx)
	if err != nil {
		return err
	}
	if d.told != nil && !d.told.near(has) {
		d.forget()
		if err := d.settle(ctx); err != nil {
			return err
		}
	}
	if !want.near(has) {
		for _, command := range []string{
			"S," + strconv.FormatFloat(want.salinity, 'f', 2, 64) + ",ppt",
			"P," + strconv.FormatFloat(want.kPa, 'f', 2, 64),
		} {
			if _, err := d.ask(ctx, command); err != nil {
				return err
			}
		}
		if has, err = d.toldNow(ctx); err != nil {
			return err
		}
		if !want.near(has) {
			return sense.Faultf(measure.Refused, "ezo: told %.2f ‰ and %.2f kPa, the circuit works with %.2f ‰ and %.2f kPa",
				want.salinity, want.kPa, has.salinity, has.kPa)
		}
	}
	d.told = &has
	return nil
}

// toldNow asks what the circuit compensates with.
func (d *Dev) toldNow(ctx context.Context) (has told, err error) {
	answer, err := d.ask(ctx, "S,?")
	if err != nil {
		return told{}, err
	}
	if has.salinity, err = ParseSalinity(answer); err != nil {
		return told{}, err
	}
	if answer, err = d.ask(ctx, "P,?"); err != nil {
		return told{}, err
	}
	has.kPa, err = ParsePressure(answer)
	return has, err
}
