package sqlite_test

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/history/sqlite"
)

// counted is a range as the raw points of the same store make it, by the clocks of UTC+7.
func counted(t *rapid.T, s *sqlite.Store, q history.Query) (out []history.Bucket) {
	err := s.Each(t.Context(), q.Series, q.From, q.To, func(p history.Point) error {
		const zone = 7 * time.Hour
		ms := p.Time.Add(zone).UnixMilli()
		start := time.UnixMilli(ms - ms%q.Every.Milliseconds()).Add(-zone).UTC()
		if n := len(out); n == 0 || !out[n-1].Start.Equal(start) {
			out = append(out, history.Bucket{Start: start})
		}
		b, one := &out[len(out)-1], p.Bucket()
		if one.N == 1 {
			if b.N == 0 {
				b.Min, b.Max = math.Inf(1), math.Inf(-1)
			}
			b.Mean = (b.Mean*float64(b.N) + one.Mean) / float64(b.N+1)
			b.Min, b.Max, b.N = min(b.Min, one.Min), max(b.Max, one.Max), b.N+1
		}
		b.Faults, b.OutOfRange, b.Worst = b.Faults+one.Faults, b.OutOfRange+one.OutOfRange, max(b.Worst, one.Worst)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Steps of whole hours say what the points say, whatever came in which order, was replaced, or is cut by the ends of the query.
func TestRange_OfHoursIsThatOfThePoints(t *testing.T) {
	zone := time.FixedZone("", 7*60*60)
	t0 := time.Date(2026, 11, 1, 0, 0, 0, 0, zone)
	sr := history.Series{Place: "F7NE3CDQ7", Quantity: measure.DissolvedOxygen, Gateway: "gw", Sensor: "s"}
	rapid.Check(t, func(rt *rapid.T) {
		s := open(t, filepath.Join(t.TempDir(), "h.db"))
		defer closed(t, s)
		for range rapid.IntRange(1, 4).Draw(rt, "writes") {
			var points []history.Point
			for range rapid.IntRange(1, 60).Draw(rt, "points") {
				points = append(points, history.Point{
					Series: sr, Time: t0.Add(time.Duration(rapid.IntRange(0, 200*60).Draw(rt, "at")) * time.Minute), Value: float64(rapid.IntRange(-50, 50).Draw(rt, "v")) / 4,
					Quality: measure.Quality(rapid.IntRange(0, int(measure.Fault)).Draw(rt, "q")), //nolint:gosec // small
				})
			}
			if err := s.Write(rt.Context(), points); err != nil {
				rt.Fatal(err)
			}
		}
		q := history.Query{Series: sr, Zone: zone, Every: time.Duration(rapid.SampledFrom([]int{1, 2, 4, 6, 12, 24}).Draw(rt, "every")) * time.Hour}
		q.From = t0.Add(time.Duration(rapid.IntRange(-500, 200*60).Draw(rt, "from")) * time.Minute)
		q.To = q.From.Add(time.Duration(rapid.IntRange(0, 200*60).Draw(rt, "long")) * time.Minute)
		got, err := s.Range(rt.Context(), q)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(counted(rt, s, q), got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-9, 1e-9)); diff != "" {
			rt.Fatalf("%+v: %s", q, diff)
		}
	})
}

func TestOpen_RollsUpAFileOfAnOlderVersion(t *testing.T) {
	for _, version := range []string{"1", "2"} {
		t.Run(version, func(t *testing.T) { rollsUpOld(t, version) })
	}
}

func rollsUpOld(t *testing.T, version string) {
	path := filepath.Join(t.TempDir(), "h.db")
	sr := history.Series{Place: "F7NE3CDQ7", Quantity: measure.PH, Gateway: "gw", Sensor: "s"}
	t0 := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var points []history.Point
	for i := range 600 {
		points = append(points, history.Point{Series: sr, Time: t0.Add(time.Duration(i) * time.Minute), Value: 7 + float64(i%10)/10, Quality: measure.Quality(i % 6)}) //nolint:gosec // small
	}
	s := open(t, path)
	if err := s.Write(t.Context(), points); err != nil {
		t.Fatal(err)
	}
	q := history.Query{Series: sr, From: t0.Add(30 * time.Minute), To: t0.Add(9 * time.Hour), Every: time.Hour}
	want, err := s.Range(t.Context(), q)
	if err != nil || len(want) != 9 {
		t.Fatal(len(want), err)
	}
	closed(t, s)
	exec1(t, path, "DROP TABLE rollup")
	exec1(t, path, "ALTER TABLE series DROP COLUMN judged")
	if version == "2" {
		exec1(t, path, "CREATE TABLE hour (series BIGINT, hour BIGINT)")
	}
	exec1(t, path, "PRAGMA user_version = "+version)
	s = open(t, path)
	marks, err := s.Stale(t.Context(), t0.AddDate(0, 0, 1), 100)
	if err != nil || len(marks) != 11 {
		t.Fatalf("%d hours are stale (%v): want the ten with points and the one after", len(marks), err)
	}
	got, err := s.Range(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	closed(t, s)
	if v := exec1(t, path, "PRAGMA user_version"); v != "3" {
		t.Errorf("version %s", v)
	}
}
