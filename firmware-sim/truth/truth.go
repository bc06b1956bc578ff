// Package truth says what the world of a field really was, and how far an answer of the product is from it.
//
// A world, the product's series (GET /api/places and /api/series), forecasts and the chips' answers (package ledger) come in;
// tables of truth, hours within limits and errors go out: FORMAT.md. Every rule of counting is here, and nothing here knows how
// the product comes to its answers.
package truth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// World is what is true; *world.World is one.
type World interface {
	// Value is a quantity of a place; an error for what the place does not have and for instants before the beginning.
	Value(place string, q measure.Quantity, t time.Time) (float64, error)
	// Begin is the first instant there is.
	Begin() time.Time
	// Places lists the places in their order.
	Places() []world.Place
	// Quantities lists what a place has.
	Quantities(place string) []measure.Quantity
}

// Span is a stretch of time, from its first instant up to and without its last.
type Span struct{ From, To time.Time }

// maxSpan is how long a stretch may be: far more than a world is worth asking about, and short enough to be a mistake.
const maxSpan = 3660 * 24 * time.Hour

// Check reports a stretch that a world cannot be asked about, with the mend.
func (s Span) Check(w World) error {
	switch {
	case !s.From.Before(s.To):
		return fmt.Errorf("truth: from %s to %s is no stretch of time: want --from before --to", stamp(s.From), stamp(s.To))
	case s.From.Before(w.Begin()):
		return fmt.Errorf("truth: from %s is before the world begins (%s): ask for a later instant, or write an earlier begin into the field's file",
			stamp(s.From), stamp(w.Begin()))
	case s.To.Sub(w.Begin()) > world.Horizon:
		return fmt.Errorf("truth: to %s is more than %d years after the world begins (%s): ask for an earlier instant, or write a later begin into the field's file",
			stamp(s.To), world.HorizonYears, stamp(w.Begin()))
	case s.To.Sub(s.From) > maxSpan:
		return fmt.Errorf("truth: %s to %s is more than ten years: want less", stamp(s.From), stamp(s.To))
	}
	return nil
}

// has reports whether a step of length long lies wholly within the stretch.
func (s Span) has(start time.Time, long time.Duration) bool {
	return !start.Before(s.From) && !start.Add(long).After(s.To)
}

// Value is one line of a table of truth.
type Value struct {
	Time     time.Time        `json:"time"`
	Place    string           `json:"place"`
	Quantity measure.Quantity `json:"quantity"`
	Value    float64          `json:"value"`
}

// Column is a quantity of a place.
type Column struct {
	Place    string
	Quantity measure.Quantity
}

// Columns are the quantities that are asked about: of all places when place is empty, all of them when q is empty. A place or a
// quantity that is not there is an error that lists what is.
func Columns(w World, place string, q measure.Quantity) (list []Column, err error) {
	var ids []string
	for _, p := range w.Places() {
		ids = append(ids, p.ID)
		if place != "" && place != p.ID {
			continue
		}
		for _, have := range w.Quantities(p.ID) {
			if q == "" || q == have {
				list = append(list, Column{p.ID, have})
			}
		}
	}
	switch {
	case place != "" && !slices.Contains(ids, place):
		return nil, fmt.Errorf("truth: no place %q in the field: want one of %s", place, strings.Join(ids, ", "))
	case len(list) > 0:
		return list, nil
	case place == "":
		return nil, fmt.Errorf("truth: no place of the field has a quantity %q: firmware-sim ledger truth without --quantity lists what there is", string(q))
	}
	var have []string
	for _, h := range w.Quantities(place) {
		have = append(have, string(h))
	}
	return nil, fmt.Errorf("truth: %s has no quantity %q: want one of %s", place, string(q), strings.Join(have, ", "))
}

// Table gives the truth of columns at every step of a stretch to f, in the order of time, until f returns an error.
func Table(w World, columns []Column, s Span, every time.Duration, f func(Value) error) error {
	if err := s.Check(w); err != nil {
		return err
	}
	if every < time.Second {
		return fmt.Errorf("truth: every %s: want at least 1s", every)
	}
	for t := s.From; t.Before(s.To); t = t.Add(every) {
		for _, c := range columns {
			v, err := w.Value(c.Place, c.Quantity, t)
			if err != nil {
				return fmt.Errorf("truth: %w", err)
			}
			if err := f(Value{t.UTC(), c.Place, c.Quantity, v}); err != nil {
				return err
			}
		}
	}
	return nil
}

// points are how many instants of a step the mean of the truth is taken over: one a minute, at least 10 and at most 24, at the
// middles of equal parts. The world changes over hours, so that more would not show in the last digit people read.
func points(step time.Duration) int { return int(min(24, max(10, step/time.Minute))) }

// mean is the mean of the truth over a step.
func mean(w World, c Column, start time.Time, step time.Duration) (float64, error) {
	n, sum := points(step), 0.0
	for i := range n {
		v, err := w.Value(c.Place, c.Quantity, start.Add(step*time.Duration(2*i+1)/time.Duration(2*n)))
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum / float64(n), nil
}

// ErrUnfit is what is returned when the product is further from the truth than it may be.
var ErrUnfit = errors.New("truth: the product is not as it should be")

func stamp(t time.Time) string {
	return t.In(time.FixedZone("+07", 7*3600)).Format("2006-01-02T15:04:05Z07:00")
}
