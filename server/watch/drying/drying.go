// Package drying watches what is dried in a shed: bánh đa and herbs.
//
// Batches come in from the diary, the air of the drying room from the history; out go, for each shed, its newest batches with the heat and
// the damp that they had, and rule.Decisions of the topic drying: too hot, too cool, not dry enough, or nobody wrote down how dry. No limits
// were found published: those here are estimates, and every decision says so. No SQL, no HTTP.
package drying

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch/rule"
)

// ID names the rule, Topic what it decides on.
const (
	ID    = "drying"
	Topic = "drying"
)

// Estimates of the project: no published limits were found.
const (
	herbLow, herbHigh = 40.0, 60.0 // °C
	herbMoisture      = 13.0       // percent, at the end
	sheetMoisture     = 14.0       // of bánh đa
)

const (
	memory   = 30 * 24 * time.Hour // batches that are shown
	told     = 7 * 24 * time.Hour  // how long after its end a batch is decided on
	longest  = 3 * 24 * time.Hour  // a batch without an end that is older was forgotten
	warmsUp  = 2 * time.Hour       // after its beginning a room may still be cool
	fresh    = 90 * time.Minute    // how old the newest hour of the room may be
	validFor = 2 * time.Hour
)

// Book is the farm and the diary on record.
type Book interface {
	Farm(ctx context.Context) (*farm.Farm, error)
	Records(ctx context.Context, kind farm.RecordKind) ([]farm.Record, error)
	Events(ctx context.Context, q diary.Query) ([]diary.Event, error)
}

// History is what probes measured.
type History interface {
	Range(ctx context.Context, q history.Query) ([]history.Bucket, error)
}

// Span is what was measured over a batch, of hourly means.
type Span struct {
	Hours          int // known ones; 0: nothing is known
	Min, Mean, Max float64
	Newest         time.Time // end of the newest hour
	Last           float64   // its mean
}

// Batch is one batch of a shed.
type Batch struct {
	Entry      string // id of the diary's entry
	Lot        string
	Herb       bool      // otherwise bánh đa
	Begin, End time.Time // End zero: it is drying
	Heat, Damp Span      // °C, percent of relative humidity
	Moisture   float64   // percent at the end; meaningful when Known
	Known      bool
}

// Running reports whether it is drying.
func (b Batch) Running(at time.Time) bool {
	return (b.End.IsZero() || b.End.After(at)) && !b.Begin.After(at) && at.Sub(b.Begin) <= longest
}

// MostMoisture is how moist it may be at the end: an estimate.
func (b Batch) MostMoisture() float64 {
	if b.Herb {
		return herbMoisture
	}
	return sheetMoisture
}

// Shed is one drying room.
type Shed struct {
	Place   farm.Place
	Probed  bool    // there is a thermometer
	Batches []Batch // the newest first
}

// Rule is the rule, and keeps its last report for the pages. It is safe for concurrent use.
type Rule struct {
	book    Book
	history History

	mu   sync.Mutex
	last []Shed
}

// New returns a Rule that has not looked yet.
func New(book Book, h History) *Rule { return &Rule{book: book, history: h} }

// ID implements rule.Rule.
func (*Rule) ID() string { return ID }

// Inputs implements rule.Rule.
func (*Rule) Inputs() []rule.Input {
	return []rule.Input{{Quantity: measure.AirTemperature}, {Quantity: measure.RelativeHumidity}, {Diary: diary.Batch}}
}

// Window implements rule.Rule.
func (*Rule) Window() time.Duration { return memory }

// Shed returns what the last look came to.
func (r *Rule) Shed(place string) (Shed, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.last, func(s Shed) bool { return s.Place.Code == place })
	if i < 0 {
		return Shed{}, false
	}
	return r.last[i], true
}

// Decide implements rule.Rule.
func (r *Rule) Decide(ctx context.Context, at time.Time) ([]rule.Decision, error) {
	f, err := r.book.Farm(ctx)
	if err != nil {
		return nil, fmt.Errorf("drying: %w", err)
	}
	cycles, err := r.book.Records(ctx, farm.Cycle)
	if err != nil {
		return nil, fmt.Errorf("drying: %w", err)
	}
	events, err := r.book.Events(ctx, diary.Query{Kinds: []string{diary.Batch}, From: at.Add(-memory), To: at.Add(diary.MostAhead)})
	if err != nil {
		return nil, fmt.Errorf("drying: %w", err)
	}
	entries := diary.Entries(events)
	var sheds []Shed
	var out []rule.Decision
	for _, p := range f.Places {
		if p.Kind != farm.Shed {
			continue
		}
		s, err := r.shed(ctx, f, p, cycles, entries, at)
		if err != nil {
			return nil, err
		}
		sheds = append(sheds, s)
		if d, ok := s.decide(at); ok {
			out = append(out, d)
		}
	}
	r.mu.Lock()
	r.last = sheds
	r.mu.Unlock()
	return out, nil
}

// shed reads the batches of a shed and what its room was like.
func (r *Rule) shed(ctx context.Context, f *farm.Farm, p farm.Place, cycles []farm.Record, entries []diary.Entry, at time.Time) (Shed, error) {
	s := Shed{Place: p, Probed: len(mounted(f, p.Code, measure.AirTemperature, at)) > 0}
	for _, e := range entries {
		if e.Voided || e.Place != p.Code {
			continue
		}
		b, ok := batchOf(e, p, cycles)
		if !ok || b.Begin.After(at) {
			continue
		}
		end := b.End
		if end.IsZero() || end.After(at) {
			end = at
		}
		for q, span := range map[measure.Quantity]*Span{measure.AirTemperature: &b.Heat, measure.RelativeHumidity: &b.Damp} {
			var err error
			if *span, err = r.span(ctx, f, p.Code, q, b.Begin, end); err != nil {
				return Shed{}, err
			}
		}
		s.Batches = append(s.Batches, b)
	}
	slices.SortStableFunc(s.Batches, func(a, b Batch) int { return b.Begin.Compare(a.Begin) })
	return s, nil
}

// batchOf reads a batch of the diary; ok is false where nobody wrote down when it began to dry.
func batchOf(e diary.Entry, p farm.Place, cycles []farm.Record) (b Batch, ok bool) {
	b = Batch{Entry: e.First.ID, Lot: e.Values.Text("lot_code"), Herb: herb(e, p, cycles)}
	b.Begin, ok = moment(e, "dry_begin")
	b.End, _ = moment(e, "dry_end")
	b.Moisture, b.Known = e.Values.Number("moisture_pct")
	return b, ok && (b.End.IsZero() || b.End.After(b.Begin))
}

func moment(e diary.Entry, key string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, e.Values.Text(key))
	return t, err == nil
}

// herb reports whether a batch is of herbs: by its season, or the one that stands in the shed.
func herb(e diary.Entry, p farm.Place, cycles []farm.Record) bool {
	for _, c := range cycles {
		if c.ID == e.Cycle {
			return farm.Branch(c.Values.Text("branch")) == farm.Herb
		}
	}
	return slices.ContainsFunc(cycles, func(c farm.Record) bool {
		return c.Stands(p.Code, e.At()) && farm.Branch(c.Values.Text("branch")) == farm.Herb
	})
}

func mounted(f *farm.Farm, place string, q measure.Quantity, at time.Time) (out []farm.Mount) {
	for _, m := range f.MountsAt(place, at, at.Add(time.Nanosecond)) {
		if slices.Contains(m.Measures, q) {
			out = append(out, m)
		}
	}
	return out
}

// span reads the hours of the first probe of a quantity that hung there.
func (r *Rule) span(ctx context.Context, f *farm.Farm, place string, q measure.Quantity, from, to time.Time) (s Span, err error) {
	probes := slices.DeleteFunc(f.MountsAt(place, from, to), func(m farm.Mount) bool { return !slices.Contains(m.Measures, q) })
	slices.SortStableFunc(probes, func(a, b farm.Mount) int { return cmp.Compare(a.Sensor, b.Sensor) })
	for _, m := range probes {
		buckets, err := r.history.Range(ctx, history.Query{Series: history.Series{Place: place, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor}, From: from, To: to, Every: time.Hour, Zone: farm.Time()})
		if err != nil {
			return Span{}, fmt.Errorf("drying: %s of %s: %w", q, place, err)
		}
		for _, b := range buckets {
			if b.N == 0 {
				continue
			}
			if s.Hours == 0 || b.Mean < s.Min {
				s.Min = b.Mean
			}
			if s.Hours == 0 || b.Mean > s.Max {
				s.Max = b.Mean
			}
			s.Hours++
			s.Mean += b.Mean
			s.Newest, s.Last = b.Start.Add(time.Hour), b.Mean
		}
		if s.Hours > 0 {
			s.Mean /= float64(s.Hours)
			return s, nil
		}
	}
	return s, nil
}
