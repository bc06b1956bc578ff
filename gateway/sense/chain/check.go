package chain

import (
	"math"
	"time"
)

const (
	// ratePeriod is the shortest time a change is judged by: two readings a second apart differ by noise alone.
	ratePeriod = time.Minute
	// settled is how many values near each other make a jump real: the water was let in, the probe was moved.
	settled = 3
)

// rateCheck finds values that nothing in nature changes to so fast. A spike is doubted and what follows it is not; a jump
// that stays is believed from the third value on.
type rateCheck struct {
	known bool
	last  point // the last value that was believed
	odd   point // the last that was not
	odds  int   // how many of these agree with each other
}

type point struct {
	value float64
	at    time.Duration // uptime
}

// can reports whether to may follow from at perMinute.
func can(from, to point, perMinute float64) bool {
	minutes := max(to.at-from.at, ratePeriod).Minutes()
	return math.Abs(to.value-from.value) <= perMinute*minutes
}

// believes reports whether p is plausible after what came before.
func (c *rateCheck) believes(p point, perMinute float64) bool {
	if perMinute <= 0 || !c.known || can(c.last, p, perMinute) {
		c.known, c.last, c.odds = true, p, 0
		return true
	}
	if c.odds > 0 && can(c.odd, p, perMinute) {
		c.odds++
	} else {
		c.odds = 1
	}
	c.odd = p
	if c.odds >= settled {
		c.last, c.odds = p, 0
		return true
	}
	return false
}

// flatCheck finds values that do not move. It keeps the narrowest band the values stayed in and since when: a value that
// widens it to what a living probe shows begins a new one, and so does a silence of a quarter of the time, in which the probe
// may well have moved.
type flatCheck struct {
	known     bool
	low, high float64
	since     time.Duration
	last      time.Duration // uptime of the newest value
}

// moves reports whether the values up to p move as those of a living probe.
func (c *flatCheck) moves(p point, f Flat) bool {
	silent := c.known && f.Over > 0 && p.at-c.last > f.Over/4
	c.last = p.at
	low, high := min(c.low, p.value), max(c.high, p.value)
	if !c.known || silent || high-low >= f.LessThan {
		c.known, c.low, c.high, c.since = true, p.value, p.value, p.at
		return true
	}
	c.low, c.high = low, high
	return f.Over <= 0 || p.at-c.since < f.Over
}
