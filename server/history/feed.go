package history

import (
	"context"
	"fmt"
	"time"
)

// Course is told what a Tally was fed with, for who draws it: points, or rollups in their place.
type Course interface {
	Point(p Point)
	Rollup(r *Rollup)
}

// Source reads points and rollups.
type Source interface {
	Each(ctx context.Context, s Series, from, to time.Time, f func(Point) error) error
	Rollups(ctx context.Context, s Series, span Span, from, to time.Time) ([]Rollup, error)
}

// GoneUntil returns when the last hour between two times ends of which readings of one of the series were let go; zero: every reading is there.
func GoneUntil(ctx context.Context, from Source, all []Series, begin, end time.Time) (until time.Time, err error) {
	for _, s := range all {
		hours, err := from.Rollups(ctx, s, Hour, Hour.Floor(begin), Hour.Ceil(end))
		if err != nil {
			return until, err
		}
		for i := range hours {
			if h := &hours[i]; h.Gone && h.To.After(until) {
				until = h.To
			}
		}
	}
	return until, nil
}

// Feed adds what a series says from begin to end, as if every point was added: days and hours where there are rollups that say the same as their
// points do, else the points. Where they cannot, and the points were let go, it returns an ErrGone. course may be nil.
func (t *Tally) Feed(ctx context.Context, from Source, s Series, begin, end time.Time, course Course) error {
	f := feeder{ctx: ctx, t: t, from: from, series: s, end: end, course: course, exact: true}
	return f.feed(begin, end)
}

// summarise feeds all the time of the terms, and what stands at its beginning.
func (t *Tally) summarise(ctx context.Context, from Source, s Series) error {
	f := feeder{ctx: ctx, t: t, from: from, series: s, end: t.terms.To}
	if t.terms.Hold == RollupHold {
		if err := f.wholeHours(); err != nil {
			return err
		}
	}
	return f.feed(t.terms.From.Add(-t.terms.Hold), t.terms.To)
}

// feeder is one walk along a series.
type feeder struct {
	ctx    context.Context
	t      *Tally
	from   Source
	series Series
	end    time.Time
	course Course
	exact  bool // what cannot be told exactly is an ErrGone

	stale [2]time.Time // points that are still to be read: of hours in a row
}

// wholeHours moves the ends of the terms to whole hours where their readings were let go.
func (f *feeder) wholeHours() error {
	gone := func(at time.Time) (bool, error) {
		if Hour.Floor(at).Equal(at) {
			return false, nil
		}
		rs, err := f.from.Rollups(f.ctx, f.series, Hour, Hour.Floor(at), Hour.Ceil(at))
		return err == nil && len(rs) == 1 && rs[0].Gone, err
	}
	terms := &f.t.terms
	if no, err := gone(terms.From); err != nil {
		return err
	} else if no {
		terms.From = earlier(Hour.Ceil(terms.From), terms.To)
	}
	if no, err := gone(terms.To); err != nil {
		return err
	} else if no && Hour.Floor(terms.To).After(terms.From) {
		terms.To = Hour.Floor(terms.To)
	}
	f.t.sum.From, f.t.sum.To, f.t.reckoned, f.end = terms.From, terms.To, terms.From, terms.To
	return nil
}

func (f *feeder) feed(begin, end time.Time) error {
	first, last := begin, earlier(end, f.t.terms.To)
	if first.Before(f.t.terms.From) {
		first = f.t.terms.From
	}
	first, last = Hour.Ceil(first), Hour.Floor(last)
	if f.t.terms.Hold != RollupHold || !first.Before(last) {
		return f.edge(begin, end)
	}
	if err := f.edge(begin, first); err != nil {
		return err
	}
	if err := f.spans(first, last); err != nil {
		return err
	}
	if err := f.flush(); err != nil {
		return err
	}
	return f.edge(last, end)
}

// edge reads the points of less than an hour, or of any time where rollups are of no use.
func (f *feeder) edge(begin, end time.Time) error {
	if !begin.Before(end) {
		return nil
	}
	if f.exact && f.t.terms.Hold == RollupHold {
		rs, err := f.from.Rollups(f.ctx, f.series, Hour, Hour.Floor(begin), Hour.Ceil(end))
		if err != nil {
			return err
		}
		for i := range rs {
			if rs[i].Gone {
				return f.gone(&rs[i])
			}
		}
	}
	return f.points(begin, end)
}

// spans goes along whole hours: by days where there are.
func (f *feeder) spans(first, last time.Time) error {
	at := first
	if from, to := Day.Ceil(first), Day.Floor(last); from.Before(to) {
		days, err := f.from.Rollups(f.ctx, f.series, Day, from, to)
		if err != nil {
			return err
		}
		for i := range days {
			d := &days[i]
			if d.Stale {
				continue // its hours are read with those before the next day that is of use
			}
			if at.Before(d.From) {
				if err := f.hours(at, d.From); err != nil {
					return err
				}
			}
			if err := f.flush(); err != nil {
				return err
			}
			if f.t.agrees(d) && f.t.judges(d) {
				f.take(d)
			} else if err := f.hours(d.From, d.To); err != nil {
				return err
			}
			at = d.To
		}
	}
	return f.hours(at, last)
}

func (f *feeder) hours(from, to time.Time) error {
	if !from.Before(to) {
		return nil
	}
	hours, err := f.from.Rollups(f.ctx, f.series, Hour, from, to)
	if err != nil {
		return err
	}
	for i := range hours {
		h := &hours[i]
		if !f.stale[1].Equal(h.From) || !h.Stale {
			if err := f.flush(); err != nil {
				return err
			}
		}
		switch {
		case h.Stale && f.stale[1].IsZero():
			f.stale = [2]time.Time{h.From, h.To}
		case h.Stale:
			f.stale[1] = h.To
		case f.t.agrees(h) && f.t.judges(h):
			f.take(h)
		case h.Gone && f.exact:
			return f.gone(h)
		case h.Gone:
			f.take(h)
		default:
			f.stale = [2]time.Time{h.From, h.To}
		}
	}
	return nil
}

func (f *feeder) gone(r *Rollup) error {
	return fmt.Errorf("history: %s of sensor %s at %s: %w", f.series.Quantity, f.series.Sensor, r.From.Format(time.RFC3339), ErrGone)
}

func (f *feeder) take(r *Rollup) {
	f.t.join(r)
	if f.course != nil {
		f.course.Rollup(r)
	}
}

// flush reads the points that are still to be read.
func (f *feeder) flush() error {
	from, to := f.stale[0], f.stale[1]
	f.stale = [2]time.Time{}
	if to.IsZero() {
		return nil
	}
	return f.points(from, earlier(to, f.end))
}

func (f *feeder) points(from, to time.Time) error {
	return f.from.Each(f.ctx, f.series, from, to, func(p Point) error {
		if f.course != nil {
			f.course.Point(p)
		}
		return f.t.Add(p)
	})
}

// agrees reports whether r begins with what stands at its beginning here: it would not where another series came before it. A record at the very
// beginning ends whatever stood.
func (t *Tally) agrees(r *Rollup) bool {
	if r.Began.Equal(r.From) {
		return true
	}
	if t.held && t.heldAt.Add(t.terms.Hold).After(r.From) {
		return r.Entering == Standing{t.heldV, true}
	}
	return !r.Entering.Is
}

// judges reports whether r can tell for how long values were within the limits.
func (t *Tally) judges(r *Rollup) bool {
	if t.terms.Limits == nil {
		return true
	}
	_, ok := r.WithinBy(*t.terms.Limits)
	return ok
}

// join adds r as if its points were added.
func (t *Tally) join(r *Rollup) {
	t.advance(r.From)
	if r.From.Equal(t.terms.From) {
		t.entering = r.Entering
	}
	s := &t.sum
	if r.N > 0 {
		if s.N == 0 {
			s.Min, s.Max, s.First = r.Min, r.Max, r.First
		}
		s.Min, s.Max, s.Last = min(s.Min, r.Min), max(s.Max, r.Max), r.Last
		s.N += r.N
	}
	if t.began.IsZero() {
		t.began = r.Began
	}
	s.Faults, s.OutOfRange, s.Covered = s.Faults+r.Faults, s.OutOfRange+r.OutOfRange, s.Covered+r.Covered
	for q, n := range r.ByQuality {
		s.ByQuality[q] += n
	}
	t.total, t.seconds = t.total+r.Total, t.seconds+r.Integral
	if l := t.terms.Limits; l != nil {
		if within, ok := r.WithinBy(*l); ok {
			s.Within += within
		} else {
			s.Unjudged += r.Covered
		}
	}
	t.joinGaps(r)
	t.reckoned, t.any, t.last = r.To, true, r.To.Add(-time.Nanosecond)
	t.held, t.heldAt, t.heldV = r.Leaving.Is, r.Last, r.Leaving.Value
}

// joinGaps adds the gaps of r; one that begins with it goes on with the one that is open.
func (t *Tally) joinGaps(r *Rollup) {
	if len(r.Gaps) == 0 || r.Gaps[0].From.After(r.From) {
		t.closeGap(r.From)
	}
	for _, g := range r.Gaps {
		t.openGap(g.From)
		t.gap.Faults, t.gap.OutOfRange = t.gap.Faults+g.Faults, t.gap.OutOfRange+g.OutOfRange
		if g.To.Before(r.To) {
			t.closeGap(g.To)
		}
	}
}
