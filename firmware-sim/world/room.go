package world

import (
	"fmt"
	"math"

	"aovuon/gateway/measure"
)

// Quantities of a drying room that no gateway sends: they are for the truth alone.
const (
	GoodsMoisture measure.Quantity = "goods_moisture" // % of the wet mass, of the goods on the trays or of those that were there last
	GoodsMass     measure.Quantity = "goods_mass"     // kg on the trays, with the water in them
)

// The entries of a room's state.
const (
	roomAir       = iota // °C
	roomLiningT          // °C of the walls' inner side
	roomWater            // kg of water a kg of dry air
	roomFan              // changes of the air an hour
	roomDry              // kg of dry matter on the trays
	roomMoist            // kg of water a kg of dry matter
	roomGoods            // number of wares; a switch
	roomOrder            // °C that an action wants; a switch
	roomOrderEnds        // hour until which it does; a switch
	roomStove            // °C that the routine wants, 0: none; a switch
	roomStateSize        // entries
)

const (
	lightest  = 0.05  // kg of dry matter: less is crumbs
	trayLimit = 400.0 // kg of wet goods that the trays hold
	keepWarm  = 38.0  // °C at which goods that are done wait
	hottest   = 80.0  // °C that the stove can hold
)

// Hours of the day's work in a drying room.
const (
	takeOutEarly = 6.5
	loadAt       = 7.0
	takeOutLate  = 17.0
)

// room is a drying room: the heat and the moisture of its air, and the goods on its trays. It implements model.
type room struct {
	sky   sky
	seed  uint64  // of this room alone
	usual bool    // people do by themselves what is usual
	goods float64 // number of the wares that the routine dries
	wares [2]ware
}

// newRoom makes the model of a place whose defaults are filled in.
func newRoom(seed uint64, p Place, k sky) *room {
	r := &room{sky: k, seed: seed ^ text(p.ID), usual: p.Care != None, wares: wares()}
	for i, w := range r.wares {
		if w.name == p.Goods {
			r.goods = float64(i)
		}
	}
	return r
}

// begin is the room after two days from the air outside.
func (r *room) begin(h float64) state {
	const spell, dt = 48.0, 0.125
	s := make(state, roomStateSize)
	k := r.sky(h - spell)
	s[roomAir], s[roomLiningT], s[roomFan] = k.Air, k.Air, idleChanges
	s[roomWater] = mixing(saturation(math.Min(k.Dew, k.Air)), k.Pressure)
	s[roomGoods], s[roomMoist] = r.goods, r.wares[int(r.goods)].dry
	for i := range int(spell / dt) {
		r.step(s, h-spell+float64(i)*dt, dt)
	}
	return s
}

// step moves the room by dt hours.
func (r *room) step(s state, h, dt float64) { r.advance(s, h, dt) }

// advance is step, and tells what was exchanged.
func (r *room) advance(s state, h, dt float64) exchangeOfRoom {
	if r.usual {
		r.routine(s, h, dt)
	}
	k := r.sky(h + dt/2)
	goal := s[roomStove]
	if h < s[roomOrderEnds] {
		goal = s[roomOrder]
	}
	if goal > 0 { // no fire burns evenly
		goal += 1.2 * drift(r.seed, chanRoomStove, h, 0.7)
	}
	var sum exchangeOfRoom
	n := math.Ceil(dt/roomSubstep - 1e-9)
	for range int(n) {
		r.air(s, k, goal, dt/n)
		x := r.balance(s, k, goal, dt/n)
		sum.stove, sum.aired, sum.walls = sum.stove+x.stove, sum.aired+x.aired, sum.walls+x.walls
		sum.evaporated, sum.vented, sum.dripping = sum.evaporated+x.evaporated, sum.vented+x.vented, sum.dripping+x.dripping
	}
	return sum
}

// air lets the fan follow the humidity: it blows the more the damper the heated air is.
func (r *room) air(s state, k Sky, goal, dt float64) {
	changes := idleChanges
	if goal > 0 {
		rh := 100 * humid(s[roomWater], s[roomAir], k.Pressure)
		changes = leastChanges + fanChanges*clamp((rh-fanFrom)/(fanFull-fanFrom), 0, 1)
	}
	s[roomFan] += (changes - s[roomFan]) * -math.Expm1(-dt/fanLag)
}

// routine is what a household does by itself: it loads empty trays every morning but on Sundays, heats until the goods are
// done, and takes them out in the evening or, when they were done by night, in the morning.
func (r *room) routine(s state, h, dt float64) {
	w := &r.wares[int(clamp(s[roomGoods], banhDa, herbs))]
	loaded := s[roomDry] >= lightest
	done := s[roomMoist] <= w.dry
	if loaded && done && (passes(h, dt, takeOutEarly) || passes(h, dt, takeOutLate)) {
		s[roomDry], loaded = 0, false
	}
	if day, _ := split(h); !loaded && passes(h, dt, loadAt) && (day+4)%7 != 0 { // 1970-01-01 was a Thursday
		r.load(s, r.goods, r.wares[int(r.goods)].load)
		loaded, done, w = true, false, &r.wares[int(r.goods)]
	}
	switch {
	case !loaded:
		s[roomStove] = 0
	case done:
		s[roomStove] = keepWarm
	case s[roomStove] != keepWarm: // once done, a damp night does not begin it anew
		s[roomStove] = w.heat
	}
}

// load puts kg of wet goods on the trays. Goods of another kind leave them.
func (r *room) load(s state, goods, kg float64) {
	w := &r.wares[int(goods)]
	dry := kg / (1 + w.fresh)
	if s[roomGoods] != goods {
		s[roomDry] = 0
	}
	if s[roomDry] < lightest {
		s[roomDry] = 0
	}
	s[roomMoist] = (s[roomDry]*s[roomMoist] + dry*w.fresh) / (s[roomDry] + dry)
	s[roomDry] += dry
	s[roomGoods] = goods
	s[roomStove] = 0
}

// act does what people do to a room.
func (r *room) act(s state, h float64, a Action, ends bool) error {
	switch a.Kind { //nolint:exhaustive // the others are no work in a room
	case Load:
		goods, err := wareNamed(a.What)
		if err != nil {
			return err
		}
		if a.Amount <= 0 || a.Amount > trayLimit {
			return fmt.Errorf("world: load in a room: %g kg; want more than 0, up to %g", a.Amount, trayLimit)
		}
		r.load(s, goods, a.Amount)
	case Unload:
		s[roomDry] = 0
	case Heat:
		if a.Amount < 0 || a.Amount > hottest {
			return fmt.Errorf("world: heat in a room: %g °C; want 0 to %g", a.Amount, hottest)
		}
		if a.For <= 0 {
			return fmt.Errorf("world: heat in a room: for %s; say how long it lasts, such as 5h", a.For)
		}
		if !ends { // the last order holds, and ends by itself
			s[roomOrder], s[roomOrderEnds] = a.Amount, h+a.For.Hours()
		}
	default:
		return fmt.Errorf("world: %q cannot be done in a room; want load, heat or unload", string(a.Kind))
	}
	return nil
}

// value is what a perfect probe says.
func (r *room) value(s state, h float64, q measure.Quantity) (float64, bool) {
	k := r.sky(h)
	full := saturation(s[roomAir])
	rh := math.Min(1, humid(s[roomWater], s[roomAir], k.Pressure)) // the line between two instants may cross saturation by a hair
	switch q {                                                     //nolint:exhaustive // the others a room does not have
	case measure.AirTemperature:
		return s[roomAir], true
	case measure.RelativeHumidity:
		return 100 * rh, true
	case measure.DewPoint:
		return dewOf(rh * full), true
	case measure.VapourDeficit:
		return (1 - rh) * full, true
	case measure.AirPressure:
		return k.Pressure, true
	case GoodsMoisture:
		return 100 * s[roomMoist] / (1 + s[roomMoist]), true
	case GoodsMass:
		return s[roomDry] * (1 + s[roomMoist]), true
	}
	return 0, false
}
