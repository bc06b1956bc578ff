package formula

import "math"

// AmmoniaFraction is the share, 0 to 1, of total ammonia that is un-ionised and poisonous to fish, in water of celsius
// and pH.
//
// Emerson, Russo, Lund and Thurston 1975: pKa = 0.09018 + 2729.92/T. Valid for fresh water of 0 to 50 °C. In
// sea water of pH 8 and 25 °C, where this gives 5.4 %, Clegg and Whitfield 1995 give 4.4 % (pH on the free scale) or 5.6 %
// (on the total scale).
func AmmoniaFraction(ph, celsius float64) (float64, error) {
	if err := within("un-ionised ammonia",
		limit{"pH", ph, 0, 14, ""},
		limit{"temperature", celsius, 0, 50, "°C"},
	); err != nil {
		return 0, err
	}
	return 1 / (math.Pow(10, ammoniaPKa(celsius)-ph) + 1), nil
}

func ammoniaPKa(celsius float64) float64 { return 0.09018 + 2729.92/(celsius+zeroCelsius) }

// UnionisedAmmonia is the un-ionised part, as mg/L of nitrogen (NH3-N), of a total ammonia in mg/L of nitrogen (TAN), with
// the limits of AmmoniaFraction; tan from 0 to 1000. As mass of the molecule it would be 17.031/14.007 times as much.
func UnionisedAmmonia(tan, ph, celsius float64) (float64, error) {
	if err := within("un-ionised ammonia", limit{"total ammonia", tan, 0, 1000, "mg/L"}); err != nil {
		return 0, err
	}
	f, err := AmmoniaFraction(ph, celsius)
	return tan * f, err
}
