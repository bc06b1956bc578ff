// Package soil says of every plot when to give water and how much, when to keep it away, and when the crop suffers from too much or too
// little of it: the water balance of FAO-56, read off a soil probe instead of summed up.
//
// Soil moisture, air temperature and humidity come in from the history; textures, field capacities, seasons and outlines from the farm;
// rain and irrigations from the diary. Field is what one plot was judged by, with every number; Service makes rule.Decisions of the topics
// irrigation, drought and waterlogging of them. README.md has the method and what it came to over simulated seasons. No SQL, no HTTP.
package soil

import (
	"aovuon/server/farm"
)

// Depletable returns the share of the available water that a crop takes before it suffers, on a day that it would use etc mm: p is the
// share at 5 mm/day (FAO-56 table 22 and its footnote 2).
func Depletable(p, etc float64) float64 { return min(max(p+0.04*(5-etc), 0.1), 0.8) }

// Available returns all the water that a root zone of so many metres can give, mm (FAO-56 equation 82); moistures are percent of the volume.
func Available(h farm.Holding, roots float64) float64 {
	return 10 * (h.FieldCapacity - h.WiltingPoint) * roots
}

// Trigger returns the moisture at which a crop begins to suffer, percent: field capacity less the share p of what is available (FAO-56
// equation 83).
func Trigger(h farm.Holding, p float64) float64 {
	return h.FieldCapacity - p*(h.FieldCapacity-h.WiltingPoint)
}

// Depletion returns the water that a root zone lacks to field capacity when it is at a moisture throughout, mm; 0 above field capacity.
func Depletion(h farm.Holding, moisture, roots float64) float64 {
	return max(0, 10*(h.FieldCapacity-moisture)*roots)
}

// Stress returns how much of what it would use a crop still gets, 1 to 0 (Ks, FAO-56 equation 84).
func Stress(h farm.Holding, moisture, p float64) float64 {
	return min(max((moisture-h.WiltingPoint)/((1-p)*(h.FieldCapacity-h.WiltingPoint)), 0), 1)
}

// dryAt returns the moisture at which Stress is ks.
func dryAt(h farm.Holding, ks, p float64) float64 {
	return h.WiltingPoint + ks*(1-p)*(h.FieldCapacity-h.WiltingPoint)
}
