package edge_test

import (
	"testing"
	"time"

	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
)

func lowOxygen() edge.Alarm {
	return edge.Alarm{
		ID: "ao1-thieu-oxy", Sensor: "ao1-do", Quantity: measure.DissolvedOxygen,
		Below: new(3.0), Clear: new(3.5), For: new(2 * time.Minute),
	}
}

// alarmPond has no aerator.
func alarmPond(t *testing.T, alarms ...edge.Alarm) *pond {
	return newPond(t, edge.Config{Alarms: alarms})
}

func (p *pond) alarmIs(want string) *pond {
	p.t.Helper()
	s := p.engine.Status(p.now).Alarms[0]
	got := onOff(s.On)
	if !s.Known {
		got = "unknown"
	}
	if got != want {
		p.t.Errorf("at %v: the alarm is %s; want %s", p.now.Uptime-time.Hour, got, want)
	}
	return p
}

func TestAlarm_SetPointHysteresisAndTime(t *testing.T) {
	p := alarmPond(t, lowOxygen())
	p.step().alarmIs("unknown")
	p.oxygen(2.9).step().alarmIs("unknown") // below, and not for long enough to say anything
	p.pass(time.Minute).oxygen(3.1).step().alarmIs("off")
	p.pass(time.Minute).oxygen(2.9).step().alarmIs("off")
	p.pass(time.Minute).oxygen(2.8).step().alarmIs("off")
	p.pass(time.Minute).oxygen(2.8).step().alarmIs("on")
	if r := p.newest("ao1-thieu-oxy", measure.AlarmState); p.urgent != 1 || r.Value != 1 || r.Inputs != "o=2.8@ao1-do+0" {
		t.Errorf("urgent %d, %+v", p.urgent, r)
	}
	p.pass(time.Minute).oxygen(3.4).step().alarmIs("on")
	p.pass(time.Minute).oxygen(2.0).step().alarmIs("on")
	p.pass(time.Minute).oxygen(3.5).step().alarmIs("off")
	if r := p.newest("ao1-thieu-oxy", measure.AlarmState); p.urgent != 1 || r.Value != 0 {
		t.Errorf("urgent %d, %+v", p.urgent, r)
	}
}

func TestAlarm_AFaultIsNeitherCalmNorAlarm(t *testing.T) {
	p := alarmPond(t, lowOxygen())
	fault := func() { p.reading("ao1-do", measure.DissolvedOxygen, 0, measure.Fault) }
	p.oxygen(2).step()
	for range 10 {
		p.pass(time.Minute)
		fault()
		p.step().alarmIs("unknown")
	}
	p.oxygen(2).step().alarmIs("on")
	for range 10 {
		p.pass(time.Minute)
		fault()
		p.reading("ao1-do", measure.DissolvedOxygen, 9, measure.Suspect)
		p.step().alarmIs("on")
	}
}

func TestAlarm_Above(t *testing.T) {
	p := alarmPond(t, edge.Alarm{ID: "ao1-nong", Sensor: "ao1-temp", Above: new(33.0), Clear: new(32.0), For: new(time.Duration(0))})
	for _, tc := range []struct {
		v    float64
		want string
	}{{33, "off"}, {33.1, "on"}, {32.1, "on"}, {32, "off"}} {
		p.reading("ao1-temp", measure.WaterTemperature, tc.v, measure.Good)
		p.step().alarmIs(tc.want).pass(time.Minute)
	}
}

func TestAlarm_FaultyProbe(t *testing.T) {
	p := alarmPond(t, edge.Alarm{ID: "ao1-do-hong", Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Faulty: true})
	p.step().alarmIs("unknown")
	p.oxygen(5).step().alarmIs("off")
	p.live(9*time.Minute, func(p *pond) { p.reading("ao1-do", measure.DissolvedOxygen, 5, measure.Suspect) }).alarmIs("off")
	p.live(2*time.Minute, nil).alarmIs("on")
	p.oxygen(5).step().alarmIs("off")
	q := alarmPond(t, edge.Alarm{ID: "ao1-do-hong", Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Faulty: true})
	q.live(11*time.Minute, nil).alarmIs("on") // it never said anything
}

func TestAlarm_ARestartIsNoCalm(t *testing.T) {
	c := edge.Config{Alarms: []edge.Alarm{lowOxygen()}}
	p := newPond(t, c)
	p.live(4*time.Minute, func(p *pond) { p.oxygen(2) }).alarmIs("on")
	saved := p.engine.Saved(p.now)
	p.all = nil
	p.start(c, saved)
	p.step().alarmIs("on")
	p.oxygen(3.3).step().alarmIs("on") // between: as it was
	for _, r := range p.all {
		if r.Value == 0 {
			t.Errorf("calm was said: %+v", r)
		}
	}
	p.oxygen(3.6).step().alarmIs("off")
}

func TestAlarm_SirenIsShared(t *testing.T) {
	siren := &edge.Relay{Pin: "GPIO27"}
	low, hot := lowOxygen(), edge.Alarm{ID: "ao1-nong", Sensor: "ao1-temp", Above: new(33.0), For: new(time.Duration(0)), Siren: siren}
	low.Siren, low.For = siren, new(time.Duration(0))
	p := alarmPond(t, low, hot)
	check := func(want bool) {
		t.Helper()
		if p.step(); p.relay["GPIO27"] != want {
			t.Errorf("the siren is %v", p.relay["GPIO27"])
		}
	}
	check(false)
	p.oxygen(2)
	check(true)
	p.reading("ao1-temp", measure.WaterTemperature, 35, measure.Good)
	check(true)
	p.oxygen(6)
	check(true)
	p.reading("ao1-temp", measure.WaterTemperature, 30, measure.Good)
	check(false)
}
