package world

import "math"

const (
	zeroCelsius        = 273.15
	standardAtmosphere = 1013.25 // hPa
	waterHeat          = 4.18e6  // J/(m³ K)
	bedHeat            = 1.2e6   // J/(m² K): 0.4 m of wet mud
	bedExchange        = 8.0     // W/(m² K) between lower water and mud
	gravity            = 9.81
)

// surrounding is what one step needs to know of the air, the light and the water before anything changes.
type surrounding struct {
	Sky
	hour       float64 // civil time, in the middle of the step
	half       float64 // m: thickness of each layer
	shade      float64 // 1/m: how light fades in the water
	friction   float64 // m/s: friction velocity of the wind in the water
	saturation float64 // g/m³: oxygen of the upper layer in equilibrium with the air
	warmUp     float64 // how much faster than at 20 °C things breathe in the upper layer: 1.07 a degree
	warmLow    float64
	gas        float64 // m/h: k600, how fast gases pass the surface
	vapour     float64 // hPa in the air
	cooling    float64 // W/m² that the surface loses
	fall       float64 // share of sunlight that enters the water
}

func (p *pond) surroundings(s state, h float64, a Sky) surrounding {
	w := surrounding{Sky: a, hour: h, half: s[pDepth] / 2, fall: 0.93} // albedo of water under a high sun: Losordo & Piedrahita 1991
	w.Wind, w.Rain, w.Sun = math.Max(0, a.Wind), math.Max(0, a.Rain), math.Max(0, a.Sun)
	chl := chlorAt * s[pAlgae]
	root := math.Cbrt(chl)
	// Chapra 1997 (QUAL2K): silt 0.052, detritus 0.174 a mg/L (twice its carbon), chlorophyll after Riley 1956.
	w.shade = 0.25 + 0.052*s[pSilt] + 0.35*s[pDetC] + 0.0088*chl + 0.054*root*root
	// Drag of 1.1e-3 and air of 1.2 kg/m³ over water of 1000: u* = 0.00115 U (Losordo & Piedrahita 1991).
	w.friction = 0.00115 * math.Max(0.05, w.Wind)
	w.saturation = Saturation(s[pWarmUp], s[pSalt]/1000, a.Pressure/standardAtmosphere)
	w.warmUp, w.warmLow = breathing(s[pWarmUp]), breathing(s[pWarmLow])
	w.gas = (2.07 + 0.215*math.Pow(1.21*w.Wind, 1.7) + 0.679*w.Rain/(1+w.Rain/300)) / 100
	w.vapour = 10 * saturation(math.Min(a.Dew, a.Air))
	return w
}

// breathing is how respiration grows with warmth against 20 °C: 1.07 a degree, twice in ten (Boyd; Culberson & Piedrahita 1996).
func breathing(celsius float64) float64 { return math.Exp(0.0677 * (celsius - 20)) }

// heat warms and cools the layers and returns what evaporates, m/h (below 0: dew).
//
// The balance is that of Losordo & Piedrahita 1991: sun by Beer's law, with the 45 % of it that is red and longer taken up at the
// surface; the sky's long waves after Brutsaert 1975 with clouds by 1 + 0.17 C²; the water's own after Stefan and Boltzmann;
// evaporation by the wind and the buoyancy of moist air after Ryan, Harleman & Stolzenbach 1974; sensible heat by Bowen's ratio; mud
// as a store. Fluxes are linear in the temperature they change (Rosenbrock), so no step is too long.
func (p *pond) heat(s state, w *surrounding, dt float64) float64 {
	const boltzmann, emissivity, longShare, seconds = 5.67e-8, 0.97, 0.45, 3600
	t, k := s[pWarmUp], s[pWarmUp]+zeroCelsius
	air := w.Air + zeroCelsius
	es := 10 * saturation(t)
	slope := es * 17.27 * 237.3 / ((t + 237.3) * (t + 237.3))

	buoyant := k/(1-0.378*es/w.Pressure) - air/(1-0.378*w.vapour/w.Pressure)
	wet := math.Min(1, s[pDepth]/0.3) // a pond that is let out has less surface
	f := (2.7*math.Cbrt(math.Max(0, buoyant)) + 3.1*w.Wind) * wet
	latent := f * (es - w.vapour)
	sensible := f * 0.61 * w.Pressure / standardAtmosphere * (t - w.Air)
	longIn := 0.97 * 1.24 * math.Pow(w.vapour/air, 1.0/7) * (1 + 0.17*w.Cloud*w.Cloud) * boltzmann * air * air * air * air
	longOut := emissivity * boltzmann * k * k * k * k

	sun := w.fall * w.Sun
	pass := (1 - longShare) * math.Exp(-w.shade*w.half)
	bottom := pass * math.Exp(-w.shade*w.half)
	flux := sun*(1-pass) + longIn - longOut - latent - sensible
	w.cooling = longOut + latent + sensible - longIn - longShare*sun
	back := f*(slope+0.61) + 4*emissivity*boltzmann*k*k*k
	store := waterHeat * w.half
	s[pWarmUp] += flux * dt * seconds / (store + back*dt*seconds)
	s[pWarmLow] += sun * (pass - bottom) * dt * seconds / store
	s[pWarmBed] += sun * bottom * dt * seconds / bedHeat
	s[pWarmLow], s[pWarmBed] = exchange(s[pWarmLow], s[pWarmBed], store, bedHeat, bedExchange*dt*seconds)
	// The ground below the mud keeps the mean of the year, 24.5 °C.
	s[pWarmBed] += (24.5 - s[pWarmBed]) * 0.4 * dt * seconds / bedHeat
	return latent / (2.501e9 - 2.36e6*t) * seconds
}

// exchange lets two stores of capacities ca and cb pass x of their difference, implicitly: what one loses the other gains.
func exchange(a, b, ca, cb, x float64) (float64, float64) {
	q := (a - b) * x / (1 + x*(1/ca+1/cb))
	return a - q/ca, b + q/cb
}

// mix exchanges water between the layers.
func (p *pond) mix(s state, w *surrounding, dt float64) {
	x := p.exchangeVelocity(s, w) * dt
	for _, i := range [...]int{pWarmUp, pOxyUp, pCarbUp} { // the lower layer's entry follows the upper's
		s[i], s[i+1] = exchange(s[i], s[i+1], w.half, w.half, x)
	}
}

// exchangeVelocity is how fast water passes between the layers, m/h.
//
// Without a difference in density it is that of the wind's eddies, κ u* z/4 between two halves (Losordo & Piedrahita 1991). Mixing
// layers of different density lifts the heavier, and takes the power that the wind and the night's sinking water have for it: 1.25
// u*³ and 0.4 B z/2 for a cooling surface's flux of buoyancy B (Kraus & Turner 1967; Imberger & Patterson 1990). So a calm pond parts
// by day and is mixed late at night, and a wind above 5 m/s keeps it mixed (Branco & Torgersen 2009). Cold water above warm sinks.
// Rain falls through and stirs (it mixes ponds in the early evening: Sriyasak et al. 2015); fish and aerators stir.
func (p *pond) exchangeVelocity(s state, w *surrounding) float64 {
	const karman, wind, convection, sinking, seconds = 0.4, 1.25, 0.4, 1.2, 3600
	stirred := 0.04 + 0.012*w.Rain + 0.1*s[pFish]/1000 + 4*s[pAerator]*s[pDepth]
	heavier := gravity * (density(s[pWarmLow]) - density(s[pWarmUp])) / 1000
	free := karman * w.friction / 2
	if heavier <= 0 {
		return stirred + free*seconds + sinking
	}
	const expansion = 3.1e-4 // 1/K at 30 °C
	sink := gravity * expansion * math.Max(0, w.cooling) / waterHeat * w.half
	power := wind*w.friction*w.friction*w.friction + convection*sink
	free += math.Cbrt(sink) / 8 // eddies of the sinking water
	return stirred + free*seconds/(1+free*heavier*w.half/power)
}

// density of fresh water, kg/m³: Martin & McCutcheon 1999 (the formula of Gill 1982).
func density(t float64) float64 {
	return 1000 * (1 - (t+288.9414)*(t-3.9863)*(t-3.9863)/(508929.2*(t+68.12963)))
}
