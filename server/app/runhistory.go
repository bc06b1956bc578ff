package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"aovuon/server/history"
	"aovuon/server/project"
	"aovuon/server/project/generation"
)

// readyWait is how long an engine that is not up yet is left alone.
const readyWait = 2 * time.Second

// newHistoryRunner makes what draws a generation, and what everybody asks how far the history is.
func (s *running) newHistoryRunner(g project.Generation) *project.Runner {
	sheet := s.db.Sheet(g.Number)
	r := project.NewRunner(project.RunnerOptions{
		Projection: project.NewGeneration(g, s.historyWritten, s.places, s.dater, sheet, s.now, s.log), Source: s.recent, Cursors: s.db, Wake: s.recent.Wake(),
		Linger: 20 * time.Millisecond, SaveEvery: 500 * time.Millisecond, Now: s.now, Log: s.log, Traced: s.tracedProjection(),
	})
	s.historyRunner.Store(r)
	return r
}

// runHistory draws the generation in use, and the next one when that takes over. One process does.
func (s *running) runHistory(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return generation.Tidy(ctx, s.db, s.config.engine(), s.now, s.log) })
	g.Go(func() error {
		for ctx.Err() == nil {
			if err := s.runGeneration(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// runGeneration draws the generation that is in use now, until another is.
func (s *running) runGeneration(ctx context.Context) error {
	now, changed := s.history.Generation()
	work, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-changed:
			stop()
		case <-work.Done():
		}
	}()
	s.history.Forget() // another process may have written
	s.readyHistory(work)
	if work.Err() != nil {
		return nil
	}
	g, work := errgroup.WithContext(work) // who writes to the history keeps its rollups
	g.Go(func() error { return s.newHistoryRunner(now).Run(work) })
	g.Go(func() error { return s.newKeeper().Run(work) })
	return g.Wait()
}

// readyHistory waits for an engine that starts later than this server. Where it may not make what is missing, the first write says so.
func (s *running) readyHistory(ctx context.Context) {
	for {
		err := s.history.Ready(ctx, s.db)
		if err == nil || ctx.Err() != nil {
			return
		}
		s.log.Warn("the history is not ready", slog.Any("err", err))
		if !errors.Is(err, history.ErrUnavailable) {
			return
		}
		t := time.NewTimer(readyWait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}
