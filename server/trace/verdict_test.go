package trace_test

import (
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
)

func TestJudge_TellsTheGravestFirst(t *testing.T) {
	now := time.Date(2026, 11, 24, 23, 59, 0, 0, farm.Time())
	today := time.Date(2026, 11, 24, 0, 0, 0, 0, farm.Time())
	item := func(s trace.ItemState, best time.Time) *trace.Item { return &trace.Item{State: s, Best: best} }
	for _, tc := range []struct {
		lot     trace.State
		item    *trace.Item
		unusual bool
		want    trace.Verdict
	}{
		{trace.Released, nil, false, trace.IsValid},
		{trace.Shipped, nil, false, trace.IsValid},
		{trace.Closed, nil, false, trace.IsValid},
		{trace.Released, nil, true, trace.IsUnusual},
		{trace.Growing, nil, true, trace.NotReleased},
		{trace.Harvested, nil, false, trace.NotReleased},
		{trace.Held, nil, true, trace.IsHeld},
		{trace.Void, nil, false, trace.LotVoid},
		{trace.Recalled, nil, true, trace.IsRecalled},
		{trace.Released, item(trace.ItemActivated, today), false, trace.IsValid}, // good through its last day
		{trace.Released, item(trace.ItemActivated, today.AddDate(0, 0, -1)), true, trace.IsExpired},
		{trace.Released, item(trace.ItemSold, time.Time{}), false, trace.IsValid},
		{trace.Shipped, item(trace.ItemShipped, time.Time{}), true, trace.IsUnusual},
		{trace.Released, item(trace.ItemPrinted, time.Time{}), true, trace.NotActivated},
		{trace.Released, item(trace.ItemVoid, today.AddDate(0, 0, -1)), true, trace.LabelVoid},
		{trace.Recalled, item(trace.ItemVoid, today.AddDate(0, 0, -1)), true, trace.IsRecalled},
		{trace.Held, item(trace.ItemPrinted, time.Time{}), false, trace.IsHeld},
	} {
		if got := trace.Judge(tc.lot, tc.item, tc.unusual, now); got != tc.want {
			t.Errorf("%s, %+v, %v: %s, want %s", tc.lot, tc.item, tc.unusual, got, tc.want)
		}
	}
	if (&trace.Item{Best: today}).Expired(now.Add(time.Minute)) == false {
		t.Error("the day after the last one is none too late")
	}
	for _, v := range trace.Verdicts() {
		if (v.Tone() == trace.Go) != (v == trace.IsValid) {
			t.Errorf("%s is shown as %s", v, v.Tone())
		}
	}
}
