package alarm

import (
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/watch/rule"
)

// What somebody is told of an aerator that does not do what it was told, and what they are asked to do.
func TestLimits_AnAeratorAgainstItsCommandIsNamed(t *testing.T) {
	never := func(time.Time) measure.FaultReason { return "" }
	for _, tc := range []struct {
		name    string
		command func(time.Time) (float64, bool)
		fault   func(time.Time) measure.FaultReason
		level   rule.Verdict
		why, do string
	}{
		{"does not start", steps(-1e6, 1), never, rule.Crit, "aerator_stalled", "aerator_power"},
		{"runs although it is off", steps(-1e6, 0), never, rule.Warn, "aerator_runs", "aerator_switch"},
		{"its relay cannot be switched", steps(-1e6, 0), func(time.Time) measure.FaultReason { return measure.BusDown }, rule.Crit, "aerator_relay", "aerator_by_hand"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStory(t, nil,
				feed{gateway: "gw1", sensor: "ao1-quat", quantity: measure.AeratorCommand, says: tc.command, fault: tc.fault},
				feed{gateway: "gw1", sensor: "ao1-quat", quantity: measure.AlarmState, says: steps(-1e6, 0, 10, 1)})
			s.run(40 * time.Minute)
			var a Alarm
			for _, o := range s.store.alarms {
				if o.Topic == AeratorTopic {
					a = o
				}
			}
			if a.Level != tc.level || len(a.Decision.Why) != 1 || a.Decision.Why[0].Key != tc.why || len(a.Decision.Do) == 0 || a.Decision.Do[0].Key != tc.do {
				t.Fatalf("told %s: %+v, do %+v", a.Level, a.Decision.Why, a.Decision.Do)
			}
			if got := a.Decision.Why[0].Args[1].Time; !got.Equal(noon.Add(10 * time.Minute)) { // said again every minute since
				t.Errorf("it began at %s", got)
			}
		})
	}
}
