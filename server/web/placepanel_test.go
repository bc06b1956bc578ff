package web

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"aovuon/server/farm"
)

func TestPlacePanels_OneThatFailsSaysSoAndTheOthersStand(t *testing.T) {
	e, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{e: e, o: Options{Log: slog.New(slog.DiscardHandler)}}
	gives := func(data any, err error) func(context.Context, *words, placeAt) (any, error) {
		return func(context.Context, *words, placeAt) (any, error) { return data, err }
	}
	got := s.panelsOf(t.Context(), e.words[Vietnamese], placeAt{Place: farm.Place{Code: "F7NE3CDQ7"}}, []placePanel{
		{"gates", slotUrgent, gives(nil, errors.New("secret-dsn: refused"))},
		{"gates", slotToday, gives(nil, nil)},
		{"lots", slotToday, gives([]lotLine{{Place: "Ao 1"}}, nil)},
		{"no-such-template", slotSide, gives(1, nil)},
	})
	if len(got.Urgent) != 1 || len(got.Today) != 1 || len(got.Side) != 1 {
		t.Fatalf("%d, %d and %d panels, want one in each slot: the one without data is left out", len(got.Urgent), len(got.Today), len(got.Side))
	}
	if !strings.Contains(string(got.Today[0]), "Ao 1") {
		t.Errorf("the panel that stands: %s", got.Today[0])
	}
	for _, html := range []string{string(got.Urgent[0]), string(got.Side[0])} {
		if !strings.Contains(html, "chưa đọc được") || strings.Contains(html, "secret") {
			t.Errorf("a panel that failed says %q", html)
		}
	}
}
