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

const (
	// shorted is the voltage below which the wire touches ground.
	shorted = 0.05
	// floating is the voltage below which no probe is plugged in: an open input of the converter hangs at 0.5 to 0.65 V,
	// and a probe gives more than 1 V even in water.
	floating = 0.7
)

// Probe is one probe at one analog input. It is used by one goroutine at a time.
type Probe struct {
	adc     Volts
	input   int
	made    *Calibration // what it was made with
	cal     Calibration
	quality measure.Quality
	least   float64 // V, what the probe gives at the least
}

// New returns the probe at an input of adc; cal is nil while the probe is not calibrated.
func New(adc Volts, input int, cal *Calibration) *Probe {
	p := &Probe{adc: adc, input: input, made: cal}
	p.Calibrate(nil)
	return p
}

// Calibrate sets the line in force from the next question on; nil goes back to what the probe was made with.
func (p *Probe) Calibrate(cal *Calibration) {
	p.cal, p.quality = Published(), measure.Uncalibrated
	if cal == nil {
		cal = p.made
	}
	if cal != nil {
		p.cal, p.quality = *cal, measure.Good
	}
	p.least = min(floating, 0.85*p.cal.Wet.Volts) // a probe whose output is that low was calibrated by somebody who saw it
}

// Volts asks the probe's output once. An input to which no probe is plugged is a fault.
func (p *Probe) Volts(ctx context.Context) (float64, error) {
	v, err := p.adc.Volts(ctx, p.input)
	switch {
	case err != nil:
		return 0, err
	case v < shorted:
		return 0, sense.Faultf(measure.Shorted, "capacitive: input %d is at %.3f V: its wire touches ground", p.input, v)
	case v < p.least:
		return 0, sense.Faultf(measure.NoResponse, "capacitive: input %d is at %.3f V, less than a probe gives in water: "+
			"check its plug and supply", p.input, v)
	}
	return v, nil
}

// Sense implements sense.Sensor: soil moisture in % of volume.
func (p *Probe) Sense(ctx context.Context) ([]sense.Sample, error) {
	v, err := p.Volts(ctx)
	if err != nil {
		return nil, err
	}
	return []sense.Sample{{Quantity: measure.SoilMoisture, Value: p.cal.VWC(v), Quality: p.quality}}, nil
}
