package trace

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// hold is how long one reading speaks for the water: probes are read every minute, so five missed readings in a row are
// a gap.
const hold = 5 * time.Minute

// listed is the shortest gap that is listed by itself; maxGaps bounds the list, longest first. All gaps count in Covered.
const (
	listed  = 30 * time.Minute
	maxGaps = 24
)

// GapReason says why there are no values for a time.
type GapReason string

// The reasons of gaps.
const (
	NoProbe GapReason = "no-probe" // before the first reading: there was no probe yet
	Faulty  GapReason = "fault"    // the probe was asked and gave no value
	Silent  GapReason = "silent"   // nothing arrived
)

// GapReasons lists every reason.
func GapReasons() []GapReason { return []GapReason{NoProbe, Faulty, Silent} }

// Gap is a time without values.
type Gap struct {
	From, To time.Time
	Reason   GapReason
}

// Evidence is what was measured of one quantity at one place of a lot, from From to To.
type Evidence struct {
	Place    string
	Quantity measure.Quantity
	From, To time.Time
	N        int // readings with a value
	Faults   int // readings without
	Doubtful int // of N, those of quality estimated or suspect
	Uncal    int // of N, those of probes never calibrated
	// Min, Mean and Max are over the N values but the Outlying; Mean weighs each value with the time it speaks for.
	Min, Mean, Max float64
	Outlying       int           // readings outside the physical limits: counted, in no figure
	Covered        time.Duration // time of From..To that values speak for
	Within         time.Duration // of Covered, the time within Limits
	Limits         []farm.Limit  // those of level warn that held; empty: there are none for this quantity
	First, Last    time.Time     // of the readings with a value; zero when N is 0
	Gaps           []Gap         // of half an hour and more, in time order; at most 24, the longest
	MoreGaps       int           // of half an hour and more that Gaps leaves out
}

// Share returns the share of the time that values speak for, 0 to 1.
func (e Evidence) Share() float64 { return share(e.Covered, e.To.Sub(e.From)) }

// ShareWithin returns the share of the covered time within limits, 0 to 1.
func (e Evidence) ShareWithin() float64 { return share(e.Within, e.Covered) }

func share(a, b time.Duration) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Points reads the history of one series; history.Store is one.
type Points interface {
	// Each calls f for every point of a series with from <= time < to, in time order, until f returns an error.
	Each(ctx context.Context, s history.Series, from, to time.Time, f func(history.Point) error) error
}

// Weigh computes the evidence of a lot from the history: one row for every quantity that a sensor mounted at one of its
// places measures, whether it has readings or not.
func Weigh(ctx context.Context, f *farm.Farm, h Points, l Lot, now time.Time) ([]Evidence, error) {
	from, to := l.Span(now)
	var out []Evidence
	for _, code := range l.Places {
		place, ok := f.Place(code)
		if !ok {
			return nil, fmt.Errorf("trace: lot %s: no place %s", l.Code, code)
		}
		for _, q := range measure.Quantities() {
			points, probed, err := gather(ctx, f, h, place.Code, q, from, to)
			if err != nil {
				return nil, fmt.Errorf("trace: evidence of lot %s, %s: %w", l.Code, q, err)
			}
			if !probed {
				continue
			}
			limits := slices.DeleteFunc(f.LimitsOf(place, q), func(l farm.Limit) bool { return l.Level != farm.Warn })
			out = append(out, summarise(Evidence{Place: code, Quantity: q, From: from, To: to, Limits: limits}, points))
		}
	}
	return out, nil
}

// gather returns the points of every sensor that measured q at a place, in time order; probed is false when there was no
// such sensor.
func gather(ctx context.Context, f *farm.Farm, h Points, place string, q measure.Quantity, from, to time.Time) (points []history.Point, probed bool, err error) {
	for _, m := range f.MountsAt(place, from, to) {
		if !slices.Contains(m.Measures, q) {
			continue
		}
		probed = true
		s := history.Series{Place: place, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor}
		begin, end := from, to
		if m.From.After(begin) {
			begin = m.From
		}
		if !m.To.IsZero() && m.To.Before(end) {
			end = m.To
		}
		err := h.Each(ctx, s, begin, end, func(p history.Point) error {
			points = append(points, p)
			return nil
		})
		if err != nil {
			return nil, false, err
		}
	}
	slices.SortStableFunc(points, func(a, b history.Point) int { return a.Time.Compare(b.Time) })
	return points, probed, nil
}

// summarise fills in e from points in time order. A value speaks from its time until the next point, at most for hold.
func summarise(e Evidence, points []history.Point) Evidence {
	e.Min, e.Max = math.Inf(1), math.Inf(-1)
	var weighted, plain float64
	covered := e.From // end of what is covered so far
	faults := 0       // since covered
	gap := func(to time.Time) {
		if to.Sub(covered) < listed {
			return
		}
		reason := Silent
		switch {
		case e.N == 0:
			reason = NoProbe
		case faults > 0:
			reason = Faulty
		}
		e.Gaps = append(e.Gaps, Gap{From: covered, To: to, Reason: reason})
	}
	for i, p := range points {
		switch p.Quality {
		case measure.Fault:
			e.Faults++
			faults++
			continue
		case measure.OutOfRange:
			e.Outlying++
			continue
		case measure.Uncalibrated:
			e.Uncal++
		case measure.Estimated, measure.Suspect:
			e.Doubtful++
		case measure.Good:
		}
		gap(p.Time)
		until := e.To
		if i+1 < len(points) {
			until = points[i+1].Time
		}
		speaks := min(until.Sub(p.Time), hold)
		if e.N++; e.N == 1 {
			e.First = p.Time
		}
		e.Last, e.Min, e.Max = p.Time, min(e.Min, p.Value), max(e.Max, p.Value)
		plain += p.Value
		weighted += p.Value * speaks.Seconds()
		e.Covered += speaks
		if len(e.Limits) > 0 && !slices.ContainsFunc(e.Limits, func(l farm.Limit) bool { return l.Broken(p.Value) }) {
			e.Within += speaks
		}
		covered, faults = p.Time.Add(speaks), 0
	}
	gap(e.To)
	switch {
	case e.N == 0:
		e.Min, e.Max = 0, 0
	case e.Covered > 0:
		e.Mean = weighted / e.Covered.Seconds()
	default: // every value at the very same time as the next
		e.Mean = plain / float64(e.N)
	}
	e.longestGaps()
	return e
}

// longestGaps keeps the longest maxGaps gaps.
func (e *Evidence) longestGaps() {
	if len(e.Gaps) <= maxGaps {
		return
	}
	e.MoreGaps = len(e.Gaps) - maxGaps
	slices.SortStableFunc(e.Gaps, func(a, b Gap) int { return cmp.Compare(b.To.Sub(b.From), a.To.Sub(a.From)) })
	e.Gaps = slices.Clone(e.Gaps[:maxGaps])
	slices.SortFunc(e.Gaps, func(a, b Gap) int { return a.From.Compare(b.From) })
}
