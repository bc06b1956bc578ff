package world

import "math"

// normals are monthly means, one per month from January: values of the middle of the month.
type normals [12]float64

// at interpolates the year: smoothstep between the middles of neighbouring months, so the year joins itself.
func (n normals) at(h float64) float64 {
	x := math.Mod(h/24/365.2425, 1) * 12
	if x < 0 {
		x += 12
	}
	x += 11.5 // the middle of January is half a month in
	i := math.Floor(x)
	f := x - i
	a, b := n[int(i)%12], n[(int(i)+1)%12]
	return a + (b-a)*f*f*(3-2*f)
}

// airNormals are the monthly means of the air temperature, °C. Like the others below they are the climate of the Red River delta
// (Nam Định, Hà Nội) as it is commonly given, rounded: they place the seasons, are no record of a year, and were not held against
// the tables of QCVN 02:2022/BXD. Hưng Yên, in the middle of the delta, gives 1,500 to 1,600 mm of rain, 60 to 65 days of drizzle,
// 1,640 hours of sunshine and 23.2 °C a year (hungyen.gov.vn).
func airNormals() normals {
	return normals{16.7, 17.4, 19.9, 23.7, 27.3, 29.2, 29.4, 28.7, 27.4, 24.9, 21.7, 18.3}
}

// rangeNormals are the means of a day's warmest less its coolest, °C.
func rangeNormals() normals {
	return normals{5.3, 4.6, 4.7, 5.6, 6.9, 6.9, 6.8, 6.2, 6.3, 6.7, 6.9, 6.5}
}

// humidityNormals are the monthly means of the relative humidity, %.
func humidityNormals() normals { return normals{84, 88, 90, 89, 85, 83, 82, 85, 85, 82, 80, 80} }

// sunshineNormals are the shares of the daylight with sunshine (n/N of FAO-56): about 1,600 hours a year, 50 of them in March.
func sunshineNormals() normals {
	return normals{0.21, 0.14, 0.13, 0.24, 0.46, 0.46, 0.50, 0.44, 0.47, 0.46, 0.42, 0.34}
}

// rainNormals are the mm of a month; 1,640 a year.
func rainNormals() normals { return normals{26, 30, 48, 80, 172, 190, 222, 286, 300, 192, 66, 28} }

// windNormals are means at 2 m, m/s.
func windNormals() normals {
	return normals{2.1, 2.1, 2.0, 2.1, 2.2, 2.1, 2.2, 1.8, 1.9, 2.0, 2.0, 2.0}
}

// pressureNormals are means at sea level, hPa: high in the winter monsoon, low in summer.
func pressureNormals() normals {
	return normals{1019, 1017, 1014, 1010.5, 1007, 1003.5, 1003, 1004, 1008, 1013, 1017, 1019.5}
}

// Chances and shares below are choices of this model, set so that its months come to the normals.

// surgeChances are the chances that ten days bring a surge of the winter monsoon.
func surgeChances() normals { return normals{0.85, 0.75, 0.6, 0.2, 0, 0, 0, 0, 0, 0.3, 0.65, 0.8} }

// drizzleChances are the chances that six days bring a spell of mưa phùn.
func drizzleChances() normals { return normals{0.35, 0.85, 0.9, 0.15, 0, 0, 0, 0, 0, 0, 0, 0} }

// showerChances are those of an afternoon.
func showerChances() normals {
	return normals{0.01, 0.01, 0.05, 0.18, 0.38, 0.4, 0.4, 0.45, 0.4, 0.2, 0.1, 0.02}
}

// longRainChances are the chances that five days bring rain of many hours, from the monsoon trough and from easterly waves.
func longRainChances() normals {
	return normals{0, 0, 0.1, 0.4, 0.5, 0.55, 0.6, 0.7, 0.7, 0.55, 0.2, 0}
}

// spellNormals are how much warmer or cooler than usual a stretch of days can be, °C.
func spellNormals() normals {
	return normals{2.4, 2.6, 2.4, 2.3, 2.3, 2.2, 1.8, 1.4, 1.4, 1.8, 2.1, 2.3}
}

// dryNormals are how dry the air of a surge is: over land in early winter, over the sea from February on.
func dryNormals() normals { return normals{0.7, 0.2, 0, 0, 0, 0, 0, 0, 0.3, 1, 1, 1} }

// rainShares are the shares of a month's rain from showers, long rains and fronts of surges; the rest is drizzle and typhoons.
func showerShares() normals {
	return normals{0.05, 0.05, 0.1, 0.4, 0.62, 0.57, 0.48, 0.45, 0.5, 0.37, 0.4, 0.1}
}

func longRainShares() normals {
	return normals{0, 0, 0.1, 0.38, 0.42, 0.38, 0.38, 0.4, 0.54, 0.54, 0.2, 0}
}

func frontShares() normals { return normals{0.6, 0.2, 0.2, 0.1, 0, 0, 0, 0, 0, 0.1, 0.4, 0.9} }
