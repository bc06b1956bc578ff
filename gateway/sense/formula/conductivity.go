package formula

import (
	"math"
	"slices"
)

// ConductivityAt25 brings a conductivity measured at celsius to 25 °C, in the unit it came in: ec / (1 + a (t − 25)) with
// the coefficient a: 0.0191 for natural waters and potassium chloride (Van Essen), 0.02 as EZO-EC circuits reckon.
//
// The linear form holds for 0 to 50 °C and coefficients of 0 to 0.035. Between 60 and 1000 µS/cm the table of EN 27888
// differs from it by some per cent below 10 °C.
func ConductivityAt25(ec, celsius, coefficient float64) (float64, error) {
	factor, err := conductivityFactor(celsius, coefficient)
	if err != nil {
		return 0, err
	}
	if err := within("conductivity at 25 °C", conductivityLimit(ec)); err != nil {
		return 0, err
	}
	return ec / factor, nil
}

// ConductivityAt is the inverse of ConductivityAt25: what water of ec25 at 25 °C conducts at celsius.
func ConductivityAt(ec25, celsius, coefficient float64) (float64, error) {
	factor, err := conductivityFactor(celsius, coefficient)
	if err != nil {
		return 0, err
	}
	if err := within("conductivity", conductivityLimit(ec25)); err != nil {
		return 0, err
	}
	return ec25 * factor, nil
}

func conductivityFactor(celsius, coefficient float64) (float64, error) {
	err := within("conductivity at 25 °C",
		limit{"temperature", celsius, 0, 50, "°C"},
		limit{"coefficient", coefficient, 0, 0.035, "1/°C"},
	)
	return 1 + coefficient*(celsius-referenceEC), err
}

// conductivityLimit is in µS/cm: the most that concentrated brines reach.
func conductivityLimit(ec float64) limit { return limit{"conductivity", ec, 0, 1e6, "µS/cm"} }

// standardConductivity is C(35, 15 °C, 0 dbar) in µS/cm (Culkin and Smith 1980).
const standardConductivity = 42_914

// Salinity is the practical salinity of water that conducts ec µS/cm at celsius, not compensated, under dbar of water
// (0 in a pond). A conductivity at 25 °C goes in with 25 °C.
//
// PSS-78 (UNESCO Technical Papers in Marine Science 44, 1983) with the extension of Hill, Dauphinee and Woods 1986 below
// a salinity of 2. Valid for −2 to 35 °C, 0 to 10,000 dbar and from 3 µS/cm (rain conducts more; below, the fit dips under nothing) to a
// salinity of 42. It speaks of diluted sea water: fresh water with other salts than the sea's has a salinity only in name.
func Salinity(ec, celsius, dbar float64) (float64, error) {
	const name = "salinity"
	if err := within(name,
		limit{"conductivity", ec, 3, 1e6, "µS/cm"},
		limit{"temperature", celsius, -2, 35, "°C"},
		limit{"pressure", dbar, 0, 10_000, "dbar"},
	); err != nil {
		return 0, err
	}
	r := ec / standardConductivity
	t := celsius
	rt := horner(t, 0.6766097, 0.0200564, 1.104259e-4, -6.9698e-7, 1.0031e-9)
	rp := 1 + dbar*(2.07e-5-6.37e-10*dbar+3.989e-15*dbar*dbar)/(1+0.03426*t+4.464e-4*t*t+(0.4215-0.003107*t)*r)
	s := practicalSalinity(r/(rp*rt), t)
	if err := within(name, limit{name, s, 0, 42, "‰"}); err != nil {
		return 0, err
	}
	return s, nil
}

// practicalSalinity of a conductivity ratio at t °C and no pressure.
func practicalSalinity(ratio, t float64) float64 {
	const a0, b0 = 0.008, 0.0005
	root := math.Sqrt(ratio)
	f := (t - 15) / (1 + 0.0162*(t-15))
	s := horner(root, a0, -0.1692, 25.3851, 14.0941, -7.0261, 2.7081) +
		f*horner(root, b0, -0.0056, -0.0066, -0.0375, 0.0636, -0.0144)
	if s >= 2 {
		return s
	}
	x, y := 400*ratio, 100*ratio
	return s - a0/(1+1.5*x+x*x) - b0*f/(1+math.Sqrt(y)+y+y*math.Sqrt(y))
}

// horner is the polynomial of x with the coefficients c, lowest first.
func horner(x float64, c ...float64) float64 {
	var sum float64
	for _, v := range slices.Backward(c) {
		sum = sum*x + v
	}
	return sum
}
