package world

import "math"

const (
	river     = 0.5 // g N/m³ of nitrate in river water
	rainN     = 0.3 // g N/m³ of nitrate in rain
	rainSalt  = 10  // g/m³: rain near the sea
	dike      = 0.3 // m² of dike and yard a m² of pond, whose rain runs into it
	runoff    = 0.4 // share of that rain
	seepage   = 1.2e-4
	pump      = 0.05 // m/h: 100 m³/h in 2,000 m²
	sluice    = 0.10 // m/h
	sump      = 0.10 // m that no sluice lets out
	freeboard = 0.12 // m above full, where the overflow lies
)

// water moves the level and dilutes or thickens what is in the water (Boyd & Gross 2000, the water budget of ponds). Rain, run-off
// and river water come in; water seeps (3 mm a day), evaporates and leaves by sluice and overflow. What leaves takes along what is
// dissolved and what floats; vapour takes nothing. The flows come with temperature, oxygen and carbon of their own.
func (p *pond) water(s state, w *surrounding, evaporation, dt float64) {
	z := s[pDepth]
	rain := w.Rain * (1 + dike*runoff) / 1000 * dt
	fill := p.fill(s, dt)
	vapour := evaporation * dt
	seep := seepage * z / p.full * dt
	over := math.Max(0, z-p.full-freeboard) * 2 * dt / (1 + 2*dt)
	drain := p.drain(s, z, dt)
	out := math.Min(seep+over+drain, 0.5*z)
	in := rain + fill
	next := z + in - vapour - out
	s[pDepth] = next

	// All of the water: mass before, plus what comes, less what goes with the water that leaves.
	stay := z - out
	blend := func(i int, withRain, withFill float64) { s[i] = (s[i]*stay + rain*withRain + fill*withFill) / next }
	s[pSaltIn] += rain*rainSalt + fill*p.salt
	s[pSaltOut] += out * s[pSalt]
	s[pNitroIn] += rain*rainN + fill*river
	s[pNitroOut] += out * (s[pTAN] + s[pNitrite] + s[pNitrate] + s[pAlgae]/algaeCN + s[pDetN])
	s[pWaterIn] += in
	s[pWaterOut] += out + vapour
	blend(pSalt, rainSalt, p.salt)
	blend(pAlk, 0, p.alkalinity)
	blend(pTAN, 0, 0)
	blend(pNitrite, 0, 0)
	blend(pNitrate, rainN, river)
	for _, i := range [...]int{pAlgae, pDetC, pDetN, pCopper, pFloc} {
		blend(i, 0, 0)
	}
	blend(pSilt, dikeSoil(w.Rain), 15)

	// By layer: rain and river water come in above and vapour leaves there; what leaves otherwise leaves both alike; then the
	// border moves to the middle again.
	down := (in - vapour) / 2
	cool := math.Min(w.Air, w.Dew+1.5) // rain has about the wet bulb's temperature
	air := Saturation(s[pWarmUp], 0, 1)
	layer := func(up int, withRain, withFill float64, leaves bool) {
		low := up + 1
		a, b := s[up]*stay/2+rain*withRain+fill*withFill, s[low]*stay/2
		if leaves {
			a -= vapour * s[up]
		}
		if down > 0 {
			a, b = a-down*s[up], b+down*s[up]
		} else {
			a, b = a-down*s[low], b+down*s[low]
		}
		s[up], s[low] = 2*a/next, 2*b/next
	}
	layer(pWarmUp, cool, (s[pWarmLow]+w.Air)/2, true)
	layer(pOxyUp, air, 0.75*air, false)
	layer(pCarbUp, 0.02, p.alkalinity*1.03, false)
	w.half = next / 2
}

// fill is what the river gives in dt, m.
func (p *pond) fill(s state, dt float64) float64 {
	due := math.Min(s[pToFill], pump*dt)
	s[pToFill] -= due
	return due + s[pFilling]*dt
}

// drain is what is let out in dt, m; from the sump no water runs.
func (p *pond) drain(s state, z, dt float64) float64 {
	due := math.Min(s[pToDrain], sluice*dt)
	s[pToDrain] -= due
	want := due + s[pDraining]*dt
	room := math.Max(0, z-sump)
	if want == 0 {
		return 0
	}
	return want * room / (room + want)
}

// dikeSoil is the soil that rain on dikes brings into a m³ of it, g: 12 % of the rain comes from them, and carries the more the
// harder it falls. A storm of 20 mm in an hour brings some 20 NTU.
func dikeSoil(rain float64) float64 {
	return dike * runoff / (1 + dike*runoff) * (2500 + 350*rain/(1+rain/150))
}

// silt stirs up and lets sink. Waves stir mud where the water is shallow (wind above 3 m/s), fish that dig in it always; fine silt
// sinks at 0.04 m/h (Stokes, 3 µm), gathered by alum many times as fast (Boyd 1979).
func (p *pond) silt(s state, w *surrounding, dt float64) {
	wave := math.Max(0, w.Wind-3)
	// Water that is full of silt takes up less.
	up := 0.15*wave*wave*math.Exp(-1.2*s[pDepth]) + p.fish.digs*s[pFish]/1000 + 0.35
	up /= 1 + s[pSilt]/500
	sink := (0.04 + 0.03*s[pFloc]) / s[pDepth]
	s[pSilt] = (s[pSilt] + up*dt/s[pDepth]) / (1 + sink*dt)
}

// products dissolves what people put in, and lets it wear off.
func (p *pond) products(s state, dt float64) {
	z := s[pDepth]
	// Limestone dissolves within days, the slower the more alkaline the water is; each g gives 0.02 eq and 0.01 mol of carbon.
	lime := s[pLime] * part(0.02*math.Max(0, 1-s[pAlk]/4), dt)
	s[pLime] -= lime
	s[pAlk] += lime / caCO3PerEq / z
	for _, i := range [...]int{pCarbUp, pCarbLow} {
		s[i] += lime / (2 * caCO3PerEq) / z
	}
	brine := s[pBrine] * part(0.7, dt)
	s[pBrine] -= brine
	s[pSalt] += brine / z
	s[pCopper] -= s[pCopper] * part(0.03, dt)   // it goes into the mud within a day or two (Boyd & Tucker 1998)
	s[pFloc] -= s[pFloc] * part(0.06, dt)       // flocs have sunk after a day
	s[pCulture] -= s[pCulture] * part(0.01, dt) // what was put in starves within days
}

// part is the share that a rate (1/h) takes of a pool in dt, implicitly.
func part(rate, dt float64) float64 { return rate * dt / (1 + rate*dt) }
