package influx

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// Write implements history.Store. A line InfluxDB refuses is searched for by halving; all others are stored.
func (s *Store) Write(ctx context.Context, points []history.Point) error {
	good, rejected := history.Sift(points)
	prefixes := map[history.Series]string{}
	for len(good) > 0 {
		n := min(len(good), int(s.lines.Load()))
		bad, err := s.send(ctx, encode(good[:n], prefixes))
		if err != nil {
			return fmt.Errorf("history/influx: write %d points: %w", len(points), err)
		}
		rejected = append(rejected, bad...)
		good = good[n:]
	}
	if len(rejected) > 0 {
		return &history.RejectedError{Rejected: rejected}
	}
	return nil
}

// batch is points and their lines: line i is text[ends[i-1]:ends[i]].
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
	case n == 1, f.dropped == n: // 1.8 says how many; when it is all, the reason is the same for all
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

// encode writes points as line protocol. prefixes remembers measurement and tags of the series it met.
func encode(points []history.Point, prefixes map[history.Series]string) batch {
	text := make([]byte, 0, 112*len(points))
	ends := make([]int, len(points))
	for i, p := range points {
		prefix, ok := prefixes[p.Series]
		if !ok {
			prefix = linePrefix(p.Series)
			prefixes[p.Series] = prefix
		}
		text = append(text, prefix...)
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
		ends[i] = len(text)
	}
	return batch{points: slices.Clip(points), text: string(text), ends: ends}
}

// linePrefix returns measurement and tags, in the alphabetical order InfluxDB likes best, and the space after them.
func linePrefix(k history.Series) string {
	tag := strings.NewReplacer(`,`, `\,`, `=`, `\=`, ` `, `\ `)
	return string(k.Quantity) + ",gateway=" + tag.Replace(k.Gateway) + ",place=" + tag.Replace(k.Place) + ",sensor=" + tag.Replace(k.Sensor) + " "
}
