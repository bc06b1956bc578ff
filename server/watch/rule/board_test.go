package rule_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"aovuon/server/watch/rule"
)

type fixed struct {
	decisions []rule.Decision
	err       error
}

func (fixed) ID() string                                                   { return "fixed" }
func (fixed) Inputs() []rule.Input                                         { return nil }
func (fixed) Window() time.Duration                                        { return 0 }
func (f fixed) Decide(context.Context, time.Time) ([]rule.Decision, error) { return f.decisions, f.err }

func TestBoard_WhatHasRunOutIsNotGood(t *testing.T) {
	at := time.Date(2026, 7, 1, 17, 0, 0, 0, time.UTC)
	b := rule.NewBoard()
	d := rule.Decision{Rule: "fixed", Place: "A", Topic: "x", Verdict: rule.Calm, At: at, Until: at.Add(time.Hour), Why: []rule.Reason{rule.Because("fine")}}
	rule.Look(t.Context(), b, fixed{decisions: []rule.Decision{d}}, at, slog.New(slog.DiscardHandler))
	if got := b.Decisions("A", at.Add(time.Hour)); len(got) != 1 || got[0].Verdict != rule.Calm {
		t.Fatalf("within its time: %+v", got)
	}
	if got := b.Decisions("A", at.Add(time.Hour+1)); got[0].Verdict != rule.Unknown || got[0].Why[0].Key != "outdated" {
		t.Errorf("after it: %+v", got)
	}
	broken := errors.New("no history")
	rule.Look(t.Context(), b, fixed{err: broken}, at.Add(time.Minute), slog.New(slog.DiscardHandler))
	rule.Look(t.Context(), b, fixed{err: broken}, at.Add(2*time.Minute), slog.New(slog.DiscardHandler))
	if got := b.Blinds(); len(got) != 1 || got[0].Since != at.Add(time.Minute) || !errors.Is(got[0].Err, broken) {
		t.Errorf("blind since the first time: %+v", got)
	}
	rule.Look(t.Context(), b, fixed{decisions: []rule.Decision{d}}, at, slog.New(slog.DiscardHandler))
	if got := b.Blinds(); len(got) != 0 {
		t.Errorf("sees again: %+v", got)
	}
}

func TestBoard_TheMostUrgentStandsFirst(t *testing.T) {
	at := time.Date(2026, 7, 1, 17, 0, 0, 0, time.UTC)
	b := rule.NewBoard()
	for _, v := range []rule.Verdict{rule.Calm, rule.Unknown, rule.Crit, rule.Notice, rule.Warn} {
		b.Put(string(v), []rule.Decision{{Rule: string(v), Place: "A", Topic: "x", Verdict: v, At: at}})
	}
	var got []rule.Verdict
	for _, d := range b.Decisions("", at) {
		got = append(got, d.Verdict)
	}
	want := []rule.Verdict{rule.Crit, rule.Warn, rule.Unknown, rule.Notice, rule.Calm}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

type faulty struct{ fixed }

func (faulty) Decide(_ context.Context, at time.Time) ([]rule.Decision, error) {
	none := []int{}
	return nil, fmt.Errorf("%d", none[at.Year()])
}

// A rule with a fault of its own is blind; what looks after it still decides.
func TestLook_AFaultOfARuleIsItsBlindness(t *testing.T) {
	b, at := rule.NewBoard(), time.Date(2026, 7, 1, 17, 0, 0, 0, time.UTC)
	rule.Look(t.Context(), b, faulty{}, at, slog.New(slog.DiscardHandler))
	if got := b.Blinds(); len(got) != 1 || !strings.Contains(got[0].Err.Error(), "out of range") {
		t.Errorf("blind: %v", got)
	}
}
