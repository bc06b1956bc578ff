package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aovuon/server/history"
)

var errStale = errors.New("a rollup of that time is still to be made")

// Forget implements history.Store.
func (s *Store) Forget() {
	s.writing.Lock()
	defer s.writing.Unlock()
	clear(s.stale)
}

// Series implements history.Keep.
func (s *Store) Series(ctx context.Context) (all []history.Series, err error) {
	err = each(ctx, s.read, func(scan scanner) error {
		var k history.Series
		err := scan(&k.Place, &k.Quantity, &k.Gateway, &k.Sensor)
		all = append(all, k)
		return err
	}, `SELECT place, quantity, gateway, sensor FROM series ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("history/sqlite: series: %w", sort(ctx, err))
	}
	return all, nil
}

// Stale implements history.Keep.
func (s *Store) Stale(ctx context.Context, before time.Time, limit int) (marks []history.Mark, err error) {
	end := before.UnixMilli() / hourMs // whole hours that are over
	for _, q := range []struct {
		span  history.Span
		query string
	}{
		{history.Hour, `SELECT s.place, s.quantity, s.gateway, s.sensor, r.start FROM (SELECT series, start FROM rollup WHERE stale > 0 AND span = 1 AND start <= $1 - 1 ORDER BY start LIMIT $2) AS r
			JOIN series AS s ON s.id = r.series`},
		{history.Day, `SELECT s.place, s.quantity, s.gateway, s.sensor, r.start FROM (SELECT d.series, d.start FROM rollup AS d WHERE d.stale > 0 AND d.span = 24 AND d.start <= $1 - 24
			AND NOT EXISTS (SELECT 1 FROM rollup AS h WHERE h.series = d.series AND h.span = 1 AND h.start >= d.start AND h.start < d.start + 24 AND h.stale > 0 AND h.gone = 0)
			ORDER BY d.start LIMIT $2) AS r JOIN series AS s ON s.id = r.series`},
	} {
		if len(marks) >= limit {
			break
		}
		err := each(ctx, s.read, func(scan scanner) error {
			m := history.Mark{Span: q.span}
			var start int64
			err := scan(&m.Place, &m.Quantity, &m.Gateway, &m.Sensor, &start)
			m.Start = time.UnixMilli(start * hourMs).UTC()
			marks = append(marks, m)
			return err
		}, q.query, end, limit-len(marks))
		if err != nil {
			return nil, fmt.Errorf("history/sqlite: stale rollups: %w", sort(ctx, err))
		}
	}
	return marks, nil
}

// Rejudge implements history.Keep.
func (s *Store) Rejudge(ctx context.Context, k history.Series, by history.Judgement) (int, error) {
	id, ok, err := s.series(ctx, k)
	if err != nil || !ok {
		return 0, sort(ctx, err)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	var was string
	if err := s.read.QueryRowContext(ctx, `SELECT judged FROM series WHERE id = $1`, id).Scan(&was); err != nil || was == by.String() {
		return 0, sort(ctx, err)
	}
	var n int64
	err = s.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE series SET judged = $2 WHERE id = $1`, id, by.String()); err != nil {
			return err
		}
		// The last field of rest is the judgement. Days made of hours whose points were let go are as good as they will ever be.
		res, err := tx.ExecContext(ctx, `UPDATE rollup SET stale = $3 WHERE series = $1 AND stale = 0 AND gone = 0 AND substr(rest, -length($2)) <> $2`, id, " "+by.String(), judged)
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("history/sqlite: rejudge: %w", sort(ctx, err))
	}
	return int(n), nil
}

// LetGo implements history.Keep.
func (s *Store) LetGo(ctx context.Context, k history.Series, from, to time.Time) (int64, error) {
	id, ok, err := s.series(ctx, k)
	first, last := history.Hour.Ceil(from).UnixMilli()/hourMs, history.Hour.Floor(to).UnixMilli()/hourMs
	if err != nil || !ok || first >= last {
		return 0, sort(ctx, err)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	var n int64
	err = s.update(ctx, func(tx *sql.Tx) error {
		var waits int64
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM rollup WHERE series = $1 AND span = 1 AND start >= $2 AND start < $3 AND stale > 0 AND gone = 0`,
			id, first, last+1).Scan(&waits); err != nil { // and the hour after, which the last one reaches into
			return err
		}
		if waits > 0 {
			return errStale
		}
		if _, err := tx.ExecContext(ctx, `UPDATE rollup SET gone = 1 WHERE series = $1 AND span = 1 AND start >= $2 AND start < $3`, id, first, last); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM point WHERE series = $1 AND t_ms >= $2 AND t_ms < $3`, id, first*hourMs, last*hourMs-holdMs) // the last may stand in the hour after
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	if errors.Is(err, errStale) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("history/sqlite: let points go: %w", sort(ctx, err))
	}
	return n, nil
}
