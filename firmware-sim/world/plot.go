package world

import (
	"fmt"
	"math"

	"aovuon/gateway/measure"
)

// Quantities of a plot that no gateway sends: they are for the truth alone.
const (
	CanopyCover   measure.Quantity = "canopy_cover"   // share of the ground that the crop covers
	StandingWater measure.Quantity = "standing_water" // mm on the surface
	YieldShare    measure.Quantity = "yield_share"    // what want of water and of air have left of the crop's yield, 0 to 1
	Irrigation    measure.Quantity = "irrigation"     // mm/h that people give just now, to an eighth of an hour: it is switched on and off
)

// The entries of a plot's state: first those by layer. Crop, planting, ditch and irrigation are switches; everything that value
// reads is continuous.
const (
	plotWater = 0                      // m³/m³, by layer
	plotSalt  = plotWater + plotLayers // pore water's conductivity times its depth, µS/cm · mm, by layer
	plotHeat  = plotSalt + plotLayers  // °C, by layer of heat
)

const (
	plotPond      = iota + plotHeat + heatNodes // mm of water on the surface
	plotPondSalt                                // and its salt, µS/cm · mm
	plotFront                                   // mm that this rain has sent in
	plotN                                       // kg/ha that roots can take
	plotP                                       // the same
	plotK                                       // the same
	plotGrainN                                  // kg/ha of fertiliser that is not dissolved yet
	plotGrainP                                  // the same
	plotGrainK                                  // the same
	plotManure                                  // kg/ha that have not rotted yet
	plotPH                                      // of the soil
	plotCanopy                                  // share of the ground
	plotCrop                                    // number of crops; a switch
	plotPlanted                                 // hour; a switch
	plotDaily                                   // mm of ETc in a day, of the last three days
	plotGiven                                   // mm that the crop took since planting
	plotWanted                                  // mm that it would have taken
	plotDrowned                                 // hours that its roots stood in water
	plotDitch                                   // 1 open, 0 closed; a switch
	plotHeld                                    // hour until which the ditch is as somebody set it; a switch
	plotActed                                   // mm/h of irrigation by action; a switch
	plotTurn                                    // mm/h of the routine's irrigation; a switch
	plotTurnEnds                                // hour; a switch
	plotShine                                   // W/m² of sun, of the last half hour: what the air in the canopy feels
	plotStateSize                               // entries
)

// plot is a field of the delta: its water and salts by layer, heat, nutrients, crop, and the air over it. It implements model.
type plot struct {
	sky     sky
	seed    uint64 // of this plot alone
	usual   bool   // people do by themselves what is usual
	ground  [plotLayers]ground
	crops   [4]crop
	seasons []season
	dryOut  float64 // days
	depth   float64 // of the probe, m
	late    float64 // hours by which this household is later than the calendar
	own     float64 // demand for water against a usual plot
	native  float64 // conductivity of the pore water by nature, µS/cm
	acid    float64 // pH by nature
	phos    float64 // kg/ha of phosphorus by nature
	pot     float64 // and of potassium
}

// newPlot makes the model of a place whose defaults are filled in.
func newPlot(seed uint64, p Place, k sky) *plot {
	own := seed ^ text(p.ID)
	trait := func(i int64) float64 { return unit(own, chanSoilTrait, i) }
	return &plot{
		sky: k, seed: own, usual: p.Care != None, ground: grounds(p), crops: crops(), seasons: seasons(p.Crop, p.Season), dryOut: p.DryOut,
		depth: p.Probe, late: math.Round(8*trait(0)-4) * 24, own: 0.92 + 0.16*trait(1), native: 1200 + 600*trait(2), acid: 5.8 + 0.8*trait(3),
		phos: rootedSoil * (22 + 16*trait(5)), pot: rootedSoil * (80 + 50*trait(6)),
	}
}

// before is how long a plot lives before the world begins, so that its water and upper soil have forgotten the guess they began
// with: hours.
const before = 7 * 24

// begin is the plot after a week from field capacity, with the crop that the calendar has on it.
func (p *plot) begin(h float64) state {
	s := make(state, plotStateSize)
	start := h - before
	for i := range plotLayers {
		s[plotWater+i] = p.ground[i].FieldCapacity
		s[plotSalt+i] = p.native * s[plotWater+i] * thickness(i)
	}
	s[plotN], s[plotP], s[plotK] = rootedSoil*(14+12*unit(p.seed, chanSoilTrait, 4)), p.phos, p.pot
	s[plotPH], s[plotDaily], s[plotDitch] = p.acid, 2, 1
	s[plotCanopy] = p.crops[fallow].cover
	if crop, planted, _, ok := p.seasonAt(start); ok && p.usual {
		s[plotCrop], s[plotPlanted] = crop, planted
		s[plotCanopy] = p.crop(s).canopy((start - planted) / 24)
	}
	p.settle(s, start)
	const dt = 0.125
	for i := range int(before / dt) {
		p.step(s, start+float64(i)*dt, dt)
	}
	return s
}

// step moves the plot by dt hours.
func (p *plot) step(s state, h, dt float64) { p.advance(s, h, dt) }

// advance is step, and tells what flowed.
func (p *plot) advance(s state, h, dt float64) plotFlows {
	if p.usual {
		p.routine(s, h, dt)
	}
	k := p.sky(h + dt/2)
	turn := s[plotTurn] * clamp((s[plotTurnEnds]-h)/dt, 0, 1)
	f := p.water(s, k.Rain, s[plotActed]+turn, dt)
	et0 := referenceET(hourlyOf(k))
	wanted := p.evaporate(s, et0, h, dt, &f)
	p.grow(s, h, dt, wanted, &f)
	p.dissolve(s, dt)
	p.feed(s, &f)
	p.sour(s, dt)
	p.warm(s, k, dt)
	s[plotShine] += (k.Sun - s[plotShine]) * -math.Expm1(-dt/0.4)
	return f
}

// grow moves the canopy to what it is at the crop's age, and counts what harms the yield.
func (p *plot) grow(s state, h, dt, wanted float64, f *plotFlows) {
	c := p.crop(s)
	slow := 48.0
	if s[plotCrop] == fallow {
		slow = 20 * 24 // weeds
	}
	s[plotCanopy] += (c.canopy((h-s[plotPlanted])/24) - s[plotCanopy]) * -math.Expm1(-dt/slow)
	s[plotDaily] += ((f.evaporation+f.transpiration)/dt*24 - s[plotDaily]) * -math.Expm1(-dt/72)
	if s[plotCrop] == fallow {
		return
	}
	s[plotGiven] += f.transpiration
	s[plotWanted] += wanted
	if !c.flooded && s[plotWater+1] > p.ground[1].FieldCapacity+0.05 {
		s[plotDrowned] += dt
	}
}

// yieldShare is what is left of the yield: 1 - Ky (1 - T/Tm) with Ky 1.1 (FAO-33, Doorenbos and Kassam 1979), less half a per
// cent for every hour over a day that the roots stood in water. The second is a choice.
func yieldShare(s state) float64 {
	share := 1.0
	if s[plotWanted] > 0 {
		share -= 1.1 * (1 - s[plotGiven]/s[plotWanted])
	}
	return clamp(share, 0, 1) * clamp(1-0.005*(s[plotDrowned]-24), 0, 1)
}

// value is what a perfect probe says.
func (p *plot) value(s state, h float64, q measure.Quantity) (float64, bool) {
	switch q { //nolint:exhaustive // the others a plot does not have
	case measure.SoilMoisture:
		return 100 * p.moisture(s), true
	case measure.SoilPermittivity:
		return permittivity(p.moisture(s)), true
	case measure.SoilTemperature:
		return soilTemperature(s, p.depth), true
	case measure.SoilConductivity:
		pore := atDepth(p.depth, func(i int) float64 { return s[plotSalt+i] / (s[plotWater+i] * thickness(i)) })
		return p.bulk(p.moisture(s), pore), true
	case measure.SoilPH:
		return s[plotPH], true
	case measure.SoilNitrogen:
		return s[plotN] / rootedSoil, true
	case measure.SoilPhosphorus:
		return s[plotP] / rootedSoil, true
	case measure.SoilPotassium:
		return s[plotK] / rootedSoil, true
	case CanopyCover:
		return s[plotCanopy], true
	case StandingWater:
		return s[plotPond], true
	case YieldShare:
		return yieldShare(s), true
	case Irrigation:
		mm := s[plotActed]
		if h < s[plotTurnEnds] {
			mm += s[plotTurn]
		}
		return mm, true
	}
	return p.air(s, h, q)
}

// bulk is what a probe at the probe's depth conducts by.
func (p *plot) bulk(theta, pore float64) float64 {
	return atDepth(p.depth, func(i int) float64 { return p.ground[i].salt.bulk(theta, pore) })
}

// moisture is the water content at the probe, m³/m³.
func (p *plot) moisture(s state) float64 {
	return atDepth(p.depth, func(i int) float64 { return s[plotWater+i] })
}

// air is that over the plot. A canopy in clear and calm nights is cooler than the weather's screen, and by day cooler and
// damper for what it transpires; no two plots are quite alike. What the canopy does is a choice of this model, a degree at
// most.
func (p *plot) air(s state, h float64, q measure.Quantity) (float64, bool) {
	k := p.sky(h)
	sun := s[plotShine] / 900
	night := clamp(1-s[plotShine]/60, 0, 1) * (1 - 0.8*k.Cloud) / (1 + k.Wind)
	air := k.Air + 0.4*drift(p.seed, chanPlotAir, h, 9) - s[plotCanopy]*(1.2*night+0.6*sun)
	dew := air - spread(air-k.Dew-s[plotCanopy]*(0.2*night+0.5*sun))
	switch q { //nolint:exhaustive // the others the air does not have
	case measure.AirTemperature:
		return air, true
	case measure.DewPoint:
		return dew, true
	case measure.RelativeHumidity:
		return 100 * saturation(dew) / saturation(air), true
	case measure.VapourDeficit:
		return saturation(air) - saturation(dew), true
	case measure.AirPressure:
		return k.Pressure, true
	}
	return 0, false
}

// spread is how far the air over a plot is from its dew point, °C, where the sky's would be d: leaves and threads of spider and
// rain take up what would be more, so that the last half degree is never quite reached, and wet nights are at 97 to 99 % and
// not all alike. A choice of this model.
func spread(d float64) float64 {
	const least, soft = 0.1, 0.4
	return least + soft*math.Log1p(math.Exp(math.Min(30, (d-least)/soft)))
}

// act does what people do to a plot.
func (p *plot) act(s state, h float64, a Action, ends bool) error {
	if a.Amount < 0 {
		return fmt.Errorf("world: %s at a plot: %g; want 0 or more", string(a.Kind), a.Amount)
	}
	switch a.Kind { //nolint:exhaustive // the others are no work on a plot
	case Irrigate:
		if a.For <= 0 {
			return fmt.Errorf("world: irrigate at a plot: for %s; say how long it lasts, such as 2h", a.For)
		}
		rate := a.Amount / a.For.Hours()
		if ends {
			rate = -rate
		}
		s[plotActed] = math.Max(0, s[plotActed]+rate)
	case Drain:
		return p.setDitch(s, h, a, ends)
	case Plant:
		crop, err := cropNamed(a.What)
		if err != nil {
			return err
		}
		p.plant(s, h, crop)
	case Harvest:
		p.plant(s, h, fallow)
	case Fertilise:
		return p.fertilise(s, a.What, a.Amount)
	default:
		return fmt.Errorf("world: %q cannot be done to a plot; want irrigate, drain, plant, fertilise or harvest", string(a.Kind))
	}
	return nil
}

// heldByHand is how long a ditch stays as an action without an end has set it, before the routine minds it again: hours.
const heldByHand = 72

func (p *plot) setDitch(s state, h float64, a Action, ends bool) error {
	if a.Amount != 0 && a.Amount != 1 {
		return fmt.Errorf("world: drain at a plot: %g; want 1, the ditch is opened, or 0, it is closed", a.Amount)
	}
	if ends {
		s[plotHeld] = h
		return nil
	}
	s[plotDitch] = a.Amount
	s[plotHeld] = h + heldByHand
	if a.For > 0 {
		s[plotHeld] = h + a.For.Hours()
	}
	return nil
}

// plant begins a crop, or, with fallow, ends one.
func (p *plot) plant(s state, h, crop float64) {
	s[plotCrop], s[plotPlanted], s[plotCanopy] = crop, h, 0
	s[plotGiven], s[plotWanted], s[plotDrowned] = 0, 0, 0
}

func (p *plot) fertilise(s state, what string, amount float64) error {
	switch what {
	case "nitrogen":
		s[plotGrainN] += amount
	case "phosphorus":
		s[plotGrainP] += amount
	case "potassium":
		s[plotGrainK] += amount
	case "manure":
		s[plotManure] += amount
	default:
		return fmt.Errorf("world: fertiliser %q; want nitrogen, phosphorus, potassium or manure", what)
	}
	return nil
}
