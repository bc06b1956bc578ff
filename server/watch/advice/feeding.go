package advice

import (
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

const (
	recent           = 30 * time.Minute // older than this, a value is none of now
	feedFrom, feedTo = 5, 19            // hours in which anybody feeds
	// Where the pond has no limits of its own: reference §1.2 and §1.3.
	noFeed, lessFeed  = 3.0, 4.0 // mg/L
	tooCold, tooWarm  = 18.0, 34.0
	unitOxygen, unitC = "mg/L", "°C"
)

func feedSource() farm.Text {
	return farm.Text{
		VI: "ôxy thấp nhất trong ngày trên 3 mg/L thì cá ăn và lớn bình thường (Global Seafood Alliance); giới hạn của ao",
		EN: "a daily minimum above 3 mg/L assures feeding and growth (Global Seafood Alliance); the pond's own limits",
	}
}

// feeding withholds feed where oxygen is low: fish that digest breathe more, and what they leave takes oxygen, too.
func feeding(l *look, p farm.Place) (*rule.Decision, error) {
	hour := l.at.In(l.zone).Hour()
	if p.Kind != farm.Pond || hour < feedFrom || hour >= feedTo || l.empty(p) || len(l.series(p, measure.DissolvedOxygen, l.at.Add(-recent), l.at)) == 0 {
		return nil, nil
	}
	oxygen, err := l.steps(p, measure.DissolvedOxygen, l.at.Add(-recent), l.at, 5*time.Minute)
	if err != nil {
		return nil, err
	}
	if len(oxygen) == 0 {
		return &rule.Decision{Verdict: rule.Unknown, Why: []rule.Reason{rule.Because("feed_unknown")}, Do: []rule.Reason{rule.Because("feed_measure")}, Source: feedSource()}, nil
	}
	water, err := l.steps(p, measure.WaterTemperature, l.at.Add(-recent), l.at, 5*time.Minute)
	if err != nil {
		return nil, err
	}
	now := oxygen[len(oxygen)-1].Mean
	stop, less := l.or(p, farm.Crit, noFeed), l.or(p, farm.Warn, lessFeed)
	d := &rule.Decision{Verdict: rule.Notice, Source: feedSource()}
	value := rule.Value(measure.DissolvedOxygen, now)
	switch {
	case now < stop:
		d.Why, d.Do = []rule.Reason{rule.Because("feed_low", value, about(stop, 1, unitOxygen))}, []rule.Reason{rule.Because("feed_stop", about(less, 1, unitOxygen))}
	case now < less:
		d.Why, d.Do = []rule.Reason{rule.Because("feed_low", value, about(less, 1, unitOxygen))}, []rule.Reason{rule.Because("feed_wait", about(less, 1, unitOxygen))}
	default:
		d.Verdict, d.Why = rule.Calm, []rule.Reason{rule.Because("feed_fine", value)}
	}
	if len(water) > 0 {
		l.appetite(d, p, water[len(water)-1].Mean)
	}
	return d, nil
}

// or is the pond's own lower limit of oxygen.
func (l *look) or(p farm.Place, level farm.Level, usual float64) float64 {
	if x, ok := l.limit(p, measure.DissolvedOxygen, level, false); ok {
		return x.Value
	}
	return usual
}

// empty reports whether the diary says that the last fish were taken out.
func (l *look) empty(p farm.Place) (out bool) {
	for _, e := range l.entries { // in order of time
		if e.Place != p.Code {
			continue
		}
		switch e.Kind {
		case diary.Stocking:
			out = false
		case diary.Harvest:
			out = out || e.Values.Flag("final")
		}
	}
	return out
}

// appetite says what the water's temperature does to it.
func (l *look) appetite(d *rule.Decision, p farm.Place, celsius float64) {
	low, high := tooCold, tooWarm
	if x, ok := l.limit(p, measure.WaterTemperature, farm.Warn, false); ok {
		low = x.Value
	}
	if x, ok := l.limit(p, measure.WaterTemperature, farm.Warn, true); ok {
		high = x.Value
	}
	value := rule.Value(measure.WaterTemperature, celsius)
	switch {
	case celsius < low:
		d.Why = append(d.Why, rule.Because("feed_cold", value, about(low, 0, unitC)))
	case celsius > high:
		d.Why = append(d.Why, rule.Because("feed_warm", value, about(high, 0, unitC)))
	default:
		return
	}
	if d.Verdict == rule.Calm {
		d.Verdict, d.Do = rule.Notice, append(d.Do, rule.Because("feed_watch"))
	}
}
