package panel

import (
	"fmt"
	"html/template"
	"strings"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// Where a picture changes, in the unit of its quantity. A fish farmer of the delta sees these with bare eyes: below 3 mg/L fish come
// up to breathe, below 1.5 mg/L they die.
const (
	gasping, dying = 3.0, 1.5
	dryBelow       = 20.0 // % of the volume: near where a silt loam's crop is short of water (FAO-56 table 19)
	wetAbove       = 38.0
)

// picture draws a place as it truly is, with a text that says the same.
func (g *gathered) picture(p field.Place) template.HTML {
	value := func(q measure.Quantity) (float64, bool) { return g.page.o.Field.Truth(p.ID, q, g.now) }
	switch world.Kind(p.Kind) {
	case world.Pond:
		oxygen, ok := value(measure.DissolvedOxygen)
		return g.pond(oxygen, ok)
	case world.Plot:
		wet, ok := value(measure.SoilMoisture)
		return g.plot(wet, ok)
	case world.Room:
	}
	return g.drawing("picture."+p.Kind, `<path class="roof" d="M6 26 48 6l42 20z"/><path class="wall" d="M12 26h72v32H12z"/>`+
		`<path class="tray" d="M20 34h56M20 42h56M20 50h56"/>`)
}

func (g *gathered) pond(oxygen float64, known bool) template.HTML {
	water, key, deep, up := "water", "picture.pond.fine", 40, ""
	switch {
	case known && oxygen < dying:
		water, key, deep, up = "water bad", "picture.pond.dying", 21, ` transform="scale(1 -1)"`
	case known && oxygen < gasping:
		water, key, deep = "water poor", "picture.pond.gasping", 22
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<path class="bank" d="M2 12h92v46H2z"/><path class="%s" d="M6 18h84c-3 22-16 36-42 36S9 40 6 18z"/>`, water)
	for i, x := range []int{26, 48, 68} {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)"><path class="fish"%s d="M-7 0c3-4 8-4 11 0l4-3v6l-4-3c-3 4-8 4-11 0z"/></g>`, x, deep+3*(i%2), up)
	}
	return g.drawing(key, b.String())
}

func (g *gathered) plot(wet float64, known bool) template.HTML {
	soil, key, leaf := "soil", "picture.plot.fine", "leaf"
	switch {
	case known && wet < dryBelow:
		soil, key, leaf = "soil dry", "picture.plot.dry", "leaf dry"
	case known && wet > wetAbove:
		soil, key = "soil wet", "picture.plot.wet"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<path class="%s" d="M2 34h92v24H2z"/>`, soil)
	for _, x := range []int{18, 38, 58, 78} {
		fmt.Fprintf(&b, `<path class="%s" d="M%d 34c-2-12-10-12-12-16 8 0 12 4 12 10 0-8 4-14 12-15-1 8-9 8-12 21z"/>`, leaf, x)
	}
	return g.drawing(key, b.String())
}

func (g *gathered) drawing(key, inside string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="picture" viewBox="0 0 96 60" role="img" aria-label="%s">%s</svg>`, //nolint:gosec // made of constants
		template.HTMLEscapeString(g.w.T(key)), inside))
}
