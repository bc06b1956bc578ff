package world

import (
	"math"

	"aovuon/gateway/measure"
)

// pond is a fish pond of two layers: an upper one that the sun warms and the air breathes on, and a lower one on the mud. By day
// they part, by night, in wind and in rain they mix. Its state is in amounts a m² of pond (g/m²) and a m³ of water (g/m³, which
// is mg/L). Heat, gases and carbon are kept by layer; what changes over days and is mixed every night (salt, alkalinity, nitrogen,
// algae, silt) is one for the whole water.
//
// pond_heat.go has the sun, the air and the mixing; pond_water.go the water itself; pond_life.go algae, rot and nitrogen;
// pond_carbon.go pH; pond_fish.go fish; pond_care.go what people do.
type pond struct {
	place Place
	seed  uint64 // the pond's own
	sky   sky
	fish  species
	eq    *equilibria

	alkalinity float64 // eq/m³: of the river, and of the water it begins with
	salt       float64 // g/m³ of both
	full       float64 // m: the level that people fill it to
}

// The entries of a pond's state.
const (
	pDepth   = iota // m of water
	pWarmUp         // °C, upper layer
	pWarmLow        // °C, lower layer
	pWarmBed        // °C, the mud below
	pOxyUp          // g/m³
	pOxyLow
	pCarbUp // dissolved inorganic carbon, mol/m³
	pCarbLow
	pAcidUp // pH
	pAcidLow
	pAlk       // eq/m³
	pSalt      // g/m³
	pTAN       // g N/m³: ammonia and ammonium
	pNitrite   // g N/m³
	pNitrate   // g N/m³
	pAlgae     // g C/m³
	pTired     // share of the upper layer's algae that much light has tired
	pDetC      // g C/m³: what floats and rots
	pDetN      // g N/m³
	pSilt      // g/m³
	pMudC      // g C/m² that can rot
	pMudN      // g N/m²
	pFish      // g/m² alive
	pFishCount // 1/m² alive
	pGut       // g/m²: feed in the fish
	pFeed      // g/m²: feed on the water
	pDead      // g/m²: dead fish that rot
	pDeadCount // 1/m²: fish that died since the world began
	pStress    // h: how long, and how badly, the fish lacked oxygen
	pLime      // g CaCO3/m² that is not dissolved yet
	pBrine     // g salt/m² that is not dissolved yet
	pCopper    // g/m³
	pFloc      // g/m³ of alum that still gathers
	pCulture   // extra activity of the bacteria that were put in, 1: as much as the pond's own
	pAerator   // k, 1/h
	pFilling   // m/h of river water
	pDraining  // m/h let out
	pToFill    // m still to come from the pump
	pToDrain   // m still to go through the sluice
	pRedox     // mV
	// What came and went since the world began, for whoever balances the books.
	pWaterIn  // m
	pWaterOut // m
	pSaltIn   // g/m²
	pSaltOut  // g/m²
	pNitroIn  // g N/m²
	pNitroOut // g N/m²
	pEntries
)

// What a thing has of nitrogen and carbon.
const (
	algaeCN  = 5.68  // g C a g N: Redfield 1958
	fishN    = 0.027 // g N a g of live fish (Boyd & Tucker 1998)
	feedN    = 0.048 // g N a g of feed of 30 % protein (÷ 6.25)
	feedC    = 0.42  // g C a g of feed
	rotO2    = 2.67  // g O2 a g C that is breathed (32/12)
	algaeO2  = 3.2   // g O2 a g C that algae bind or breathe: a quotient of 1.2 (Culberson & Piedrahita 1996)
	chlorAt  = 20.0  // µg chlorophyll a mg C (C:Chl 50; Chapra 1997)
	nitrifO2 = 4.57  // g O2 a g N made nitrate
	molC     = 12.011
	molN     = 14.007
)

// newPond makes the model of a pond whose defaults are filled in.
func newPond(seed uint64, p Place, s sky) *pond {
	own := seed ^ text(p.ID)
	if p.Alkalinity == 0 {
		p.Alkalinity = 80 + 50*unit(own, chanPondAlkalinity, 0)
	}
	return &pond{
		place: p, seed: own, sky: s, fish: kindsOfFish()[p.Species], eq: newEquilibria(),
		alkalinity: p.Alkalinity / caCO3PerEq,
		salt:       170 + 70*unit(own, chanPondSalt, 0), // 340 to 490 µS/cm: hard river water
		full:       p.Depth * (0.955 + 0.03*unit(own, chanPondLevel, 0)),
	}
}

// warmUp is how long a pond is integrated before its world begins, h, so that it begins in the middle of its life.
const warmUp = 5 * 24.0

// begin gives the pond the fish of the date and lets it live for five days.
func (p *pond) begin(h float64) state {
	s := make(state, pEntries)
	a := p.sky(h - warmUp)
	s[pDepth] = p.full - 0.03
	t := a.Air + 1
	s[pWarmUp], s[pWarmLow], s[pWarmBed] = t, t, t
	c := Saturation(t, p.salt/1000, a.Pressure/standardAtmosphere)
	s[pOxyUp], s[pOxyLow] = 0.9*c, 0.8*c
	s[pAlk], s[pSalt] = p.alkalinity, p.salt
	s[pCarbUp], s[pCarbLow] = p.alkalinity*1.04, p.alkalinity*1.05
	s[pAcidUp], s[pAcidLow] = 7.6, 7.5
	count, weight := p.stockOf(h)
	if p.place.Stock > 0 {
		count = p.place.Stock * 1000 / p.place.Area / weight
	}
	dense := count * weight / 400
	s[pFish], s[pFishCount] = count*weight, count
	s[pTAN], s[pNitrite], s[pNitrate] = 0.25, 0.03, 0.5
	s[pAlgae], s[pDetC], s[pDetN] = 2.5, 1.5, 0.2
	s[pMudC], s[pMudN] = 22+14*dense, 2.6+1.7*dense
	s[pSilt], s[pRedox] = 12, 280
	for at := h - warmUp; at < h; at += 0.125 {
		p.step(s, at, 0.125)
	}
	s[pFish], s[pFishCount], s[pDead], s[pStress] = count*weight, count, 0, 0
	for i := pWaterIn; i < pEntries; i++ {
		s[i] = 0
	}
	s[pDeadCount] = 0
	return s
}

// step moves the pond by dt hours under the sky in the middle of them. Each process takes from a pool at most what is in it: rates
// are applied implicitly, so that no step can make a mass negative, whatever it is.
func (p *pond) step(s state, h, dt float64) {
	sky := p.sky(h + dt/2)
	p.routine(s, h, dt)
	w := p.surroundings(s, h+dt/2, sky)
	evaporation := p.heat(s, &w, dt)
	p.water(s, &w, evaporation, dt)
	p.silt(s, &w, dt)
	p.mix(s, &w, dt)
	p.products(s, dt)
	breath := p.feedFish(s, &w, dt)
	p.live(s, &w, breath, dt)
	p.acid(s)
	p.fate(s, &w, dt)
	p.redox(s, dt)
}

// value is what a perfect probe at the pond's probe depth says; the air's are those of the sky.
func (p *pond) value(s state, h float64, q measure.Quantity) (float64, bool) {
	switch q { //nolint:exhaustive // those that are not listed a pond does not have
	case measure.AirTemperature:
		return p.sky(h).Air, true
	case measure.RelativeHumidity:
		return p.sky(h).Humidity, true
	case measure.AirPressure:
		return p.sky(h).Pressure, true
	case measure.DewPoint:
		return p.sky(h).Dew, true
	case measure.WaterTemperature:
		return p.warmth(s, h), true
	case measure.DissolvedOxygen:
		return p.oxygen(s, h), true
	case measure.OxygenSaturation:
		return 100 * p.oxygen(s, h) / Saturation(p.warmth(s, h), p.salinity(s, h), p.sky(h).Pressure/standardAtmosphere), true
	case measure.PH:
		return p.ph(s, h), true
	case measure.ORP:
		return s[pRedox] + 2*p.ripple(h, 1.3), true
	case measure.Salinity:
		return p.salinity(s, h), true
	case measure.Conductivity:
		return conductivityOf(p.salinity(s, h)), true
	case measure.TotalAmmonia:
		return p.ammonia(s, h), true
	case measure.UnionisedAmmonia:
		return p.ammonia(s, h) * unionised(p.ph(s, h), p.warmth(s, h)), true
	case measure.Ammonium:
		return p.ammonia(s, h) * (1 - unionised(p.ph(s, h), p.warmth(s, h))), true
	case measure.Turbidity:
		return turbidity(s) * (1 + 0.03*p.ripple(h, 0.11) + 0.02*p.ripple(h, 0.03)), true
	case measure.WaterLevel:
		wave := math.Min(1, 0.3+0.2*p.sky(h).Wind) * math.Min(1, s[pDepth]/0.3)
		return 100*s[pDepth] + 0.25*wave*p.ripple(h, 0.05), true
	}
	return 0, false
}

// ripple is small smooth chance in [-1, 1] that turns over every period hours: waves, eddies and fish passing the probe.
func (p *pond) ripple(h, period float64) float64 { return drift(p.seed, chanPondRipple, h, period) }

// at is what a probe feels between the layers' values: it hangs at its depth, and the layers run into each other over 30 cm.
func (p *pond) at(s state, up, low int) float64 {
	x := (p.place.Probe-s[pDepth]/2)/0.3 + 0.5
	x = clamp(x, 0, 1)
	x *= x * (3 - 2*x)
	return s[up] + (s[low]-s[up])*x
}

// warmth is the water's temperature at the probe; eddies between layers of different warmth are felt most.
func (p *pond) warmth(s state, h float64) float64 {
	apart := math.Abs(s[pWarmUp] - s[pWarmLow])
	return p.at(s, pWarmUp, pWarmLow) + (0.02+0.03*apart/(1+apart/3))*p.ripple(h, 0.3)
}

func (p *pond) oxygen(s state, h float64) float64 {
	return p.at(s, pOxyUp, pOxyLow) * (1 + 0.007*p.ripple(h, 0.3) + 0.004*p.ripple(h, 0.07))
}

func (p *pond) ph(s state, h float64) float64 {
	return p.at(s, pAcidUp, pAcidLow) + 0.008*p.ripple(h, 0.3)
}

func (p *pond) salinity(s state, h float64) float64 {
	return s[pSalt] / 1000 * (1 + 0.003*p.ripple(h, 0.7))
}

func (p *pond) ammonia(s state, h float64) float64 { return s[pTAN] * (1 + 0.01*p.ripple(h, 0.5)) }

// turbidity is that of the water, NTU: about 1 a mg/L of fine silt, 0.15 a µg/L of chlorophyll, 1.5 a mg/L of rotting carbon
// (ponds of 100 µg/L have some 20 NTU without silt: Boyd & Tucker 1998, rounded).
func turbidity(s state) float64 { return 1 + s[pSilt] + 0.15*chlorAt*s[pAlgae] + 1.5*s[pDetC] }

// unionised is the share of total ammonia that is NH3: Emerson, Russo, Lund and Thurston 1975.
func unionised(ph, celsius float64) float64 {
	return 1 / (1 + math.Exp(math.Ln10*(0.09018+2729.92/(celsius+zeroCelsius)-ph)))
}

// conductivityOf is the conductivity at 25 °C, µS/cm, of water of practical salinity s: PSS-78 (UNESCO 1983) with the extension of
// Hill, Dauphinee and Woods 1986 below 2, inverted by Newton's method. For s below 42.
func conductivityOf(s float64) float64 {
	const seaAt25 = 53_065.0 // µS/cm: C(35, 25 °C)
	r := s / 35              // conductivity ratio; a little more than this, and the curve is nearly straight
	for range 12 {
		const d = 1e-6
		f := practicalSalinity(r)
		next := math.Max(r/4, r-(f-s)*d/(practicalSalinity(r+d)-f))
		if math.Abs(next-r) < 1e-12 {
			break
		}
		r = next
	}
	return r * seaAt25
}

// practicalSalinity is that of a conductivity ratio at 25 °C.
func practicalSalinity(ratio float64) float64 {
	const f = 10 / 1.162 // (t - 15)/(1 + 0.0162 (t - 15))
	x := math.Sqrt(ratio)
	s := 0.008 + x*(-0.1692+x*(25.3851+x*(14.0941+x*(-7.0261+x*2.7081)))) +
		f*(0.0005+x*(-0.0056+x*(-0.0066+x*(-0.0375+x*(0.0636-x*0.0144)))))
	if s >= 2 {
		return s
	}
	a, b := 400*ratio, 100*ratio
	return s - 0.008/(1+1.5*a+a*a) - 0.0005*f/(1+math.Sqrt(b)+b+b*math.Sqrt(b))
}

// redox lets the electrode follow the water within three hours: it rises with oxygen and falls with pH, 59 mV each (Nernst);
// without oxygen, sulphide takes it down (Boyd 1995, Bottom Soils: 300 mV and more in water with oxygen, below 0 without).
func (p *pond) redox(s state, dt float64) {
	o := p.at(s, pOxyUp, pOxyLow)
	goal := 300 + 22*math.Log(o/8+0.02) - 59*(p.at(s, pAcidUp, pAcidLow)-7.5) - 220*math.Exp(-o/0.4)
	s[pRedox] += (goal - s[pRedox]) * dt / (dt + 3)
}

// Saturation is the dissolved oxygen water holds in equilibrium with air, mg/L: Benson and Krause 1984 as in USGS Office
// of Water Quality memorandum 2011.03. t in °C (0 to 40), salinity in g/kg (0 to 40), pressure in atmospheres.
func Saturation(t, salinity, pressure float64) float64 {
	k := t + zeroCelsius
	c := math.Exp(-139.34411 + 1.575701e5/k - 6.642308e7/(k*k) + 1.243800e10/(k*k*k) - 8.621949e11/(k*k*k*k) -
		salinity*(1.7674e-2-10.754/k+2140.7/(k*k)))
	if pressure == 1 {
		return c
	}
	vapour := math.Exp(11.8571 - 3840.70/k - 216961/(k*k))
	theta := 9.75e-4 - 1.426e-5*t + 6.436e-8*t*t
	return c * pressure * (1 - vapour/pressure) * (1 - theta*pressure) / ((1 - vapour) * (1 - theta))
}
