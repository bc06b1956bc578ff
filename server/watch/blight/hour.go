package blight

import (
	"math"
	"time"
)

// Bounds of what counts as a day.
const (
	// LeastHours is how many of a day's 24 hours must have been measured; with fewer the day is unknown.
	LeastHours = 20
	dayHours   = 24
	// humidAt is the relative humidity from which a leaf counts as wet, %.
	humidAt = 90.0
)

// Hour is the mean air of one hour.
type Hour struct {
	Start time.Time // on the hour, local time
	T     float64   // °C
	RH    float64   // %
	By    string    // code of the place whose probe measured it
}

// exact takes the noise of binary arithmetic from a mean, so that 90 % is 90 % and not 89.999999999.
func exact(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// humid reports whether leaves count as wet in that hour.
func (h Hour) humid() bool { return exact(h.RH) >= humidAt }

// Hours are measured hours by their start.
type Hours map[int64]Hour

// window returns the hours from a moment on, 24 of them; nil: not measured.
func (h Hours) window(from time.Time) (out [dayHours]*Hour, measured int) {
	for i := range out {
		if x, ok := h[from.Add(time.Duration(i)*time.Hour).Unix()]; ok {
			out[i] = &x
			measured++
		}
	}
	return out, measured
}

// Tri is an answer that may be unknown.
type Tri int8

// The answers.
const (
	No Tri = iota
	Yes
	Unknown
)

func tri(yes bool) Tri {
	if yes {
		return Yes
	}
	return No
}
