package panel

import (
	"slices"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// sky draws the weather and the clocks.
func (g *gathered) sky() skyView {
	at := g.page.o.Field.WorldTime(g.now)
	v := skyView{World: g.w.DateTime(at), Speed: g.w.Exact(g.page.o.Speed)}
	s, ok := g.page.o.Field.Sky(g.now)
	if !ok {
		return v
	}
	num := func(key string, x float64, decimals int, unit string) {
		v.Tiles = append(v.Tiles, tile{Label: g.w.T("sky." + key), Text: g.w.Num(x, decimals), Unit: unit})
	}
	num("air", s.Air, 1, "°C")
	num("humidity", s.Humidity, 0, "%")
	num("sun", s.Sun, 0, "W/m²")
	num("cloud", 100*s.Cloud, 0, "%")
	num("wind", s.Wind, 1, "m/s")
	num("rain", s.Rain, 1, "mm/h")
	info, _ := measure.AirPressure.Info()
	num("pressure", s.Pressure, 0, info.Unit)
	return v
}

// actVerb is the verb of what people and the weather do; the word after it says what.
const actVerb = "act"

// weather are the forms of the sky: what can be done to no place.
func (g *gathered) weather() (list []form) {
	for _, u := range g.usages {
		if u.Words[0].Text == actVerb && u.subject() == "" {
			list = append(list, g.page.fill(g.w, u, "", nil, g.last))
		}
	}
	return list
}

// quick are buttons for the weather as it usually comes: the same forms, filled in already.
func (g *gathered) quick() (list []form) {
	for _, f := range g.weather() {
		f.ID, f.Title, f.Problem, f.Button = "q-"+f.ID, "", "", f.Quick
		for i := range f.Inputs {
			f.Inputs[i].Hidden, f.Inputs[i].Value = true, f.Inputs[i].Usual
		}
		if f.Quick != "" {
			list = append(list, f)
		}
	}
	return list
}

// actions are the forms of what people do at a place: what its kind can have.
func (g *gathered) actions(p field.Place) (list []form) {
	can := world.ActionKinds(world.Kind(p.Kind))
	for _, u := range g.usages {
		if u.subject() != "PLACE" || u.Words[0].Text == actVerb && !u.fits(can, p) {
			continue
		}
		list = append(list, g.page.fill(g.w, u, p.ID, nil, g.last))
	}
	return list
}

// fits reports whether an action can be done at a place. Draining is two things: water is let out of a pond, and the ditch of a plot is
// opened.
func (u usage) fits(can []world.ActionKind, p field.Place) bool {
	if len(u.Words) < 2 || !slices.Contains(can, world.ActionKind(u.Words[1].Text)) {
		return false
	}
	ditch := slices.ContainsFunc(u.Words, func(w word) bool { return slices.Contains(w.Choice, "0") })
	return u.Words[1].Text != string(world.Drain) || ditch == (world.Kind(p.Kind) == world.Plot)
}
