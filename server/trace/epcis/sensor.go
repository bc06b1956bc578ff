package epcis

import (
	"math"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/trace"
)

// oxygen is O₂ by its InChIKey.
const oxygen = "https://identifiers.org/inchikey:MYMOFIZGZYHOMD-UHFFFAOYSA-N"

// sensors tells the evidence of a lot: an element for each quantity at each place, with what its values over the lot's life come to and where the
// raw evidence is. Attributes stand in sensorMetadata alone (TCR-53).
func (n Names) sensors(f *farm.Farm, d trace.Dossier) []SensorElement {
	var out []SensorElement
	for _, e := range d.Evidence {
		info, ok := e.Quantity.Info()
		if !ok || !e.From.Before(e.To) {
			continue
		}
		m := &SensorMeta{From: local(e.From), To: local(e.To), Method: n.term("interval-statistics-1"), RawData: n.Base + "/ledger/bundle" + d.Lot.Link().Path() + ".zip"}
		var probes []string
		for _, mount := range f.MountsAt(e.Place, e.From, e.To) {
			for _, q := range mount.Measures {
				if q == e.Quantity {
					probes = append(probes, n.Probe(mount.Gateway, mount.Sensor))
				}
			}
		}
		if len(probes) == 1 { // of several, none alone measured it
			m.Device = probes[0]
		}
		s := SensorElement{Meta: m, Ext: map[string]any{"farm:place": n.Place(e.Place), "farm:readings": float64(e.N)}}
		if len(probes) > 1 {
			s.Ext["farm:probes"] = probes
		}
		for key, count := range map[string]int{"farm:faults": e.Faults, "farm:outOfRange": e.Outlying, "farm:uncalibrated": e.Uncal, "farm:doubtful": e.Doubtful, "farm:unsigned": e.Unsigned} {
			if count > 0 {
				s.Ext[key] = float64(count)
			}
		}
		if e.N > 0 {
			r := SensorReport{
				Type: info.EPCIS, Unit: info.UNECE, Min: rounded(e.Min, info), Max: rounded(e.Max, info), Mean: rounded(e.Mean, info),
				Ext: map[string]any{"farm:property": "farm:" + string(e.Quantity)},
			}
			if e.Quantity == measure.DissolvedOxygen {
				r.Substance = oxygen
			}
			s.Reports = append(s.Reports, r)
		}
		s.Reports = append(s.Reports, share("coverage", e.Share()))
		if e.N > 0 && len(e.Limits) > 0 {
			s.Reports = append(s.Reports, share("withinLimits", e.ShareWithin()))
		}
		out = append(out, s)
	}
	return out
}

// share is a part of 1: of the time that values speak for, or that they were within limits.
func share(property string, v float64) SensorReport {
	v = math.Round(v*1e4) / 1e4
	return SensorReport{Type: "Dimensionless", Value: &v, Unit: "C62", Ext: map[string]any{"farm:property": "farm:" + property}}
}

// rounded keeps a decimal more than is printed.
func rounded(v float64, info measure.Info) *float64 {
	scale := math.Pow10(info.Decimals + 1)
	v = math.Round(v*scale) / scale
	return &v
}
