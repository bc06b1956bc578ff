// Package generation knows which drawing of the history is in use. A register and an engine come in; out go a history.Store that is always the
// drawing in use, a new drawing made beside it from the batch log, and the disposal of old ones.
package generation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"aovuon/server/history"
	"aovuon/server/project"
)

// lookEvery is how often the register is asked which generation is in use: another process may have drawn one.
const lookEvery = time.Second

// Engine is where generations lie.
type Engine interface {
	// Open opens a generation, and begins one that is not there. It need not be reachable.
	Open(ctx context.Context, g project.Generation) (history.Store, error)
	// Ready makes what the open generation needs to be written to, and what those need who read the one in use by other ways.
	Ready(ctx context.Context, g project.Generation, s history.Store) error
	// Discard removes a generation and all its points; nil where there is none.
	Discard(ctx context.Context, g project.Generation) error
	// Place names where the open generation lies, as Generation.Place does.
	Place(ctx context.Context, g project.Generation, s history.Store) (string, error)
}

// Register tells which generation is in use.
type Register interface {
	LiveGeneration(ctx context.Context) (project.Generation, error)
}

// Live is the history in use: a history.Store that turns to the next generation by itself. Whoever reads while it turns goes on reading the one he
// began with.
type Live struct {
	register Register
	engine   Engine
	log      *slog.Logger

	mu      sync.RWMutex
	now     *held
	changed chan struct{} // closed when now is another
}

var _ history.Store = (*Live)(nil)

// held is an open store and how many use it; the last one closes it.
type held struct {
	store history.Store
	g     project.Generation
	users atomic.Int64
	once  sync.Once
	err   error
}

func (h *held) release() error {
	if h.users.Add(-1) > 0 {
		return nil
	}
	h.once.Do(func() { h.err = h.store.Close() })
	return h.err
}

// Open opens the generation in use.
func Open(ctx context.Context, register Register, engine Engine, log *slog.Logger) (*Live, error) {
	l := &Live{register: register, engine: engine, log: log, changed: make(chan struct{})}
	g, err := register.LiveGeneration(ctx)
	if err != nil {
		return nil, err
	}
	l.now, err = l.open(ctx, g)
	return l, err
}

func (l *Live) open(ctx context.Context, g project.Generation) (*held, error) {
	s, err := l.engine.Open(ctx, g)
	if err != nil {
		return nil, err
	}
	h := &held{store: s, g: g}
	h.users.Store(1)
	return h, nil
}

// Follow turns to another generation when the register names one, until ctx ends.
func (l *Live) Follow(ctx context.Context) error {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		err := l.Look(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			l.log.Warn("nobody knows which history is in use", slog.Any("err", err))
		}
		failing = err != nil
	}
}

// Look turns to the generation that the register names, if it is another.
func (l *Live) Look(ctx context.Context) error {
	g, err := l.register.LiveGeneration(ctx)
	if err != nil {
		return err
	}
	if now, _ := l.Generation(); now.Number == g.Number {
		return nil
	}
	next, err := l.open(ctx, g)
	if err != nil {
		return fmt.Errorf("generation %d of the history: %w", g.Number, err)
	}
	l.mu.Lock()
	before := l.now
	l.now = next
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
	l.log.Info("another drawing of the history is in use", slog.Int64("generation", g.Number), slog.Int64("before", before.g.Number))
	if err := before.release(); err != nil {
		l.log.Warn("the history before it did not close", slog.Any("err", err))
	}
	return nil
}

// Generation returns the one in use; changed is closed when it is another.
func (l *Live) Generation() (g project.Generation, changed <-chan struct{}) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.now.g, l.changed
}

// With calls f with the store in use, which stays open meanwhile.
func (l *Live) With(f func(history.Store) error) error {
	l.mu.RLock()
	h := l.now
	h.users.Add(1)
	l.mu.RUnlock()
	err := f(h.store)
	if rerr := h.release(); rerr != nil {
		l.log.Warn("the history before did not close", slog.Any("err", rerr))
	}
	return err
}

// Write implements history.Store.
func (l *Live) Write(ctx context.Context, points []history.Point) error {
	return l.With(func(s history.Store) error { return s.Write(ctx, points) })
}

// Range implements history.Store.
func (l *Live) Range(ctx context.Context, q history.Query) (buckets []history.Bucket, err error) {
	err = l.With(func(s history.Store) (err error) {
		buckets, err = s.Range(ctx, q)
		return err
	})
	return buckets, err
}

// Latest implements history.Store.
func (l *Live) Latest(ctx context.Context, series []history.Series) (points []history.Point, err error) {
	err = l.With(func(s history.Store) (err error) {
		points, err = s.Latest(ctx, series)
		return err
	})
	return points, err
}

// Each implements history.Store.
func (l *Live) Each(ctx context.Context, k history.Series, from, to time.Time, f func(history.Point) error) error {
	return l.With(func(s history.Store) error { return s.Each(ctx, k, from, to, f) })
}

// Rollups implements history.Reader.
func (l *Live) Rollups(ctx context.Context, k history.Series, span history.Span, from, to time.Time) (rollups []history.Rollup, err error) {
	err = l.With(func(s history.Store) (err error) {
		rollups, err = s.Rollups(ctx, k, span, from, to)
		return err
	})
	return rollups, err
}

// Series implements history.Keep.
func (l *Live) Series(ctx context.Context) (series []history.Series, err error) {
	err = l.With(func(s history.Store) (err error) {
		series, err = s.Series(ctx)
		return err
	})
	return series, err
}

// Stale implements history.Keep.
func (l *Live) Stale(ctx context.Context, before time.Time, limit int) (marks []history.Mark, err error) {
	err = l.With(func(s history.Store) (err error) {
		marks, err = s.Stale(ctx, before, limit)
		return err
	})
	return marks, err
}

// Renew implements history.Keep.
func (l *Live) Renew(ctx context.Context, marks []history.Mark, judge history.Judge) error {
	return l.With(func(s history.Store) error { return s.Renew(ctx, marks, judge) })
}

// Rejudge implements history.Keep.
func (l *Live) Rejudge(ctx context.Context, k history.Series, by history.Judgement) (n int, err error) {
	err = l.With(func(s history.Store) (err error) {
		n, err = s.Rejudge(ctx, k, by)
		return err
	})
	return n, err
}

// Forget implements history.Keep.
func (l *Live) Forget() {
	if err := l.With(func(s history.Store) error {
		s.Forget()
		return nil
	}); err != nil {
		l.log.Warn("nothing was forgotten", slog.Any("err", err))
	}
}

// LetGo implements history.Keep.
func (l *Live) LetGo(ctx context.Context, k history.Series, from, to time.Time) (n int64, err error) {
	err = l.With(func(s history.Store) (err error) {
		n, err = s.LetGo(ctx, k, from, to)
		return err
	})
	return n, err
}

// Close closes the store when the last one who reads it is done.
func (l *Live) Close() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.now.release()
}

// Ready makes what the generation in use needs, and draws it anew from the log where it is empty although its cursor says otherwise: its file was
// moved away, its database is another, or the server was restored without it.
func (l *Live) Ready(ctx context.Context, cursors project.Cursors) error {
	return l.With(func(s history.Store) error {
		g, _ := l.Generation()
		if err := l.engine.Ready(ctx, g, s); err != nil {
			return err
		}
		at, err := cursors.Cursor(ctx, g.Cursor())
		if err != nil || at == 0 {
			return err
		}
		e, ok := s.(interface {
			Empty(ctx context.Context) (bool, error)
		})
		if !ok {
			return errors.New("this history engine does not say whether it is empty")
		}
		empty, err := e.Empty(ctx)
		if err != nil || !empty {
			return err
		}
		l.log.Warn("the history is empty: it is drawn again from the log", slog.Int64("generation", g.Number), slog.Int64("batches", at))
		return cursors.SaveCursor(ctx, g.Cursor(), 0)
	})
}
