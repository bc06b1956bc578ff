package world

import "math"

// What a kilogram on a hectare, dissolved in a millimetre of water (10 m³), conducts, µS/cm: 10 meq/L are 1 dS/m (USDA Handbook
// 60, Richards 1954). Phosphate falls out at once, but for a tenth.
const (
	nitrogenSalt   = 714.0 // 14 g/eq
	potassiumSalt  = 256.0 // 39.1 g/eq
	phosphorusSalt = 32.0
)

// Numbers of the nutrients.
const (
	rootedSoil                      = 3.9        // 10⁶ kg of soil in 30 cm of a hectare: kg/ha / 3.9 = mg/kg
	dissolves                       = 60.0       // hours in which fertiliser dissolves to a third
	rots                            = 60 * 24.0  // hours, of manure
	weathers                        = 60 * 24.0  // hours in which exchange and weathering bring the pore water back to what it is by nature
	phosphorusStays, potassiumStays = 0.2, 0.7   // shares that a probe still finds: the rest is fixed
	exchanges                       = 365 * 24.0 // hours in which the soil's store brings phosphorus and potassium back to what they are by nature
	acidPerKilo                     = 0.0006     // pH lost to a kilogram of nitrogen on a hectare: 1.8 kg of lime against a buffer of 3 t/ha and unit
	floodedPH                       = 6.9        // what flooded soils come to within weeks (Ponnamperuma 1972)
	driftsPH                        = 90 * 24.0
	floodsPH                        = 20 * 24.0
)

// dissolve brings fertiliser into the water of the top layer, and what rots and weathers.
func (p *plot) dissolve(s state, dt float64) {
	g := &p.ground[0]
	damp := clamp((s[plotWater]-0.5*g.WiltingPoint)/(g.FieldCapacity-0.5*g.WiltingPoint), 0, 1)
	warm := math.Exp2((s[plotHeat+3] - 25) / 10) // doubles every 10 °C
	manure := s[plotManure] * -math.Expm1(-dt/rots*damp*warm)
	s[plotManure] -= manure
	share := -math.Expm1(-dt / dissolves * damp)
	n, ph, k := s[plotGrainN]*share, s[plotGrainP]*share, s[plotGrainK]*share
	s[plotGrainN] -= n
	s[plotGrainP] -= ph
	s[plotGrainK] -= k
	s[plotPH] -= acidPerKilo * n
	// A tonne of manure has 5 kg of nitrogen, 2.5 of phosphorus and 5 of potassium; the soil's own matter gives 0.3 kg a day at
	// 25 °C.
	n += 0.005*manure + 0.3/24*dt*damp*warm
	ph += 0.0025 * manure
	k += 0.005 * manure
	s[plotN] += n
	s[plotP] += ph * phosphorusStays
	s[plotK] += k * potassiumStays
	s[plotSalt] += nitrogenSalt*n + potassiumSalt*k*potassiumStays + phosphorusSalt*ph
	s[plotP] += (p.phos - s[plotP]) * -math.Expm1(-dt/exchanges)
	s[plotK] += (p.pot - s[plotK]) * -math.Expm1(-dt/exchanges)
	for i := range plotLayers {
		nature := p.native * s[plotWater+i] * thickness(i)
		s[plotSalt+i] += (nature - s[plotSalt+i]) * -math.Expm1(-dt/weathers)
	}
}

// feed lets the crop take nutrients with the water it drinks, the more the more there is (Michaelis and Menten), and lets rain
// wash nitrogen out below 30 cm.
func (p *plot) feed(s state, f *plotFlows) {
	taken := f.transpiration
	if s[plotCrop] == fallow { // weeds rot where they grew
		taken = 0
	}
	n := math.Min(1.0*taken*s[plotN]/(s[plotN]+40), s[plotN]/2)
	k := math.Min(1.1*taken*s[plotK]/(s[plotK]+300), s[plotK]/2)
	ph := math.Min(0.12*taken*s[plotP]/(s[plotP]+60), s[plotP]/2)
	s[plotN] -= n
	s[plotK] -= k
	s[plotP] -= ph
	held := s[plotWater]*thickness(0) + s[plotWater+1]*thickness(1)
	s[plotN] -= s[plotN] * math.Min(0.2, 0.7*f.down[1]/held) // a part of it is ammonium, which clay holds
	s[plotK] -= s[plotK] * math.Min(0.2, 0.05*f.down[1]/held)
	rooted := s[plotSalt] + s[plotSalt+1]
	take := math.Min(0.3*(nitrogenSalt*n+potassiumSalt*k), rooted/20) // the crop pays for most of its cations with hydrogen
	s[plotSalt] -= take * s[plotSalt] / rooted
	s[plotSalt+1] -= take * s[plotSalt+1] / rooted
}

// sour moves the soil's pH: back to its nature over months, towards neutral where water stands.
func (p *plot) sour(s state, dt float64) {
	goal, slow := p.acid, driftsPH
	if s[plotPond] > 2 || s[plotWater+1] > p.ground[1].Saturation-0.02 {
		goal, slow = floodedPH, floodsPH
	}
	s[plotPH] += (goal - s[plotPH]) * -math.Expm1(-dt/slow)
}

// bulk is the conductivity of the soil as probes give it, µS/cm at 25 °C, from its water content and the conductivity of the
// water in it: σ = σw θ (a θ + b) + σs (Rhoades, Raats and Prather 1976, Soil Sci. Soc. Am. J. 40:651). Below the water content
// where films break, only the solids conduct.
func (c conduction) bulk(theta, pore float64) float64 {
	return pore*theta*math.Max(0, c.a*theta+c.b) + c.solids
}

// permittivity is the apparent relative permittivity that Topp, Davis and Annan 1980 give the water content θ: the root of
// their equation 7, θ = -0.053 + 0.0292 ε - 5.5e-4 ε² + 4.3e-6 ε³, so that a probe which reckons back comes to θ again. Their
// equation 6 begins Newton's method.
func permittivity(theta float64) float64 {
	e := 3.03 + 9.3*theta + 146*theta*theta - 76.7*theta*theta*theta
	for range 4 {
		f := -0.053 + e*(0.0292+e*(-5.5e-4+e*4.3e-6)) - theta
		e -= f / (0.0292 + e*(-1.1e-3+e*1.29e-5))
	}
	return e
}
