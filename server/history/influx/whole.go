package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// Empty reports whether there is no measurement, of whomever.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	names, err := s.measurements(ctx)
	if errors.Is(err, errNoDatabase) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("history/influx: is it empty: %w", err)
	}
	return len(names) == 0, nil
}

// EachSeries calls f for every series that has points, in no order.
func (s *Store) EachSeries(ctx context.Context, f func(history.Series) error) error {
	quantities := measure.Quantities()
	q := make([]string, len(quantities))
	for i, m := range quantities {
		q[i] = `SELECT LAST("q") FROM ` + identifier(string(m)) + ` GROUP BY "place", "gateway", "sensor"`
	}
	var all []history.Series
	err := s.query(ctx, http.MethodGet, q, func(r result) error {
		if r.Statement >= len(quantities) {
			return fmt.Errorf("InfluxDB answered statement %d of %d", r.Statement+1, len(quantities))
		}
		for _, one := range r.Series {
			if len(one.Values) > 0 {
				all = append(all, history.Series{Place: one.Tags["place"], Quantity: quantities[r.Statement], Gateway: one.Tags["gateway"], Sensor: one.Tags["sensor"]})
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("history/influx: series: %w", err)
	}
	for _, k := range all {
		if err := f(k); err != nil {
			return err
		}
	}
	return nil
}
