package web

import (
	"context"
	"html/template"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/web/chart"
)

// Little lines of the last day beside the numbers. They are drawn anew every sparkEvery, and a page waits for them only
// sparkBudget in all: what is not ready then is there the next time.
const (
	sparkSpan   = 24 * time.Hour
	sparkStep   = time.Hour
	sparkEvery  = 5 * time.Minute
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

// get returns the line of a series. limit bounds how long it may take to draw it anew; when it is over, the line is the
// one from before, or none.
func (s *sparks) get(limit context.Context, sr history.Series, now time.Time) template.HTML {
	s.mu.Lock()
	line, ok := s.lines[sr]
	s.mu.Unlock()
	if (ok && now.Before(line.due)) || limit.Err() != nil {
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
