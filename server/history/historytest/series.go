package historytest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

func latest(t *testing.T, e Engine) {
	s := e.open(t)
	a, b, c, moved := sensor(1), sensor(2), sensor(3), sensor(1)
	moved.Place = "AO2"
	write(t, s, point(a, time.Hour, 5), point(a, 0, 1), point(b, 0, 2), fault(b, time.Minute), point(moved, 2*time.Hour, 9))
	write(t, s, point(a, 30*time.Minute, 3)) // late, and not the newest
	for _, tc := range []struct {
		ask  []history.Series
		want []history.Point
	}{
		{[]history.Series{a, b, c}, []history.Point{point(a, time.Hour, 5), fault(b, time.Minute)}},
		{[]history.Series{a, a, a}, []history.Point{point(a, time.Hour, 5)}},
		{[]history.Series{moved}, []history.Point{point(moved, 2*time.Hour, 9)}},
		{[]history.Series{c}, nil},
	} {
		got, err := s.Latest(t.Context(), tc.ask)
		if err != nil {
			t.Fatal(err)
		}
		sortPoints(got)
		same(t, "latest", tc.want, got)
	}
	write(t, s, of(point(b, time.Hour, 77), measure.OutOfRange))
	got, err := s.Latest(t.Context(), []history.Series{b})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "latest after more", []history.Point{of(point(b, time.Hour, 77), measure.OutOfRange)}, got)
}

func latestOfMany(t *testing.T, e Engine) {
	s := e.open(t)
	const n = 2000
	var points, want []history.Point
	var ask []history.Series
	for i := range n {
		k := sensor(i)
		k.Quantity = measure.Quantities()[i%len(measure.Quantities())]
		k.Place = fmt.Sprintf("AO%d", i%50)
		for m := range 5 {
			points = append(points, point(k, time.Duration(m)*time.Minute, float64(i+m)))
		}
		want = append(want, point(k, 4*time.Minute, float64(i+4)))
		ask = append(ask, k, history.Series{Place: "not there", Quantity: k.Quantity, Gateway: k.Gateway, Sensor: k.Sensor})
	}
	write(t, s, points...)
	for _, part := range []int{2 * n, 2, 100, 500} { // engines may ask differently for few and for many
		got, err := s.Latest(t.Context(), ask[:part])
		if err != nil {
			t.Fatal(err)
		}
		expect := append([]history.Point(nil), want[:part/2]...)
		sortPoints(got)
		sortPoints(expect)
		same(t, fmt.Sprintf("latest of %d", part), expect, got)
	}
}

// seriesDoNotMix uses names that a careless engine would read as something else.
func seriesDoNotMix(t *testing.T, e Engine) {
	s := e.open(t)
	names := []string{
		"a", "A", "a b", "a,b", "a=b", "a,b=c d", "ao1", "ao1-", "ao10", "ao'1", `ao"1`, `"`, `'`, "' OR 1=1 --", `") OR time > 0 --`,
		"'; DROP TABLE point; --", "Ao Phú Khê số 1 – bờ đông", "池", "a%b", "a_b", "$1", "?", "#", "{}", "/.*/", "[a]", "null", "true", "1",
		"time", "value", "q", "place", " lead", "trail ", "a, b", "=", ",", "a/b", "x;y", "a:b", "🐟",
	}
	var series []history.Series
	for _, n := range names {
		for _, k := range []history.Series{
			{Place: n, Gateway: "gw", Sensor: "s"}, {Place: "p", Gateway: n, Sensor: "s"}, {Place: "p", Gateway: "gw", Sensor: n}, {Place: n, Gateway: n, Sensor: n},
		} {
			k.Quantity = measure.PH
			series = append(series, k)
		}
	}
	hot := pond()
	hot.Quantity = measure.WaterTemperature
	series = append(series, pond(), hot)
	var points []history.Point
	for i, k := range series {
		points = append(points, point(k, 0, float64(i)))
	}
	write(t, s, points...)
	for i, k := range series {
		same(t, fmt.Sprintf("each of %+v", k), points[i:i+1], all(t, s, k))
		same(t, fmt.Sprintf("range of %+v", k), []history.Bucket{{Start: t0().UTC(), N: 1, Min: float64(i), Mean: float64(i), Max: float64(i)}},
			rangeOf(t, s, history.Query{Series: k, From: t0(), To: t0().Add(time.Hour), Every: time.Hour}))
		got, err := s.Latest(t.Context(), []history.Series{k})
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("latest of %+v", k), points[i:i+1], got)
	}
}

func rejection(t *testing.T, e Engine) {
	s := e.open(t)
	nan, inf, name, quality := point(pond(), 1, math.NaN()), point(pond(), 2, math.Inf(-1)), point(pond(), 3, 1), of(point(pond(), 4, 1), 9)
	name.Sensor = "a\nb"
	long := fault(pond(), time.Minute)
	long.Value = math.NaN() // the value of a fault is not looked at
	err := s.Write(t.Context(), []history.Point{nan, point(pond(), 0, 1), inf, name, quality, long})
	var r *history.RejectedError
	if !errors.As(err, &r) || errors.Is(err, history.ErrUnavailable) {
		t.Fatalf("Write of bad points = %v", err)
	}
	if len(r.Rejected) != 4 {
		t.Fatalf("rejected %d points, want 4: %v", len(r.Rejected), r.Rejected)
	}
	for i, p := range []history.Point{nan, inf, name, quality} {
		if got := r.Rejected[i]; got.Point.Sensor != p.Sensor || !got.Point.Time.Equal(p.Time) || got.Reason == "" {
			t.Errorf("rejected %d is %+v", i, got)
		}
	}
	same(t, "the rest", []history.Point{point(pond(), 0, 1), fault(pond(), time.Minute)}, all(t, s, pond()))
	if err := s.Write(t.Context(), []history.Point{nan}); !errors.As(err, &r) || len(r.Rejected) != 1 {
		t.Errorf("Write of one bad point = %v", err)
	}
}

func nonsense(t *testing.T, e Engine) {
	s := e.open(t)
	for _, every := range []time.Duration{-time.Hour, time.Microsecond} {
		if _, err := s.Range(t.Context(), history.Query{Series: pond(), From: t0(), To: t0().Add(time.Hour), Every: every}); err == nil {
			t.Errorf("steps of %s were accepted", every)
		}
	}
	for _, k := range []history.Series{{}, {Place: "a", Quantity: `ph"; DROP SERIES FROM "ph`, Gateway: "g", Sensor: "s"}} {
		if b, err := s.Range(t.Context(), history.Query{Series: k, From: t0(), To: t0().Add(time.Hour)}); err != nil || len(b) > 0 {
			t.Errorf("range of %+v: %v, %v: want nothing", k, b, err)
		}
		if p, err := s.Latest(t.Context(), []history.Series{k, pond()}); err != nil || len(p) > 0 {
			t.Errorf("latest of %+v: %v, %v: want nothing", k, p, err)
		}
	}
}

func largeWrites(t *testing.T, e Engine) {
	s := e.open(t)
	const n, series = 50_000, 7
	points := make([]history.Point, n)
	for i := range points {
		points[i] = point(sensor(i%series), time.Duration(i/series)*time.Minute, float64(i))
	}
	write(t, s, points...)
	total := 0
	for k := range series {
		var sum int
		for _, b := range rangeOf(t, s, history.Query{Series: sensor(k), From: t0(), To: t0().AddDate(0, 1, 0), Every: 24 * time.Hour, Zone: hcm()}) {
			sum += b.N
		}
		if got := len(all(t, s, sensor(k))); got != sum {
			t.Errorf("series %d: %d points one by one, %d in steps", k, got, sum)
		}
		total += sum
	}
	if total != n {
		t.Errorf("%d points of %d", total, n)
	}
}

func concurrentWriters(t *testing.T, e Engine) {
	s := e.open(t)
	const writers, rounds, each = 8, 10, 50
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for r := range rounds {
				var points []history.Point
				for i := range each {
					n := r*each + i
					points = append(points, point(sensor(w), time.Duration(n)*time.Second, float64(n)), point(pond(), time.Duration(n)*time.Second, float64(n)))
				}
				if err := s.Write(ctx, points); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				if _, err := s.Latest(ctx, []history.Series{pond(), sensor(w)}); err != nil {
					t.Errorf("reader %d: %v", w, err)
				}
				if got, err := collect(ctx, s, sensor(w), t0(), t0().AddDate(0, 0, 1)); err != nil || len(got) != (r+1)*each {
					t.Errorf("writer %d reads %d points of its own %d: %v", w, len(got), (r+1)*each, err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(all(t, s, pond())); got != rounds*each {
		t.Errorf("%d points in the series all wrote, want %d", got, rounds*each)
	}
}

func cancellation(t *testing.T, e Engine) {
	s := e.open(t)
	write(t, s, minutes(pond(), 100)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, rangeErr := s.Range(ctx, history.Query{Series: pond(), From: t0(), To: t0().Add(time.Hour), Every: time.Minute})
	_, rawErr := s.Range(ctx, history.Query{Series: pond(), From: t0(), To: t0().Add(time.Hour)})
	_, latestErr := s.Latest(ctx, []history.Series{pond()})
	_, eachErr := collect(ctx, s, pond(), t0(), t0().Add(time.Hour))
	for name, err := range map[string]error{
		"Write": s.Write(ctx, minutes(sensor(1), 100)), "Range": rangeErr, "raw Range": rawErr, "Latest": latestErr, "Each": eachErr,
	} {
		if !errors.Is(err, context.Canceled) || errors.Is(err, history.ErrUnavailable) {
			t.Errorf("%s after cancel = %v: want context.Canceled alone", name, err)
		}
	}
	write(t, s, point(pond(), time.Second, 1)) // and the store goes on
}

func eachStreams(t *testing.T, e Engine) {
	s := e.open(t)
	points := minutes(pond(), 12_345)
	write(t, s, points...)
	n := 0
	err := s.Each(t.Context(), pond(), t0(), t0().AddDate(1, 0, 0), func(p history.Point) error {
		if !p.Time.Equal(points[n].Time) || p.Value != points[n].Value || p.Series != pond() {
			t.Fatalf("point %d is %+v", n, p)
		}
		if n++; n%5000 == 1 { // whoever reads may write
			return s.Write(t.Context(), []history.Point{point(sensor(1), time.Duration(n)*time.Second, 1)})
		}
		return nil
	})
	if err != nil || n != len(points) {
		t.Fatalf("%d points of %d, %v", n, len(points), err)
	}
	n, enough := 0, errors.New("enough")
	err = s.Each(t.Context(), pond(), t0(), t0().AddDate(1, 0, 0), func(history.Point) error {
		if n++; n == 7 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || errors.Is(err, history.ErrUnavailable) || n != 7 {
		t.Errorf("stopped after %d points with %v: want 7 and the error of the function", n, err)
	}
}

func summarise(t *testing.T, e Engine) {
	s := e.open(t)
	write(t, s, point(pond(), -time.Minute, 9), point(pond(), 0, 4), point(pond(), time.Minute, 6), fault(pond(), 2*time.Minute), point(pond(), 10*time.Minute, 8))
	got, err := history.Summarise(t.Context(), s, pond(), history.Terms{
		From: t0().UTC(), To: t0().Add(11 * time.Minute).UTC(), Hold: 150 * time.Second, Limits: &history.Limits{Low: 5, High: math.Inf(1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(m int) time.Time { return t0().Add(time.Duration(m) * time.Minute).UTC() }
	same(t, "summary", history.Summary{
		From: at(0), To: at(11), N: 3, Min: 4, Mean: 6, Max: 8, TimeMean: 6, Faults: 1, Covered: 3 * time.Minute, Within: 2 * time.Minute,
		First: at(0), Last: at(10), Gaps: []history.Gap{{From: at(2), To: at(10), Faults: 1}}, ByQuality: [6]int{3, 0, 0, 0, 0, 1},
	}, got)
}
