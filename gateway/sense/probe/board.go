package probe

import (
	"context"
	"fmt"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// Volts reads an analog input (ads1115.Dev). Its error is a *sense.Fault or ctx's.
type Volts interface {
	Volts(ctx context.Context, input int) (float64, error)
}

// Board is an analog probe at one input of a converter. It is used by one goroutine at a time.
type Board struct {
	analog     *Analog
	id         string
	adc        Volts
	input      int
	inputs     sense.Inputs
	convert    converter
	calibrated bool
}

// NewBoard returns the probe of a checked template at an input of adc. points are its own, or none; CheckPoints found them
// good: others panic.
func NewBoard(t *Template, adc Volts, input int, points []Point, inputs sense.Inputs) *Board {
	convert, err := t.Analog.converter(points)
	if err != nil {
		panic(fmt.Sprintf("probe: %s: points that were not checked: %v", t.ID, err))
	}
	return &Board{
		analog: t.Analog, id: t.ID, adc: adc, input: input, inputs: inputs, convert: convert, calibrated: len(points) > 0,
	}
}

// Sense implements sense.Sensor.
func (b *Board) Sense(ctx context.Context) ([]sense.Sample, error) {
	at, err := b.adc.Volts(ctx, b.input)
	if err != nil {
		return nil, err
	}
	a := b.analog
	volts := at * a.Gain()
	switch {
	case volts < a.ShortedBelow:
		return nil, sense.Faultf(measure.Shorted, "%s: input %d is at %.3f V: its wire touches ground", b.id, b.input, at)
	case volts < a.AbsentBelow:
		return nil, sense.Faultf(measure.NoResponse, "%s: input %d is at %.3f V, less than the probe gives: check its plug and supply", b.id, b.input, at)
	}
	s, err := a.sample(volts, b.convert, b.calibrated, b.inputs)
	if err != nil {
		return nil, sense.Faultf(measure.Refused, "%s: %w", b.id, err)
	}
	return []sense.Sample{s}, nil
}

// sample makes the sample of so many volts of the probe. The error is that of a formula beyond its limits.
func (a *Analog) sample(volts float64, convert converter, calibrated bool, inputs sense.Inputs) (sense.Sample, error) {
	s := sense.Sample{Quantity: a.Quantity}
	if !calibrated || a.Indicative != "" {
		s.Quality = measure.Uncalibrated
	}
	w := StandardWater()
	for _, q := range a.Inputs() {
		at := w.Of(q)
		in, quality := sense.InputOr(inputs, q, *at)
		*at = in.Value
		s.Inputs, s.Quality = append(s.Inputs, in), measure.Worse(s.Quality, quality)
	}
	var err error
	if s.Value, err = convert(volts, w); err != nil {
		return s, err
	}
	if volts < a.ValidFrom || volts > a.ValidTo || a.Min != nil && s.Value < *a.Min || a.Max != nil && s.Value > *a.Max {
		s.Quality = measure.OutOfRange
	}
	return s, nil
}
