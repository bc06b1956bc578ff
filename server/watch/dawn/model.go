package dawn

import (
	"math"
	"slices"
	"time"
)

// UsualK is how fast oxygen goes its way to saturation through the surface of a pond at night, 1/h: 0.02 in a calm, 0.08 in wind
// (reference §3.2; of memory). Nobody measures wind here.
const UsualK = 0.03

// Sample is one value of a series; of oxygen in mg/L.
type Sample struct {
	At    time.Time
	Value float64
}

// Saturation is the oxygen that fresh water holds in equilibrium with the air at sea level, mg/L, at a temperature in °C (0 to 40):
// Benson and Krause 1984, reference §1.5.
func Saturation(celsius float64) float64 {
	k := celsius + 273.15
	return math.Exp(-139.34411 + 1.575701e5/k - 6.642308e7/(k*k) + 1.2438e10/(k*k*k) - 8.621949e11/(k*k*k*k))
}

// TheilSen is the median of the slopes between all pairs of samples, a hour: up to 29 % of them may be wild. ok is false where no two
// samples are of different times.
func TheilSen(samples []Sample) (slope float64, ok bool) {
	slopes := make([]float64, 0, len(samples)*(len(samples)-1)/2)
	for i, a := range samples {
		for _, b := range samples[:i] {
			if h := a.At.Sub(b.At).Hours(); h != 0 {
				slopes = append(slopes, (a.Value-b.Value)/h)
			}
		}
	}
	return median(slopes), len(slopes) > 0
}

// median returns 0 of nothing.
func median(v []float64) float64 {
	n := len(v)
	if n == 0 {
		return 0
	}
	slices.Sort(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// Curve is how oxygen goes on from a moment in the night: whole-pond respiration and diffusion (Madenjian 1987), and the straight line
// that it becomes without diffusion. Concentrations are in mg/L.
type Curve struct {
	From  time.Time
	Now   float64 // at From
	Mean  float64 // over the time that Slope is of
	Slope float64 // 1/h of a mg/L, negative while it falls
	K     float64 // 1/h; 0: nothing passes the surface, or the temperature is not known, and Respired is the straight line
	// Saturation at the water's temperature; 0 with K.
	Saturation float64
}

// Linear is the straight line. While oxygen falls it lies below Respired.
func (c Curve) Linear(t time.Time) float64 { return c.Now + c.Slope*t.Sub(c.From).Hours() }

// Respiration is what everything in the pond breathes, mg/L an hour.
func (c Curve) Respiration() float64 { return c.K*(c.Saturation-c.Mean) - c.Slope }

// Equilibrium is where breathing and diffusion balance, mg/L; below 0 of a pond that breathes more than comes in. Without diffusion there is none.
func (c Curve) Equilibrium() float64 { return c.Saturation - c.Respiration()/c.K }

// Respired is the forecast. It is never held at 0: below it the fish have died before.
func (c Curve) Respired(t time.Time) float64 {
	if c.K == 0 {
		return c.Linear(t)
	}
	e := c.Equilibrium()
	return e + (c.Now-e)*math.Exp(-c.K*t.Sub(c.From).Hours())
}

// Reaches is the first moment, c.From at the earliest, at which the straight line is down at a value. ok is false where it never is.
func (c Curve) Reaches(value float64) (t time.Time, ok bool) {
	if c.Now <= value {
		return c.From, true
	}
	if c.Slope >= 0 {
		return time.Time{}, false
	}
	hours := (value - c.Now) / c.Slope
	if hours > 100 { // a line as good as level; and a Duration has an end
		return time.Time{}, false
	}
	return c.From.Add(time.Duration(hours * float64(time.Hour))), true
}
