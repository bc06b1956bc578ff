package farm

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/privacy"
)

func (b *builder) places(rows []filePlace) {
	for i, r := range rows {
		at := fmt.Sprintf("places[%d]", i)
		p := Place{
			Name: r.Name, Kind: Kind(r.Kind), Title: r.Title, Zone: r.Zone, AreaM2: r.AreaM2, Holds: r.Holds, Species: r.Species,
			Profile: r.Limits, Soil: r.Soil, Water: r.Water, Household: strings.TrimSpace(r.Household),
		}
		var err error
		if p.Code, err = ParseCode(r.Code); err != nil {
			b.wrong(at+".code", "%w", err)
		} else if _, twice := b.farm.Place(p.Code); twice {
			b.wrong(at+".code", "%s is the code of another place: every board has its own", p.Code)
		}
		if !measure.ValidID(r.Name, 40) {
			b.wrong(at+".name", "%q is no short name: use small letters, digits and hyphens", r.Name)
		} else if _, twice := b.names[r.Name]; twice {
			b.wrong(at+".name", "%q is the name of another place: rename one", r.Name)
		}
		b.names[r.Name] = p.Code
		if !slices.Contains(Kinds(), p.Kind) {
			b.wrong(at+".kind", "%q is no kind of place: use one of %v", r.Kind, Kinds())
		}
		b.text(at+".title", r.Title)
		b.text(at+".holds", r.Holds)
		if _, ok := b.farm.Zone(r.Zone); !ok {
			b.wrong(at+".zone", "no zone %q: name one of zones", r.Zone)
		}
		if math.IsNaN(r.AreaM2) || r.AreaM2 < 0 || r.AreaM2 > 1e8 {
			b.wrong(at+".area_m2", "%v is no area in square metres", r.AreaM2)
		}
		if r.Limits != "" && !slices.ContainsFunc(b.farm.Limits, func(l Limit) bool { return l.Profile == r.Limits }) {
			b.wrong(at+".limits", "no profile %q: name one of limits", r.Limits)
		}
		b.maybe(at+".soil", r.Soil)
		b.maybe(at+".water", r.Water)
		p.Ground = b.ground(at+".ground", r.Ground)
		if utf8.RuneCountInString(p.Household) > 40 {
			b.wrong(at+".household", "longer than 40 characters: write the household's code or the id of its record")
		}
		p.Outline = b.outline(at+".outline", r.Outline, r.AreaM2)
		b.farm.Places = append(b.farm.Places, p)
	}
}

// outline reads the corners of a place, [north, east] each, and says what no edge of a field looks like.
func (b *builder) outline(path string, corners [][]float64, areaM2 float64) Outline {
	if len(corners) == 0 {
		return nil
	}
	if len(corners) < leastCorners || len(corners) > mostCorners {
		b.wrong(path, "%d corners: want %d to %d, in turn around the place", len(corners), leastCorners, mostCorners)
		return nil
	}
	out := make(Outline, 0, len(corners))
	for i, c := range corners {
		if len(c) != 2 {
			b.wrong(fmt.Sprintf("%s[%d]", path, i), "want two numbers, degrees north and degrees east: [20.769, 106.238]")
			return nil
		}
		p, err := privacy.NewPoint(c[0], c[1])
		if err != nil {
			b.wrong(fmt.Sprintf("%s[%d]", path, i), "%w; north comes first", err)
			return nil
		}
		out = append(out, p)
	}
	got := out.AreaM2()
	switch {
	case out.reachM() > tooFarM:
		b.wrong(path, "a corner lies %.0f km from the first one: a digit is wrong, or north and east are swapped", out.reachM()/1000)
	case !out.simple():
		b.wrong(path, "the edge crosses itself or has a corner twice: give every corner once, in turn around the place, and not the first again at the end")
	case areaM2 > 0 && (got > 2*areaM2 || got < areaM2/2):
		b.wrong(path, "encloses %.0f m², but area_m2 says %.0f: correct one of them", got, areaM2)
	default:
		return out
	}
	return nil
}

func (b *builder) mounts(rows []fileMount) {
	for i, r := range rows {
		at := fmt.Sprintf("mounts[%d]", i)
		m := Mount{Gateway: r.Gateway, Sensor: r.Sensor, From: b.date(at+".from", r.From), To: b.date(at+".until", r.Until)}
		if !wire.ValidGatewayID(r.Gateway) {
			b.wrong(at+".gateway", "%q is no gateway id: use small letters, digits and hyphens, 2 to 39 characters", r.Gateway)
		}
		if !measure.ValidID(r.Sensor, 40) {
			b.wrong(at+".sensor", "%q is no sensor id: use small letters, digits and hyphens", r.Sensor)
		}
		code, ok := b.names[r.Place]
		if !ok {
			b.wrong(at+".place", "no place %q: use the name of one of places", r.Place)
		}
		m.Place = code
		if len(r.Measures) == 0 {
			b.wrong(at+".measures", "name what the sensor measures, such as [ph]")
		}
		for j, name := range r.Measures {
			q := measure.Quantity(name)
			if _, ok := q.Info(); !ok {
				b.wrong(fmt.Sprintf("%s.measures[%d]", at, j), "unknown quantity %q: use one of %v", name, measure.Quantities())
			} else if slices.Contains(m.Measures, q) {
				b.wrong(fmt.Sprintf("%s.measures[%d]", at, j), "%s is there twice: remove one", name)
			}
			m.Measures = append(m.Measures, q)
		}
		if !m.To.IsZero() && !m.From.Before(m.To) {
			b.wrong(at, "ends before it begins: swap from and until")
		}
		for _, o := range b.farm.Mounts {
			if o.Gateway == m.Gateway && o.Sensor == m.Sensor && overlap(m.From, m.To, o.From, o.To) {
				b.wrong(at, "%s of %s hangs somewhere else at the same time: give the line above an until", m.Sensor, m.Gateway)
				break
			}
		}
		b.farm.Mounts = append(b.farm.Mounts, m)
	}
}
