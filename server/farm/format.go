package farm

import (
	"fmt"
	"time"

	"github.com/goccy/go-yaml"
)

// Format returns the farm file of a farm: Parse of it gives the same farm.
func Format(f *Farm) ([]byte, error) {
	doc := fileDoc{Coop: fileCoop{Name: f.Coop.Name, Demo: f.Coop.Demo, Addresses: fileAddresses(f.Coop.Addresses)}}
	for _, z := range f.Zones {
		doc.Zones = append(doc.Zones, fileZone{ID: z.ID, Name: z.Name, Addresses: fileAddresses(z.Addresses)})
	}
	names := map[string]string{} // of places, by code
	for _, p := range f.Places {
		names[p.Code] = p.Name
		row := filePlace{
			Code: p.Code, Name: p.Name, Kind: string(p.Kind), Title: p.Title, Zone: p.Zone, AreaM2: p.AreaM2, Holds: p.Holds, Species: p.Species,
			Limits: p.Profile, Soil: p.Soil, Water: p.Water, Household: p.Household,
			Ground: p.Ground.file(),
		}
		for _, corner := range p.Outline {
			lat, lon := corner.Exact()
			row.Outline = append(row.Outline, []float64{lat, lon})
		}
		doc.Places = append(doc.Places, row)
	}
	for _, m := range f.Mounts {
		row := fileMount{Gateway: m.Gateway, Sensor: m.Sensor, Place: names[m.Place], From: fileTime(m.From), Until: fileTime(m.To)}
		for _, q := range m.Measures {
			row.Measures = append(row.Measures, string(q))
		}
		doc.Mounts = append(doc.Mounts, row)
	}
	for _, l := range f.Limits {
		doc.Limits = append(doc.Limits, rowOf(l))
	}
	raw, err := yaml.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("farm: format: %w", err)
	}
	return raw, nil
}

// Check returns what is wrong with a farm that was put together elsewhere than in a file, by the rules of Parse; see Mistakes. It
// may have no place yet: before the first one there is the zone it is in.
func Check(f *Farm) error {
	raw, err := Format(f)
	if err != nil {
		return err
	}
	_, err = parse("farm", raw, true)
	return err
}

func fileAddresses(rows []Address) (out []fileAddress) {
	for _, a := range rows {
		out = append(out, fileAddress{Text: a.Text, From: fileTime(a.ValidFrom), Until: fileTime(a.ValidTo)})
	}
	return out
}

// fileTime is the inverse of builder.date: the zero time is empty, midnight at the co-op a date.
func fileTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	local := t.In(Time())
	if h, m, s := local.Clock(); h == 0 && m == 0 && s == 0 && local.Nanosecond() == 0 {
		return local.Format(time.DateOnly)
	}
	return local.Format(time.RFC3339Nano)
}
