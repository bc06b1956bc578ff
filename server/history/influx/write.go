package influx

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// Write implements history.Store. A line InfluxDB refuses is searched for by halving; all others are stored.
//
// Before the first point of an hour of a series goes the line that makes the rollup of that hour stale, in the same request.
func (s *Store) Write(ctx context.Context, points []history.Point) error {
	good, rejected := history.Sift(points)
	s.rolling.RLock()
	defer s.rolling.RUnlock()
	m, all, refused := marking{todo: &s.todo, epoch: s.todo.epoch.Load()}, good, 0
	for len(good) > 0 {
		b := s.encoder.encode(good, int(s.lines.Load()), &m)
		bad, err := s.send(ctx, b)
		if err != nil {
			return fmt.Errorf("history/influx: write %d points: %w", len(points), err)
		}
		rejected = append(rejected, bad...)
		refused += len(bad)
		good = good[len(b.points):]
	}
	if refused > 0 {
		if err := s.markAgain(ctx, all, rejected); err != nil {
			return fmt.Errorf("history/influx: write %d points: %w", len(points), err)
		}
	}
	s.todo.add(m.marks)
	if len(rejected) > 0 {
		return &history.RejectedError{Rejected: rejected}
	}
	return nil
}

// batch is points and their lines: those of point i, its own the last, are text[ends[i-1]:ends[i]].
type batch struct {
	points []history.Point
	text   string
	from   int // where text of points[0] starts
	ends   []int
}

func (b batch) body() string { return b.text[b.from:b.ends[len(b.ends)-1]] }

// halves splits a batch of two points or more.
func (b batch) halves() [2]batch {
	m := len(b.points) / 2
	return [2]batch{
		{b.points[:m], b.text, b.from, b.ends[:m]},
		{b.points[m:], b.text, b.ends[m-1], b.ends[m:]},
	}
}

// send writes a batch. The answers and what follows from them:
//
//	204                        stored
//	400, 422 of InfluxDB       one line alone is rejected with the server's reason; of more each half is tried again
//	413                        each half is tried again, and later batches are no longer that long
//	429, 5xx, network          ErrUnavailable, with the Retry-After of the answer
//	401, 403, 404, anything    ErrConfiguration
func (s *Store) send(ctx context.Context, b batch) ([]history.Rejected, error) {
	err := s.write.WriteRecord(ctx, b.body())
	if err == nil {
		return nil, nil
	}
	f := s.failure(ctx, err)
	n := len(b.points)
	switch {
	case f.err != nil:
		return nil, f.err
	case f.tooLarge && n > 1:
		s.lines.Store(min(s.lines.Load(), int64(n+1)/2))
	case n == 1, f.dropped == strings.Count(b.body(), "\n"): // 1.8 says how many; when it is all, the reason is the same for all
		return reject(b.points, f.reason), nil
	}
	var rejected []history.Rejected
	for _, half := range b.halves() {
		bad, err := s.send(ctx, half)
		if err != nil {
			return nil, err
		}
		rejected = append(rejected, bad...)
	}
	return rejected, nil
}

func reject(points []history.Point, reason string) []history.Rejected {
	rejected := make([]history.Rejected, len(points))
	for i, p := range points {
		rejected[i] = history.Rejected{Point: p, Reason: reason}
	}
	return rejected
}

// encoder writes points as line protocol. It keeps what the next request can use again. It is safe for concurrent use.
type encoder struct {
	mu       sync.Mutex
	prefixes map[history.Series]*line // of the series it met
	text     []byte
}

// maxPrefixes bounds what an encoder remembers: about 20 MB.
const maxPrefixes = 100_000

// line is what the lines of a series begin with, and which hours of it were known to be stale in an epoch of todo.
type line struct {
	prefix string
	known  [2]int64
	epoch  int64
}

// encode writes points, as many as make so many lines.
func (e *encoder) encode(points []history.Point, lines int, m *marking) batch {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := slices.Grow(e.text[:0], 112*min(lines, len(points)))
	ends := make([]int, 0, min(lines, len(points)))
	for i := range points {
		p := &points[i]
		l := e.line(p.Series)
		hours := m.of(p, l)
		if lines -= 1 + len(hours); lines < 0 && i > 0 {
			break
		}
		if len(hours) > 0 {
			for _, h := range hours {
				text = mark(text, l.prefix, h, stale)
			}
			m.take(hours)
		}
		text = append(text, l.prefix...)
		if p.Quality != measure.Fault {
			text = append(text, "value="...)
			text = strconv.AppendFloat(text, p.Value, 'g', -1, 64)
			text = append(text, ',')
		}
		text = append(text, "q="...)
		text = strconv.AppendUint(text, uint64(p.Quality), 10)
		text = append(text, "i "...)
		text = strconv.AppendInt(text, p.Time.UnixMilli(), 10)
		text = append(text, '\n')
		ends = append(ends, len(text))
	}
	e.text = text
	return batch{points: slices.Clip(points[:len(ends)]), text: string(text), ends: ends}
}

func (e *encoder) line(k history.Series) *line {
	l, ok := e.prefixes[k]
	if ok {
		return l
	}
	if e.prefixes == nil || len(e.prefixes) >= maxPrefixes {
		e.prefixes = map[history.Series]*line{}
	}
	l = &line{prefix: linePrefix(k), epoch: -1}
	e.prefixes[k] = l
	return l
}

// linePrefix returns measurement and tags, in the alphabetical order InfluxDB likes best, and the space after them.
func linePrefix(k history.Series) string {
	tag := strings.NewReplacer(`,`, `\,`, `=`, `\=`, ` `, `\ `)
	return string(k.Quantity) + ",gateway=" + tag.Replace(k.Gateway) + ",place=" + tag.Replace(k.Place) + ",sensor=" + tag.Replace(k.Sensor) + " "
}
