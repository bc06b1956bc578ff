package world

import "math"

// Rates at 20 °C, 1/h unless said otherwise. They lie within the ranges of Chapra 1997 (tables of chapters 32 and 33), Culberson &
// Piedrahita 1996 and Boyd & Tucker 1998, and were chosen in them so that the sums agree with what ponds show (see the tests).
const (
	algaeMost   = 0.060  // gross growth in full light
	algaeBreath = 0.0052 // respiration: 0.12 a day
	algaeDeath  = 0.0034 // 0.08 a day: death, and what small animals eat
	algaeSink   = 0.004  // m/h: 0.1 m a day
	algaeFed    = 0.03   // g N/m³ at which growth is half as fast
	algaeAired  = 0.006  // mol/m³ of carbon dioxide, likewise
	lightHalf   = 45.0   // W/m² of visible light: Smith's half
	detritusRot = 0.0055 // 0.13 a day
	detritusFal = 0.012  // m/h
	mudRot      = 0.0013 // 0.03 a day
	mudBury     = 0.00012
	nitrify     = 0.0036 // ammonia to nitrite: 0.09 a day
	nitrify2    = 0.03   // nitrite to nitrate: 0.7 a day
	denitrify   = 0.0015 // m/h into the mud
	gone        = 0.006  // m/h: how fast NH3 leaves calm water
)

// lit is the share of the growth in full light that a layer makes, between the light on it and the light below it, W/m² of visible
// light: Smith 1936, averaged over the depth in closed form (Chapra 1997, chapter 33). fading is shade times thickness.
func lit(above, below, fading float64) float64 {
	return (math.Asinh(above/lightHalf) - math.Asinh(below/lightHalf)) / fading
}

// flows is what the processes of one step pass to each other.
type flows struct {
	made      [2]float64 // g C/m³ that algae bind, by layer, in the step
	warm      float64    // breathing of the whole water
	breathed  float64    // g C/m³ of algae and detritus, in the step
	nitrified float64    // g N/m³ in the step
	mud       float64    // g C/m² in the step
	fish      float64    // g O2/m² in the step, of fish alive and dead
}

// live moves algae, what rots, nitrogen, oxygen and carbon. fish is the oxygen that fish want, g/m² in dt.
func (p *pond) live(s state, w *surrounding, fish, dt float64) {
	f := flows{fish: fish, warm: (w.warmUp + w.warmLow) / 2}
	want := p.light(s, w, &f, dt)
	p.nitrogen(s, w, &f, want, dt)
	p.rot(s, w, &f, dt)
	p.gases(s, w, &f, dt)
}

// light puts into f what algae would bind with nitrogen at will, and returns the mean of it over the water.
// Light tires algae near the surface, so that they make less in the afternoon than in the same light of the morning (Kok 1956;
// Falkowski & Raven 2007, chapter 9). Growth doubles in 11 °C (Eppley 1972, 1.066 a degree); the pond's kinds of algae come and go over weeks.
func (p *pond) light(s state, w *surrounding, f *flows, dt float64) float64 {
	const visible, tire, rest = 0.45, 0.0006, 0.2
	top := visible * w.fall * w.Sun
	if top == 0 {
		s[pTired] /= 1 + rest*dt
		return 0
	}
	fading := w.shade * w.half
	border := top * math.Exp(-fading)
	floor := border * math.Exp(-fading)
	kind := 1 + 0.2*drift(p.seed, chanPondBloom, w.hour, 190)
	s[pTired] = (s[pTired] + tire*(top-border)/fading*dt) / (1 + (tire*(top-border)/fading+rest)*dt)
	for i, l := range [...]float64{lit(top, border, fading) * (1 - s[pTired]), lit(border, floor, fading)} {
		e := p.eq.at(s[pWarmUp+i])
		co2, bicarbonate := e.free(s[pAcidUp+i])
		carbon := s[pCarbUp+i]
		full := algaeMost * math.Exp(0.0639*(s[pWarmUp+i]-20)) * kind * l * s[pAlgae] * dt
		usable := (co2 + 0.03*bicarbonate) * carbon // some algae take bicarbonate, too (Stumm & Morgan)
		full *= usable / (usable + algaeAired)
		f.made[i] = full * carbon / (carbon + full/molC) // and never more than there is
	}
	return (f.made[0] + f.made[1]) / 2
}

// nitrogen lets algae take ammonia and, less readily, nitrate, bacteria make nitrate of ammonia where there is oxygen, and some
// ammonia and nitrate leave for the air. It corrects f.made to the nitrogen there was. Alkalinity goes with it: 1 eq a mol taken up
// as ammonium or given back, 2 a mol nitrified (Stumm & Morgan 1996, table 4.5).
func (p *pond) nitrogen(s state, w *surrounding, f *flows, want, dt float64) {
	const nitrateShare = 0.3
	z := s[pDepth]
	oxic := (s[pOxyUp] + s[pOxyLow]) / (s[pOxyUp] + s[pOxyLow] + 2)
	active := f.warm * oxic * (1 + 0.3*s[pCulture])
	base := math.Max(0, s[pAlk])
	active *= base / (base + 0.05) // nitrifiers stop in acid water

	take := want / algaeCN / (s[pTAN] + nitrateShare*s[pNitrate] + algaeFed) // share a step
	oxidise := nitrify * active * dt
	leave := (gone + 0.002*w.Wind) / z * unionised(s[pAcidUp], s[pWarmUp]) * dt
	ammonia := s[pTAN] / (1 + take + oxidise + leave)
	s[pTAN] = ammonia

	second := nitrify2 * active * dt
	nitrite := (s[pNitrite] + oxidise*ammonia) / (1 + second)
	s[pNitrite] = nitrite

	lost := denitrify / z * w.warmLow * dt
	nitrate := (s[pNitrate] + second*nitrite) / (1 + nitrateShare*take + lost)
	s[pNitrate] = nitrate

	taken := take * (ammonia + nitrateShare*nitrate)
	f.nitrified = (3*oxidise*ammonia + second*nitrite) / 4
	s[pAlk] += (nitrateShare*take*nitrate + lost*nitrate - (take+2*oxidise+leave)*ammonia) / molN
	s[pNitroOut] += (leave*ammonia + lost*nitrate) * z
	if want > 0 {
		short := taken * algaeCN / want
		f.made[0] *= short
		f.made[1] *= short
	}
	s[pAlgae] += taken * algaeCN
}

// rot lets algae breathe, die and sink, what is dead rot, in the water and in the mud. Copper kills algae (0.25 g/m³ most of them
// within days: Boyd & Tucker 1998), alum takes them down (Boyd 1979); blooms die by themselves now and then.
func (p *pond) rot(s state, w *surrounding, f *flows, dt float64) {
	z := s[pDepth]
	grow := 1 + 0.3*s[pCulture]
	crash := math.Max(0, drift(p.seed, chanPondBloom, w.hour+5000, 260)-0.75) * 0.02

	breathe := algaeBreath * f.warm * dt
	die := (algaeDeath*f.warm + crash + 0.05*s[pCopper]/(s[pCopper]+0.15)) * dt
	sink := (algaeSink + 0.01*s[pFloc]) / z * dt
	algae := s[pAlgae] / (1 + breathe + die + sink)
	s[pAlgae] = algae

	decay, fall := detritusRot*f.warm*grow*dt, detritusFal/z*dt
	c := (s[pDetC] + die*algae) / (1 + decay + fall)
	n := (s[pDetN] + die*algae/algaeCN) / (1 + decay + fall)
	s[pDetC], s[pDetN] = c, n

	// In mud without oxygen above it only a third rots, and what rots there takes no oxygen at once.
	oxic := s[pOxyLow] / (s[pOxyLow] + 1)
	mud := mudRot * breathing(s[pWarmBed]) * grow * (0.35 + 0.65*oxic) * dt
	bury := mudBury * dt
	mudC := (s[pMudC] + (sink*algae+fall*c)*z) / (1 + mud + bury)
	mudN := (s[pMudN] + (sink*algae/algaeCN+fall*n)*z) / (1 + mud + bury)
	s[pMudC], s[pMudN] = mudC, mudN
	s[pNitroOut] += bury * mudN

	freed := breathe*algae/algaeCN + decay*n + mud*mudN/z
	s[pTAN] += freed
	s[pAlk] += freed / molN
	f.breathed = breathe*algae*algaeO2/rotO2 + decay*c
	f.mud = mud * mudC
}

// gases moves oxygen and carbon of both layers: what algae made, what everything breathed, and what passes the surface. Gas
// passes at k600 = 2.07 + 0.215 U10^1.7 cm/h in the wind (Cole & Caraco 1998) and 0.68 a mm/h of rain (Ho et al. 1997), by the
// Schmidt numbers of Wanninkhof 2014; an aerator adds k·(Cs - C) of the whole pond. Water that holds far more oxygen than the air
// lets it go in bubbles. Breathing falls when oxygen does, by half at 0.12 g/m³.
func (p *pond) gases(s state, w *surrounding, f *flows, dt float64) {
	const hungry = 0.12
	z, half := s[pDepth], s[pDepth]/2
	t := s[pWarmUp]
	schmidt := 1745.1 + t*(-124.34+t*(4.8055+t*(-0.10115+t*0.00086842)))
	schmidtC := 1923.6 + t*(-125.06+t*(4.3773+t*(-0.085681+t*0.00070284)))
	surface := s[pAerator] * z
	in := (w.gas*math.Sqrt(600/schmidt) + surface) / half * dt
	in += 0.15 * math.Max(0, s[pOxyUp]/w.saturation-1.7) * dt
	inC := (w.gas*math.Sqrt(600/schmidtC) + surface) / half * dt

	// Fish are where the oxygen is; warmer water breathes more of what is spread evenly.
	total := s[pOxyUp] + s[pOxyLow] + 0.1
	shares := [...]float64{2 * (s[pOxyUp] + 0.05) / total, 2 * (s[pOxyLow] + 0.05) / total}
	warm := [...]float64{w.warmUp / f.warm, w.warmLow / f.warm}
	for i := range 2 {
		want := f.breathed*rotO2*warm[i] + f.nitrified*nitrifO2 + f.fish/z*shares[i]
		if i == 1 {
			want += f.mud * rotO2 / half
		}
		o := s[pOxyUp+i]
		use := want / (o + hungry)
		c := s[pCarbUp+i] + want*0.85/32 - f.made[i]/molC // a breath gives 0.85 mol CO2 a mol O2
		if i == 0 {
			e := p.eq.at(t)
			co2, _ := e.free(s[pAcidUp])
			o += in * w.saturation
			s[pCarbUp] = (c + inC*e.henry) / (1 + inC*co2)
			s[pOxyUp] = (o + f.made[0]*algaeO2) / (1 + use + in)
			continue
		}
		s[pCarbLow], s[pOxyLow] = c, (o+f.made[1]*algaeO2)/(1+use)
	}
}
