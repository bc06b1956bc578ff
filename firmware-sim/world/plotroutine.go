package world

import "math"

// Hours of the day at which people go to a plot.
const (
	morningWork   = 6.0
	afternoonWork = 15.0
)

// Numbers of the usual care.
const (
	turnLasts     = 2.5  // hours of an irrigation
	lastWater     = 14.0 // days before harvest: the guide of Nam Định province stops irrigation two weeks before
	paddyLow      = 15.0 // mm that stand in a rice field before it is filled
	paddyTurn     = 45.0 // mm
	firstDressing = 20.0 // days after planting
	lastDressing  = 40.0
)

// passes tells whether the hour of day lies in the step from h by dt.
func passes(h, dt, hour float64) bool {
	next := math.Ceil((h-hour)/24)*24 + hour // the first at or after h
	return next < h+dt
}

// routine is what a household does by itself: it plants, fertilises and harvests by the calendar, irrigates in the morning, and
// minds the ditch.
func (p *plot) routine(s state, h, dt float64) {
	if passes(h, dt, morningWork) {
		p.calendar(s, h)
		p.irrigate(s, h)
		p.mindDitch(s, h)
	}
	if passes(h, dt, afternoonWork) {
		p.mindDitch(s, h)
	}
}

// calendar plants on the day of planting, harvests on the day of harvest, and gives fertiliser: manure, phosphorus, a third of
// the nitrogen and half of the potassium at planting, the rest in two dressings.
func (p *plot) calendar(s state, h float64) {
	crop, planted, _, ok := p.seasonAt(h)
	_, _, _, yesterday := p.seasonAt(h - 24)
	switch {
	case ok && h-planted < 24:
		p.plant(s, h, crop)
		c := p.crop(s)
		s[plotManure] += c.manure
		s[plotGrainP] += c.phosphorus
		s[plotGrainN] += c.nitrogen / 3
		s[plotGrainK] += c.potassium / 2
	case !ok && yesterday && s[plotCrop] != fallow:
		p.plant(s, h, fallow)
	case s[plotCrop] != fallow:
		c := p.crop(s)
		if day := math.Floor((h - s[plotPlanted]) / 24); day == firstDressing || day == lastDressing {
			s[plotGrainN] += c.nitrogen / 3
			s[plotGrainK] += c.potassium / 4
		}
	}
}

// left is how many days the crop still stands.
func (p *plot) left(s state, h float64) float64 {
	if _, _, harvest, ok := p.seasonAt(h); ok {
		return (harvest - h) / 24
	}
	d := p.crop(s).days
	return d[0] + d[1] + d[2] + d[3] - (h-s[plotPlanted])/24
}

// irrigate fills the root zone to field capacity when it lacks what FAO-56 calls readily available, or what DryOut days of sun
// take, whichever comes first; a rice field, when little water stands in it.
func (p *plot) irrigate(s state, h float64) {
	c := p.crop(s)
	if s[plotCrop] == fallow || p.left(s, h) <= lastWater {
		return
	}
	mm := 0.0
	if c.flooded {
		if s[plotPond] < paddyLow {
			mm = paddyTurn
		}
	} else {
		lack, whole := p.deficit(s, c.roots((h-s[plotPlanted])/24))
		if lack >= math.Min(depletion(c.depletion, s[plotDaily])*whole, p.dryOut*math.Max(1.5, s[plotDaily])) {
			mm = lack + 2
		}
	}
	if mm > 0 {
		s[plotTurn], s[plotTurnEnds] = mm/turnLasts, h+turnLasts
	}
}

// mindDitch opens the ditch when the ground is too wet, and closes it when it has drained and the crop will want the water; a
// rice field's is closed until two weeks before harvest. Nobody touches it while an action holds it.
func (p *plot) mindDitch(s state, h float64) {
	last := plotLayers - 1
	over, deep := s[plotWater+1]-p.ground[1].FieldCapacity, s[plotWater+last]-p.ground[last].FieldCapacity
	switch {
	case h < s[plotHeld]:
	case p.flooded(s):
		s[plotDitch] = 0
		if p.left(s, h) <= lastWater {
			s[plotDitch] = 1
		}
	case s[plotPond] > 5 || over > 0.03 || deep > 0.06:
		s[plotDitch] = 1
	case s[plotCrop] != fallow && over < 0.01 && deep < 0.02:
		s[plotDitch] = 0
	}
}
