package seal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/seal"
	"aovuon/gateway/spool"
	"aovuon/server/parttest"
)

// TestSealer_FullDiskStillSealsWhatIsCommitted: sealing and sending is what makes room again.
func TestSealer_FullDiskStillSealsWhatIsCommitted(t *testing.T) {
	r := newRig(t, seal.Options{})
	r.take(reading(synced(0), 5))
	ctx, cancel := context.WithCancel(t.Context())
	r.store.afterAdd = cancel // committed, and the power of the first flush ends before it seals
	if err := r.sealer.Flush(ctx); err == nil {
		t.Fatal("sealed already")
	}
	full := fmt.Errorf("spool: add: %w", spool.ErrFull)
	r.store.err.Store(&full)
	r.take(reading(synced(1), 6))
	if err := r.sealer.Flush(t.Context()); !errors.Is(err, spool.ErrFull) {
		t.Errorf("flush = %v", err)
	}
	if diff := cmp.Diff([]float64{5}, values(r.batches())); diff != "" {
		t.Error(diff)
	}
}

// TestSealer_RunSealsOnAFullDisk: at the start, and when the link comes, which is when what is sealed can be sent.
func TestSealer_RunSealsOnAFullDisk(t *testing.T) {
	r := newRig(t, seal.Options{CommitEvery: 10 * time.Millisecond, Every: time.Hour, OfflineEvery: time.Hour})
	r.take(reading(synced(0), 1))
	ctx, stop := context.WithCancel(t.Context())
	r.store.afterAdd = stop
	if err := r.sealer.Flush(ctx); err == nil {
		t.Fatal("sealed already")
	}
	full := fmt.Errorf("spool: add: %w", spool.ErrFull)
	r.store.err.Store(&full)
	r.take(reading(synced(1), 2))

	ctx, stop = context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.sealer.Run(ctx) }()
	parttest.Await(t, "sealed at the start", func() bool { return r.stats().Sealed == 1 })
	r.store.err.Store(nil)
	parttest.Await(t, "there is room again", func() bool { return r.sealer.Health().Buffered == 0 })
	r.store.err.Store(&full)
	r.take(reading(synced(2), 3))
	r.sealer.SetLink(true)
	parttest.Await(t, "sealed when the link came", func() bool { return r.stats().Pending == 0 })
	if h := r.sealer.Health(); !errors.Is(h.Err, spool.ErrFull) || h.Buffered != 1 {
		t.Errorf("health %+v", h)
	}
	r.store.err.Store(nil)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]float64{1, 2, 3}, values(r.batches())); diff != "" {
		t.Error(diff)
	}
}
