package capacitive

import (
	"context"
	"errors"
	"fmt"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// Volts reads an analog input (ads1115.Dev). Its error is a *sense.Fault or ctx's.
type Volts interface {
	Volts(ctx context.Context, input int) (float64, error)
}

// Point is one soil sample whose water content is known (oven-dried and weighed), or one end of the scale.
type Point struct {
	Volts float64 // V, the probe's output in it
	VWC   float64 // %, volumetric water content
}

// Calibration is the line from volts to water content.
type Calibration struct{ Dry, Wet Point }

// Published returns the calibration of DFRobot's example, from air to water: where to begin, not what to trust.
func Published() Calibration {
	const volt = 5.0 / 1023
	return Calibration{Dry: Point{Volts: 520 * volt, VWC: 0}, Wet: Point{Volts: 260 * volt, VWC: 100}}
}

// Check reports why c is no calibration.
func (c Calibration) Check() error {
	for _, p := range []Point{c.Dry, c.Wet} {
		if !(p.VWC >= 0 && p.VWC <= 100) {
			return fmt.Errorf("vwc %v is no water content in %%: write 0 to 100", p.VWC)
		}
		if !(p.Volts > 0 && p.Volts < 5) {
			return fmt.Errorf("volts %v is no output of a probe: write what it gave in that soil, between 0 and 5", p.Volts)
		}
	}
	if !(c.Wet.VWC > c.Dry.VWC) {
		return errors.New("wet soil must hold more water than dry soil: write the wetter sample under wet")
	}
	if !(c.Wet.Volts < c.Dry.Volts) {
		return errors.New("the output falls as soil gets wetter: dry volts must be above wet volts")
	}
	return nil
}

// VWC is the volumetric water content in % at v volts. It may lie below 0 or above 100.
func (c Calibration) VWC(v float64) float64 {
	return c.Dry.VWC + (v-c.Dry.Volts)*(c.Wet.VWC-c.Dry.VWC)/(c.Wet.Volts-c.Dry.Volts)
}

// shorted is the output, in V, below which the wire touches ground.
const shorted = 0.05

// Probe is one probe at one analog input. It is used by one goroutine at a time.
type Probe struct {
	adc     Volts
	input   int
	cal     Calibration
	quality measure.Quality
}

// New returns the probe at an input of adc; cal is nil while the probe is not calibrated.
func New(adc Volts, input int, cal *Calibration) *Probe {
	if cal == nil {
		return &Probe{adc: adc, input: input, cal: Published(), quality: measure.Uncalibrated}
	}
	return &Probe{adc: adc, input: input, cal: *cal}
}

// Sense implements sense.Sensor: soil moisture in % of volume.
//
// An input nobody drives floats at about 0.6 V. No probe goes that low even in water, so below half of the wet end there
// is no probe, and no value.
func (p *Probe) Sense(ctx context.Context) ([]sense.Sample, error) {
	v, err := p.adc.Volts(ctx, p.input)
	switch {
	case err != nil:
		return nil, err
	case v < shorted:
		return nil, sense.Faultf(measure.Shorted, "capacitive: input %d is at %.3f V: its wire touches ground", p.input, v)
	case v < p.cal.Wet.Volts/2:
		return nil, sense.Faultf(measure.NoResponse, "capacitive: input %d is at %.3f V, less than a probe gives in water: "+
			"check its plug and supply", p.input, v)
	}
	return []sense.Sample{{Quantity: measure.SoilMoisture, Value: p.cal.VWC(v), Quality: p.quality}}, nil
}
