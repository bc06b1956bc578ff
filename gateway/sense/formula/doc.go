// Package formula is the physics and chemistry the gateway computes with: numbers in the units of measure come in, one
// number in the unit of its quantity goes out.
//
// Every function is pure and says what it is valid for. An argument beyond that, or one that is no number, gives an
// *OutsideError and no value: nothing is clamped and nothing is extrapolated. A result is always a finite number.
package formula

import "fmt"

// OutsideError says that a formula was asked for what it is not valid for.
type OutsideError struct {
	Formula  string  // what was to be computed: "oxygen saturation"
	Argument string  // which argument is beyond the limits: "salinity"
	Value    float64 // what it was
	Min, Max float64 // what it may be
	Unit     string  // of the three
}

// Error names the formula, the argument and its limits.
func (e *OutsideError) Error() string {
	return fmt.Sprintf("%s: %s %g %s is outside %g to %g", e.Formula, e.Argument, e.Value, e.Unit, e.Min, e.Max)
}

// limit is what one argument of a formula may be.
type limit struct {
	argument string
	value    float64
	min, max float64
	unit     string
}

// within returns nil when every argument is within its limits, else an *OutsideError for the first that is not.
func within(formula string, limits ...limit) error {
	for _, l := range limits {
		if !(l.value >= l.min && l.value <= l.max) { // written so that NaN is outside
			return &OutsideError{Formula: formula, Argument: l.argument, Value: l.value, Min: l.min, Max: l.max, Unit: l.unit}
		}
	}
	return nil
}

const (
	zeroCelsius = 273.15 // K
	referenceEC = 25.0   // °C that conductivities are compared at
)
