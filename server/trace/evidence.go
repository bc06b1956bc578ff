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

// hold is how long one reading speaks for the water (the rule of holding of history.Summary): probes are read every
// minute, so five missed readings in a row are a gap.
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
	Course         Course        `json:"-"` // for a drawing; no seal has it
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

// quantities lists what a lot is told of, in the order people read it: what the fish or the crop lived in. What the gateway or the
// aerator did is no property of the food, and what is computed from a value beside it (saturation, dew point) would tell one probe
// twice.
func quantities() []measure.Quantity {
	told := []measure.Quantity{
		measure.WaterTemperature, measure.DissolvedOxygen, measure.PH, measure.UnionisedAmmonia, measure.TotalAmmonia, measure.Ammonium,
		measure.Salinity, measure.Turbidity,
		measure.SoilMoisture, measure.SoilTemperature, measure.SoilPH, measure.AirTemperature, measure.RelativeHumidity,
	}
	return slices.DeleteFunc(measure.Quantities(), func(q measure.Quantity) bool { return !slices.Contains(told, q) })
}

// Points reads the history of one series; history.Store is one.
type Points interface {
	// Each calls f for every point of a series with from <= time < to, in time order, until f returns an error.
	Each(ctx context.Context, s history.Series, from, to time.Time, f func(history.Point) error) error
}

// Weigh computes the evidence of a lot from the history: one row for every quantity of quantities that a
// sensor mounted at one of its places measures, whether it has readings or not.
func Weigh(ctx context.Context, f *farm.Farm, h Points, l Lot, now time.Time) ([]Evidence, error) {
	from, to := l.Span(now)
	var out []Evidence
	for _, code := range l.Places {
		place, ok := f.Place(code)
		if !ok {
			return nil, fmt.Errorf("trace: lot %s: no place %s", l.Code, code)
		}
		for _, q := range quantities() {
			points, probed, err := gather(ctx, f, h, place.Code, q, from, to)
			if err != nil {
				return nil, fmt.Errorf("trace: evidence of lot %s, %s: %w", l.Code, q, err)
			}
			if !probed {
				continue
			}
			limits := slices.DeleteFunc(f.LimitsOf(place, q), func(l farm.Limit) bool { return l.Level != farm.Warn })
			e, err := summarise(Evidence{Place: code, Quantity: q, From: from, To: to, Limits: limits}, points)
			if err != nil {
				return nil, fmt.Errorf("trace: evidence of lot %s, %s: %w", l.Code, q, err)
			}
			out = append(out, e)
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

// summarise fills in e from points in time order.
func summarise(e Evidence, points []history.Point) (Evidence, error) {
	tally, err := history.NewTally(history.Terms{From: e.From, To: e.To, Hold: hold, Limits: band(e.Limits)})
	if err != nil {
		return Evidence{}, err
	}
	for i, p := range points {
		if i > 0 && !p.Time.After(points[i-1].Time) {
			continue // two probes at the same instant: the older mount speaks
		}
		if err := tally.Add(p); err != nil {
			return Evidence{}, err
		}
	}
	s := tally.Summary()
	e.N, e.Faults, e.Outlying, e.First, e.Last = s.N, s.Faults, s.OutOfRange, s.First, s.Last
	e.Min, e.Mean, e.Max, e.Covered, e.Within = s.Min, s.TimeMean, s.Max, s.Covered, s.Within
	e.Uncal = s.ByQuality[measure.Uncalibrated]
	e.Doubtful = s.ByQuality[measure.Estimated] + s.ByQuality[measure.Suspect]
	began := e.To // when the first record came, of whatever kind
	if len(points) > 0 {
		began = points[0].Time
	}
	for _, g := range s.Gaps {
		if g.From.Before(began) {
			e.gap(g.From, earlier(began, g.To), NoProbe)
			g.From = began
		}
		if g.Faults > 0 || g.OutOfRange > 0 {
			e.gap(g.From, g.To, Faulty)
		} else {
			e.gap(g.From, g.To, Silent)
		}
	}
	e.longestGaps()
	e.Course = courseOf(e.From, e.To, points)
	return e, nil
}

// band returns the limits as the two ends of a band; nil when there are none.
func band(limits []farm.Limit) *history.Limits {
	if len(limits) == 0 {
		return nil
	}
	b := history.Limits{Low: math.Inf(-1), High: math.Inf(1)}
	for _, l := range limits {
		if l.Above {
			b.High = min(b.High, l.Value)
		} else {
			b.Low = max(b.Low, l.Value)
		}
	}
	return &b
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// gap lists a gap, unless it is too short to be listed.
func (e *Evidence) gap(from, to time.Time, reason GapReason) {
	if to.Sub(from) >= listed {
		e.Gaps = append(e.Gaps, Gap{From: from, To: to, Reason: reason})
	}
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
