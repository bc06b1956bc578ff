package history

import (
	"context"
	"time"
)

// Rolled reports whether the steps of a segment are whole hours, and so can be read from rollups.
func (s Segment) Rolled() bool {
	const hour = int64(time.Hour / time.Millisecond)
	return s.EveryMs > 0 && s.EveryMs%hour == 0 && s.OffsetMs%hour == 0
}

// Fold answers a segment whose steps are Rolled: by days where steps are days of Việt Nam, else hours, and the points of the hours that the
// segment cuts in two or that are stale.
func Fold(ctx context.Context, from Source, s Series, seg Segment) ([]Bucket, error) {
	f := folder{ctx: ctx, from: from, series: s, seg: seg}
	begin, end := time.UnixMilli(seg.FromMs).UTC(), time.UnixMilli(seg.ToMs).UTC()
	first, last := Hour.Ceil(begin), Hour.Floor(end)
	if !first.Before(last) {
		err := f.points(begin, end)
		return f.out, err
	}
	if err := f.points(begin, first); err != nil {
		return nil, err
	}
	at := first
	days := seg.EveryMs%Day.Length().Milliseconds() == 0 && seg.OffsetMs == dayOffset.Milliseconds()
	if from, to := Day.Ceil(first), Day.Floor(last); days && from.Before(to) {
		if err := f.hours(first, from); err != nil {
			return nil, err
		}
		if err := f.days(from, to); err != nil {
			return nil, err
		}
		at = to
	}
	if err := f.hours(at, last); err != nil {
		return nil, err
	}
	if err := f.points(last, end); err != nil {
		return nil, err
	}
	return f.out, nil
}

type folder struct {
	ctx    context.Context
	from   Source
	series Series
	seg    Segment
	out    []Bucket
}

func (f *folder) add(b Bucket) {
	if b.N+b.OutOfRange+b.Faults == 0 {
		return
	}
	b.Start = time.UnixMilli(f.seg.Start(b.Start.UnixMilli())).UTC()
	if n := len(f.out); n > 0 && f.out[n-1].Start.Equal(b.Start) {
		f.out[n-1].merge(b)
		return
	}
	f.out = append(f.out, b)
}

func (f *folder) days(from, to time.Time) error {
	days, err := f.from.Rollups(f.ctx, f.series, Day, from, to)
	if err != nil {
		return err
	}
	at := from
	for i := range days {
		if days[i].Stale {
			continue
		}
		if err := f.hours(at, days[i].From); err != nil {
			return err
		}
		f.add(days[i].Bucket())
		at = days[i].To
	}
	return f.hours(at, to)
}

func (f *folder) hours(from, to time.Time) error {
	if !from.Before(to) {
		return nil
	}
	hours, err := f.from.Rollups(f.ctx, f.series, Hour, from, to)
	if err != nil {
		return err
	}
	for i := 0; i < len(hours); i++ {
		h := &hours[i]
		if !h.Stale {
			f.add(h.Bucket())
			continue
		}
		end := h.To
		for i+1 < len(hours) && hours[i+1].Stale && hours[i+1].From.Equal(end) {
			i++
			end = hours[i].To
		}
		if err := f.points(h.From, end); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) points(from, to time.Time) error {
	if !from.Before(to) {
		return nil
	}
	return f.from.Each(f.ctx, f.series, from, to, func(p Point) error {
		f.add(p.Bucket())
		return nil
	})
}
