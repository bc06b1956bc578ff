package world

import (
	"math"
	"sync"
)

const (
	rootDepth     = 0.30 // m of soil the probe speaks for
	dripHours     = 2.0  // irrigation lasts from 06:00 to 08:00
	irrigateAt    = 6.0
	drainPerHour  = 1.0 / 14 // share of the water above field capacity that drains in an hour
	irrigateAbove = 0.02     // m³/m³ above field capacity that irrigation fills to
)

// soil is the volumetric water content at the probe, m³/m³. Irrigation fills the plot on certain mornings; from the last
// one on, the sun dries it and rain wets it, hour by hour. Looking back only to the last irrigation keeps the value a
// function of the instant alone.
func (w former) soil(p Place, h float64) float64 {
	start := w.lastIrrigation(p, h)
	fill := p.Soil.FieldCapacity + irrigateAbove + 0.02*(w.trait(p, 1)-0.5)
	if h < start+dripHours { // the gates are open: filled up, or let down after a storm
		f := (h - start) / dripHours
		before := w.drain(p, w.lastIrrigation(p, start-1)+dripHours, start, fill)
		return before + (fill-before)*f*f*(3-2*f)
	}
	return w.drain(p, start+dripHours, h, fill)
}

// trait is what makes one plot differ from its neighbour for good: 0 to 1.
func (w former) trait(p Place, i int64) float64 { return unit(w.seed^text(p.ID), chanSoilTrait, i) }

// lastIrrigation is the start of the last irrigation at or before h. Days are grouped in turns of DryOut days (rounded),
// one irrigation a turn, on the day the plot's chance says.
func (w former) lastIrrigation(p Place, h float64) float64 {
	turn := int64(math.Round(p.DryOut))
	own := w.seed ^ text(p.ID)
	day, _ := split(h)
	n := floorDiv(day, turn)
	for ; ; n-- {
		d := n*turn + int64(hash(own, chanIrrigation, n)%2) // this day or the next
		if at := float64(d)*24 + irrigateAt; at <= h {
			return at
		}
	}
}

func floorDiv(a, b int64) int64 { return int64(math.Floor(float64(a) / float64(b))) }

// drain runs the soil from a fill at start to h, in whole hours and a rest. The steps hang on start, so that two instants
// share the same steps, and whole hours once computed are kept: a season asks for each of them sixty times.
func (w former) drain(p Place, start, h, fill float64) float64 {
	whole := int(h - start)
	theta := w.dried.at(stretch{p.ID, start}, whole, fill, func(i int, theta float64) float64 {
		return w.soilHour(p, start+float64(i), 1, theta)
	})
	if rest := h - start - float64(whole); rest > 0 {
		theta = w.soilHour(p, start+float64(whole), rest, theta)
	}
	return theta
}

// stretch is the time after one irrigation of one place.
type stretch struct {
	place string
	start float64
}

// memory keeps results of the pure function it is asked with. It changes no value, only how often it is computed.
type memory struct {
	mu    sync.Mutex
	hours map[stretch][]float64
}

// memoryLimit is how many stretches are kept; a season and the live field each need two a plot.
const memoryLimit = 64

func (m *memory) at(s stretch, n int, first float64, next func(i int, before float64) float64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	list, ok := m.hours[s]
	if !ok {
		if len(m.hours) >= memoryLimit {
			clear(m.hours)
		}
		list = []float64{first}
	}
	for i := len(list); i <= n; i++ {
		list = append(list, next(i-1, list[i-1]))
	}
	m.hours[s] = list
	return list[n]
}

// soilHour moves theta by step hours of sun, rain and drainage. The sun's share of the day's demand is a half sine from
// 06:00 to 18:00; demand is 2 to 6 mm a day with warmth and clear sky, and falls as the soil dries.
func (w former) soilHour(p Place, at, step, theta float64) float64 {
	s := p.Soil
	day, hour := split(at)
	sun := math.Max(0, math.Sin(math.Pi*(hour-6)/12)) * math.Pi / 24
	demand := clamp(0.18*airNormals().at(at), 2, 6) * (1.2 - 0.8*w.cloud(at)) * (0.8 + 0.4*w.trait(p, 2))
	dryness := clamp((theta-s.WiltingPoint)/(s.FieldCapacity-s.WiltingPoint), 0, 1)
	theta -= demand * sun * math.Sqrt(dryness) * step / 1000 / rootDepth
	for d := day - 1; d <= day; d++ {
		if r := w.rain(d); r.depth > 0 {
			overlap := math.Min(at+step, r.begin+r.lasts) - math.Max(at, r.begin)
			theta += r.depth * math.Max(0, overlap) / r.lasts / 1000 / rootDepth
		}
	}
	if over := theta - s.FieldCapacity; over > 0 {
		theta -= over * drainPerHour * step
	}
	return clamp(theta, s.WiltingPoint, s.Saturation)
}

// soilTemperature is that of the soil at the probe, °C: the air's of the last days, and a fifth of its day, four hours late.
func (w former) soilTemperature(p Place, h float64) float64 {
	_, hour := split(h)
	day := 2*swing(hour, 9.5, 18.5, 0.5) - 1
	return airNormals().at(h-4*24) + 0.6*w.slow(h-24) + 0.2*w.airSwing(h-4)*day + 0.3*drift(w.seed^text(p.ID), chanSoilTemp, h, 90)
}

// soilConductivity is that of the soil and its water together, µS/cm, as probes give it (Rhoades 1976): pore water of 1,800 to
// 2,600 µS/cm, the share θ (1.38 θ - 0.093) of it that conducts, and what the clay conducts.
func (w former) soilConductivity(p Place, h float64) float64 {
	const clay = 150.0
	theta := w.soil(p, h)
	own := w.seed ^ text(p.ID)
	pore := 2200 + 600*(unit(own, chanSoilSalt, 0)-0.5) + 100*drift(own, chanSoilSalt, h, 12*24)
	return pore*theta*(1.38*theta-0.093) + clay
}
