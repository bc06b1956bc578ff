package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// page is how many points Each reads at once: between two pages nothing of the file is held, however slow the reader is.
const page = 5000

// series returns the id of a series; ok is false when the file has no point of it.
func (s *Store) series(ctx context.Context, k history.Series) (id int64, ok bool, err error) {
	if id, ok := s.known(k); ok {
		return id, true, nil
	}
	// Another process may have written it.
	err = s.read.QueryRowContext(ctx, selectSeries, k.Place, string(k.Quantity), k.Gateway, k.Sensor).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("find series: %w", err)
	}
	s.remember(map[history.Series]int64{k: id})
	return id, true, nil
}

// Range implements history.Store.
func (s *Store) Range(ctx context.Context, q history.Query) ([]history.Bucket, error) {
	segs, err := q.Segments()
	if err != nil {
		return nil, fmt.Errorf("history/sqlite: %w", err)
	}
	id, ok, err := s.series(ctx, q.Series)
	if err != nil {
		return nil, fmt.Errorf("history/sqlite: range: %w", sort(ctx, err))
	}
	if !ok {
		return nil, nil
	}
	var all []history.Bucket
	for _, seg := range segs {
		read := s.steps
		switch {
		case q.Every == 0:
			read = s.raw
		case seg.Rolled():
			read = s.hours
		}
		buckets, err := read(ctx, id, seg)
		if err != nil {
			return nil, fmt.Errorf("history/sqlite: range: %w", sort(ctx, err))
		}
		all = history.Join(all, buckets, seg)
	}
	return all, nil
}

func (s *Store) raw(ctx context.Context, id int64, seg history.Segment) (buckets []history.Bucket, err error) {
	err = each(ctx, s.read, func(scan scanner) error {
		p, err := point(history.Series{}, scan)
		buckets = append(buckets, p.Bucket())
		return err
	}, `SELECT t_ms, value, q FROM point WHERE series = $1 AND t_ms >= $2 AND t_ms < $3 ORDER BY t_ms`, id, seg.FromMs, seg.ToMs)
	return buckets, err
}

// selectSteps numbers the steps by local time ($4: its offset) in steps of $5. The numbers 3, 4 and 5 are Suspect,
// OutOfRange and Fault.
const selectSteps = `SELECT (t_ms + $4) / $5 AS step,
	count(*) FILTER (WHERE q <= 3), min(value) FILTER (WHERE q <= 3), avg(value) FILTER (WHERE q <= 3), max(value) FILTER (WHERE q <= 3),
	count(*) FILTER (WHERE q = 4), count(*) FILTER (WHERE q = 5), max(q)
	FROM point WHERE series = $1 AND t_ms >= $2 AND t_ms < $3 GROUP BY step ORDER BY step`

func (s *Store) steps(ctx context.Context, id int64, seg history.Segment) (buckets []history.Bucket, err error) {
	ahead := aheadOf(seg)
	err = each(ctx, s.read, func(scan scanner) error {
		var step int64
		var b history.Bucket
		var lo, mean, hi sql.NullFloat64
		if err := scan(&step, &b.N, &lo, &mean, &hi, &b.OutOfRange, &b.Faults, &b.Worst); err != nil {
			return err
		}
		b.Start = time.UnixMilli(step*seg.EveryMs - ahead - seg.OffsetMs).UTC()
		b.Min, b.Mean, b.Max = lo.Float64, mean.Float64, hi.Float64
		buckets = append(buckets, b)
		return nil
	}, selectSteps, id, seg.FromMs, seg.ToMs, seg.OffsetMs+ahead, seg.EveryMs)
	return buckets, err
}

// Latest implements history.Store: one statement for all series.
func (s *Store) Latest(ctx context.Context, series []history.Series) ([]history.Point, error) {
	names := make(map[int64]history.Series, len(series))
	ids := make([]int64, 0, len(series))
	for _, k := range series {
		id, ok, err := s.series(ctx, k)
		if err != nil {
			return nil, fmt.Errorf("history/sqlite: latest: %w", sort(ctx, err))
		}
		if _, twice := names[id]; !ok || twice {
			continue
		}
		names[id] = k
		ids = append(ids, id)
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("history/sqlite: latest: %w", err)
	}
	points := make([]history.Point, 0, len(ids))
	err = each(ctx, s.read, func(scan scanner) error {
		var id int64
		p, err := point(history.Series{}, func(columns ...any) error { return scan(append([]any{&id}, columns...)...) })
		p.Series = names[id]
		points = append(points, p)
		return err
	}, `SELECT p.series, p.t_ms, p.value, p.q FROM json_each($1) AS wanted
		JOIN point AS p ON p.series = wanted.value AND p.t_ms = (SELECT max(t_ms) FROM point WHERE series = wanted.value)`, string(list))
	if err != nil {
		return nil, fmt.Errorf("history/sqlite: latest: %w", sort(ctx, err))
	}
	return points, nil
}

// Each implements history.Store.
func (s *Store) Each(ctx context.Context, k history.Series, from, to time.Time, f func(history.Point) error) error {
	id, ok, err := s.series(ctx, k)
	if err != nil {
		return fmt.Errorf("history/sqlite: each: %w", sort(ctx, err))
	}
	fromMs, toMs := history.Millis(from, to)
	points := make([]history.Point, 0, page)
	for ok && fromMs < toMs {
		points = points[:0]
		err := each(ctx, s.read, func(scan scanner) error {
			p, err := point(k, scan)
			points = append(points, p)
			return err
		}, `SELECT t_ms, value, q FROM point WHERE series = $1 AND t_ms >= $2 AND t_ms < $3 ORDER BY t_ms LIMIT $4`, id, fromMs, toMs, page)
		if err != nil {
			return fmt.Errorf("history/sqlite: each: %w", sort(ctx, err))
		}
		for _, p := range points {
			if err := f(p); err != nil {
				return err
			}
		}
		if ok = len(points) == page; ok {
			fromMs = points[page-1].Time.UnixMilli() + 1
		}
	}
	return nil
}

// point reads t_ms, value, q.
func point(k history.Series, scan scanner) (history.Point, error) {
	var ms int64
	var value sql.NullFloat64
	var q measure.Quality
	if err := scan(&ms, &value, &q); err != nil {
		return history.Point{}, err
	}
	return history.Point{Series: k, Time: time.UnixMilli(ms).UTC(), Value: value.Float64, Quality: q}, nil
}

// CountPoints counts the points of every gateway.
func (s *Store) CountPoints(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	err := each(ctx, s.read, func(scan scanner) error {
		var gateway string
		var n int64
		if err := scan(&gateway, &n); err != nil {
			return err
		}
		counts[gateway] = n
		return nil
	}, `SELECT s.gateway, SUM(c.n) FROM (SELECT series, COUNT(*) AS n FROM point GROUP BY series) AS c
		JOIN series AS s ON s.id = c.series GROUP BY s.gateway`)
	if err != nil {
		return nil, fmt.Errorf("history/sqlite: count points: %w", sort(ctx, err))
	}
	return counts, nil
}
