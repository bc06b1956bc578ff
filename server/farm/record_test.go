package farm_test

import (
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/form"
)

func TestRecord_StandsFromItsFirstDayToItsLast(t *testing.T) {
	at := func(s string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", s, farm.Time())
		if err != nil {
			t.Fatal(err)
		}
		return when.UTC()
	}
	season := farm.Record{Kind: farm.Cycle, Values: form.Values{"place": "A", "begin": "2026-03-01", "end": "2026-09-30"}}
	open := farm.Record{Kind: farm.Cycle, Values: form.Values{"place": "A", "begin": "2026-03-01"}}
	for _, c := range []struct {
		r     farm.Record
		place string
		at    string
		want  bool
	}{
		{season, "A", "2026-02-28 23:59", false},
		{season, "A", "2026-03-01 00:00", true},
		{season, "A", "2026-09-30 23:59", true},
		{season, "A", "2026-10-01 00:00", false},
		{season, "B", "2026-05-01 12:00", false},
		{open, "A", "2031-01-01 00:00", true},
		{farm.Record{Kind: farm.Contract, Values: season.Values}, "A", "2026-05-01 12:00", false},
	} {
		if got := c.r.Stands(c.place, at(c.at)); got != c.want {
			t.Errorf("%v at %s, %s: %v", c.r.Values, c.place, c.at, got)
		}
	}
}
