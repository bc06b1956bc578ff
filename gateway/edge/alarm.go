package edge

import (
	"time"

	"aovuon/gateway/measure"
)

// alarm is one alarm at work. All times are uptime.
type alarm struct {
	cfg   Alarm
	watch watch

	on      bool
	decided bool // on is true of this run: before it, the state of the last run stands unsaid
	pending bool // the value is beyond the set point, since:
	since   time.Duration
}

func newAlarm(cfg Alarm, now measure.Instant) *alarm {
	return &alarm{cfg: cfg, watch: watch{
		sensor: cfg.Sensor, quantity: cfg.Quantity, worst: cfg.Trust.quality(), start: now.Uptime,
	}}
}

// restore brings back whether the alarm was on before the program started: a value between the set points, or none at
// all, must not end an alarm.
func (a *alarm) restore(on bool) { a.on, a.decided = on, on }

// observe decides on a new value. A fault in between neither ends a low oxygen nor makes one.
func (a *alarm) observe(fresh bool, now time.Duration) {
	if a.cfg.Faulty {
		silent := a.watch.silent(now)
		switch {
		case fresh && a.watch.known && silent < a.cfg.wait() && a.watch.last.Time == a.watch.value.Time:
			a.on, a.decided = false, true
		case silent >= a.cfg.wait():
			a.on, a.decided = true, true
		}
		return
	}
	if !fresh || !a.watch.known || a.watch.last.Time != a.watch.value.Time {
		return
	}
	v := a.watch.value
	switch {
	case !a.beyond(v.Value):
		a.pending = false
		if !a.on || a.cleared(v.Value) {
			a.on = false
			a.decided = true
		}
	case a.on:
	case !a.pending:
		a.pending, a.since = true, v.Time.Uptime
		fallthrough
	default:
		if v.Time.Uptime-a.since >= a.cfg.wait() {
			a.on, a.decided, a.pending = true, true, false
		}
	}
}

func (a *alarm) beyond(v float64) bool {
	if a.cfg.Below != nil {
		return v < *a.cfg.Below
	}
	return v > *a.cfg.Above
}

func (a *alarm) cleared(v float64) bool {
	switch {
	case a.cfg.Clear == nil:
		return true
	case a.cfg.Below != nil:
		return v >= *a.cfg.Clear
	}
	return v <= *a.cfg.Clear
}

// input is the value behind the state.
func (a *alarm) input(now time.Duration) string { return a.watch.input(now, a.cfg.Faulty && a.on) }
