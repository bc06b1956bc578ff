package field

import (
	"errors"
	"fmt"
	"time"

	"aovuon/firmware-sim/world"
)

// newWorld makes the world of a configuration, with what was done to it before; early is the number of actions that are from
// before its beginning.
func newWorld(c Config, o Options) (w *world.World, early int, err error) {
	now := o.Now()
	begin, err := c.begin(now)
	if err != nil {
		return nil, 0, err
	}
	if now.Before(begin) {
		return nil, 0, wrong("$.begin", "the world begins on %s, which is after now (%s): want an earlier day", begin.Format(time.DateOnly), now.Format(time.DateTime))
	}
	if now.Sub(begin) > world.Horizon {
		return nil, 0, wrong("$.begin", "the world begins on %s, more than %d years before now (%s), and is integrated from there: want a later day",
			begin.Format(time.DateOnly), world.HorizonYears, now.Format(time.DateTime))
	}
	options := world.Options{Seed: c.Seed, Begin: begin}
	if w, err = world.New(options); err != nil {
		return nil, 0, err
	}
	for i, p := range c.Places { // one by one, to know which is wrong
		options.Places = append(options.Places, p.world())
		if w, err = world.New(options); err != nil {
			return nil, 0, wrong(fmt.Sprintf("$.places[%d]", i), "%w", err)
		}
	}
	for i, a := range o.Actions {
		switch err := w.Act(a); {
		case errors.Is(err, world.ErrEarly):
			early++
		case err != nil:
			return nil, 0, wrong("$.journal", "line %d of the journal: %w: correct that line or remove it", i+1, err)
		}
	}
	return w, early, nil
}

// World returns the world the chips stand in. Its time is WorldTime.
func (f *Field) World() *world.World { return f.world }

// Early is the number of the options' actions that are from before the world's beginning, and were left out.
func (f *Field) Early() int { return f.early }

// WorldTime is the world's time when the chips' clock says t.
func (f *Field) WorldTime(t time.Time) time.Time {
	if f.cfg.Speed == 1 {
		return t
	}
	return f.start.Add(time.Duration(float64(t.Sub(f.start)) * f.cfg.Speed))
}

// maxAhead is how far ahead of the world's present time something can be planned: farther it is a mistake.
const maxAhead = 366 * 24 * time.Hour

// Act does something to the world, at a.At or, when that is zero, now, and writes it down in the journal. What cannot be is an
// error that says what can. When it returns nil the world has changed and will have after a restart.
func (f *Field) Act(a world.Action) error {
	if a.At.IsZero() {
		a.At = f.WorldTime(f.opts.Now())
	}
	if now := f.WorldTime(f.opts.Now()); a.At.Sub(now) > maxAhead {
		return fmt.Errorf("field: act %s: at %s is more than a year after the world's present time (%s): want an earlier instant",
			a.Kind, a.At.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	if err := f.world.Check(a); err != nil {
		return err
	}
	if f.opts.Journal != nil {
		if err := f.opts.Journal.Append(a); err != nil {
			return fmt.Errorf("field: nothing was done: %w", err)
		}
	}
	return f.world.Act(a)
}
