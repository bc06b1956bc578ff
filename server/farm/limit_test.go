package farm_test

import (
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/form"
)

const limitFile = `coop: { name: { vi: HTX, en: Co-op } }
zones: [ { id: z, name: { vi: Khu, en: Zone } } ]
limits:
  - { profile: ao, quantity: %Q, level: warn, %L, source: { vi: thử, en: trial } }
places: [ { code: F7NE3CDQ7, name: ao1, kind: pond, title: { vi: Ao 1, en: Pond 1 }, zone: z, holds: { vi: cá, en: fish } } ]
`

// Each row of a farm file that says when an alarm begins and ends, and what is told of one that cannot be.
func TestLimits_OfAFileAreReadOrRefusedWithTheirMend(t *testing.T) {
	for _, tc := range []struct{ quantity, limit, wrong string }{
		{"dissolved_oxygen", "below: 4", ""},
		{"dissolved_oxygen", "below: 4, clear: 4.5, for: 10m, keep: 15m", ""},
		{"dissolved_oxygen", "below: 4, clear: 3.9", "inner side"},
		{"dissolved_oxygen", "below: 4, clear: .nan", "not a number"},
		{"ph", "above: 9, clear: 9.1", "inner side"},
		{"ph", "above: 1, what: swing", ""},
		{"ph", "below: 1, what: swing", "use above"},
		{"ph", "above: 15, what: swing", "outside"},
		{"dissolved_oxygen", "below: -1.5, what: rate", ""},
		{"dissolved_oxygen", "below: 1.5, what: rate", "a rate is per hour"},
		{"dissolved_oxygen", "above: -1.5, what: rate", "a rate is per hour"},
		{"no2", "above: 0.5", ""},
		{"no2", "above: 0.5, what: kit", ""},
		{"no2", "above: 51", "outside"},
		{"ph", "above: 9, what: kit", "unknown quantity"},
		{"ph", "above: 9, what: mood", "nothing that limits are of"},
		{"mood", "above: 9", "unknown quantity"},
		{"ph", "above: 9, for: soon", "no length of time"},
		{"ph", "above: 9, for: -3m", "no length of time"},
		{"ph", "above: 9, for: 25h", "no persistence"},
		{"ph", "above: 9, keep: 25h", "cannot be kept"},
		{"ph", "above: 9, count: 3, of: 5", ""},
		{"ph", "above: 9, count: 3", "count and of"},
		{"ph", "above: 9, count: 6, of: 5", "count and of"},
		{"ph", "above: 9, count: 3, of: 61", "count and of"},
		{"ph", "above: 1, what: swing, count: 3, of: 5", "single values"},
	} {
		text := strings.NewReplacer("%Q", tc.quantity, "%L", tc.limit).Replace(limitFile)
		f, err := farm.Parse("farm.yaml", []byte(text))
		if tc.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), tc.wrong) || !strings.Contains(err.Error(), "farm.yaml:4") {
				t.Errorf("%s, %s: %v; want %q in line 4", tc.quantity, tc.limit, err, tc.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s, %s: %v", tc.quantity, tc.limit, err)
			continue
		}
		raw, err := farm.Format(f)
		if err != nil {
			t.Fatal(err)
		}
		again, err := farm.Parse("farm.yaml", raw)
		if err != nil || again.Limits[0] != f.Limits[0] {
			t.Errorf("%s, %s: written again it is %+v, %v; was %+v", tc.quantity, tc.limit, again, err, f.Limits[0])
		}
		if l := farm.LimitOf(written(f.Limits[0])); l != f.Limits[0] {
			t.Errorf("%s, %s: through a form it is %+v; was %+v", tc.quantity, tc.limit, l, f.Limits[0])
		}
	}
}

func written(l farm.Limit) form.Values { return l.Values() }

// What a row leaves out is as is usual (reference/pond-and-crop.md §2.2).
func TestLimit_WhatIsLeftOutIsAsUsual(t *testing.T) {
	for _, tc := range []struct {
		l            farm.Limit
		persistence  time.Duration
		offset       float64
		cleared, not float64
	}{
		{farm.Limit{Quantity: measure.DissolvedOxygen, Level: farm.Warn, Value: 4}, 10 * time.Minute, 4.5, 4.5, 4.49},
		{farm.Limit{Quantity: measure.DissolvedOxygen, Level: farm.Crit, Value: 3}, 3 * time.Minute, 3.5, 3.5, 3.49},
		{farm.Limit{Quantity: measure.PH, Level: farm.Warn, Above: true, Value: 9}, 30 * time.Minute, 9, 9, 9.01},
		{farm.Limit{Quantity: measure.SoilMoisture, Level: farm.Warn, Value: 20}, 6 * time.Hour, 20, 20, 19.9},
		{farm.Limit{Quantity: "no2", What: farm.OfKit, Level: farm.Warn, Above: true, Value: 0.5}, 0, 0.5, 0.5, 0.51},
		{farm.Limit{Quantity: measure.PH, Level: farm.Warn, Above: true, Value: 9, Clear: 0, HasClear: true}, 30 * time.Minute, 0, 0, 0.1},
	} {
		if got := tc.l.Persistence(); got != tc.persistence {
			t.Errorf("%+v lasts %v", tc.l, got)
		}
		if tc.l.Offset() != tc.offset || !tc.l.Cleared(tc.cleared) || tc.l.Cleared(tc.not) || tc.l.Keeping() != 15*time.Minute {
			t.Errorf("%+v clears at %v", tc.l, tc.l.Offset())
		}
	}
}
