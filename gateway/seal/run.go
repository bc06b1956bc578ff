package seal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

// finish bounds the last commit after the program was told to stop.
const finish = 10 * time.Second

// Run commits and seals until ctx is done; then it commits and seals what is left and returns nil. A failing disk is
// tried again for ever; only a spool of a later program (spool.ErrNewer) ends Run.
func (s *Sealer) Run(ctx context.Context) error {
	commit := time.NewTicker(s.opts.CommitEvery)
	defer commit.Stop()
	seal := time.NewTimer(0) // what a former run committed is sealed at once
	defer seal.Stop()
	for {
		var adding, sealing error
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finish)
			defer cancel()
			if err := s.Flush(last); err != nil {
				return fmt.Errorf("seal: the last readings: %w", err)
			}
			return nil
		case <-commit.C:
			signal(s.wake)
		case <-s.wake:
			if adding = s.commit(ctx); sealable(adding) && s.due() {
				sealing = s.sealAll(ctx)
				seal.Reset(s.interval())
			}
		case <-seal.C:
			if adding = s.commit(ctx); sealable(adding) {
				sealing = s.sealAll(ctx)
			}
			seal.Reset(s.interval())
		}
		err := errors.Join(adding, sealing)
		if errors.Is(err, spool.ErrNewer) {
			return fmt.Errorf("seal: %w", err)
		}
		told := sealing == nil && s.Health().Err != nil // a failing Add is told once, by committed
		if err != nil && ctx.Err() == nil && !told {
			s.opts.Log.Error("readings wait to be sealed", slog.Any("err", err))
		}
	}
}

// interval is how long until the next batch.
func (s *Sealer) interval() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link {
		return s.opts.Every
	}
	return s.opts.OfflineEvery
}

// due reports whether what is committed fills a batch, or somebody waits for it: the link just came up, or SealNow.
func (s *Sealer) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := s.linkCame || s.urgent
	s.linkCame, s.urgent = false, false
	return wanted || s.unsealed >= roomy
}

// Flush commits and seals everything, now. On a full disk it seals what was committed before, and returns spool.ErrFull
// all the same: the newest readings are in memory still.
func (s *Sealer) Flush(ctx context.Context) error {
	err := s.commit(ctx)
	if sealable(err) {
		err = errors.Join(err, s.sealAll(ctx))
	}
	return err
}

// sealable reports whether what was committed is sealed after this answer of Add. On a full disk it must be: only what is
// sealed can be sent, and only what the server has makes room again. The spool keeps a reserve for it.
func sealable(add error) bool { return add == nil || errors.Is(add, spool.ErrFull) }

// commit writes the buffer to the store. What the store does not take goes back to the front of the buffer.
func (s *Sealer) commit(ctx context.Context) error {
	s.work.Lock()
	defer s.work.Unlock()
	for {
		items, gap := s.takeItems()
		if len(items) == 0 {
			return nil
		}
		raw := make([][]byte, 0, len(items)+1)
		size := 0
		if gap.Lost > 0 {
			b, err := gapRecord(gapBetween(gap.From, gap.To, gap.Reason, gap.Lost)).encode()
			if err != nil {
				return fmt.Errorf("gap of lost readings: %w", err)
			}
			raw = append(raw, b)
		}
		for _, it := range items {
			raw = append(raw, it.raw)
			size += len(it.raw)
		}
		err := s.add(ctx, raw)
		s.committed(items, gap, size, err)
		if err != nil {
			return err
		}
	}
}

// add gives records to the store, and makes room for them where it is full. A disk that others filled is often emptied
// again: for that one, room is made only when memory is half full.
func (s *Sealer) add(ctx context.Context, raw [][]byte) error {
	err := s.store.Add(ctx, raw)
	scarce := errors.Is(err, spool.ErrFull) && s.Health().Buffered >= s.opts.RAM/2
	if !errors.Is(err, spool.ErrQuota) && !scarce {
		return err
	}
	if room, bad := s.makeRoom(ctx, err); bad != nil || !room {
		return errors.Join(err, bad)
	}
	return s.store.Add(ctx, raw)
}

func (s *Sealer) takeItems() ([]item, wire.Gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.buf), wire.MaxRecords)
	items, gap := s.buf[:n:n], s.dropped
	s.buf, s.dropped = s.buf[n:], wire.Gap{}
	return items, gap
}

func (s *Sealer) committed(items []item, gap wire.Gap, size int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if (s.health.Err == nil) != (err == nil) {
		if err != nil {
			s.opts.Log.Error("the disk does not take readings", slog.Any("err", err))
		} else {
			s.opts.Log.Info("the disk takes readings again", slog.Uint64("dropped", s.health.Dropped))
		}
	}
	s.health.Err = err
	if err == nil {
		s.unsealed += size
		return
	}
	s.buf = append(items, s.buf...)
	if gap.Lost > 0 {
		if s.dropped.Lost > 0 {
			gap.To = s.dropped.To
			gap.Lost += s.dropped.Lost
		}
		s.dropped = gap
	}
	s.trim()
}

// sealAll seals everything committed.
func (s *Sealer) sealAll(ctx context.Context) error {
	s.work.Lock()
	defer s.work.Unlock()
	return s.sealAllLocked(ctx)
}

func (s *Sealer) sealAllLocked(ctx context.Context) error {
	s.mu.Lock()
	s.held = false
	s.mu.Unlock()
	for some := false; ; some = true {
		n, err := s.store.Seal(ctx, wire.MaxRecords, s.build)
		if errors.Is(err, spool.ErrAside) {
			if err := s.salvage(ctx, err); err != nil {
				return err
			}
			continue
		}
		if n == 0 || err != nil {
			if some {
				signal(s.sealed)
			}
			if err == nil {
				s.mu.Lock()
				s.unsealed = 0
				s.mu.Unlock()
			}
			return err
		}
	}
}
