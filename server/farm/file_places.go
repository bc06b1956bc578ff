package farm

import (
	"fmt"
	"math"
	"slices"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

func (b *builder) places(rows []filePlace) {
	if len(rows) == 0 {
		b.wrong("places", "a farm has at least one place")
	}
	for i, r := range rows {
		at := fmt.Sprintf("places[%d]", i)
		p := Place{
			Name: r.Name, Kind: Kind(r.Kind), Title: r.Title, Zone: r.Zone, AreaM2: r.AreaM2, Holds: r.Holds, Species: r.Species,
			Profile: r.Limits,
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
		b.farm.Places = append(b.farm.Places, p)
	}
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
