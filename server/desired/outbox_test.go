package desired_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/wire"
	"aovuon/server/desired"
)

// shelf is a Store in memory.
type shelf struct {
	mu       sync.Mutex
	revision int
	open     []desired.Wanted
	fail     bool
	sent     []string
}

func (s *shelf) WantedRevision(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail {
		return "", errors.New("database is gone")
	}
	return fmt.Sprint(s.revision), nil
}

func (s *shelf) Unanswered(context.Context) ([]desired.Wanted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail {
		return nil, errors.New("database is gone")
	}
	return s.open, nil
}

func (s *shelf) send(gateway, leaf string, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if leaf != wire.LeafDesired {
		return fmt.Errorf("leaf %q", leaf)
	}
	s.sent = append(s.sent, gateway+" "+string(payload))
	return nil
}

func (s *shelf) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func TestOutbox_SendsUntilAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		o := desired.NewOutbox(s, s.send, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- o.Run(ctx) }()
		want := func(what string, after time.Duration, sent ...string) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			s.do(func() {
				if d := cmp.Diff(sent, s.sent); d != "" {
					t.Errorf("%s: %s", what, d)
				}
				s.sent = nil
			})
		}
		want("nothing wanted", 30*time.Second+time.Millisecond)
		s.do(func() {
			s.revision++
			s.open = []desired.Wanted{{Gateway: "gw-one", Version: 1, Note: []byte("a")}, {Gateway: "gw-two", Version: 1, Note: []byte("b")}}
		})
		want("asked for", time.Second, "gw-one a", "gw-two b")
		o.Online("gw-two")
		want("came online", 0, "gw-two b")
		s.do(func() { s.fail = true })
		o.Online("gw-one")
		want("database gone", 10*time.Second)
		s.do(func() { s.fail, s.open = false, s.open[:1] })
		want("again, to the one that has not answered", time.Minute, "gw-one a")
		for range 5000 { // more than it can remember must not block whoever tells it
			o.Online("gw-six")
		}
		want("nothing for a stranger", time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
