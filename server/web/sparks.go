package web

import (
	"context"
	"html/template"
	"log/slog"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/web/chart"
)

// Little lines of the last day beside the numbers. They are drawn anew every sparkEvery, ahead of time (Server.Run), and a page waits for what is
// not ready only sparkBudget in all: it is there the next time.
const (
	sparkSpan   = 24 * time.Hour
	sparkStep   = time.Hour
	sparkEvery  = 5 * time.Minute
	sparkAhead  = time.Minute      // before they are due, they are drawn anew
	sparkRetry  = 20 * time.Second // after an error, or while there was nothing to draw
	sparkBudget = 40 * time.Millisecond
	maxSparks   = 2000
)

// sparks keeps the lines. It is safe for concurrent use.
type sparks struct {
	history History
	mu      sync.Mutex
	lines   map[history.Series]sparkLine
}

type sparkLine struct {
	svg template.HTML
	due time.Time
}

func newSparks(h History) *sparks { return &sparks{history: h, lines: map[history.Series]sparkLine{}} }

// Run keeps ready what pages would otherwise wait for, until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(sparkAhead / 2)
	defer tick.Stop()
	for {
		if err := s.warm(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Warn("lines of the last day", slog.Any("err", err)) // pages draw them themselves, as far as their time goes
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// warm draws the lines of every place that are due soon.
func (s *Server) warm(ctx context.Context) error {
	f, err := s.wholeFarm(ctx)
	if err != nil {
		return err
	}
	now, at := s.o.Now(), byPlace(s.o.Live.Snapshot())
	for _, p := range f.Places {
		for _, sr := range seriesAt(f, p, at[p.Code], now, now.Add(time.Nanosecond)) {
			limit, cancel := context.WithTimeout(ctx, historyPatience)
			s.sparks.draw(limit, sr, now, now.Add(sparkAhead))
			late := limit.Err()
			cancel()
			if late != nil { // the history does not answer: the others would not come either
				return late
			}
		}
	}
	return nil
}

// get returns the line of a series. limit bounds how long it may take to draw it anew; when it is over, the line is the
// one from before, or none.
func (s *sparks) get(limit context.Context, sr history.Series, now time.Time) template.HTML {
	return s.draw(limit, sr, now, now)
}

// draw returns the line of a series, drawn anew where it is due at a time.
func (s *sparks) draw(limit context.Context, sr history.Series, now, due time.Time) template.HTML {
	s.mu.Lock()
	line, ok := s.lines[sr]
	s.mu.Unlock()
	if (ok && due.Before(line.due)) || limit.Err() != nil {
		return line.svg
	}
	from := now.Add(-sparkSpan).Truncate(sparkStep)
	steps, err := s.history.Range(limit, history.Query{Series: sr, From: from, To: now, Every: sparkStep, Zone: farm.Time()})
	if err != nil { // the line stays as it was: numbers and charts say what is wrong
		line.due = now.Add(sparkRetry)
	} else {
		line.svg = template.HTML(chart.Spark(from, now, sparkStep, toSteps(steps), leastSpan(sr.Quantity)))
		line.due = now.Add(sparkEvery)
		if line.svg == "" {
			line.due = now.Add(sparkRetry)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) >= maxSparks {
		clear(s.lines)
	}
	s.lines[sr] = line
	return line.svg
}

// toSteps keeps the steps that have values.
func toSteps(buckets []history.Bucket) []chart.Step {
	out := make([]chart.Step, 0, len(buckets))
	for _, b := range buckets {
		if b.N > 0 {
			out = append(out, chart.Step{Start: b.Start, Min: b.Min, Mean: b.Mean, Max: b.Max})
		}
	}
	return out
}

// leastSpan is the least height of a value axis: a few times what the probe can tell apart.
func leastSpan(q measure.Quantity) float64 {
	span, ok := map[measure.Quantity]float64{
		measure.WaterTemperature: 2, measure.AirTemperature: 2, measure.SoilTemperature: 2, measure.DewPoint: 2, measure.PH: 0.5,
		measure.SoilMoisture: 4, measure.AirPressure: 4, measure.RelativeHumidity: 10, measure.OxygenSaturation: 10, measure.ORP: 20,
		measure.Conductivity: 50, measure.SoilConductivity: 50, measure.UnionisedAmmonia: 0.02, measure.TotalAmmonia: 0.5, measure.Ammonium: 0.5,
		measure.Turbidity: 10, measure.WaterLevel: 5, measure.SurfaceDistance: 5, measure.VapourDeficit: 0.5, measure.Voltage: 0.2,
		measure.CPUTemperature: 5, measure.DiskFree: 100, measure.MemoryResident: 10, measure.SpoolDepth: 10,
	}[q]
	if !ok {
		return 1
	}
	return span
}
