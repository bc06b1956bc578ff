package world

import "math"

// caCO3PerEq is the g/m³ of CaCO3 that alkalinity of 1 eq/m³ is written as.
const caCO3PerEq = 50.04

// equilibria are the constants of carbonic acid in fresh water by temperature, in mol/m³: of half degrees from 0 to 50 °C.
type equilibria [101]equilibrium

type equilibrium struct {
	k1, k2 float64 // carbonic acid's first and second dissociation
	kw     float64 // water's own, (mol/m³)²
	henry  float64 // mol/m³ of CO2 in equilibrium with the 420 ppm of the air
}

// newEquilibria tabulates Plummer & Busenberg 1982 (K1, K2 and CO2's solubility; they are those of Stumm & Morgan 1996, table
// 4.7) and Harned & Owen 1958 (Kw).
func newEquilibria() *equilibria {
	var e equilibria
	for i := range e {
		k := float64(i)/2 + zeroCelsius
		lg := math.Log10(k)
		e[i] = equilibrium{
			k1:    1e3 * math.Pow(10, -356.3094-0.06091964*k+21834.37/k+126.8339*lg-1684915/(k*k)),
			k2:    1e3 * math.Pow(10, -107.8871-0.03252849*k+5151.79/k+38.92561*lg-563713.9/(k*k)),
			kw:    1e6 * math.Pow(10, -4470.99/k+6.0875-0.01706*k),
			henry: 1e3 * 420e-6 * math.Pow(10, 108.3865+0.01985076*k-6919.53/k-40.45154*lg+669365/(k*k)),
		}
	}
	return &e
}

// at joins the table by straight lines; outside it the ends hold.
func (e *equilibria) at(celsius float64) equilibrium {
	x := clamp(2*celsius, 0, float64(len(e)-1)-1e-9)
	i := int(x)
	f := x - float64(i)
	a, b := &e[i], &e[i+1]
	return equilibrium{
		a.k1 + f*(b.k1-a.k1), a.k2 + f*(b.k2-a.k2), a.kw + f*(b.kw-a.kw), a.henry + f*(b.henry-a.henry),
	}
}

// acid finds the pH of both layers.
func (p *pond) acid(s state) {
	for i := range 2 {
		s[pAcidUp+i] = p.eq.at(s[pWarmUp+i]).ph(s[pAlk], s[pCarbUp+i], s[pAcidUp+i])
	}
}

// ph is the pH at which carbon (mol/m³) of all forms carries the alkalinity (eq/m³) with water's own ions: Stumm & Morgan 1996,
// chapter 4. It is the root of a function that falls with the logarithm of the hydrogen ions, found by Newton's steps from guess,
// at most 2 units each, that stay between what was too low and what was too high.
func (e equilibrium) ph(alk, carbon, guess float64) float64 {
	h := 1e3 * math.Exp(-math.Ln10*guess)
	low, high := 0.0, math.Inf(1) // the root lies between
	for range 60 {
		d := h*h + e.k1*h + e.k1*e.k2
		single, double := carbon*e.k1*h/d, carbon*e.k1*e.k2/d
		free := carbon - single - double
		miss := single + 2*double + e.kw/h - h - alk
		// Its slope against ln h is minus the buffer's intensity (Stumm & Morgan, equation 3.83).
		slope := free*single/carbon + single*double/carbon + 4*free*double/carbon + e.kw/h + h
		if carbon <= 0 {
			slope = e.kw/h + h
		}
		if miss > 0 {
			low = h
		} else {
			high = h
		}
		x := clamp(miss/slope, -4.6, 4.6)
		next := h * math.Exp(x)
		if math.Abs(x) < 1e-7 {
			h = next
			break
		}
		if next <= low || next >= high { // out of what the root is known to lie in: Newton could come back for ever
			next = math.Sqrt(low * high)
		}
		h = next
	}
	return 3 - math.Log10(h)
}

// free is the share of the carbon that is CO2 at a pH, and that is bicarbonate.
func (e equilibrium) free(ph float64) (co2, bicarbonate float64) {
	h := 1e3 * math.Exp(-math.Ln10*ph)
	d := h*h + e.k1*h + e.k1*e.k2
	return h * h / d, e.k1 * h / d
}
