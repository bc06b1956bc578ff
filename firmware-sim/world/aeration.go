package world

import (
	"math"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

// fade is the share of added oxygen that the pond breathes, or gives to the air, in an hour.
const fade = 0.25

// Aeration is the oxygen that aerators add to a pond: the one thing in this world that has a state. It begins at none
// with every start, and without an aerator that turns it stays there, so that the rest of the world is a pure function of
// time still. It is safe for concurrent use.
//
// A turning aerator moves the water towards saturation by its rate, dE/dt = k (Cs - C - E) - 0.25 E; above saturation it
// drives oxygen out.
type Aeration struct {
	world *World
	place string

	mu     sync.Mutex
	wheels []wheel
	at     time.Time // until then excess is right
	excess float64   // mg/L above what the pond has by itself
}

type wheel struct {
	turns func() bool
	rate  float64 // k, 1/h
}

// NewAeration returns the aeration of a pond. It has no aerator.
func (w *World) NewAeration(place string) *Aeration { return &Aeration{world: w, place: place} }

// Add puts an aerator into the pond. rate is its k: a kilowatt in 2,500 m³ is about 0.2 an hour.
func (a *Aeration) Add(rate float64, turns func() bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wheels = append(a.wheels, wheel{turns, rate})
}

// Settle brings the oxygen up to t by what turns now: call it before something changes.
func (a *Aeration) Settle(t time.Time) { a.Oxygen(t) }

// Oxygen is the dissolved oxygen of the pond at t, mg/L; NaN for a place that has none. Instants before the last one
// asked for get the present excess.
func (a *Aeration) Oxygen(t time.Time) float64 {
	own, err := a.world.Value(a.place, measure.DissolvedOxygen, t)
	water, errT := a.world.Value(a.place, measure.WaterTemperature, t)
	if err != nil || errT != nil {
		return math.NaN()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	k := 0.0
	for _, w := range a.wheels {
		if w.turns() {
			k += w.rate
		}
	}
	if step := t.Sub(a.at).Hours(); !a.at.IsZero() && step > 0 {
		goal := k * (Saturation(water, 0, 1) - own) / (k + fade)
		a.excess = goal + (a.excess-goal)*math.Exp(-(k+fade)*step)
	}
	if t.After(a.at) {
		a.at = t
	}
	return own + a.excess
}
