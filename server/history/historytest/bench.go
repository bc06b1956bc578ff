package historytest

import (
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// Bench measures one engine: writing as a projector does, and what a page asks.
func Bench(b *testing.B, open func(b *testing.B) history.Store) {
	b.Run("Write", func(b *testing.B) { benchWrite(b, open(b)) })
	s := open(b)
	const month = 30 * 24 * 60
	for part := range month / 1440 { // other series around it, as on a farm
		var points []history.Point
		for k := range 20 {
			for i := range 1440 {
				points = append(points, point(sensor(k), time.Duration(part*1440+i)*time.Minute, float64(i%100)/7))
			}
		}
		benchWriteAll(b, s, points)
	}
	q := history.Query{Series: sensor(7), From: t0(), To: t0().AddDate(0, 0, 30), Every: time.Hour, Zone: hcm()}
	made := func() {
		if err := rollUp(b.Context(), s, always(warm(1, 4, 14))); err != nil {
			b.Fatal(err)
		}
	}
	made()
	b.Run("Range/30d_hourly_of_43200_points", func(b *testing.B) {
		for b.Loop() {
			if got, err := s.Range(b.Context(), q); err != nil || len(got) != 720 || got[0].N != 60 {
				b.Fatal(len(got), err)
			}
		}
	})
	season := history.Query{Series: sensor(500), From: t0(), To: t0().AddDate(0, 0, 120), Every: 24 * time.Hour, Zone: hcm()}
	for d := range 120 {
		var points []history.Point
		for i := range 1440 {
			points = append(points, point(sensor(500), time.Duration(d*1440+i)*time.Minute, float64(i%100)/7))
		}
		benchWriteAll(b, s, points)
	}
	made()
	b.Run("Range/120d_daily_of_172800_points", func(b *testing.B) {
		for b.Loop() {
			if got, err := s.Range(b.Context(), season); err != nil || len(got) < 120 {
				b.Fatal(len(got), err)
			}
		}
	})
	day := q
	day.From, day.Every = t0().AddDate(0, 0, 29), 0
	b.Run("Range/24h_raw_of_1440_points", func(b *testing.B) {
		for b.Loop() {
			if got, err := s.Range(b.Context(), day); err != nil || len(got) != 1440 {
				b.Fatal(len(got), err)
			}
		}
	})
	b.Run("Summarise/30d_of_43200_points", func(b *testing.B) {
		terms := history.Terms{From: q.From, To: q.To, Hold: history.RollupHold, Limits: &history.Limits{Low: 4, High: 14}}
		for b.Loop() {
			if got, err := history.Summarise(b.Context(), s, q.Series, terms); err != nil || got.N != 43200 {
				b.Fatal(got.N, err)
			}
		}
	})
	var ask []history.Series
	var points []history.Point
	for i := range 2000 {
		k := sensor(1000 + i)
		k.Quantity = measure.Quantities()[i%7]
		ask = append(ask, k)
		for m := range 50 {
			points = append(points, point(k, time.Duration(m)*time.Minute, 1))
		}
	}
	benchWriteAll(b, s, points)
	b.Run("Latest/2000_series", func(b *testing.B) {
		for b.Loop() {
			if got, err := s.Latest(b.Context(), ask); err != nil || len(got) != 2000 {
				b.Fatal(len(got), err)
			}
		}
	})
	b.Run("Latest/20_series_with_a_month", func(b *testing.B) {
		var few []history.Series
		for k := range 20 {
			few = append(few, sensor(k))
		}
		for b.Loop() {
			if got, err := s.Latest(b.Context(), few); err != nil || len(got) != 20 {
				b.Fatal(len(got), err)
			}
		}
	})
}

// benchWrite writes minutes of 60 series as they come, 10,000 points a call; b.N counts points.
func benchWrite(b *testing.B, s history.Store) {
	const call, series = 10_000, 60
	points := make([]history.Point, call)
	b.ResetTimer()
	n := 0
	for n < b.N {
		for i := range points {
			points[i] = point(sensor((n+i)%series), time.Duration((n+i)/series)*time.Minute, float64((n+i)%997)*0.37)
		}
		benchWriteAll(b, s, points)
		n += call
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "points/s")
}

func benchWriteAll(b *testing.B, s history.Store, points []history.Point) {
	b.Helper()
	if err := s.Write(b.Context(), points); err != nil {
		b.Fatal(err)
	}
}
