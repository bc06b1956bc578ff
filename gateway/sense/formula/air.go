package formula

import "math"

// SaturationVapourPressure is the pressure in kPa of water vapour in equilibrium with water of celsius.
//
// FAO Irrigation and Drainage Paper 56, equation 11 (Tetens). Valid for −20 to 85 °C.
func SaturationVapourPressure(celsius float64) (float64, error) {
	if err := within("vapour pressure", limit{"temperature", celsius, -20, 85, "°C"}); err != nil {
		return 0, err
	}
	return 0.6108 * math.Exp(17.27*celsius/(celsius+237.3)), nil
}

// VapourPressureDeficit is how much vapour in kPa air of celsius and humidity (%) can still take: what dries leaves and
// potatoes. Valid for −20 to 85 °C and 0 to 100 %.
func VapourPressureDeficit(celsius, humidity float64) (float64, error) {
	if err := within("vapour pressure deficit", limit{"relative humidity", humidity, 0, 100, "%"}); err != nil {
		return 0, err
	}
	full, err := SaturationVapourPressure(celsius)
	return full * (1 - humidity/100), err
}

// DewPoint is the temperature in °C at which air of celsius and humidity (%) begins to make things wet.
//
// Magnus with the coefficients 17.62 and 243.12 °C for vapour over water (WMO guide No. 8). Valid for −45 to 60 °C and 1
// to 100 %.
func DewPoint(celsius, humidity float64) (float64, error) {
	const b, c = 17.62, 243.12
	if err := within("dew point",
		limit{"temperature", celsius, -45, 60, "°C"},
		limit{"relative humidity", humidity, 1, 100, "%"},
	); err != nil {
		return 0, err
	}
	g := math.Log(humidity/100) + b*celsius/(c+celsius)
	return c * g / (b - g), nil
}
