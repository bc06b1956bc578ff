package edge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	boot    = "0123456789abcdef"
	newBoot = "fedcba9876543210"
)

var errRelay = errors.New("no such pin")

// noon is 12:00 in Vietnam.
func noon() time.Time { return time.Date(2026, 5, 1, 5, 0, 0, 0, time.UTC) }

// pond is an engine with the aerator ao1-quat and the clock it lives by.
type pond struct {
	t      *testing.T
	now    measure.Instant
	engine *edge.Engine
	relay  map[string]bool
	broken error
	last   edge.Outcome
	all    []measure.Reading
	urgent int
}

func config(change func(*edge.Aerator), alarms ...edge.Alarm) edge.Config {
	a := edge.Aerator{
		ID: "ao1-quat", Relay: edge.Relay{Pin: "GPIO17"}, Oxygen: "ao1-do", OnBelow: 4, OffAbove: 5.5,
		MinRun: new(30 * time.Minute), MinRest: new(5 * time.Minute), Stale: 5 * time.Minute,
	}
	if change != nil {
		change(&a)
	}
	return edge.Config{Aerators: []edge.Aerator{a}, Alarms: alarms, Zone: time.FixedZone("+07", 7*3600)}
}

func newPond(t *testing.T, c edge.Config) *pond {
	t.Helper()
	p := &pond{t: t, relay: make(map[string]bool), now: measure.Instant{Wall: noon(), Uptime: time.Hour, Clock: measure.Synced, Boot: boot}}
	p.start(c, edge.Saved{})
	return p
}

// start makes the engine anew, as a program that starts.
func (p *pond) start(c edge.Config, saved edge.Saved) {
	p.t.Helper()
	if bad := c.Check(sensors()); len(bad) > 0 {
		p.t.Fatalf("configuration: %+v", bad)
	}
	p.engine = edge.New(c.Fill(sensors()), p, saved, p.now)
}

func sensors() map[string][]measure.Quantity {
	return map[string][]measure.Quantity{
		"ao1-do": {measure.DissolvedOxygen, measure.OxygenSaturation}, "ao1-temp": {measure.WaterTemperature}, "ao1-dong": {measure.Current},
	}
}

func (p *pond) Set(id string, on bool) error {
	if p.broken == nil {
		p.relay[id] = on
	}
	return p.broken
}

func (p *pond) pass(d time.Duration) *pond {
	p.now.Uptime += d
	p.now.Wall = p.now.Wall.Add(d)
	return p
}

func (p *pond) reading(sensor string, q measure.Quantity, v float64, quality measure.Quality) {
	r := measure.Reading{Sensor: sensor, Quantity: q, Time: p.now, Value: v, Quality: quality}
	if quality == measure.Fault {
		r.Value, r.Reason = 0, measure.NoResponse
	}
	p.engine.Observe([]measure.Reading{r})
}

func (p *pond) oxygen(v float64) *pond {
	p.reading("ao1-do", measure.DissolvedOxygen, v, measure.Good)
	return p
}

func (p *pond) current(v float64) *pond {
	p.reading("ao1-dong", measure.Current, v, measure.Good)
	return p
}

func (p *pond) step() *pond {
	p.last = p.engine.Step(p.now)
	for _, r := range p.last.Readings {
		if err := r.Validate(); err != nil {
			p.t.Errorf("a reading that cannot travel: %v", err)
		}
	}
	p.all = append(p.all, p.last.Readings...)
	if p.last.Urgent {
		p.urgent++
	}
	return p
}

// live lets time pass in steps of a second with an oxygen every minute; NaN is none.
func (p *pond) live(d time.Duration, oxygen func(p *pond)) *pond {
	for end := p.now.Uptime + d; p.now.Uptime < end; {
		if oxygen != nil && p.now.Uptime%time.Minute == 0 {
			oxygen(p)
		}
		p.step().pass(time.Second)
	}
	return p
}

func (p *pond) is(want string) *pond {
	p.t.Helper()
	s := p.engine.Status(p.now).Aerators[0]
	if got := fmt.Sprintf("%v %s %s", onOff(s.Command), s.State, s.Cause); got != want {
		p.t.Errorf("at %v: %s; want %s", p.now.Uptime-time.Hour, got, want)
	}
	if p.broken == nil && p.relay["ao1-quat"] != s.Command {
		p.t.Errorf("at %v: the relay is %v", p.now.Uptime-time.Hour, onOff(p.relay["ao1-quat"]))
	}
	return p
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// newest is the last reading of a series.
func (p *pond) newest(id string, q measure.Quantity) (found measure.Reading) {
	p.t.Helper()
	for _, r := range p.all {
		if r.Sensor == id && r.Quantity == q {
			found = r
		}
	}
	if found.Sensor == "" {
		p.t.Errorf("no %s of %s", q, id)
	}
	return found
}

func TestAerator_SwitchesAtTheSetPointsAndSparesTheMotor(t *testing.T) {
	p := newPond(t, config(nil))
	p.step().is("off off start")
	p.oxygen(4.1).step().is("off off between")
	p.pass(time.Minute).oxygen(3.99).step().is("on on low-oxygen")
	if r := p.newest("ao1-quat", measure.AeratorCommand); r.Value != 1 || r.Inputs != "o=3.99@ao1-do+0" || r.Quality != measure.Good {
		t.Errorf("the command travels as %+v", r)
	}
	p.pass(time.Minute).oxygen(5.6).step().is("on on shortest-run")
	p.pass(28 * time.Minute).oxygen(5.2).step().is("on on shortest-run")
	p.pass(time.Minute).oxygen(5.2).step().is("off off between") // it was above 5.5 once: enough
	p.pass(time.Minute).oxygen(3.5).step().is("off off shortest-rest")
	p.pass(4 * time.Minute).oxygen(3.5).step().is("on on low-oxygen")
	p.pass(40 * time.Minute).oxygen(5.5).step().is("on on between")
	p.pass(time.Minute).oxygen(5.51).step().is("off off enough-oxygen")
}

func TestAerator_FailSafe(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*edge.Aerator)
		probe  func(*pond)
		at     map[time.Duration]string
	}{
		"silent":              {nil, nil, map[time.Duration]string{4 * time.Minute: "off off start", 6 * time.Minute: "on on fail-safe", 90 * time.Minute: "on on fail-safe"}},
		"faulty":              {nil, func(p *pond) { p.reading("ao1-do", measure.DissolvedOxygen, 0, measure.Fault) }, map[time.Duration]string{6 * time.Minute: "on on fail-safe"}},
		"suspect":             {nil, func(p *pond) { p.reading("ao1-do", measure.DissolvedOxygen, 8, measure.Suspect) }, map[time.Duration]string{6 * time.Minute: "on on fail-safe"}},
		"out of range":        {nil, func(p *pond) { p.reading("ao1-do", measure.DissolvedOxygen, 80, measure.OutOfRange) }, map[time.Duration]string{6 * time.Minute: "on on fail-safe"}},
		"uncalibrated counts": {nil, func(p *pond) { p.reading("ao1-do", measure.DissolvedOxygen, 8, measure.Uncalibrated) }, map[time.Duration]string{6 * time.Minute: "off off enough-oxygen"}},
		"uncalibrated does not count": {
			func(a *edge.Aerator) { a.Trust = "good" },
			func(p *pond) { p.reading("ao1-do", measure.DissolvedOxygen, 8, measure.Uncalibrated) },
			map[time.Duration]string{6 * time.Minute: "on on fail-safe"},
		},
		"another quantity is not it": {nil, func(p *pond) { p.reading("ao1-do", measure.OxygenSaturation, 80, measure.Good) }, map[time.Duration]string{6 * time.Minute: "on on fail-safe"}},
		"rhythm": {
			func(a *edge.Aerator) { a.FailSafe = &edge.Duty{Run: 30 * time.Minute, Rest: 15 * time.Minute} }, nil,
			map[time.Duration]string{
				6 * time.Minute: "on on fail-safe", 34 * time.Minute: "on on fail-safe", 36 * time.Minute: "off off fail-safe",
				49 * time.Minute: "off off fail-safe", 51 * time.Minute: "on on fail-safe",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPond(t, config(tc.change))
			begin := p.now.Uptime
			for m := range 95 {
				p.live(time.Minute, tc.probe)
				if want, ok := tc.at[p.now.Uptime-begin]; ok {
					p.is(want)
				}
				_ = m
			}
		})
	}
}

func TestAerator_FailSafeEndsOnlyAboveTheUpperSetPoint(t *testing.T) {
	p := newPond(t, config(nil))
	p.oxygen(6).step().is("off off enough-oxygen")
	p.live(6*time.Minute, nil).is("on on fail-safe")
	if r := p.newest("ao1-quat", measure.AeratorCommand); r.Quality != measure.Estimated || r.Inputs != "o=6@ao1-do+300?" {
		t.Errorf("the command travels as %+v", r)
	}
	p.live(40*time.Minute, func(p *pond) { p.oxygen(5) }).is("on on between")
	p.live(2*time.Minute, func(p *pond) { p.oxygen(5.6) }).is("off off enough-oxygen")
}

func TestAerator_OneFaultIsNoFailSafe(t *testing.T) {
	p := newPond(t, config(nil))
	p.oxygen(6).step()
	p.pass(time.Minute).reading("ao1-do", measure.DissolvedOxygen, 0, measure.Fault)
	p.step().is("off off enough-oxygen")
	p.pass(time.Minute).oxygen(6).step()
	p.live(4*time.Minute, nil).is("off off enough-oxygen")
}

func TestAerator_LongestRun(t *testing.T) {
	p := newPond(t, config(func(a *edge.Aerator) { a.MaxRun = time.Hour }))
	low := func(p *pond) { p.oxygen(2) }
	p.live(59*time.Minute, low).is("on on low-oxygen")
	p.live(2*time.Minute, low).is("off off shortest-rest")
	p.live(4*time.Minute+time.Second, low).is("on on low-oxygen")
}

func TestAerator_WindowsNeedAClock(t *testing.T) {
	p := newPond(t, config(func(a *edge.Aerator) { a.Always = []string{"22:00-06:00", "12:30-13:00"} }))
	fine := func(p *pond) { p.oxygen(7) }
	p.live(29*time.Minute, fine).is("off off enough-oxygen")
	p.live(2*time.Minute, fine).is("on on window")
	p.live(30*time.Minute, fine).is("off off enough-oxygen") // 13:01, and it ran half an hour
	p.pass(9 * time.Hour)                                    // 22:01
	p.oxygen(7).step().is("on on window")
	p.pass(7*time.Hour + 57*time.Minute).oxygen(7).step().is("on on window") // 05:58 of the next day
	p.pass(3 * time.Minute).oxygen(7).step().is("off off enough-oxygen")
	p.pass(17 * time.Hour)
	p.now.Clock, p.now.Wall = measure.Unsynced, time.Time{}
	p.oxygen(7).step().is("off off enough-oxygen")
}

func TestAerator_APersonDecides(t *testing.T) {
	p := newPond(t, config(nil))
	say := func(m edge.Mode, d time.Duration) {
		t.Helper()
		if err := p.engine.SetOverride("ao1-quat", m, d, p.now); err != nil {
			t.Fatal(err)
		}
		p.step()
	}
	p.oxygen(7).step().is("off off enough-oxygen")
	say(edge.On, time.Hour)
	p.is("on on manual")
	say(edge.Off, 20*time.Minute)
	p.is("off off manual") // at once: a hand may be in the wheel
	say(edge.On, time.Hour)
	p.is("off off shortest-rest") // but it rests before it starts
	p.pass(5 * time.Minute).step().is("on on manual")
	p.live(55*time.Minute-time.Second, func(p *pond) { p.oxygen(2) }).is("on on manual")
	p.pass(time.Second).step().is("on on low-oxygen")
	say(edge.Off, time.Minute)
	p.is("off off manual")
	say(edge.Auto, 0)
	p.is("off off shortest-rest")
	for _, bad := range []struct {
		id   string
		mode edge.Mode
		d    time.Duration
	}{{"ao9", edge.On, time.Hour}, {"ao1-quat", "maybe", time.Hour}, {"ao1-quat", edge.Off, 25 * time.Hour}, {"ao1-quat", edge.On, 0}} {
		if err := p.engine.SetOverride(bad.id, bad.mode, bad.d, p.now); err == nil {
			t.Errorf("%+v passed", bad)
		}
	}
}

func TestAerator_RestartGoesOn(t *testing.T) {
	nc := func(a *edge.Aerator) { a.Relay.Contact = "nc" }
	for name, tc := range map[string]struct {
		change func(*edge.Aerator)
		before func(*pond)
		away   time.Duration
		boot   string
		want   string
		later  string // 5 minutes on, with 5 mg/L
	}{
		"running, the program restarts":        {nil, func(p *pond) { p.oxygen(3).step() }, time.Minute, boot, "on on start", "on on between"},
		"running, the machine boots":           {nil, func(p *pond) { p.oxygen(3).step() }, time.Minute, newBoot, "off off shortest-rest", "on on between"},
		"resting, the machine boots":           {nil, func(p *pond) { p.oxygen(7).step() }, time.Minute, newBoot, "off off start", "off off between"},
		"resting, normally closed, it boots":   {nc, func(p *pond) { p.oxygen(7).step() }, time.Minute, newBoot, "on on shortest-run", "on on shortest-run"},
		"running, normally closed, it boots":   {nc, func(p *pond) { p.oxygen(3).step() }, time.Minute, newBoot, "on on start", "on on between"},
		"manual off survives a boot":           {nil, override(edge.Off), time.Minute, newBoot, "off off manual", "off off manual"},
		"manual off does not outlive its hour": {nil, override(edge.Off), 2 * time.Hour, newBoot, "off off start", "off off between"},
		"manual on survives a restart":         {nil, override(edge.On), time.Minute, boot, "on on manual", "on on manual"},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(tc.change)
			p := newPond(t, c)
			tc.before(p)
			raw, err := p.engine.Saved(p.now).Bytes()
			if err != nil {
				t.Fatal(err)
			}
			saved, err := edge.ParseSaved(raw)
			if err != nil {
				t.Fatal(err)
			}
			p.pass(tc.away)
			if p.now.Boot = tc.boot; tc.boot == newBoot {
				p.now.Uptime = 30 * time.Second
			}
			p.start(c, saved)
			p.step().is(tc.want)
			p.pass(5 * time.Minute).oxygen(5).step().is(tc.later)
		})
	}
}

func override(m edge.Mode) func(*pond) {
	return func(p *pond) {
		if err := p.engine.SetOverride("ao1-quat", m, time.Hour, p.now); err != nil {
			p.t.Fatal(err)
		}
		p.step()
	}
}

func TestSaved_RefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, text := range []string{
		"", "{", `{"version":2}`, `{"version":1,"aerators":{"a":{"override":{"mode":"perhaps"}}}}`,
		`{"version":1,"aerators":{"a":{"override":{"mode":"off","for":86400000000001}}}}`, `{"version":1,"aerators":{"a":{"since":-1}}}`,
	} {
		if s, err := edge.ParseSaved([]byte(text)); err == nil {
			t.Errorf("%s: %+v", text, s)
		}
	}
}

func withCurrent(a *edge.Aerator) {
	a.Current = &edge.Current{Sensor: "ao1-dong", Above: 1, Within: time.Minute}
}

func TestAerator_VerifiedByItsCurrent(t *testing.T) {
	p := newPond(t, config(withCurrent))
	feed := func(o, amps float64) func(*pond) {
		return func(p *pond) { p.oxygen(o).current(amps) }
	}
	p.live(2*time.Minute, feed(7, 0.02)).is("off off enough-oxygen")
	p.oxygen(3).step().is("on starting low-oxygen")
	p.pass(5 * time.Second).current(3.2).step().is("on running low-oxygen")
	if r := p.newest("ao1-quat", measure.AeratorRunning); r.Value != 1 {
		t.Errorf("%+v", r)
	}
	p.live(3*time.Minute, feed(3, 3.2)).is("on running low-oxygen")
	p.pass(time.Second).current(0.1).step().is("on running low-oxygen") // a sag
	p.live(2*time.Minute, feed(3, 0.1)).is("on failed-to-start low-oxygen")
	if p.urgent != 1 || p.newest("ao1-quat", measure.AlarmState).Value != 1 || p.newest("ao1-quat", measure.AeratorRunning).Value != 0 {
		t.Errorf("urgent %d, %+v", p.urgent, p.newest("ao1-quat", measure.AlarmState))
	}
	p.live(2*time.Minute, feed(3, 3.1)).is("on running low-oxygen") // the mains are back
	if p.newest("ao1-quat", measure.AlarmState).Value != 0 {
		t.Error("the alarm stays")
	}
	p.live(40*time.Minute, feed(6, 3.1)).is("off running-although-off enough-oxygen")
	if p.urgent != 2 || p.newest("ao1-quat", measure.AlarmState).Value != 1 {
		t.Errorf("urgent %d", p.urgent)
	}
	p.live(2*time.Minute, feed(6, 0)).is("off off enough-oxygen")
}

func TestAerator_MotorThatNeverStarts(t *testing.T) {
	p := newPond(t, config(withCurrent))
	p.live(time.Minute, func(p *pond) { p.oxygen(3).current(0) }).is("on starting low-oxygen")
	p.live(2*time.Minute, func(p *pond) { p.oxygen(3).current(0) }).is("on failed-to-start low-oxygen")
}

func TestAerator_SilentCurrentSensorIsNoVerdict(t *testing.T) {
	p := newPond(t, config(withCurrent))
	p.live(10*time.Minute, func(p *pond) {
		p.oxygen(3)
		p.reading("ao1-dong", measure.Current, 0, measure.Fault)
	}).is("on on low-oxygen")
	if r := p.newest("ao1-quat", measure.AeratorRunning); r.Quality != measure.Fault || r.Reason != measure.NoResponse {
		t.Errorf("%+v", r)
	}
	for _, r := range p.all {
		if r.Quantity == measure.AlarmState && r.Value == 1 {
			t.Errorf("a verdict without evidence: %+v", r)
		}
	}
}

func TestAerator_RelayThatCannotBeSwitched(t *testing.T) {
	p := newPond(t, config(nil))
	p.broken = errRelay
	p.oxygen(3).step()
	if r := p.newest("ao1-quat", measure.AeratorCommand); r.Quality != measure.Fault || r.Reason != measure.BusDown || p.urgent != 1 {
		t.Errorf("%+v, urgent %d", r, p.urgent)
	}
	if s := p.engine.Status(p.now).Aerators[0]; !strings.Contains(s.Relay, "no such pin") {
		t.Errorf("status %+v", s)
	}
	p.broken = nil
	p.pass(11 * time.Second).oxygen(3).step().is("on on low-oxygen")
	if r := p.newest("ao1-quat", measure.AeratorCommand); r.Value != 1 || r.Quality != measure.Good {
		t.Errorf("%+v", r)
	}
	p.relay["ao1-quat"] = false // somebody else took the pin
	p.pass(11 * time.Second).step().is("on on low-oxygen")
}

func TestAerator_SaysWhatStandsEveryFiveMinutes(t *testing.T) {
	p := newPond(t, config(nil))
	p.live(time.Hour, func(p *pond) { p.oxygen(7) })
	n := 0
	for _, r := range p.all {
		if r.Quantity == measure.AeratorCommand {
			n++
		}
	}
	if n < 12 || n > 13 {
		t.Errorf("%d commands said in an hour", n)
	}
}

func TestRelay_Level(t *testing.T) {
	for _, tc := range []struct {
		relay   edge.Relay
		on, off bool
	}{
		{edge.Relay{}, true, false},
		{edge.Relay{ActiveLow: true}, false, true},
		{edge.Relay{Contact: "nc"}, false, true},
		{edge.Relay{Contact: "nc", ActiveLow: true}, true, false},
	} {
		if tc.relay.Level(true) != tc.on || tc.relay.Level(false) != tc.off {
			t.Errorf("%+v: on %v, off %v", tc.relay, tc.relay.Level(true), tc.relay.Level(false))
		}
	}
}
