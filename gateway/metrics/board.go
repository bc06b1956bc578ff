package metrics

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"aovuon/gateway/measure"
)

// series is one quantity of one sensor.
type series struct {
	sensor   string
	quantity measure.Quantity
}

// Board remembers the newest reading of every series, and counts faults. It is safe for concurrent use.
type Board struct {
	mu     sync.Mutex
	newest map[series]measure.Reading
	faults map[faults]uint64
}

type faults struct {
	series
	reason measure.FaultReason
}

// NewBoard returns an empty Board.
func NewBoard() *Board {
	return &Board{newest: make(map[series]measure.Reading), faults: make(map[faults]uint64)}
}

// Take notes readings; it keeps none of the slice.
func (b *Board) Take(_ context.Context, readings []measure.Reading) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range readings {
		s := series{r.Sensor, r.Quantity}
		b.newest[s] = r
		if r.Quality == measure.Fault {
			b.faults[faults{s, r.Reason}]++
		}
	}
	return nil
}

// Keep forgets every sensor that stays does not know.
func (b *Board) Keep(stays func(sensor string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.newest, func(s series, _ measure.Reading) bool { return !stays(s.sensor) })
	maps.DeleteFunc(b.faults, func(f faults, _ uint64) bool { return !stays(f.sensor) })
}

// Newest returns the newest reading of every series, in their order.
func (b *Board) Newest() []measure.Reading {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(maps.Values(b.newest), func(x, y measure.Reading) int {
		return cmp.Or(cmp.Compare(x.Sensor, y.Sensor), cmp.Compare(x.Quantity, y.Quantity))
	})
}

func (b *Board) faultCounts() map[faults]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.faults)
}
