package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aovuon/server/farm"
	"aovuon/server/history"
)

// Store keeps lots and their evidence.
type Store interface {
	Farm(ctx context.Context) (*farm.Farm, error)
	Lots(ctx context.Context) ([]Lot, error)
	// Drawn returns up to which position of the batch log the history has been drawn.
	Drawn(ctx context.Context) (int64, error)
	// SaveEvidence replaces the evidence of a lot, computed at a time.
	SaveEvidence(ctx context.Context, l Link, rows []Evidence, at time.Time) error
}

// How often the evidence of a lot is weighed again: often while readings of its time still arrive, then ever more rarely,
// so that what a gateway kept for days while it was offline is still seen.
const (
	soonest = 15 * time.Second
	latest  = 10 * time.Minute
)

// When a gateway has handed over what it kept, whoever scans a label should see it at once: so many batches drawn between
// two glances are a backlog, and its end is a reason to weigh every lot.
const (
	glance  = 2 * time.Second
	backlog = 100
)

// Worker keeps the evidence of every lot up to date, so that a label's page never waits for the history.
type Worker struct {
	store Store
	seals Seals
	h     Points
	now   func() time.Time
	log   *slog.Logger
	due   map[Link]*turn

	drawn    int64 // at the last glance; -1 before the first
	draining bool  // a backlog was being drawn at the last glance
}

// turn is when a lot is weighed next.
type turn struct {
	at    time.Time
	every time.Duration
	seen  []int // readings at the last time
	seal  sealing
}

// NewWorker makes a worker; Run does the work.
func NewWorker(store Store, seals Seals, h Points, now func() time.Time, log *slog.Logger) *Worker {
	return &Worker{store: store, seals: seals, h: h, now: now, log: log, due: map[Link]*turn{}, drawn: -1}
}

// Run weighs lots as they fall due, until ctx is done. What fails is logged and tried again.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(soonest)
	defer tick.Stop()
	look := time.NewTicker(glance)
	defer look.Stop()
	for due := true; ; {
		if due {
			if err := w.Step(ctx); err != nil && ctx.Err() == nil {
				w.log.Warn("evidence is not up to date", slog.Any("err", err))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			due = true
		case <-look.C:
			due = w.drained(ctx)
		}
	}
}

// drained reports whether a backlog came to its end since the last glance; then every lot is due.
func (w *Worker) drained(ctx context.Context) bool {
	at, err := w.store.Drawn(ctx)
	if err != nil {
		return false // the next weighing says what is wrong with the store
	}
	before, was := w.drawn, w.draining
	w.drawn, w.draining = at, before >= 0 && at-before >= backlog
	if !was || w.draining {
		return false
	}
	for _, t := range w.due {
		t.at, t.every = time.Time{}, soonest
	}
	return true
}

// Step weighs every lot that is due now.
func (w *Worker) Step(ctx context.Context) error {
	lots, err := w.store.Lots(ctx)
	if err != nil {
		return fmt.Errorf("trace: evidence: %w", err)
	}
	var f *farm.Farm
	for _, l := range lots {
		t, ok := w.due[l.Link()]
		if !ok {
			t = &turn{every: soonest}
			w.due[l.Link()] = t
		}
		if w.now().Before(t.at) {
			continue
		}
		if f == nil {
			if f, err = w.store.Farm(ctx); err != nil {
				return fmt.Errorf("trace: evidence: %w", err)
			}
		}
		if err := w.weigh(ctx, f, l, t); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) weigh(ctx context.Context, f *farm.Farm, l Lot, t *turn) error {
	now := w.now()
	rows, err := Weigh(ctx, f, w.h, l, now)
	if errors.Is(err, history.ErrGone) { // what was weighed while the readings were there stands
		t.every = latest
		t.at = now.Add(latest)
		return nil
	}
	if err != nil {
		return err
	}
	seen := make([]int, 0, len(rows))
	for _, r := range rows {
		seen = append(seen, r.N+r.Faults+r.Outlying)
	}
	changed := t.seen == nil || len(seen) != len(t.seen)
	for i := range seen {
		changed = changed || seen[i] != t.seen[i]
	}
	if changed {
		if err := w.store.SaveEvidence(ctx, l.Link(), rows, now); err != nil {
			return fmt.Errorf("trace: evidence of lot %s: %w", l.Code, err)
		}
		t.every = soonest
		w.log.Debug("evidence weighed", slog.String("lot", l.Code), slog.Int("quantities", len(rows)))
	} else {
		t.every = min(2*t.every, latest)
	}
	t.seen, t.at = seen, now.Add(t.every)
	if err := w.seal(ctx, f, l, rows, &t.seal); err != nil {
		return fmt.Errorf("trace: seal of lot %s: %w", l.Code, err)
	}
	return nil
}
