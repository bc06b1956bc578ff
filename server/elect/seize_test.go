package elect_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"aovuon/server/elect"
)

// What a person asks for begins when whoever led has stopped, runs alone, and then the line goes on.
func TestSeize_RunsAloneAndGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, s := newTable(), newStage()
		ctx, stop := context.WithCancel(t.Context())
		wg := inLine(ctx, t, d, s, "a", "b")
		time.Sleep(elect.TTL)
		err := elect.Seize(ctx, options(d, "command"), func(ctx context.Context) error {
			if on := s.now(); len(on) != 0 {
				t.Errorf("beside it work %v", on)
			}
			time.Sleep(10 * elect.TTL)
			if on := s.now(); len(on) != 0 || ctx.Err() != nil {
				t.Errorf("in the end beside it work %v, %v", on, ctx.Err())
			}
			f, ok := elect.FenceOf(ctx)
			if !ok || f.Holder != "command" || f.Term != 2 {
				t.Errorf("fence %+v", f)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(elect.TTL / 2)
		if on := s.now(); len(on) != 1 {
			t.Errorf("afterwards %v", on)
		}
		stop()
		wg.Wait()
	})
}

func TestSeize_LostIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTable()
		err := elect.Seize(t.Context(), options(d, "command"), func(ctx context.Context) error {
			if err := elect.Seize(t.Context(), options(d, "other"), func(context.Context) error { return nil }); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, elect.ErrLost) {
			t.Errorf("err %v", err)
		}
	})
}
