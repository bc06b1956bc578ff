package app

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aovuon/gateway/edge"
	"aovuon/gateway/health"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// links is a sink that keeps what is said of the link.
type links struct {
	mu   sync.Mutex
	said []float64
}

func (l *links) Take(_ context.Context, readings []measure.Reading) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range readings {
		if r.Quantity == measure.LinkUp {
			l.said = append(l.said, r.Value)
		}
	}
	return nil
}

// What was said last of a link that comes and goes is how it is, whoever said it: the round of health or the turn itself.
func TestSide_TellsOfALinkWhenItTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said, log := &links{}, slog.New(slog.DiscardHandler)
		clock := sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: true})
		s := &side{clock: clock, sink: said, log: log, rules: edge.NewRunner(edge.Options{Clock: clock, Log: log}), turned: make(chan struct{}, 1)}
		s.health = health.New(health.Options{Sensor: "gw-health", Root: t.TempDir(), Link: s.tellsLink})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.tellLink(ctx) }()
		turn := s.link(func(bool) {})
		want := func(what string, values ...float64) {
			t.Helper()
			synctest.Wait()
			said.mu.Lock()
			defer said.mu.Unlock()
			if !slices.Equal(said.said, values) {
				t.Errorf("%s: said %v; want %v", what, said.said, values)
			}
		}
		turn(false)
		want("no link at the start is nothing new")
		time.Sleep(linkEvery)
		turn(true)
		want("it came", 1)
		turn(false)
		if err := s.hand(ctx, s.health.Read(ctx, clock.Now())); err != nil { // the round of health comes while it is away
			t.Error(err)
		}
		turn(true)
		want("too soon after the last turn", 1, 0)
		time.Sleep(linkEvery)
		want("it is back", 1, 0, 1)
		turn(false)
		turn(true)
		time.Sleep(linkEvery)
		want("as it was", 1, 0, 1)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
