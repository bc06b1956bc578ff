// Package keeper keeps the rollups of a history: hours and days that were written to are made again, judged by the limits that hold, and single
// readings are let go where a co-op says for how long it keeps them.
//
// A history.Store, the limits and the lots come in; rollups, and how far they are, go out. One process keeps a store: that which writes to it.
package keeper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aovuon/server/history"
)

// Options are what a Keeper is made of.
type Options struct {
	Store history.Store
	// Judge returns by what every series is judged now.
	Judge     func(ctx context.Context) (history.Judge, error)
	Retention Retention // zero: everything is kept
	// Needed returns the times whose readings somebody needs, whatever Retention says; nil: none.
	Needed func(ctx context.Context, now time.Time) (Needs, error)
	Now    func() time.Time
	Log    *slog.Logger
}

// What a Keeper does how often, and how much of it at once.
const (
	pace   = 15 * time.Second // between two looks for what is stale
	census = time.Minute      // between two looks at every series for older limits
	ripe   = 10 * time.Minute // after its end an hour is made: what comes later makes it once more
	chunk  = 100              // rollups made at once
	round  = 5_000            // rollups made between two looks at the limits
	batch  = 50               // series that are judged again before rollups are made
	sweep  = time.Hour        // between two looks for readings that are let go
)

// Keeper keeps the rollups of one store.
type Keeper struct {
	o      Options
	judged map[history.Series]history.Judgement // by what the rollups of a series are judged, or marked to be
	swept  time.Time
	asked  time.Time // when every series was looked at

	mu    sync.Mutex
	state State
}

// State says how far a Keeper is.
type State struct {
	Waiting int       // rollups that were found stale at the last look, at most round
	Made    int64     // since the start
	Looked  time.Time // the last time nothing was left to do; zero: not yet
	Trouble string    // why it goes no further; empty where it does
	Kept    []Kept    // of quantities whose readings are let go
	Dropped int64     // readings let go since the start
	Swept   time.Time // when readings were last looked for that are to be let go
	Stays   string    // why some are not; empty where nothing hinders it
}

// New returns a Keeper. Run does the work.
func New(o Options) *Keeper {
	return &Keeper{o: o, judged: map[history.Series]history.Judgement{}}
}

// State returns how far the rollups are.
func (k *Keeper) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

func (k *Keeper) set(f func(*State)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(&k.state)
}

// Run keeps the rollups until ctx ends. What fails is tried again.
func (k *Keeper) Run(ctx context.Context) error {
	clear(k.judged) // another process may have kept them since
	k.asked, k.swept = time.Time{}, time.Time{}
	defer k.set(func(s *State) { *s = State{} })
	t := time.NewTimer(pace)
	defer t.Stop()
	for {
		more, err := k.Step(ctx)
		if ctx.Err() != nil {
			return nil
		}
		before := k.State().Trouble
		k.set(func(s *State) {
			if s.Trouble = ""; err != nil {
				s.Trouble = err.Error()
			}
		})
		if err != nil && before == "" {
			k.o.Log.Warn("rollups wait", slog.Any("err", err))
		}
		if more && err == nil {
			continue
		}
		t.Reset(pace)
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Step does a bounded part of what there is to do; more is true where there is more.
func (k *Keeper) Step(ctx context.Context) (more bool, err error) {
	judge, err := k.o.Judge(ctx)
	if err != nil {
		return false, fmt.Errorf("history/keeper: limits: %w", err)
	}
	older, err := k.rejudge(ctx, judge)
	if err != nil {
		return false, err
	}
	left, err := k.renew(ctx, judge)
	if err != nil || left || older {
		return err == nil, err
	}
	now := k.o.Now()
	k.set(func(s *State) { s.Looked = now })
	if now.Sub(k.swept) < sweep {
		return false, nil
	}
	k.swept = now
	err = k.sweep(ctx, now)
	k.set(func(s *State) {
		if s.Swept, s.Stays = now, ""; err != nil {
			s.Stays = err.Error()
		}
	})
	if err != nil && ctx.Err() == nil {
		k.o.Log.Warn("readings are not let go", slog.Any("err", err))
	}
	return false, ctx.Err()
}

// renew makes up to round rollups that are stale.
func (k *Keeper) renew(ctx context.Context, judge history.Judge) (left bool, err error) {
	marks, err := k.o.Store.Stale(ctx, k.o.Now().Add(-ripe), round)
	if err != nil {
		return false, fmt.Errorf("history/keeper: %w", err)
	}
	waiting := len(marks)
	k.set(func(s *State) { s.Waiting = waiting })
	for len(marks) > 0 {
		n := min(chunk, len(marks))
		for _, m := range marks[:n] {
			if err := k.judge(ctx, m.Series, judge(m.Series)); err != nil {
				return false, err
			}
		}
		if err := k.o.Store.Renew(ctx, marks[:n], judge); err != nil {
			return false, fmt.Errorf("history/keeper: %w", err)
		}
		marks = marks[n:]
		k.set(func(s *State) { s.Waiting, s.Made = len(marks), s.Made+int64(n) })
	}
	return waiting > 0, nil
}

// rejudge marks the rollups of some series whose limits are others than at the last look: all of them, the first time.
func (k *Keeper) rejudge(ctx context.Context, judge history.Judge) (more bool, err error) {
	if now := k.o.Now(); now.Sub(k.asked) < census {
		return false, nil
	}
	all, err := k.o.Store.Series(ctx)
	if err != nil {
		return false, fmt.Errorf("history/keeper: %w", err)
	}
	n := 0
	for _, s := range all {
		by := judge(s)
		if was, known := k.judged[s]; known && was == by {
			continue
		}
		if n++; n > batch {
			return true, nil
		}
		if err := k.judge(ctx, s, by); err != nil {
			return false, err
		}
	}
	k.asked = k.o.Now()
	return false, nil
}

// judge marks the rollups of a series that were judged by other limits.
func (k *Keeper) judge(ctx context.Context, s history.Series, by history.Judgement) error {
	if was, known := k.judged[s]; known && was == by {
		return nil
	}
	if _, err := k.o.Store.Rejudge(ctx, s, by); err != nil {
		return fmt.Errorf("history/keeper: %w", err)
	}
	k.judged[s] = by
	return nil
}

// CatchUp makes all rollups, for who cannot wait: it returns when none is left.
func (k *Keeper) CatchUp(ctx context.Context) error {
	for {
		more, err := k.Step(ctx)
		if err != nil || !more {
			return errors.Join(err, ctx.Err())
		}
	}
}
