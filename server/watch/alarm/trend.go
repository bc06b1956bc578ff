package alarm

import (
	"math"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

const (
	swingOver    = 24 * time.Hour
	swingCovered = 20 // hours of it with values, below which a swing that is not too large may yet have been
	rateOver     = time.Hour
)

// judgeTrend weighs a swing or a rate: now, and as it was as long ago as the limit asks that it lasts.
func (l *Limits) judgeTrend(w *watched, now time.Time) Finding {
	best := Finding{Key: w.Key, Sign: Hidden, Explain: func() rule.Decision { return trendUnknown(w, now) }}
	first := true
	for i := range w.limits {
		limit := &w.limits[i]
		best.Keep = max(best.Keep, limit.Keeping())
		for _, c := range w.channels {
			s := l.windows.series[c.Series]
			if s == nil || now.UnixMilli()-s.last > s.stale() {
				continue
			}
			v, sure, ok := s.trend(limit.What, now)
			if !ok {
				continue
			}
			sign := Band
			if limit.Broken(v) {
				if sign = Beyond; s.trendBroken(limit, now.Add(-limit.Persistence())) {
					sign = Exceeded
				}
			} else if sure && limit.Cleared(v) {
				sign = Clear
			}
			if level := verdict(limit.Level); first || sign > best.Sign || sign == best.Sign && level.Worse(best.Level) {
				first, best.Sign = false, sign
				if sign >= Beyond {
					best.Level, best.Last = level, now
				}
				best.Explain = func() rule.Decision { return trendReason(w, limit, v, sign, now) }
			}
		}
	}
	return best
}

func (s *series) trendBroken(l *farm.Limit, at time.Time) bool {
	v, _, ok := s.trend(l.What, at)
	return ok && l.Broken(v)
}

// trend returns the swing of 24 hours, or the change of an hour, up to a moment. sure is false where the readings are too few to say that
// it was not larger.
func (s *series) trend(what farm.What, at time.Time) (v float64, sure, ok bool) {
	if what == farm.OfSwing {
		low, high, hours := s.extent(at, swingOver)
		return high - low, hours >= swingCovered, hours > 0
	}
	to, toAt, ok := s.mean(at.Add(-bucketWidth), at)
	from, fromAt, was := s.mean(at.Add(-rateOver-bucketWidth), at.Add(-rateOver+bucketWidth))
	if !ok || !was || toAt <= fromAt {
		return 0, false, false
	}
	return (to - from) / (float64(toAt-fromAt) / float64(time.Hour.Milliseconds())), true, true
}

// extent returns the lowest and the highest mean of ten minutes before a moment, and in how many hours there are any.
func (s *series) extent(at time.Time, over time.Duration) (low, high float64, hours int) {
	low, high = math.Inf(1), math.Inf(-1)
	seen := map[int64]bool{}
	s.means(at.Add(-over).UnixMilli(), at.UnixMilli(), func(t int64, mean float64) {
		low, high = min(low, mean), max(high, mean)
		seen[t/time.Hour.Milliseconds()] = true
	})
	return low, high, len(seen)
}

// mean returns the mean of the values from from to to, and the mean of their times; ok is false where there is none.
func (s *series) mean(from, to time.Time) (v float64, at int64, ok bool) {
	var sum float64
	var times, n int64
	a, b := from.UnixMilli(), to.UnixMilli()
	for i := len(s.raw) - 1; i >= 0 && s.raw[i].at >= a; i-- {
		if p := s.raw[i]; p.ok && p.at <= b {
			sum += p.value
			times += p.at - a
			n++
		}
	}
	if n == 0 {
		return 0, 0, false
	}
	return sum / float64(n), a + times/n, true
}

func trendUnknown(w *watched, now time.Time) rule.Decision {
	d := w.decision(rule.Unknown, now)
	d.Why = []rule.Reason{rule.Because("trend_unknown", rule.Arg{Quantity: w.quantity})}
	return d
}

func trendReason(w *watched, l *farm.Limit, v float64, sign Sign, now time.Time) rule.Decision {
	verdictNow, key := rule.Calm, string(l.What)+"_within"
	if sign >= Beyond {
		verdictNow, key = verdict(l.Level), string(l.What)+"_beyond"
	}
	d := w.decision(verdictNow, now)
	d.Source = l.Source
	info, _ := l.Quantity.Info()
	unit := info.Unit
	number := func(v float64) rule.Arg { return rule.Number(v, max(info.Decimals, 1), unit) }
	d.Why = []rule.Reason{rule.Because(key, rule.Arg{Quantity: w.quantity}, number(v), number(l.Value))}
	if sign >= Beyond {
		d.Do = advice(w.quantity, l)
	}
	return d
}

// doubted are the quantities whose probes are compared with what is possible, also without limits.
func doubted() []measure.Quantity {
	return []measure.Quantity{measure.DissolvedOxygen, measure.OxygenSaturation, measure.PH, measure.WaterTemperature}
}
