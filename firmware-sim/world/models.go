package world

import (
	"math"

	"aovuon/gateway/measure"
)

// newModel is the table of models. w is the weather over the place, actions included.
func newModel(p Place, seed uint64, w sky) model {
	switch p.Kind {
	case Pond:
		return formerPond{newFormer(seed), p, w}
	case Plot:
		return newPlot(seed, p, w)
	case Room:
		return newRoom(seed, p, w)
	}
	return nil // cannot be: the place was checked
}

// former is the world of formulas.
type former struct{ seed uint64 }

func newFormer(seed uint64) former {
	return former{seed}
}

// fade is the share of added oxygen that the pond breathes, or gives to the air, in an hour.
const fade = 0.25

// formerPond has one state beside its formulas: what aerators added to its oxygen, mg/L, and the k of those that turn, 1/h.
type formerPond struct {
	former
	p   Place
	sky sky
}

func (m formerPond) begin(float64) state { return state{0, 0} }

// step moves the water towards saturation: dE/dt = k (Cs - C - E) - 0.25 E.
func (m formerPond) step(s state, h, dt float64) {
	k := s[1]
	goal := k * (Saturation(m.waterTemperature(m.p, h), 0, 1) - m.oxygen(m.p, h)) / (k + fade)
	s[0] = goal + (s[0]-goal)*math.Exp(-(k+fade)*dt)
}

func (m formerPond) act(s state, _ float64, a Action, _ bool) error {
	if a.Kind == Aerate {
		s[1] = a.Amount
	}
	return nil
}

func (m formerPond) value(s state, h float64, q measure.Quantity) (float64, bool) {
	switch q { //nolint:exhaustive // the others it has not
	case measure.WaterTemperature:
		return m.waterTemperature(m.p, h), true
	case measure.DissolvedOxygen:
		return m.oxygen(m.p, h) + s[0], true
	case measure.PH:
		return m.ph(m.p, h), true
	case measure.WaterLevel:
		return m.level(m.p, h), true
	case measure.Conductivity:
		return m.conductivity(m.p, h), true
	case measure.Salinity:
		return m.conductivity(m.p, h) * saltPerMicrosiemens, true
	case measure.ORP:
		return m.orp(m.p, h), true
	case measure.AirTemperature:
		return m.sky(h).Air, true
	case measure.AirPressure:
		return m.sky(h).Pressure, true
	}
	return 0, false
}
