package kind

import (
	"context"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// maxAge is how old a temperature may be and still compensate: a pond changes by less than half a degree in it.
const maxAge = 10 * time.Minute

// memory is the last good values of one sensor. It is written on the goroutine of that sensor's bus and read on others.
type memory struct {
	clock  sense.Clock
	sensor string

	mu   sync.Mutex
	last map[measure.Quantity]remembered
}

type remembered struct {
	value float64
	at    time.Duration // uptime
}

func newMemory(clock sense.Clock, sensor string) *memory {
	return &memory{clock: clock, sensor: sensor, last: make(map[measure.Quantity]remembered)}
}

// forget drops the values: they were another probe's.
func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.last)
}

// Input implements sense.Inputs: the last good value. It is not ok when it is older than maxAge.
func (m *memory) Input(q measure.Quantity) (measure.Input, bool) {
	now := m.clock.Now().Uptime
	m.mu.Lock()
	defer m.mu.Unlock()
	r, known := m.last[q]
	if !known {
		return measure.Input{}, false
	}
	return measure.Input{Quantity: q, Value: r.value, Sensor: m.sensor, Age: now - r.at}, now-r.at <= maxAge
}

// freshWater answers for a pond of fresh water near the sea where the configuration says nothing else.
type freshWater struct{ sense.Inputs }

// Input implements sense.Inputs.
func (f freshWater) Input(q measure.Quantity) (measure.Input, bool) {
	switch q {
	case measure.Salinity:
		return measure.Input{Quantity: q, Value: 0}, true
	case measure.AirPressure:
		return measure.Input{Quantity: q, Value: 1013.25}, true
	}
	return f.Inputs.Input(q)
}

// watch returns a sensor that says what s says, and remembers it.
func (m *memory) watch(s sense.Sensor) sense.Sensor { return watched{sensor: s, memory: m} }

type watched struct {
	sensor sense.Sensor
	memory *memory
}

// Sense implements sense.Sensor.
func (w watched) Sense(ctx context.Context) ([]sense.Sample, error) {
	samples, err := w.sensor.Sense(ctx)
	if err == nil {
		w.memory.take(samples)
	}
	return samples, err
}

// take remembers what is good in every way: a value out of range would compensate nonsense.
func (m *memory) take(samples []sense.Sample) {
	at := m.clock.Now().Uptime
	for _, s := range samples {
		if s.Quality != measure.Good {
			continue
		}
		if q, err := s.Quantity.Grade(s.Value); err != nil || q != measure.Good {
			continue
		}
		m.mu.Lock()
		m.last[s.Quantity] = remembered{value: s.Value, at: at}
		m.mu.Unlock()
	}
}
