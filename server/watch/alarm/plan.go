package alarm

import (
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// planOf lists what there is to watch at a moment: every quantity that a probe measures at a place and of which there are limits, its
// swing and its rate, whether its probes can be believed, and the alarms that the gateway at the pond raises by itself.
func planOf(f *farm.Farm, versions map[string]int64, now time.Time) (out []watched) {
	for _, p := range f.Places {
		channels := channelsOf(f, p.Code, now)
		add := func(topic string, q measure.Quantity, limits []farm.Limit, judge func(*Limits, *watched, time.Time) Finding) {
			out = append(out, watched{Key{p.Code, topic}, p, versions[p.Profile], q, limits, channels[q], channels[measure.WaterTemperature], judge})
		}
		for _, q := range measure.Quantities() {
			if len(channels[q]) == 0 {
				continue
			}
			if q == measure.AlarmState {
				aerators, others := aeratorAlarms(channels)
				if channels[q] = others; len(others) > 0 {
					add(string(q), q, nil, (*Limits).judgeEdge)
				}
				if channels[q] = aerators; len(aerators) > 0 {
					add(AeratorTopic, q, nil, (*Limits).judgeAerator)
				}
				continue
			}
			limits := f.LimitsOf(p, q)
			if len(limits) > 0 {
				add(string(q), q, limits, (*Limits).judgeValues)
			}
			for _, what := range []farm.What{farm.OfSwing, farm.OfRate} {
				l := f.LimitsAbout(p, func(l farm.Limit) bool { return l.What == what && l.Quantity == q })
				if len(l) > 0 {
					add(l[0].Topic(), q, l, (*Limits).judgeTrend)
				}
			}
			if len(limits) > 0 || slices.Contains(doubted(), q) {
				add(probeAspect+"/"+string(q), q, nil, (*Limits).judgeProbe)
			}
		}
	}
	return out
}

// channelsOf returns which probe measures what at a place at a moment.
func channelsOf(f *farm.Farm, place string, now time.Time) map[measure.Quantity][]channel {
	out := map[measure.Quantity][]channel{}
	for _, m := range f.MountsAt(place, now, now.Add(1)) {
		for _, q := range m.Measures {
			out[q] = append(out[q], channel{history.Series{Place: place, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor}, m.From})
		}
	}
	return out
}
