package world

import (
	"fmt"
	"math"
)

// Hours and days at which people do things.
const (
	morningFeed, eveningFeed = 7.0, 16.5
	roundAt                  = 8.0  // they look at the level, the lime and the calendar
	topUpBelow               = 0.10 // m below full
	limeBelow                = 0.9  // eq/m³: 45 mg CaCO3/L
	limeDose                 = 30.0 // g/m²: 300 kg/ha
)

// routine is what people do by themselves around h: feed twice a day by the fish's weight and the water's warmth (not when they
// gasp), top up what is 10 cm low, lime when the water is soft, put fish in in spring and take them out before the winter.
func (p *pond) routine(s state, h, dt float64) {
	if p.place.Care != Usual {
		return
	}
	if passes(h, dt, morningFeed) || passes(h, dt, eveningFeed) {
		if s[pFishCount] > 1e-9 && s[pStress] < 0.2 {
			p.give(s, s[pFish]*ration(s[pFish]/s[pFishCount])*p.fish.appetite(p.at(s, pWarmUp, pWarmLow))/2)
		}
	}
	if !passes(h, dt, roundAt) {
		return
	}
	if s[pDepth]+s[pToFill] < p.full-topUpBelow && s[pDraining]+s[pToDrain] == 0 {
		s[pToFill] = p.full - s[pDepth]
	}
	if s[pAlk] < limeBelow && s[pLime] < 1 {
		s[pLime] += limeDose
	}
	switch dayOfYear(h) {
	case p.fish.in:
		if s[pFish] < 5 {
			p.stock(s, p.fish.count*p.place.Density*p.fish.fry)
		}
	case p.fish.out:
		p.harvest(s, s[pFish])
	}
}

func (p *pond) give(s state, feed float64) {
	s[pFeed] += feed
	s[pNitroIn] += feed * feedN
}

func (p *pond) stock(s state, fish float64) {
	s[pFish] += fish
	s[pFishCount] += fish / p.fish.fry
	s[pNitroIn] += fish * fishN
}

// harvest takes fish out, with what they have eaten; at most all of them.
func (p *pond) harvest(s state, fish float64) {
	if s[pFish] <= 0 {
		return
	}
	share := math.Min(1, fish/s[pFish])
	s[pNitroOut] += share * (s[pFish]*fishN + s[pGut]*feedN)
	for _, i := range [...]int{pFish, pFishCount, pGut} {
		s[i] -= share * s[i]
	}
}

// Treatments are the products that change a pond of this world.
func Treatments() []string { return []string{"lime", "probiotic", "alum", "copper", "salt"} }

// act lets an action begin or end. What is refused depends on the action alone, never on the state.
func (p *pond) act(s state, _ float64, a Action, ends bool) error {
	if err := p.check(a); err != nil {
		return err
	}
	perArea := 1000 * a.Amount / p.place.Area // g/m² of an amount in kg
	switch a.Kind {                           //nolint:exhaustive // check refuses the others
	case Aerate:
		s[pAerator] = a.Amount
		if ends {
			s[pAerator] = 0
		}
	case Fill:
		flow(s, pFilling, pToFill, a, ends)
	case Drain:
		flow(s, pDraining, pToDrain, a, ends)
	}
	if ends {
		return nil
	}
	switch a.Kind { //nolint:exhaustive // likewise
	case Stock:
		p.stock(s, perArea)
	case Harvest:
		if a.Amount == 0 {
			perArea = s[pFish]
		}
		p.harvest(s, perArea)
	case Feed:
		p.give(s, perArea)
	case Treat:
		p.treat(s, a.What, perArea)
	}
	return nil
}

// flow begins or ends a flow of water. One that has no duration comes as fast as the pump or the sluice can.
func flow(s state, rate, due int, a Action, ends bool) {
	metres := a.Amount / 100
	switch {
	case a.For <= 0:
		s[due] += metres
	case ends:
		s[rate] -= metres / a.For.Hours()
		if s[rate] < 1e-9 {
			s[rate] = 0
		}
	default:
		s[rate] += metres / a.For.Hours()
	}
}

// treat puts a product in, g/m². Blue stone (copper sulphate, CuSO4·5H2O) is a quarter copper; alum, Al2(SO4)3·14H2O, takes half of
// its weight of alkalinity as CaCO3 (Boyd & Tucker 1998); a kg of probiotic in 1,000 m³ adds as many bacteria as the pond has of
// its own, of which more than thrice as many find no food.
func (p *pond) treat(s state, what string, perArea float64) {
	perVolume := perArea / s[pDepth]
	switch what {
	case "lime":
		s[pLime] += perArea
	case "salt":
		s[pBrine] += perArea
		s[pSaltIn] += perArea
	case "copper":
		s[pCopper] += 0.254 * perVolume
	case "alum":
		s[pFloc] += perVolume
		s[pAlk] -= 0.0101 * perVolume
	case "probiotic":
		c := s[pCulture] + perVolume
		s[pCulture] = c / (1 + c*c/9/(1+c)) // it saturates near 3
	}
}

// check refuses what World.Act cannot know: which deeds and which fish are a pond's.
func (p *pond) check(a Action) error {
	switch a.Kind { //nolint:exhaustive // the others a pond cannot have
	case Stock:
		if a.What != "" && a.What != p.place.Species {
			return fmt.Errorf("stock %q: %s is a pond of %s; leave the species out, or give the place another", a.What, p.place.ID, p.place.Species)
		}
	case Harvest, Feed, Treat, Aerate, Fill, Drain:
	default:
		return fmt.Errorf("%q: %s is a pond; want stock, harvest, feed, treat, aerate, fill or drain", string(a.Kind), p.place.ID)
	}
	return nil
}
