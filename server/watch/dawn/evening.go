package dawn

import (
	"math"
	"slices"
	"time"

	"aovuon/server/privacy"
)

// The times of a night, reference §3.2.
const (
	settle   = 30 * time.Minute // after sunset until the water is judged, and after sunrise until it is lowest
	least    = 2 * time.Hour    // of samples, with the aerator off
	fewest   = 8                // samples
	window   = 3 * time.Hour    // that the slope is taken of, at most
	fresh    = 30 * time.Minute // older than this, the newest sample is none of now
	bin      = 5 * time.Minute  // one sample is made of
	castLag  = settle + window  // after sunset: the forecast that is scored
	morning  = 2 * time.Hour    // after sunrise: until then the minimum is looked for
	headroom = 0.5              // mg/L above the set point, at which the aerator is told to start
)

// Night is the times of one night at one place.
type Night struct {
	Day        string // the local day of its evening, 2006-01-02
	Dusk, Rise time.Time
}

// NightOf returns the night that t belongs to: from one noon to the next, by the clock of zone.
func NightOf(t time.Time, zone *time.Location, at privacy.Point) Night {
	local := t.In(zone)
	if local.Hour() < 12 {
		local = local.AddDate(0, 0, -1)
	}
	n := Night{Day: local.Format(time.DateOnly)}
	_, n.Dusk, _ = Sun(local, at)
	n.Rise, _, _ = Sun(local.AddDate(0, 0, 1), at)
	return n
}

// Begin is when the water is judged from.
func (n Night) Begin() time.Time { return n.Dusk.Add(settle) }

// Dawn is when oxygen is lowest.
func (n Night) Dawn() time.Time { return n.Rise.Add(settle) }

// Cast is when the forecast that is scored is made: with three hours of samples, while people are still up.
func (n Night) Cast() time.Time { return n.Dusk.Add(castLag) }

// Over is when the night's minimum is known.
func (n Night) Over() time.Time { return n.Rise.Add(morning) }

// Span is a time in which an aerator ran.
type Span struct{ From, To time.Time }

// Water is what is known of one probe in one night.
type Water struct {
	Oxygen  []Sample // in order of time
	Aerated []Span   // in order of time; one that still runs ends after the moment that is judged
	Celsius *float64 // of the water now; nil: nobody knows
	K       float64  // 0: UsualK
}

// State says whether there is a forecast.
type State string

// The states.
const (
	Ready    State = "ready"
	Day      State = "day"      // there is no night
	Early    State = "early"    // the night is too young
	Short    State = "short"    // samples are missing
	Silent   State = "silent"   // there is none of the last half an hour
	Aerating State = "aerating" // the aerator runs, or did until less than two hours ago
)

// Outcome of judging the water: a curve, when Ready; else what is missing.
type Outcome struct {
	State   State
	Since   time.Time // of what is missing: when samples count from, the newest sample, when the aerator started
	Samples int       // that count
	Curve   Curve     // when Ready
}

// Judge makes the forecast of a moment in a night, of what was measured until then.
func (n Night) Judge(w Water, now time.Time) Outcome {
	if now.Before(n.Begin()) || now.After(n.Dawn()) {
		return Outcome{State: Day}
	}
	from := n.Begin()
	for _, s := range w.Aerated {
		if !s.From.After(now) && s.To.After(from) {
			if s.To.After(now) {
				return Outcome{State: Aerating, Since: s.From}
			}
			from = s.To
		}
	}
	valid := between(w.Oxygen, from, now)
	o := Outcome{Since: from, Samples: len(valid)}
	switch newest := last(between(w.Oxygen, n.Dusk.Add(-24*time.Hour), now)); {
	case newest.At.Before(now.Add(-fresh)):
		o.State, o.Since = Silent, newest.At
	case now.Sub(from) < least && from.After(n.Begin()):
		o.State = Aerating
	case now.Sub(from) < least:
		o.State = Early
	case len(valid) < fewest || last(valid).At.Sub(valid[0].At) < least-30*time.Minute:
		o.State = Short
	default:
		o.State = Ready
		o.Curve = curveOf(between(valid, now.Add(-window), now), w, now)
	}
	return o
}

// curveOf takes the slope of samples. What is now is the line's end through their medians: one eddy at the probe does not shift the night.
func curveOf(used []Sample, w Water, now time.Time) Curve {
	slope, _ := TheilSen(used)
	mean := 0.0
	for _, s := range used {
		mean += s.Value
	}
	mean /= float64(len(used))
	tail := between(used, now.Add(-3*bin), now)
	if len(tail) == 0 {
		tail = used[len(used)-1:]
	}
	values := make([]float64, len(tail))
	for i, s := range tail {
		values[i] = s.Value + slope*now.Sub(s.At).Hours()
	}
	c := Curve{From: now, Now: median(values), Mean: mean, Slope: slope}
	if w.Celsius != nil {
		c.K, c.Saturation = w.K, Saturation(*w.Celsius)
		if c.K == 0 {
			c.K = UsualK
		}
	}
	return c
}

// Lowest is the least of a night from a moment on, of samples; ok is false where the time around sunrise was not seen.
func (n Night) Lowest(oxygen []Sample, from time.Time) (s Sample, ok bool) {
	s.Value = math.Inf(1)
	at := from
	for _, x := range between(oxygen, from, n.Over()) {
		if x.At.Sub(at) > time.Hour && x.At.After(n.Rise.Add(-2*time.Hour)) {
			return Sample{}, false
		}
		at = x.At
		if x.Value < s.Value {
			s = x
		}
	}
	return s, !math.IsInf(s.Value, 1) && n.Over().Sub(at) <= time.Hour
}

// Aerated reports whether an aerator ran between two moments.
func Aerated(spans []Span, from, to time.Time) bool {
	return slices.ContainsFunc(spans, func(s Span) bool { return s.From.Before(to) && s.To.After(from) })
}

// between returns samples with from <= At <= to.
func between(all []Sample, from, to time.Time) []Sample {
	i, _ := slices.BinarySearchFunc(all, from, func(s Sample, t time.Time) int { return s.At.Compare(t) })
	j, _ := slices.BinarySearchFunc(all, to.Add(1), func(s Sample, t time.Time) int { return s.At.Compare(t) })
	if i >= j {
		return nil
	}
	return all[i:j]
}

// last returns the zero Sample of nothing.
func last(all []Sample) Sample {
	if len(all) == 0 {
		return Sample{}
	}
	return all[len(all)-1]
}

// Thin makes one sample of every five minutes, the median of what was measured in them.
func Thin(raw []Sample) (out []Sample) {
	for i := 0; i < len(raw); {
		from := raw[i].At.Truncate(bin)
		var values []float64
		for ; i < len(raw) && raw[i].At.Before(from.Add(bin)); i++ {
			values = append(values, raw[i].Value)
		}
		out = append(out, Sample{raw[i-1].At, median(values)})
	}
	return out
}
