package sense_test

import (
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

func TestMachine_SaysWhatTheClockIs(t *testing.T) {
	m := newMachine(t)
	c := sense.NewSystemClock(sense.SystemClockOptions{Root: m.root, Simulated: true, AssumeSynced: true})
	if at := c.Now(); at.Clock != measure.Unsynced || c.Check() == nil {
		t.Errorf("a machine that says nothing: %+v, %v", at, c.Check())
	}
	on := sense.Uptime()
	for _, step := range []struct {
		is    sense.Machine
		state measure.ClockState
	}{
		{sense.Machine{Synced: true, Booted: on}, measure.Synced},
		{sense.Machine{Offset: 3 * time.Hour, Synced: true, Booted: on}, measure.Synced},
		{sense.Machine{Offset: 24 * time.Hour, Booted: on}, measure.EstimatedClock}, // it was synchronised
		{sense.Machine{Offset: -50 * 365 * 24 * time.Hour, Synced: true, Booted: on}, measure.Unsynced},
	} {
		m.write(t, "clock", step.is.String())
		before := time.Now()
		at, wall := c.Now(), c.Wall()
		if at.Clock != step.state || at.Boot != "6f2a9c1e0b1d4c7e9a433f1f0c6f5d21" {
			t.Errorf("%s: %+v", step.is, at)
		}
		if off := wall.Sub(before.Add(step.is.Offset)); off < 0 || off > time.Minute {
			t.Errorf("%s: the wall clock is off by %v", step.is, off)
		}
		if at.Uptime < 0 || at.Uptime > time.Minute {
			t.Errorf("%s: on for %v", step.is, at.Uptime)
		}
	}
}

func TestMachine_BatteryBackedClock(t *testing.T) {
	m := newMachine(t)
	m.rtc(t, time.Now())
	m.write(t, "clock", sense.Machine{Booted: sense.Uptime()}.String())
	if at := sense.NewSystemClock(sense.SystemClockOptions{Root: m.root, Simulated: true}).Now(); at.Clock != measure.RTC {
		t.Errorf("%+v", at)
	}
}

func FuzzParseMachine(f *testing.F) {
	for _, line := range []string{"0s synced 1h2m3.4s\n", "-8760h0m0s unsynced 0s", "", "1h synced", "x synced 1s", "1s love 1s", "1s synced -1ns extra"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		m, err := sense.ParseMachine(line)
		if err != nil {
			return
		}
		if again, err := sense.ParseMachine(m.String()); err != nil || again != m {
			t.Errorf("%q is %+v, written and read again %+v (%v)", line, m, again, err)
		}
	})
}
