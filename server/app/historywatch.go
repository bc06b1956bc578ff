package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"aovuon/server/history"
	"aovuon/server/watch/alarm"
)

// historyPatience is how long the history may be behind because its engine is down before somebody is called: live values and alarms do not need it.
const historyPatience = 10 * time.Minute

// historyWatch calls a person when the history takes nothing: at once where only a person can mend it (401, 403, 404), later where it may come back.
type historyWatch struct {
	state func(ctx context.Context) (trouble string, err error)
	since time.Time // zero: it takes what comes
}

var _ alarm.Looker = (*historyWatch)(nil)

// ID implements alarm.Looker: its alarm is watch_history.
func (*historyWatch) ID() string { return alarm.HistoryID }

// Look implements alarm.Looker. It has no findings of its own: that it fails is one.
func (w *historyWatch) Look(ctx context.Context, now time.Time) ([]alarm.Finding, error) {
	trouble, err := w.state(ctx)
	if err != nil {
		return nil, err
	}
	if trouble == "" {
		w.since = time.Time{}
		return nil, nil
	}
	if w.since.IsZero() {
		w.since = now
	}
	if strings.Contains(trouble, history.ErrConfiguration.Error()) || now.Sub(w.since) >= historyPatience {
		return nil, errors.New(trouble)
	}
	return nil, nil
}

// historyState says why the history takes nothing, of whichever process draws it; empty while it takes.
func (s *running) historyState(ctx context.Context) (string, error) {
	p, ok := reported(s.all(ctx), leaseHistory)
	if !ok {
		return "", nil // between two leaders; that nobody leads is the lease's to tell
	}
	return p.Err, nil
}
