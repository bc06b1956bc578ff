package metrics

import (
	"context"
	"maps"
	"slices"
	"sync"

	"aovuon/gateway/measure"
)

// Faults counts readings that were faults, by sensor, quantity and reason. It is a sink beside the one that keeps
// readings, and safe for concurrent use.
type Faults struct {
	mu    sync.Mutex
	count map[fault]uint64
}

type fault struct {
	sensor   string
	quantity measure.Quantity
	reason   measure.FaultReason
}

// NewFaults returns a Faults that counted nothing yet.
func NewFaults() *Faults { return &Faults{count: make(map[fault]uint64)} }

// Take counts; it keeps none of the slice.
func (f *Faults) Take(_ context.Context, readings []measure.Reading) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range readings {
		if r.Quality == measure.Fault {
			f.count[fault{r.Sensor, r.Quantity, r.Reason}]++
		}
	}
	return nil
}

// Keep forgets the sensors that are not among ids.
func (f *Faults) Keep(ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.count, func(at fault, _ uint64) bool { return !slices.Contains(ids, at.sensor) })
}

func (f *Faults) counts() map[fault]uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.count)
}
