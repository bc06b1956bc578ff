// Package week draws some days of a place of the world as people of the field want to see them, to be looked at and believed, or not.
//
// A world and a place come in; one SVG goes out, with a picture for each thing that is looked at together: what warms and what is
// warmed, oxygen and its saturation, rain and the water in the soil. Nights are shaded, days begin at midnight in Viet Nam.
package week

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
	"aovuon/gateway/words"
)

//go:embed locales/*.yaml
var locales embed.FS

// Options say what is drawn.
type Options struct {
	World *world.World
	Seed  uint64    // the world's
	Place string    // of the world
	From  time.Time // the first day; drawn from its midnight in Viet Nam
	Days  int       // 1 to 31
	Lang  string    // vi or en
}

const (
	perHour = 4  // points of a curve an hour
	maxDays = 31 // more cannot be read
)

// Draw draws it. A place that is not there, or days before the world, are errors that say what there is.
func Draw(o Options) (svg []byte, err error) {
	if o.Days < 1 || o.Days > maxDays {
		return nil, fmt.Errorf("week: %d days: want 1 to %d", o.Days, maxDays)
	}
	if !slices.Contains(words.Languages(), o.Lang) {
		return nil, fmt.Errorf("week: language %q: want one of %v", o.Lang, words.Languages())
	}
	w, err := words.Load(o.Lang, locales)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, p := range o.World.Places() {
		ids = append(ids, p.ID)
		if p.ID != o.Place {
			continue
		}
		from := o.From.In(zone())
		s := &sheet{o: o, w: w, place: p, from: time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, zone()), n: o.Days*24*perHour + 1}
		if s.from.Before(o.World.Begin()) {
			return nil, fmt.Errorf("week: %s is before the world begins (%s): ask for a later day, or write an earlier begin into the field's file",
				s.from.Format(time.DateOnly), o.World.Begin().Format(time.DateOnly))
		}
		if s.from.Sub(o.World.Begin()) > world.Horizon {
			return nil, fmt.Errorf("week: %s is more than %d years after the world begins (%s): ask for an earlier day, or write a later begin into the field's file",
				s.from.Format(time.DateOnly), world.HorizonYears, o.World.Begin().Format(time.DateOnly))
		}
		return s.draw()
	}
	return nil, fmt.Errorf("week: no place %q in the field: want one of %s", o.Place, strings.Join(ids, ", "))
}

func zone() *time.Location { return time.FixedZone("+07", 7*3600) }

// sheet is what is drawn. The first error of reading the world stays, and reading goes on with nothing.
type sheet struct {
	o     Options
	w     *words.Words
	place world.Place
	from  time.Time
	n     int // points of a curve
	err   error
}

func (s *sheet) at(i int) time.Time { return s.from.Add(time.Duration(i) * time.Hour / perHour) }

func (s *sheet) draw() ([]byte, error) {
	var panels []panel
	switch s.place.Kind {
	case world.Pond:
		panels = s.pond()
	case world.Plot:
		panels = s.plot()
	case world.Room:
		panels = s.room()
	}
	nights := s.nights()
	if s.err != nil {
		return nil, fmt.Errorf("week: %w", s.err)
	}
	return s.svg(panels, nights), nil
}

// each samples a curve.
func (s *sheet) each(f func(t time.Time) (float64, error)) []float64 {
	list := make([]float64, s.n)
	for i := range list {
		v, err := f(s.at(i))
		if err != nil {
			s.err = errors.Join(s.err, err)
			return nil
		}
		list[i] = v
	}
	return list
}

// value is a quantity of the place as its probe feels it.
func (s *sheet) value(q measure.Quantity) []float64 {
	return s.each(func(t time.Time) (float64, error) { return s.o.World.Value(s.place.ID, q, t) })
}

// deep are quantities as a probe at another depth would feel them: the same place in the same world, with the probe elsewhere.
func (s *sheet) deep(depth float64, all ...measure.Quantity) [][]float64 {
	p := s.place
	p.Probe = depth
	var mine []world.Action
	for _, a := range s.o.World.Actions() {
		if a.Place == "" || a.Place == p.ID {
			mine = append(mine, a)
		}
	}
	list := make([][]float64, len(all))
	w, err := world.New(world.Options{Seed: s.o.Seed, Begin: s.o.World.Begin(), Places: []world.Place{p}, Actions: mine})
	if err != nil {
		s.err = errors.Join(s.err, err)
		return list
	}
	for i, q := range all {
		list[i] = s.each(func(t time.Time) (float64, error) { return w.Value(p.ID, q, t) })
	}
	return list
}

func (s *sheet) sky(f func(world.Sky) float64) []float64 {
	return s.each(func(t time.Time) (float64, error) {
		k, err := s.o.World.Sky(t)
		return f(k), err
	})
}

// hourly is the sum of every hour of what is given as a rate an hour.
func (s *sheet) hourly(f func(t time.Time) (float64, error)) []float64 {
	const parts = 12
	list := make([]float64, s.o.Days*24)
	for h := range list {
		for i := range parts {
			v, err := f(s.at(h * perHour).Add(time.Hour * time.Duration(2*i+1) / (2 * parts)))
			if err != nil {
				s.err = errors.Join(s.err, err)
				return list
			}
			list[h] += v / parts
		}
	}
	return list
}

func (s *sheet) rain() []float64 {
	return s.hourly(func(t time.Time) (float64, error) {
		k, err := s.o.World.Sky(t)
		return k.Rain, err
	})
}

// nights are the stretches without sun.
func (s *sheet) nights() []band {
	return bands(s.sky(func(k world.Sky) float64 { return -k.Clear }), 0)
}

// band is a stretch of points, both ends in it.
type band struct{ from, to int }

// bands are the stretches in which values are at least a limit.
func bands(list []float64, limit float64) (out []band) {
	for i, v := range list {
		switch {
		case v < limit:
		case len(out) > 0 && out[len(out)-1].to == i-1:
			out[len(out)-1].to = i
		default:
			out = append(out, band{i, i})
		}
	}
	return out
}
