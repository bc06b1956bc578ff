package drying

import (
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

func estimate() farm.Text {
	return farm.Text{VI: "ước lượng của phần mềm, chưa có ngưỡng công bố", EN: "this project's estimate; no published limit was found"}
}

// decide says what stands of the newest batch; ok is false where there is none of late.
func (s Shed) decide(at time.Time) (d rule.Decision, ok bool) {
	if len(s.Batches) == 0 {
		return d, false
	}
	b := s.Batches[0]
	say := func(v rule.Verdict, key string, args ...rule.Arg) rule.Decision {
		d := rule.Decision{Rule: ID, Place: s.Place.Code, Topic: Topic, Verdict: v, At: at, Until: at.Add(validFor), Source: estimate()}
		d.Why = []rule.Reason{rule.Because("drying_"+key, args...)}
		return d
	}
	switch {
	case b.Running(at):
		return s.running(b, at, say), true
	case b.End.IsZero():
		d = say(rule.Notice, "forgotten", rule.At(b.Begin))
		d.Do = []rule.Reason{rule.Because("drying_forgotten")}
	case at.Sub(b.End) > told:
		return d, false
	case !b.Known:
		d = say(rule.Notice, "unweighed", rule.Day(b.End))
		d.Do = []rule.Reason{rule.Because("drying_unweighed")}
	case b.Moisture > b.MostMoisture():
		d = say(rule.Notice, "moist", rule.Number(b.Moisture, 1, "%"), rule.Number(b.MostMoisture(), 0, "%"))
		d.Do = []rule.Reason{rule.Because("drying_moist")}
	default:
		d = say(rule.Calm, "dry", rule.Number(b.Moisture, 1, "%"), rule.Number(b.MostMoisture(), 0, "%"))
	}
	return d, true
}

// running says how the room is while a batch dries.
func (s Shed) running(b Batch, at time.Time, say func(rule.Verdict, string, ...rule.Arg) rule.Decision) rule.Decision {
	heat := rule.Value(measure.AirTemperature, b.Heat.Last)
	var d rule.Decision
	switch {
	case !s.Probed:
		d = say(rule.Unknown, "no_probe", rule.At(b.Begin))
		d.Do = []rule.Reason{rule.Because("drying_no_probe")}
	case b.Heat.Hours == 0 && at.Sub(b.Begin) < fresh:
		d = say(rule.Unknown, "begun", rule.At(b.Begin))
	case b.Heat.Hours == 0 || at.Sub(b.Heat.Newest) > fresh:
		d = say(rule.Unknown, "silent", rule.At(b.Begin))
		d.Do = []rule.Reason{rule.Because("drying_silent")}
	case b.Herb && b.Heat.Last > herbHigh:
		d = say(rule.Warn, "hot", heat, rule.Value(measure.AirTemperature, herbHigh))
		d.Do = []rule.Reason{rule.Because("drying_hot")}
	case b.Herb && b.Heat.Last < herbLow && at.Sub(b.Begin) >= warmsUp:
		d = say(rule.Notice, "cool", heat, rule.Value(measure.AirTemperature, herbLow))
		d.Do = []rule.Reason{rule.Because("drying_cool")}
	default:
		d = say(rule.Calm, "runs", rule.At(b.Begin), heat)
	}
	if b.Damp.Hours > 0 {
		d.Why = append(d.Why, rule.Because("drying_damp", rule.Value(measure.RelativeHumidity, b.Damp.Last)))
	}
	return d
}

// Words returns the keys of the locales that decisions ask for.
func Words() []string {
	out := []string{"rule." + ID, "topic." + Topic}
	for _, w := range []string{"no_probe", "begun", "silent", "hot", "cool", "runs", "damp", "forgotten", "unweighed", "moist", "dry"} {
		out = append(out, "why.drying_"+w)
	}
	for _, w := range []string{"no_probe", "silent", "hot", "cool", "forgotten", "unweighed", "moist"} {
		out = append(out, "do.drying_"+w)
	}
	return out
}
