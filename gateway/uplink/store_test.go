package uplink_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aovuon/gateway/spool"
	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// sick is a spool whose disk can fail.
type sick struct {
	*spool.Spool
	ill atomic.Bool
}

var errDisk = errors.New("the disk is gone")

func (s *sick) Stats(ctx context.Context) (spool.Stats, error) {
	if s.ill.Load() {
		return spool.Stats{}, errDisk
	}
	return s.Spool.Stats(ctx)
}

func (s *sick) After(ctx context.Context, epoch string, seq uint64, limit int) ([]spool.Sealed, error) {
	if s.ill.Load() {
		return nil, errDisk
	}
	return s.Spool.After(ctx, epoch, seq, limit)
}

func (s *sick) Release(ctx context.Context, epoch string, upto uint64) error {
	if s.ill.Load() {
		return errDisk
	}
	return s.Spool.Release(ctx, epoch, upto)
}

// TestUplink_ADiskThatFailsIsToldAndWaitedFor: the connection stays, so that the server hears what is wrong; and a receipt
// that came meanwhile counts when the disk is back.
func TestUplink_ADiskThatFailsIsToldAndWaitedFor(t *testing.T) {
	_, r, f, o := setup(t)
	store := &sick{Spool: f.spool}
	store.ill.Store(true)
	o.DiskRetry, o.ReceiptTimeout = 10*time.Millisecond, time.Minute
	o.Status = func(ctx context.Context) wire.Status {
		if _, err := store.Stats(ctx); err != nil {
			return wire.Status{Health: "disk: " + err.Error()}
		}
		return wire.Status{Health: "ok"}
	}
	up := uplink.New(store, o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- up.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	if s := <-r.statusC; s.State != wire.Online || !strings.Contains(s.Health, "the disk is gone") {
		t.Errorf("status %+v", s)
	}
	f.batches(3, 2)
	store.ill.Store(false)
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	// It fails again just when the receipt comes.
	fail := func(c wire.Receipt, send func(wire.Receipt)) {
		store.ill.Store(true)
		send(c)
	}
	r.mangle.Store(&fail)
	f.batches(1, 2)
	parttest.Await(t, "the batch arrived", func() bool { return len(r.got()) == 8 })
	store.ill.Store(false)
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	r.check(8)
	if c := up.Counters(); c.Sessions != 1 {
		t.Errorf("%+v", c)
	}
}

// TestUplink_AnEpochThatBeginsMeanwhileIsFollowed in the same connection: the sealer set a corrupt file aside.
func TestUplink_AnEpochThatBeginsMeanwhileIsFollowed(t *testing.T) {
	_, r, f, o := setup(t)
	o.ReceiptTimeout = time.Minute
	up, _ := f.start(o)
	f.batches(5, 2)
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	old := f.spool.Epoch()
	if err := f.sealer.Renew(t.Context(), spool.ErrCorrupt, f.now()); err != nil {
		t.Fatal(err)
	}
	f.batches(2, 2)
	parttest.Await(t, "the spool is empty", func() bool { st := f.stats(); return st.Sealed == 0 && st.Epoch != old })
	r.check(14)
	if c := up.Counters(); c.Sessions != 1 || c.Published != 7 {
		t.Errorf("%+v", c)
	}
}
