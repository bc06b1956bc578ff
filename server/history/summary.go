package history

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"aovuon/gateway/measure"
)

// Terms say what a Summary is asked about.
type Terms struct {
	From, To time.Time // From <= t < To
	// Hold is how long a reading speaks for the time after it, when no other follows: 2.5 times the period at which the
	// sensor is read lets one reading be late or lost without a gap.
	Hold   time.Duration
	Limits *Limits // nil: Within is not asked
}

// Limits are the values that count as within, both ends included. math.Inf leaves an end open.
type Limits struct {
	Low, High float64
}

// Holds reports whether v lies within l.
func (l Limits) Holds(v float64) bool { return l.Low <= v && v <= l.High }

// Summary is what one series says about a stretch of time, and for how much of it it says anything at all.
//
// The rule of holding: a reading stands for the time from itself to the next record of its series, whatever that is, but
// at most for Terms.Hold. A fault and a value out of range stand for nothing: they end what the reading before them stood
// for. A reading before From stands for the beginning of the stretch by the same rule, but is not counted in N, Min, Mean
// and Max. Time that no reading stands for is a gap. Nothing is interpolated.
type Summary struct {
	From, To       time.Time
	N              int           // values counted: all but faults and those out of range
	Min, Mean, Max float64       // of the N values; 0 when N is 0
	TimeMean       float64       // mean over the time covered; 0 when nothing is covered
	OutOfRange     int           // values that are no measurement
	Faults         int           // records without a value
	Covered        time.Duration // time that a reading stands for
	Within         time.Duration // of Covered, with a value within Terms.Limits; 0 without limits
	Unjudged       time.Duration // of Covered, where that cannot be told: the readings were let go, and judged by other limits before
	Gaps           []Gap         // the rest, in time order
	First, Last    time.Time     // of the N values; zero when N is 0
	// ByQuality counts the records of each quality.
	ByQuality [measure.Fault + 1]int
}

// Gap is a stretch that no reading stands for.
type Gap struct {
	From, To   time.Time
	Faults     int // records without a value in it: the gateway spoke, the sensor did not
	OutOfRange int // values out of range in it
}

// Length returns how long the gap is.
func (g Gap) Length() time.Duration { return g.To.Sub(g.From) }

// CoveredShare returns the share of the time that a reading stands for, 0 to 1; 0 for an empty stretch.
func (s Summary) CoveredShare() float64 { return share(s.Covered, s.To.Sub(s.From)) }

// WithinShare returns the share of the covered time that was within the limits, 0 to 1; 0 when nothing is covered.
func (s Summary) WithinShare() float64 { return share(s.Within, s.Covered) }

func share(part, whole time.Duration) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Summarise summarises one series, from its rollups where there are and Hold is RollupHold. Where readings were let go, the beginning and the end
// are moved to whole hours within.
func Summarise(ctx context.Context, from Source, s Series, terms Terms) (Summary, error) {
	t, err := NewTally(terms)
	if err != nil {
		return Summary{}, err
	}
	if err := t.summarise(ctx, from, s); err != nil {
		return Summary{}, fmt.Errorf("history: summarise %s of %s: %w", s.Quantity, s.Sensor, err)
	}
	return t.Summary(), nil
}

// Tally makes a Summary from points as they come.
type Tally struct {
	terms    Terms
	sum      Summary
	total    float64   // of the values counted
	seconds  float64   // value times seconds covered
	last     time.Time // of the newest point
	any      bool
	held     bool // a reading stands for the time after it
	heldAt   time.Time
	heldV    float64
	inGap    bool
	gap      Gap
	reckoned time.Time // up to here time is either covered or gap
	entering Standing  // at From
	began    time.Time // the first record from From on
}

// NewTally returns an empty Tally.
func NewTally(terms Terms) (*Tally, error) {
	if terms.Hold <= 0 {
		return nil, fmt.Errorf("history: a reading held for %s: want more than 0", terms.Hold)
	}
	if terms.To.Before(terms.From) {
		return nil, fmt.Errorf("history: summary from %s to %s: ends before it begins", terms.From, terms.To)
	}
	if l := terms.Limits; l != nil && !(l.Low <= l.High) {
		return nil, fmt.Errorf("history: limits %v to %v: no value lies within", l.Low, l.High)
	}
	return &Tally{terms: terms, sum: Summary{From: terms.From, To: terms.To}, reckoned: terms.From}, nil
}

// Add takes the next point. Points come in time order, each time once; give those of Terms.Hold before From too. Points
// from To on are ignored.
func (t *Tally) Add(p Point) error {
	if !p.Time.Before(t.terms.To) {
		return nil
	}
	if t.any && !p.Time.After(t.last) {
		return fmt.Errorf("history: point at %s after one at %s: out of order", p.Time, t.last)
	}
	counts := p.Quality < measure.OutOfRange
	if p.Quality > measure.Fault {
		return fmt.Errorf("history: point at %s: unknown quality %d", p.Time, p.Quality)
	}
	if counts && (math.IsNaN(p.Value) || math.IsInf(p.Value, 0)) {
		return errors.New("history: value is not a number")
	}
	t.any, t.last = true, p.Time
	t.advance(p.Time)
	if inside := !p.Time.Before(t.terms.From); inside {
		t.count(p)
	}
	t.held, t.heldAt, t.heldV = counts, p.Time, p.Value
	return nil
}

// count enters a point of the stretch itself into the figures.
func (t *Tally) count(p Point) {
	s := &t.sum
	s.ByQuality[p.Quality]++
	if t.began.IsZero() {
		t.began = p.Time
	}
	switch p.Quality {
	case measure.Fault:
		s.Faults++
		t.openGap(p.Time)
		t.gap.Faults++
	case measure.OutOfRange:
		s.OutOfRange++
		t.openGap(p.Time)
		t.gap.OutOfRange++
	case measure.Good, measure.Uncalibrated, measure.Estimated, measure.Suspect:
		if s.N == 0 {
			s.Min, s.Max, s.First = p.Value, p.Value, p.Time
		}
		s.N++
		s.Min, s.Max, s.Last = min(s.Min, p.Value), max(s.Max, p.Value), p.Time
		t.total += p.Value
	}
}

// advance reckons the time up to now: covered as long as the held reading stands, gap after it.
func (t *Tally) advance(now time.Time) {
	if !now.After(t.reckoned) {
		return
	}
	if end := earlier(now, t.heldAt.Add(t.terms.Hold)); t.held && end.After(t.reckoned) {
		t.closeGap(t.reckoned)
		if t.heldAt.Before(t.terms.From) {
			t.entering = Standing{t.heldV, true}
		}
		d := end.Sub(t.reckoned)
		t.sum.Covered += d
		t.seconds += t.heldV * d.Seconds()
		if l := t.terms.Limits; l != nil && l.Holds(t.heldV) {
			t.sum.Within += d
		}
		t.reckoned = end
	}
	if now.After(t.reckoned) {
		t.openGap(t.reckoned)
		t.reckoned = now
	}
}

func (t *Tally) openGap(at time.Time) {
	if !t.inGap {
		t.inGap, t.gap = true, Gap{From: at}
	}
}

func (t *Tally) closeGap(at time.Time) {
	if t.inGap && at.After(t.gap.From) {
		t.gap.To = at
		t.sum.Gaps = append(t.sum.Gaps, t.gap)
	}
	t.inGap = false
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Began returns the time of the first record from Terms.From on, of whatever kind; zero: there was none.
func (t *Tally) Began() time.Time { return t.began }

// Summary returns the figures for the points so far, as if no more came before To.
func (t *Tally) Summary() Summary { return t.Rollup(Judgement{}).Summary }

// Rollup returns the figures for the points so far with what joins them to the time before and after.
func (t *Tally) Rollup(by Judgement) Rollup {
	end := *t
	end.sum.Gaps = append([]Gap(nil), t.sum.Gaps...)
	end.advance(t.terms.To)
	end.closeGap(t.terms.To)
	s := end.sum
	if s.N > 0 {
		s.Mean = end.total / float64(s.N)
	}
	if s.Covered > 0 {
		s.TimeMean = end.seconds / s.Covered.Seconds()
	}
	r := Rollup{Summary: s, Total: end.total, Integral: end.seconds, Entering: end.entering, Began: end.began, Judged: by}
	if end.held && s.N > 0 && end.heldAt.Equal(s.Last) {
		r.Leaving = Standing{end.heldV, true}
	}
	return r
}
