package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/server/history/keeper"
	"aovuon/server/trace"
)

func TestNeededByLots_OpenHeldRecalledAndThoseOfTheTerm(t *testing.T) {
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	ago := func(months int) time.Time { return now.AddDate(0, -months, 0) }
	lot := func(place string, state trace.State, harvested time.Time) trace.Lot {
		return trace.Lot{Code: place, Places: []string{place}, State: state, Stocked: ago(80), Harvested: harvested}
	}
	got := neededByLots([]trace.Lot{
		lot("growing", trace.Growing, time.Time{}), lot("held", trace.Held, ago(70)), lot("recalled", trace.Recalled, ago(70)), lot("closed", trace.Closed, ago(70)),
		lot("young", trace.Closed, ago(59)), lot("void", trace.Void, ago(1)), lot("shipped", trace.Shipped, ago(61)),
	}, keeper.Term{Months: 60}, now)
	want := keeper.Needs{
		"growing": {{From: ago(80), To: now}}, "held": {{From: ago(80), To: ago(70)}}, "recalled": {{From: ago(80), To: ago(70)}}, "young": {{From: ago(80), To: ago(59)}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := neededByLots([]trace.Lot{lot("closed", trace.Closed, ago(70))}, keeper.Term{}, now); len(got) != 1 {
		t.Errorf("kept for ever: %v", got)
	}
}

func TestRetentionConfig_Terms(t *testing.T) {
	r := &RetentionConfig{Readings: "24mo", Of: map[string]string{"turbidity": "400d", "ph": "keep"}}
	if err := r.check(); err != nil {
		t.Fatal(err)
	}
	readings, lots := r.terms()
	if lots != (keeper.Term{Months: 60}) || readings.For(measure.Turbidity) != (keeper.Term{Days: 400}) || !readings.For(measure.PH).Ever() ||
		readings.For(measure.WaterTemperature) != (keeper.Term{Months: 24}) {
		t.Errorf("%+v, lots %+v", readings, lots)
	}
	var none *RetentionConfig
	if readings, _ := none.terms(); !readings.None() || none.check() != nil {
		t.Error("without the key not everything is kept")
	}
}
