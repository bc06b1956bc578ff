package alarm

import (
	"slices"
	"time"

	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// SpeaksFor is how long a gateway may be quiet: it sends every half minute.
const SpeaksFor = 10 * time.Minute

// speaks reports whether a gateway was heard of lately, so that a probe of it that is silent is so by itself; the lock is held.
func (w *Windows) speaks(gateway string, now time.Time) bool {
	if w.behind {
		return false
	}
	at, ok := w.heard[gateway]
	return ok && now.Sub(at) < SpeaksFor
}

// unheard is a probe that the register has and of which no reading has come lately: none since the Horizon at least, or never.
func (l *Limits) unheard(w *watched, c channel, now time.Time) Finding {
	sign := Silent
	if now.Sub(l.started) < staleMost || now.Sub(c.since) < staleMost || !l.windows.speaks(c.Gateway, now) {
		sign = Hidden // it may come yet; a gateway that is silent itself is an alarm of its own
	}
	return Finding{Key: w.Key, Sign: sign, Level: rule.Warn, Keep: silentKeep, Explain: func() rule.Decision {
		d := w.decision(rule.Warn, now)
		d.Why = []rule.Reason{rule.Because("unheard", rule.Arg{Quantity: w.quantity}, named(c.Sensor))}
		d.Do = []rule.Reason{rule.Because("check_probe")}
		return d
	}}
}

const (
	silentKeep = 5 * time.Minute
	silentCrit = 30 * time.Minute // silence of what may become critical is critical from then on
)

// silence is a probe from which no value comes any more. While its whole gateway is silent, that is the alarm.
func (l *Limits) silence(w *watched, c channel, s *series, now time.Time) Finding {
	since := time.UnixMilli(s.last).UTC()
	f := Finding{Key: w.Key, Sign: Silent, Level: rule.Warn, Began: since, Keep: silentKeep}
	if now.Sub(since) >= silentCrit && slices.ContainsFunc(w.limits, func(l farm.Limit) bool { return l.Level == farm.Crit }) {
		f.Level = rule.Crit
	}
	if !l.windows.speaks(c.Gateway, now) {
		f.Sign = Hidden
	}
	f.Explain = func() rule.Decision {
		d := w.decision(f.Level, now)
		d.Why = []rule.Reason{rule.Because("silent", rule.Arg{Quantity: w.quantity}, rule.At(since))}
		if s.fault != "" {
			d.Why = append(d.Why, rule.Because("faulty", named(c.Sensor), rule.Word("fault."+string(s.fault))))
		}
		d.Do = []rule.Reason{rule.Because("measure_by_hand"), rule.Because("check_probe")}
		return d
	}
	return f
}
