package edge

import (
	"fmt"
	"time"

	"aovuon/gateway/measure"
)

// Mode says who decides about an aerator.
type Mode string

// The modes.
const (
	Auto Mode = "auto" // the rules
	On   Mode = "on"   // a person said so
	Off  Mode = "off"
)

// MaxOverride is the longest that a person's word holds: an aerator that was switched off by hand and forgotten kills a
// pond.
const MaxOverride = 24 * time.Hour

// Override is a person's word over an aerator. It ends at a time of the wall clock, or after it has been in force for
// its length of one boot, whichever is known first: a gateway that wakes without a clock must not hold it for ever.
type Override struct {
	Mode  Mode          `json:"mode"`
	Until time.Time     `json:"until"` // zero while the clock was unknown
	For   time.Duration `json:"for"`   // its length, ns
	Since time.Duration `json:"since"` // uptime when it began, of Boot, ns
	Boot  string        `json:"boot"`  //
}

// newOverride checks what a person asked for.
func newOverride(mode Mode, length time.Duration, now measure.Instant) (Override, error) {
	switch {
	case mode == Auto:
		return Override{}, nil
	case mode != On && mode != Off:
		return Override{}, fmt.Errorf("edge: mode %q: write on, off or auto", string(mode))
	case length < time.Minute || length > MaxOverride:
		return Override{}, fmt.Errorf("edge: %s for %v: write a time from 1m to %v; the rules decide again after it", mode, length, MaxOverride)
	}
	o := Override{Mode: mode, For: length, Since: now.Uptime, Boot: now.Boot}
	if now.Clock != measure.Unsynced {
		o.Until = now.Wall.Add(length).UTC()
	}
	return o, nil
}

// active reports whether o is in force.
func (o Override) active() bool { return o.Mode == On || o.Mode == Off }

// adopt brings an override of another boot into this one: it holds for its whole length again, unless the clock ends it.
func (o Override) adopt(now measure.Instant) Override {
	if o.active() && o.Boot != now.Boot {
		o.Boot, o.Since = now.Boot, now.Uptime
	}
	return o
}

// over reports whether o has had its time.
func (o Override) over(now measure.Instant) bool {
	if now.Clock != measure.Unsynced && !o.Until.IsZero() && !now.Wall.Before(o.Until) {
		return true
	}
	return now.Uptime-o.Since >= o.For
}
