package historytest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// model is one series as the port describes it, without any of the engines' arithmetic.
type model map[int64]history.Point

func (m model) points(from, to time.Time) (points []history.Point) {
	for _, p := range m {
		if !p.Time.Before(from) && p.Time.Before(to) {
			points = append(points, p)
		}
	}
	sortPoints(points)
	return points
}

// ranges puts points into steps by walking back, minute by minute, to where each step began on the clocks of the zone.
func (m model) ranges(q history.Query) (buckets []history.Bucket) {
	var sums []float64
	for _, p := range m.points(q.From, q.To) {
		start := p.Time
		if q.Every > 0 {
			start = stepStart(p.Time, q)
		}
		if n := len(buckets); n == 0 || !buckets[n-1].Start.Equal(start) {
			buckets, sums = append(buckets, history.Bucket{Start: start}), append(sums, 0)
		}
		b, i := &buckets[len(buckets)-1], len(buckets)-1
		b.Worst = max(b.Worst, p.Quality)
		switch {
		case p.Quality == measure.Fault:
			b.Faults++
			continue
		case p.Quality == measure.OutOfRange:
			b.OutOfRange++
			continue
		case b.N == 0:
			b.Min, b.Max = p.Value, p.Value
		}
		b.N++
		b.Min, b.Max = min(b.Min, p.Value), max(b.Max, p.Value)
		sums[i] += p.Value
		b.Mean = sums[i] / float64(b.N)
	}
	return buckets
}

// stepStart: the steps here are whole minutes, and so are the offsets of zones.
func stepStart(t time.Time, q history.Query) time.Time {
	label := func(t time.Time) (step int64, offset int) {
		_, offset = t.In(q.Zone).Zone()
		return (t.Unix() + int64(offset)) / int64(q.Every/time.Second), offset
	}
	start := t.Truncate(time.Minute)
	step, offset := label(start)
	for {
		before, o := label(start.Add(-time.Minute))
		change := time.Duration(max(o-offset, offset-o)) * time.Second
		if before != step || (change > 0 && change >= q.Every) {
			return start
		}
		start, offset = start.Add(-time.Minute), o
	}
}

// agreesWithModel writes and reads at random, over the days on which the clocks change in Europe.
func agreesWithModel(t *testing.T, e Engine) {
	s := e.open(t)
	zones := []*time.Location{time.UTC, hcm(), nil, time.FixedZone("", 5*3600+45*60), time.FixedZone("", -3*3600-1800)}
	if z, err := time.LoadLocation("Europe/Berlin"); err == nil {
		zones = append(zones, z, z, z)
	}
	begins := []time.Time{time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC), t0().UTC()}
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		k := sensor(run) // its own series in each run
		begin := rapid.SampledFrom(begins).Draw(r, "begin")
		instant := rapid.Custom(func(r *rapid.T) time.Time {
			if rapid.Bool().Draw(r, "round") { // on the border of a step
				return begin.Add(time.Duration(rapid.IntRange(0, 72*4).Draw(r, "quarter")) * 15 * time.Minute)
			}
			return begin.Add(time.Duration(rapid.IntRange(0, 72*3600_000).Draw(r, "ms")) * time.Millisecond)
		})
		m := model{}
		for range rapid.IntRange(1, 3).Draw(r, "writes") {
			var points []history.Point
			for range rapid.IntRange(0, 40).Draw(r, "points") {
				p := history.Point{Series: k, Time: instant.Draw(r, "t"), Value: rapid.Float64Range(-50, 50).Draw(r, "value")}
				if p.Quality = measure.Quality(rapid.IntRange(0, int(measure.Fault)).Draw(r, "quality")); p.Quality == measure.Fault {
					p.Value = 0
				}
				points = append(points, p)
				m[p.Time.UnixMilli()] = p
			}
			if err := s.Write(t.Context(), points); err != nil {
				r.Fatalf("Write: %v", err)
			}
		}
		agree(t, r, s, k, m, instant, zones)
	})
}

func agree(t *testing.T, r *rapid.T, s history.Store, k history.Series, m model, instant *rapid.Generator[time.Time], zones []*time.Location) {
	for range 3 {
		q := history.Query{Series: k, From: instant.Draw(r, "from"), To: instant.Draw(r, "to"), Zone: rapid.SampledFrom(zones).Draw(r, "zone")}
		minutes := rapid.SampledFrom([]int{0, 1, 7, 15, 30, 60, 90, 120, 360, 1440, 7 * 1440}).Draw(r, "every")
		q.Every = time.Duration(minutes) * time.Minute
		got, err := s.Range(t.Context(), q)
		if err != nil {
			r.Fatalf("Range: %v", err)
		}
		if q.Zone == nil {
			q.Zone = time.UTC
		}
		equal(r, fmt.Sprintf("range %+v", q), m.ranges(q), got)
		points, err := collect(t.Context(), s, k, q.From, q.To)
		if err != nil {
			r.Fatalf("Each: %v", err)
		}
		equal(r, "each", m.points(q.From, q.To), points)
	}
	var want []history.Point
	if points := m.points(time.Time{}, time.Unix(1<<33, 0)); len(points) > 0 {
		want = slices.Clone(points[len(points)-1:])
	}
	got, err := s.Latest(t.Context(), []history.Series{k})
	if err != nil {
		r.Fatalf("Latest: %v", err)
	}
	equal(r, "latest", want, got)
}
