package dawn

import (
	"math"
	"time"

	"aovuon/server/privacy"
)

// zenith is the sun's angle from straight up when its upper edge is seen to touch the horizon, °: 50' for its radius and the bending of
// light.
const zenith = 90.833

// Sun returns sunrise and sunset of the calendar day that day has in its own zone, at a point of the Earth,
// by the method of NOAA's Global Monitoring Division (Meeus, Astronomical Algorithms; gml.noaa.gov/grad/solcalc), good to about a minute
// between 72° N and 72° S. ok is false where the sun does not rise or does not set that day.
func Sun(day time.Time, at privacy.Point) (rise, set time.Time, ok bool) {
	north, east := at.Exact()
	y, m, d := day.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, day.Location())
	noon := time.Date(y, m, d, 12, 0, 0, 0, day.Location())
	rise, okR := sunAt(midnight, noon, north, east, -1)
	set, okS := sunAt(midnight, noon, north, east, 1)
	return rise, set, okR && okS
}

// sunAt finds the event before (side −1) or after (+1) noon; a second round uses the sun of the moment that the first one found.
func sunAt(midnight, noon time.Time, north, east, side float64) (t time.Time, ok bool) {
	t = noon
	_, offset := noon.Zone()
	for range 2 {
		declination, equation := sunOf(t)
		phi := north * math.Pi / 180
		cos := math.Cos(zenith*math.Pi/180)/(math.Cos(phi)*math.Cos(declination)) - math.Tan(phi)*math.Tan(declination)
		if !(math.Abs(cos) <= 1) {
			return time.Time{}, false
		}
		hour := math.Acos(cos) * 180 / math.Pi
		minutes := 720 - 4*(east-side*hour) - equation + float64(offset)/60 // after midnight, by the clock of the zone
		t = midnight.Add(time.Duration(minutes * float64(time.Minute)))
	}
	return t.Round(time.Second), true
}

// sunOf returns the sun's declination in radians and the equation of time in minutes.
func sunOf(t time.Time) (declination, equation float64) {
	const rad = math.Pi / 180
	c := (float64(t.Unix())/86400 + 2440587.5 - 2451545) / 36525 // Julian centuries since J2000
	long := math.Mod(280.46646+c*(36000.76983+c*0.0003032), 360) * rad
	anomaly := (357.52911 + c*(35999.05029-0.0001537*c)) * rad
	eccentricity := 0.016708634 - c*(0.000042037+0.0000001267*c)
	centre := (1.914602-c*(0.004817+0.000014*c))*math.Sin(anomaly) + (0.019993-0.000101*c)*math.Sin(2*anomaly) + 0.000289*math.Sin(3*anomaly)
	omega := (125.04 - 1934.136*c) * rad
	apparent := long + (centre-0.00569-0.00478*math.Sin(omega))*rad
	oblique := (23 + (26+(21.448-c*(46.815+c*(0.00059-c*0.001813)))/60)/60 + 0.00256*math.Cos(omega)) * rad
	declination = math.Asin(math.Sin(oblique) * math.Sin(apparent))
	y := math.Pow(math.Tan(oblique/2), 2)
	equation = 4 / rad * (y*math.Sin(2*long) - 2*eccentricity*math.Sin(anomaly) + 4*eccentricity*y*math.Sin(anomaly)*math.Cos(2*long) -
		y*y/2*math.Sin(4*long) - 1.25*eccentricity*eccentricity*math.Sin(2*anomaly))
	return declination, equation
}
