package web

import (
	"cmp"
	"context"
	"html/template"
	"log/slog"
	"slices"
	"strings"
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

	Notes  []cardNote    // open alarms and advice, the gravest first
	Unsure string        // topics that rules could not judge
	Brief  bool          // nothing is wrong: its values stand beside each other
	Main   reading       // what one looks at first
	Some   bool          // there is a Main
	HTML   template.HTML // drawn, on the dashboard
}

// zoneCards are the cards of one zone, the worst first.
type zoneCards struct {
	ID, Name string
	Cards    []card
	Map      template.HTML // of those with an outline; empty: there is none, or it is not for the visitor
	Worst    level
}

// Count is how many places of the zone are shown.
func (z zoneCards) Count() int64 { return int64(len(z.Cards)) }

// Full are the cards of places where something is wrong.
func (z zoneCards) Full() []card { return z.Cards[:z.calm()] }

// Calm are the others.
func (z zoneCards) Calm() []card { return z.Cards[z.calm():] }

// fewCards is how many cards of a zone stand in one grid, whatever their state: two grids of a few each would leave half a screen empty.
const fewCards = 8

// calm is where those begin: the worst come first.
func (z zoneCards) calm() int {
	if len(z.Cards) <= fewCards {
		return len(z.Cards)
	}
	if i := slices.IndexFunc(z.Cards, func(c card) bool { return c.Brief }); i >= 0 {
		return i
	}
	return len(z.Cards)
}

// board is what is true now, everywhere that is asked for.
type board struct {
	Zones    []zoneCards
	Unplaced []reading // of sensors nobody has placed yet
	Look     []card    // warned or in danger, the worst first
	Lost     []card
	Fine     int
	Places   int
	Others   []cardNote // alarms of gateways and of the server itself
	Deaf     bool       // alarms cannot be read
	Ask      sift
}

// mostListed is how many places in danger or with a warning the head of the dashboard names, and how many of which nobody knows.
const mostListed, mostListedLost = 6, 4

// Listed are the places that the head names, and how many more there are.
func (b board) Listed() []card { return b.Look[:min(len(b.Look), mostListed)] }

// ListedLost are those of which nobody knows.
func (b board) ListedLost() []card { return b.Lost[:min(len(b.Lost), mostListedLost)] }

// More is how many places the head does not name.
func (b board) More() int64 {
	return int64(len(b.Look) - len(b.Listed()) + len(b.Lost) - len(b.ListedLost()))
}

// At is the address of the dashboard with another state to look for, or with none if it is looked for already.
func (b board) At(state string) string {
	a := b.Ask
	if a.State == state {
		state = ""
	}
	a.State = state
	return a.at("/")
}

// Legend are the states that places may be in, the gravest first.
func (b board) Legend() []level { return []level{danger, warned, lost, noted, fine} }

// cards returns every card, in the order of the board.
func (b board) cards() []card {
	var out []card
	for _, z := range b.Zones {
		out = append(out, z.Cards...)
	}
	return out
}

// newBoard judges every value of the places that are asked for, whatever their state. In each zone the worst place comes first, and the zone with
// the worst one first.
func (s *Server) newBoard(ctx context.Context, w *words, f *farm.Farm, ask sift, now time.Time) board {
	values := s.values(ctx)
	limit, cancel := context.WithTimeout(ctx, sparkBudget)
	defer cancel()
	b := board{Ask: ask}
	said, deaf := s.newBoardNotes(ctx, w, f, now)
	b.Deaf, b.Others = deaf, said.others
	zones := map[string]*zoneCards{}
	for _, z := range f.Zones {
		zones[z.ID] = &zoneCards{ID: z.ID, Name: z.Name.In(w.lang)}
	}
	at := byPlace(values)
	known := s.lastKnownOf(ctx, f, at, now)
	for _, p := range f.Places {
		if !ask.place(p) {
			continue
		}
		b.Places++
		c := s.newCard(limit, w, f, p, at[p.Code], known, now)
		c.Readings = named(dense(c.Readings))
		c.add(w, said)
		c.Main, c.Some = mainReading(c.Readings)
		c.Brief = c.Level <= noted
		if z := zones[p.Zone]; z != nil {
			z.Cards, z.Worst = append(z.Cards, c), max(z.Worst, c.Level)
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
	for _, z := range f.Zones {
		if z := zones[z.ID]; len(z.Cards) > 0 {
			worstFirst(z.Cards)
			b.Zones = append(b.Zones, *z)
		}
	}
	slices.SortStableFunc(b.Zones, func(x, y zoneCards) int { return cmp.Compare(y.Worst, x.Worst) })
	worstFirst(b.Look)
	if !ask.Some() {
		b.Unplaced = unplaced(w, f, values, now)
	}
	return b
}

// unplaced are the values of sensors that nobody has placed.
func unplaced(w *words, f *farm.Farm, values []watch.Value, now time.Time) (out []reading) {
	for _, v := range values {
		if _, known := f.Place(v.Place); !known && !v.Quantity.OfGateway() { // the system page shows how gateways are
			r := judge(w, f, nil, v, true, now)
			r.Label += " (" + v.Gateway + " / " + v.Sensor + ")"
			out = append(out, r)
		}
	}
	return out
}

func byPlace(values []watch.Value) map[string][]watch.Value {
	out := map[string][]watch.Value{}
	for _, v := range values {
		out[v.Place] = append(out[v.Place], v)
	}
	return out
}

func worstFirst(cards []card) {
	slices.SortStableFunc(cards, func(a, b card) int { return cmp.Compare(b.Level, a.Level) })
}

// mainReading is what one looks at first at a place: oxygen in water, moisture in soil, else the first that is measured.
func mainReading(list []reading) (reading, bool) {
	for _, q := range []measure.Quantity{measure.DissolvedOxygen, measure.SoilMoisture, measure.RelativeHumidity, measure.AirTemperature} {
		if i := slices.IndexFunc(list, func(r reading) bool { return r.Quantity == q }); i >= 0 {
			return list[i], true
		}
	}
	if len(list) == 0 {
		return reading{}, false
	}
	return list[0], true
}

// add puts open alarms and advice on a card. What is graver than all that its probes say now gives the card its state.
func (c *card) add(w *words, said boardNotes) {
	c.Notes = said.of[c.Place.Code]
	if unsure := said.unsure[c.Place.Code]; len(unsure) > 0 {
		c.Unsure = w.t("dashboard.unsure", strings.Join(unsure, ", "))
	}
	if len(c.Notes) > 0 && c.Notes[0].Level > max(c.Level, noted) {
		c.Level, c.Word = c.Notes[0].Level, c.Notes[0].Topic
	}
}

// newCard judges the values of one place: those of every sensor that hangs there, whether it spoke or not, and of any other that says it does. values
// are those of the place; known answers for series that have not spoken since the server started. limit bounds the time for what only adorns it.
func (s *Server) newCard(limit context.Context, w *words, f *farm.Farm, p farm.Place, values []watch.Value, known func(history.Series) (watch.Value, bool), now time.Time) card {
	c := card{Place: p}
	for _, sr := range seriesAt(f, p, values, now, now.Add(time.Nanosecond)) {
		i := slices.IndexFunc(values, func(v watch.Value) bool { return v.Series == sr })
		var v watch.Value
		ok := i >= 0
		if ok {
			v = values[i]
		} else {
			v, ok = known(sr)
		}
		r := judge(w, f, f.LimitsOf(p, sr.Quantity), v, ok, now)
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
	known := func(sr history.Series) (watch.Value, bool) { return s.lastKnown(ctx, sr) }
	c := s.newCard(ctx, w, f, p, byPlace(values)[p.Code], known, now)
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

// lastKnownOf asks the history once for all series of a board that have not spoken since the server started.
func (s *Server) lastKnownOf(ctx context.Context, f *farm.Farm, at map[string][]watch.Value, now time.Time) func(history.Series) (watch.Value, bool) {
	var silent []history.Series
	for _, p := range f.Places {
		for _, sr := range seriesAt(f, p, at[p.Code], now, now.Add(time.Nanosecond)) {
			if !slices.ContainsFunc(at[p.Code], func(v watch.Value) bool { return v.Series == sr }) {
				silent = append(silent, sr)
			}
		}
	}
	said := map[history.Series]watch.Value{}
	if len(silent) > 0 {
		limit, cancel := context.WithTimeout(ctx, boardPatience)
		defer cancel()
		points, err := s.o.History.Latest(limit, silent)
		if err != nil && ctx.Err() == nil {
			s.o.Log.Warn("last known values", slog.Any("err", err))
		}
		for _, p := range points {
			said[p.Series] = watch.Value{Series: p.Series, Time: p.Time, Value: p.Value, Quality: p.Quality}
		}
	}
	return func(sr history.Series) (watch.Value, bool) {
		v, ok := said[sr]
		if !ok {
			v.Series = sr // the page says that there is no value, which is true of this server now
		}
		return v, ok
	}
}
