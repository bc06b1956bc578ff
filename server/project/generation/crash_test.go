package generation_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"aovuon/server/history"
	"aovuon/server/project"
	"aovuon/server/project/generation"
)

var errCrash = errors.New("the process ended here")

// crasher ends a redraw at its nth step, before or after the step took effect, and lets nothing through from then on.
type crasher struct {
	left  int
	after bool
	dead  bool
}

func (c *crasher) step(f func() error) error {
	if c.dead {
		return errCrash
	}
	if c.left--; c.left > 0 {
		return f()
	}
	c.dead = true
	if c.after {
		return errors.Join(f(), errCrash)
	}
	return errCrash
}

type crashBook struct {
	generation.Book
	c *crasher
}

func (b crashBook) BeginGeneration(ctx context.Context, register string, at time.Time) (g project.Generation, err error) {
	err = b.c.step(func() error {
		g, err = b.Book.BeginGeneration(ctx, register, at)
		return err
	})
	return g, err
}

func (b crashBook) NameGeneration(ctx context.Context, n int64, place string) error {
	return b.c.step(func() error { return b.Book.NameGeneration(ctx, n, place) })
}

func (b crashBook) SwapGeneration(ctx context.Context, n int64, at time.Time) error {
	return b.c.step(func() error { return b.Book.SwapGeneration(ctx, n, at) })
}

func (b crashBook) DropGeneration(ctx context.Context, n int64) error {
	return b.c.step(func() error { return b.Book.DropGeneration(ctx, n) })
}

type crashEngine struct {
	generation.Engine
	c *crasher
}

func (e crashEngine) Open(ctx context.Context, g project.Generation) (history.Store, error) {
	s, err := e.Engine.Open(ctx, g)
	return crashStore{s, e.c}, err
}

func (e crashEngine) Ready(ctx context.Context, g project.Generation, s history.Store) error {
	return e.c.step(func() error { return e.Engine.Ready(ctx, g, s.(crashStore).Store) }) //nolint:forcetypeassert // its own
}

func (e crashEngine) Place(ctx context.Context, g project.Generation, s history.Store) (string, error) {
	return e.Engine.Place(ctx, g, s.(crashStore).Store) //nolint:forcetypeassert // its own
}

func (e crashEngine) Discard(ctx context.Context, g project.Generation) error {
	return e.c.step(func() error { return e.Engine.Discard(ctx, g) })
}

type crashStore struct {
	history.Store
	c *crasher
}

func (s crashStore) Write(ctx context.Context, points []history.Point) error {
	var answer error // a refusal is no crash
	if err := s.c.step(func() error {
		answer = s.Store.Write(ctx, points)
		return nil
	}); err != nil {
		return err
	}
	return answer
}

type crashCursors struct {
	project.Cursors
	c *crasher
}

func (s crashCursors) SaveCursor(ctx context.Context, name string, position int64) error {
	return s.c.step(func() error { return s.Cursors.SaveCursor(ctx, name, position) })
}

type crashSheet struct {
	project.Sheet
	c *crasher
}

func (s crashSheet) Park(ctx context.Context, parked []project.Parked) error {
	return s.c.step(func() error { return s.Sheet.Park(ctx, parked) })
}

func (s crashSheet) Unpark(ctx context.Context, gateway, boot string, upto int64) error {
	return s.c.step(func() error { return s.Sheet.Unpark(ctx, gateway, boot, upto) })
}

func (s crashSheet) SaveRefused(ctx context.Context, refused []history.Rejected, at time.Time) error {
	return s.c.step(func() error { return s.Sheet.SaveRefused(ctx, refused, at) })
}

// Wherever a redraw ends, the history in use is whole all the time, and the next run brings it to its end.
func TestRedraw_EndedAnywhereLosesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine generation.Engine) {
		c := newCoop(t, engine)
		c.season(1)
		c.lead()
		want := c.digest()
		refused, undated := c.kept()
		crashes := 0
		for _, after := range []bool{false, true} {
			for n := 1; ; n++ {
				crash := &crasher{left: n, after: after}
				o := c.options()
				o.Book, o.Engine, o.Cursors = crashBook{c.db, crash}, crashEngine{engine, crash}, crashCursors{c.db, crash}
				o.Sheet = func(g int64) project.Sheet { return crashSheet{c.db.Sheet(g), crash} }
				_, err := generation.Redraw(t.Context(), o)
				if !crash.dead {
					if err != nil {
						t.Fatal(err)
					}
					break
				}
				crashes++
				if !errors.Is(err, errCrash) {
					t.Fatalf("ended at step %d: %v", n, err)
				}
				c.lead()
				if got := c.digest(); got != want {
					t.Fatalf("ended at step %d (after: %t): the history in use is %+v, want %+v", n, after, got, want)
				}
				if n%2 == 0 {
					continue // the next run goes on with what several left
				}
				c.redraw()
				c.lead()
				if got := c.digest(); got != want {
					t.Fatalf("ended at step %d (after: %t), and gone on with: %+v, want %+v", n, after, got, want)
				}
				if a, b := c.kept(); a != refused || b != undated {
					t.Fatalf("ended at step %d, and gone on with: %d refused, %d undated", n, a, b)
				}
			}
		}
		t.Logf("ended at %d steps", crashes)
		if crashes < 20 {
			t.Errorf("only %d steps", crashes)
		}
		// What runs left behind is tidied away.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := generation.Tidy(ctx, c.db, engine, func() time.Time { return time.Now().Add(time.Hour) }, o(c).Log); err != nil {
			t.Fatal(err)
		}
	})
}

func o(c *coop) *generation.RedrawOptions {
	o := c.options()
	return &o
}
