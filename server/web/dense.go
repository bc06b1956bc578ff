package web

import (
	"slices"

	"aovuon/gateway/measure"
)

// dense leaves out of a card among others what a person who looks over all ponds need not see while it is as it should be: the
// second probe of a quantity, and what stands beside a value that says more. The place's own page shows everything.
func dense(all []reading) []reading {
	var out []reading
	for _, r := range all {
		second := slices.ContainsFunc(out, func(o reading) bool { return o.Quantity == r.Quantity })
		if r.Level >= warned || !second && !beside(r, all) {
			out = append(out, r)
		}
	}
	return out
}

// beside reports whether another reading of the place says what r does, and more; or r says only that nothing happened.
func beside(r reading, all []reading) bool {
	switch r.Quantity { //nolint:exhaustive // a part of them
	case measure.AlarmState, measure.Current, measure.Voltage, measure.AirPressure, measure.SurfaceDistance, measure.SoilPermittivity, measure.SoilCapacitance:
		return true
	case measure.AeratorCommand:
		return slices.ContainsFunc(all, func(o reading) bool { return o.Quantity == measure.AeratorRunning && o.Sensor == r.Sensor })
	}
	return false
}

// yesNo reports whether q is a state: 1 yes, 0 no.
func yesNo(q measure.Quantity) bool {
	switch q { //nolint:exhaustive // a part of them
	case measure.AeratorCommand, measure.AeratorRunning, measure.AlarmState, measure.UnderVoltage, measure.LinkUp:
		return true
	}
	return false
}
