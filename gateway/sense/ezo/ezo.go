package ezo

import (
	"context"
	"errors"
	"strconv"
	"time"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// Board is a kind of EZO circuit.
type Board uint8

// The boards.
const (
	DO Board = iota // dissolved oxygen, mg/L; factory address 0x61
	PH              // pH; factory address 0x63
)

const (
	// defaultCelsius goes along when the water temperature is not known.
	defaultCelsius = 25.0

	waitReading = 900 * time.Millisecond // RT on both boards, R on the slower one
	waitCommand = 300 * time.Millisecond
	pollEvery   = 100 * time.Millisecond
	pollMost    = 10
)

// Dev is one circuit. It is used by one goroutine at a time.
type Dev struct {
	dev        i2c.Dev
	board      Board
	inputs     sense.Inputs
	clock      sense.Clock
	calibrated bool // known to be
}

// New returns the circuit at addr of bus; inputs tell it the temperature of its water.
func New(bus i2c.Bus, addr uint16, board Board, inputs sense.Inputs, clock sense.Clock) *Dev {
	return &Dev{dev: i2c.Dev{Bus: bus, Addr: addr}, board: board, inputs: inputs, clock: clock}
}

// Sense implements sense.Sensor: one dissolved oxygen in mg/L, or one pH.
func (d *Dev) Sense(ctx context.Context) ([]sense.Sample, error) {
	sample, err := d.sense(ctx)
	if err != nil {
		d.calibrated = false // who knows which circuit answers next
		return nil, err
	}
	return []sense.Sample{sample}, nil
}

func (d *Dev) sense(ctx context.Context) (sense.Sample, error) {
	if err := d.askCalibration(ctx); err != nil {
		return sense.Sample{}, err
	}
	water, quality := sense.InputOr(d.inputs, measure.WaterTemperature, defaultCelsius)
	if !d.calibrated {
		quality = measure.Worse(quality, measure.Uncalibrated)
	}
	command := "RT," + strconv.FormatFloat(water.Value, 'f', 2, 64)
	answer, err := d.ask(ctx, command, waitReading)
	if err != nil {
		return sense.Sample{}, err
	}
	v, err := ParseReading(answer)
	if err != nil {
		return sense.Sample{}, err
	}
	q := measure.DissolvedOxygen
	if d.board == PH {
		q = measure.PH
	}
	return sense.Sample{Quantity: q, Value: v, Quality: quality, Inputs: []measure.Input{water}}, nil
}

// askCalibration asks whether the circuit is calibrated, unless it is known to be. A circuit that does not know the
// command counts as uncalibrated: it can measure all the same.
func (d *Dev) askCalibration(ctx context.Context) error {
	if d.calibrated {
		return nil
	}
	answer, err := d.ask(ctx, "Cal,?", waitCommand)
	if errors.Is(err, errSyntax) {
		return nil
	}
	if err != nil {
		return err
	}
	points, err := ParseCalibration(answer)
	if err != nil {
		return err
	}
	d.calibrated = points > 0
	return nil
}

// ask writes a command, waits for the time it takes, and reads until the circuit is done or the bound is reached.
func (d *Dev) ask(ctx context.Context, command string, wait time.Duration) (string, error) {
	if err := d.dev.Tx([]byte(command), nil); err != nil {
		return "", sense.BusFault(err)
	}
	if err := d.clock.Sleep(ctx, wait); err != nil {
		return "", err
	}
	for range pollMost {
		var b [ReplyLength]byte
		if err := d.dev.Tx(nil, b[:]); err != nil {
			return "", sense.BusFault(err)
		}
		answer, err := ParseReply(b)
		if !errors.Is(err, errBusy) {
			return answer, err
		}
		if err := d.clock.Sleep(ctx, pollEvery); err != nil {
			return "", err
		}
	}
	return "", sense.Faultf(measure.NotReady, "ezo: %q: still processing after %v", command, wait+pollMost*pollEvery)
}
