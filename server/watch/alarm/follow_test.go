package alarm

import (
	"context"
	"testing"
	"time"
)

// A server that has just started is blind until the log is read, which is no failure; one that does not get on is.
func TestFollow_StartingIsNoFailure(t *testing.T) {
	windows, at := NewWindows(time.Hour), int64(-1)
	f := NewFollow(windows, func() int64 { return at }, func(context.Context) (int64, error) { return 7, nil })
	begin := time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		after    time.Duration
		position int64
		fails    bool
	}{{0, -1, false}, {10 * time.Second, -1, false}, {31 * time.Second, -1, true}, {40 * time.Second, 7, false}, {50 * time.Second, 7, false}} {
		at = step.position
		if _, err := f.Look(t.Context(), begin.Add(step.after)); (err != nil) != step.fails {
			t.Errorf("after %v at %d: %v", step.after, step.position, err)
		}
	}
}
