package history

import (
	"fmt"
	"math"
	"time"

	"aovuon/gateway/measure"
)

// Segment is a part of a query in which local time runs evenly: the offset of Zone from UTC does not change. Engines
// answer a query segment by segment, in integers; Join puts the steps together that a change of the clocks cut in two.
// Asia/Ho_Chi_Minh has had one segment since 1975.
type Segment struct {
	FromMs, ToMs int64 // Unix milliseconds, FromMs <= t < ToMs
	OffsetMs     int64 // local time minus UTC
	EveryMs      int64 // 0: no steps

	sinceMs  int64 // when the clocks were changed to this offset
	beforeMs int64 // the offset before that
}

// Segments returns the segments of q in time order, none when q is empty, an error when q asks for nonsense.
func (q Query) Segments() ([]Segment, error) {
	if q.Every < 0 || q.Every%time.Millisecond != 0 {
		return nil, fmt.Errorf("history: step of %s: want whole milliseconds, 0 or more", q.Every)
	}
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	from, to := Millis(q.From, q.To)
	if q.Every == 0 {
		if from >= to {
			return nil, nil
		}
		return []Segment{{FromMs: from, ToMs: to}}, nil
	}
	var segs []Segment
	for from < to {
		local := time.UnixMilli(from).In(q.Zone)
		seg := Segment{FromMs: from, ToMs: to, OffsetMs: offsetMs(local), EveryMs: q.Every.Milliseconds(), sinceMs: math.MinInt64}
		since, until := local.ZoneBounds()
		if !since.IsZero() {
			seg.sinceMs, seg.beforeMs = ceilMillis(since), offsetMs(since.Add(-time.Nanosecond))
		}
		if !until.IsZero() {
			seg.ToMs = min(to, ceilMillis(until))
		}
		segs = append(segs, seg)
		from = seg.ToMs
	}
	return segs, nil
}

func offsetMs(t time.Time) int64 {
	_, seconds := t.Zone()
	return int64(seconds) * 1000
}

// Start returns when the step that holds ms starts, in Unix milliseconds, as if the clocks had always had this offset.
func (s Segment) Start(ms int64) int64 {
	if s.EveryMs == 0 {
		return ms
	}
	local := ms + s.OffsetMs
	step := local / s.EveryMs
	if local%s.EveryMs < 0 {
		step--
	}
	return step*s.EveryMs - s.OffsetMs
}

// Join appends the buckets of segment s, whose starts are those of Start, to all that came before it. A step longer than
// the change of the clocks it lies over is one step (the day on which summer time begins is one day of 23 hours); a shorter
// one is not (the hour that comes twice is two hours).
func Join(all, buckets []Bucket, s Segment) []Bucket {
	if s.EveryMs == 0 || len(buckets) == 0 {
		return append(all, buckets...)
	}
	b := &buckets[0]
	start := b.Start.UnixMilli()
	if start > s.sinceMs {
		return append(all, buckets...)
	}
	// The step began before the clocks were changed, or it did not begin at all because they jumped over its beginning, or
	// they were turned back to its beginning.
	change := max(s.OffsetMs-s.beforeMs, s.beforeMs-s.OffsetMs)
	if change >= s.EveryMs {
		start = s.sinceMs
	} else {
		start = min(start+s.OffsetMs-s.beforeMs, s.sinceMs)
	}
	b.Start = time.UnixMilli(start).UTC()
	if n := len(all); n > 0 && all[n-1].Start.Equal(b.Start) {
		all[n-1].merge(*b)
		buckets = buckets[1:]
	}
	return append(all, buckets...)
}

// merge adds the points of o to those of b.
func (b *Bucket) merge(o Bucket) {
	switch {
	case b.N == 0:
		b.Min, b.Mean, b.Max = o.Min, o.Mean, o.Max
	case o.N > 0:
		b.Min, b.Max = min(b.Min, o.Min), max(b.Max, o.Max)
		b.Mean += (o.Mean - b.Mean) * float64(o.N) / float64(b.N+o.N)
	}
	b.N += o.N
	b.OutOfRange += o.OutOfRange
	b.Faults += o.Faults
	b.Worst = measure.Worse(b.Worst, o.Worst)
}

// Bucket returns p as the one point of a raw range.
func (p Point) Bucket() Bucket {
	b := Bucket{Start: p.Time, Worst: p.Quality}
	switch p.Quality {
	case measure.Fault:
		b.Faults = 1
	case measure.OutOfRange:
		b.OutOfRange = 1
	case measure.Good, measure.Uncalibrated, measure.Estimated, measure.Suspect:
		b.N, b.Min, b.Mean, b.Max = 1, p.Value, p.Value, p.Value
	}
	return b
}

// Millis returns from <= t < to in Unix milliseconds, cut to the times a history can hold. A bound between two
// milliseconds is rounded up, so that exactly the whole milliseconds inside are meant.
func Millis(from, to time.Time) (fromMs, toMs int64) {
	return max(minMillis, min(ceilMillis(from), maxMillis+1)), max(minMillis, min(ceilMillis(to), maxMillis+1))
}

func ceilMillis(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return ms
}
