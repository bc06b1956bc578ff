package farm

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"aovuon/server/form"
	"aovuon/server/privacy"
)

// What fields of a place refer to beside records.
const (
	RefZone    = "zone"
	RefProfile = "profile" // of limits
)

// PlaceFields returns what a form asks of a place.
func PlaceFields() []form.Field {
	var kinds []string
	for _, k := range Kinds() {
		kinds = append(kinds, string(k))
	}
	return []form.Field{
		{Key: "title", Type: form.Text, Required: true, Quick: true},
		{Key: "place_kind", Type: form.Choice, Options: kinds, Required: true, Quick: true},
		{Key: "zone", Type: form.Ref, Of: RefZone, Required: true, Quick: true},
		{Key: "area_m2", Type: form.Number, Unit: "m²", Max: 1e8, Quick: true},
		{Key: "holds", Type: form.Text, Required: true, Quick: true},
		{Key: "household", Type: form.Ref, Of: string(Household), Private: true, Quick: true},
		{Key: "scientific", Type: form.Text},
		{Key: "limits", Type: form.Ref, Of: RefProfile},
		{Key: "soil", Type: form.Text},
		{Key: "water", Type: form.Text},
		{Key: "soil_texture", Type: form.Choice, Options: Textures()},
		{Key: "field_capacity", Type: form.Number, Unit: "%", Min: leastCapacity, Max: mostCapacity},
		{Key: "wilting_point", Type: form.Number, Unit: "%", Min: leastWilting, Max: mostWilting},
		{Key: "capacity_on", Type: form.Date},
		{Key: "capacity_probe", Type: form.Text},
		{Key: "outline", Type: form.Long, Private: true},
		{Key: "title_en", Type: form.Text},
		{Key: "holds_en", Type: form.Text},
		{Key: "soil_en", Type: form.Text},
		{Key: "water_en", Type: form.Text},
		{Key: "short_name", Type: form.Text},
	}
}

// Values returns a place as a form shows it.
func (p Place) Values() form.Values {
	v := form.Values{"place_kind": string(p.Kind)}
	for key, text := range map[string]string{
		"title": p.Title.VI, "title_en": p.Title.EN, "holds": p.Holds.VI, "holds_en": p.Holds.EN, "soil": p.Soil.VI, "soil_en": p.Soil.EN, "water": p.Water.VI, "water_en": p.Water.EN,
		"zone": p.Zone, "household": p.Household, "scientific": p.Species, "limits": p.Profile, "short_name": p.Name, "outline": p.Outline.lines(),
		"soil_texture": p.Ground.Texture, "capacity_probe": p.Ground.Probe, "capacity_on": dayOf(p.Ground.On),
	} {
		if text != "" {
			v[key] = text
		}
	}
	for key, n := range map[string]float64{"area_m2": p.AreaM2, "field_capacity": p.Ground.FieldCapacity, "wilting_point": p.Ground.WiltingPoint} {
		if n != 0 {
			v[key] = n
		}
	}
	return v
}

// PlaceOf returns the place that a form says, with code for its board. Where no English was written the Vietnamese stands, and where no
// short name was it is made of the title.
func PlaceOf(code string, v form.Values) (Place, form.Problems) {
	area, _ := v.Number("area_m2")
	p := Place{
		Code: code, Name: v.Text("short_name"), Kind: Kind(v.Text("place_kind")), Title: bilingual(v, "title"), Zone: v.Text("zone"), AreaM2: area,
		Holds: bilingual(v, "holds"), Species: v.Text("scientific"), Profile: v.Text("limits"), Soil: bilingual(v, "soil"), Water: bilingual(v, "water"), Household: v.Text("household"),
	}
	p.Ground = Ground{Texture: v.Text("soil_texture"), On: v.Day("capacity_on", Time()).UTC(), Probe: v.Text("capacity_probe")}
	p.Ground.FieldCapacity, _ = v.Number("field_capacity")
	p.Ground.WiltingPoint, _ = v.Number("wilting_point")
	if p.Name == "" {
		p.Name = strings.ToLower(code)
	}
	var bad form.Problems
	for line := range strings.Lines(v.Text("outline")) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		corner, ok := parseCorner(line)
		if !ok {
			bad = append(bad, form.Problem{Key: "outline", Code: form.BadPoint, Given: line})
			break
		}
		p.Outline = append(p.Outline, corner)
	}
	return p, bad
}

// dayOf writes a day as forms do; "" where there is none.
func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(Time()).Format(time.DateOnly)
}

func bilingual(v form.Values, key string) Text {
	t := Text{VI: v.Text(key), EN: v.Text(key + "_en")}
	if t.EN == "" {
		t.EN = t.VI
	}
	return t
}

// parseCorner reads degrees north and east as maps and phones write them: 20.76913, 106.23841.
func parseCorner(s string) (privacy.Point, bool) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",; \t", r) })
	if len(parts) != 2 {
		return privacy.Point{}, false
	}
	var deg [2]float64
	for i, part := range parts {
		n, err := strconv.ParseFloat(strings.TrimSuffix(part, "°"), 64)
		if err != nil {
			return privacy.Point{}, false
		}
		deg[i] = n
	}
	p, err := privacy.NewPoint(deg[0], deg[1])
	return p, err == nil
}

// lines writes the corners, a line each.
func (o Outline) lines() string {
	var out strings.Builder
	for _, corner := range o {
		lat, lon := corner.Exact()
		fmt.Fprintf(&out, "%s, %s\n", strconv.FormatFloat(lat, 'f', -1, 64), strconv.FormatFloat(lon, 'f', -1, 64))
	}
	return strings.TrimSpace(out.String())
}
