package world

import "math"

// Turning points of the pond's day, hours. Fifteen tilapia ponds in Thailand stratify most at 14–16 h and are poorest in
// oxygen before sunrise (Sriyasak 2015).
const (
	oxygenLow, oxygenHigh = 5.4, 15.0
	waterLow, waterHigh   = 6.5, 15.5
)

// waterTemperature is the water a hand below the surface, °C: the season's mean, the last day's weather damped, and a
// day of its own that is smaller and later than the air's.
func (w former) waterTemperature(p Place, h float64) float64 {
	_, hour := split(h)
	own := w.seed ^ text(p.ID)
	day := 2*swing(hour, waterLow, waterHigh, 0.5) - 1
	half := 1.7 - 1.1*w.cloud(h-6)
	return airNormals().at(h-5*24) + 1.3 + 0.7*w.slow(h-20) + half*day + 0.3*drift(own, chanPondTemp, h, 30)
}

// oxygen is dissolved oxygen, mg/L. It runs between the dawn low and the afternoon high of each day: on the way up while
// algae make oxygen, down at night when everything breathes.
func (w former) oxygen(p Place, h float64) float64 {
	return w.oxygenShare(p, h)*Saturation(w.waterTemperature(p, h), 0, 1) + w.ripple(p, h)
}

// oxygenShare is the oxygen against saturation: 0.45 is a pond at dawn, 1.3 a green pond in the afternoon.
func (w former) oxygenShare(p Place, h float64) float64 {
	day, hour := split(h)
	if hour < oxygenLow {
		return between(w.afternoon(p, day-1), w.dawn(p, day), swing(hour, oxygenLow, oxygenHigh, 0.6))
	}
	if hour < oxygenHigh {
		return between(w.afternoon(p, day), w.dawn(p, day), swing(hour, oxygenLow, oxygenHigh, 0.6))
	}
	return between(w.afternoon(p, day), w.dawn(p, day+1), swing(hour, oxygenLow, oxygenHigh, 0.6))
}

func between(high, low, s float64) float64 { return low + (high-low)*s }

// bloom is how green the pond is that day, 0 to 1: slow, of the pond's own.
func (w former) bloom(p Place, day int64) float64 {
	return 0.5 + 0.5*drift(w.seed^text(p.ID), chanPondBloom, float64(day)*24, 190)
}

// afternoon is the day's highest share of saturation: sun and algae.
func (w former) afternoon(p Place, day int64) float64 {
	sun := 1 - 0.75*w.cloud(float64(day)*24+11)
	return 0.86 + 0.5*sun*(0.45+0.55*w.bloom(p, day))
}

// dawn is the day's lowest share of saturation: what the night's breath leaves. Breath grows with the fish and, doubling
// every 10 °C, with warmth; a grey day before the night leaves less to breathe.
func (w former) dawn(p Place, day int64) float64 {
	warm := math.Exp2((w.waterTemperature(p, float64(day)*24) - 25) / 10)
	breath := (0.17 + 0.17*p.Density) * warm * (0.9 + 0.25*w.bloom(p, day))
	return clamp(0.94-breath-0.1*w.cloud(float64(day)*24-12), 0.18, 0.85)
}

// ripple is what wind and fish do to the water at the probe within minutes, mg/L.
func (w former) ripple(p Place, h float64) float64 {
	return 0.04 * drift(w.seed^text(p.ID), chanPondRipple, h, 0.3)
}

// ph follows the oxygen: what algae take as carbon dioxide and give as oxygen makes water less acid. The pond's own
// alkalinity sets the level; the day's range stays below 1, as in a limed pond.
func (w former) ph(p Place, h float64) float64 {
	own := w.seed ^ text(p.ID)
	level := 7.25 + 0.25*(unit(own, chanPondAlkalinity, 0)-0.5) + 0.12*drift(own, chanPondAlkalinity, h, 150)
	return level + 0.85*(w.oxygenShare(p, h)-0.55)
}

// level is the water above the pond's floor, cm: it sinks by a centimetre and more a day, and is pumped full within three
// hours of every eighth day; the wind moves it by millimetres.
func (w former) level(p Place, h float64) float64 {
	const cycle, pump, fall = 8 * 24.0, 3.0, 10.0
	own := w.seed ^ text(p.ID)
	full := 145 + 10*(unit(own, chanPondLevel, 0)-0.5)
	since := math.Mod(h+cycle*unit(own, chanPondLevel, 1), cycle)
	short := fall * math.Min(since/(cycle-pump), (cycle-since)/pump)
	return full - short + 0.3*drift(own, chanPondLevel, h, 0.05)
}

// saltPerMicrosiemens is the practical salinity of one µS/cm at 25 °C between 300 and 900 µS/cm (PSS-78, within 2 %).
const saltPerMicrosiemens = 4.9e-4

// conductivity is that of the water at 25 °C, µS/cm: hard river water, thickened by dry weeks and thinned by rain.
func (w former) conductivity(p Place, h float64) float64 {
	own := w.seed ^ text(p.ID)
	return 420 + 160*(unit(own, chanPondSalt, 0)-0.5) + 45*drift(own, chanPondSalt, h, 21*24) + 1.5*drift(own, chanPondSalt, h, 0.7)
}

// orp is the redox potential, mV: it rises with oxygen and falls with pH, 59 mV each.
func (w former) orp(p Place, h float64) float64 {
	return 250 + 45*math.Log2(math.Max(0.05, w.oxygenShare(p, h))) - 59*(w.ph(p, h)-7.5) +
		12*drift(w.seed^text(p.ID), chanPondRedox, h, 40)
}
