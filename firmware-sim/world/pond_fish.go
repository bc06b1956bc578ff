package world

import "math"

// species is what one kind of fish wants. Temperatures from FAO's cultured aquatic species sheets, oxygen from Boyd & Tucker 1998.
type species struct {
	cold, best, hot float64 // °C: below cold and above hot they do not eat, at best they eat most
	dies            float64 // °C below which they die
	gasp            float64 // mg/L of oxygen below which they begin to die, when it lasts
	eager           float64 // mg/L of oxygen at which they eat half
	digs            float64 // g of silt that a kg of them stirs up in an hour
	count           float64 // 1/m² in a pond of density 1
	fry             float64 // g when they are put in
	in, out         float64 // day of the year they are put in, and taken out
}

// kindsOfFish are the fish of the delta's ponds: cá rô phi, cá chép and trắm, cá tra (which breathes air, too).
func kindsOfFish() map[string]species {
	return map[string]species{
		"tilapia":   {cold: 17, best: 29, hot: 37, dies: 11, gasp: 1.0, eager: 1.5, digs: 1, count: 1.4, fry: 30, in: 78, out: 342},
		"carp":      {cold: 9, best: 26, hot: 36, dies: 2, gasp: 0.9, eager: 1.5, digs: 3, count: 0.85, fry: 60, in: 70, out: 346},
		"pangasius": {cold: 19, best: 29, hot: 37, dies: 14, gasp: 0.15, eager: 0.8, digs: 0.5, count: 1.2, fry: 40, in: 98, out: 325},
	}
}

// appetite is how much fish eat at celsius, 0 to 1.
func (f species) appetite(celsius float64) float64 {
	up := clamp((celsius-f.cold)/(f.best-f.cold), 0, 1)
	down := clamp((f.hot-celsius)/(f.hot-f.best-2), 0, 1)
	return math.Min(up, down)
}

// ration is the feed a day of fish of weight (g), a share of their own weight: small ones eat more of it (2.5 % at 50 g, 1.3 % at 500 g;
// feeding tables of Boyd & Tucker 1998 and of FAO's tilapia sheet, rounded).
func ration(weight float64) float64 { return 0.08 * math.Pow(weight, -0.3) }

// Feed into fish. A kg of feed of 30 % protein makes some 0.6 kg of fish; a seventh of its nitrogen and a quarter of its carbon go
// to the mud as faeces; what is neither fish nor faeces leaves by the gills as ammonia (Boyd & Tucker 1998; Hargreaves 1998).
const (
	gutFull   = 0.025  // g of feed a g of fish
	gutEmpty  = 0.085  // 1/h at 25 °C
	flesh     = 0.75   // g of fish a g of feed digested, before what fasting costs
	faecesN   = 0.15   // share of the feed's nitrogen
	faecesC   = 0.25   // share of the feed's carbon
	breathFed = 0.20   // g O2 a g of feed digested
	breathOwn = 1.0e-4 // g O2 a g of fish of 200 g and an hour, at 20 °C
	fasting   = 0.5    // g of fish a g O2
)

// feedFish lets fish eat, digest, grow and breathe; it returns the oxygen that they want, g/m² in dt.
func (p *pond) feedFish(s state, w *surrounding, dt float64) float64 {
	z, f := s[pDepth], p.fish
	best := math.Max(s[pOxyUp], s[pOxyLow])
	t := p.at(s, pWarmUp, pWarmLow)
	room := gutFull * s[pFish] * f.appetite(t) * best * best / (best*best + f.eager*f.eager)
	eat := 0.0
	if room > s[pGut] {
		eat = 4 * (1 - s[pGut]/room) * dt
	}
	lose := 0.5 * dt // what they leave sinks within hours
	feed := s[pFeed] / (1 + eat + lose)
	s[pFeed] = feed
	s[pMudC] += lose * feed * feedC
	s[pMudN] += lose * feed * feedN
	warm := (w.warmUp + w.warmLow) / 2
	digest := gutEmpty * breathing(t-5) * dt
	gut := (s[pGut] + eat*feed) / (1 + digest)
	s[pGut] = gut
	gone := digest * gut
	s[pMudC] += gone * feedC * faecesC
	s[pMudN] += gone * feedN * faecesN

	own := 0.0
	if s[pFishCount] > 1e-9 {
		own = breathOwn * s[pFish] * math.Pow(s[pFish]/s[pFishCount]/200, -0.2) * warm * dt
	}
	thin := math.Min(fasting*own, 0.01*s[pFish])
	s[pFish] += flesh*gone - thin
	freed := gone*(feedN*(1-faecesN)-flesh*fishN) + thin*fishN
	s[pTAN] += freed / z
	s[pAlk] += freed / z / molN
	return own + breathFed*gone
}

// fate lets fish die of what they cannot stand, and the dead rot. Lack of oxygen kills when it lasts: half an hour of gasping does
// not, hours below 1 mg/L do (Boyd & Tucker 1998).
func (p *pond) fate(s state, w *surrounding, dt float64) {
	f := p.fish
	best := math.Max(s[pOxyUp], s[pOxyLow])
	lack := math.Max(0, 1-best/f.gasp)
	s[pStress] = (s[pStress] + lack*dt) / (1 + dt/3)
	t := p.at(s, pWarmUp, pWarmLow)
	poison := s[pTAN] * unionised(s[pAcidUp], s[pWarmUp]) / 1.5 // half of them in a day at some 1.5 to 2.5 mg/L (Boyd & Tucker 1998)
	poison *= poison
	salt := math.Max(0, s[pSalt]/1000-16)
	rate := 0.3*math.Max(0, s[pStress]-0.25) + 0.03*poison*poison/(1+poison*poison) +
		0.01*math.Max(0, f.dies-t) + 0.05*math.Max(0, t-f.hot-3) + 0.01*salt
	die := part(rate, dt)
	s[pDead] += die * s[pFish]
	s[pDeadCount] += die * s[pFishCount]
	s[pFish] -= die * s[pFish]
	s[pFishCount] -= die * s[pFishCount]
	// What dead fish had eaten rots with them.
	s[pMudN] += die * s[pGut] * feedN
	s[pMudC] += die * s[pGut] * feedC
	s[pGut] -= die * s[pGut]

	const fleshC = 0.11 // g C a g of fish
	rot := s[pDead] * part(0.008*(w.warmUp+w.warmLow)/2, dt)
	s[pDead] -= rot
	s[pTAN] += rot * fishN / s[pDepth]
	s[pAlk] += rot * fishN / s[pDepth] / molN
	s[pDetC] += rot * fleshC / s[pDepth]
}

// stockOf is how many fish a m² has at h, and what one weighs (g), when its people put them in at their day and fed them every day
// since in water of the season's usual warmth; none between harvest and stocking.
func (p *pond) stockOf(h float64) (count, weight float64) {
	f := p.fish
	day := dayOfYear(h)
	if day < f.in || day >= f.out {
		return 0, 300
	}
	weight = f.fry
	for d := f.in; d < day; d++ {
		water := 24.5 + 6*math.Cos(2*math.Pi*(d-196)/365.25)
		weight += weight * ration(weight) * f.appetite(water) * 0.55
	}
	return f.count * p.place.Density, weight
}

// dayOfYear is the day of the year of h, from 0, in years of 365.2425 days: it is right to a day.
func dayOfYear(h float64) float64 {
	d := math.Mod(math.Floor(h/24), 365.2425)
	if d < 0 {
		d += 365.2425
	}
	return math.Floor(d)
}
