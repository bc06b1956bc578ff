package alarm

import (
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

func named(id string) rule.Arg { return rule.Named(farm.Text{VI: id}) }

func (w *watched) decision(v rule.Verdict, now time.Time) rule.Decision {
	return rule.Decision{Rule: LimitsID, Place: w.Place, Topic: w.Topic, Verdict: v, At: now, Profile: w.place.Profile, Version: w.version}
}

func within(w *watched, _ channel, newest point, now time.Time) rule.Decision {
	d := w.decision(rule.Calm, now)
	d.Why = []rule.Reason{rule.Because("within", rule.Arg{Quantity: w.quantity}, rule.Value(w.quantity, newest.value))}
	return d
}

func broken(w *watched, _ channel, l *farm.Limit, newest point, began int64, now time.Time) rule.Decision {
	d := w.decision(verdict(l.Level), now)
	key := "below"
	if l.Above {
		key = "above"
	}
	d.Why = []rule.Reason{
		rule.Because(key, rule.Arg{Quantity: w.quantity}, rule.Value(w.quantity, newest.value), rule.Value(w.quantity, l.Value)),
		rule.Because("lasting", rule.At(time.UnixMilli(began).UTC()), rule.For(max(now.Sub(time.UnixMilli(began)).Truncate(time.Minute), time.Minute))),
	}
	d.Do, d.Source = advice(w.quantity, l), l.Source
	return d
}

// advice says what to do at once about a value beyond a limit.
func advice(q measure.Quantity, l *farm.Limit) []rule.Reason {
	switch {
	case (q == measure.DissolvedOxygen || q == measure.OxygenSaturation) && !l.Above:
		return []rule.Reason{rule.Because("aerate"), rule.Because("stop_feeding")}
	case q == measure.WaterTemperature && l.Above:
		return []rule.Reason{rule.Because("add_water"), rule.Because("feed_less")}
	case q == measure.WaterTemperature:
		return []rule.Reason{rule.Because("raise_level"), rule.Because("feed_less")}
	case q == measure.PH:
		return []rule.Reason{rule.Because("test_again"), rule.Because("change_water")}
	case q == measure.UnionisedAmmonia || q == measure.TotalAmmonia || q == measure.Ammonium:
		return []rule.Reason{rule.Because("stop_feeding"), rule.Because("change_water"), rule.Because("aerate")}
	}
	return []rule.Reason{rule.Because("look_at_place")}
}
