package web

import (
	"cmp"
	"context"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch"
)

// card is one place with its newest values.
type card struct {
	Place    farm.Place
	Level    level
	Word     string
	Readings []reading
	Own      bool // on the page of the place itself
}

// zoneCards are the cards of one zone, the worst first.
type zoneCards struct {
	Name  string
	Cards []card
}

// board is what is true now, everywhere.
type board struct {
	Zones    []zoneCards
	Unplaced []reading // of sensors nobody has placed yet
	Look     []card    // warned or in danger, the worst first
	Lost     []card
	Fine     int
	Places   int
}

// cards returns every card, in the order of the board.
func (b board) cards() []card {
	var out []card
	for _, z := range b.Zones {
		out = append(out, z.Cards...)
	}
	return out
}

// newBoard judges every value of the farm. In each zone the worst place comes first; zones keep the farm's order.
func (s *Server) newBoard(ctx context.Context, w *words, f *farm.Farm, now time.Time) board {
	values := s.values(ctx)
	limit, cancel := context.WithTimeout(ctx, sparkBudget)
	defer cancel()
	b := board{Places: len(f.Places)}
	zones := map[string]*zoneCards{}
	var order []string
	for _, z := range f.Zones {
		zones[z.ID] = &zoneCards{Name: z.Name.In(w.lang)}
		order = append(order, z.ID)
	}
	for _, p := range f.Places {
		c := s.newCard(ctx, limit, w, f, p, values, now)
		c.Readings = named(dense(c.Readings))
		if z := zones[p.Zone]; z != nil {
			z.Cards = append(z.Cards, c)
		}
		switch c.Level {
		case danger, warned:
			b.Look = append(b.Look, c)
		case lost:
			b.Lost = append(b.Lost, c)
		case fine, noted:
			b.Fine++
		}
	}
	for _, id := range order {
		if z := zones[id]; len(z.Cards) > 0 {
			worstFirst(z.Cards)
			b.Zones = append(b.Zones, *z)
		}
	}
	worstFirst(b.Look)
	for _, v := range values {
		if _, known := f.Place(v.Place); !known && !v.Quantity.OfGateway() { // the system page shows how gateways are
			r := judge(w, nil, v, true, now)
			r.Label += " (" + v.Gateway + " / " + v.Sensor + ")"
			b.Unplaced = append(b.Unplaced, r)
		}
	}
	return b
}

func worstFirst(cards []card) {
	slices.SortStableFunc(cards, func(a, b card) int { return cmp.Compare(b.Level, a.Level) })
}

// newCard judges the values of one place: those of every sensor that hangs there, whether it spoke or not, and of any
// other that says it does. limit bounds the time for what only adorns it.
func (s *Server) newCard(ctx, limit context.Context, w *words, f *farm.Farm, p farm.Place, values []watch.Value, now time.Time) card {
	c := card{Place: p}
	for _, sr := range seriesAt(f, p, values, now, now.Add(time.Nanosecond)) {
		i := slices.IndexFunc(values, func(v watch.Value) bool { return v.Series == sr })
		var v watch.Value
		ok := i >= 0
		if ok {
			v = values[i]
		} else {
			v, ok = s.lastKnown(ctx, sr)
		}
		r := judge(w, f.LimitsOf(p, sr.Quantity), v, ok, now)
		r.Spark = s.sparks.get(limit, sr, now)
		c.Readings = append(c.Readings, r)
	}
	if len(c.Readings) == 0 {
		c.Level, c.Word = lost, w.t("state.noprobe")
		return c
	}
	worst := slices.MaxFunc(c.Readings, func(a, b reading) int { return cmp.Compare(a.Level, b.Level) })
	c.Level, c.Word = worst.Level, w.t("state.fine")
	switch c.Level {
	case fine:
	case noted:
		c.Word = w.t("state.fine") + ", " + lowerFirst(worst.Word)
	case warned, lost, danger:
		if c.Word = worst.Label + ": " + lowerFirst(worst.Word); worst.Quantity == measure.AlarmState && c.Level == danger {
			c.Word = worst.Label // it is the word
		}
	}
	return c
}

// named adds the sensor to the label where a card has two of a quantity.
func named(list []reading) []reading {
	for i, r := range list {
		if slices.ContainsFunc(list, func(o reading) bool { return o.Quantity == r.Quantity && o.Sensor != r.Sensor }) {
			list[i].Label += " (" + r.Sensor + ")"
		}
	}
	return list
}

// ownCard is the card on the page of the place itself.
func (s *Server) ownCard(ctx context.Context, w *words, f *farm.Farm, p farm.Place, values []watch.Value, now time.Time) card {
	c := s.newCard(ctx, ctx, w, f, p, values, now)
	c.Own, c.Readings = true, named(c.Readings)
	return c
}

// seriesAt returns the series of a place between two times, in the order people read quantities.
func seriesAt(f *farm.Farm, p farm.Place, values []watch.Value, from, to time.Time) []history.Series {
	var out []history.Series
	for _, m := range f.MountsAt(p.Code, from, to) {
		for _, q := range m.Measures {
			out = append(out, history.Series{Place: p.Code, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor})
		}
	}
	for _, v := range values {
		if v.Place == p.Code && !slices.Contains(out, v.Series) {
			if code, ok := f.PlaceOf(v.Gateway, v.Sensor, to); !ok || code == p.Code { // not one that moved away
				out = append(out, v.Series)
			}
		}
	}
	rank := measure.Quantities()
	slices.SortStableFunc(out, func(a, b history.Series) int {
		return cmp.Compare(slices.Index(rank, a.Quantity), slices.Index(rank, b.Quantity))
	})
	return out
}

// lastKnown asks the history for a series that has not spoken since the server started.
func (s *Server) lastKnown(ctx context.Context, sr history.Series) (watch.Value, bool) {
	ctx, cancel := context.WithTimeout(ctx, historyPatience)
	defer cancel()
	points, err := s.o.History.Latest(ctx, []history.Series{sr})
	if err != nil || len(points) == 0 {
		return watch.Value{Series: sr}, false // the page says that there is no value, which is true of this server now
	}
	p := points[0]
	return watch.Value{Series: sr, Time: p.Time, Value: p.Value, Quality: p.Quality}, true
}
