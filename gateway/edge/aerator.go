package edge

import (
	"time"

	"aovuon/gateway/measure"
)

// Cause is why an aerator is commanded as it is.
type Cause string

// The causes.
const (
	ByStart    Cause = "start"         // as it was before the program started; no value yet
	ByLow      Cause = "low-oxygen"    // below the set point
	ByHigh     Cause = "enough-oxygen" // above the upper set point
	ByHold     Cause = "between"       // between the two: as it was
	ByFailSafe Cause = "fail-safe"     // no value that counts
	ByWindow   Cause = "window"        // the time of day
	ByPerson   Cause = "manual"        // somebody said so
	ByMinRun   Cause = "shortest-run"  // it may not stop yet
	ByMinRest  Cause = "shortest-rest" // it may not start yet
	ByMaxRun   Cause = "longest-run"   // it has to rest
)

// Causes lists every cause.
func Causes() []Cause {
	return []Cause{ByStart, ByLow, ByHigh, ByHold, ByFailSafe, ByWindow, ByPerson, ByMinRun, ByMinRest, ByMaxRun}
}

// State is what an aerator does.
type State string

// The states. Without a current sensor, or while it says nothing, only IsOff and IsOn are known.
const (
	IsOff       State = "off"
	IsOn        State = "on"                   // commanded, and nobody sees whether it runs
	IsStarting  State = "starting"             // commanded, no current yet
	IsRunning   State = "running"              // commanded, and there is current
	IsFailed    State = "failed-to-start"      // commanded, and no current for too long
	IsRunningOn State = "running-although-off" // current although commanded off: a welded contactor, or a hand at the switch
)

// States lists every state.
func States() []State { return []State{IsOff, IsOn, IsStarting, IsRunning, IsFailed, IsRunningOn} }

// Bad reports whether somebody has to look.
func (s State) Bad() bool { return s == IsFailed || s == IsRunningOn }

// aerator is one aerator at work. All times are uptime.
type aerator struct {
	cfg     Aerator
	windows []window
	oxygen  watch
	current *watch // nil: nobody measures

	demand   bool // what the set points say; held between them
	failing  bool // in the fail-safe, since:
	failed   time.Duration
	override Override

	on       bool // what is commanded
	since    time.Duration
	cause    Cause
	asserted time.Duration // when the relay was last told
	err      error         // what the relay said

	state State
	flows time.Duration // when current was last seen while commanded on
}

func newAerator(cfg Aerator, now measure.Instant) *aerator {
	a := &aerator{
		cfg:    cfg,
		oxygen: watch{sensor: cfg.Oxygen, quantity: cfg.quantity(), worst: cfg.Trust.quality(), start: now.Uptime},
		state:  IsOff,
		cause:  ByStart,
	}
	for _, text := range cfg.Always {
		if w, err := parseWindow(text); err == nil { // Check tells
			a.windows = append(a.windows, w)
		}
	}
	if cfg.Current != nil {
		// Any value counts: idle current is out of its range by the offset of its amplifier, and flat by nature.
		a.current = &watch{sensor: cfg.Current.Sensor, quantity: measure.Current, worst: measure.OutOfRange, start: now.Uptime}
	}
	return a
}

// restore brings back what was before the program started. After a boot the relay was as its wiring rests since the
// machine came up; after a mere restart it is taken to have kept its level, which the first step asserts again.
func (a *aerator) restore(s SavedAerator, known bool, now measure.Instant) {
	a.on, a.since = a.cfg.Relay.NormallyClosed(), 0
	a.demand = a.on
	if known {
		a.override, a.demand = s.Override.adopt(now), s.Demand
		if s.Boot == now.Boot {
			a.on, a.since = s.On, s.Since
		}
	}
	a.flows = now.Uptime
}

// want is what the rules ask for, before the motor is spared.
func (a *aerator) want(now measure.Instant, zone *time.Location) (on bool, cause Cause) {
	if a.override.active() && a.override.over(now) {
		a.override = Override{}
	}
	onDemand, cause := a.wantOfOxygen(now.Uptime)
	switch {
	case a.override.active():
		return a.override.Mode == On, ByPerson
	case a.open(now, zone):
		return true, ByWindow
	}
	return onDemand, cause
}

func (a *aerator) open(now measure.Instant, zone *time.Location) bool {
	for _, w := range a.windows {
		if w.holds(now, zone) {
			return true
		}
	}
	return false
}

// wantOfOxygen holds the demand between the set points. It goes on while a person or a window decides, so that it is
// right when they end.
func (a *aerator) wantOfOxygen(now time.Duration) (bool, Cause) {
	if a.oxygen.silent(now) >= a.cfg.stale() {
		if !a.failing {
			a.failing, a.failed = true, now
		}
		a.demand = true // when the probe is back the pond has to be above the upper set point before it ends
		d := a.cfg.FailSafe
		if d == nil {
			return true, ByFailSafe
		}
		return (now-a.failed)%(d.Run+d.Rest) < d.Run, ByFailSafe
	}
	a.failing = false
	if !a.oxygen.known {
		return a.demand, ByStart
	}
	switch v := a.oxygen.value.Value; {
	case v < a.cfg.OnBelow:
		a.demand = true
		return true, ByLow
	case v > a.cfg.OffAbove:
		a.demand = false
		return false, ByHigh
	}
	return a.demand, ByHold
}

// decide sets the command for now and reports whether it changed. The motor is spared: it rests at least MinRest before
// every start and runs at least MinRun, unless a person stops it, whose hand may be in it.
func (a *aerator) decide(now measure.Instant, zone *time.Location) bool {
	on, cause := a.want(now, zone)
	lasted := now.Uptime - a.since
	person := cause == ByPerson
	switch {
	case a.on && !person && a.cfg.MaxRun > 0 && lasted >= a.cfg.MaxRun:
		on, cause = false, ByMaxRun
	case a.on && !on && !person && lasted < a.cfg.minRun():
		on, cause = true, ByMinRun
	case !a.on && on && lasted < a.cfg.minRest():
		on, cause = false, ByMinRest
	}
	changed := on != a.on
	if changed {
		a.on, a.since = on, now.Uptime
		a.flows = now.Uptime
	}
	a.cause = cause
	return changed
}

// runs is what the current sensor says about the command in force: known only from a value that was measured after it.
func (a *aerator) runs(now time.Duration) (running, known bool) {
	if a.current == nil || !a.current.known {
		return false, false
	}
	at := a.current.value.Time.Uptime
	if at < a.since || now-at > silence(a.cfg.Current.within()) {
		return false, false
	}
	return a.current.value.Value >= a.cfg.Current.Above, true
}

// silence is how old a current may be: the sensor is asked at least once in the time a motor is given.
func silence(within time.Duration) time.Duration { return 2*within + 10*time.Second }

// observe brings the state up to the command and the current.
func (a *aerator) observe(now time.Duration) {
	running, known := a.runs(now)
	if a.on && known && running {
		a.flows = now
	}
	switch {
	case !known && a.current != nil && now-a.since <= a.cfg.Current.within():
		a.state = a.starting() // the sensor has not been asked since
	case !known:
		a.state = IsOff
		if a.on {
			a.state = IsOn
		}
	case a.on && running:
		a.state = IsRunning
	case a.on && now-a.flows > a.cfg.Current.within():
		a.state = IsFailed
	case a.on && a.state != IsRunning:
		a.state = IsStarting
	case a.on: // it ran a moment ago: a sag is no stop
	case running && now-a.since > a.cfg.Current.within():
		a.state = IsRunningOn
	case running && a.state == IsRunningOn:
	default:
		a.state = IsOff
	}
}

func (a *aerator) starting() State {
	if a.on {
		return IsStarting
	}
	return IsOff
}
