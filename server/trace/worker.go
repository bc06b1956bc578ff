package trace

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"aovuon/server/farm"
)

// Store keeps lots and their evidence.
type Store interface {
	Farm(ctx context.Context) (*farm.Farm, error)
	Lots(ctx context.Context) ([]Lot, error)
	// SaveEvidence replaces the evidence of a lot, computed at a time.
	SaveEvidence(ctx context.Context, l Link, rows []Evidence, at time.Time) error
}

// How often the evidence of a lot is weighed again: often while readings of its time still arrive, then ever more rarely,
// so that what a gateway kept for days while it was offline is still seen.
const (
	soonest = 15 * time.Second
	latest  = 10 * time.Minute
)

// Worker keeps the evidence of every lot up to date, so that a label's page never waits for the history.
type Worker struct {
	store Store
	h     Points
	now   func() time.Time
	log   *slog.Logger
	due   map[Link]*turn
}

// turn is when a lot is weighed next.
type turn struct {
	at    time.Time
	every time.Duration
	seen  []int // readings at the last time
}

// NewWorker makes a worker; Run does the work.
func NewWorker(store Store, h Points, now func() time.Time, log *slog.Logger) *Worker {
	return &Worker{store: store, h: h, now: now, log: log, due: map[Link]*turn{}}
}

// Run weighs lots as they fall due, until ctx is done. What fails is logged and tried again.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(soonest)
	defer tick.Stop()
	for {
		if err := w.Step(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("evidence is not up to date", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
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
	return nil
}
