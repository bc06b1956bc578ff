package trace

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// hold is how long one reading speaks for the water (the rule of holding of history.Summary).
const hold = history.RollupHold

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
	Unsigned int `json:",omitempty"` // of N, those of devices that cannot sign
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
type Points = history.Source

// Weigh computes the evidence of a lot from the history: one row for every quantity of quantities that a
// sensor mounted at one of its places measures, whether it has readings or not. Where only readings that were let go could tell, it returns a
// history.ErrGone: what was weighed before stands.
func Weigh(ctx context.Context, f *farm.Farm, h Points, l Lot, now time.Time) ([]Evidence, error) {
	from, to := l.Span(now)
	var out []Evidence
	for _, code := range l.Places {
		place, ok := f.Place(code)
		if !ok {
			return nil, fmt.Errorf("trace: lot %s: no place %s", l.Code, code)
		}
		for _, q := range quantities() {
			hung := hangings(f, place.Code, q, from, to)
			if len(hung) == 0 {
				continue
			}
			e := Evidence{Place: code, Quantity: q, From: from, To: to, Limits: WarnLimits(f, place, q)}
			if err := e.weigh(ctx, h, hung, f.Signs); err != nil {
				return nil, fmt.Errorf("trace: evidence of lot %s, %s: %w", l.Code, q, err)
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// WarnLimits are the limits that evidence is judged by.
func WarnLimits(f *farm.Farm, p farm.Place, q measure.Quantity) []farm.Limit {
	return slices.DeleteFunc(f.LimitsOf(p, q), func(l farm.Limit) bool { return l.Level != farm.Warn })
}

// hanging is a time that a sensor hung at a place.
type hanging struct {
	history.Series
	from, to time.Time
}

// hangings returns those of every sensor that measured q at a place, the oldest mount first.
func hangings(f *farm.Farm, place string, q measure.Quantity, from, to time.Time) (out []hanging) {
	for _, m := range f.MountsAt(place, from, to) {
		if !slices.Contains(m.Measures, q) {
			continue
		}
		h := hanging{history.Series{Place: place, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor}, from, to}
		if m.From.After(from) {
			h.from = m.From
		}
		if !m.To.IsZero() && m.To.Before(to) {
			h.to = m.To
		}
		out = append(out, h)
	}
	return out
}

// weigh fills in e from what the sensors said while they hung there; signs tells whose readings are signed.
func (e *Evidence) weigh(ctx context.Context, h Points, hung []hanging, signs func(gateway string) bool) error {
	tally, err := history.NewTally(history.Terms{From: e.From, To: e.To, Hold: hold, Limits: Band(e.Limits)})
	if err != nil {
		return err
	}
	course := newCourse(e.From, e.To)
	if together(hung) {
		err = eachOf(ctx, h, hung, func(p history.Point) error {
			course.Point(p)
			if p.Quality < measure.OutOfRange && !signs(p.Gateway) {
				e.Unsigned++
			}
			return tally.Add(p)
		})
	} else {
		for _, x := range hung {
			before := tally.Summary().N
			if err = tally.Feed(ctx, h, x.Series, x.from, x.to, course); err != nil {
				break
			}
			if !signs(x.Gateway) {
				e.Unsigned += tally.Summary().N - before
			}
		}
	}
	if err != nil {
		return err
	}
	e.tell(tally)
	e.Course = course.done()
	return nil
}

// together reports whether two sensors hung there at the same time.
func together(hung []hanging) bool {
	for i := 1; i < len(hung); i++ {
		if hung[i].from.Before(hung[i-1].to) {
			return true
		}
	}
	return false
}

// eachOf calls f for the points of sensors that hung there together, in time order.
func eachOf(ctx context.Context, h Points, hung []hanging, f func(history.Point) error) error {
	var points []history.Point
	for _, x := range hung {
		if err := whole(ctx, h, x); err != nil {
			return err
		}
		if err := h.Each(ctx, x.Series, x.from, x.to, func(p history.Point) error {
			points = append(points, p)
			return nil
		}); err != nil {
			return err
		}
	}
	slices.SortStableFunc(points, func(a, b history.Point) int { return a.Time.Compare(b.Time) })
	for i, p := range points {
		if i > 0 && !p.Time.After(points[i-1].Time) {
			continue // two probes at the same instant: the older mount speaks
		}
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

// whole returns an ErrGone where points of a sensor were let go.
func whole(ctx context.Context, h Points, x hanging) error {
	hours, err := h.Rollups(ctx, x.Series, history.Hour, history.Hour.Floor(x.from), history.Hour.Ceil(x.to))
	if err != nil {
		return err
	}
	for i := range hours {
		if hours[i].Gone {
			return fmt.Errorf("trace: %s of sensor %s at %s: %w", x.Quantity, x.Sensor, hours[i].From.Format(time.RFC3339), history.ErrGone)
		}
	}
	return nil
}

// tell fills in the figures.
func (e *Evidence) tell(tally *history.Tally) {
	s := tally.Summary()
	e.N, e.Faults, e.Outlying, e.First, e.Last = s.N, s.Faults, s.OutOfRange, s.First, s.Last
	e.Min, e.Mean, e.Max, e.Covered, e.Within = s.Min, s.TimeMean, s.Max, s.Covered, s.Within
	e.Uncal = s.ByQuality[measure.Uncalibrated]
	e.Doubtful = s.ByQuality[measure.Estimated] + s.ByQuality[measure.Suspect]
	began := tally.Began() // when the first record came, of whatever kind
	if began.IsZero() {
		began = e.To
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
}

// Band returns the limits as the two ends of a band; nil when there are none.
func Band(limits []farm.Limit) *history.Limits {
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

// SameEvidence reports whether a and b tell the same. Means are sums, which may be added up in another order: they may differ by a billionth.
func SameEvidence(a, b []Evidence) (bool, error) {
	if len(a) != len(b) {
		return false, nil
	}
	b = slices.Clone(b)
	for i := range b {
		if math.Abs(a[i].Mean-b[i].Mean) <= 1e-9*math.Abs(a[i].Mean) {
			b[i].Mean = a[i].Mean
		}
	}
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	if err := errors.Join(errA, errB); err != nil {
		return false, fmt.Errorf("trace: evidence: %w", err)
	}
	return string(x) == string(y), nil
}
