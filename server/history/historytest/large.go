package historytest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// A large store: 2,000 series of a reading a minute, 400 of them of a season of 120 days, the others of the last 13 days: 100 million points.
const (
	largeSeries   = 2000
	seasonSeries  = 400
	seasonMinutes = 120 * 1440
	otherMinutes  = 19_300
	largePart     = 7 * 1440 // written at once
)

// LargeFolder is where the large store of an engine is kept between runs; the benchmark is skipped where the variable is not set.
func LargeFolder(b *testing.B, engine string) string {
	b.Helper()
	dir := os.Getenv("AOVUON_HISTORY_LARGE")
	if dir == "" {
		b.Skip("set AOVUON_HISTORY_LARGE to a folder with 8 GB free: a store of 100 million points is made there once, and measured")
	}
	dir = filepath.Join(dir, engine)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		b.Fatal(err)
	}
	return dir
}

// LargeSeries is series i of the large store: five channels a place.
func LargeSeries(i int) history.Series {
	channels := []measure.Quantity{measure.WaterTemperature, measure.DissolvedOxygen, measure.PH, measure.Salinity, measure.Turbidity}
	return history.Series{Place: fmt.Sprintf("AO%d", i/5), Quantity: channels[i%5], Gateway: fmt.Sprintf("gw-%d", i/50), Sensor: fmt.Sprintf("s%d", i)}
}

// LargeMinutes returns the minutes of t0 in which series i was read: from the first to before the last.
func LargeMinutes(i int) (first, last int) {
	if i < seasonSeries {
		return 0, seasonMinutes
	}
	return seasonMinutes - otherMinutes, seasonMinutes
}

// LargeBegin is minute 0.
func LargeBegin() time.Time { return t0().UTC() }

// largeValue goes up and down with the day, with noise in the second decimal. sqlite's test has the same as SQL.
func largeValue(i, minute int) float64 {
	day := minute % 1440
	if day > 720 {
		day = 1440 - day
	}
	return float64(300+i%7*100+day/2+(minute*7919+i*104729)%97) / 100
}

// Large measures what pages and evidence ask of a large store. Where dir holds none yet, or half of one, it is made first: by bulk, a part at a
// time, or by Write where bulk is nil.
func Large(b *testing.B, dir string, s history.Store, bulk func(ctx context.Context, i, first, last int) error) {
	makeLarge(b, dir, s, bulk)
	r := rand.New(rand.NewPCG(1, 2))
	at := func(minute int) time.Time { return LargeBegin().Add(time.Duration(minute) * time.Minute) }
	percentiles(b, "24h_raw", 300, func() (int, error) {
		i, from := r.IntN(seasonSeries), r.IntN(seasonMinutes-1440)
		got, err := s.Range(b.Context(), history.Query{Series: LargeSeries(i), From: at(from), To: at(from + 1440)})
		return len(got) - 1440, err
	})
	percentiles(b, "30d_hourly", 300, func() (int, error) {
		i, day := r.IntN(seasonSeries), r.IntN(90)
		got, err := s.Range(b.Context(), history.Query{Series: LargeSeries(i), From: at(day * 1440), To: at((day + 30) * 1440), Every: time.Hour, Zone: hcm()})
		return len(got) - 720, err
	})
	percentiles(b, "120d_daily", 300, func() (int, error) {
		got, err := s.Range(b.Context(), history.Query{Series: LargeSeries(r.IntN(seasonSeries)), From: at(0), To: at(seasonMinutes), Every: 24 * time.Hour, Zone: hcm()})
		return len(got) - 120, err
	})
	percentiles(b, "season_evidence_of_5_series", 100, func() (int, error) {
		return evidence(b.Context(), s, r.IntN(seasonSeries/5), at(37), at(seasonMinutes-600))
	})
	var all []history.Series
	for i := range largeSeries {
		all = append(all, LargeSeries(i))
	}
	percentiles(b, "latest_of_2000", 30, func() (int, error) {
		got, err := s.Latest(b.Context(), all)
		return len(got) - largeSeries, err
	})
}

// evidence weighs what trace.Weigh does of a pond with five channels, over a season that begins and ends within an hour.
func evidence(ctx context.Context, s history.Store, pond int, from, to time.Time) (off int, err error) {
	for c := range 5 {
		tally, err := history.NewTally(history.Terms{From: from, To: to, Hold: history.RollupHold, Limits: &largeJudgement().Limits})
		if err != nil {
			return 0, err
		}
		if err := tally.Feed(ctx, s, LargeSeries(5*pond+c), from, to, nil); err != nil {
			return 0, err
		}
		off += tally.Summary().N - int(to.Sub(from)/time.Minute)
	}
	return off, nil
}

func largeJudgement() *history.Judgement {
	return &history.Judgement{Profile: "ca-ro", Version: 1, Limits: history.Limits{Low: 5, High: 8}}
}

// percentiles runs f n times; it returns by how much its answer was wrong.
func percentiles(b *testing.B, name string, n int, f func() (off int, err error)) {
	b.Run(name, func(b *testing.B) {
		var took []time.Duration
		for b.Loop() {
			for range n {
				before := b.Elapsed()
				off, err := f()
				took = append(took, b.Elapsed()-before)
				if err != nil || off != 0 {
					b.Fatalf("off by %d: %v", off, err)
				}
			}
		}
		slices.Sort(took)
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
		b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
		b.ReportMetric(0, "ns/op")
	})
}

// makeLarge goes on where it was interrupted: progress names the week and series that are done.
func makeLarge(b *testing.B, dir string, s history.Store, bulk func(ctx context.Context, i, first, last int) error) {
	b.Helper()
	progress := filepath.Join(dir, "progress")
	done := 0
	if raw, err := os.ReadFile(progress); err == nil {
		if done, err = strconv.Atoi(strings.TrimSpace(string(raw))); err != nil {
			b.Fatalf("%s: %v: remove the folder", progress, err)
		}
	}
	if bulk == nil {
		bulk = func(ctx context.Context, i, first, last int) error {
			points := make([]history.Point, 0, last-first)
			for m := first; m < last; m++ {
				points = append(points, history.Point{Series: LargeSeries(i), Time: LargeBegin().Add(time.Duration(m) * time.Minute), Value: largeValue(i, m)})
			}
			return s.Write(ctx, points)
		}
	}
	step := 0
	for week := 0; week < seasonMinutes; week += largePart {
		for i := range largeSeries {
			if step++; step <= done {
				continue
			}
			first, last := LargeMinutes(i)
			if first, last = max(first, week), min(last, week+largePart); first < last {
				if err := bulk(b.Context(), i, first, last); err != nil {
					b.Fatal(err)
				}
			}
			if step%20 == 0 {
				if err := os.WriteFile(progress, []byte(strconv.Itoa(step)), 0o600); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	if err := rollUp(b.Context(), s, always(*largeJudgement())); err != nil {
		b.Fatal(err)
	}
}
