package world

import (
	"fmt"
	"math"
	"strings"
)

// ware is what can be dried. Moisture is in kg of water a kg of dry matter unless it says wet basis.
type ware struct {
	name     string
	fresh    float64 // moisture when it is loaded
	dry      float64 // moisture at which it is done
	rate     float64 // k of Lewis' equation at 50 °C, 1/h
	barrier  float64 // activation energy of k, J/mol
	heat     float64 // °C that the household dries it at
	load     float64 // kg of wet goods that it loads at a time
	balanced func(celsius, rh float64) float64
}

// The wares by number, as the state of a room has them.
const (
	banhDa = iota
	herbs
)

// wares are by number. Rates are choices that dry bánh đa within a working day and herbs within a day or two, as households do;
// moistures are the estimates ≤ 12–14 % and ≤ 12–13 % (wet basis). The activation energy of herbs is that of Lippia leaves
// (Elenga et al. 2011).
func wares() [2]ware {
	return [2]ware{
		banhDa: {name: "banh-da", fresh: 1.0, dry: 0.149, rate: 0.75, barrier: 28_000, heat: 50, load: 80, balanced: riceBalance},
		herbs:  {name: "herb", fresh: 3.5, dry: 0.136, rate: 0.17, barrier: 46_000, heat: 50, load: 60, balanced: herbBalance},
	}
}

func wareNamed(name string) (float64, error) {
	var known []string
	for i, w := range wares() {
		if w.name == name {
			return float64(i), nil
		}
		known = append(known, w.name)
	}
	return 0, fmt.Errorf("world: unknown goods %q; want one of %s", name, strings.Join(known, ", "))
}

// speed is k of Lewis' thin-layer equation dX/dt = -k (X - Xe), which is Page's with the exponent 1 (Lewis 1921, Page 1949), at
// a temperature: Arrhenius.
func (w *ware) speed(celsius float64) float64 {
	const gas = 8.314
	return w.rate * math.Exp(-w.barrier/gas*(1/(celsius+273.15)-1/323.15))
}

// riceBalance is the moisture that rice has in equilibrium with air: the modified Henderson equation with the constants of
// rough rice (ASAE D245.5), as 1 - rh = exp(-K (t + C) (100 X)^N).
func riceBalance(celsius, rh float64) float64 {
	const k, c, n = 1.9187e-5, 51.161, 2.4451
	return math.Pow(-math.Log(1-clamp(rh, 0.001, 0.995))/(k*(celsius+c)), 1/n) / 100
}

// herbBalance is that of leaves: the GAB isotherm (van den Berg and Bruin 1981) with constants of the size found for mint.
func herbBalance(_, rh float64) float64 {
	const monolayer, c, k = 0.06, 12.0, 0.92
	a := k * clamp(rh, 0, 0.995)
	return monolayer * c * a / ((1 - a) * (1 - a + c*a))
}

// loss is how fast goods of moisture x lose water to air, kg an hour a kg of dry matter (below 0: they take some up). Lewis'
// equation is measured in dry air; wet goods cannot give to air that is full, so above half of saturation the rate falls to
// nothing.
func (w *ware) loss(x, celsius, rh float64) float64 {
	away := x - w.balanced(celsius, rh)
	if away > 0 {
		away *= clamp(2*(1-rh), 0, 1)
	}
	return w.speed(celsius) * away
}
