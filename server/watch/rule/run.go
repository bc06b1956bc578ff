package rule

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// Patience is how long one rule may look; a store that does not answer makes it blind.
const Patience = 30 * time.Second

// Run lets rules decide every so often, at once at the start, until ctx ends. One rule that is blind or slow holds up no other for longer
// than Patience.
func Run(ctx context.Context, board *Board, rules []Rule, every time.Duration, now func() time.Time, log *slog.Logger) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		for _, r := range rules {
			Look(ctx, board, r, now(), log)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Look lets one rule decide as of a moment.
func Look(ctx context.Context, board *Board, r Rule, at time.Time, log *slog.Logger) {
	limited, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	decisions, err := decide(limited, r, at)
	switch {
	case ctx.Err() != nil: // told to stop: that is no blindness
	case err != nil:
		log.Warn("a rule cannot look", slog.String("rule", r.ID()), slog.Any("err", err))
		board.Blind(r.ID(), at, err)
	default:
		board.Put(r.ID(), decisions)
	}
}

// decide asks a rule. One with a fault of its own is blind; it does not take down the server, and with it the watch of the oxygen.
func decide(ctx context.Context, r Rule, at time.Time) (out []Decision, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("rule %s: a fault of the program: %v\n%s", r.ID(), fault, debug.Stack())
		}
	}()
	return r.Decide(ctx, at)
}
