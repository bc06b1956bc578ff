package soil

import (
	"math"
	"time"

	"aovuon/server/farm"
)

// AirDay is the air of one whole day at the co-op.
type AirDay struct {
	Day      time.Time // its midnight
	Min, Max float64   // °C, of hourly means
	Vapour   float64   // kPa, mean of the hours; meaningful when Humid
	Humid    bool      // there was a humidity to every temperature
}

// The methods of a reference evapotranspiration; their words are soil.et.METHOD.
const (
	PenmanMonteith = "penman"
	Hargreaves     = "hargreaves"
)

const (
	stefan   = 4.903e-9 // MJ K⁻⁴ m⁻² day⁻¹
	breeze   = 2.0      // m/s: what FAO-56 takes where nobody measures the wind
	krs      = 0.16     // of FAO-56 equation 50, inland
	pressure = 101.2    // kPa: the delta lies some metres above the sea
)

// Saturation is the vapour pressure of saturated air, kPa (FAO-56 equation 11).
func Saturation(air float64) float64 { return 0.6108 * math.Exp(17.27*air/(air+237.3)) }

// Extraterrestrial is the radiation above the air on a day of the year at degrees north, MJ m⁻² day⁻¹ (FAO-56 equations 21 to 25).
func Extraterrestrial(north float64, yearDay int) float64 {
	turn := 2 * math.Pi * float64(yearDay) / 365
	lat, decl := north*math.Pi/180, 0.409*math.Sin(turn-1.39)
	sunset := math.Acos(min(max(-math.Tan(lat)*math.Tan(decl), -1), 1))
	return 24 * 60 / math.Pi * 0.0820 * (1 + 0.033*math.Cos(turn)) *
		(sunset*math.Sin(lat)*math.Sin(decl) + math.Cos(lat)*math.Cos(decl)*math.Sin(sunset))
}

// Reference returns the evapotranspiration of reference grass on a day, mm, and by which method: Penman and Monteith (FAO-56 equation 6)
// with radiation from the span of temperature (equation 50) and a light wind, as FAO-56 does where neither is measured; without humidity
// Hargreaves and Samani (equation 52), which in damp air says too much.
func (d AirDay) Reference(north float64) (mm float64, method string) {
	above := Extraterrestrial(north, d.Day.In(farm.Time()).YearDay())
	span := math.Sqrt(max(0, d.Max-d.Min))
	if !d.Humid {
		return max(0, 0.0023*((d.Min+d.Max)/2+17.8)*span*0.408*above), Hargreaves
	}
	bright := 0.75 * above
	return penman(d, min(krs*span*above, bright), bright, breeze, pressure), PenmanMonteith
}

// penman is FAO-56 equation 6 over a day: sun and bright are the radiation that came and what would come under a clear sky, MJ m⁻² day⁻¹.
func penman(d AirDay, sun, bright, wind, pressure float64) float64 {
	mean := (d.Min + d.Max) / 2
	quartic := func(air float64) float64 { k := air + 273.16; return k * k * k * k }
	long := stefan * (quartic(d.Max) + quartic(d.Min)) / 2 * (0.34 - 0.14*math.Sqrt(d.Vapour)) * (1.35*sun/bright - 0.35)
	net := 0.77*sun - long
	slope := 4098 * Saturation(mean) / ((mean + 237.3) * (mean + 237.3))
	gamma := 0.665e-3 * pressure
	lack := (Saturation(d.Max)+Saturation(d.Min))/2 - d.Vapour
	return max(0, (0.408*slope*net+gamma*900/(mean+273)*wind*lack)/(slope+gamma*(1+0.34*wind)))
}
