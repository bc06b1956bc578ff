package influx

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// todo is which rollups are stale: read from InfluxDB once, and kept since then.
type todo struct {
	epoch atomic.Int64 // raised whenever a stale one may be one no more
	mu    sync.Mutex
	known bool // InfluxDB was asked
	marks map[history.Series]map[span]struct{}
	by    map[history.Series]string // what the rollups of a series are judged by, or marked to be
}

// judgedBy is the measurement that keeps by what rollups are judged: no quantity has a dot in its name.
const judgedBy = "rollup.judged"

// span is one hour or day of a series.
type span struct {
	history.Span
	ms int64
}

func (t *todo) has(k history.Series, hourMs int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.marks[k][span{history.Hour, hourMs}]
	return ok
}

func (t *todo) add(marks []history.Mark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range marks {
		of := t.marks[m.Series]
		if of == nil {
			of = map[span]struct{}{}
			t.marks[m.Series] = of
		}
		of[span{m.Span, m.Start.UnixMilli()}] = struct{}{}
	}
}

func (t *todo) done(marks []history.Mark) {
	t.epoch.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range marks {
		delete(t.marks[m.Series], span{m.Span, m.Start.UnixMilli()})
	}
}

func (t *todo) judgedBy(k history.Series) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return cmp.Or(t.by[k], "-")
}

func (t *todo) setJudged(k history.Series, by string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.by[k] = by
}

// Forget implements history.Store.
func (s *Store) Forget() {
	s.rolling.Lock()
	defer s.rolling.Unlock()
	s.todo.forget()
}

// forget forgets everything; InfluxDB is asked again.
func (t *todo) forget() {
	t.epoch.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.marks)
	clear(t.by)
	t.known = false
}

// waits counts the stale hours of a series between two times, as far as they are known.
func (s *Store) waits(k history.Series, fromMs, toMs int64) (n int) {
	s.todo.mu.Lock()
	defer s.todo.mu.Unlock()
	for m := range s.todo.marks[k] {
		if m.Span == history.Hour && m.ms >= fromMs && m.ms < toMs {
			n++
		}
	}
	return n
}

// learn asks InfluxDB for what is stale, the first time.
func (s *Store) learn(ctx context.Context) error {
	s.todo.mu.Lock()
	known := s.todo.known
	s.todo.mu.Unlock()
	if known {
		return nil
	}
	for _, q := range measure.Quantities() {
		for _, sp := range []history.Span{history.Hour, history.Day} {
			var marks []history.Mark
			err := s.query(ctx, http.MethodGet, []string{`SELECT "stale" FROM ` + rollupsOf(q, sp) + ` WHERE "stale" > 0 GROUP BY "place", "gateway", "sensor"`}, func(r result) error {
				for _, one := range r.Series {
					k := history.Series{Place: one.Tags["place"], Quantity: q, Gateway: one.Tags["gateway"], Sensor: one.Tags["sensor"]}
					for _, v := range one.Values {
						if len(v) == 2 && v[0] != nil {
							marks = append(marks, history.Mark{Series: k, Span: sp, Start: time.UnixMilli(int64(*v[0])).UTC()})
						}
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			s.todo.add(marks)
		}
	}
	by := map[history.Series]string{}
	err := ask(ctx, s, http.MethodGet, []string{`SELECT "by" FROM ` + identifier(judgedBy) + ` GROUP BY "quantity", "place", "gateway", "sensor"`}, func(r cells) error {
		for _, one := range r.Series {
			for _, v := range one.Values {
				if text, ok := v[len(v)-1].(string); ok {
					by[history.Series{Place: one.Tags["place"], Quantity: measure.Quantity(one.Tags["quantity"]), Gateway: one.Tags["gateway"], Sensor: one.Tags["sensor"]}] = text
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.todo.mu.Lock()
	s.todo.by = by
	s.todo.known = true
	s.todo.mu.Unlock()
	return nil
}

// Stale implements history.Keep.
func (s *Store) Stale(ctx context.Context, before time.Time, limit int) ([]history.Mark, error) {
	if err := s.learn(ctx); err != nil {
		return nil, fmt.Errorf("history/influx: stale rollups: %w", err)
	}
	s.todo.mu.Lock()
	defer s.todo.mu.Unlock()
	var hours, days []history.Mark
	for k, of := range s.todo.marks {
		busy := map[int64]bool{} // days of which an hour is stale
		for m := range of {
			if m.Span == history.Hour {
				busy[history.Day.Floor(time.UnixMilli(m.ms)).UnixMilli()] = true
			}
		}
		for m := range of {
			one := history.Mark{Series: k, Span: m.Span, Start: time.UnixMilli(m.ms).UTC()}
			switch {
			case one.End().After(before):
			case m.Span == history.Hour:
				hours = append(hours, one)
			case !busy[m.ms]:
				days = append(days, one)
			}
		}
		if len(of) == 0 {
			delete(s.todo.marks, k)
		}
		if len(hours) >= limit {
			break
		}
	}
	slices.SortFunc(hours, history.CompareMarks)
	slices.SortFunc(days, history.CompareMarks)
	all := append(hours, days...)
	return all[:min(len(all), limit)], nil
}

// Series implements history.Keep.
func (s *Store) Series(ctx context.Context) (all []history.Series, err error) {
	var q []string
	quantities := measure.Quantities()
	for _, m := range quantities {
		q = append(q, `SELECT "stale" FROM `+rollupsOf(m, history.Hour)+` GROUP BY "place", "gateway", "sensor" LIMIT 1`)
	}
	err = s.query(ctx, http.MethodGet, q, func(r result) error {
		if r.Statement >= len(quantities) {
			return fmt.Errorf("InfluxDB answered statement %d of %d", r.Statement+1, len(quantities))
		}
		for _, one := range r.Series {
			all = append(all, history.Series{Place: one.Tags["place"], Quantity: quantities[r.Statement], Gateway: one.Tags["gateway"], Sensor: one.Tags["sensor"]})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("history/influx: series: %w", err)
	}
	return all, nil
}

// rollups calls f for every hour and day of a series.
func (s *Store) rollups(ctx context.Context, k history.Series, where string, f func(history.Mark, history.Rollup)) error {
	for _, sp := range []history.Span{history.Hour, history.Day} {
		q := `SELECT "stale", "gone", "n", "min", "sum", "max", "rest" FROM ` + rollupsOf(k.Quantity, sp) + ` WHERE ` + is(k) + where
		err := ask(ctx, s, http.MethodGet, []string{q}, func(r cells) error {
			for _, one := range r.Series {
				for _, v := range one.Values {
					x, err := rollup(sp, v)
					if err != nil {
						return err
					}
					f(history.Mark{Series: k, Span: sp, Start: x.From}, x)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Rejudge implements history.Keep.
func (s *Store) Rejudge(ctx context.Context, k history.Series, by history.Judgement) (int, error) {
	if k.Validate() != nil {
		return 0, nil // what cannot be stored is not there
	}
	if err := s.learn(ctx); err != nil {
		return 0, fmt.Errorf("history/influx: rejudge: %w", err)
	}
	if s.todo.judgedBy(k) == by.String() {
		return 0, nil
	}
	s.rolling.Lock()
	defer s.rolling.Unlock()
	var marks []history.Mark
	var text []byte
	var newest time.Time // not 1970: a retention policy may refuse that
	prefix := linePrefix(k)
	err := s.rollups(ctx, k, "", func(m history.Mark, r history.Rollup) {
		if m.Start.After(newest) {
			newest = m.Start
		}
		if !r.Stale && !r.Gone && r.Judged != by {
			marks, text = append(marks, m), mark(text, prefix, m, judged)
		}
	})
	if err == nil {
		text = fmt.Appendf(text, "%s,quantity=%s%sby=\"%s\" %d\n", judgedBy, k.Quantity, prefix[len(k.Quantity):], by, max(0, newest.UnixMilli()))
		err = s.lay(ctx, string(text))
	}
	if err != nil {
		return 0, fmt.Errorf("history/influx: rejudge: %w", err)
	}
	s.todo.add(marks)
	s.todo.setJudged(k, by.String())
	return len(marks), nil
}

// LetGo implements history.Keep. InfluxDB 1.8 and 2.x delete; 3 Core has no DELETE.
func (s *Store) LetGo(ctx context.Context, k history.Series, from, to time.Time) (int64, error) {
	from, to = history.Hour.Ceil(from), history.Hour.Floor(to)
	if k.Validate() != nil || !from.Before(to) {
		return 0, nil // what cannot be stored is not there
	}
	if is, err := s.flavour(ctx); err != nil || is == three {
		return 0, cmp.Or(err, fmt.Errorf("history/influx: %w: InfluxDB 3 Core deletes no points: remove history.retention", history.ErrConfiguration))
	}
	s.rolling.Lock()
	defer s.rolling.Unlock()
	waits := false
	var text []byte
	prefix := linePrefix(k)
	err := s.rollups(ctx, k, fmt.Sprintf(" AND time >= %dms AND time < %dms", from.UnixMilli(), to.Add(time.Hour).UnixMilli()), func(m history.Mark, r history.Rollup) {
		waits = waits || m.Span == history.Hour && !r.Gone && (r.Stale || s.todo.has(k, m.Start.UnixMilli()))
		if m.Span == history.Hour && !r.Gone && m.Start.Before(to) {
			text = goneLine(text, prefix, m)
		}
	})
	if err != nil {
		return 0, fmt.Errorf("history/influx: let points go: %w", err)
	}
	end := to.Add(-history.RollupHold) // the last may stand in the hour after
	n := 0
	if !waits {
		err = s.points(ctx, k, from.UnixMilli(), end.UnixMilli(), func(history.Point) error { n++; return nil })
	}
	if err != nil || n == 0 {
		return 0, err
	}
	if err := s.lay(ctx, string(text)); err != nil {
		return 0, fmt.Errorf("history/influx: let points go: %w", err)
	}
	q := fmt.Sprintf(`DELETE FROM %s WHERE %s AND time >= %dms AND time < %dms`, identifier(string(k.Quantity)), is(k), from.UnixMilli(), end.UnixMilli())
	if err := s.run(ctx, q); err != nil {
		return 0, fmt.Errorf("history/influx: let points go: %w", err)
	}
	return int64(n), nil
}

func goneLine(text []byte, prefix string, m history.Mark) []byte {
	text = append(text, m.Quantity...)
	text = append(text, suffix(m.Span)...)
	text = append(text, prefix[len(m.Quantity):]...)
	return append(append(text, "gone=1i"...), stamp(m)...)
}
