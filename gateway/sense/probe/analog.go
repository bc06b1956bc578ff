package probe

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/formula"
)

// Analog is a probe whose volts an ADS1115 reads.
type Analog struct {
	Quantity     measure.Quantity `yaml:"quantity" doc:"What it measures."`
	Supply       string           `yaml:"supply" doc:"Supply its curve holds for."`
	Divider      float64          `yaml:"divider" doc:"Volts of the probe for one volt at the converter's input; left out: 1. An input bears no more than its own supply."`
	ValidFrom    float64          `yaml:"valid_from" doc:"Least volts of the probe its conversion holds for; below it the value is out of range."`
	ValidTo      float64          `yaml:"valid_to" doc:"Most volts it holds for."`
	ShortedBelow float64          `yaml:"shorted_below" doc:"Below so many volts the wire touches ground; left out: such volts are values."`
	AbsentBelow  float64          `yaml:"absent_below" doc:"Below so many volts no probe is plugged in (an open input hangs at 0.5 to 0.65 V); left out: such volts are values."`
	Min          *float64         `yaml:"min" doc:"Least it can measure, in the quantity's unit; below is out of range."`
	Max          *float64         `yaml:"max" doc:"Most it can measure."`
	Indicative   string           `yaml:"indicative" doc:"Why its value is no measurement even when it was calibrated."`
	PH           *PHCurve         `yaml:"ph" doc:"Conversion of a pH board. Exactly one of ph, conductivity, oxygen, curve and line."`
	Conductivity *CellCurve       `yaml:"conductivity" doc:"Conversion of a conductivity board."`
	Oxygen       *GalvanicCurve   `yaml:"oxygen" doc:"Conversion of a galvanic oxygen probe."`
	Curve        []float64        `yaml:"curve" doc:"Conversion by a polynomial of the volts: its coefficients, lowest first."`
	Line         []Point          `yaml:"line" doc:"Conversion by a line through two points, until the probe has points of its own."`
	Golden       []VoltsFrame     `yaml:"golden" doc:"Volts and what they must give: the test of this file. At least one."`
}

// PHCurve is a pH electrode behind an amplifier. Temperature scales the distance from the isopotential point, never the
// whole voltage.
type PHCurve struct {
	IsoVolts float64 `yaml:"iso_volts" doc:"What the board gives at pH 7."`
	Gain     float64 `yaml:"gain" doc:"Volts of the board for one volt of the electrode."`
}

// CellCurve is a conductivity cell.
type CellCurve struct {
	PerVolt     float64 `yaml:"per_volt" doc:"µS/cm for one volt, with a cell constant of 1."`
	Coefficient float64 `yaml:"coefficient" doc:"Share the conductivity grows by for each °C, about 25 °C."`
	LowBelow    float64 `yaml:"low_below" doc:"µS/cm below which the constant of the lower standard counts, with two points."`
	HighAbove   float64 `yaml:"high_above" doc:"µS/cm above which that of the higher one counts; between the two they blend."`
}

// GalvanicCurve is a galvanic oxygen probe: its volts stand to those in saturated water as the oxygen to saturation.
type GalvanicCurve struct {
	Saturated  []Point `yaml:"saturated" doc:"Volts in water saturated with air at two temperatures (value: 100), until the probe has points of its own."`
	PerCelsius float64 `yaml:"per_celsius" doc:"Volts by which the saturated ones grow for each °C, with one point."`
}

// Point is volts a probe gave where the value was known: in a buffer, a standard, saturated water, a soil sample.
type Point struct {
	Volts   float64  `yaml:"volts" doc:"Volts of the probe."`
	Value   float64  `yaml:"value" doc:"The known value: pH of the buffer, µS/cm at 25 °C of the standard, 100 (%) in saturated water, else the quantity's unit."`
	Celsius *float64 `yaml:"temperature" doc:"°C of it; left out: 25."`
}

// VoltsFrame is a golden pair of an analog probe.
type VoltsFrame struct {
	Name     string   `yaml:"name" doc:"What it shows."`
	Origin   Origin   `yaml:"origin" doc:"published, device or derived."`
	Volts    float64  `yaml:"volts" doc:"Volts of the probe."`
	Celsius  *float64 `yaml:"temperature" doc:"°C of the water; left out: 25."`
	Salinity float64  `yaml:"salinity" doc:"‰; left out: 0."`
	Pressure float64  `yaml:"pressure" doc:"hPa; left out: 1013.25."`
	Points   []Point  `yaml:"points" doc:"Points of the probe; left out: as it comes."`
	Value    float64  `yaml:"value" doc:"What it must give, to half a unit of its last digit."`
	Grade    string   `yaml:"quality" doc:"The quality it must have; left out: good with points, uncalibrated without."`
}

// Water is what a conversion is told of the water.
type Water struct {
	Celsius  float64
	Salinity float64 // ‰
	HPa      float64
}

// StandardWater is what is assumed where nothing is known.
func StandardWater() Water { return Water{Celsius: 25, HPa: 1013.25} }

// Of returns the property of w that a quantity is, to be read or set; nil for a quantity that is none.
func (w *Water) Of(q measure.Quantity) *float64 {
	if q == measure.WaterTemperature {
		return &w.Celsius
	}
	if q == measure.Salinity {
		return &w.Salinity
	}
	if q == measure.AirPressure {
		return &w.HPa
	}
	return nil
}

// Input implements sense.Inputs.
func (w *Water) Input(q measure.Quantity) (measure.Input, bool) {
	v := w.Of(q)
	if v == nil {
		return measure.Input{}, false
	}
	return measure.Input{Quantity: q, Value: *v}, true
}

const standardCelsius = 25

func (p Point) celsius() float64 {
	if p.Celsius == nil {
		return standardCelsius
	}
	return *p.Celsius
}

// Gain is the volts of the probe for one volt at the converter's input.
func (a *Analog) Gain() float64 {
	if a.Divider == 0 {
		return 1
	}
	return a.Divider
}

// Inputs lists what the conversion needs to know of the water.
func (a *Analog) Inputs() []measure.Quantity {
	switch {
	case a.PH != nil, a.Conductivity != nil:
		return []measure.Quantity{measure.WaterTemperature}
	case a.Oxygen != nil:
		return []measure.Quantity{measure.WaterTemperature, measure.Salinity, measure.AirPressure}
	}
	return nil
}

// CheckPoints reports why points are no calibration of such a probe. None is the probe as it comes.
func (a *Analog) CheckPoints(points []Point) error {
	if len(points) == 0 {
		return nil
	}
	if len(points) > 2 || a.Line != nil && len(points) != 2 {
		return fmt.Errorf("%d points: write %s", len(points), a.pointsMend())
	}
	if a.Curve != nil {
		return errors.New("this probe keeps its published curve: remove the points")
	}
	for _, p := range points {
		if math.IsNaN(p.Volts) || p.Volts <= 0 || p.Volts > 6 {
			return fmt.Errorf("a point at %g V: write what the probe gave, more than 0 and at most 6", p.Volts)
		}
	}
	if len(points) == 2 && (points[0].Volts == points[1].Volts || a.Oxygen == nil && points[0].Value == points[1].Value) {
		return errors.New("the two points are the same: write two that differ in volts and in value")
	}
	_, err := a.converter(points)
	return err
}

func (a *Analog) pointsMend() string {
	if a.Line != nil {
		return "two: one at each end of what it is to measure"
	}
	return "one or two"
}

// converter is a conversion with the points of one probe in it.
type converter func(volts float64, w Water) (float64, error)

func (a *Analog) converter(points []Point) (converter, error) {
	switch {
	case a.PH != nil:
		return a.PH.with(points)
	case a.Conductivity != nil:
		return a.Conductivity.with(points)
	case a.Oxygen != nil:
		return a.Oxygen.with(points)
	case len(a.Curve) > 0:
		return func(v float64, _ Water) (float64, error) { return polynomial(v, a.Curve), nil }, nil
	}
	if len(points) != 2 {
		points = a.Line
	}
	return func(v float64, _ Water) (float64, error) { return through(points[0], points[1], v), nil }, nil
}

// through is the line through two points.
func through(p, q Point, volts float64) float64 {
	return p.Value + (volts-p.Volts)*(q.Value-p.Value)/(q.Volts-p.Volts)
}

func polynomial(x float64, coefficients []float64) float64 {
	var sum float64
	for _, c := range slices.Backward(coefficients) {
		sum = sum*x + c
	}
	return sum
}

// with finds the electrode's isopotential voltage from one point, and its slope, too, from two.
func (c *PHCurve) with(points []Point) (converter, error) {
	iso, slope := c.IsoVolts, 1.0
	distance := func(p Point) (float64, error) { // volts of the board that an ideal electrode is from pH 7 at p
		perPH, err := formula.NernstSlope(p.celsius())
		return (7 - p.Value) * perPH * c.Gain / 1000, err
	}
	if len(points) > 0 {
		d0, err := distance(points[0])
		if err != nil {
			return nil, err
		}
		if len(points) > 1 {
			d1, err := distance(points[1])
			if err != nil {
				return nil, err
			}
			slope = (points[0].Volts - points[1].Volts) / (d0 - d1)
		}
		iso = points[0].Volts - slope*d0
	}
	if !(slope >= 0.5 && slope <= 1.2) {
		return nil, fmt.Errorf("a slope of %.0f %%: an electrode has 50 to 120 %%: the buffers are swapped or spoilt, or the electrode is used up", 100*slope)
	}
	return func(v float64, w Water) (float64, error) {
		return formula.PH(1000*(v-iso)/c.Gain, 0, slope, w.Celsius)
	}, nil
}

// with finds the cell constant from one point, and one for either end from two.
func (c *CellCurve) with(points []Point) (converter, error) {
	low, high := 1.0, 1.0
	for i, p := range points {
		is, err := formula.ConductivityAt25(p.Volts*c.PerVolt, p.celsius(), c.Coefficient)
		if err != nil {
			return nil, err
		}
		k := p.Value / is
		if !(k >= 0.5 && k <= 1.5) {
			return nil, fmt.Errorf("a cell constant of %.2f: a cell has 0.5 to 1.5: the standard is another one or spoilt, or the cell is dirty", k)
		}
		higher := i == 0 && len(points) == 2 && points[0].Value > points[1].Value || i == 1 && points[1].Value > points[0].Value
		if higher || len(points) == 1 {
			high = k
		}
		if !higher || len(points) == 1 {
			low = k
		}
	}
	return func(v float64, w Water) (float64, error) {
		ec, err := formula.ConductivityAt25(v*c.PerVolt, w.Celsius, c.Coefficient)
		if err != nil {
			return 0, err
		}
		share := math.Min(1, math.Max(0, (ec-c.LowBelow)/(c.HighAbove-c.LowBelow)))
		return ec * (low + share*(high-low)), nil
	}, nil
}

// with finds the voltage in saturated water from one point, and how it grows with temperature from two.
func (c *GalvanicCurve) with(points []Point) (converter, error) {
	for _, p := range points {
		if p.Value != 100 {
			return nil, fmt.Errorf("a point at %g %%: write value: 100, for the volts in water saturated with air", p.Value)
		}
	}
	perCelsius := c.PerCelsius
	if len(points) == 0 {
		points = c.Saturated
	}
	first := points[0]
	if len(points) > 1 {
		apart := points[1].celsius() - first.celsius()
		if math.Abs(apart) < 1 {
			return nil, errors.New("two points at one temperature: write one of them, or take the second in colder water")
		}
		perCelsius = (points[1].Volts - first.Volts) / apart
	}
	return func(v float64, w Water) (float64, error) {
		full, err := formula.OxygenSaturation(w.Celsius, w.Salinity, w.HPa)
		if err != nil {
			return 0, err
		}
		saturated := first.Volts + perCelsius*(w.Celsius-first.celsius())
		if saturated <= 0 {
			return 0, fmt.Errorf("probe: at %g °C saturated water would give %g V", w.Celsius, saturated)
		}
		return v / saturated * full, nil
	}, nil
}

// Value is what so many volts of the probe mean: points are its own, or none. The error is that of points that are none, or
// of a formula beyond its limits.
func (a *Analog) Value(volts float64, points []Point, w Water) (float64, error) {
	convert, err := a.converter(points)
	if err != nil {
		return 0, err
	}
	return convert(volts, w)
}

// Volts is the inverse of a conversion: what the probe gives where the value is so, within the volts it holds for. Of two
// it is the higher one.
func (a *Analog) Volts(value float64, points []Point, w Water) (float64, error) {
	convert, err := a.converter(points)
	if err != nil {
		return 0, err
	}
	const steps = 400
	above, err := convert(a.ValidTo, w)
	if err != nil {
		return 0, err
	}
	for i := steps - 1; i >= 0; i-- {
		lo := a.ValidFrom + (a.ValidTo-a.ValidFrom)*float64(i)/steps
		hi := a.ValidFrom + (a.ValidTo-a.ValidFrom)*float64(i+1)/steps
		below, err := convert(lo, w)
		if err != nil {
			return 0, err
		}
		if (below-value)*(above-value) <= 0 {
			return bisect(lo, hi, value, func(v float64) (float64, error) { return convert(v, w) })
		}
		above = below
	}
	return 0, fmt.Errorf("probe: no voltage from %g to %g V gives %s %g", a.ValidFrom, a.ValidTo, a.Quantity, value)
}

// bisect finds where f crosses value between lo and hi.
func bisect(lo, hi, value float64, f func(float64) (float64, error)) (float64, error) {
	atLo, err := f(lo)
	if err != nil {
		return 0, err
	}
	for range 60 {
		mid := (lo + hi) / 2
		at, err := f(mid)
		if err != nil {
			return 0, err
		}
		if (atLo-value)*(at-value) <= 0 {
			hi = mid
		} else {
			lo, atLo = mid, at
		}
	}
	return (lo + hi) / 2, nil
}
