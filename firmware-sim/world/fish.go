package world

import (
	"fmt"
	"time"
)

// Fish is how the fish of a pond are.
type Fish struct {
	Alive float64 // kg
	Died  float64 // share of all that were ever put in or born by the beginning and were not taken out, 0 to 1
}

// Fish returns how the fish of a pond are at an instant: what no probe says, and what the probes are there for. A place that is
// no pond is ErrUnknown, an instant before the world ErrEarly.
func (w *World) Fish(place string, t time.Time) (Fish, error) {
	c, ok := w.courses[place]
	if !ok {
		return Fish{}, fmt.Errorf("%w place %q", ErrUnknown, place)
	}
	p, ok := c.model.(*pond)
	if !ok {
		return Fish{}, fmt.Errorf("%w fish at %s: it is no pond", ErrUnknown, place)
	}
	h := hoursOf(t)
	if h < w.begin {
		return Fish{}, w.early(t)
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.between(h)
	f := Fish{Alive: s[pFish] * p.place.Area / 1000}
	if all := s[pFishCount] + s[pDeadCount]; all > 0 {
		f.Died = s[pDeadCount] / all
	}
	return f, nil
}
