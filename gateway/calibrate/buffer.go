package calibrate

import (
	"fmt"
	"math"
	"strings"

	"aovuon/gateway/sense/formula"
)

// curve is a value at 5 °C, 10 °C, 15 °C and so on.
type curve struct {
	nominal float64 // at 25 °C, as printed on the bottle
	values  []float64
}

const (
	curveFrom = 5.0 // °C
	curveStep = 5.0
)

// phBuffers are the common ("American") buffers, 5 to 45 °C: potassium hydrogen phthalate, phosphate, carbonate. Waring PC 50
// manual MI 611-211, table 7.
func phBuffers() []curve {
	return []curve{
		{4.00, []float64{4.00, 4.00, 4.00, 4.00, 4.00, 4.01, 4.02, 4.03, 4.04}},
		{7.00, []float64{7.09, 7.06, 7.04, 7.02, 7.00, 6.99, 6.99, 6.98, 6.98}},
		{10.01, []float64{10.25, 10.18, 10.12, 10.06, 10.01, 9.97, 9.93, 9.89, 9.86}},
	}
}

// kclStandards are the potassium chloride standards in µS/cm, 5 to 30 °C, not brought to 25 °C: Mettler Toledo S230 manual.
// Its value of the first at 35 °C (1667) contradicts the coefficient on the same page, so both tables end before it.
func kclStandards() []curve {
	return []curve{
		{1413, []float64{896, 1020, 1147, 1278, 1413, 1552}},
		{12_880, []float64{8220, 9330, 10_480, 11_670, 12_880, 14_120}},
	}
}

// at interpolates; ok is false outside of the table.
func (c curve) at(celsius float64) (v float64, ok bool) {
	x := (celsius - curveFrom) / curveStep
	if !(x >= 0 && x <= float64(len(c.values)-1)) {
		return 0, false
	}
	i := min(int(x), len(c.values)-2)
	return c.values[i] + (x-float64(i))*(c.values[i+1]-c.values[i]), true
}

func (c curve) outside(what string, celsius float64) error {
	return refuse("temperature", "%s at %.1f °C: its value is known from %.0f to %.0f °C only: bring the bottle to room temperature",
		what, celsius, curveFrom, curveFrom+curveStep*float64(len(c.values)-1))
}

// PHBuffer is what a buffer of nominal pH (printed for 25 °C: 4.00, 4.01, 7.00, 7.01, 10.00 or 10.01) has at celsius. A
// nominal a hundredth off the table's keeps that hundredth at every temperature.
func PHBuffer(nominal, celsius float64) (float64, error) {
	for _, c := range phBuffers() {
		if math.Abs(nominal-c.nominal) > 0.021 {
			continue
		}
		v, ok := c.at(celsius)
		if !ok {
			return 0, c.outside(fmt.Sprintf("buffer pH %.2f", nominal), celsius)
		}
		return math.Round((v+nominal-c.nominal)*1000) / 1000, nil
	}
	return 0, refuse("buffer", "no temperature table for a buffer of pH %.2f: use 4.00, 7.00 or 10.00 (4.01, 7.01 and 10.01 are right, too)", nominal)
}

// kclCoefficient is for standards without a table: potassium chloride, per °C (Van Essen).
const kclCoefficient = 0.0191

// ECStandard is the conductivity in µS/cm, not brought to 25 °C, that a standard of nominal µS/cm at 25 °C has at celsius: for
// 1413 and 12880 from the table, for others with 1.91 %/°C.
func ECStandard(nominal, celsius float64) (float64, error) {
	for _, c := range kclStandards() {
		if math.Abs(nominal-c.nominal) > 0.01*c.nominal {
			continue
		}
		v, ok := c.at(celsius)
		if !ok {
			return 0, c.outside(fmt.Sprintf("standard %.0f µS/cm", nominal), celsius)
		}
		return v * nominal / c.nominal, nil
	}
	v, err := formula.ConductivityAt(nominal, celsius, kclCoefficient)
	if err != nil {
		return 0, refuse("temperature", "standard %.0f µS/cm: %v", nominal, err)
	}
	return v, nil
}

// airPressure is assumed where the probe does not say what it reckons with: sea level, 1 hPa is 0.1 % of an oxygen.
const airPressure = 1013.25

// oxygenInAir is what a probe in moist air has to say when it reckons with that salinity and pressure, mg/L.
func oxygenInAir(celsius, salinity, hPa float64) (float64, error) {
	v, err := formula.OxygenSaturation(celsius, salinity, hPa)
	if err != nil {
		return 0, refuse("temperature", "oxygen in air: %v", err)
	}
	return v, nil
}

// Refusal says why something is not done, with the mend; nothing was changed by what was refused.
type Refusal struct { //nolint:errname // a refusal is the word of the domain
	Code string // for programs: see FORMAT.md
	Text string
}

// Error returns the text.
func (r *Refusal) Error() string { return r.Text }

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Text: strings.TrimSpace(fmt.Sprintf(format, args...))}
}
