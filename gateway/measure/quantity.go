package measure

import (
	"fmt"
	"math"
)

// Quantity names what a value measures. It fixes the unit: a value never travels without its quantity.
// The text is the name on the wire, in the history and in configuration files.
type Quantity string

// The quantities the product knows.
const (
	WaterTemperature Quantity = "water_temperature"
	DissolvedOxygen  Quantity = "dissolved_oxygen"
	PH               Quantity = "ph"
	SoilMoisture     Quantity = "soil_moisture"
	AirTemperature   Quantity = "air_temperature"
	RelativeHumidity Quantity = "relative_humidity"
	AirPressure      Quantity = "air_pressure"
)

// Info is what a quantity fixes.
type Info struct {
	Unit     string  // symbol to print: "°C"; empty for pH
	UNECE    string  // UN/ECE Recommendation 20 (Rev 17e) code
	EPCIS    string  // EPCIS 2.0 measurement type
	Min, Max float64 // physical limits: a value outside is no measurement of this quantity (quality out-of-range)
	Decimals int     // decimals to print; what the probe's accuracy supports, not its resolution
}

// Info returns what q fixes; ok is false for a quantity the product does not know.
func (q Quantity) Info() (info Info, ok bool) {
	switch q {
	case WaterTemperature:
		return Info{Unit: "°C", UNECE: "CEL", EPCIS: "Temperature", Min: -5, Max: 60, Decimals: 1}, true
	case DissolvedOxygen:
		return Info{Unit: "mg/L", UNECE: "M1", EPCIS: "MassConcentration", Min: 0, Max: 40, Decimals: 2}, true
	case PH:
		return Info{Unit: "", UNECE: "Q30", EPCIS: "Dimensionless", Min: 0, Max: 14, Decimals: 2}, true
	case SoilMoisture: // volumetric water content
		return Info{Unit: "%", UNECE: "P1", EPCIS: "VolumeFraction", Min: 0, Max: 100, Decimals: 1}, true
	case AirTemperature:
		return Info{Unit: "°C", UNECE: "CEL", EPCIS: "Temperature", Min: -40, Max: 85, Decimals: 1}, true
	case RelativeHumidity:
		return Info{Unit: "%", UNECE: "P1", EPCIS: "RelativeHumidity", Min: 0, Max: 100, Decimals: 0}, true
	case AirPressure:
		return Info{Unit: "hPa", UNECE: "A97", EPCIS: "Pressure", Min: 300, Max: 1100, Decimals: 1}, true
	}
	return Info{}, false
}

// Quantities lists every quantity, in the order people read them.
func Quantities() []Quantity {
	return []Quantity{WaterTemperature, DissolvedOxygen, PH, SoilMoisture, AirTemperature, RelativeHumidity, AirPressure}
}

// Grade returns the quality that the physical limits alone give v: Good, or OutOfRange. NaN and infinity are an error:
// they are never a value.
func (q Quantity) Grade(v float64) (Quality, error) {
	info, ok := q.Info()
	if !ok {
		return Fault, fmt.Errorf("measure: unknown quantity %q", string(q))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Fault, fmt.Errorf("measure: %s: value is not a number", q)
	}
	if v < info.Min || v > info.Max {
		return OutOfRange, nil
	}
	return Good, nil
}
