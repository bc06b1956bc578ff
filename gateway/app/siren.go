package app

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// mayStart reports why a version of desired settings may not have the sirens sound, nil when it may or does not ask for it: what the server
// signed must itself say that it ends soon, and here must be a clock to end it by.
func mayStart(d wire.Desired, cfg *Config, now measure.Instant) error {
	end := cfg.Siren.End()
	switch length := end.Sub(d.Time); {
	case end.IsZero() || length <= 0: // over when the version was made
		return nil
	case length > edge.MaxSound:
		return fmt.Errorf("siren.until is %v after the server made this version: at most %v", length.Round(time.Second), edge.MaxSound)
	case !slices.ContainsFunc(cfg.Alarms, func(a edge.Alarm) bool { return a.Siren != nil }):
		return errors.New("siren.until: no alarm of this gateway has a siren")
	case now.Clock == measure.Unsynced:
		return errors.New("siren.until: this gateway does not know what time it is, and could not end the siren")
	case cfg.Siren.Left(now) == 0:
		return fmt.Errorf("siren.until is over, or this gateway's clock is wrong: it says %s", now.Wall.UTC().Format(time.RFC3339))
	}
	return nil
}
