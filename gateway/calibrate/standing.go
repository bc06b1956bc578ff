package calibrate

import (
	"time"

	"aovuon/gateway/measure"
)

// Standing says how the calibration of a quantity of a sensor stands.
type Standing string

// The standings.
const (
	InForce   Standing = "in-force"
	DueSoon   Standing = "due-soon" // within a tenth of the interval
	Overdue   Standing = "overdue"
	Missing   Standing = "missing"    // never done here, and needed
	Unfit     Standing = "unfit"      // the last one found the probe bad, or was left unfinished
	NotNeeded Standing = "not-needed" // the maker's holds
)

// standingOf judges a calibration at an instant; last is nil when there is none. Without a wall clock nothing can be
// overdue: what was known before the power cut counts. due is zero where there is no next one.
func standingOf(last *kept, every time.Duration, now measure.Instant) (s Standing, due time.Time) {
	switch {
	case last == nil && every == 0:
		return NotNeeded, time.Time{}
	case last == nil:
		return Missing, time.Time{}
	case last.record.Verdict == Bad:
		return Unfit, time.Time{}
	case every == 0:
		return InForce, time.Time{}
	case now.Clock == measure.Unsynced:
		return InForce, time.Time{}
	}
	at, ok := last.wall(now)
	if !ok {
		return Overdue, time.Time{} // nobody knows when it was, and never will
	}
	due = at.Add(every)
	switch {
	case !now.Wall.Before(due):
		return Overdue, due
	case now.Wall.After(due.Add(-every / 10)):
		return DueSoon, due
	}
	return InForce, due
}

// uncalibrated reports whether values count as uncalibrated.
func (s Standing) uncalibrated() bool { return s == Overdue || s == Missing || s == Unfit }

// wall is when k was made, as far as anybody can tell at now: a calibration made before the clock was set is dated by the
// time that has passed since, in the same boot.
func (k *kept) wall(now measure.Instant) (time.Time, bool) {
	switch {
	case k.at.Clock != measure.Unsynced:
		return k.at.Wall, true
	case k.at.Boot == now.Boot && now.Clock != measure.Unsynced:
		return now.Wall.Add(k.at.Uptime - now.Uptime), true
	}
	return time.Time{}, false
}

// everyOf is how often a calibration is due: as configured, else by default. A soil probe whose line stands in the
// configuration is calibrated by it, and so is one that says itself that it is not.
func everyOf(m Method, q measure.Quantity, configured time.Duration, said bool) time.Duration {
	switch {
	case said:
		return configured
	case m == Linear && (q == measure.SoilMoisture || q == measure.SoilPH || q == measure.SoilConductivity):
		return 0 // digital soil probes are calibrated by their maker, and nobody has buffers for soil
	case m == EZORTD:
		return 0
	}
	return ruleOf(q).every
}
