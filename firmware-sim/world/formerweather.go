package world

import "math"

func rainDays() normals { return normals{7, 10, 13, 12, 13, 14, 13, 16, 13, 9, 5, 5} } // days a month with rain that wets soil

func rainDepth() normals { return normals{3, 3, 4, 7, 13, 14, 17, 18, 22, 20, 9, 4} } // mm on such a day

// slow is how much warmer these days are than the season: cold surges and warm spells of 2 to 6 days, ±4 °C.
func (w former) slow(h float64) float64 {
	return 2.6*drift(w.seed, chanAir, h, 130) + 1.5*drift(w.seed, chanAir, h+7777, 44)
}

// cloud is how covered the sky is, 0 to 1; it keeps the day's warmth, sun and swing small.
func (w former) cloud(h float64) float64 {
	return clamp(0.5+0.6*drift(w.seed, chanCloud, h, 37), 0, 1)
}

// airSwing is half the distance between the day's coolest and warmest, °C.
func (w former) airSwing(h float64) float64 { return 4.4 - 2.6*w.cloud(h) }

// air is the air temperature over the field, °C: coolest about 05:30, warmest about 14:30.
func (w former) air(h float64) float64 {
	_, hour := split(h)
	day := 2*swing(hour, 5.5, 14.5, 0.3) - 1
	return airNormals().at(h) + w.slow(h) + w.airSwing(h)*day + 0.25*drift(w.seed, chanSwing, h, 0.7)
}

// plotAir adds what one plot differs from its neighbour by, °C.
func (w former) plotAir(p Place, h float64) float64 {
	return w.air(h) + 0.4*drift(w.seed^text(p.ID), chanPlotAir, h, 9)
}

// dew is the dew point, °C: a little above the night's coolest, moved by the air mass, so that most nights reach 90 %
// humidity and afternoons do not.
func (w former) dew(h float64) float64 {
	return airNormals().at(h) + w.slow(h) - 0.8*w.airSwing(h) + 1.6*drift(w.seed, chanDew, h, 60) - 0.6
}

// humidity is the relative humidity over a plot, %: from air and dew point, by the saturation pressure of FAO-56
// equation 11. Over leaves it stays just below 100.
func (w former) humidity(p Place, h float64) float64 {
	rh := 100 * saturation(w.dew(h)) / saturation(w.plotAir(p, h))
	return clamp(rh, 20, 99.2)
}

// pressure is the air pressure near sea level, hPa: high in the winter monsoon, low in summer, with the tropics'
// half-day tide (highest about 10:00 and 22:00, ±1.4 hPa) and the weather.
func (w former) pressure(h float64) float64 {
	_, hour := split(h)
	year := math.Cos(2 * math.Pi * (h/24/365.2425 - 0.03))
	return 1010.5 + 8*year + 1.4*math.Cos(2*math.Pi*(hour-10)/12) + 3.5*drift(w.seed, chanPressure, h, 80)
}

// shower is the rain of one day: when it begins (hours), how long it lasts (hours) and how much falls (mm).
type shower struct{ begin, lasts, depth float64 }

// rain is the shower of a day; depth 0 is a dry day.
func (w former) rain(day int64) shower {
	noon := float64(day)*24 + 12
	if unit(w.seed, chanRainHit, day) >= rainDays().at(noon)/30.4 {
		return shower{}
	}
	u := unit(w.seed, chanRainDepth, day)
	return shower{
		begin: float64(day)*24 + 14 + 7*unit(w.seed, chanRainHour, day), // afternoon and evening storms
		lasts: 1 + 3*u,
		depth: -math.Log(1-0.95*u) * rainDepth().at(noon), // exponential, cut at three times the mean
	}
}
