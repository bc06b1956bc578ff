package world

import "math"

// stefan is the constant of Stefan and Boltzmann for an hour, MJ K⁻⁴ m⁻² h⁻¹ (FAO-56, chapter 4).
const stefan = 2.043e-10

// hourlyWeather is the weather of FAO-56's hourly equation.
type hourlyWeather struct {
	air      float64 // °C
	vapour   float64 // kPa
	wind     float64 // m/s at 2 m
	sun      float64 // global radiation, MJ m⁻² h⁻¹
	share    float64 // of a clear sky's radiation: Rs/Rso
	day      bool
	pressure float64 // kPa
}

// referenceET is the evapotranspiration of reference grass, mm/h: FAO-56 equation 53, with net radiation by equations 38 to 40
// and soil heat by equations 45 and 46. Dew does not count: it is never below 0.
func referenceET(w hourlyWeather) float64 {
	k := w.air + 273.16
	long := stefan * k * k * k * k * (0.34 - 0.14*math.Sqrt(w.vapour)) * (1.35*math.Min(1, w.share) - 0.35)
	net := 0.77*w.sun - long
	heat := 0.5 * net
	if w.day {
		heat = 0.1 * net
	}
	es := saturation(w.air)
	slope := 4098 * es / ((w.air + 237.3) * (w.air + 237.3))
	gamma := 0.665e-3 * w.pressure
	et := (0.408*slope*(net-heat) + gamma*37/(w.air+273)*w.wind*(es-w.vapour)) / (slope + gamma*(1+0.34*w.wind))
	return math.Max(0, et)
}

// hourlyOf makes the equation's weather from the sky's. At night, when there is no sun to compare, the share of a clear sky is
// that of its clouds: 1 - 0.75 n^3.4 (Kasten and Czeplak 1980).
func hourlyOf(k Sky) hourlyWeather {
	share := 1 - 0.75*math.Pow(clamp(k.Cloud, 0, 1), 3.4)
	if k.Clear > 100 {
		share = clamp(k.Sun/k.Clear, 0.25, 1)
	}
	return hourlyWeather{
		air: k.Air, vapour: saturation(math.Min(k.Dew, k.Air)), wind: k.Wind, sun: k.Sun * 0.0036, share: share,
		day: k.Clear > 20, pressure: k.Pressure / 10,
	}
}

// depletion is the share of the available water that a crop takes before it suffers, on a day of et mm: FAO-56 table 22 and its
// footnote 2, p + 0.04 (5 - ETc) within 0.1 to 0.8.
func depletion(p, et float64) float64 { return clamp(p+0.04*(5-et), 0.1, 0.8) }

// rootShare is the share of the roots, to a depth (m), that is in layer i: they thin out evenly downwards, to none at the depth
// (the triangular density of Prasad 1988).
func rootShare(depth float64, i int) float64 {
	top := 0.0
	for j := range i {
		top += thickness(j) / 1000
	}
	sum := func(z float64) float64 { x := math.Min(1, z/depth); return x * (2 - x) }
	return sum(top+thickness(i)/1000) - sum(top)
}

// deficit is the water that the root zone lacks to field capacity and all it can give, mm (FAO-56 equations 82 and 85).
func (p *plot) deficit(s state, depth float64) (lack, whole float64) {
	top := 0.0
	for i := range plotLayers {
		d := math.Min(thickness(i)/1000, depth-top) * 1000
		if d <= 0 {
			break
		}
		lack += math.Max(0, p.ground[i].FieldCapacity-s[plotWater+i]) * d
		whole += (p.ground[i].FieldCapacity - p.ground[i].WiltingPoint) * d
		top += thickness(i) / 1000
	}
	return lack, whole
}

// evaporate takes the water that plants and sun take from the plot in dt hours, et0 in mm/h. The crop's demand Kc ET0 is shared
// by its canopy: roots take the canopy's share as far as the stress coefficient (FAO-56 equation 84) and the air in the soil
// let them, the top gives the rest as far as it is wet (FAO-56 equation 74). It returns what the crop would have taken.
func (p *plot) evaporate(s state, et0, h, dt float64, f *plotFlows) (wanted float64) {
	c := p.crop(s)
	age := (h - s[plotPlanted]) / 24
	kc := c.coefficient(age)
	cover := s[plotCanopy]
	demand := kc * et0 * dt * p.own
	p.bare(s, (1-cover)*demand, f)
	wanted = cover * demand
	if wanted <= 0 {
		return 0
	}
	depth := c.roots(age)
	lack, whole := p.deficit(s, depth)
	limit := depletion(c.depletion, s[plotDaily])
	stress := clamp((whole-lack)/((1-limit)*whole), 0, 1)
	var take [plotLayers]float64
	sum, sated := 0.0, 0.0
	for i := range plotLayers {
		share := rootShare(depth, i)
		g := &p.ground[i]
		a := clamp((s[plotWater+i]-g.WiltingPoint)/(0.3*(g.FieldCapacity-g.WiltingPoint)), 0, 1)
		take[i] = share * a
		sum += take[i]
		sated += share * p.breath(s, c, i)
	}
	if sum <= 0 {
		return wanted
	}
	for i := range plotLayers {
		mm := wanted * stress * sated * take[i] / sum
		mm = math.Min(mm, available(s, p, i))
		s[plotWater+i] -= mm / thickness(i)
		f.transpiration += mm
	}
	return wanted
}

// breath is how well roots breathe in layer i: without harm down to 5 % of air, not at all in a full soil (the anaerobiosis
// point of AquaCrop, Raes et al. 2009). Rice brings its own air.
func (p *plot) breath(s state, c *crop, i int) float64 {
	if c.flooded {
		return 1
	}
	return clamp((p.ground[i].Saturation-s[plotWater+i])/0.05, 0, 1)
}

// wetTop is how freely the top layer gives water to the air, 1 to 0: FAO-56 equation 74, between the readily evaporable water
// of table 19 (about 8 mm) and half the wilting point.
func (p *plot) wetTop(s state) float64 {
	if s[plotPond] > 1 {
		return 1
	}
	g := &p.ground[0]
	whole := (g.FieldCapacity - 0.5*g.WiltingPoint) * thickness(0)
	gone := (g.FieldCapacity - s[plotWater]) * thickness(0)
	return clamp((whole-gone)/(whole-8), 0, 1)
}

// bare takes mm from standing water, and then from the top layer as far as it is wet.
func (p *plot) bare(s state, mm float64, f *plotFlows) {
	pool := math.Min(s[plotPond], mm)
	s[plotPond] -= pool
	rest := math.Min((mm-pool)*p.wetTop(s), math.Max(0, s[plotWater]-0.5*p.ground[0].WiltingPoint)*thickness(0))
	s[plotWater] -= rest / thickness(0)
	f.evaporation += pool + rest
}
