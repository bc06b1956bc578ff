package app

import (
	"context"
	"testing"
	"time"

	"aovuon/server/history"
)

// What only a person can mend is told at once, an engine that is down after a while, and neither once it is over.
func TestHistoryWatch_TellsWhatLasts(t *testing.T) {
	var trouble string
	w := &historyWatch{state: func(context.Context) (string, error) { return trouble, nil }}
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		after   time.Duration
		trouble string
		tells   bool
	}{
		{0, "", false},
		{time.Minute, "project: history: " + history.ErrUnavailable.Error(), false},
		{9 * time.Minute, history.ErrUnavailable.Error(), false},
		{time.Minute, history.ErrUnavailable.Error(), true},
		{time.Minute, "", false},
		{time.Minute, history.ErrUnavailable.Error(), false},
		{time.Minute, "x: " + history.ErrConfiguration.Error() + ": 401", true},
		{time.Minute, "", false},
	} {
		now, trouble = now.Add(step.after), step.trouble
		if _, err := w.Look(t.Context(), now); (err != nil) != step.tells {
			t.Errorf("%s, %q: %v", now.Format(time.TimeOnly), trouble, err)
		}
	}
}
