package ezo

import (
	"context"
	"strconv"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// What goes along when nobody knows better.
const (
	defaultCelsius  = 25.0
	defaultSalinity = 0.0     // ‰
	defaultPressure = 1013.25 // hPa
)

// Dev is one circuit. It is used by one goroutine at a time.
type Dev struct {
	dev    i2c.Dev
	board  Board
	inputs sense.Inputs
	clock  sense.Clock

	settled    bool  // it is the board it should be and puts out what it should
	calibrated bool  // known to be
	on         int   // how many values a reading has
	told       *told // salinity and pressure it was told last
}

// New returns the circuit at addr of bus; inputs tell it the state of its water.
func New(bus i2c.Bus, addr uint16, board Board, inputs sense.Inputs, clock sense.Clock) *Dev {
	return &Dev{dev: i2c.Dev{Bus: bus, Addr: addr}, board: board, inputs: inputs, clock: clock}
}

// Sense implements sense.Sensor: one value of the board's quantity.
func (d *Dev) Sense(ctx context.Context) ([]sense.Sample, error) {
	sample, err := d.sense(ctx)
	if err != nil {
		d.forget() // who knows which circuit answers next
		return nil, err
	}
	return []sense.Sample{sample}, nil
}

func (d *Dev) forget() { d.settled, d.calibrated, d.told = false, false, nil }

func (d *Dev) sense(ctx context.Context) (sense.Sample, error) {
	if err := d.settle(ctx); err != nil {
		return sense.Sample{}, err
	}
	t := d.board.traits()
	sample := sense.Sample{Quantity: t.quantity}
	command := "R"
	if t.compensate {
		water := d.input(&sample, measure.WaterTemperature, defaultCelsius)
		command = "RT," + strconv.FormatFloat(water, 'f', 2, 64)
	}
	if d.board == DO {
		salinity := d.input(&sample, measure.Salinity, defaultSalinity)
		pressure := d.input(&sample, measure.AirPressure, defaultPressure)
		if err := d.tell(ctx, told{salinity: salinity, kPa: pressure / 10}); err != nil {
			return sense.Sample{}, err
		}
	}
	answer, err := d.ask(ctx, command)
	if err != nil {
		return sense.Sample{}, err
	}
	if sample.Value, err = ParseReading(answer, d.on); err != nil {
		return sense.Sample{}, err
	}
	if t.calibrated && !d.calibrated {
		sample.Quality = measure.Worse(sample.Quality, measure.Uncalibrated)
	}
	return sample, d.plausible(sample.Value)
}

// input takes an input, notes it in the sample, and returns its value.
func (d *Dev) input(sample *sense.Sample, q measure.Quantity, fallback float64) float64 {
	in, quality := sense.InputOr(d.inputs, q, fallback)
	sample.Inputs = append(sample.Inputs, in)
	sample.Quality = measure.Worse(sample.Quality, quality)
	return in.Value
}

// plausible tells the number of an RTD circuit without a probe (-1023) from a temperature: its range is -126 to 1254 °C.
func (d *Dev) plausible(v float64) error {
	if d.board == RTD && v < -126 {
		return sense.Faultf(measure.NoResponse, "ezo: RTD circuit reads %g °C: no probe is connected to it", v)
	}
	return nil
}
