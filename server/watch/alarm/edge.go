package alarm

import (
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/watch/rule"
)

// AeratorTopic is the topic of aerators that do not do what they were told. It is no part of the gateway's other alarms: whoever sees to the oxygen
// that these are about must still be told when the motor does not start.
const AeratorTopic = "aerator"

// aeratorAlarms divides the alarms that gateways raise by themselves into those of aerators and all others.
func aeratorAlarms(channels map[measure.Quantity][]channel) (aerators, others []channel) {
	for _, c := range channels[measure.AlarmState] {
		if slices.ContainsFunc(channels[measure.AeratorCommand], func(o channel) bool { return o.Gateway == c.Gateway && o.Sensor == c.Sensor }) {
			aerators = append(aerators, c)
		} else {
			others = append(others, c)
		}
	}
	return aerators, others
}

// raised is an alarm that a gateway raises by itself, as the server has to tell it.
type raised struct {
	channel
	since time.Time
	level rule.Verdict
	why   string
	do    []string
}

// judgeEdge takes what the gateway at the pond raises by itself, with or without a network.
func (l *Limits) judgeEdge(w *watched, now time.Time) Finding {
	return l.judgeRaised(w, now, func(c channel, since time.Time) raised {
		return raised{c, since, rule.Crit, "edge_alarm", []string{"look_at_place"}}
	})
}

// judgeAerator says what an aerator does against its command: the newest command tells which of three it is.
func (l *Limits) judgeAerator(w *watched, now time.Time) Finding {
	return l.judgeRaised(w, now, func(c channel, since time.Time) raised {
		var command point
		s := l.windows.series[history.Series{Place: c.Place, Quantity: measure.AeratorCommand, Gateway: c.Gateway, Sensor: c.Sensor}]
		if s != nil && len(s.raw) > 0 {
			command = s.raw[len(s.raw)-1]
		}
		switch {
		case command.ok && command.value >= 0.5:
			return raised{c, since, rule.Crit, "aerator_stalled", []string{"aerator_power", "aerate_otherwise"}}
		case command.ok:
			return raised{c, since, rule.Warn, "aerator_runs", []string{"aerator_switch"}}
		}
		return raised{c, since, rule.Crit, "aerator_relay", []string{"aerator_by_hand", "aerate_otherwise"}}
	})
}

// judgeRaised tells all that gateways raise of one topic: the gravest level counts, and every one is named.
func (l *Limits) judgeRaised(w *watched, now time.Time, tell func(c channel, since time.Time) raised) Finding {
	f := Finding{Key: w.Key, Sign: Hidden, Keep: silentKeep}
	var firing []raised
	calm := rule.Because("edge_unknown")
	for _, c := range w.channels {
		s := l.windows.series[c.Series]
		if s == nil || !l.windows.speaks(c.Gateway, now) { // a state is said when it changes: it holds while the gateway speaks
			continue
		}
		newest, ok := s.newest()
		if !ok {
			continue
		}
		since := time.UnixMilli(s.saidSince(newest.value >= 0.5)).UTC()
		if newest.value < 0.5 {
			if f.Sign == Hidden {
				f.Sign, calm = Clear, rule.Because("edge_calm", named(c.Sensor), rule.At(since))
			}
			continue
		}
		r := tell(c, since)
		if firing = append(firing, r); f.Sign != Exceeded || r.since.Before(f.Began) {
			f.Began = r.since
		}
		if f.Sign != Exceeded || r.level.Worse(f.Level) {
			f.Level = r.level
		}
		f.Sign = Exceeded
	}
	sign := f.Sign
	f.Explain = func() rule.Decision {
		if sign != Exceeded {
			v := rule.Calm
			if sign == Hidden {
				v = rule.Unknown
			}
			d := w.decision(v, now)
			d.Why = []rule.Reason{calm}
			return d
		}
		d := w.decision(f.Level, now)
		for _, r := range firing {
			d.Why = append(d.Why, rule.Because(r.why, named(r.Sensor), rule.At(r.since)))
			for _, do := range r.do {
				if !slices.ContainsFunc(d.Do, func(o rule.Reason) bool { return o.Key == do }) {
					d.Do = append(d.Do, rule.Because(do))
				}
			}
		}
		return d
	}
	return f
}

// saidSince returns when a state of yes or no that is newest now was said first: gateways repeat it every five minutes.
func (s *series) saidSince(yes bool) (at int64) {
	for _, p := range slices.Backward(s.raw) {
		if !p.ok {
			continue
		}
		if (p.value >= 0.5) != yes {
			break
		}
		at = p.at
	}
	return at
}
