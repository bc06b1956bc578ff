package blight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// Book is the farm, its register and the diary on record.
type Book interface {
	Farm(ctx context.Context) (*farm.Farm, error)
	Records(ctx context.Context, kind farm.RecordKind) ([]farm.Record, error)
	Events(ctx context.Context, q diary.Query) ([]diary.Event, error)
}

// The kinds and fields of the diary that are read here alone.
const (
	scouting   = "scouting"
	weather    = "weather"
	irrigation = "irrigation"
	potato     = "Solanum tuberosum"
)

// farmFacts is what seasons are made of.
type farmFacts struct {
	farm    *farm.Farm
	cycles  []farm.Record
	inputs  map[string]farm.Record
	entries []diary.Entry
	zone    *time.Location
}

// facts reads what is on record. Of the diary it takes what was written since the oldest open season began.
func facts(ctx context.Context, book Book, at time.Time) (*farmFacts, error) {
	f, err := book.Farm(ctx)
	if err != nil {
		return nil, fmt.Errorf("blight: farm: %w", err)
	}
	records, err := book.Records(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("blight: register: %w", err)
	}
	x := &farmFacts{farm: f, inputs: map[string]farm.Record{}, zone: farm.Time()}
	products := map[string]farm.Record{}
	for _, r := range records {
		switch r.Kind { //nolint:exhaustive // the others say nothing of potato
		case farm.Input:
			x.inputs[r.ID] = r
		case farm.Product:
			products[r.ID] = r
		}
	}
	oldest := at
	for _, r := range records {
		if r.Kind != farm.Cycle || r.Retired || !IsPotato(r, products[r.Values.Text("product")]) || !r.Stands(r.Values.Text("place"), at) {
			continue
		}
		x.cycles = append(x.cycles, r)
		if begin := r.Values.Day("begin", x.zone); begin.Before(oldest) {
			oldest = begin
		}
	}
	if len(x.cycles) == 0 {
		return x, nil
	}
	events, err := book.Events(ctx, diary.Query{Kinds: []string{diary.Planting, diary.Spraying, diary.Harvest, scouting, weather, irrigation}, From: oldest.AddDate(0, 0, -1)})
	if err != nil {
		return nil, fmt.Errorf("blight: diary: %w", err)
	}
	for _, e := range diary.Entries(events) {
		if !e.Voided && !e.At().After(at) {
			x.entries = append(x.entries, e)
		}
	}
	return x, nil
}

// IsPotato reports whether a season is of potato: by its product's scientific name, or by what people call the crop. Khoai lang and khoai môn
// are none.
func IsPotato(cycle, product farm.Record) bool {
	if s := product.Values.Text("scientific"); s != "" {
		return strings.EqualFold(strings.TrimSpace(s), potato)
	}
	words := diary.Plain(cycle.Values.Text("species"))
	return strings.Contains(words, "khoai tay") || strings.Contains(words, "potato") && !strings.Contains(words, "sweet") || strings.Contains(words, "solanum tuberosum")
}

// seasons makes a Season of every open season of potato, and of every plot that is said to be potato and has none.
func (x *farmFacts) seasons(places []string) []Season {
	var out []Season
	for _, p := range x.farm.Places {
		if p.Kind != farm.Plot || len(places) > 0 && !slices.Contains(places, p.Code) {
			continue
		}
		open := slices.DeleteFunc(slices.Clone(x.cycles), func(r farm.Record) bool { return r.Values.Text("place") != p.Code })
		for _, c := range open {
			out = append(out, x.season(p, c))
		}
		if len(open) == 0 && strings.EqualFold(p.Species, potato) {
			out = append(out, Season{Place: p, Class: Usual, Zone: x.zone})
		}
	}
	return out
}

func (x *farmFacts) season(p farm.Place, c farm.Record) Season {
	s := Season{
		Place: p, Cycle: c.ID, Name: c.Name(), Variety: c.Values.Text("variety"), Begin: c.Values.Day("begin", x.zone), Rain: map[string]float64{}, Zone: x.zone,
	}
	s.Class, s.ClassSaid = ClassOf(c.Values.Text("blight_class"))
	rain := rainGauge{}
	for _, e := range x.entries {
		day := farm.MidnightIn(e.At(), x.zone)
		if day.Before(s.Begin) {
			continue
		}
		if e.Kind == weather || e.Kind == irrigation && e.Place == p.Code {
			rain.read(e, x.near(p, e.Place), day)
		}
		if e.Place != p.Code || e.Cycle != "" && e.Cycle != c.ID {
			continue
		}
		s.read(e, day, x.inputs)
	}
	rain.into(s.Rain)
	return s
}

// read takes what one entry of the plot says.
func (s *Season) read(e diary.Entry, day time.Time, inputs map[string]farm.Record) {
	switch e.Kind {
	case diary.Planting:
		if s.Planted.IsZero() || day.Before(s.Planted) {
			s.Planted = day
		}
	case diary.Harvest:
		if e.Values.Flag("final") && day.After(s.Harvested) {
			s.Harvested = day
		}
	case diary.Spraying:
		in := inputs[e.Values.Text(diary.KeyInput)]
		counts, why := Protects(in, e.Values.Text("pest"))
		name := in.Name()
		if in.ID == "" {
			name = e.Values.Text(diary.KeyInput)
		}
		s.Sprays = append(s.Sprays, Spray{Entry: e.First.ID, Day: day, Product: name, Counts: counts, Why: why})
	case scouting:
		share, _ := e.Values.Number("affected_pct")
		score, _ := e.Values.Number("blight_score")
		if NamesBlight(e.Values.Text("pest")) && (share > 0 || score > 0) {
			s.Seen = append(s.Seen, Sighting{e.First.ID, day, share, score})
		}
	}
}

// nearness says how well an entry of rain fits a plot: its own before its zone's before the co-op's; 0: not at all.
func (x *farmFacts) near(p farm.Place, place string) int {
	if place == p.Code {
		return 3
	}
	if place == "" {
		return 1
	}
	if q, ok := x.farm.Place(place); ok && q.Zone == p.Zone {
		return 2
	}
	return 0
}

// rainGauge keeps of each day the rain of the nearest entry; of several as near the largest figure, because one gauge is often written down twice.
type rainGauge map[string]struct {
	mm   float64
	near int
}

func (g rainGauge) read(e diary.Entry, near int, day time.Time) {
	if near == 0 {
		return
	}
	mm, said := e.Values.Number("rain_mm")
	if e.Kind == irrigation {
		mm, said = e.Values.Number("mm")
		said = said && e.Values.Text("source") == "rain"
	}
	if sky := e.Values.Text("sky"); !said && (sky == "sun" || sky == "heat") {
		said = true // a day of sun was dry
	}
	if !said {
		return
	}
	key := day.Format(time.DateOnly)
	old, there := g[key]
	if !there || near > old.near || near == old.near && mm > old.mm {
		g[key] = struct {
			mm   float64
			near int
		}{mm, near}
	}
}

func (g rainGauge) into(out map[string]float64) {
	for day, x := range g {
		out[day] = x.mm
	}
}

// lenders are the places of a plot's zone with a probe of the air, the nearest first.
func lenders(f *farm.Farm, p farm.Place, from, to time.Time) []farm.Place {
	var out []farm.Place
	for _, q := range f.Places {
		if q.Code != p.Code && q.Zone == p.Zone && p.Zone != "" && q.Kind != farm.Shed && len(airProbes(f, q.Code, from, to)) > 0 {
			out = append(out, q)
		}
	}
	far := func(q farm.Place) float64 {
		if m, ok := p.Outline.DistanceM(q.Outline); ok {
			return m
		}
		return 1e9 // nobody knows: after those that are known
	}
	slices.SortStableFunc(out, func(a, b farm.Place) int { return cmp.Or(cmp.Compare(far(a), far(b)), cmp.Compare(a.Code, b.Code)) })
	return out
}
