// Package watch keeps what is true now. Newest values come in from the live projection of the batch log; snapshots and
// changes go out to the pages. It holds no file and no connection: after a restart the projection fills it again.
package watch

import (
	"context"
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

const (
	// AheadBy is how far a value may be dated after the server's clock before one of the two clocks must be wrong.
	AheadBy = 5 * time.Minute
	// MaxChannels is how many channels of one gateway Live holds: many more than a gateway has probes, and not what one that
	// invents sensors can send. Of further ones only the history knows the newest value.
	MaxChannels = 1000
)

// Value is the newest reading of one series. With Quality Fault it carries a Reason and no Value.
type Value struct {
	history.Series
	Time    time.Time // UTC, when it was measured
	Ahead   bool      // Time was more than AheadBy after the server's clock when the value came: nobody knows its age
	Value   float64   // in the quantity's unit
	Quality measure.Quality
	Reason  measure.FaultReason

	Raw      float64 // before the gateway's filters; meaningful when Filtered
	Filtered bool
	Inputs   string // what Value was computed with (measure.ParseInputs)
}

// channel is what a value replaces: the same quantity of the same sensor, wherever the sensor hangs now.
type channel struct {
	gateway, sensor string
	quantity        measure.Quantity
}

func (v Value) channel() channel { return channel{v.Gateway, v.Sensor, v.Quantity} }

// Live holds the newest value of every series. It is safe for concurrent use.
type Live struct {
	mu     sync.Mutex
	newest map[channel]Value
	held   map[string]int // channels of each gateway in newest
	subs   map[*subscriber]struct{}
}

// subscriber gathers the changes its reader has not taken yet, one per channel: a slow reader skips values, it never
// holds up Update and never grows beyond one value per channel.
type subscriber struct {
	pending map[channel]Value
	wake    chan struct{}
}

// NewLive returns an empty Live.
func NewLive() *Live {
	return &Live{newest: map[channel]Value{}, held: map[string]int{}, subs: map[*subscriber]struct{}{}}
}

// Update takes values in any order; one older than what is known of its series is ignored. One dated ahead yields to
// whatever comes next: a clock that was wrong once must not hide what is measured now.
func (l *Live) Update(values []Value) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var changed []Value
	for _, v := range values {
		k := v.channel()
		old, known := l.newest[k]
		switch {
		case known && (v == old || (v.Time.Before(old.Time) && !old.Ahead)):
			continue
		case !known && l.held[k.gateway] >= MaxChannels:
			continue
		case !known:
			l.held[k.gateway]++
		}
		l.newest[k] = v
		changed = append(changed, v)
	}
	if len(changed) == 0 {
		return
	}
	for s := range l.subs {
		for _, v := range changed {
			s.pending[v.channel()] = v
		}
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Snapshot returns the newest value of every series, ordered by place, quantity, gateway and sensor.
func (l *Live) Snapshot() []Value {
	l.mu.Lock()
	out := make([]Value, 0, len(l.newest))
	for _, v := range l.newest {
		out = append(out, v)
	}
	l.mu.Unlock()
	sortValues(out)
	return out
}

// Subscribe returns a channel of changes since the call, ended and closed when ctx is. What a slow reader has not taken
// is coalesced to the newest value of each series.
func (l *Live) Subscribe(ctx context.Context) <-chan []Value {
	s := &subscriber{pending: map[channel]Value{}, wake: make(chan struct{}, 1)}
	l.mu.Lock()
	l.subs[s] = struct{}{}
	l.mu.Unlock()
	out := make(chan []Value)
	go func() {
		defer close(out)
		defer func() {
			l.mu.Lock()
			delete(l.subs, s)
			l.mu.Unlock()
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
			}
			select {
			case <-ctx.Done():
				return
			case out <- l.take(s):
			}
		}
	}()
	return out
}

func (l *Live) take(s *subscriber) []Value {
	l.mu.Lock()
	out := make([]Value, 0, len(s.pending))
	for _, v := range s.pending {
		out = append(out, v)
	}
	clear(s.pending)
	l.mu.Unlock()
	sortValues(out)
	return out
}

func sortValues(v []Value) {
	slices.SortFunc(v, func(a, b Value) int { return a.Compare(b.Series) })
}
