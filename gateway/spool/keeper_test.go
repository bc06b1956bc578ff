package spool_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"aovuon/gateway/spool"
)

// TestKeeper_InterruptedOpeningIsNoFailedDisk: a program told to stop while it opens its spool still writes its last
// readings.
func TestKeeper_InterruptedOpeningIsNoFailedDisk(t *testing.T) {
	k := spool.NewKeeper(filepath.Join(t.TempDir(), "spool.db"), 0, time.Now, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		if err := k.Add(stopped, [][]byte{{1}}); !errors.Is(err, context.Canceled) {
			t.Fatalf("Add = %v", err)
		}
	}
	if err := k.Add(t.Context(), [][]byte{{1}}); err != nil {
		t.Errorf("the last readings: %v", err)
	}
}
