package influx

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// suffix of the measurement that keeps the rollups of a span. No quantity has a dot in its name.
func suffix(span history.Span) string {
	if span == history.Day {
		return ".day"
	}
	return ".hour"
}

func rollupsOf(q measure.Quantity, span history.Span) string {
	return identifier(string(q) + suffix(span))
}

// What the field stale says of a rollup.
const (
	fresh  = 0
	stale  = 1 // a point of its time was written since: the figures mean nothing
	judged = 2 // fresh, but within limits is by older ones
)

// cells is an answer whose columns are not all numbers.
type cells = answer[any]

// Rollups implements history.Reader. A day is stale as soon as one of its hours is.
func (s *Store) Rollups(ctx context.Context, k history.Series, span history.Span, from, to time.Time) ([]history.Rollup, error) {
	fromMs, toMs := history.Millis(span.Ceil(from), span.Floor(to))
	if k.Validate() != nil || fromMs >= toMs {
		return nil, nil //nolint:nilerr // what cannot be stored is not there
	}
	where := fmt.Sprintf(`%s AND time >= %dms AND time < %dms`, is(k), fromMs, toMs)
	q := []string{`SELECT "stale", "gone", "n", "min", "sum", "max", "rest" FROM ` + rollupsOf(k.Quantity, span) + ` WHERE ` + where}
	if span == history.Day {
		q = append(q, `SELECT "stale", "gone" FROM `+rollupsOf(k.Quantity, history.Hour)+` WHERE `+where+` AND "stale" = 1`)
	}
	var all []history.Rollup
	days := map[int64]bool{}
	err := ask(ctx, s, http.MethodGet, q, func(r cells) error {
		for _, one := range r.Series {
			for _, v := range one.Values {
				if r.Statement == 0 {
					x, err := rollup(span, v)
					if err != nil {
						return err
					}
					if x.Stale || !x.Empty() {
						all = append(all, x)
					}
				} else if ms, ok := number(v, 0); ok && !isGone(v, 2) {
					days[history.Day.Floor(time.UnixMilli(int64(ms))).UnixMilli()] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("history/influx: rollups: %w", err)
	}
	for i := range all {
		if days[all[i].From.UnixMilli()] {
			all[i] = history.Rollup{Summary: history.Summary{From: all[i].From, To: all[i].To}, Stale: true}
		}
	}
	return all, nil
}

// rollup reads time, stale, gone, n, min, sum, max, rest.
func rollup(span history.Span, v []any) (r history.Rollup, err error) {
	ms, ok := number(v, 0)
	if !ok || len(v) != 8 {
		return r, fmt.Errorf("InfluxDB answered a rollup of %d columns, or without a time", len(v))
	}
	is, _ := number(v, 1)
	n, whole := number(v, 3)
	rest, told := v[7].(string)
	r.From = time.UnixMilli(int64(ms)).UTC()
	r.To = r.From.Add(span.Length())
	r.Gone = isGone(v, 2)
	if r.Stale = (is == stale || !whole || !told) && !r.Gone; r.Stale || !whole || !told { // half of one is being written
		return r, nil
	}
	r.N = int(n)
	r.Min, _ = number(v, 4)
	r.Total, _ = number(v, 5)
	r.Max, _ = number(v, 6)
	if r.N == 0 { // InfluxDB keeps the fields of an older write
		r.Min, r.Total, r.Max = 0, 0, 0
	}
	if err := r.SetRest(rest); err != nil {
		return r, err
	}
	r.OutOfRange, r.Faults = r.ByQuality[measure.OutOfRange], r.ByQuality[measure.Fault]
	return r, nil
}

func number(v []any, i int) (float64, bool) {
	if i >= len(v) {
		return 0, false
	}
	f, ok := v[i].(float64)
	return f, ok
}

func isGone(v []any, i int) bool {
	f, ok := number(v, i)
	return ok && f != 0
}

// rolled answers a segment whose steps are whole hours. Where much of it is stale, InfluxDB sums the points up itself.
func (s *Store) rolled(ctx context.Context, k history.Series, seg history.Segment) ([]history.Bucket, error) {
	if s.waits(k, seg.FromMs, seg.ToMs) > manyStale {
		return s.steps(ctx, k, seg)
	}
	return history.Fold(ctx, s, k, seg)
}

// manyStale is how many stale hours of a query are read one by one.
const manyStale = 48

// rollupLines appends the line of a rollup.
func rollupLines(text []byte, prefix string, m history.Mark, r *history.Rollup) []byte {
	text = mark(text, prefix, m, fresh)
	text = text[:len(text)-len(stamp(m))] // the fields go on
	text = append(text, ",n="...)
	text = strconv.AppendInt(text, int64(r.N), 10)
	text = append(text, 'i')
	field := func(name string, v float64) {
		text = append(append(append(text, ','), name...), '=')
		text = strconv.AppendFloat(text, v, 'g', -1, 64)
	}
	if r.N > 0 {
		field("min", r.Min)
		field("mean", r.Total/float64(r.N))
		field("sum", r.Total)
		field("max", r.Max)
	}
	field("covered", r.Covered.Seconds())
	if r.Judged != (history.Judgement{}) {
		field("within", r.Within.Seconds())
	}
	text = append(text, `,rest="`...)
	text = append(text, r.Rest()...) // nothing in it needs an escape
	text = append(text, '"')
	return append(text, stamp(m)...)
}

func stamp(m history.Mark) string { return " " + strconv.FormatInt(m.Start.UnixMilli(), 10) + "\n" }

// mark appends a line that says what a rollup is.
func mark(text []byte, prefix string, m history.Mark, is int) []byte {
	text = append(text, m.Quantity...)
	text = append(text, suffix(m.Span)...)
	text = append(text, prefix[len(m.Quantity):]...)
	text = append(text, "stale="...)
	text = strconv.AppendInt(text, int64(is), 10)
	text = append(text, 'i')
	return append(text, stamp(m)...)
}

// runs cuts marks into hours in a row of one series, and days.
func runs(marks []history.Mark) (out [][]history.Mark) {
	for i, m := range marks {
		if n := len(out) - 1; i > 0 && m.Span == history.Hour && m.Series == marks[i-1].Series && marks[i-1].Span == history.Hour && m.Start.Equal(marks[i-1].End()) && len(out[n]) < 24 {
			out[n] = append(out[n], m)
			continue
		}
		out = append(out, []history.Mark{m})
	}
	return out
}

// renewed is how many rollups are made at once, while nothing else is written.
const renewed = 50

// Renew implements history.Keep. Nothing is written while rollups are made.
func (s *Store) Renew(ctx context.Context, marks []history.Mark, judge history.Judge) error {
	marks = slices.Clone(marks)
	slices.SortFunc(marks, history.CompareMarks)
	for part := range slices.Chunk(marks, renewed) {
		if err := s.renew(ctx, part, judge); err != nil {
			return fmt.Errorf("history/influx: renew %d rollups: %w", len(part), err)
		}
	}
	return nil
}

func (s *Store) renew(ctx context.Context, marks []history.Mark, judge history.Judge) error {
	s.rolling.Lock()
	defer s.rolling.Unlock()
	all := runs(marks)
	found, err := s.found(ctx, all)
	if err != nil {
		return err
	}
	var text []byte
	var days, made []history.Mark
	for i, run := range all {
		prefix, by := linePrefix(run[0].Series), judge(run[0].Series)
		for _, m := range run {
			f := &found[i]
			var r history.Rollup
			switch {
			case f.gone[m.Start.UnixMilli()]: // a point that came after those of its hour were let go changes nothing
				text, made = mark(text, prefix, m, fresh), append(made, m)
				continue
			case m.Span == history.Day && f.stale:
				continue // its hours come first
			case m.Span == history.Day:
				r, err = history.RollDay(f.hours, m.Start, by)
			default:
				r, err = history.RollHour(f.of(m), m.Start, by)
				day := history.Mark{Series: m.Series, Span: history.Day, Start: history.Day.Floor(m.Start)}
				if n := len(days); n == 0 || days[n-1] != day {
					days = append(days, day)
					text = mark(text, prefix, day, stale)
				}
			}
			if err != nil {
				return err
			}
			text, made = rollupLines(text, prefix, m, &r), append(made, m)
		}
	}
	if err := s.lay(ctx, string(text)); err != nil {
		return err
	}
	s.todo.done(made)
	s.todo.add(days)
	return nil
}

// lay writes lines that InfluxDB has no reason to refuse.
func (s *Store) lay(ctx context.Context, text string) error {
	if text == "" {
		return nil
	}
	err := s.write.WriteRecord(ctx, text)
	if err == nil {
		return nil
	}
	f := s.failure(ctx, err)
	if f.err != nil {
		return f.err
	}
	return fmt.Errorf("%w: rollups are refused: %s", history.ErrConfiguration, f.reason)
}

// found is what rollups of a run are made of.
type found struct {
	points []history.Point
	hours  []history.Rollup
	gone   map[int64]bool
	stale  bool // an hour of the day is
}

// of returns the points that the hour of m is made of.
func (f *found) of(m history.Mark) []history.Point {
	from, to := m.Start.Add(-history.RollupHold), m.End()
	i, _ := slices.BinarySearchFunc(f.points, from, func(p history.Point, t time.Time) int { return p.Time.Compare(t) })
	j, _ := slices.BinarySearchFunc(f.points, to, func(p history.Point, t time.Time) int { return p.Time.Compare(t) })
	return f.points[i:j]
}

// longestQuery is about how long a query may be: proxies refuse addresses of more than 8 KB.
const longestQuery = 5000

// found asks for all that runs are made of.
func (s *Store) found(ctx context.Context, all [][]history.Mark) ([]found, error) {
	out := make([]found, len(all))
	var q []string
	var parts []func(v []any) error // of each statement
	long := 0
	send := func() error {
		err := ask(ctx, s, http.MethodGet, q, func(r cells) error {
			if r.Statement >= len(parts) {
				return fmt.Errorf("InfluxDB answered statement %d of %d", r.Statement+1, len(parts))
			}
			for _, one := range r.Series {
				for _, v := range one.Values {
					if err := parts[r.Statement](v); err != nil {
						return err
					}
				}
			}
			return nil
		})
		q, parts, long = q[:0], parts[:0], 0
		return err
	}
	for i, run := range all {
		f, k, from, to := &out[i], run[0].Series, run[0].Start.UnixMilli(), run[len(run)-1].End().UnixMilli()
		f.gone = map[int64]bool{}
		q = append(q, fmt.Sprintf(`SELECT "stale", "gone", "n", "min", "sum", "max", "rest" FROM %s WHERE %s AND time >= %dms AND time < %dms`, rollupsOf(k.Quantity, history.Hour), is(k), from, to))
		parts = append(parts, f.hour)
		if run[0].Span == history.Hour {
			q = append(q, fmt.Sprintf(`SELECT "value", "q" FROM %s WHERE %s AND time >= %dms AND time < %dms`, identifier(string(k.Quantity)), is(k), from-history.RollupHold.Milliseconds(), to))
			parts = append(parts, func(v []any) error { return f.point(k, v) })
		}
		for _, one := range q[len(q)-min(len(q), 2):] {
			long += len(one)
		}
		if i == len(all)-1 || long > longestQuery {
			if err := send(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// hour takes a row of the rollups of hours.
func (f *found) hour(v []any) error {
	r, err := rollup(history.Hour, v)
	switch {
	case err != nil:
		return err
	case r.Stale:
		f.stale = true
		return nil
	case r.Gone:
		f.gone[r.From.UnixMilli()] = true
	}
	if !r.Empty() {
		f.hours = append(f.hours, r)
	}
	return nil
}

// point takes a row of points.
func (f *found) point(k history.Series, v []any) error {
	numbers := make([]*float64, len(v))
	for i := range v {
		if n, ok := v[i].(float64); ok {
			numbers[i] = &n
		}
	}
	p, whole, err := point(k, numbers)
	if whole {
		f.points = append(f.points, p)
	}
	return err
}
