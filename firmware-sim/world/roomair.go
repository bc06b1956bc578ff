package world

import "math"

// A household's drying room: 60 m³ within insulating panels, with a stove or heat pump and a fan that minds the humidity.
const (
	roomAirMass  = 66.0     // kg of dry air
	roomShelves  = 120.0    // kJ/K of what warms with the air: trays, goods
	roomLining   = 300.0    // kJ/K
	liningInner  = 900.0    // kJ/(h K) between air and lining (250 W/K)
	liningOuter  = 288.0    // kJ/(h K) between lining and outside (80 W/K)
	stovePower   = 64_800.0 // kJ/h (18 kW)
	airHeat      = 1.006    // kJ/(kg K)
	vapourHeat   = 2430.0   // kJ/kg of water, at about 30 °C
	idleChanges  = 3.0      // of the air an hour, with the door and hatches as they are
	leastChanges = 2.0      // while it is heated: what leaks
	fanChanges   = 18.0     // more, when the fan runs full
	fanFrom      = 30.0     // % of relative humidity at which the fan begins
	fanFull      = 60.0     // and runs full
	fanLag       = 0.25     // hours
	roomSubstep  = 1.0 / 16 // hours
)

// humid is the relative humidity (0 to 1, more when there is fog) of air with w kg of water a kg of dry air.
func humid(w, celsius, hPa float64) float64 {
	return w * hPa / 10 / (0.622 + w) / saturation(celsius)
}

// mixing is the water in a kg of dry air at a vapour pressure (kPa), kg: FAO-56's 0.622 e/(P - e).
func mixing(vapour, hPa float64) float64 { return 0.622 * vapour / (hPa/10 - vapour) }

// dewOf is the temperature at which a vapour pressure (kPa) is that of saturation, °C: FAO-56 equation 11, inverted.
func dewOf(vapour float64) float64 {
	x := math.Log(vapour / 0.6108)
	return 237.3 * x / (17.27 - x)
}

// exchangeOfRoom is what crossed the borders of a room in one step: kJ and kg.
type exchangeOfRoom struct {
	stove, aired, walls          float64 // kJ: in by the stove; out with the air; out through the lining
	evaporated, vented, dripping float64 // kg of water: from the goods; out with the air; condensed and gone
}

// instant is the air of a room at the end of a step in which the goods lost some water.
type instant struct {
	air, lining, water, heat, rh float64
}

// balance moves air and goods of the room by dt hours. Heat and moisture obey
//
//	C dT/dt = G cp (To - T) + H (Tl - T) + Q - λ E,  M dw/dt = G (wo - w) + E,  E = -md dX/dt,
//
// solved implicitly: the water E that goods give is the one at which the air that it makes lets them give just that. More water
// makes colder and damper air, which lets them give less, so there is one such E and halving finds it; no step is too long and
// no room too small.
func (r *room) balance(s state, k Sky, goal, dt float64) exchangeOfRoom {
	outside := mixing(saturation(math.Min(k.Dew, k.Air)), k.Pressure)
	gas := s[roomFan] * roomAirMass
	w := &r.wares[int(clamp(s[roomGoods], banhDa, herbs))]
	rate := func(e float64) float64 { // kg an hour that goods would give, if they gave e
		if s[roomDry] < lightest {
			return 0
		}
		a := r.after(s, k, goal, outside, gas, e, dt)
		if a.air < -30 { // so much can never be: and no formula of moist air holds there
			return 0
		}
		return s[roomDry] * w.loss(s[roomMoist]-e*dt/s[roomDry], a.air, a.rh)
	}
	e := 0.0
	if s[roomDry] >= lightest {
		low, high := -0.5*s[roomDry], s[roomDry]*s[roomMoist]/dt
		for range 26 {
			e = (low + high) / 2
			if rate(e) > e {
				low = e
			} else {
				high = e
			}
		}
	}
	a := r.after(s, k, goal, outside, gas, e, dt)
	x := exchangeOfRoom{
		stove: a.heat * dt, aired: gas * airHeat * (a.air - k.Air) * dt, walls: liningOuter * (a.lining - k.Air) * dt,
		evaporated: e * dt, vented: gas * (a.water - outside) * dt,
	}
	if s[roomDry] >= lightest {
		s[roomMoist] -= e * dt / s[roomDry]
	}
	if full := mixing(saturation(a.air), k.Pressure); a.water > full { // the rest runs down the lining, which it warms
		x.dripping = (a.water - full) * roomAirMass
		a.lining += x.dripping * vapourHeat / roomLining
		a.water = full
	}
	s[roomAir], s[roomLiningT], s[roomWater] = a.air, a.lining, a.water
	return x
}

// after is the air at the end of the step, if the goods give e kg an hour. The stove holds the air at goal as well as its power
// lets it.
func (r *room) after(s state, k Sky, goal, outside, gas, e, dt float64) instant {
	c := (roomAirMass*airHeat + roomShelves) / dt
	lining := roomLining/dt + liningInner + liningOuter
	stored := roomLining/dt*s[roomLiningT] + liningOuter*k.Air
	// lining' = (stored + liningInner air')/lining, put into the air's equation:
	loss := c + gas*airHeat + liningInner - liningInner*liningInner/lining
	gain := c*s[roomAir] + gas*airHeat*k.Air + liningInner*stored/lining - vapourHeat*e
	heat := 0.0
	if goal > 0 {
		heat = clamp(goal*loss-gain, 0, stovePower)
	}
	var a instant
	a.heat = heat
	a.air = (gain + heat) / loss
	a.lining = (stored + liningInner*a.air) / lining
	a.water = math.Max(1e-5, (roomAirMass*s[roomWater]+dt*(gas*outside+e))/(roomAirMass+dt*gas))
	a.rh = humid(a.water, a.air, k.Pressure)
	return a
}
