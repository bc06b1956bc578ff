package world

import "math"

// The layers of a plot: 0–10, 10–30, 30–60 and 60–100 cm. The lowest is that of the delta's shallow groundwater: what it holds
// above field capacity is the water that the ditch can draw.
const plotLayers = 4

// thickness of layer i, mm.
func thickness(i int) float64 { return [plotLayers]float64{100, 200, 300, 400}[i] }

// Numbers of the water balance.
const (
	drawn        = 12.0  // hours in which an open ditch draws the groundwater to a third, as between beds of a few metres
	seeps        = 288.0 // the same through the ground, with the ditch closed
	lateral      = 240.0 // hours in which the delta's water comes up to a lowest layer that dried below field capacity
	runsOff      = 0.5   // hours in which water above what the surface holds runs away
	holdsOpen    = 3.0   // mm that stand on a bed whose furrows drain
	holdsClosed  = 80.0  // mm that stand with the ditch closed
	holdsPaddy   = 120.0 // mm within the bunds of a rice field
	pan          = 0.15  // mm/h that pass a puddled plough pan, 3 to 4 mm a day
	frontMemory  = 24.0  // hours in which the surface forgets the last rain's wetting front
	rainEC       = 25.0  // µS/cm
	riverEC      = 450.0 // µS/cm of the irrigation water
	throughPores = 0.02  // of what a layer has above the wilting point, the most that suction takes in a step: stability
)

// plotFlows are the water that crossed the borders of a plot in one step, mm, and what moved within it.
type plotFlows struct {
	rain, irrigation, groundwater float64             // in
	runoff, drained, evaporation  float64             // out
	transpiration                 float64             // out, through the crop
	down                          [plotLayers]float64 // from layer i to the next; the last is drained
}

// water moves the water of the plot by dt hours, and with it the salts: rain and irrigation, infiltration, drainage, capillary
// rise, runoff. What evaporates is another step.
func (p *plot) water(s state, rain, irrigation, dt float64) plotFlows {
	f := plotFlows{rain: rain * dt, irrigation: irrigation * dt}
	s[plotPond] += f.rain + f.irrigation
	s[plotPondSalt] += f.rain*rainEC + f.irrigation*riverEC
	p.infiltrate(s, dt)
	p.drain(s, dt, &f)
	p.rise(s, dt, &f)
	p.runoff(s, dt, &f)
	return f
}

// infiltrate lets water in as fast as Green and Ampt (1911) allow, f = K (1 + ψ Δθ/F), and as far as the top layer has room. F
// is what went in since the rain began.
func (p *plot) infiltrate(s state, dt float64) {
	g := &p.ground[0]
	dry := math.Max(0, g.Saturation-s[plotWater])
	fastest := g.conductivity * (1 + g.front*dry/math.Max(1, s[plotFront])) * dt
	in := math.Min(math.Min(s[plotPond], fastest), dry*thickness(0))
	if in > 0 {
		salt := s[plotPondSalt] * in / s[plotPond]
		s[plotPond] -= in
		s[plotPondSalt] -= salt
		s[plotWater] += in / thickness(0)
		s[plotSalt] += salt
	}
	s[plotFront] = (s[plotFront] + in) * math.Exp(-dt/frontMemory)
}

// drain lets what stands above field capacity sink to the next layer, as far as that has room: q = (θ - FC) d (1 - exp(-t/TT))
// with the travel time TT = (θs - FC) d / K (SWAT theoretical documentation 2009, equations 2:3.2.3 and 2:3.2.4; Neitsch et al.
// 2011). The lowest layer is drawn by the ditch, or seeps.
func (p *plot) drain(s state, dt float64, f *plotFlows) {
	last := plotLayers - 1
	slow := seeps
	if s[plotDitch] > 0.5 {
		slow = drawn
	}
	f.down[last] = p.above(s, last) * -math.Expm1(-dt/slow)
	p.move(s, last, -1, f.down[last])
	f.drained = f.down[last]
	for i := last - 1; i >= 0; i-- {
		g := &p.ground[i]
		travel := (g.Saturation - g.FieldCapacity) * thickness(i) / g.conductivity
		q := p.above(s, i) * -math.Expm1(-dt/travel)
		if i == 1 && p.flooded(s) {
			q = math.Min(q, pan*dt)
		}
		room := (p.ground[i+1].Saturation - s[plotWater+i+1]) * thickness(i+1)
		f.down[i] = math.Max(0, math.Min(q, room))
		p.move(s, i, i+1, f.down[i])
	}
}

// above is the water of layer i above field capacity, mm.
func (p *plot) above(s state, i int) float64 {
	return math.Max(0, s[plotWater+i]-p.ground[i].FieldCapacity) * thickness(i)
}

// move takes mm of water, and the salts in it, from a layer to another (-1: away).
func (p *plot) move(s state, from, to int, mm float64) {
	salt := s[plotSalt+from] * mm / (s[plotWater+from] * thickness(from))
	s[plotWater+from] -= mm / thickness(from)
	s[plotSalt+from] -= salt
	if to >= 0 {
		s[plotWater+to] += mm / thickness(to)
		s[plotSalt+to] += salt
	}
}

// rise moves water between layers by suction: Darcy's law with Campbell's conductivity K (θ/θs)^(2b+3) and suction ψe (θ/θs)^-b
// (Campbell 1974). Above field capacity gravity rules (drain), so no layer counts as wetter than that here. The delta's
// groundwater comes up to the lowest layer.
func (p *plot) rise(s state, dt float64, f *plotFlows) {
	last := plotLayers - 1
	if lack := (p.ground[last].FieldCapacity - s[plotWater+last]) * thickness(last); lack > 0 {
		f.groundwater = lack * -math.Expm1(-dt/lateral)
		s[plotWater+last] += f.groundwater / thickness(last)
		s[plotSalt+last] += f.groundwater * p.native
	}
	var k, suction [plotLayers]float64
	for i := range plotLayers {
		g := &p.ground[i]
		rel := math.Min(s[plotWater+i], g.FieldCapacity) / g.Saturation
		x := math.Pow(rel, -g.b)
		suction[i] = g.entry * x
		k[i] = g.conductivity * rel * rel * rel / (x * x)
	}
	for i := range last {
		q := math.Sqrt(k[i]*k[i+1]) * (suction[i] - suction[i+1]) / ((thickness(i) + thickness(i+1)) / 2) * dt
		most := throughPores * available(s, p, i+1)
		if q < 0 {
			most = throughPores * available(s, p, i)
		}
		q = clamp(q, -most, most)
		if q > 0 {
			p.move(s, i+1, i, q)
		} else if q < 0 {
			p.move(s, i, i+1, -q)
			f.down[i] -= q
		}
	}
}

// available is the water of layer i above the wilting point, mm.
func available(s state, p *plot, i int) float64 {
	return math.Max(0, s[plotWater+i]-p.ground[i].WiltingPoint) * thickness(i)
}

// runoff lets the water that the surface cannot hold run away.
func (p *plot) runoff(s state, dt float64, f *plotFlows) {
	holds := holdsClosed
	switch {
	case f.irrigation > 0: // the furrows are stopped while water is let in
	case s[plotDitch] > 0.5:
		holds = holdsOpen
	case p.flooded(s):
		holds = holdsPaddy
	}
	if over := s[plotPond] - holds; over > 0 {
		f.runoff = over * -math.Expm1(-dt/runsOff)
		s[plotPondSalt] -= s[plotPondSalt] * f.runoff / s[plotPond]
		s[plotPond] -= f.runoff
	}
}

// atDepth joins a figure of the layers at the depth of the probe by a straight line between the layers' middles.
func atDepth(depth float64, layer func(i int) float64) float64 {
	top, above := 0.0, 0.0 // of this layer, and the middle of the one before
	for i := range plotLayers {
		middle := top + thickness(i)/2000
		if depth <= middle {
			if i == 0 {
				return layer(0)
			}
			x := (depth - above) / (middle - above)
			return layer(i-1)*(1-x) + layer(i)*x
		}
		top, above = top+thickness(i)/1000, middle
	}
	return layer(plotLayers - 1)
}
