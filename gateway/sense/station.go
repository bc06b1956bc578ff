package sense

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

// Channel is one sensor at work: its name, where it hangs, how often it is asked, what it measures.
type Channel struct {
	ID         string        // [a-z0-9][a-z0-9-]{0,39}
	Bus        string        // channels of one bus are asked one after the other
	Every      time.Duration // at least 100 ms
	Quantities []measure.Quantity
	Sensor     Sensor
}

// Sink takes the readings of one channel at one instant, in the order they were taken. Station.Run calls Take from one
// goroutine per bus, so it must be safe for concurrent use. It owns the slice afterwards. An error is logged by the
// caller and does not stop the sampling; the readings of that call are lost.
type Sink interface {
	Take(ctx context.Context, readings []measure.Reading) error
}

// minEvery keeps a channel without an interval from turning its bus into a busy loop.
const minEvery = 100 * time.Millisecond

// Station asks the channels when they are due and hands what they say to a Sink. Run and PollAll are not for use at the
// same time.
type Station struct {
	clock    Clock
	channels []*channelState
	log      *slog.Logger

	mu   sync.Mutex
	held map[string]chan struct{} // by bus: full while somebody uses it
}

// channelState is what the Station remembers of a channel between two polls, to log a change once.
type channelState struct {
	Channel
	reason  measure.FaultReason // of the fault that lasts; "" while there is none
	since   time.Duration       // uptime when it began
	refused bool                // the Sink refused the last readings
}

// NewStation makes a Station of channels. It starts nothing.
func NewStation(clock Clock, channels []Channel, log *slog.Logger) *Station {
	s := &Station{clock: clock, log: log, held: make(map[string]chan struct{})}
	for _, c := range channels {
		c.Every = max(c.Every, minEvery)
		s.channels = append(s.channels, &channelState{Channel: c})
	}
	return s
}

// Run samples until ctx is done, then returns nil: one goroutine per bus, so that a slow or dead chip delays only its own
// bus. Every channel is asked at once, and then whenever the machine's uptime is a multiple of its interval: wall time
// may jump, uptime does not. A poll that comes too late takes the place of those it missed. Nothing a driver or the Sink
// does ends the sampling.
func (s *Station) Run(ctx context.Context, sink Sink) error {
	var wg sync.WaitGroup
	for _, channels := range s.byBus() {
		wg.Go(func() { s.runBus(ctx, channels, sink) })
	}
	wg.Wait()
	<-ctx.Done() // with no channel there is nothing to wait for, and still a station at work
	return nil
}

// byBus groups the channels, each group in the order given.
func (s *Station) byBus() map[string][]*channelState {
	groups := make(map[string][]*channelState)
	for _, c := range s.channels {
		groups[c.Bus] = append(groups[c.Bus], c)
	}
	return groups
}

// runBus asks the channels of one bus, the one longest due first.
func (s *Station) runBus(ctx context.Context, channels []*channelState, sink Sink) {
	now := s.clock.Now().Uptime
	due := make([]time.Duration, len(channels))
	for i := range due {
		due[i] = now
	}
	for {
		i := 0
		for k := range due {
			if due[k] < due[i] {
				i = k
			}
		}
		if wait := due[i] - s.clock.Now().Uptime; wait > 0 {
			if err := s.clock.Sleep(ctx, wait); err != nil {
				return // ctx is done
			}
		}
		if ctx.Err() != nil {
			return
		}
		c := channels[i]
		s.note(ctx, c, s.poll(ctx, c, sink))
		// From the time it was due, too: a sleep that ended a moment early must not make the same poll twice.
		due[i] = (max(due[i], s.clock.Now().Uptime)/c.Every + 1) * c.Every
	}
}

// PollAll asks every channel once, in the order given, in the caller's goroutine: for virtual time. It returns ctx's
// error as soon as ctx is done, else the Sink's errors joined, after every channel was asked.
func (s *Station) PollAll(ctx context.Context, sink Sink) error {
	var errs []error
	for _, c := range s.channels {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.poll(ctx, c, sink); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Do runs f while nobody else uses the bus: a calibration or a scan never talks into a poll, and a poll never into it. It
// returns f's error, or ctx's when the bus did not become free. f should be one question to a chip: the polls of the bus
// wait for it.
func (s *Station) Do(ctx context.Context, bus string, f func(ctx context.Context) error) error {
	free, err := s.hold(ctx, bus)
	if err != nil {
		return err
	}
	defer free()
	return f(ctx)
}

// hold waits until a bus is free, takes it, and returns what frees it again.
func (s *Station) hold(ctx context.Context, bus string) (free func(), err error) {
	s.mu.Lock()
	c, ok := s.held[bus]
	if !ok {
		c = make(chan struct{}, 1)
		s.held[bus] = c
	}
	s.mu.Unlock()
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// poll asks a channel and hands the readings over.
func (s *Station) poll(ctx context.Context, c *channelState, sink Sink) error {
	free, err := s.hold(ctx, c.Bus)
	if err != nil {
		return err
	}
	samples, err := ask(ctx, c.Sensor)
	free()
	if ctxErr := ctx.Err(); ctxErr != nil {
		return ctxErr // an interrupted question has no answer, not even a fault
	}
	at := stamp(s.clock.Now())
	readings := grade(c.Channel, at, samples, err)
	s.noteFault(c, at, readings, err)
	if err := sink.Take(ctx, readings); err != nil {
		return fmt.Errorf("sense: sensor %s: hand over: %w", c.ID, err)
	}
	return nil
}

// ask asks a driver. A driver that panics is wrong about its chip; it must not cost the other chips their readings.
func ask(ctx context.Context, sensor Sensor) (samples []Sample, err error) {
	defer func() {
		if p := recover(); p != nil {
			samples, err = nil, &Fault{Reason: measure.Garbled, Err: fmt.Errorf("driver failed: %v\n%s", p, debug.Stack())}
		}
	}()
	return sensor.Sense(ctx)
}

// noteFault logs a fault when it begins, when its reason changes, and when it heals.
func (s *Station) noteFault(c *channelState, at measure.Instant, readings []measure.Reading, err error) {
	var reason measure.FaultReason
	for _, r := range readings {
		if r.Quality == measure.Fault {
			reason = r.Reason
			break
		}
	}
	if reason == c.reason {
		return
	}
	attrs := []any{slog.String("sensor", c.ID), slog.String("bus", c.Bus)}
	switch {
	case reason == "":
		s.log.Info("sensor healed", append(attrs, slog.String("reason", string(c.reason)),
			slog.Duration("lasted", at.Uptime-c.since))...)
	case c.reason == "":
		c.since = at.Uptime
		s.log.Warn("sensor fault began", append(attrs, slog.String("reason", string(reason)), slog.Any("err", err))...)
	default:
		s.log.Warn("sensor fault changed", append(attrs, slog.String("reason", string(reason)),
			slog.String("before", string(c.reason)), slog.Any("err", err))...)
	}
	c.reason = reason
}

// note logs when handing over begins to fail, and when it works again.
func (s *Station) note(ctx context.Context, c *channelState, err error) {
	if ctx.Err() != nil || (err != nil) == c.refused {
		return
	}
	c.refused = err != nil
	if err != nil {
		s.log.Error("readings are being lost", slog.String("sensor", c.ID), slog.Any("err", err))
		return
	}
	s.log.Info("readings are kept again", slog.String("sensor", c.ID))
}
