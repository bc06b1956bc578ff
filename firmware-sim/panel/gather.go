package panel

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
	"aovuon/gateway/words"
)

// gathered is what one page is drawn from: everything is asked once, at one instant.
type gathered struct {
	page    *Page
	w       *words.Words
	now     time.Time
	usages  []usage
	devices map[string]device
	answers []ledger.Entry
	product []ProductPlace
	down    error // why the product cannot be asked
	last    *attempt
	said    []Said // the newest first
}

// device is how the field's list has it.
type device struct {
	state string   // a fault, or healthy
	kinds []string // the faults it can have
}

func (s *Page) gather(ctx context.Context, w *words.Words, last *attempt) (g *gathered, err error) {
	g = &gathered{page: s, w: w, now: s.o.Now(), answers: s.o.Answers.Newest(), last: last, said: s.o.Said.Newest(kept), devices: make(map[string]device)}
	if g.usages, err = s.usages(ctx); err != nil {
		return nil, err
	}
	lines, err := s.o.Desk.Do(ctx, "list")
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if f := strings.Fields(l); len(f) >= 2 {
			d := device{state: f[1]}
			if len(f) > 2 {
				d.kinds = strings.Split(f[2], ",")
			}
			g.devices[f[0]] = d
		}
	}
	if s.o.Product != nil {
		g.product, g.down = s.o.Product.Places(ctx, w.Lang())
	}
	return g, nil
}

// parts are the devices of a place; of no place those that several share.
func (g *gathered) parts(place string) []field.Part {
	return slices.DeleteFunc(g.page.o.Field.Parts(), func(p field.Part) bool { return p.Place != place })
}

// source is what there is to compare at a place.
func (g *gathered) source(place string) source {
	mine := map[string]bool{}
	src := source{place: place, measure: make(map[measure.Quantity][]string)}
	for _, p := range g.parts(place) {
		mine[p.ID] = true
		for _, q := range p.Measures {
			src.measure[q] = append(src.measure[q], p.ID)
		}
	}
	for _, e := range g.answers {
		if mine[e.Device] {
			src.answers = append(src.answers, e)
		}
	}
	if at, ok := g.known(place); ok {
		for _, n := range at.Series {
			if !n.Quantity.OfGateway() {
				src.series = append(src.series, n)
			}
		}
	}
	return src
}

// known is the product's place that a place of the field is: where most of its sensors stand. A sensor is called by the id of its
// device, by habit.
func (g *gathered) known(place string) (best ProductPlace, ok bool) {
	mine := map[string]bool{}
	for _, p := range g.parts(place) {
		mine[p.ID] = true
	}
	most := 0
	for _, at := range g.product {
		n := 0
		for _, series := range at.Series {
			if mine[series.Sensor] {
				n++
			}
		}
		if n > most {
			most, best = n, at
		}
	}
	return best, most > 0
}

// productNote says why there is nothing of the product, if so.
func (g *gathered) productNote() string {
	switch {
	case g.page.o.Product == nil:
		return g.w.T("product.none")
	case errors.Is(g.down, context.DeadlineExceeded):
		return g.w.T("product.slow", g.page.o.Product.Address())
	case g.down != nil:
		return g.w.T("product.down", g.page.o.Product.Address(), g.down.Error())
	}
	return ""
}
