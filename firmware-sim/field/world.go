package field

import (
	"fmt"
	"time"

	"aovuon/firmware-sim/world"
)

// newWorld makes the world of a configuration.
func newWorld(c Config, o Options) (*world.World, error) {
	now := o.Now()
	begin, err := c.begin(now)
	if err != nil {
		return nil, err
	}
	if now.Before(begin) {
		return nil, wrong("$.begin", "the world begins on %s, which is after now (%s): want an earlier day", begin.Format(time.DateOnly), now.Format(time.DateTime))
	}
	w := world.Options{Seed: c.Seed, Begin: begin}
	for i, p := range c.Places { // one by one, to know which is wrong
		w.Places = append(w.Places, p.world())
		if _, err := world.New(w); err != nil {
			return nil, wrong(fmt.Sprintf("$.places[%d]", i), "%w", err)
		}
	}
	w.Actions = o.Actions
	return world.New(w)
}

// World returns the world the chips stand in. Its time is WorldTime.
func (f *Field) World() *world.World { return f.world }

// WorldTime is the world's time when the chips' clock says t.
func (f *Field) WorldTime(t time.Time) time.Time {
	if f.cfg.Speed == 1 {
		return t
	}
	return f.start.Add(time.Duration(float64(t.Sub(f.start)) * f.cfg.Speed))
}

// Act does something to the world: at a.At, or now when that is zero. What cannot be is an error that says what can.
func (f *Field) Act(a world.Action) error {
	if a.At.IsZero() {
		a.At = f.WorldTime(f.opts.Now())
	}
	return f.world.Act(a)
}
