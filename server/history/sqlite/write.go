package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// rowsPerInsert is where more rows in one statement stopped to be faster (1: 380,000 points/s, 8: 530,000, 50: 640,000,
// 1,000: 590,000).
const rowsPerInsert = 50

// insertHead replaces a point that is there already: the row is its key and nothing else refers to it, so that SQLite need not look for it first.
const insertHead = `INSERT OR REPLACE INTO point (series, t_ms, value, q) VALUES `

// insertOf returns the statement that writes n points.
func insertOf(n int) string {
	return insertHead + strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?), ", n), ", ")
}

// row is a point as it lies in the file, and the how manieth of its Write it was.
type row struct {
	series, ms int64
	value      sql.NullFloat64
	nth        int32
	q          measure.Quality
}

// Write implements history.Store: all points in one transaction, which is on disk when it returns.
func (s *Store) Write(ctx context.Context, points []history.Point) error {
	good, rejected := history.Sift(points)
	if len(good) > 0 {
		created := map[history.Series]int64{}
		var done []hourKey
		s.writing.Lock()
		defer s.writing.Unlock()
		err := s.update(ctx, func(tx *sql.Tx) error {
			rows, err := s.rows(ctx, tx, good, created)
			if err != nil {
				return err
			}
			if err := insert(ctx, tx, rows); err != nil {
				return err
			}
			done, err = s.mark(ctx, tx, rows)
			return err
		})
		if err != nil {
			return fmt.Errorf("history/sqlite: write %d points: %w", len(good), sort(ctx, err))
		}
		s.remember(created)
		s.rely(done)
	}
	if len(rejected) > 0 {
		return &history.RejectedError{Rejected: rejected}
	}
	return nil
}

// rows puts the points in the order of the file, which is about twice as fast as any other, and finds their series.
func (s *Store) rows(ctx context.Context, tx *sql.Tx, points []history.Point, created map[history.Series]int64) ([]row, error) {
	rows := make([]row, len(points))
	var last history.Series
	var id int64
	for i, p := range points {
		if i == 0 || p.Series != last {
			var err error
			if id, err = s.seriesFor(ctx, tx, p.Series, created); err != nil {
				return nil, err
			}
			last = p.Series
		}
		rows[i] = row{id, p.Time.UnixMilli(), sql.NullFloat64{Float64: p.Value, Valid: p.Quality != measure.Fault}, int32(i), p.Quality}
	}
	slices.SortFunc(rows, inOrder)
	return rows, nil
}

// inOrder is the order of the file. Of two points of the same series and time the later one comes later, and so wins.
func inOrder(a, b row) int {
	switch {
	case a.series != b.series:
		return cmp.Compare(a.series, b.series)
	case a.ms != b.ms:
		return cmp.Compare(a.ms, b.ms)
	}
	return cmp.Compare(a.nth, b.nth)
}

func insert(ctx context.Context, tx *sql.Tx, rows []row) (err error) {
	for len(rows) > 0 {
		n := min(rowsPerInsert, len(rows))
		full := len(rows) / n * n // as many as statements of n rows take
		if err := insertBy(ctx, tx, rows[:full], n); err != nil {
			return err
		}
		rows = rows[full:]
	}
	return nil
}

// insertBy writes rows, n at a time; n divides their number.
func insertBy(ctx context.Context, tx *sql.Tx, rows []row, n int) (err error) {
	stmt, err := tx.PrepareContext(ctx, insertOf(n))
	if err != nil {
		return err
	}
	defer func() {
		if cerr := stmt.Close(); err == nil {
			err = cerr
		}
	}()
	args := make([]any, 0, 4*n)
	for chunk := range slices.Chunk(rows, n) {
		args = args[:0]
		for _, r := range chunk {
			var v any
			if r.value.Valid {
				v = r.value.Float64
			}
			args = append(args, r.series, r.ms, v, int64(r.q))
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// seriesFor returns the id of a series and creates it when there is none. created are those this transaction looked up:
// nobody may know them before it is committed.
func (s *Store) seriesFor(ctx context.Context, tx *sql.Tx, k history.Series, created map[history.Series]int64) (int64, error) {
	if id, ok := s.known(k); ok {
		return id, nil
	}
	if id, ok := created[k]; ok {
		return id, nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO series (place, quantity, gateway, sensor) VALUES ($1, $2, $3, $4)
		ON CONFLICT (place, quantity, gateway, sensor) DO NOTHING`, k.Place, string(k.Quantity), k.Gateway, k.Sensor); err != nil {
		return 0, fmt.Errorf("create series: %w", err)
	}
	var id int64
	if err := tx.QueryRowContext(ctx, selectSeries, k.Place, string(k.Quantity), k.Gateway, k.Sensor).Scan(&id); err != nil {
		return 0, fmt.Errorf("find series: %w", err)
	}
	created[k] = id
	return id, nil
}

const selectSeries = `SELECT id FROM series WHERE place = $1 AND quantity = $2 AND gateway = $3 AND sensor = $4`

func (s *Store) known(k history.Series) (int64, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, ok := s.ids[k]
	return id, ok
}

func (s *Store) remember(found map[history.Series]int64) {
	if len(found) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.ids, found)
}
