package world

import "math"

// DailyRadiation is the extraterrestrial radiation (MJ/m²) and the daylight (hours) of a day of the year at a latitude.
func DailyRadiation(degrees float64, yearDay int) (megajoules, daylight float64) {
	s := sunOf(degrees*math.Pi/180, yearDay, 0)
	ws := s.half() * math.Pi / 12 // FAO-56 equation 21
	return 24 * 60 / math.Pi * 0.0820 * s.dr * (ws*s.sin + s.cos*math.Sin(ws)), 2 * s.half()
}

// HourlyRadiation is the extraterrestrial radiation between two hours of the clock, MJ/m², at degrees of latitude and of longitude
// east of the clock's meridian.
func HourlyRadiation(degrees, east float64, yearDay int, from, to float64) float64 {
	const steps = 1000
	s, sum := sunOf(degrees*math.Pi/180, yearDay, east/15), 0.0
	for i := range steps {
		sum += s.outside(from + (to-from)*(float64(i)+0.5)/steps)
	}
	return sum / steps * (to - from) * 3600 / 1e6
}

// TyphoonsOf is the number of typhoons that a seed has in a year.
func TyphoonsOf(seed uint64, year int) int { return len(typhoons(seed, year)) }
