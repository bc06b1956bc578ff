package history_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// answer does in memory what an engine does: minutes are the Unix minutes of points of value 1.
func answer(t *testing.T, q history.Query, minutes []int64) (starts []string) {
	t.Helper()
	segs, err := q.Segments()
	if err != nil {
		t.Fatal(err)
	}
	var all []history.Bucket
	for _, s := range segs {
		var part []history.Bucket
		for _, m := range minutes {
			ms := m * 60000
			if ms < s.FromMs || ms >= s.ToMs {
				continue
			}
			start := time.UnixMilli(s.Start(ms)).UTC()
			if n := len(part); n == 0 || !part[n-1].Start.Equal(start) {
				part = append(part, history.Bucket{Start: start})
			}
			part[len(part)-1].N++
		}
		all = history.Join(all, part, s)
	}
	for _, b := range all {
		starts = append(starts, b.Start.In(q.Zone).Format("02 15:04 -07")+" "+time.Duration(b.N*int(time.Minute)).String())
	}
	return starts
}

func TestQuery_StepsFollowLocalTime(t *testing.T) {
	hcm, berlin := zone(t, "Asia/Ho_Chi_Minh"), zone(t, "Europe/Berlin")
	for name, tc := range map[string]struct {
		zone     *time.Location
		from, to time.Time
		every    time.Duration
		want     []string
	}{
		"days at Phú Khê begin at midnight there": {
			hcm, time.Date(2026, 3, 1, 0, 0, 0, 0, hcm), time.Date(2026, 3, 3, 0, 0, 0, 0, hcm), 24 * time.Hour,
			[]string{"01 00:00 +07 24h0m0s", "02 00:00 +07 24h0m0s"},
		},
		"a stretch inside one day": {
			hcm, time.Date(2026, 3, 1, 6, 30, 0, 0, hcm), time.Date(2026, 3, 1, 8, 0, 0, 0, hcm), time.Hour,
			[]string{"01 06:00 +07 30m0s", "01 07:00 +07 1h0m0s"},
		},
		"the day with 23 hours": {
			berlin, time.Date(2026, 3, 28, 0, 0, 0, 0, berlin), time.Date(2026, 3, 31, 0, 0, 0, 0, berlin), 24 * time.Hour,
			[]string{"28 00:00 +01 24h0m0s", "29 00:00 +01 23h0m0s", "30 00:00 +02 24h0m0s"},
		},
		"the day with 25 hours": {
			berlin, time.Date(2026, 10, 24, 0, 0, 0, 0, berlin), time.Date(2026, 10, 27, 0, 0, 0, 0, berlin), 24 * time.Hour,
			[]string{"24 00:00 +02 24h0m0s", "25 00:00 +02 25h0m0s", "26 00:00 +01 24h0m0s"},
		},
		"the hour that comes twice is two hours": {
			berlin, time.Date(2026, 10, 25, 1, 0, 0, 0, berlin), time.Date(2026, 10, 25, 4, 0, 0, 0, berlin), time.Hour,
			[]string{"25 01:00 +02 1h0m0s", "25 02:00 +02 1h0m0s", "25 02:00 +01 1h0m0s", "25 03:00 +01 1h0m0s"},
		},
		"the hour that does not come": {
			berlin, time.Date(2026, 3, 29, 1, 0, 0, 0, berlin), time.Date(2026, 3, 29, 4, 0, 0, 0, berlin), time.Hour,
			[]string{"29 01:00 +01 1h0m0s", "29 03:00 +02 1h0m0s"},
		},
		"two hours of which one does not come": {
			berlin, time.Date(2026, 3, 29, 0, 0, 0, 0, berlin), time.Date(2026, 3, 29, 6, 0, 0, 0, berlin), 2 * time.Hour,
			[]string{"29 00:00 +01 2h0m0s", "29 03:00 +02 1h0m0s", "29 04:00 +02 2h0m0s"},
		},
		"the rest of a day on which the clocks were changed": {
			berlin, time.Date(2026, 3, 29, 7, 0, 0, 0, berlin), time.Date(2026, 3, 29, 9, 0, 0, 0, berlin), 24 * time.Hour,
			[]string{"29 00:00 +01 2h0m0s"},
		},
		"two hours of which one comes twice": {
			berlin, time.Date(2026, 10, 25, 0, 0, 0, 0, berlin), time.Date(2026, 10, 25, 6, 0, 0, 0, berlin), 2 * time.Hour,
			[]string{"25 00:00 +02 2h0m0s", "25 02:00 +02 3h0m0s", "25 04:00 +01 2h0m0s"},
		},
		"six hours over the end of summer time": {
			berlin, time.Date(2026, 10, 25, 0, 0, 0, 0, berlin), time.Date(2026, 10, 25, 12, 0, 0, 0, berlin), 6 * time.Hour,
			[]string{"25 00:00 +02 7h0m0s", "25 06:00 +01 6h0m0s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := history.Query{From: tc.from, To: tc.to, Every: tc.every, Zone: tc.zone}
			var minutes []int64
			for m := tc.from.Unix()/60 - 600; m < tc.to.Unix()/60+600; m++ {
				minutes = append(minutes, m)
			}
			if diff := cmp.Diff(tc.want, answer(t, q, minutes)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

// A step with no data before the clocks change still starts when it started.
func TestQuery_StepStartsBeforeTheClocksChangeAlsoWithoutData(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	q := history.Query{From: time.Date(2026, 3, 29, 0, 0, 0, 0, berlin), To: time.Date(2026, 3, 30, 0, 0, 0, 0, berlin), Every: 24 * time.Hour, Zone: berlin}
	got := answer(t, q, []int64{time.Date(2026, 3, 29, 15, 0, 0, 0, berlin).Unix() / 60})
	if diff := cmp.Diff([]string{"29 00:00 +01 1m0s"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestQuery_RefusesNonsenseAndCutsToWhatCanBeHeld(t *testing.T) {
	for _, every := range []time.Duration{-time.Second, time.Microsecond, time.Second + 1} {
		if _, err := (history.Query{Every: every}).Segments(); err == nil {
			t.Errorf("step %s was accepted", every)
		}
	}
	for _, every := range []time.Duration{0, time.Hour} {
		segs, err := history.Query{To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Every: every}.Segments()
		if err != nil || len(segs) != 1 || segs[0].FromMs != 0 || segs[0].ToMs > 9_223_372_036_854 {
			t.Errorf("all of time in steps of %s: %+v, %v", every, segs, err)
		}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if segs, err := (history.Query{From: now, To: now, Every: every}).Segments(); err != nil || len(segs) != 0 {
			t.Errorf("empty stretch: %+v, %v", segs, err)
		}
	}
}

func TestMillis_TakesExactlyTheMillisecondsInside(t *testing.T) {
	at := time.UnixMilli(1_000_000)
	from, to := history.Millis(at.Add(1), at.Add(time.Millisecond+1))
	if from != 1_000_001 || to != 1_000_002 {
		t.Errorf("got [%d, %d), want [1000001, 1000002)", from, to)
	}
}

func TestSift_KeepsTheGoodAndNamesTheBad(t *testing.T) {
	ok := history.Point{
		Series: history.Series{Place: "ao 1, \"bờ\"=đông", Quantity: measure.PH, Gateway: "gw", Sensor: "s"},
		Time:   time.UnixMilli(1_700_000_000_000), Value: 7,
	}
	with := func(f func(*history.Point)) history.Point { p := ok; f(&p); return p }
	bad := map[string]history.Point{
		"no place":       with(func(p *history.Point) { p.Place = "" }),
		"line break":     with(func(p *history.Point) { p.Place = "a\nb" }),
		"backslash":      with(func(p *history.Point) { p.Sensor = `a\` }),
		"no UTF-8":       with(func(p *history.Point) { p.Gateway = "\xff" }),
		"long":           with(func(p *history.Point) { p.Place = string(make([]byte, 201)) }),
		"quantity":       with(func(p *history.Point) { p.Quantity = "pH" }),
		"no quantity":    with(func(p *history.Point) { p.Quantity = "" }),
		"quality":        with(func(p *history.Point) { p.Quality = 6 }),
		"zero time":      with(func(p *history.Point) { p.Time = time.Time{} }),
		"time too late":  with(func(p *history.Point) { p.Time = time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"not a number":   with(func(p *history.Point) { p.Value = nan }),
		"not a number 2": with(func(p *history.Point) { p.Value, p.Quality = inf, measure.OutOfRange }),
	}
	fault := with(func(p *history.Point) { p.Value, p.Quality = nan, measure.Fault })
	points := []history.Point{ok, fault}
	if good, rejected := history.Sift(points); len(good) != 2 || len(rejected) != 0 {
		t.Fatalf("good points were rejected: %+v", rejected)
	}
	for name, b := range bad {
		good, rejected := history.Sift([]history.Point{ok, b, fault})
		if len(good) != 2 || len(rejected) != 1 || rejected[0].Reason == "" {
			t.Errorf("%s: %d good, rejected %+v", name, len(good), rejected)
		}
	}
}
