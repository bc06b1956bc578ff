package calibrate

import (
	"math"
	"time"

	"aovuon/gateway/measure"
)

// rule is what a reading of a quantity has to be to make a point. Limits are in the quantity's unit.
type rule struct {
	count       int           // a reading is steady when the spread over so many
	spread      float64       // is at most this
	spreadShare float64       // plus this share of the value
	least       time.Duration // from the answer on: a slow probe is steady at first, at what it said in the bottle before
	within      time.Duration
	far         float64 // a reading further than this from the expected value
	farShare    float64 // plus this share of the expected is of another buffer, or of a dead probe
	apart       float64 // two points nearer than this make no line
	gain        bool    // one point alone sets the slope, not the offset: what is zero stays zero
	every       time.Duration
}

const day = 24 * time.Hour

// ruleOf returns the rule of q. every, the default interval between calibrations, is 0 where the maker's calibration
// holds for the life of the probe.
func ruleOf(q measure.Quantity) rule {
	if r, ok := rules()[q]; ok {
		return r
	}
	info, _ := q.Info()
	unit := math.Pow10(-info.Decimals)
	width := info.Max - info.Min
	return rule{count: 5, spread: 2 * unit, spreadShare: 0.01, within: 5 * time.Minute, far: width / 4, apart: width / 50}
}

func rules() map[measure.Quantity]rule {
	// Digital and platinum thermometers drift by hundredths of a degree in years.
	thermometer := rule{count: 5, spread: 0.1, least: 30 * time.Second, within: 5 * time.Minute, far: 5, apart: 10}
	// Glass ages and the reference is diluted: 0.1 pH in a month in pond water.
	electrode := rule{count: 5, spread: 0.02, least: 10 * time.Second, within: 3 * time.Minute, far: 1, apart: 2, every: 30 * day}
	// Nothing wears, but films form on the electrodes.
	cell := rule{count: 5, spread: 3, spreadShare: 0.005, least: 10 * time.Second, within: 3 * time.Minute, far: 50, farShare: 0.6, apart: 500, gain: true, every: 90 * day}
	return map[measure.Quantity]rule{
		measure.WaterTemperature: thermometer, measure.SoilTemperature: thermometer, measure.AirTemperature: thermometer,
		measure.PH: electrode, measure.SoilPH: electrode,
		measure.Conductivity: cell, measure.SoilConductivity: cell,
		// A membrane grows over in one to two months in muddy water; its electrolyte is changed monthly.
		measure.DissolvedOxygen: {count: 6, spread: 0.05, least: 30 * time.Second, within: 6 * time.Minute, far: 0.5, farShare: 0.5, apart: 3, gain: true, every: 30 * day},
		// Platinum fouls slowly; the reference is that of a pH electrode.
		measure.ORP: {count: 5, spread: 3, within: 3 * time.Minute, far: 100, apart: 100, every: 90 * day},
		// An ion-selective membrane loses its ion carrier from the first day on.
		measure.Ammonium: {count: 6, spread: 0.05, spreadShare: 0.02, least: 30 * time.Second, within: 6 * time.Minute, far: 5, farShare: 0.8, apart: 1, every: 14 * day},
		// Windows grow over.
		measure.Turbidity: {count: 6, spread: 1, spreadShare: 0.02, least: 20 * time.Second, within: 3 * time.Minute, far: 50, farShare: 0.6, apart: 20, gain: true, every: 90 * day},
		// Soil settles around the probe, salt comes and goes: once a season.
		measure.SoilMoisture: {count: 5, spread: 1, within: 3 * time.Minute, far: 100, apart: 10, every: 365 * day},
		measure.Voltage:      {count: 5, spread: 0.01, within: 3 * time.Minute, far: 5, apart: 0.3},
	}
}

// steady reports the spread over the last readings the rule wants, its limit, and whether they are steady.
func (r rule) steady(readings []float64) (mean, spread, limit float64, ok bool) {
	n := min(len(readings), r.count)
	if n == 0 {
		return 0, 0, r.spread, false
	}
	last := readings[len(readings)-n:]
	low, high, sum := last[0], last[0], 0.0
	for _, v := range last {
		low, high, sum = min(low, v), max(high, v), sum+v
	}
	mean = sum / float64(n)
	limit = r.spread + r.spreadShare*math.Abs(mean)
	return mean, high - low, limit, n == r.count && high-low <= limit*(1+1e-9)
}

// farFrom reports whether a reading cannot be of the buffer that was named.
func (r rule) farFrom(reading, expected float64) (limit float64, is bool) {
	limit = r.far + r.farShare*math.Abs(expected)
	return limit, math.Abs(reading-expected) > limit
}
