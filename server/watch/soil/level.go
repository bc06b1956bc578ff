package soil

import (
	"context"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// Flood is the topic of water that rises.
const Flood = "flood"

// risen is how much water may rise in a day without a word, cm: this project's choice. A pond that is filled rises as fast, and who fills it
// knows.
const risen = 10.0

// Level is the water of a pond or a canal.
type Level struct {
	Place  farm.Place
	Probe  string
	CM     float64
	Newest time.Time // end of the newest hour
	Rise   float64   // cm in the day before it; meaningful when Known
	Known  bool
}

// levels reads what level probes of a place say.
func (s *Service) levels(ctx context.Context, k *known, p farm.Place) (out []Level, err error) {
	for _, m := range mounted(k.farm, p.Code, measure.WaterLevel, k.at) {
		hours, err := s.hourly(ctx, p.Code, measure.WaterLevel, m, k.at.Add(-30*time.Hour), k.at)
		if err != nil {
			return nil, err
		}
		if len(hours) == 0 {
			continue
		}
		newest := hours[len(hours)-1]
		l := Level{Place: p, Probe: m.Gateway + "/" + m.Sensor, CM: newest.Mean, Newest: newest.Start.Add(time.Hour)}
		for _, h := range hours {
			if ago := newest.Start.Sub(h.Start); ago >= 22*time.Hour && ago <= 26*time.Hour {
				l.Rise, l.Known = newest.Mean-h.Mean, true
				break
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// decision says that the water rises; ok is false where it does not, or the probe is silent: that is an alarm of its own.
func (l Level) decision(at time.Time) (d rule.Decision, ok bool) {
	if !l.Known || l.Rise < risen || at.Sub(l.Newest) > Fresh {
		return d, false
	}
	return rule.Decision{
		Rule: ID, Place: l.Place.Code, Topic: Flood, Verdict: rule.Notice, At: at, Until: at.Add(validFor),
		Why: []rule.Reason{rule.Because("soil_rises", rule.Number(l.Rise, 0, "cm"), rule.Value(measure.WaterLevel, l.CM))},
		Do:  []rule.Reason{rule.Because("soil_rises")}, Source: farm.Text{VI: "ngưỡng do phần mềm đề xuất: 10 cm một ngày", EN: "this project's choice: 10 cm in a day"},
	}, true
}
