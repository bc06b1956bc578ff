package measure

import (
	"fmt"
	"math"
)

// Quantity names what a value measures. It fixes the unit: a value never travels without its quantity.
// The text is the name on the wire, in the history and in configuration files.
type Quantity string

// The quantities of water. Concentrations of ammonia are those of the nitrogen in it (NH3-N), never of the molecule: the
// two differ by 17.031/14.007.
const (
	WaterTemperature Quantity = "water_temperature"
	DissolvedOxygen  Quantity = "dissolved_oxygen"
	OxygenSaturation Quantity = "oxygen_saturation" // of the saturation at the water's temperature, salinity and pressure
	PH               Quantity = "ph"
	ORP              Quantity = "orp"          // oxidation-reduction potential
	Conductivity     Quantity = "conductivity" // of water, brought to 25 °C
	Salinity         Quantity = "salinity"     // practical salinity (PSS-78), which is near enough g/kg
	Ammonium         Quantity = "ammonium"     // NH4-N, as an ion-selective probe gives it
	TotalAmmonia     Quantity = "total_ammonia"
	UnionisedAmmonia Quantity = "unionised_ammonia"
	Turbidity        Quantity = "turbidity" // NTU (ISO 7027 or a probe that imitates it)
	WaterLevel       Quantity = "water_level"
	SurfaceDistance  Quantity = "surface_distance" // from a level sensor down to the water
	SoilMoisture     Quantity = "soil_moisture"    // volumetric water content
	SoilTemperature  Quantity = "soil_temperature"
	SoilConductivity Quantity = "soil_conductivity" // bulk, as the probe gives it
	SoilPH           Quantity = "soil_ph"
	SoilNitrogen     Quantity = "soil_nitrogen" // N, P and K of soil probes are derived from conductivity: indicative
	SoilPhosphorus   Quantity = "soil_phosphorus"
	SoilPotassium    Quantity = "soil_potassium"
	SoilPermittivity Quantity = "soil_permittivity" // apparent relative permittivity
	SoilCapacitance  Quantity = "soil_capacitance"  // counts of a touch input: wetness without a soil calibration
	AirTemperature   Quantity = "air_temperature"
	RelativeHumidity Quantity = "relative_humidity"
	AirPressure      Quantity = "air_pressure"
	DewPoint         Quantity = "dew_point"
	VapourDeficit    Quantity = "vapour_pressure_deficit"
	Voltage          Quantity = "voltage" // of an analog probe, before its conversion
	Current          Quantity = "current" // of a motor
	AeratorCommand   Quantity = "aerator_command"
	AeratorRunning   Quantity = "aerator_running" // as a current sensor sees it
	AlarmState       Quantity = "alarm"           // of the gateway itself, at the pond
	CPUTemperature   Quantity = "cpu_temperature"
	UnderVoltage     Quantity = "under_voltage" // of the supply, since the last reading
	DiskFree         Quantity = "disk_free"
	MemoryResident   Quantity = "memory_resident"
	SpoolDepth       Quantity = "spool_depth"  // batches the server has no receipt for
	ClockOffset      Quantity = "clock_offset" // from the network's time
	LinkUp           Quantity = "link"         // batches reach the server
)

// Info is what a quantity fixes.
type Info struct {
	Unit     string  // symbol to print: "°C"; empty for a number without unit
	UNECE    string  // UN/ECE Recommendation 20 (Rev 17e) code
	EPCIS    string  // EPCIS 2.0 measurement type
	Min, Max float64 // physical limits: a value outside is no measurement of this quantity (quality out-of-range)
	Decimals int     // decimals to print; what the probe's accuracy supports, not its resolution
}

// Info returns what q fixes; ok is false for a quantity the product does not know.
func (q Quantity) Info() (info Info, ok bool) {
	if info, ok = q.water(); ok {
		return info, true
	}
	if info, ok = q.land(); ok {
		return info, true
	}
	return q.machine()
}

func (q Quantity) water() (Info, bool) {
	switch q { //nolint:exhaustive // a part of them; Info asks for all
	case WaterTemperature:
		return Info{Unit: "°C", UNECE: "CEL", EPCIS: "Temperature", Min: -5, Max: 60, Decimals: 1}, true
	case DissolvedOxygen:
		return Info{Unit: "mg/L", UNECE: "M1", EPCIS: "MassConcentration", Min: 0, Max: 40, Decimals: 2}, true
	case OxygenSaturation:
		return Info{Unit: "%", UNECE: "P1", EPCIS: "Dimensionless", Min: 0, Max: 500, Decimals: 0}, true
	case PH:
		return Info{UNECE: "Q30", EPCIS: "Dimensionless", Min: 0, Max: 14, Decimals: 2}, true
	case ORP:
		return Info{Unit: "mV", UNECE: "2Z", EPCIS: "Voltage", Min: -2000, Max: 2000, Decimals: 0}, true
	case Conductivity:
		return Info{Unit: "µS/cm", UNECE: "G42", EPCIS: "Conductivity", Min: 0, Max: 500_000, Decimals: 0}, true
	case Salinity:
		return Info{Unit: "‰", UNECE: "NX", EPCIS: "Dimensionless", Min: 0, Max: 80, Decimals: 2}, true
	case Ammonium, TotalAmmonia:
		return Info{Unit: "mg/L", UNECE: "M1", EPCIS: "MassConcentration", Min: 0, Max: 1000, Decimals: 2}, true
	case UnionisedAmmonia:
		return Info{Unit: "mg/L", UNECE: "M1", EPCIS: "MassConcentration", Min: 0, Max: 1000, Decimals: 3}, true
	case Turbidity:
		return Info{Unit: "NTU", UNECE: "C62", EPCIS: "Dimensionless", Min: 0, Max: 4000, Decimals: 0}, true
	case WaterLevel, SurfaceDistance:
		return Info{Unit: "cm", UNECE: "CMT", EPCIS: "Length", Min: -100, Max: 1000, Decimals: 1}, true
	}
	return Info{}, false
}

func (q Quantity) land() (Info, bool) {
	switch q { //nolint:exhaustive // a part of them; Info asks for all
	case SoilMoisture:
		return Info{Unit: "%", UNECE: "P1", EPCIS: "VolumeFraction", Min: 0, Max: 100, Decimals: 1}, true
	case SoilTemperature:
		return Info{Unit: "°C", UNECE: "CEL", EPCIS: "Temperature", Min: -40, Max: 85, Decimals: 1}, true
	case SoilConductivity:
		return Info{Unit: "µS/cm", UNECE: "G42", EPCIS: "Conductivity", Min: 0, Max: 25_000, Decimals: 0}, true
	case SoilPH:
		return Info{UNECE: "Q30", EPCIS: "Dimensionless", Min: 0, Max: 14, Decimals: 1}, true
	case SoilNitrogen, SoilPhosphorus, SoilPotassium:
		return Info{Unit: "mg/kg", UNECE: "NA", EPCIS: "Dimensionless", Min: 0, Max: 3000, Decimals: 0}, true
	case SoilPermittivity:
		return Info{UNECE: "C62", EPCIS: "Dimensionless", Min: 1, Max: 90, Decimals: 1}, true
	case SoilCapacitance:
		return Info{UNECE: "C62", EPCIS: "Count", Min: 0, Max: 4095, Decimals: 0}, true
	case AirTemperature, DewPoint:
		return Info{Unit: "°C", UNECE: "CEL", EPCIS: "Temperature", Min: -40, Max: 85, Decimals: 1}, true
	case RelativeHumidity:
		return Info{Unit: "%", UNECE: "P1", EPCIS: "RelativeHumidity", Min: 0, Max: 100, Decimals: 0}, true
	case AirPressure:
		return Info{Unit: "hPa", UNECE: "A97", EPCIS: "Pressure", Min: 300, Max: 1100, Decimals: 1}, true
	case VapourDeficit:
		return Info{Unit: "kPa", UNECE: "KPA", EPCIS: "Pressure", Min: 0, Max: 60, Decimals: 2}, true
	}
	return Info{}, false
}

func (q Quantity) machine() (Info, bool) {
	switch q { //nolint:exhaustive // a part of them; Info asks for all
	case Voltage:
		return Info{Unit: "V", UNECE: "VLT", EPCIS: "Voltage", Min: -10, Max: 60, Decimals: 3}, true
	case Current:
		// An idle motor's lies a hair below nothing: the offset of the converter.
		return Info{Unit: "A", UNECE: "AMP", EPCIS: "ElectricCurrent", Min: -0.5, Max: 200, Decimals: 2}, true
	case AeratorCommand, AeratorRunning, AlarmState, UnderVoltage, LinkUp: // 1 yes, 0 no
		return Info{UNECE: "C62", EPCIS: "Dimensionless", Min: 0, Max: 1}, true
	case CPUTemperature:
		return Info{Unit: "°C", UNECE: "CEL", EPCIS: "Temperature", Min: -40, Max: 125, Decimals: 0}, true
	case DiskFree, MemoryResident:
		return Info{Unit: "MB", UNECE: "4L", EPCIS: "MemoryCapacity", Min: 0, Max: 1e9, Decimals: 0}, true
	case SpoolDepth:
		return Info{UNECE: "C62", EPCIS: "Count", Min: 0, Max: 1e12, Decimals: 0}, true
	case ClockOffset:
		return Info{Unit: "s", UNECE: "SEC", EPCIS: "Time", Min: -1e10, Max: 1e10, Decimals: 3}, true
	}
	return Info{}, false
}

// OfGateway reports whether q is about the gateway itself and not about a place.
func (q Quantity) OfGateway() bool {
	switch q { //nolint:exhaustive // a part of them; Info asks for all
	case CPUTemperature, UnderVoltage, DiskFree, MemoryResident, SpoolDepth, ClockOffset, LinkUp:
		return true
	}
	return false
}

// Quantities lists every quantity, in the order people read them.
func Quantities() []Quantity {
	return []Quantity{
		WaterTemperature, DissolvedOxygen, OxygenSaturation, PH, UnionisedAmmonia, TotalAmmonia, Ammonium, ORP, Conductivity,
		Salinity, Turbidity, WaterLevel, SurfaceDistance,
		SoilMoisture, SoilTemperature, SoilConductivity, SoilPH, SoilNitrogen, SoilPhosphorus, SoilPotassium, SoilPermittivity,
		SoilCapacitance,
		AirTemperature, RelativeHumidity, AirPressure, DewPoint, VapourDeficit,
		AeratorCommand, AeratorRunning, AlarmState, Current, Voltage,
		CPUTemperature, UnderVoltage, DiskFree, MemoryResident, SpoolDepth, ClockOffset, LinkUp,
	}
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
