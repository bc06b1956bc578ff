package project

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"aovuon/server/history"
	"aovuon/server/ingest"
)

// Projection is an effect of the log.
type Projection interface {
	Name() string
	// Apply makes the effect of records durable, or returns an error and may have done some of it.
	Apply(ctx context.Context, records []ingest.Record) error
}

// Bounds of a runner's work.
const (
	chunkRecords = 5_000
	chunkSize    = 60_000 // readings and gaps of a chunk of catching up; a live one is smaller
	firstWait    = 250 * time.Millisecond
	lastWait     = 5 * time.Second // an engine that is back is written to soon after
	lastAsked    = 5 * time.Minute // however long an engine asks to be left alone
	pollLog      = time.Second     // for appends of other processes; those of this one wake the runner
)

// RunnerOptions are what a Runner is made of.
type RunnerOptions struct {
	Projection Projection
	Source     Source
	Cursors    Cursors         // nil: the effect is in memory, Start is where it begins
	Start      int64           // position to begin after, without Cursors
	Wake       <-chan struct{} // told that the log has grown; nil: polling alone
	Linger     time.Duration   // waited after a wake, so that one chunk serves several commits
	SaveEvery  time.Duration   // the cursor may trail the effect this long; 0: saved after every chunk
	Now        func() time.Time
	Log        *slog.Logger
	// Traced is told of each chunk that was applied, from when to when; nil: nobody is. It must not block.
	Traced func(projection string, records []ingest.Record, begin, end time.Time)
}

// Runner leads one projection along the log.
type Runner struct {
	RunnerOptions

	mu       sync.Mutex
	position int64
	trouble  string
}

// NewRunner returns a Runner.
func NewRunner(o RunnerOptions) *Runner { return &Runner{RunnerOptions: o} }

// Status says how far the effect is durable, and why it goes no further, empty where it does.
func (r *Runner) Status() (position int64, trouble string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.position, r.trouble
}

func (r *Runner) set(position int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.position = position
	if r.trouble = ""; err != nil {
		r.trouble = err.Error()
	}
}

// Run follows the log until ctx ends. An error of the projection or of the database is waited out.
func (r *Runner) Run(ctx context.Context) error { return r.run(ctx, nil) }

// CatchUp applies the log up to position upto and returns. It tells progress after each chunk. Unlike Run it gives up
// at the first error.
func (r *Runner) CatchUp(ctx context.Context, upto int64, progress func(position int64)) error {
	return r.run(ctx, func(position int64, err error) bool {
		progress(position)
		return err == nil && position < upto
	})
}

// run is both: more says whether to go on after a chunk or an error; nil goes on until ctx ends.
func (r *Runner) run(ctx context.Context, more func(int64, error) bool) error {
	at, saved, savedAt := r.Start, r.Start, r.Now()
	begun := r.Cursors == nil
	wait := firstWait
	for {
		var err error
		var n int
		if !begun {
			if at, err = r.Cursors.Cursor(ctx, r.Projection.Name()); err == nil {
				begun, saved = true, at
			}
		}
		if begun {
			n, err = r.step(ctx, &at)
		}
		if r.Cursors != nil && at > saved && (n == 0 || r.Now().Sub(savedAt) >= r.SaveEvery) {
			if serr := r.Cursors.SaveCursor(ctx, r.Projection.Name(), at); serr != nil {
				err = errors.Join(err, serr)
			} else {
				saved, savedAt = at, r.Now()
			}
		}
		if ctx.Err() != nil {
			return r.leave(ctx, at, saved)
		}
		if _, before := r.Status(); err != nil && before == "" {
			r.Log.Warn("projection waits", slog.String("projection", r.Projection.Name()), slog.Int64("position", at), slog.Any("err", err))
		}
		r.set(at, err)
		if more != nil && !more(at, err) {
			return errors.Join(err, r.leave(ctx, at, saved))
		}
		switch {
		case err != nil:
			pause := wait/2 + rand.N(wait)
			if u, ok := errors.AsType[*history.UnavailableError](err); ok {
				pause = min(max(pause, u.RetryAfter), lastAsked)
			}
			r.sleep(ctx, pause, nil)
			wait = min(2*wait, lastWait)
		case n == 0:
			r.sleep(ctx, pollLog, r.Wake)
			r.sleep(ctx, r.Linger, nil)
			wait = firstWait
		default:
			wait = firstWait
		}
	}
}

// step applies one chunk and moves at behind it.
func (r *Runner) step(ctx context.Context, at *int64) (n int, err error) {
	records, err := r.Source.After(ctx, *at, chunkRecords, chunkSize)
	if err != nil || len(records) == 0 {
		return 0, err
	}
	var begin time.Time
	if r.Traced != nil {
		begin = r.Now()
	}
	if err := r.Projection.Apply(ctx, records); err != nil {
		return 0, fmt.Errorf("project: %s: after position %d: %w", r.Projection.Name(), *at, err)
	}
	if r.Traced != nil {
		r.Traced(r.Projection.Name(), records, begin, r.Now())
	}
	*at = records[len(records)-1].Position
	return len(records), nil
}

// leave saves the cursor a last time.
func (r *Runner) leave(ctx context.Context, at, saved int64) error {
	if r.Cursors == nil || at <= saved {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return r.Cursors.SaveCursor(last, r.Projection.Name(), at)
}

func (r *Runner) sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
	}
}
