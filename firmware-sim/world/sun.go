package world

import (
	"math"
	"time"
)

// The field: Phú Khê lies in the Red River delta.
const (
	latitude  = 20.4  // °N
	longitude = 106.2 // °E
	altitude  = 3.0   // m
)

// solarConstant is Gsc of FAO-56, 0.0820 MJ/m² a minute, in W/m².
const solarConstant = 0.0820e6 / 60

// sunDay is the sun of one day of the year at one latitude (radians): FAO-56 equations 23, 24, 32 and 33.
type sunDay struct {
	dr      float64 // inverse relative distance to the sun
	sin     float64 // sin φ sin δ
	cos     float64 // cos φ cos δ
	eastern float64 // hours that the sun is ahead of the clock: longitude and the equation of time
}

func sunOf(phi float64, yearDay int, eastern float64) sunDay {
	j := 2 * math.Pi * float64(yearDay) / 365
	delta := 0.409 * math.Sin(j-1.39)
	b := 2 * math.Pi * float64(yearDay-81) / 364
	equation := 0.1645*math.Sin(2*b) - 0.1255*math.Cos(b) - 0.025*math.Sin(b)
	return sunDay{
		dr:  1 + 0.033*math.Cos(j),
		sin: math.Sin(phi) * math.Sin(delta), cos: math.Cos(phi) * math.Cos(delta),
		eastern: eastern + equation,
	}
}

// sunHere is the sun of a day (days since 1970-01-01) in the field. The clock's meridian is 105° E (FAO-56 equation 31).
func sunHere(day int64) sunDay {
	return sunOf(latitude*math.Pi/180, time.Unix(day*86400, 0).UTC().YearDay(), (longitude-105)/15)
}

// half is the hours from sunrise to noon: the sunset hour angle of FAO-56 equation 25.
func (s sunDay) half() float64 {
	return 12 / math.Pi * math.Acos(clamp(-s.sin/s.cos, -1, 1))
}

// sunrise and noon are hours of the day.
func (s sunDay) sunrise() float64 { return s.noon() - s.half() }
func (s sunDay) noon() float64    { return 12 - s.eastern }

// outside is the extraterrestrial radiation on the level at an hour of the day, W/m²: what FAO-56 equation 28 integrates.
func (s sunDay) outside(hour float64) float64 {
	return math.Max(0, solarConstant*s.dr*(s.sin+s.cos*math.Cos(math.Pi/12*(hour-s.noon()))))
}

// clearShare is the share of the extraterrestrial radiation that a clear sky lets through: FAO-56 equation 37.
const clearShare = 0.75 + 2e-5*altitude

// through is the share of a clear sky's radiation under a sky whose share cloud is covered: FAO-56 equation 35 with as = 0.25 and
// bs = 0.50, its relative sunshine n/N taken as what is not covered.
func through(cloud float64) float64 { return (0.25 + 0.5*(1-cloud)) / 0.75 }
