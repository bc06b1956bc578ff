package edge

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

// Clock is the time the runner lives in.
type Clock interface {
	Now() measure.Instant
}

// Sink keeps and sends readings.
type Sink interface {
	Take(ctx context.Context, readings []measure.Reading) error
}

// Store keeps what has to outlive the program.
type Store interface {
	Save(s Saved) error
}

// Options are what a Runner needs.
type Options struct {
	Config  Config
	Outputs Outputs
	Saved   Saved
	Clock   Clock
	Sink    Sink
	Store   Store
	Urgent  func() // an alarm began: seal and send at once
	Log     *slog.Logger
}

// tick is how often the rules are asked without a reading: times are kept to a second.
const tick = time.Second

// Runner lets an Engine work. Take, SetOverride and Status may be called from several goroutines.
type Runner struct {
	o     Options
	mu    sync.Mutex // of the engine
	rules *Engine
	wake  chan struct{}
	kept  bool // under mu: the last save worked, or failed and was told

	inbox   sync.Mutex // of its own: a relay that hangs must not hold up the sensing
	arrived []measure.Reading
}

// NewRunner makes a Runner. It switches nothing: call Run, or Step.
func NewRunner(o Options) *Runner {
	return &Runner{o: o, rules: New(o.Config, o.Outputs, o.Saved, o.Clock.Now()), wake: make(chan struct{}, 1), kept: true}
}

// Take lets the rules see readings; it keeps none. Run acts on them at once, whatever the link does.
func (r *Runner) Take(_ context.Context, readings []measure.Reading) error {
	r.inbox.Lock()
	before := len(r.arrived)
	for _, reading := range readings {
		if r.rules.Watches(reading.Sensor, reading.Quantity) {
			r.arrived = append(r.arrived, reading)
		}
	}
	interesting := len(r.arrived) > before
	r.inbox.Unlock()
	if interesting {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// Replace puts other rules in the place of those there are; aerators that stay go on where they were. A relay that no rule
// speaks of any more is left as it is.
func (r *Runner) Replace(c Config, out Outputs) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.o.Clock.Now()
	next := New(c, out, r.rules.Saved(now), now)
	r.inbox.Lock() // Take asks the rules what they watch
	defer r.inbox.Unlock()
	r.rules = next
}

// arrivals empties the inbox.
func (r *Runner) arrivals() []measure.Reading {
	r.inbox.Lock()
	defer r.inbox.Unlock()
	arrived := r.arrived
	r.arrived = nil
	return arrived
}

// Run switches until ctx is done, then returns nil and leaves the relays as they are.
func (r *Runner) Run(ctx context.Context) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		r.Step(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-r.wake:
		}
	}
}

// Step lets the rules act once on what arrived: for virtual time. Run does it whenever it is time.
func (r *Runner) Step(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules.Observe(r.arrivals())
	now := r.o.Clock.Now()
	o := r.rules.Step(now)
	for _, n := range o.Notes {
		r.log(n)
	}
	if o.Changed {
		r.save(r.rules.Saved(now))
	}
	if len(o.Readings) > 0 {
		if err := r.o.Sink.Take(ctx, o.Readings); err != nil {
			r.o.Log.Error("readings of the edge are lost", slog.Any("err", err))
		}
	}
	if o.Urgent {
		r.o.Urgent()
	}
}

func (r *Runner) log(n Note) {
	attrs := []any{slog.String("id", n.ID), slog.String("what", n.Text)}
	if n.Cause != "" {
		attrs = append(attrs, slog.String("cause", string(n.Cause)))
	}
	if n.Err != nil {
		attrs = append(attrs, slog.Any("err", n.Err))
	}
	if n.Bad {
		r.o.Log.Warn("edge", attrs...)
		return
	}
	r.o.Log.Info("edge", attrs...)
}

// save keeps the state; a disk that fails is told once. The rules go on without it.
func (r *Runner) save(s Saved) {
	err := r.o.Store.Save(s)
	if err != nil && r.kept {
		r.o.Log.Error("the state of the aerators is not kept over a restart", slog.Any("err", err))
	}
	r.kept = err == nil
}

// SetOverride gives an aerator a person's word (Engine.SetOverride), in force and on disk when it returns nil.
func (r *Runner) SetOverride(ctx context.Context, id string, mode Mode, length time.Duration) error {
	r.mu.Lock()
	now := r.o.Clock.Now()
	err := r.rules.SetOverride(id, mode, length, now)
	var kept error
	if err == nil {
		kept = r.o.Store.Save(r.rules.Saved(now))
	}
	r.mu.Unlock()
	if err != nil {
		return err
	}
	r.o.Log.Info("edge", slog.String("id", id), slog.String("what", "a person said "+string(mode)), slog.Duration("for", length))
	r.Step(ctx)
	if kept != nil {
		return fmt.Errorf("edge: it is in force, and a restart would forget it: %w", kept)
	}
	return nil
}

// Status tells how everything stands now.
func (r *Runner) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rules.Status(r.o.Clock.Now())
}
