package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/history"
)

// What stale says of a rollup.
const (
	fresh  = 0
	stale  = 1 // a point of its time was written since: the figures mean nothing
	judged = 2 // fresh, but within limits is by older ones
)

// upgrade brings a file of version 1 or 2 to this version, within the transaction: every hour that holds something is stale, and rolled up by the
// keeper.
func upgrade(ctx context.Context, tx *sql.Tx) error {
	for _, do := range []string{
		"DROP TABLE IF EXISTS hour",
		"ALTER TABLE series ADD COLUMN judged TEXT NOT NULL DEFAULT '-'",
		schema[strings.Index(schema, "CREATE TABLE rollup"):],
		`INSERT INTO rollup (series, span, start, stale) SELECT DISTINCT series, 1, t_ms / 3600000, 1 FROM point`,
		fmt.Sprintf(`INSERT INTO rollup (series, span, start, stale) SELECT DISTINCT series, 1, (t_ms + %d) / 3600000, 1 FROM point WHERE t_ms %% 3600000 > 3600000 - %d
			ON CONFLICT DO NOTHING`, holdMs, holdMs),
		fmt.Sprintf("PRAGMA user_version = %d", version),
	} {
		if _, err := tx.ExecContext(ctx, do); err != nil {
			return fmt.Errorf("roll up a file of an older version: %w", err)
		}
	}
	return nil
}

// holdMs is how far a point reaches into the next hour.
const holdMs = int64(history.RollupHold / time.Millisecond)

// marked remembers which hours of a series are known to be stale: the newest that were written to.
type marked map[int64]struct{}

// hoursMarked bounds what is remembered of one series; whatever is forgotten is marked once more.
const hoursMarked = 64

// mark makes the rollups of the hours stale that rows, in the order of the file, were written into, or reach into. It returns what it marked,
// which nobody may rely on before the transaction is committed.
func (s *Store) mark(ctx context.Context, tx *sql.Tx, rows []row) (done []hourKey, err error) {
	last := hourKey{series: -1}
	for _, r := range rows {
		for _, h := range [2]int64{r.ms / hourMs, (r.ms + holdMs) / hourMs} {
			k := hourKey{r.series, h}
			if k == last || k.hour == last.hour-1 && k.series == last.series {
				continue
			}
			last = k
			if _, known := s.stale[k.series][h]; !known {
				done = append(done, k)
			}
		}
	}
	if len(done) == 0 {
		return nil, nil
	}
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO rollup (series, span, start, stale) VALUES (?, 1, ?, 1) ON CONFLICT (series, span, start) DO UPDATE SET stale = 1 WHERE stale <> 1`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	for _, k := range done {
		if _, err := stmt.ExecContext(ctx, k.series, k.hour); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// hourKey is one hour of one series.
type hourKey struct{ series, hour int64 }

// rely remembers what was marked. The caller holds writing.
func (s *Store) rely(done []hourKey) {
	for _, k := range done {
		hours := s.stale[k.series]
		if hours == nil || len(hours) >= hoursMarked {
			hours = marked{}
			s.stale[k.series] = hours
		}
		hours[k.hour] = struct{}{}
	}
}

const rollupColumns = `start, stale, gone, n, low, sum, high, rest`

// rollup reads rollupColumns.
func rollup(span history.Span, scan scanner) (r history.Rollup, err error) {
	var start, is, gone int64
	var low, sum, high sql.NullFloat64
	var rest string
	if err := scan(&start, &is, &gone, &r.N, &low, &sum, &high, &rest); err != nil {
		return r, err
	}
	r.From = time.UnixMilli(start * hourMs).UTC()
	r.To = r.From.Add(span.Length())
	r.Gone = gone != 0
	if r.Stale = is == stale && !r.Gone; r.Stale || rest == "" {
		return r, nil
	}
	r.Min, r.Total, r.Max = low.Float64, sum.Float64, high.Float64
	if err := r.SetRest(rest); err != nil {
		return r, err
	}
	b := &r.Summary
	b.OutOfRange, b.Faults = b.ByQuality[4], b.ByQuality[5]
	return r, nil
}

// Rollups implements history.Store. A day is stale as soon as one of its hours is.
func (s *Store) Rollups(ctx context.Context, k history.Series, span history.Span, from, to time.Time) ([]history.Rollup, error) {
	id, ok, err := s.series(ctx, k)
	if err != nil {
		return nil, fmt.Errorf("history/sqlite: rollups: %w", sort(ctx, err))
	}
	first, last := span.Ceil(from).UnixMilli()/hourMs, span.Floor(to).UnixMilli()/hourMs
	if !ok || first >= last {
		return nil, nil
	}
	query := `SELECT ` + rollupColumns + ` FROM rollup WHERE series = $1 AND span = $2 AND start >= $3 AND start < $4 ORDER BY start`
	if span == history.Day {
		query = `SELECT d.start, CASE WHEN d.stale = 1 OR EXISTS (SELECT 1 FROM rollup AS h WHERE h.series = d.series AND h.span = 1 AND h.start >= d.start AND h.start < d.start + 24
			AND h.stale = 1 AND h.gone = 0) THEN 1 ELSE d.stale END, 0, d.n, d.low, d.sum, d.high, d.rest FROM rollup AS d WHERE d.series = $1 AND d.span = $2 AND d.start >= $3 AND d.start < $4 ORDER BY d.start`
	}
	var all []history.Rollup
	err = each(ctx, s.read, func(scan scanner) error {
		r, err := rollup(span, scan)
		all = append(all, r)
		return err
	}, query, id, int64(span), first, last)
	if err != nil {
		return nil, fmt.Errorf("history/sqlite: rollups: %w", sort(ctx, err))
	}
	return all, nil
}

// Renew implements history.Keep: in one transaction, so that no point is written meanwhile.
func (s *Store) Renew(ctx context.Context, marks []history.Mark, judge history.Judge) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	marks = slices.Clone(marks)
	slices.SortFunc(marks, history.CompareMarks)
	err := s.update(ctx, func(tx *sql.Tx) error {
		for i := 0; i < len(marks); {
			n := 1 // hours in a row are read at once
			for i+n < len(marks) && n < 24 && marks[i].Span == history.Hour && marks[i+n] == next(marks[i+n-1]) {
				n++
			}
			if err := s.renew(ctx, tx, marks[i:i+n], judge(marks[i].Series)); err != nil {
				return err
			}
			i += n
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("history/sqlite: renew %d rollups: %w", len(marks), sort(ctx, err))
	}
	return nil
}

func next(m history.Mark) history.Mark {
	m.Start = m.End()
	return m
}

// renew makes one day, or hours in a row, again. The caller holds writing.
func (s *Store) renew(ctx context.Context, tx *sql.Tx, marks []history.Mark, by history.Judgement) error {
	id, ok, err := s.series(ctx, marks[0].Series)
	if err != nil || !ok {
		return err
	}
	first, last := marks[0].Start.UnixMilli()/hourMs, marks[len(marks)-1].End().UnixMilli()/hourMs
	if marks[0].Span == history.Day {
		return s.renewDay(ctx, tx, id, marks[0], by)
	}
	var points []history.Point
	if err := each(ctx, tx, func(scan scanner) error {
		p, err := point(history.Series{}, scan)
		points = append(points, p)
		return err
	}, `SELECT t_ms, value, q FROM point WHERE series = $1 AND t_ms >= $2 AND t_ms < $3 ORDER BY t_ms`, id, first*hourMs-holdMs, last*hourMs); err != nil {
		return err
	}
	for _, m := range marks {
		for len(points) > 0 && points[0].Time.Before(m.Start.Add(-history.RollupHold)) {
			points = points[1:]
		}
		r, err := history.RollHour(points, m.Start, by)
		if err != nil {
			return err
		}
		if err := s.save(ctx, tx, id, m, &r); err != nil {
			return err
		}
		delete(s.stale[id], m.Start.UnixMilli()/hourMs)
	}
	// A day of which an hour was made again is made again.
	day, end := history.Day.Floor(marks[0].Start).UnixMilli()/hourMs, marks[len(marks)-1].End().UnixMilli()/hourMs
	for ; day < end; day += int64(history.Day) {
		if _, err := tx.ExecContext(ctx, `INSERT INTO rollup (series, span, start, stale) VALUES ($1, 24, $2, 1) ON CONFLICT (series, span, start) DO UPDATE SET stale = 1 WHERE stale <> 1`, id, day); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) renewDay(ctx context.Context, tx *sql.Tx, id int64, m history.Mark, by history.Judgement) error {
	var hours []history.Rollup
	start := m.Start.UnixMilli() / hourMs
	if err := each(ctx, tx, func(scan scanner) error {
		r, err := rollup(history.Hour, scan)
		hours = append(hours, r)
		return err
	}, `SELECT `+rollupColumns+` FROM rollup WHERE series = $1 AND span = 1 AND start >= $2 AND start < $3 ORDER BY start`, id, start, start+int64(history.Day)); err != nil {
		return err
	}
	if slices.ContainsFunc(hours, func(r history.Rollup) bool { return r.Stale }) {
		return nil
	}
	r, err := history.RollDay(hours, m.Start, by)
	if err != nil {
		return err
	}
	return s.save(ctx, tx, id, m, &r)
}

// save writes a rollup that is stale, as long as the points it was made of are there; one of nothing is not kept.
func (s *Store) save(ctx context.Context, tx *sql.Tx, id int64, m history.Mark, r *history.Rollup) error {
	start := m.Start.UnixMilli() / hourMs
	if m.Span == history.Hour { // a point that comes after those of its hour were let go changes nothing
		if _, err := tx.ExecContext(ctx, `UPDATE rollup SET stale = 0 WHERE series = $1 AND span = 1 AND start = $2 AND gone = 1`, id, start); err != nil {
			return err
		}
	}
	if r.Empty() {
		_, err := tx.ExecContext(ctx, `DELETE FROM rollup WHERE series = $1 AND span = $2 AND start = $3 AND stale > 0 AND gone = 0`, id, int64(m.Span), start)
		return err
	}
	var low, sum, high any
	if r.N > 0 {
		low, sum, high = r.Min, r.Total, r.Max
	}
	_, err := tx.ExecContext(ctx, `UPDATE rollup SET stale = 0, n = $4, low = $5, sum = $6, high = $7, beyond = $8, faults = $9, worst = $10, rest = $11
		WHERE series = $1 AND span = $2 AND start = $3 AND stale > 0 AND gone = 0`,
		id, int64(m.Span), start, r.N, low, sum, high, r.OutOfRange, r.Faults, int64(r.Bucket().Worst), r.Rest())
	return err
}
