package generation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aovuon/server/history"
	"aovuon/server/project"
)

// Grace is how long a generation that was replaced is left: every process has turned away from it by then.
const Grace = 5 * time.Second

const (
	// nearEnd is how many batches may be missing when the new generation takes over; whoever leads it on draws them in the next moment.
	nearEnd = 1_000
	// mostTries is how often a drawing is begun anew because the register of sensors changed under it.
	mostTries = 3
	firstWait = 250 * time.Millisecond
	lastWait  = 30 * time.Second
)

// Book is the register as a redraw writes it.
type Book interface {
	project.Generations
	NameGeneration(ctx context.Context, number int64, place string) error
}

// RedrawOptions are what a redraw is made of.
type RedrawOptions struct {
	Book     Book
	Engine   Engine
	Source   project.Source
	Cursors  project.Cursors
	Mounts   project.Mounts
	Sheet    func(generation int64) project.Sheet
	Now      func() time.Time
	Progress func(position, end int64) // told after each chunk
	Grace    time.Duration             // how long a generation that was replaced is left; 0: Grace
	Log      *slog.Logger
}

// Result is what a redraw did.
type Result struct {
	Generation int64
	Points     int64 // written by this run; less than there are where it went on with another's
	Batches    int64 // that the log had at the end
	Shared     error // why the old one was left where it lies; nil: it was dropped
}

// Redraw draws the history again from the log into a new generation beside the one in use, which is read and led on meanwhile, lets the new one take
// over in one transaction, and drops the old one. It goes on with what an earlier one began, however that ended: every step may be done again.
//
// Where InfluxDB is down it waits. Where somebody said during the drawing that a sensor was elsewhere before the drawing began, it begins anew.
func Redraw(ctx context.Context, o RedrawOptions) (r Result, err error) {
	for try := 1; ; try++ {
		register, err := o.Mounts.MountRevision(ctx)
		if err != nil {
			return r, err
		}
		before, err := o.Mounts.Mounts(ctx)
		if err != nil {
			return r, err
		}
		g, err := o.begin(ctx, register)
		if err != nil {
			return r, err
		}
		moved := g.Register != register // begun by another run, with another register
		if !moved || try == mostTries { // the last is drawn whoever began it: nothing takes over that is not whole
			if err := o.draw(ctx, g, &r); err != nil {
				return r, err
			}
			after, err := o.Mounts.Mounts(ctx)
			if err != nil {
				return r, err
			}
			moved = moved || !sameBefore(before, after, g.Began)
		}
		if moved && try < mostTries {
			o.Log.Info("a sensor's place changed while the history was drawn: it is drawn anew", slog.Int64("generation", g.Number))
			if err := o.Drop(ctx, g); err != nil {
				return r, err
			}
			r = Result{}
			continue
		}
		r.Generation = g.Number
		return r, o.takeOver(ctx, g, &r)
	}
}

// begin makes the generation that is drawn, and knows by name where the one in use lies before there is another.
func (o *RedrawOptions) begin(ctx context.Context, register string) (project.Generation, error) {
	live, err := o.Book.LiveGeneration(ctx)
	if err != nil {
		return live, err
	}
	err = o.patiently(ctx, func() (err error) {
		s, err := o.Engine.Open(ctx, live)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		if err := o.Engine.Ready(ctx, live, s); err != nil {
			return err
		}
		place, err := o.Engine.Place(ctx, live, s)
		if err != nil || place == live.Place {
			return err
		}
		return o.Book.NameGeneration(ctx, live.Number, place)
	})
	if err != nil {
		return live, err
	}
	return o.Book.BeginGeneration(ctx, register, o.Now())
}

// draw leads the new generation up to the end of the log.
func (o *RedrawOptions) draw(ctx context.Context, g project.Generation, r *Result) (err error) {
	s, err := o.Engine.Open(ctx, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := o.patiently(ctx, func() error { return o.Engine.Ready(ctx, g, s) }); err != nil {
		return err
	}
	sheet := o.Sheet(g.Number)
	h := project.NewGeneration(g, s, project.NewPlaces(o.Mounts, o.Now), project.NewDater(sheet), sheet, o.Now, o.Log)
	runner := project.NewRunner(project.RunnerOptions{Projection: h, Source: o.Source, Cursors: o.Cursors, SaveEvery: time.Second, Now: o.Now, Log: o.Log})
	defer func() { r.Points += h.Written() }()
	return o.patiently(ctx, func() error {
		for {
			end, err := o.Source.LogEnd(ctx)
			if err != nil {
				return err
			}
			err = runner.CatchUp(ctx, end, func(position int64) {
				if o.Progress != nil {
					o.Progress(position, end)
				}
			})
			if err != nil {
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if r.Batches, err = o.Source.LogEnd(ctx); err != nil {
				return err
			}
			if r.Batches-end <= nearEnd {
				return nil
			}
		}
	})
}

// takeOver puts the new generation into the place of the one in use.
func (o *RedrawOptions) takeOver(ctx context.Context, g project.Generation, r *Result) error {
	old, err := o.Book.LiveGeneration(ctx)
	if err != nil {
		return err
	}
	if err := o.Book.SwapGeneration(ctx, g.Number, o.Now()); err != nil {
		return err
	}
	o.Log.Info("the new drawing of the history is in use", slog.Int64("generation", g.Number))
	g.State = project.StateLive
	if err := o.patiently(ctx, func() error { return o.ready(ctx, g) }); err != nil {
		return err
	}
	if o.Grace == 0 {
		o.Grace = Grace
	}
	t := time.NewTimer(o.Grace)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx) // the server that runs drops the old one
	case <-t.C:
	}
	err = o.Drop(ctx, old)
	if errors.Is(err, ErrShared) {
		r.Shared, err = err, nil
	}
	return err
}

func (o *RedrawOptions) ready(ctx context.Context, g project.Generation) (err error) {
	s, err := o.Engine.Open(ctx, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return o.Engine.Ready(ctx, g, s)
}

// ErrShared says that a generation cannot be removed because others keep something in the same place. It is forgotten all the same.
var ErrShared = errors.New("others keep something where the old drawing of the history lies")

// Drop removes a generation that is not in use, its points first.
func (o *RedrawOptions) Drop(ctx context.Context, g project.Generation) error {
	return Drop(ctx, o.Book, o.Engine, g)
}

// Drop removes a generation that is not in use, its points first: whoever is interrupted drops it again.
func Drop(ctx context.Context, book project.Generations, engine Engine, g project.Generation) error {
	err := engine.Discard(ctx, g)
	if err != nil && !errors.Is(err, ErrShared) {
		return fmt.Errorf("generation %d of the history: %w", g.Number, err)
	}
	return errors.Join(err, book.DropGeneration(ctx, g.Number))
}

// patiently does f again while the engine is unavailable.
func (o *RedrawOptions) patiently(ctx context.Context, f func() error) error {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := f()
		if err == nil || !errors.Is(err, history.ErrUnavailable) {
			return err
		}
		o.Log.Warn("the history is not there, the drawing waits", slog.Any("err", err))
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		case <-t.C:
		}
	}
}

// sameBefore reports whether two registers say the same of every moment before t.
func sameBefore(a, b []project.Mount, t time.Time) bool {
	return sameSet(until(a, t), until(b, t))
}

// until cuts mounts off at t, and counts those that begin later as not there.
func until(mounts []project.Mount, t time.Time) map[project.Mount]int {
	out := map[project.Mount]int{}
	for _, m := range mounts {
		if !m.From.Before(t) {
			continue
		}
		if !m.To.IsZero() && !m.To.Before(t) {
			m.To = time.Time{}
		}
		m.From, m.To = m.From.UTC(), m.To.UTC()
		out[m]++
	}
	return out
}

func sameSet(a, b map[project.Mount]int) bool {
	if len(a) != len(b) {
		return false
	}
	for m, n := range a {
		if b[m] != n {
			return false
		}
	}
	return true
}
