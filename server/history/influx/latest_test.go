package influx_test

import (
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/history/influx"
	"aovuon/server/parttest"
)

// Who spoke within the last hour is asked for first: the newest of those, of the silent and of one whose clock is ahead are all there, once.
func TestLatest_OfTheFreshTheSilentAndTheAhead(t *testing.T) {
	s := fresh(t, influx.Options{URL: parttest.Influxd(t).URL}, 1)
	defer closed(t, s)
	now := time.Now().UTC().Truncate(time.Millisecond)
	var points []history.Point
	var ask []history.Series
	want := map[string]time.Time{}
	for sensor, ages := range map[string][]time.Duration{
		"fresh": {time.Minute, 30 * 24 * time.Hour, 2 * time.Minute}, "silent": {100 * 24 * time.Hour, 101 * 24 * time.Hour},
		"ahead": {-48 * time.Hour, time.Minute}, "an-hour": {59*time.Minute + 59*time.Second, 2 * time.Hour},
	} {
		k := history.Series{Place: "AO1", Quantity: measure.PH, Gateway: "gw", Sensor: sensor}
		ask = append(ask, k)
		newest := ages[0]
		for _, age := range ages {
			points, newest = append(points, history.Point{Series: k, Time: now.Add(-age), Value: 7}), min(newest, age)
		}
		want[sensor] = now.Add(-newest)
	}
	if err := s.Write(t.Context(), points); err != nil {
		t.Fatal(err)
	}
	got, err := s.Latest(t.Context(), ask)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d points, %v", len(got), err)
	}
	for _, p := range got {
		if !p.Time.Equal(want[p.Sensor]) {
			t.Errorf("%s spoke at %s, not %s", p.Sensor, want[p.Sensor], p.Time)
		}
	}
}
