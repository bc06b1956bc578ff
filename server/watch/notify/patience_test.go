package notify

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"aovuon/server/watch/rule"
)

func TestFailed_TriesAgainThenTheNextWayThenForGood(t *testing.T) {
	now := at(2, 0)
	busy := errors.New("451 busy")
	for _, c := range []struct {
		name     string
		m        Message
		err      error
		other    bool
		state    Delivery
		pause    time.Duration
		attempts int
	}{
		{"first of crit", Message{Kind: Opened, Level: rule.Crit}, busy, true, Waiting, 2 * time.Second, 1},
		{"third of crit", Message{Kind: Opened, Level: rule.Crit}, busy, true, Waiting, 30 * time.Second, 3},
		{"fourth of crit", Message{Kind: Opened, Level: rule.Crit}, busy, true, Failed, 0, 4},
		{"fourth, no other way", Message{Kind: Opened, Level: rule.Crit}, busy, false, Waiting, time.Minute, 4},
		{"hundredth, no other way", Message{Kind: Opened, Level: rule.Crit}, busy, false, Waiting, 5 * time.Minute, 100},
		{"first of a warning", Message{Kind: Opened, Level: rule.Warn}, busy, true, Waiting, 30 * time.Second, 1},
		{"fifth of a warning", Message{Kind: Opened, Level: rule.Warn}, busy, true, Failed, 0, 5},
		{"no such address", Message{Kind: Opened, Level: rule.Crit}, fmt.Errorf("550: %w", ErrPermanent), false, Failed, 0, 1},
		{"gone", Message{Kind: Opened, Level: rule.Crit}, fmt.Errorf("410: %w", ErrGone), false, Failed, 0, 1},
		{"asked for patience", Message{Kind: Opened, Level: rule.Crit}, &RetryError{20 * time.Second, busy}, true, Waiting, 20 * time.Second, 1},
		{"asked for too much", Message{Kind: Opened, Level: rule.Crit}, &RetryError{2 * time.Minute, busy}, true, Failed, 0, 1},
		{"nowhere else to go", Message{Kind: Opened, Level: rule.Crit}, &RetryError{2 * time.Minute, busy}, false, Waiting, 2 * time.Minute, 1},
		{"a test", Message{Kind: Test}, busy, true, Failed, 0, 1},
		{"too late", Message{Kind: Reminder, Level: rule.Crit, Expires: now.Add(time.Second)}, busy, false, Failed, 0, 1},
	} {
		c.m.Attempts = c.attempts
		got := failed(c.m, c.err, c.other, now)
		if got.State != c.state || c.pause != 0 && !got.Next.Equal(now.Add(c.pause)) || got.Err == "" || (got.State == Failed) != got.Done.Equal(now) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestFailed_ALongErrorIsCutAtACharacter(t *testing.T) {
	m := failed(Message{Kind: Opened, Attempts: 1}, errors.New(strings.Repeat("ệ", 500)), false, at(1, 0))
	if len(m.Err) > 310 || !strings.HasSuffix(m.Err, "ệ…") {
		t.Errorf("%d %q", len(m.Err), m.Err[len(m.Err)-10:])
	}
}

func TestDigits_OneNumberHoweverItIsWritten(t *testing.T) {
	for _, s := range []string{"0912 345 678", "+84 912 345 678", "84912345678", "+84912345678", "0912.345.678"} {
		if got := Digits(s); got != "84912345678" {
			t.Errorf("%s: %s", s, got)
		}
	}
}
