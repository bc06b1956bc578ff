package history

import (
	"cmp"
	"context"
	"errors"
	"time"

	"aovuon/gateway/measure"
)

// RollupHold is how long a reading stands in rollups (the rule of holding of Summary): probes are read every minute, so five missed readings
// in a row are a gap.
const RollupHold = 5 * time.Minute

// Span is how much time a rollup is of, in hours.
type Span int

// The spans. Hours are those of UTC, which are those of Việt Nam too; days are those of Asia/Ho_Chi_Minh, which has been 7 hours ahead of UTC
// without a change of clocks since 1975.
const (
	Hour Span = 1
	Day  Span = 24
)

// dayOffset is how much earlier than in UTC a day begins.
const dayOffset = 7 * time.Hour

// Length is how long a span is.
func (s Span) Length() time.Duration { return time.Duration(s) * time.Hour }

// Floor returns the beginning of the span that holds t.
func (s Span) Floor(t time.Time) time.Time {
	var ahead int64
	if s == Day {
		ahead = dayOffset.Milliseconds()
	}
	ms, width := t.UnixMilli()+ahead, s.Length().Milliseconds()
	return time.UnixMilli(ms - ((ms%width)+width)%width - ahead).UTC()
}

// Ceil returns t where it begins a span, or the beginning of the next one.
func (s Span) Ceil(t time.Time) time.Time {
	if f := s.Floor(t); !f.Before(t) {
		return f
	}
	return s.Floor(t).Add(s.Length())
}

// ErrGone wraps the error of a question that only single readings could answer, of a time whose readings were let go.
var ErrGone = errors.New("the readings of that time were let go; what is kept is hours and days")

// Judgement is a version of a profile's limits, as one band of values: what seconds within limits were counted by. The zero one is of a series
// without limits.
type Judgement struct {
	Profile string
	Version int64 // of the profile, as the register counts them; 0: the register knows none
	Limits  Limits
}

// Judge says by what the values of a series are judged now.
type Judge func(Series) Judgement

// Standing is a value that stands for time, if Is.
type Standing struct {
	Value float64
	Is    bool
}

// Rollup is all that one hour or day of a series says: its Summary by RollupHold, and what it takes to join it with the time before and after
// it, or to fold hours into days, as if their points were read.
type Rollup struct {
	Summary            // From and To are those of the span; Within is by Judged
	Total    float64   // sum of the N values
	Integral float64   // sum of value times the seconds it stands for
	Entering Standing  // the value from before that stands at the beginning
	Leaving  Standing  // the value at Last, where no record after it ended what it stands for
	Began    time.Time // the first record of whatever kind; zero: there is none
	Judged   Judgement
	Stale    bool // something was written since: read the points of From to To instead; the figures mean nothing
	Gone     bool // the points were let go: there are none to read
}

// Keep is what a store that keeps rollups lets its keeper do. One process keeps the rollups of a store: that which writes to it.
type Keep interface {
	// Series returns every series there are rollups of.
	Series(ctx context.Context) ([]Series, error)
	// Stale returns up to limit rollups that must be made again and end before a time: hours, and days once none of their hours is.
	Stale(ctx context.Context, before time.Time, limit int) ([]Mark, error)
	// Renew makes rollups again from what the store holds. A mark that is not stale any more, or whose points change meanwhile, is passed
	// over.
	Renew(ctx context.Context, marks []Mark, judge Judge) error
	// Rejudge marks the rollups of a series that were judged by another judgement, and returns how many. Until they are made again
	// they stay as they are. It is called before Renew is called with another judgement than at the last call, and is cheap where it is the
	// same.
	Rejudge(ctx context.Context, s Series, by Judgement) (int, error)
	// LetGo deletes the points of a series of whole hours, from <= time < to, whose rollups are made; the rollups stay and are Gone.
	// It returns how many, and deletes none while a rollup of that time is stale.
	LetGo(ctx context.Context, s Series, from, to time.Time) (int64, error)
}

// Mark names one rollup.
type Mark struct {
	Series
	Span  Span
	Start time.Time
}

// End is when its time is over.
func (m Mark) End() time.Time { return m.Start.Add(m.Span.Length()) }

// CompareMarks orders hours before days, each by series and time.
func CompareMarks(a, b Mark) int {
	return cmp.Or(cmp.Compare(a.Span, b.Span), a.Compare(b.Series), a.Start.Compare(b.Start))
}

// Empty reports whether r says nothing: no record, and no value that stands.
func (r *Rollup) Empty() bool { return r.Began.IsZero() && r.Covered == 0 }

// WithinBy returns for how long the values that stand were within l; ok is false where only the points can tell: r was judged by other limits,
// and has values on both sides of these.
func (r *Rollup) WithinBy(l Limits) (within time.Duration, ok bool) {
	if r.Covered == 0 {
		return 0, true
	}
	if r.Judged != (Judgement{}) && r.Judged.Limits == l {
		return r.Within, true
	}
	low, high := r.Min, r.Max
	switch e := r.Entering; {
	case e.Is && r.N == 0:
		low, high = e.Value, e.Value
	case e.Is:
		low, high = min(low, e.Value), max(high, e.Value)
	}
	switch {
	case l.Holds(low) && l.Holds(high):
		return r.Covered, true
	case high < l.Low || low > l.High:
		return 0, true
	}
	return 0, false
}

// Bucket returns r as a step of a range.
func (r *Rollup) Bucket() Bucket {
	b := Bucket{Start: r.From, N: r.N, Min: r.Min, Max: r.Max, OutOfRange: r.OutOfRange, Faults: r.Faults}
	if r.N > 0 {
		b.Mean = r.Total / float64(r.N)
	}
	for q, n := range r.ByQuality {
		if n > 0 {
			b.Worst = measure.Quality(q)
		}
	}
	return b
}

// RollHour makes the rollup of the hour that begins at start from its points, in time order, and those of RollupHold before it.
func RollHour(points []Point, start time.Time, by Judgement) (Rollup, error) {
	t, err := by.tally(start, start.Add(time.Hour))
	if err != nil {
		return Rollup{}, err
	}
	for _, p := range points {
		if err := t.Add(p); err != nil {
			return Rollup{}, err
		}
	}
	return t.Rollup(by), nil
}

// RollDay makes the rollup of the day that begins at start from its hours, in time order; hours without anything are left out. Where the hours
// were judged by other limits, and cannot tell, the day is judged by none.
func RollDay(hours []Rollup, start time.Time, by Judgement) (Rollup, error) {
	t, err := by.tally(start, start.Add(Day.Length()))
	if err != nil {
		return Rollup{}, err
	}
	gone := false
	for i := range hours {
		t.join(&hours[i])
		gone = gone || hours[i].Gone
	}
	r := t.Rollup(by)
	if r.Unjudged > 0 {
		r.Judged, r.Within, r.Unjudged = Judgement{}, 0, 0
	}
	r.Gone = gone
	return r, nil
}

func (j Judgement) tally(from, to time.Time) (*Tally, error) {
	terms := Terms{From: from, To: to, Hold: RollupHold}
	if j != (Judgement{}) {
		terms.Limits = &j.Limits
	}
	return NewTally(terms)
}
