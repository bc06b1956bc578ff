package world

import "aovuon/gateway/measure"

// Sky is the weather over the whole field at one instant.
type Sky struct {
	Air      float64 // °C at 2 m
	Dew      float64 // dew point, °C
	Humidity float64 // relative, %
	Pressure float64 // hPa
	Sun      float64 // global radiation on the level, W/m²
	Clear    float64 // what Sun would be under a clear sky, W/m²
	Cloud    float64 // share of the sky that is covered, 0 to 1
	Wind     float64 // m/s at 2 m
	Rain     float64 // mm/h
}

// sky is the weather of every hour: hours of civil time in (hoursOf), the weather out. It is a pure function, and quick.
type sky func(h float64) Sky

// state is what a place is at one instant. Each model gives its entries names of its own. The engine steps it, keeps one a day,
// and joins neighbouring ones by straight lines, so an entry is either continuous or a switch that nothing outside reads.
type state []float64

// model is how one place changes. A model holds what is fixed about the place and nothing that changes: all of that is in the
// state, so that the engine can go back to any day and come to the same again. Hours are civil time (hoursOf).
type model interface {
	// begin returns the state the place has when the world begins, at h.
	begin(h float64) state
	// step moves s, in place, from h by dt hours; dt is at most an eighth of an hour.
	step(s state, h, dt float64)
	// act lets an action begin (or, for one that lasts, end) at h. An action the place cannot have is an error that says which it can;
	// whether it can depends on the action alone and never on the state, since an action is asked about once, when it is said. The
	// engine adds aerators up: Aerate comes with the sum of them as its Amount, and never ends but by the next one.
	act(s state, h float64, a Action, ends bool) error
	// value is what a perfect probe in it would say of q at h; false for what the place does not have.
	value(s state, h float64, q measure.Quantity) (float64, bool)
}
