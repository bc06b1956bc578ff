package edge_test

import (
	"testing"
	"time"

	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
)

// sounding is a pond with a siren that the server wants to sound until some time from now.
func sounding(t *testing.T, ahead time.Duration) (*pond, edge.Config) {
	t.Helper()
	low := lowOxygen()
	low.Siren, low.For = &edge.Relay{Pin: "GPIO27"}, new(time.Duration(0))
	c := config(nil, low)
	c.Siren.Until = noon().Add(ahead).Format(time.RFC3339)
	return newPond(t, c), c
}

func TestSound_EndsByItself(t *testing.T) {
	p, _ := sounding(t, 10*time.Minute)
	if p.step(); !p.relay["GPIO27"] || p.engine.Status(p.now).Sound != 10*time.Minute {
		t.Errorf("%v, %v left", p.relay, p.engine.Status(p.now).Sound)
	}
	if p.live(10*time.Minute-time.Second, nil); !p.relay["GPIO27"] {
		t.Error("it ended early")
	}
	if p.pass(time.Second).step(); p.relay["GPIO27"] || p.engine.Status(p.now).Sound != 0 {
		t.Error("it sounds on")
	}
}

func TestSound_WhatIsLateOrFarIsNotHeard(t *testing.T) {
	for name, tc := range map[string]struct {
		ahead time.Duration
		clock measure.ClockState
		want  bool
	}{
		"now":                     {time.Minute, measure.Synced, true},
		"over":                    {0, measure.Synced, false},
		"long over":               {-time.Hour, measure.Synced, false},
		"the longest":             {edge.MaxSound, measure.Synced, true},
		"a clock that is behind":  {edge.MaxSound + 5*time.Minute, measure.Synced, true},
		"too far":                 {edge.MaxSound + 6*time.Minute, measure.Synced, false},
		"nobody knows the time":   {time.Minute, measure.Unsynced, false},
		"a clock that was kept":   {time.Minute, measure.RTC, true},
		"a clock that is guessed": {time.Minute, measure.EstimatedClock, true},
	} {
		p, _ := sounding(t, tc.ahead)
		p.now.Clock = tc.clock
		if p.step(); p.relay["GPIO27"] != tc.want {
			t.Errorf("%s: %v", name, p.relay["GPIO27"])
		}
	}
}

// Whatever the wall clock does, the siren sounds for MaxSound of uptime at most.
func TestSound_AClockThatIsSetBack(t *testing.T) {
	p, _ := sounding(t, 20*time.Minute)
	heard := 0
	for range 4 * 60 {
		p.step()
		if p.relay["GPIO27"] {
			heard++
		}
		p.pass(time.Minute)
		if p.now.Uptime < 3*time.Hour {
			p.now.Wall = noon() // set back every minute
		}
	}
	if heard > 30 {
		t.Errorf("it sounded for %d minutes", heard)
	}
}

// The alarms of the gateway go on as they do; a restart goes on to the same end.
func TestSound_TheGatewaysOwnAlarmsGoOn(t *testing.T) {
	p, _ := sounding(t, 5*time.Minute)
	p.step().oxygen(2.5).step()
	p.live(6*time.Minute, func(p *pond) { p.oxygen(2.5) })
	if !p.relay["GPIO27"] {
		t.Error("an alarm that is on ended with the server's word")
	}
	p.oxygen(6).step()
	if p.relay["GPIO27"] {
		t.Error("it sounds on")
	}
	q, c := sounding(t, 5*time.Minute)
	q.step().pass(2*time.Minute).start(c, q.engine.Saved(q.now))
	if q.step(); !q.relay["GPIO27"] {
		t.Error("a restart silenced it")
	}
	if q.pass(3 * time.Minute).step(); q.relay["GPIO27"] {
		t.Error("a restart made it longer")
	}
}
