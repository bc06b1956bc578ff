package influx

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// Latest asks for series by name as long as a measurement has no more than this many asked for, and for all series of the
// measurement above.
const namedSeries = 50

// latestTries is how often Latest asks while the newest record is half written; that takes InfluxDB a moment.
const latestTries = 5

// Range implements history.Store.
func (s *Store) Range(ctx context.Context, q history.Query) ([]history.Bucket, error) {
	segs, err := q.Segments()
	if err != nil {
		return nil, fmt.Errorf("history/influx: %w", err)
	}
	if k := q.Series; k.Validate() != nil {
		return nil, nil //nolint:nilerr // what cannot be stored is not there
	}
	var all []history.Bucket
	for _, seg := range segs {
		read := s.steps
		switch {
		case q.Every == 0:
			read = s.raw
		case seg.Rolled():
			read = s.rolled
		}
		buckets, err := read(ctx, q.Series, seg)
		if err != nil {
			return nil, fmt.Errorf("history/influx: range: %w", err)
		}
		all = history.Join(all, buckets, seg)
	}
	return all, nil
}

// raw returns each point as a bucket.
func (s *Store) raw(ctx context.Context, k history.Series, seg history.Segment) (buckets []history.Bucket, err error) {
	err = s.points(ctx, k, seg.FromMs, seg.ToMs, func(p history.Point) error {
		buckets = append(buckets, p.Bucket())
		return nil
	})
	return buckets, err
}

// steps asks for the figures of the values that count, and for how many there are of those that do not. Of n records with
// quality 4 or 5 whose qualities add up to sum, sum - 4n are faults.
func (s *Store) steps(ctx context.Context, k history.Series, seg history.Segment) ([]history.Bucket, error) {
	// InfluxQL's steps start at multiples of the width since 1970 in UTC, plus an offset.
	offset := ((-seg.OffsetMs)%seg.EveryMs + seg.EveryMs) % seg.EveryMs
	from := fmt.Sprintf(`FROM %s WHERE %s AND time >= %dms AND time < %dms AND "q"`, identifier(string(k.Quantity)), is(k), seg.FromMs, seg.ToMs)
	group := fmt.Sprintf(`GROUP BY time(%dms, %dms) fill(none)`, seg.EveryMs, offset)
	q := []string{
		fmt.Sprintf(`SELECT count("value"), min("value"), mean("value"), max("value"), max("q") %s < %d %s`, from, measure.OutOfRange, group),
		fmt.Sprintf(`SELECT count("q"), sum("q"), max("q") %s >= %d %s`, from, measure.OutOfRange, group),
	}
	var values, others []history.Bucket
	err := s.query(ctx, http.MethodGet, q, func(r result) error {
		for _, one := range r.Series {
			for _, v := range one.Values {
				b, whole, err := step(r.Statement, v)
				switch {
				case err != nil:
					return err
				case !whole:
				case r.Statement == 0:
					values = append(values, b)
				default:
					others = append(others, b)
				}
			}
		}
		return nil
	})
	return zip(values, others), err
}

// step reads one row of the answer to the first or the second statement of steps. whole is false for a step of which only
// halves of records are there yet.
func step(statement int, v []*float64) (b history.Bucket, whole bool, err error) {
	want := []int{6, 4}[min(statement, 1)]
	if len(v) != want {
		return b, false, fmt.Errorf("InfluxDB answered a row of %d columns for %d", len(v), want)
	}
	if slices.Contains(v, nil) {
		return b, false, nil
	}
	b.Start = time.UnixMilli(int64(*v[0])).UTC()
	if statement == 0 {
		b.N, b.Min, b.Mean, b.Max, b.Worst = int(*v[1]), *v[2], *v[3], *v[4], measure.Quality(*v[5])
		return b, b.N > 0, nil
	}
	// count and sum may have looked at different moments.
	n, sum := int(*v[1]), int(*v[2])
	b.Faults = max(0, min(sum-n*int(measure.OutOfRange), n))
	b.OutOfRange, b.Worst = n-b.Faults, measure.Quality(*v[3])
	return b, n > 0, nil
}

// zip puts the figures and the counts of the same step into one bucket.
func zip(values, others []history.Bucket) []history.Bucket {
	if len(others) == 0 {
		return values
	}
	all := append(values, others...)
	slices.SortStableFunc(all, func(a, b history.Bucket) int { return a.Start.Compare(b.Start) })
	out := all[:1]
	for _, b := range all[1:] {
		if last := &out[len(out)-1]; last.Start.Equal(b.Start) { // last is of values, b of others
			last.Faults, last.OutOfRange, last.Worst = b.Faults, b.OutOfRange, b.Worst
		} else {
			out = append(out, b)
		}
	}
	return out
}

// Each implements history.Store.
func (s *Store) Each(ctx context.Context, k history.Series, from, to time.Time, f func(history.Point) error) error {
	fromMs, toMs := history.Millis(from, to)
	if k.Validate() != nil || fromMs >= toMs {
		return nil //nolint:nilerr // what cannot be stored is not there
	}
	var stopped error
	err := s.points(ctx, k, fromMs, toMs, func(p history.Point) error {
		stopped = f(p)
		return stopped
	})
	if stopped != nil {
		return stopped
	}
	if err != nil {
		return fmt.Errorf("history/influx: each: %w", err)
	}
	return nil
}

// points streams the points of one series in time order.
func (s *Store) points(ctx context.Context, k history.Series, fromMs, toMs int64, f func(history.Point) error) error {
	q := fmt.Sprintf(`SELECT "value", "q" FROM %s WHERE %s AND time >= %dms AND time < %dms`, identifier(string(k.Quantity)), is(k), fromMs, toMs)
	return s.query(ctx, http.MethodGet, []string{q}, func(r result) error {
		for _, one := range r.Series {
			for _, v := range one.Values {
				p, whole, err := point(k, v)
				if err != nil {
					return err
				}
				if !whole {
					continue // not acknowledged yet, so it need not be seen
				}
				if err := f(p); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// point reads time, value, q. The quality decides whether there is a value (FORMAT.md). whole is false for a record of
// which InfluxDB shows one field alone: it is being written at this moment.
func point(k history.Series, v []*float64) (p history.Point, whole bool, err error) {
	if len(v) != 3 || v[0] == nil {
		return p, false, fmt.Errorf("InfluxDB answered a row of %d columns, or without a time", len(v))
	}
	if v[2] == nil {
		return p, false, nil
	}
	if *v[2] < 0 || *v[2] > float64(measure.Fault) || *v[2] != math.Trunc(*v[2]) {
		return p, false, fmt.Errorf("%s of sensor %s: unknown quality %v: a newer program wrote it", k.Quantity, k.Sensor, *v[2])
	}
	p = history.Point{Series: k, Time: time.UnixMilli(int64(*v[0])).UTC(), Quality: measure.Quality(*v[2])}
	switch {
	case p.Quality == measure.Fault:
		return p, true, nil
	case v[1] == nil:
		return p, false, nil
	}
	p.Value = *v[1]
	return p, true, nil
}

// Latest implements history.Store. Where the newest record is half written, the question is put again.
func (s *Store) Latest(ctx context.Context, asked []history.Series) ([]history.Point, error) {
	wanted := make(map[history.Series]bool, len(asked))
	for _, k := range asked {
		if k.Validate() == nil {
			wanted[k] = true
		}
	}
	points := make([]history.Point, 0, len(wanted))
	// Most sensors spoke just now: of these InfluxDB need not open every shard. What is half written is asked for once more below.
	if len(wanted) > 0 {
		if err := s.latest(ctx, wanted, false, `time > now() - 1h`, func(p history.Point, whole bool) {
			if whole {
				points = append(points, p)
			}
		}); err != nil {
			return nil, fmt.Errorf("history/influx: latest: %w", err)
		}
		for _, p := range points {
			delete(wanted, p.Series)
		}
	}
	for try := range latestTries {
		half := map[history.Series]bool{}
		if len(wanted) == 0 {
			return points, nil
		}
		if err := s.latest(ctx, wanted, try > 0, "", func(p history.Point, whole bool) {
			if whole {
				points = append(points, p)
			} else {
				half[p.Series] = true
			}
		}); err != nil {
			return nil, fmt.Errorf("history/influx: latest: %w", err)
		}
		wanted = half
	}
	if len(wanted) == 0 {
		return points, nil
	}
	return nil, fmt.Errorf("history/influx: latest: %w",
		&history.UnavailableError{Err: fmt.Errorf("the newest records of %d series are being written", len(wanted))})
}

// latest asks once: one statement for each quantity, in one request; since bounds it, unless it is empty.
func (s *Store) latest(ctx context.Context, wanted map[history.Series]bool, careful bool, since string, f func(p history.Point, whole bool)) error {
	perQuantity := map[measure.Quantity][]history.Series{}
	for k := range wanted {
		perQuantity[k.Quantity] = append(perQuantity[k.Quantity], k)
	}
	quantities := make([]measure.Quantity, 0, len(perQuantity))
	statements := make([]string, 0, len(perQuantity))
	for quantity, ks := range perQuantity {
		quantities = append(quantities, quantity)
		statements = append(statements, latestOf(quantity, ks, careful, since))
	}
	return s.query(ctx, http.MethodGet, statements, func(r result) error {
		if r.Statement >= len(quantities) {
			return fmt.Errorf("InfluxDB answered statement %d of %d", r.Statement+1, len(quantities))
		}
		for _, one := range r.Series {
			k := history.Series{Place: one.Tags["place"], Quantity: quantities[r.Statement], Gateway: one.Tags["gateway"], Sensor: one.Tags["sensor"]}
			for _, v := range one.Values {
				if !wanted[k] {
					continue
				}
				p, whole, err := point(k, v)
				if err != nil {
					return err
				}
				p.Series = k
				f(p, whole)
			}
		}
		return nil
	})
}

// latestOf returns the statement for the newest record of each of the series, which are of one quantity. A record without
// q is not ours, or not yet; a careful statement passes over it, which takes InfluxDB twice as long.
func latestOf(quantity measure.Quantity, ks []history.Series, careful bool, since string) string {
	var where []string
	if since != "" {
		where = append(where, since)
	}
	if careful {
		where = append(where, `"q" >= 0`)
	}
	if len(ks) <= namedSeries {
		conditions := make([]string, len(ks))
		for i, k := range ks {
			conditions[i] = "(" + is(k) + ")"
		}
		slices.Sort(conditions)
		where = append(where, "("+strings.Join(conditions, " OR ")+")")
	}
	q := `SELECT "value", "q" FROM ` + identifier(string(quantity))
	if len(where) > 0 {
		q += " WHERE " + strings.Join(where, " AND ")
	}
	return q + ` GROUP BY "place", "gateway", "sensor" ORDER BY time DESC LIMIT 1`
}

// CountPoints counts the points of every gateway. It reads the whole database: on a large one that takes its time.
func (s *Store) CountPoints(ctx context.Context) (map[string]int64, error) {
	var q []string
	for _, m := range measure.Quantities() { // a field that no measurement has, or no measurement, is an empty answer
		q = append(q, `SELECT COUNT("q") FROM `+identifier(string(m))+` GROUP BY "gateway"`)
	}
	counts := map[string]int64{}
	err := s.query(ctx, http.MethodGet, q, func(r result) error {
		for _, one := range r.Series {
			for _, v := range one.Values {
				if len(v) != 2 || v[1] == nil {
					return fmt.Errorf("InfluxDB answered a count of %d columns", len(v))
				}
				counts[one.Tags["gateway"]] += int64(*v[1])
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("history/influx: count points: %w", err)
	}
	return counts, nil
}
