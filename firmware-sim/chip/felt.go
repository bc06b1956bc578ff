package chip

import (
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// Skin is what stands between a probe and the truth: a bottle somebody has put it into, its age, drift, a step, and what grows on
// it. The faults of the sensing end that need no electronics are all here.
type Skin struct {
	Faults *fault.Switch
	World  func(t time.Time) time.Time // the world's time, by which faults age, when the chips' clock says t
	Speed  float64                     // how much faster than the chips' clock the world's runs
}

// fouled is what growth does to a probe that is wholly covered.
type fouled struct {
	gain   float64 // the share of the truth that still comes through
	offset float64
	lag    time.Duration // how slowly it follows, of the world's time
}

// foulings are the probes that growth harms, and how. The numbers are a choice: biofilm breathes and keeps oxygen from the
// membrane; on glass it makes its own, sourer water; on electrodes it lies between water and metal; a window it darkens.
func foulings(q measure.Quantity) (fouled, bool) {
	f, ok := map[measure.Quantity]fouled{
		measure.DissolvedOxygen:  {gain: 0.05, lag: 24 * time.Hour},
		measure.OxygenSaturation: {gain: 0.05, lag: 24 * time.Hour},
		measure.PH:               {gain: 1, offset: -0.5, lag: 6 * time.Hour},
		measure.Conductivity:     {gain: 0.7, lag: time.Hour},
		measure.Salinity:         {gain: 0.7, lag: time.Hour},
		measure.ORP:              {gain: 1, offset: -60, lag: 12 * time.Hour},
		measure.Turbidity:        {gain: 1, offset: 60, lag: 10 * time.Minute},
		measure.Ammonium:         {gain: 0.5, lag: 12 * time.Hour},
	}[q]
	return f, ok
}

// SkinFaults are the faults the sensing end of a probe of q can have beside those of its chip.
func SkinFaults(q measure.Quantity) []fault.Kind {
	list := []fault.Kind{fault.Drift, fault.Step}
	if _, harmed := foulings(q); harmed {
		list = append(list, fault.Fouling)
	}
	return list
}

// Own is what a probe is there for, as it feels it: place is the truth where it hangs.
func (s Skin) Own(q measure.Quantity, place Source) Source {
	return func(t time.Time) float64 {
		if bath := s.Faults.Bath(); bath != nil {
			still := func(time.Time) float64 { return bath.Value } // whoever holds the bottle waits until it has settled
			return s.Faults.Feels(s.through(q, still, t))
		}
		return s.Faults.Feels(s.through(q, place, t))
	}
}

// Along is what a probe feels beside what it is there for: its temperature, the salt around it. There is none in a bottle.
func (s Skin) Along(q measure.Quantity, place Source) Source {
	return func(t time.Time) float64 {
		bath := s.Faults.Bath()
		switch {
		case bath != nil && q == measure.WaterTemperature && bath.Celsius != nil:
			return *bath.Celsius
		case bath != nil && q == measure.Salinity:
			return 0
		}
		return place(t)
	}
}

// through is the truth behind the fault of the sensing end.
func (s Skin) through(q measure.Quantity, truth Source, t time.Time) float64 {
	f := s.Faults.Probe()
	days := f.Age(s.World(t)).Hours() / 24
	if f.Kind == fault.Drift {
		return truth(t) + f.Param(0)*days
	}
	if f.Kind == fault.Step {
		return truth(t) + f.Param(0)
	}
	if f.Kind == fault.Fouling {
		whole, _ := foulings(q)
		covered := 1 - math.Exp(-days/f.Param(1))
		lag := time.Duration(covered * float64(whole.lag) / s.Speed)
		return (1-covered*(1-whole.gain))*lagged(truth, t, lag) + covered*whole.offset
	}
	return truth(t)
}

// lagged is what follows truth as a first-order element does whose time constant is lag: the mean of the past, weighed by
// exp(-age/lag). It is a sum over ages of equal weight, so it needs no memory, and a field that is started anew says the same.
func lagged(truth Source, t time.Time, lag time.Duration) float64 {
	if lag < time.Second {
		return truth(t)
	}
	const parts = 32
	sum, n := 0.0, 0.0
	for i := range parts {
		age := -math.Log(1-(float64(i)+0.5)/parts) * float64(lag)
		if v := truth(t.Add(-time.Duration(age))); !math.IsNaN(v) { // before the world began there is nothing
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return truth(t)
	}
	return sum / n
}
