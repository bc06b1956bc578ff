package formula

import "math"

// hPaPerAtmosphere is exact.
const hPaPerAtmosphere = 1013.25

// OxygenSaturation is the dissolved oxygen in mg/L that water holds in equilibrium with moist air: celsius of the water,
// practical salinity, air pressure in hPa at the water (not reduced to sea level).
//
// Benson and Krause 1984 as in USGS Office of Water Quality memorandum 2011.03, water vapour after APHA Standard Methods
// 4500-O. Valid for 0 to 40 °C, salinity 0 to 40 and 500 to 1100 hPa (every fish pond below 5500 m).
func OxygenSaturation(celsius, salinity, hPa float64) (float64, error) {
	if err := within("oxygen saturation",
		limit{"temperature", celsius, 0, 40, "°C"},
		limit{"salinity", salinity, 0, 40, "‰"},
		limit{"pressure", hPa, 500, 1100, "hPa"},
	); err != nil {
		return 0, err
	}
	k := celsius + zeroCelsius
	sea := math.Exp(-139.34411 + 1.575701e5/k - 6.642308e7/(k*k) + 1.243800e10/(k*k*k) - 8.621949e11/(k*k*k*k) -
		salinity*(1.7674e-2-10.754/k+2140.7/(k*k)))
	p := hPa / hPaPerAtmosphere
	vapour := math.Exp(11.8571 - 3840.70/k - 216961/(k*k)) // atmospheres
	theta := 9.75e-4 - 1.426e-5*celsius + 6.436e-8*celsius*celsius
	return sea * p * (1 - vapour/p) * (1 - theta*p) / ((1 - vapour) * (1 - theta)), nil
}

// OxygenPercent is a dissolved oxygen of mgL in per cent of OxygenSaturation, with its limits; mgL from 0 to 100.
// Algae bring a pond above 100 % in the afternoon.
func OxygenPercent(mgL, celsius, salinity, hPa float64) (float64, error) {
	if err := within("oxygen saturation", limit{"dissolved oxygen", mgL, 0, 100, "mg/L"}); err != nil {
		return 0, err
	}
	full, err := OxygenSaturation(celsius, salinity, hPa)
	if err != nil {
		return 0, err
	}
	return 100 * mgL / full, nil
}
