package sqlite

import (
	"context"
	"fmt"

	"aovuon/server/history"
)

// Empty reports whether no point was ever written.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	var some bool
	if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM series)`).Scan(&some); err != nil {
		return false, fmt.Errorf("history/sqlite: is it empty: %w", sort(ctx, err))
	}
	return !some, nil
}

// EachSeries calls f for every series that has points, in no order.
func (s *Store) EachSeries(ctx context.Context, f func(history.Series) error) error {
	var all []history.Series // nothing of the file is held while f works
	err := each(ctx, s.read, func(scan scanner) error {
		var k history.Series
		err := scan(&k.Place, &k.Quantity, &k.Gateway, &k.Sensor)
		all = append(all, k)
		return err
	}, `SELECT place, quantity, gateway, sensor FROM series WHERE EXISTS (SELECT 1 FROM point WHERE point.series = series.id)`)
	if err != nil {
		return fmt.Errorf("history/sqlite: series: %w", sort(ctx, err))
	}
	for _, k := range all {
		if err := f(k); err != nil {
			return err
		}
	}
	return nil
}
