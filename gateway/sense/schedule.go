package sense

import (
	"context"
	"sync"
	"time"
)

// work is a Run that is going on.
type work struct {
	ctx   context.Context //nolint:containedctx // Run's own: channels of new buses begin under it
	sink  Sink
	wg    sync.WaitGroup
	buses map[string]context.CancelFunc // of the buses with a goroutine: ends its sleep
}

// Run samples until ctx is done, then returns nil: one goroutine per bus, so that a slow or dead chip delays only its own
// bus. Every channel is asked at once, and then whenever the machine's uptime is a multiple of its interval: wall time
// may jump, uptime does not. A poll that comes too late takes the place of those it missed. Nothing a driver or the Sink
// does ends the sampling.
func (s *Station) Run(ctx context.Context, sink Sink) error {
	w := &work{ctx: ctx, sink: sink, buses: make(map[string]context.CancelFunc)}
	s.mu.Lock()
	s.work = w
	now := s.clock.Now().Uptime
	for _, c := range s.channels {
		c.due = now
	}
	s.startBuses()
	s.mu.Unlock()
	<-ctx.Done() // with no channel there is nothing to wait for, and still a station at work
	s.mu.Lock()
	s.work = nil // from here on Replace starts nothing
	s.mu.Unlock()
	w.wg.Wait()
	return nil
}

// Replace puts channels in the place of those there are, also while Run runs. One whose ID and Key are those of a channel
// that was there stays that channel: its Sensor goes on with all it remembers, and its schedule goes on as if nothing had
// happened. The others end after the poll they are in, or begin at once.
func (s *Station) Replace(channels []Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels = s.states(channels)
	if s.work == nil || s.work.ctx.Err() != nil {
		return
	}
	for _, wake := range s.work.buses {
		wake()
	}
	s.startBuses()
}

// states makes the states of channels, those of unchanged ones being the states there are.
func (s *Station) states(channels []Channel) []*channelState {
	type name struct{ id, bus, key string }
	before := make(map[name]*channelState, len(s.channels))
	for _, c := range s.channels {
		before[name{c.ID, c.Bus, c.Key}] = c
	}
	now := s.clock.Now().Uptime
	out := make([]*channelState, 0, len(channels))
	for _, c := range channels {
		state, ok := before[name{c.ID, c.Bus, c.Key}]
		if !ok || c.Key == "" {
			c.Every = max(c.Every, minEvery)
			state = &channelState{Channel: c, due: now}
		}
		out = append(out, state)
	}
	return out
}

// startBuses gives every bus with a channel its goroutine. The caller holds s.mu.
func (s *Station) startBuses() {
	for _, c := range s.channels {
		if _, ok := s.work.buses[c.Bus]; ok || c.After != "" {
			continue
		}
		bus, w := c.Bus, s.work
		w.buses[bus] = func() {}
		w.wg.Go(func() { s.runBus(w, bus) })
	}
}

// runBus asks the channels of one bus until it has none.
func (s *Station) runBus(w *work, bus string) {
	for w.ctx.Err() == nil {
		c, due, sleep, wake := s.next(w, bus)
		if c == nil {
			return
		}
		if wait := due - s.clock.Now().Uptime; wait > 0 {
			if s.clock.Sleep(sleep, wait) != nil {
				wake()
				continue // ctx is done, or the channels changed
			}
		}
		wake()
		s.note(w.ctx, c, s.poll(w.ctx, c, w.sink))
		s.mu.Lock()
		// From the time it was due, too: a sleep that ended a moment early must not make the same poll twice.
		c.due = (max(due, s.clock.Now().Uptime)/c.Every + 1) * c.Every
		s.mu.Unlock()
		s.follow(w.ctx, c, w.sink, func(d *channelState, err error) { s.note(w.ctx, d, err) })
	}
}

// next returns the channel of a bus that is longest due, when that is, and a context for sleeping until then, which a
// change of the channels ends. Without a channel the bus's goroutine is at its end.
func (s *Station) next(w *work, bus string) (next *channelState, due time.Duration, sleep context.Context, wake context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.channels {
		if c.After == "" && c.Bus == bus && (next == nil || c.due < next.due) {
			next = c
		}
	}
	if next == nil {
		delete(w.buses, bus)
		return nil, 0, nil, nil
	}
	sleep, wake = context.WithCancel(w.ctx)
	w.buses[bus] = wake
	return next, next.due, sleep, wake
}
