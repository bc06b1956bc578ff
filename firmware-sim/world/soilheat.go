package world

import "math"

// heatNodes is the number of layers that heat is reckoned in: finer than the water's at the top, and deep enough (4.9 m) for
// the year's wave.
const heatNodes = 11

// heatThickness is that of layer i, m.
func heatThickness(i int) float64 {
	return [heatNodes]float64{0.02, 0.03, 0.05, 0.05, 0.05, 0.10, 0.10, 0.20, 0.40, 1, 2.9}[i]
}

// waterOf is the layer of the water that heat's layer i lies in.
func waterOf(i int) int { return [heatNodes]int{0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3}[i] }

// heatDepth is the depth of the middle of layer i, m.
func heatDepth(i int) float64 {
	z := 0.0
	for j := range i {
		z += heatThickness(j)
	}
	return z + heatThickness(i)/2
}

// conductivityOf is how the soil conducts heat at a water content, W m⁻¹ K⁻¹: Campbell 1985, equations 4.20, 4.25, 4.27 and
// 4.28, by bulk density and clay.
func (g *ground) conductivityOf(theta float64) float64 {
	r := g.density
	dry := 0.03 + 0.1*r*r
	wet := 0.65 - 0.78*r + 0.60*r*r
	x := (1 + 2.6/math.Sqrt(g.clay)) * theta
	x *= x
	return wet + 1.06*r*theta - (wet-dry)*math.Exp(-x*x)
}

// heatCapacity is that of the soil, J m⁻³ K⁻¹: de Vries 1963, minerals 1.92 and water 4.18 MJ m⁻³ K⁻¹.
func (g *ground) heatCapacity(theta float64) float64 {
	return 1.92e6*g.density/2.65 + 4.18e6*theta
}

// warm lets heat diffuse for dt hours under a surface that the air, the sun and the open sky drive: their sum is the sol-air
// temperature Ta + (α I - ε ΔR)/h (ASHRAE Fundamentals, chapter 18), with h = 10.7 + 3.8 u W m⁻² K⁻¹ (McAdams 1954, and
// radiation). The canopy shades; a wet top spends its heat on evaporation.
func (p *plot) warm(s state, k Sky, dt float64) {
	open := 1 - 0.75*s[plotCanopy]
	h := 10.7 + 3.8*k.Wind
	gain := 0.8 * k.Sun * open * (1 - 0.6*p.wetTop(s))
	loss := 60 * (1 - 0.84*k.Cloud) * open
	var lambda, capacity [plotLayers]float64
	for i := range plotLayers {
		lambda[i] = p.ground[i].conductivityOf(s[plotWater+i])
		capacity[i] = p.ground[i].heatCapacity(s[plotWater+i])
	}
	diffuse(s[plotHeat:plotHeat+heatNodes], k.Air+(gain-loss)/h, h, lambda, capacity, dt*3600)
}

// diffuse solves the equation of heat conduction for one step, implicitly (so that no step is too long): temps below a surface
// at outside °C behind a film of film W m⁻² K⁻¹. No heat leaves below.
func diffuse(temps []float64, outside, film float64, lambda, capacity [plotLayers]float64, seconds float64) {
	var upper, right [heatNodes]float64 // of the tridiagonal system, as Thomas' algorithm leaves them
	half := heatThickness(0) / 2 / lambda[0]
	above := 1 / (1/film + half) // conductance from above
	for i := range heatNodes {
		store := capacity[waterOf(i)] * heatThickness(i) / seconds
		below := 0.0
		if i < heatNodes-1 {
			next := heatThickness(i+1) / 2 / lambda[waterOf(i+1)]
			below = 1 / (half + next)
			half = next
		}
		diagonal := store + above + below
		r := store * temps[i]
		if i == 0 {
			r += above * outside
		} else {
			diagonal -= above * upper[i-1]
			r += above * right[i-1]
		}
		upper[i] = below / diagonal
		right[i] = r / diagonal
		above = below
	}
	temps[heatNodes-1] = right[heatNodes-1]
	for i := heatNodes - 2; i >= 0; i-- {
		temps[i] = right[i] + upper[i]*temps[i+1]
	}
}

// soilTemperature is that of the soil at a depth (m), °C.
func soilTemperature(s state, depth float64) float64 {
	for i := 1; i < heatNodes; i++ {
		if below := heatDepth(i); depth <= below {
			x := clamp((depth-heatDepth(i-1))/(below-heatDepth(i-1)), 0, 1)
			return s[plotHeat+i-1]*(1-x) + s[plotHeat+i]*x
		}
	}
	return s[plotHeat+heatNodes-1]
}

// settle gives the soil the temperatures that the year's wave has at h: mean and first harmonic of the air of the year before,
// damped and late by depth (Carslaw and Jaeger 1959, section 2.6) with a damping depth of 2.2 m.
func (p *plot) settle(s state, h float64) {
	const year, depth, samples = 365.2425 * 24, 2.2, 52
	var mean, c, d float64
	for i := range samples {
		at := h - year*float64(i)/samples
		for _, hour := range []float64{0, 6, 12, 18} {
			v := p.sky(at+hour-9).Air / 4 / samples
			mean += v
			c += 2 * v * math.Cos(2*math.Pi*at/year)
			d += 2 * v * math.Sin(2*math.Pi*at/year)
		}
	}
	for i := range heatNodes {
		z := heatDepth(i) / depth
		phase := 2*math.Pi*h/year - z
		s[plotHeat+i] = mean + 0.8 + math.Exp(-z)*(c*math.Cos(phase)+d*math.Sin(phase))
	}
}
