package gate_test

import (
	"testing"
	"time"

	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
)

// The demo's season is one of people who do what is asked of them: something is always waiting, and nothing is unknown, banned or unaccounted for.
func TestJudge_OfTheDemosSeason(t *testing.T) {
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	for _, now := range []time.Time{time.Date(2026, 11, 26, 9, 0, 0, 0, farm.Time()), time.Date(2027, 2, 1, 23, 59, 0, 0, farm.Time())} {
		d, err := diary.Demo(f, now)
		if err != nil {
			t.Fatal(err)
		}
		var events []diary.Event
		for _, e := range d.Entries {
			e.Synced = e.Came
			events = append(events, e.Event)
		}
		v := gate.Judge(gate.Case{Farm: f, Records: d.Records, Entries: diary.Entries(events), Settings: gate.Defaults(), Now: now})
		waits := len(found(v, gate.Withdrawal)) + len(found(v, gate.PreHarvest))
		if waits == 0 {
			t.Errorf("%v: nothing waits", now)
		}
		for _, r := range []gate.Rule{gate.UnknownDays, gate.Banned, gate.BannedMaybe, gate.StockShort, gate.StockUnknown, gate.NotRegistered} {
			if all := found(v, r); len(all) > 0 {
				t.Errorf("%v: %s: %+v", now, r, all)
			}
		}
	}
}
