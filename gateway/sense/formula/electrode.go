package formula

import "math"

const (
	gasConstant = 8.314462618 // J/(mol K), CODATA 2018
	faraday     = 96485.33212 // C/mol, CODATA 2018
)

// NernstSlope is what an ideal pH electrode gives in mV for one pH in water of celsius: ln(10) R T / F. Valid for 0 to
// 100 °C.
func NernstSlope(celsius float64) (float64, error) {
	if err := within("pH slope", limit{"temperature", celsius, 0, 100, "°C"}); err != nil {
		return 0, err
	}
	return 1000 * math.Ln10 * gasConstant * (celsius + zeroCelsius) / faraday, nil
}

// PH is the pH of water of celsius in which an electrode gives millivolts. iso is what it gives at its isopotential point,
// pH 7, where temperature has no influence (1500 mV on most boards); slope is its slope against the ideal one as the
// calibration found it, 0.5 to 1.2. Only the distance from the isopotential point grows with temperature: a board that
// sits at 1.5 V must not have its whole voltage scaled. Valid for 0 to 100 °C and for ±5 V about iso. What comes out may
// lie beyond 0 to 14.
func PH(millivolts, iso, slope, celsius float64) (float64, error) {
	if err := within("pH",
		limit{"distance from pH 7", millivolts - iso, -5000, 5000, "mV"},
		limit{"slope", slope, 0.5, 1.2, ""},
	); err != nil {
		return 0, err
	}
	perPH, err := NernstSlope(celsius)
	if err != nil {
		return 0, err
	}
	return 7 - (millivolts-iso)/(slope*perPH), nil
}
