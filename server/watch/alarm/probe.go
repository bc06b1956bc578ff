package alarm

import (
	"math"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// What a probe cannot be believed for (reference/pond-and-crop.md §2.3, the project's own bounds).
const (
	flatOver   = 12 * time.Hour
	flatWithin = 0.2 // mg/L: oxygen of a living pond moves more than that between day and night
	flatHours  = 11  // of the twelve with values
	sideHours  = 3   // of daylight, and of night, among them
	tooMuch    = 2.0 // times the saturation of the water's temperature
	doubtFor   = 30 * time.Minute
	doubtKeep  = 30 * time.Minute
)

// apart is how far two probes of the same water may differ; 0: they are not compared.
func apart(q measure.Quantity) float64 {
	switch q { //nolint:exhaustive // the others are not compared
	case measure.DissolvedOxygen:
		return 1
	case measure.PH:
		return 0.5
	case measure.WaterTemperature:
		return 1
	case measure.OxygenSaturation:
		return 15
	}
	return 0
}

// judgeProbe says whether the probes of a quantity at a place can be believed: fouled, disagreeing, impossible, or one of several silent.
func (l *Limits) judgeProbe(w *watched, now time.Time) Finding {
	f := Finding{Key: w.Key, Sign: Clear, Keep: doubtKeep}
	var why, do []rule.Reason
	see := func(sign Sign, key, todo string, args ...rule.Arg) {
		f.Sign, f.Level, f.Last = max(f.Sign, sign), rule.Warn, now
		why, do = append(why, rule.Because(key, args...)), append(do, rule.Because(todo))
	}
	speaking, silent := l.speaking(w, now)
	if len(speaking) == 0 {
		f.Sign = Hidden
	}
	for _, c := range silent {
		if len(speaking) > 0 { // with all silent it is the quantity's own alarm
			see(Exceeded, "probe_silent", "check_probe", named(c.Sensor))
		}
	}
	for _, c := range speaking {
		s := l.windows.series[c.Series]
		if w.quantity == measure.DissolvedOxygen {
			if moved, known := s.flat(now); known && moved < flatWithin {
				see(Exceeded, "flat", "clean_probe", named(c.Sensor), rule.Value(w.quantity, moved), rule.For(flatOver))
			}
		}
		if v, most, sign := l.oversaturated(w, s, now); sign >= Beyond {
			see(sign, "oversaturated", "clean_probe", named(c.Sensor), rule.Value(w.quantity, v), rule.Value(w.quantity, most))
		}
	}
	if low, high, sign := l.disagree(w, speaking, now); sign >= Beyond {
		see(sign, "disagree", "compare_probes", rule.Arg{Quantity: w.quantity}, rule.Value(w.quantity, low), rule.Value(w.quantity, high))
	}
	f.Explain = func() rule.Decision {
		v := rule.Calm
		if f.Sign >= Beyond {
			v = rule.Warn
		} else if f.Sign == Hidden {
			v = rule.Unknown
		}
		d := w.decision(v, now)
		d.Profile, d.Version = "", 0
		if d.Why, d.Do = why, do; len(why) == 0 {
			d.Why = []rule.Reason{rule.Because("probe_fine", rule.Arg{Quantity: w.quantity})}
		}
		return d
	}
	return f
}

// speaking parts the channels of a key into those whose values are fresh and those that are silent while their gateway is not.
func (l *Limits) speaking(w *watched, now time.Time) (speaking, silent []channel) {
	for _, c := range w.channels {
		s := l.windows.series[c.Series]
		if s == nil {
			continue
		}
		if newest, ok := s.newest(); ok && now.UnixMilli()-newest.at <= s.stale() {
			speaking = append(speaking, c)
		} else if l.windows.speaks(c.Gateway, now) {
			silent = append(silent, c)
		}
	}
	return speaking, silent
}

// flat returns how far the values moved in flatOver; known is false where they do not cover it, with daylight and night.
func (s *series) flat(now time.Time) (moved float64, known bool) {
	low, high, hours := s.extent(now, flatOver)
	if hours < flatHours {
		return 0, false
	}
	day, night := map[int64]bool{}, map[int64]bool{}
	zone := farm.Time()
	s.means(now.Add(-flatOver).UnixMilli(), now.UnixMilli(), func(t int64, _ float64) {
		switch h := time.UnixMilli(t).In(zone).Hour(); {
		case h >= 8 && h < 17:
			day[t/time.Hour.Milliseconds()] = true
		case h >= 19 || h < 5:
			night[t/time.Hour.Milliseconds()] = true
		}
	})
	return high - low, len(day) >= sideHours && len(night) >= sideHours
}

// oversaturated reports oxygen above twice what water of that temperature holds, now and doubtFor ago.
func (l *Limits) oversaturated(w *watched, s *series, now time.Time) (v, most float64, sign Sign) {
	at := func(t time.Time) (v, most float64, over bool) {
		v, _, ok := s.mean(t.Add(-bucketWidth), t)
		if !ok {
			return 0, 0, false
		}
		switch w.quantity { //nolint:exhaustive // of oxygen only
		case measure.OxygenSaturation:
			most = 100 * tooMuch
		case measure.DissolvedOxygen:
			warmth, ok := l.meanOf(w.warmth, t)
			if !ok {
				return 0, 0, false
			}
			most = tooMuch * Saturation(warmth)
		default:
			return 0, 0, false
		}
		return v, most, v > most
	}
	v, most, over := at(now)
	if !over {
		return v, most, Clear
	}
	if _, _, before := at(now.Add(-doubtFor)); before {
		return v, most, Exceeded
	}
	return v, most, Beyond
}

// meanOf returns the mean of ten minutes of the first channel that has one.
func (l *Limits) meanOf(channels []channel, t time.Time) (float64, bool) {
	for _, c := range channels {
		if s := l.windows.series[c.Series]; s != nil {
			if v, _, ok := s.mean(t.Add(-bucketWidth), t); ok {
				return v, true
			}
		}
	}
	return 0, false
}

// disagree reports two probes that differ by more than apart, now and doubtFor ago.
func (l *Limits) disagree(w *watched, channels []channel, now time.Time) (low, high float64, sign Sign) {
	most := apart(w.quantity)
	if most == 0 || len(channels) < 2 {
		return 0, 0, Clear
	}
	at := func(t time.Time) (low, high float64) {
		low, high = math.Inf(1), math.Inf(-1)
		for _, c := range channels {
			if v, _, ok := l.windows.series[c.Series].mean(t.Add(-bucketWidth), t); ok {
				low, high = min(low, v), max(high, v)
			}
		}
		return low, high
	}
	if low, high = at(now); high-low <= most {
		return low, high, Clear
	}
	if a, b := at(now.Add(-doubtFor)); b-a > most {
		return low, high, Exceeded
	}
	return low, high, Beyond
}

// Saturation returns how much oxygen fresh water holds at one atmosphere, in mg/L, by its temperature in °C (APHA 4500-O, Benson and Krause).
func Saturation(celsius float64) float64 {
	k := celsius + 273.15
	return math.Exp(-139.34411 + 1.575701e5/k - 6.642308e7/(k*k) + 1.2438e10/(k*k*k) - 8.621949e11/(k*k*k*k))
}
