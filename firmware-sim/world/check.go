package world

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// rule is what an action of one kind may be at one kind of place.
type rule struct {
	at        Kind // weather: ""
	low, high float64
	unit      string
	from      time.Duration // how long it may last; 0: it happens at once
	to        time.Duration
	brief     bool     // it may also happen at once, or hold until the next
	what      []string // what What must be one of; nil: it says nothing
	named     bool     // What is a name of its own
	other     bool     // What may also be "other …": it changes nothing
}

const (
	minute = time.Minute
	month  = 30 * 24 * time.Hour
	tiny   = 1e-6 // the least of what must be more than nothing
)

// rules says what may be done. One kind of action may be two things at two kinds of places.
func rules() map[ActionKind][]rule {
	return map[ActionKind][]rule{
		Stock:   {{at: Pond, low: tiny, high: 100_000, unit: "kg", named: true}}, // of a species: the pond knows which
		Harvest: {{at: Pond, high: 100_000, unit: "kg (0: all)"}, {at: Plot, high: 100, unit: "t/ha (0: all)"}},
		Feed:    {{at: Pond, low: tiny, high: 5000, unit: "kg"}},
		Treat:   {{at: Pond, low: tiny, high: 5000, unit: "kg", what: Treatments(), other: true}},
		Aerate:  {{at: Pond, high: 100, unit: "1/h", from: minute, to: month, brief: true, named: true}},
		Fill:    {{at: Pond, low: tiny, high: 400, unit: "cm", from: minute, to: month, brief: true}},
		Drain: {
			{at: Pond, low: tiny, high: 400, unit: "cm", from: minute, to: month, brief: true},
			{at: Plot, high: 1, unit: "(1: the ditch is open, 0: closed)", from: minute, to: month, brief: true},
		},
		Irrigate:  {{at: Plot, low: tiny, high: 300, unit: "mm", from: minute, to: month}},
		Plant:     {{at: Plot, what: Crops()}},
		Fertilise: {{at: Plot, low: tiny, high: 50_000, unit: "kg/ha", what: []string{"nitrogen", "phosphorus", "potassium", "manure"}}},
		Load:      {{at: Room, low: tiny, high: trayLimit, unit: "kg", what: Goods()}},
		Heat:      {{at: Room, low: 20, high: hottest, unit: "°C", from: minute, to: month}},
		Unload:    {{at: Room}},

		Rainfall: {{low: tiny, high: 1000, unit: "mm", from: minute, to: month}},
		Overcast: {{high: 1, from: minute, to: month}},
		ColdSnap: {{low: tiny, high: 20, unit: "°C", from: time.Hour, to: month}},
		HeatWave: {{low: tiny, high: 15, unit: "°C", from: time.Hour, to: month}},
		Typhoon:  {{low: 5, high: 60, unit: "m/s", from: time.Hour, to: 7 * 24 * time.Hour}},
		Calm:     {{from: minute, to: month}},
		Drizzle:  {{from: minute, to: month}},
	}
}

// ActionKinds returns the kinds of actions that a kind of place can have, in alphabetical order; those of the weather for "".
func ActionKinds(at Kind) []ActionKind {
	var list []ActionKind
	for k, rs := range rules() {
		if slices.ContainsFunc(rs, func(r rule) bool { return r.at == at }) {
			list = append(list, k)
		}
	}
	slices.Sort(list)
	return list
}

// Check says, as an error, what an action cannot be here, and what it can.
func (w *World) Check(a Action) error {
	if hoursOf(a.At) < w.begin {
		return fmt.Errorf("world: act %s: %w", a.Kind, w.early(a.At))
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.check(a)
}

func (w *World) check(a Action) error {
	at, name := Kind(""), "the weather"
	if a.Place != "" {
		i := slices.IndexFunc(w.places, func(p Place) bool { return p.ID == a.Place })
		if i < 0 {
			return fmt.Errorf("%w place %q: the world has %s; the weather has no place", ErrUnknown, a.Place, w.names())
		}
		at, name = w.places[i].Kind, string(w.places[i].Kind)+" "+a.Place
	}
	i := slices.IndexFunc(rules()[a.Kind], func(r rule) bool { return r.at == at })
	if i < 0 {
		return fmt.Errorf("world: act: %s cannot have %q: it can have %s", name, string(a.Kind), joined(ActionKinds(at)))
	}
	if err := rules()[a.Kind][i].check(a); err != nil {
		return fmt.Errorf("world: act: %s at %s: %w", a.Kind, name, err)
	}
	if a.Place == "" {
		return nil
	}
	c := w.courses[a.Place]
	return c.model.act(slices.Clone(c.start), hoursOf(a.At), a, false)
}

func (r rule) check(a Action) error {
	var errs []error
	switch {
	case a.Amount >= r.low && a.Amount <= r.high: // and not NaN
	case r.high == 0:
		errs = append(errs, fmt.Errorf("amount %g; want none", a.Amount))
	case r.low == tiny:
		errs = append(errs, fmt.Errorf("amount %g; want more than 0, up to %g %s", a.Amount, r.high, r.unit))
	default:
		errs = append(errs, fmt.Errorf("amount %g; want %s", a.Amount, span(r.low, r.high, r.unit)))
	}
	switch {
	case a.For >= r.from && a.For <= r.to, a.For == 0 && r.brief:
	case r.to == 0:
		errs = append(errs, fmt.Errorf("for %s; it happens at once: leave it out", a.For))
	default:
		errs = append(errs, fmt.Errorf("for %s; want it to last %s to %s", a.For, r.from, r.to))
	}
	switch {
	case r.named, slices.Contains(r.what, a.What), r.what == nil && a.What == "":
	case r.other && (a.What == "other" || strings.HasPrefix(a.What, "other ")):
	case r.what == nil:
		errs = append(errs, fmt.Errorf("what %q; want none", a.What))
	case r.other:
		errs = append(errs, fmt.Errorf(`what %q; want one of %s, or "other …" for what changes nothing here`, a.What, strings.Join(r.what, ", ")))
	default:
		errs = append(errs, fmt.Errorf("what %q; want one of %s", a.What, strings.Join(r.what, ", ")))
	}
	return errors.Join(errs...)
}

// compare orders actions by time, and those of one instant by what they are.
func compare(a, b Action) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.What, b.What),
		cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.For, b.For), cmp.Compare(a.By, b.By))
}

// names lists the places.
func (w *World) names() string {
	var list []string
	for _, p := range w.places {
		list = append(list, p.ID)
	}
	return strings.Join(list, ", ")
}

func joined(kinds []ActionKind) string {
	var list []string
	for _, k := range kinds {
		list = append(list, string(k))
	}
	return strings.Join(list, ", ")
}
