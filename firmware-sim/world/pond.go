package world

import "math"

// Saturation is the dissolved oxygen water holds in equilibrium with air, mg/L: Benson and Krause 1984 as in USGS Office
// of Water Quality memorandum 2011.03. t in °C (0 to 40), salinity in g/kg (0 to 40), pressure in atmospheres.
func Saturation(t, salinity, pressure float64) float64 {
	k := t + 273.15
	c := math.Exp(-139.34411 + 1.575701e5/k - 6.642308e7/(k*k) + 1.243800e10/(k*k*k) - 8.621949e11/(k*k*k*k) -
		salinity*(1.7674e-2-10.754/k+2140.7/(k*k)))
	if pressure == 1 {
		return c
	}
	vapour := math.Exp(11.8571 - 3840.70/k - 216961/(k*k))
	theta := 9.75e-4 - 1.426e-5*t + 6.436e-8*t*t
	return c * pressure * (1 - vapour/pressure) * (1 - theta*pressure) / ((1 - vapour) * (1 - theta))
}
