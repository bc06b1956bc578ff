package alarm

import (
	"context"
	"fmt"
	"time"
)

// FollowID is the Looker of the projection that fills the windows.
const FollowID = "follow"

// HistoryID is the Looker of the history: whether it takes what comes.
const HistoryID = "history"

// followFor is how long the windows may be behind the log before nothing is said of silence any more.
const followFor = 30 * time.Second

// Follow watches that the windows follow the log: if they do not, it is the server that is blind and not the probes that are silent. It looks
// before the others.
type Follow struct {
	windows  *Windows
	position func() int64 // up to where the windows hold the log; -1: they are being filled
	end      func(ctx context.Context) (int64, error)

	was     int64     // an end of the log that was seen
	wasAt   time.Time // when
	reached bool      // the windows came up to it
}

// NewFollow returns the Looker.
func NewFollow(windows *Windows, position func() int64, end func(ctx context.Context) (int64, error)) *Follow {
	return &Follow{windows: windows, position: position, end: end}
}

// ID implements Looker.
func (*Follow) ID() string { return FollowID }

// Look implements Looker. It has no findings of its own: that it fails is one.
func (f *Follow) Look(ctx context.Context, now time.Time) ([]Finding, error) {
	end, err := f.end(ctx)
	if err != nil {
		f.windows.Behind(true)
		return nil, fmt.Errorf("alarm: end of the log: %w", err)
	}
	position := f.position()
	switch {
	case position >= 0 && (f.wasAt.IsZero() || position >= f.was): // every so often a new mark is set and must be reached
		f.reached = f.reached || !f.wasAt.IsZero() || position >= end
		f.was, f.wasAt = end, now
	case f.wasAt.IsZero():
		f.was, f.wasAt = end, now
	}
	late := !f.reached || position < f.was && now.Sub(f.wasAt) >= followFor
	f.windows.Behind(late)
	if position < 0 && now.Sub(f.wasAt) < followFor { // still filled from the log: blind, and nothing to call anybody for
		return nil, nil
	}
	if late {
		return nil, fmt.Errorf("alarm: the windows hold the log up to %d of %d", position, end)
	}
	return nil, nil
}
