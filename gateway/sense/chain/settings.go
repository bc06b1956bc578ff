package chain

import (
	"time"

	"aovuon/gateway/measure"
)

// Settings say what is done with the values of one quantity of one sensor. The zero value does nothing.
type Settings struct {
	Rate   float64 // a change of more than this in a minute is impossible, in the quantity's unit; 0: any change may be
	Flat   Flat
	Twin   Twin
	Median int // values in the median, odd; 0: no median
	Mean   int // values in the moving average, after the median; 0: no average
	Report Report
}

// Flat is how little a living probe moves.
type Flat struct {
	LessThan float64       // a value that moved by less than this, in the quantity's unit
	Over     time.Duration // for so long is stuck or fouled; 0: it may stand still for ever
}

// Twin is another probe of the same quantity in the same place.
type Twin struct {
	Sensor string  // its id; empty: there is none
	Apart  float64 // more between the two, in the quantity's unit, and one of them is wrong
}

// Report holds back what is not new.
type Report struct {
	Change  float64       // a value is passed on when it is so far from the one passed on last
	AtLeast time.Duration // or when that is so long ago; 0: every value is passed on
}

// Defaults are the settings of a probe whose configuration does not say otherwise.
//
// Rates are several times what water, soil and air were seen to do, so that only what no pond does is in doubt: a probe
// lifted out of the water, a loose plug, a bad ground. Turbidity and the conductivity of soil jump by themselves (a fish, a drop
// of rain), so they have none.
//
// A flat line is in doubt only where a living place cannot give one: oxygen moves by more than 0.2 mg/L between day and
// night (Teichert-Coddington, Global Seafood Alliance: fouling is what probes in ponds die of); water, soil and air change by a
// step of the coarsest probe (0.0625 °C, 0.1 °C) in a day, pH by 0.02, and the air pressure has a tide of
// 2 hPa twice a day in the tropics. Conductivity and salinity stand still in dry weeks and come with four digits, water
// levels and soil moisture stand still between rains, humidity stays at 100 % through days of drizzle, and clear water has
// a turbidity of 0: these have none.
func Defaults(q measure.Quantity) Settings {
	const day = 24 * time.Hour
	return map[measure.Quantity]Settings{
		measure.DissolvedOxygen:  {Rate: 2, Flat: Flat{LessThan: 0.2, Over: 12 * time.Hour}},
		measure.WaterTemperature: {Rate: 1, Flat: Flat{LessThan: 0.06, Over: day}},
		measure.PH:               {Rate: 0.5, Flat: Flat{LessThan: 0.02, Over: day}},
		measure.ORP:              {Rate: 100, Flat: Flat{LessThan: 1, Over: day}},
		measure.Conductivity:     {Rate: 2000},
		measure.Ammonium:         {Rate: 1},
		measure.WaterLevel:       {Rate: 10},
		measure.SurfaceDistance:  {Rate: 10},
		measure.SoilMoisture:     {Rate: 15},
		measure.SoilTemperature:  {Rate: 2, Flat: Flat{LessThan: 0.09, Over: 2 * day}},
		measure.AirTemperature:   {Rate: 5, Flat: Flat{LessThan: 0.09, Over: day}},
		measure.RelativeHumidity: {Rate: 30},
		measure.AirPressure:      {Rate: 3, Flat: Flat{LessThan: 0.1, Over: day}},
	}[q]
}
