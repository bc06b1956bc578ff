package dawn

import (
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// Flag is something that makes a night worse than its curve says: reference §3.2 item 8. Key is a text of the locales (why.KEY).
type Flag struct {
	Key  string
	Args []rule.Arg
}

// OfDiary reports whether a reason says what people wrote into the diary: it is for those who may read that.
func OfDiary(r rule.Reason) bool {
	return r.Key == "dawn_rain" || r.Key == "dawn_gasping" || r.Key == "dawn_colour"
}

const (
	dull      = 0.8 // of the usual peak
	fewPeaks  = 4   // of the last 7 afternoons
	cooling   = 4.0 // °C in a day
	peakNight = 7
)

// flags finds what speaks for a bad night. It is asked from the afternoon on; in the morning there is nothing to say.
func (l *look) flags(p farm.Place, w Water, n Night) (out []Flag, err error) {
	if l.at.Before(n.Dusk.Add(-time.Hour)) || l.at.After(n.Dawn()) {
		return nil, nil
	}
	if usual, peak, ok := l.dullDay(p, w, n); ok {
		out = append(out, Flag{"dawn_overcast", []rule.Arg{rule.Value(measure.DissolvedOxygen, peak), rule.Value(measure.DissolvedOxygen, usual)}})
	}
	if at, ok := l.book.rained(p.Code, n.Dusk.Add(-3*time.Hour)); ok {
		out = append(out, Flag{"dawn_rain", []rule.Arg{rule.At(at)}})
	}
	if at, ok := l.book.says(p.Code, l.at.Add(-24*time.Hour), gasping()); ok {
		out = append(out, Flag{"dawn_gasping", []rule.Arg{rule.At(at)}})
	}
	if at, ok := l.book.says(p.Code, l.at.Add(-24*time.Hour), colour()); ok {
		out = append(out, Flag{"dawn_colour", []rule.Arg{rule.At(at)}})
	}
	if w.Celsius == nil {
		return out, nil
	}
	then, err := l.celsius(p, l.series(p, measure.DissolvedOxygen, l.at)[0], l.at.Add(-24*time.Hour))
	if err == nil && then != nil && *then-*w.Celsius > cooling {
		out = append(out, Flag{"dawn_cooling", []rule.Arg{rule.Number(*then-*w.Celsius, 1, "°C")}})
	}
	return out, err
}

// dullDay compares this afternoon's peak with the median of the last seven.
func (l *look) dullDay(p farm.Place, w Water, n Night) (usual, peak float64, ok bool) {
	var peaks []float64
	for i, r := range l.records[p.Code] {
		if r.Peak != nil && r.Day < n.Day && i <= peakNight && len(peaks) < peakNight {
			peaks = append(peaks, *r.Peak)
		}
	}
	today := between(w.Oxygen, n.Dusk.Add(-12*time.Hour), n.Dusk)
	if len(peaks) < fewPeaks || len(today) == 0 || last(today).At.Before(n.Dusk.Add(-2*time.Hour)) {
		return 0, 0, false
	}
	for _, s := range today {
		peak = max(peak, s.Value)
	}
	usual = median(peaks)
	return usual, peak, peak < dull*usual
}
