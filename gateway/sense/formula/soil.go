package formula

// SoilWater is the volumetric water content in % of a mineral soil whose apparent relative permittivity is epsilon.
//
// Topp, Davis and Annan 1980, ±1.3 % in mineral soils; peat and heavy clay need a calibration of their own. Valid for 2 to
// 60: below, the polynomial gives less than no water.
func SoilWater(epsilon float64) (float64, error) {
	if err := within("soil water", limit{"permittivity", epsilon, 2, 60, ""}); err != nil {
		return 0, err
	}
	return 100 * horner(epsilon, -5.3e-2, 2.92e-2, -5.5e-4, 4.3e-6), nil
}
