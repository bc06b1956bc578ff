package soil

import (
	"context"
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch/rule"
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

// Report is what a look at all plots came to.
type Report struct {
	At     time.Time // zero: nobody looked yet
	Fields []*Field  // plots, in the farm's order
	Levels []Level   // of the water in ponds and canals
}

// Field returns that of a plot.
func (r Report) Field(place string) (*Field, bool) {
	i := slices.IndexFunc(r.Fields, func(f *Field) bool { return f.Place.Code == place })
	if i < 0 {
		return nil, false
	}
	return r.Fields[i], true
}

// Service is the rule, and keeps its last report for the pages. It is safe for concurrent use.
type Service struct {
	book    Book
	history History

	mu   sync.Mutex
	last Report
}

// New returns a Service that has not looked yet.
func New(book Book, h History) *Service { return &Service{book: book, history: h} }

// ID implements rule.Rule.
func (*Service) ID() string { return ID }

// Inputs implements rule.Rule.
func (*Service) Inputs() []rule.Input {
	return []rule.Input{
		{Quantity: measure.SoilMoisture},
		{Quantity: measure.AirTemperature},
		{Quantity: measure.RelativeHumidity},
		{Quantity: measure.WaterLevel},
		{Diary: diary.Planting},
		{Diary: diary.Harvest},
		{Diary: "irrigation"},
		{Diary: "weather"},
	}
}

// Window implements rule.Rule.
func (*Service) Window() time.Duration { return window }

// Decide implements rule.Rule.
func (s *Service) Decide(ctx context.Context, at time.Time) ([]rule.Decision, error) {
	report, err := s.look(ctx, at)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.last = report
	s.mu.Unlock()
	var out []rule.Decision
	for _, f := range report.Fields {
		out = append(out, f.Decisions()...)
	}
	for _, l := range report.Levels {
		if d, ok := l.decision(at); ok {
			out = append(out, d)
		}
	}
	return out, nil
}

func (s *Service) look(ctx context.Context, at time.Time) (Report, error) {
	k, err := s.know(ctx, at)
	if err != nil {
		return Report{}, err
	}
	out := Report{At: at}
	for _, p := range k.farm.Places {
		if p.Kind == farm.Plot {
			f, err := s.field(ctx, k, p)
			if err != nil {
				return Report{}, err
			}
			out.Fields = append(out.Fields, f)
		}
		levels, err := s.levels(ctx, k, p)
		if err != nil {
			return Report{}, err
		}
		out.Levels = append(out.Levels, levels...)
	}
	return out, nil
}

// Report returns what the last look came to. Who reads it changes nothing in it.
func (s *Service) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Now looks at one plot alone; ok is false where it is none. The report has it from then on.
func (s *Service) Now(ctx context.Context, place string, at time.Time) (*Field, bool, error) {
	k, err := s.know(ctx, at)
	if err != nil {
		return nil, false, err
	}
	p, ok := k.farm.Place(place)
	if !ok || p.Kind != farm.Plot {
		return nil, false, nil
	}
	f, err := s.field(ctx, k, p)
	if err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.last.Fields, func(o *Field) bool { return o.Place.Code == place }); i >= 0 {
		s.last.Fields = slices.Clone(s.last.Fields)
		s.last.Fields[i] = f
	}
	return f, true, nil
}
