package sense

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
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
	Key        string // changes whenever another Sensor, not this one, is needed; see Station.Replace

	// After is the id of a channel: this one hangs on no bus, and is asked whenever that one has said something.
	After string
	// Refine stands between the grading and the Sink; nil lets every reading pass as it is.
	Refine Refiner
}

// Refiner is what checks and filters the readings of one channel. It is called by one goroutine at a time, with all
// readings of one instant.
type Refiner interface {
	// Refine returns the readings with what it found out about them. It may change the slice.
	Refine(readings []measure.Reading) []measure.Reading
	// Report returns those of the refined readings that are worth passing on. It leaves the slice alone.
	Report(readings []measure.Reading) []measure.Reading
	// Doubt says why readings of the last Refine are Suspect, for the log; empty when none is. The same reason has the
	// same words.
	Doubt() string
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
// same time; everything else is safe for concurrent use.
type Station struct {
	clock Clock
	log   *slog.Logger

	mu       sync.Mutex
	channels []*channelState // Replace makes a new slice
	watchers []Sink
	held     map[string]chan struct{} // by bus: full while somebody uses it
	work     *work                    // nil while Run does not run
}

// channelState is what the Station remembers of a channel between two polls: when it is due, and what to log once.
type channelState struct {
	Channel
	due time.Duration // uptime, under Station.mu

	asking  sync.Mutex          // held while the channel is asked, for what follows
	reason  measure.FaultReason // of the fault that lasts; "" while there is none
	since   time.Duration       // uptime when it began
	doubt   string              // why the last readings were Suspect
	refused bool                // the Sink refused the last readings

	cause string // what the driver said when it gave no value last, under Station.mu
}

// NewStation makes a Station of channels. It starts nothing.
func NewStation(clock Clock, channels []Channel, log *slog.Logger) *Station {
	s := &Station{clock: clock, log: log, held: make(map[string]chan struct{})}
	s.channels = s.states(channels)
	return s
}

// PollAll asks every channel once, in the order given, in the caller's goroutine: for virtual time. It returns ctx's
// error as soon as ctx is done, else the Sink's errors joined, after every channel was asked.
func (s *Station) PollAll(ctx context.Context, sink Sink) error {
	s.mu.Lock()
	channels := s.channels
	s.mu.Unlock()
	var errs []error
	for _, c := range channels {
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.After == "" {
			errs = append(errs, s.poll(ctx, c, sink))
			s.follow(ctx, c, sink, func(_ *channelState, err error) { errs = append(errs, err) })
		}
	}
	return errors.Join(errs...)
}

// follow asks the channels that come after c, and those after them; done is told how it went.
func (s *Station) follow(ctx context.Context, c *channelState, sink Sink, done func(*channelState, error)) {
	s.mu.Lock()
	channels := s.channels
	s.mu.Unlock()
	for _, d := range channels {
		if d.After == c.ID && ctx.Err() == nil {
			done(d, s.poll(ctx, d, sink))
			s.follow(ctx, d, sink, done)
		}
	}
}

// Channels returns the channels there are, in their order.
func (s *Station) Channels() []Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Channel, len(s.channels))
	for i, c := range s.channels {
		out[i] = c.Channel
	}
	return out
}

// Cause is what the driver of a sensor said when it gave no value last, for people; empty when it gave one. A reading
// carries the reason alone.
func (s *Station) Cause(sensor string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.channels {
		if c.ID == sensor {
			return c.cause
		}
	}
	return ""
}

// Watch has every reading given to w, also those that a channel's Refiner holds back from the Sink: for rules that must
// know that a probe lives although nothing changes. It must not block, and its errors are logged.
func (s *Station) Watch(w Sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(s.watchers, w)
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
	c.asking.Lock()
	defer c.asking.Unlock()
	samples, err := s.question(ctx, c)
	if ctxErr := ctx.Err(); ctxErr != nil {
		return ctxErr // an interrupted question has no answer, not even a fault
	}
	at := stamp(s.clock.Now())
	readings := grade(c.Channel, at, samples, err)
	s.noteFault(c, at, readings, err)
	if c.Refine != nil {
		readings = c.Refine.Refine(readings)
		s.noteDoubt(c, c.Refine.Doubt())
	}
	s.show(ctx, c, readings)
	if c.Refine != nil {
		readings = c.Refine.Report(readings)
	}
	if len(readings) == 0 {
		return nil
	}
	if err := sink.Take(ctx, readings); err != nil {
		return fmt.Errorf("sense: sensor %s: hand over: %w", c.ID, err)
	}
	return nil
}

// question asks a channel while nobody else uses its bus.
func (s *Station) question(ctx context.Context, c *channelState) ([]Sample, error) {
	if c.After == "" {
		free, err := s.hold(ctx, c.Bus)
		if err != nil {
			return nil, err
		}
		defer free()
	}
	return ask(ctx, c.Sensor)
}

// show gives every watcher a copy of readings.
func (s *Station) show(ctx context.Context, c *channelState, readings []measure.Reading) {
	s.mu.Lock()
	watchers := s.watchers
	s.mu.Unlock()
	for _, w := range watchers {
		if err := w.Take(ctx, slices.Clone(readings)); err != nil && ctx.Err() == nil {
			s.log.Warn("a watcher did not take readings", slog.String("sensor", c.ID), slog.Any("err", err))
		}
	}
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
	s.mu.Lock()
	c.cause = ""
	if reason != "" && err != nil {
		c.cause = err.Error()
	}
	s.mu.Unlock()
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

// noteDoubt logs when readings begin to be Suspect, when the reason changes, and when they are believed again.
func (s *Station) noteDoubt(c *channelState, why string) {
	switch why {
	case c.doubt:
		return
	case "":
		s.log.Info("readings are believed again", slog.String("sensor", c.ID))
	default:
		s.log.Warn("readings are in doubt", slog.String("sensor", c.ID), slog.String("why", why))
	}
	c.doubt = why
}

// note logs when handing over begins to fail, and when it works again.
func (s *Station) note(ctx context.Context, c *channelState, err error) {
	c.asking.Lock()
	defer c.asking.Unlock()
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
