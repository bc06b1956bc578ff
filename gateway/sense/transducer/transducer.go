package transducer

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

// Scale is the line from volts to ampere.
type Scale struct {
	PerAmp float64 // V/A
	Zero   float64 // V without current
}

// Check reports why s is no scale.
func (s Scale) Check() error {
	if !(s.PerAmp >= 0.001 && s.PerAmp <= 5) {
		return fmt.Errorf("%v V/A is no transducer's scale: write 0.001 to 5, as 0.165 where 20 A give 3.3 V", s.PerAmp)
	}
	if !(s.Zero >= 0 && s.Zero <= 3.3) {
		return fmt.Errorf("%v V is no output without current: write 0 to 3.3", s.Zero)
	}
	return nil
}

// Dev is one transducer at one analog input. It is used by one goroutine at a time.
type Dev struct {
	adc   Volts
	input int
	scale Scale
}

// New returns the transducer at an input of adc.
func New(adc Volts, input int, scale Scale) *Dev { return &Dev{adc: adc, input: input, scale: scale} }

// Sense implements sense.Sensor. Less than the zero by the noise of the converter is a current below nothing, and kept.
func (d *Dev) Sense(ctx context.Context) ([]sense.Sample, error) {
	v, err := d.adc.Volts(ctx, d.input)
	if err != nil {
		return nil, err
	}
	return []sense.Sample{{Quantity: measure.Current, Value: (v - d.scale.Zero) / d.scale.PerAmp}}, nil
}
