package world

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

// ErrUnknown is returned for a place the world does not have, or a quantity the place does not have.
var ErrUnknown = errors.New("world: unknown")

// ErrEarly is returned for an instant before the world begins.
var ErrEarly = errors.New("world: before its beginning")

// HorizonYears and Horizon are how far from its beginning a world is asked about by people. It is integrated up to there, which takes
// about 0.1 s of a processor for a year of a place; farther away it is a mistake in a date.
const (
	HorizonYears = 50
	Horizon      = HorizonYears * 366 * 24 * time.Hour
)

// Options say which world it is. The same seed, beginning, places and actions always make the same one, bit by bit.
type Options struct {
	Seed    uint64
	Begin   time.Time // the world begins with this day in Viet Nam; zero is an error: see DefaultBegin
	Places  []Place
	Actions []Action // what was done to it so far
}

// DefaultBegin is when a world begins that nothing says more of: 1 January, in Viet Nam, of the year that holds the day 90 days
// before now. So there is a season before now, and the figure changes once a year at most.
func DefaultBegin(now time.Time) time.Time {
	return time.Date(now.In(zone()).AddDate(0, 0, -90).Year(), time.January, 1, 0, 0, 0, 0, zone())
}

// World holds the places of one field. It is safe for concurrent use.
type World struct {
	seed    uint64
	begin   float64 // hour
	places  []Place
	courses map[string]*course

	mu      sync.RWMutex // held for writing while something is done to the world
	weather *weather
	actions []Action // in order
}

// New makes the world of one seed. A place named twice, an unknown kind, a value outside its limits or an action that cannot be
// is an error.
func New(o Options) (*World, error) {
	if o.Begin.IsZero() {
		return nil, errors.New("world: it needs a day to begin with, such as 2026-01-01")
	}
	day, _ := split(hoursOf(o.Begin))
	w := &World{seed: o.Seed, begin: float64(day) * 24, courses: make(map[string]*course, len(o.Places)), weather: newWeather(o.Seed, nil)}
	for _, p := range o.Places {
		if _, twice := w.courses[p.ID]; twice {
			return nil, fmt.Errorf("world: place %q is there twice; give every place its own id", p.ID)
		}
		p, err := p.withDefaults()
		if err != nil {
			return nil, err
		}
		w.places = append(w.places, p)
		w.courses[p.ID] = newCourse(newModel(p, o.Seed, func(h float64) Sky { return w.weather.at(h) }), day)
	}
	for _, a := range o.Actions {
		if err := w.Act(a); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Begin is the first instant of the world.
func (w *World) Begin() time.Time { return timeOf(w.begin) }

// Places returns the places in their order, with every default filled in.
func (w *World) Places() []Place { return slices.Clone(w.places) }

// Actions returns what was done to the world, in the order of time.
func (w *World) Actions() []Action {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.Clone(w.actions)
}

// Has reports, without any work, whether place has quantity q; if not, the error is ErrUnknown.
func (w *World) Has(place string, q measure.Quantity) error {
	c, ok := w.courses[place]
	if !ok {
		return fmt.Errorf("%w place %q", ErrUnknown, place)
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	if !c.has(q) {
		return fmt.Errorf("%w quantity %q at %s", ErrUnknown, string(q), place)
	}
	return nil
}

// Quantities returns what place has, in measure's order; nil for an unknown place.
func (w *World) Quantities(place string) []measure.Quantity {
	return slices.DeleteFunc(measure.Quantities(), func(q measure.Quantity) bool { return w.Has(place, q) != nil })
}

// Value returns quantity q at a place and an instant, in the quantity's unit. Values are continuous in t but where an action
// makes them jump. An unknown place or a quantity the place does not have is ErrUnknown, an instant before the world ErrEarly.
// Any instant may be asked for in any order; those of the last days are quick.
func (w *World) Value(place string, q measure.Quantity, t time.Time) (float64, error) {
	c, ok := w.courses[place]
	if !ok {
		return 0, fmt.Errorf("%w place %q", ErrUnknown, place)
	}
	h := hoursOf(t)
	if h < w.begin {
		return 0, w.early(t)
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	v, ok := c.value(h, q)
	if !ok {
		return 0, fmt.Errorf("%w quantity %q at %s", ErrUnknown, string(q), place)
	}
	return v, nil
}

// Reach integrates every place up to t, so that the first who asks for an instant near it need not wait. Before the world begins
// it does nothing.
func (w *World) Reach(t time.Time) {
	h := hoursOf(t)
	if h < w.begin {
		return
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	var all sync.WaitGroup
	for _, c := range w.courses {
		all.Go(func() { c.at(h) })
	}
	all.Wait()
}

// Sky returns the weather over the whole field at an instant; before the world begins it is ErrEarly.
func (w *World) Sky(t time.Time) (Sky, error) {
	h := hoursOf(t)
	if h < w.begin {
		return Sky{}, w.early(t)
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.weather.at(h), nil
}

func (w *World) early(t time.Time) error {
	return fmt.Errorf("%w: %s is before %s: ask for a later instant, or give the world an earlier day to begin with (begin in field.yaml)",
		ErrEarly, t.In(zone()).Format(time.DateTime), w.Begin().Format(time.DateOnly))
}

// Act does something to the world: everything that is later than a.At changes, and what was before stays. An action that cannot
// be is an error that says what may be, and changes nothing.
func (w *World) Act(a Action) error {
	a.At = a.At.UTC().Round(0)
	if err := w.Check(a); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at, _ := slices.BinarySearchFunc(w.actions, a, compare)
	w.actions = slices.Insert(w.actions, at, a)
	if a.Place != "" {
		w.courses[a.Place].insert(a, true)
		return nil
	}
	var over []Action
	for _, b := range w.actions {
		if b.Place == "" {
			over = append(over, b)
		}
	}
	w.weather = newWeather(w.seed, over)
	for _, c := range w.courses {
		c.insert(a, false)
	}
	return nil
}

// zone is Vietnamese civil time: UTC+7, no summer time.
func zone() *time.Location { return time.FixedZone("+07", 7*3600) }

// hoursOf is the field's own time: hours of Vietnamese civil time since 1970-01-01 00:00.
func hoursOf(t time.Time) float64 {
	return float64(t.Unix())/3600 + float64(t.Nanosecond())/3.6e12 + 7
}

// timeOf is the instant of a whole second nearest to h.
func timeOf(h float64) time.Time {
	return time.Unix(int64((h-7)*3600+0.5), 0).In(zone())
}
