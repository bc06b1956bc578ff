package calibration_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aovuon/gateway/measure"
	"aovuon/server/calibration"
)

func TestDrifts(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 9, 1, 7, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
	entry := func(at time.Time, q measure.Quantity, points string) calibration.Entry {
		return calibration.Entry{Time: at, Quantity: q, Body: fmt.Sprintf(`{"format":"aovuon/calibration/1","sensor":"ao1-ph","quantity":%q,"verdict":"good","who":"A","points":%s}`, q, points)}
	}
	entries := []calibration.Entry{ // the newest first
		entry(day(60), measure.PH, `[{"name":"mid","expected":7,"before":7.05},{"name":"low","expected":4,"before":3.88}]`),
		entry(day(60), measure.DissolvedOxygen, `[{"name":"air","expected":8,"before":7}]`),
		{Time: day(40), Quantity: measure.PH, Body: "{"},
		entry(day(20), measure.PH, `[{"name":"mid","expected":7,"before":7.3}]`),
		entry(time.Time{}, measure.PH, `[{"name":"mid","expected":7,"before":9}]`),
		entry(day(20).Add(-time.Hour), measure.PH, `[{"name":"mid","expected":7,"before":7.4}]`),
		entry(day(0), measure.PH, `[]`),
		entry(day(-10), measure.PH, `[{"name":"mid","expected":7,"before":6.9}]`),
	}
	want := []calibration.Drift{
		{At: day(60), Since: day(40), Point: "low", Off: -0.12, Monthly: -0.18},
		{At: day(20), Since: day(20).Add(-time.Hour), Point: "mid", Off: 0.3}, // an hour later: of the hour nothing can be said
		{At: day(20).Add(-time.Hour), Since: day(0), Point: "mid", Off: 0.4, Monthly: 0.4 * 30 * 24 / (20*24 - 1)},
		{At: day(-10), Point: "mid", Off: -0.1},
	}
	if diff := cmp.Diff(want, calibration.Drifts(entries, measure.PH), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Error(diff)
	}
	if got := calibration.Drifts(entries, measure.DissolvedOxygen); len(got) != 1 || math.Abs(got[0].Off+1) > 1e-9 || !got[0].Since.IsZero() {
		t.Errorf("oxygen: %+v", got)
	}
	if got := calibration.Drifts(nil, measure.PH); got != nil {
		t.Errorf("of nothing: %+v", got)
	}
}
