package historytest

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

func emptyHistory(t *testing.T, e Engine) {
	s := e.open(t)
	q := history.Query{Series: pond(), From: t0(), To: t0().Add(time.Hour)}
	same(t, "raw range", []history.Bucket(nil), rangeOf(t, s, q))
	q.Every = time.Minute
	same(t, "range", []history.Bucket(nil), rangeOf(t, s, q))
	same(t, "each", []history.Point(nil), all(t, s, pond()))
	for _, ask := range [][]history.Series{nil, {pond()}} {
		if got, err := s.Latest(t.Context(), ask); err != nil || len(got) != 0 {
			t.Errorf("Latest of nothing = %v, %v", got, err)
		}
	}
	write(t, s) // nothing
	// A series is there, but not at that time.
	write(t, s, point(pond(), 0, 1))
	q.From, q.To = t0().Add(time.Hour), t0().Add(2*time.Hour)
	same(t, "range beside the data", []history.Bucket(nil), rangeOf(t, s, q))
	q.To = q.From
	same(t, "empty range", []history.Bucket(nil), rangeOf(t, s, q))
	q.From, q.To = time.Time{}, time.Time{}
	same(t, "range of no time", []history.Bucket(nil), rangeOf(t, s, q))
}

func writingAgain(t *testing.T, e Engine) {
	s := e.open(t)
	points := append(minutes(pond(), 200), fault(pond(), 300*time.Minute))
	for range 3 {
		write(t, s, points...)
	}
	same(t, "points", points, all(t, s, pond()))
}

// counts is about a method beside the port: what counts a history against the log that it is drawn from.
func counts(t *testing.T, e Engine) {
	s := e.open(t)
	c, ok := s.(interface {
		CountPoints(ctx context.Context) (map[string]int64, error)
	})
	if !ok {
		t.Fatal("this engine does not count")
	}
	count := func() map[string]int64 {
		got, err := c.CountPoints(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	same(t, "points of an empty history", map[string]int64{}, count())
	other, soil := pond(), pond()
	other.Gateway, soil.Quantity, soil.Place = "gw-other", measure.SoilMoisture, "unplaced"
	write(t, s, append(minutes(pond(), 200), fault(pond(), 300*time.Minute))...)
	write(t, s, minutes(pond(), 100)...) // again
	write(t, s, minutes(soil, 7)...)
	write(t, s, minutes(other, 5)...)
	same(t, "points", map[string]int64{pond().Gateway: 208, "gw-other": 5}, count())
}

func orderDoesNotMatter(t *testing.T, e Engine) {
	s := e.open(t)
	points := minutes(pond(), 500)
	mixed := slices.Clone(points)
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	for part := range slices.Chunk(mixed, 37) {
		write(t, s, part...)
	}
	same(t, "points", points, all(t, s, pond()))
}

func replacement(t *testing.T, e Engine) {
	s := e.open(t)
	for _, p := range []history.Point{
		point(pond(), 0, 1), fault(pond(), 0), point(pond(), 0, 2), of(point(pond(), 0, 99), measure.OutOfRange),
		of(point(pond(), 0, 3), measure.Suspect), fault(pond(), 0), point(pond(), 0, 4),
	} {
		write(t, s, p)
		same(t, "point", []history.Point{p}, all(t, s, pond()))
		same(t, "bucket", []history.Bucket{p.Bucket()}, rangeOf(t, s, history.Query{Series: pond(), From: t0(), To: t0().Add(1e9), Every: time.Second}))
		got, err := s.Latest(t.Context(), []history.Series{pond()})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "latest", []history.Point{p}, got)
	}
	// Within one call.
	write(t, s, point(pond(), time.Minute, 1), fault(pond(), time.Minute), point(pond(), 2*time.Minute, 1), point(pond(), time.Minute, 7))
	same(t, "points of one call", []history.Point{point(pond(), 0, 4), point(pond(), time.Minute, 7), point(pond(), 2*time.Minute, 1)}, all(t, s, pond()))
	write(t, s, point(pond(), time.Minute, 1), fault(pond(), time.Minute))
	same(t, "fault last", []history.Point{point(pond(), 0, 4), fault(pond(), time.Minute), point(pond(), 2*time.Minute, 1)}, all(t, s, pond()))
	// Times between two milliseconds are the millisecond before.
	write(t, s, point(pond(), time.Minute+999*time.Microsecond, 5))
	same(t, "sub-millisecond", []history.Point{point(pond(), 0, 4), point(pond(), time.Minute, 5), point(pond(), 2*time.Minute, 1)}, all(t, s, pond()))
}

func faultsDisturbNothing(t *testing.T, e Engine) {
	s := e.open(t)
	write(t, s,
		point(pond(), 0, 4), fault(pond(), time.Minute), of(point(pond(), 2*time.Minute, -999), measure.OutOfRange),
		of(point(pond(), 3*time.Minute, 8), measure.Suspect), of(point(pond(), 4*time.Minute, 6), measure.Estimated),
		of(point(pond(), 5*time.Minute, 999), measure.OutOfRange),
		// an hour of nothing but faults, one of nothing but values out of range, one empty, one of uncalibrated values
		fault(pond(), 60*time.Minute), fault(pond(), 61*time.Minute),
		of(point(pond(), 120*time.Minute, 50), measure.OutOfRange),
		of(point(pond(), 240*time.Minute, 5), measure.Uncalibrated), point(pond(), 241*time.Minute, 7))
	hour := func(n int) time.Time { return t0().Add(time.Duration(n) * time.Hour).UTC() }
	same(t, "hours", []history.Bucket{
		{Start: hour(0), N: 3, Min: 4, Mean: 6, Max: 8, OutOfRange: 2, Faults: 1, Worst: measure.Fault},
		{Start: hour(1), Faults: 2, Worst: measure.Fault},
		{Start: hour(2), OutOfRange: 1, Worst: measure.OutOfRange},
		{Start: hour(4), N: 2, Min: 5, Mean: 6, Max: 7, Worst: measure.Uncalibrated},
	}, rangeOf(t, s, history.Query{Series: pond(), From: t0(), To: t0().Add(6 * time.Hour), Every: time.Hour, Zone: hcm()}))
	// A series that has never had a value.
	mute := sensor(1)
	write(t, s, fault(mute, 0))
	same(t, "mute", []history.Bucket{{Start: hour(0), Faults: 1, Worst: measure.Fault}},
		rangeOf(t, s, history.Query{Series: mute, From: t0(), To: hour(1), Every: time.Hour}))
	same(t, "mute, raw", []history.Point{fault(mute, 0)}, all(t, s, mute))
}

func rawRange(t *testing.T, e Engine) {
	s := e.open(t)
	points := []history.Point{
		point(pond(), 0, 4), fault(pond(), time.Second), of(point(pond(), 2*time.Second, -7), measure.OutOfRange),
		of(point(pond(), 2*time.Second+time.Millisecond, 5), measure.Estimated),
	}
	write(t, s, points...)
	want := make([]history.Bucket, len(points))
	for i, p := range points {
		want[i] = p.Bucket()
	}
	same(t, "raw", want, rangeOf(t, s, history.Query{Series: pond(), From: t0(), To: t0().Add(time.Hour), Zone: hcm()}))
}

func bounds(t *testing.T, e Engine) {
	s := e.open(t)
	points := minutes(pond(), 10)
	write(t, s, points...)
	from, to := points[2].Time, points[5].Time
	got, err := collect(t.Context(), s, pond(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "each", points[2:5], got)
	same(t, "raw", []history.Bucket{points[2].Bucket(), points[3].Bucket(), points[4].Bucket()},
		rangeOf(t, s, history.Query{Series: pond(), From: from, To: to}))
	same(t, "steps", []history.Bucket{{Start: t0().UTC(), N: 3, Min: 2, Mean: 3, Max: 4}},
		rangeOf(t, s, history.Query{Series: pond(), From: from, To: to, Every: time.Hour}))
	got, err = collect(t.Context(), s, pond(), from.Add(time.Nanosecond), to.Add(time.Nanosecond))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "bounds between milliseconds", points[3:6], got)
	got, err = collect(t.Context(), s, pond(), time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "all of time", points, got)
	if got, err = collect(t.Context(), s, pond(), to, from); err != nil || len(got) != 0 {
		t.Errorf("backwards: %v, %v", got, err)
	}
}

func steps(t *testing.T, e Engine) {
	s := e.open(t)
	write(t, s, point(pond(), -time.Millisecond, 1), point(pond(), 0, 2), point(pond(), 24*time.Hour-time.Millisecond, 4), point(pond(), 24*time.Hour, 8))
	day := t0().UTC()
	q := history.Query{Series: pond(), From: t0().AddDate(0, 0, -2), To: t0().AddDate(0, 0, 2), Every: 24 * time.Hour, Zone: hcm()}
	same(t, "days of Phú Khê", []history.Bucket{
		{Start: day.Add(-24 * time.Hour), N: 1, Min: 1, Mean: 1, Max: 1},
		{Start: day, N: 2, Min: 2, Mean: 3, Max: 4},
		{Start: day.Add(24 * time.Hour), N: 1, Min: 8, Mean: 8, Max: 8},
	}, rangeOf(t, s, q))
	q.Zone = time.UTC
	same(t, "days of Greenwich", []history.Bucket{
		{Start: day.Add(-17 * time.Hour), N: 2, Min: 1, Mean: 1.5, Max: 2},
		{Start: day.Add(7 * time.Hour), N: 2, Min: 4, Mean: 6, Max: 8},
	}, rangeOf(t, s, q))
	q.Zone, q.Every = hcm(), 5*time.Millisecond
	same(t, "steps of 5 ms", []time.Time{
		day.Add(-5 * time.Millisecond), day, day.Add(24*time.Hour - 5*time.Millisecond), day.Add(24 * time.Hour),
	}, starts(rangeOf(t, s, q)))
}

// summerTime: the day on which the clocks change is one step, made of two halves.
func summerTime(t *testing.T, e Engine) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatalf("%v: import time/tzdata in the engine's test", err)
	}
	s := e.open(t)
	k := pond()
	midnight := time.Date(2026, 3, 29, 0, 0, 0, 0, berlin).UTC()
	point := func(hours int, v float64, q measure.Quality) history.Point {
		return history.Point{Series: k, Time: midnight.Add(time.Duration(hours) * time.Hour), Value: v, Quality: q}
	}
	write(t, s, point(-1, 50, 0), point(0, 6, 0), point(1, 4, measure.Suspect), point(2, 2, 0), point(3, 3, 0), point(4, 11, 0),
		point(5, 999, measure.OutOfRange), point(22, 0, measure.Fault), point(23, 60, 0))
	q := history.Query{Series: k, From: midnight.AddDate(0, 0, -1), To: midnight.AddDate(0, 0, 2), Every: 24 * time.Hour, Zone: berlin}
	same(t, "days", []history.Bucket{
		{Start: midnight.Add(-24 * time.Hour), N: 1, Min: 50, Mean: 50, Max: 50},
		{Start: midnight, N: 5, Min: 2, Mean: 5.2, Max: 11, OutOfRange: 1, Faults: 1, Worst: measure.Fault},
		{Start: midnight.Add(23 * time.Hour), N: 1, Min: 60, Mean: 60, Max: 60},
	}, rangeOf(t, s, q))
}

func starts(buckets []history.Bucket) (ts []time.Time) {
	for _, b := range buckets {
		ts = append(ts, b.Start)
	}
	return ts
}

func exactValues(t *testing.T, e Engine) {
	s := e.open(t)
	values := []float64{
		-0.0001, 1e-7, 1e21, -1e21, 0.1, 1.0 / 3, math.Pi, 5, -5, 0, 1 << 53, 1<<53 + 2, 123456789.123456789, 6.02,
		math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e-300, 9007199254740993, 18446744073709551615, 1e15, 1e16,
	}
	var points []history.Point
	for i, v := range values {
		points = append(points, point(pond(), time.Duration(i)*time.Hour, v))
	}
	write(t, s, points...)
	for i, p := range all(t, s, pond()) {
		if p.Value != values[i] {
			t.Errorf("wrote %v, read %v", values[i], p.Value)
		}
	}
	for i, b := range rangeOf(t, s, history.Query{Series: pond(), From: t0(), To: t0().AddDate(0, 0, 3), Every: time.Hour}) {
		if b.Min != values[i] || b.Max != values[i] {
			t.Errorf("wrote %v, read min %v max %v", values[i], b.Min, b.Max)
		}
	}
	for i, p := range points {
		got, err := collect(t.Context(), s, pond(), p.Time, p.Time.Add(time.Millisecond))
		if err != nil || len(got) != 1 || got[0].Value != values[i] {
			t.Errorf("wrote %v, read %v, %v", values[i], got, err)
		}
	}
}

func sortPoints(points []history.Point) {
	slices.SortFunc(points, func(a, b history.Point) int {
		return cmp.Or(a.Compare(b.Series), a.Time.Compare(b.Time))
	})
}
