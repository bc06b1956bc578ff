package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrClosed says that the spool is not open, because it could not be opened yet or because the Keeper was closed.
var ErrClosed = errors.New("the spool is not open")

// Keeper keeps a spool open while its disk comes and goes: it opens it when it is first written, again after the disk was
// full, read-only or gone, and sets a corrupt file aside while the program works. Whoever adds and seals drives it: Add
// and Seal try to open, at most every second call, then every fourth, up to every sixteenth. Its methods may be called
// from several goroutines.
type Keeper struct {
	path  string
	now   func() time.Time
	quota uint64
	log   *slog.Logger

	mu     sync.RWMutex // held for writing while spool changes
	spool  *Spool       // nil while it is not open
	err    error        // why
	closed bool

	strikes int // times the file was found corrupt while it was used, and opened well again

	pace    sync.Mutex
	broken  bool // what is open is of no more use
	corrupt bool // because it is corrupt
	wait    int  // calls until the next attempt
	fails   int
}

// enough is how often a file may be found corrupt while it is used and still look well when it is opened.
const enough = 3

// NewKeeper returns a Keeper of the file at path that has opened nothing yet. now dates a corrupt file; quota is in bytes,
// see Spool.SetQuota.
func NewKeeper(path string, quota uint64, now func() time.Time, log *slog.Logger) *Keeper {
	return &Keeper{path: path, now: now, quota: quota, log: log}
}

// Open opens the spool unless it is open. Add and Seal do so by themselves; it is for those who want to know.
func (k *Keeper) Open(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.openLocked(ctx)
}

func (k *Keeper) openLocked(ctx context.Context) error {
	if k.closed {
		return ErrClosed
	}
	if k.spool != nil {
		return nil
	}
	var condemned error
	if k.strikes >= enough {
		condemned = fmt.Errorf("found corrupt %d times while it was used: %w", k.strikes, ErrCorrupt)
	}
	s, found, err := openUnless(ctx, k.path, k.now, condemned)
	if err != nil && ctx.Err() != nil {
		return err // who asked was told to stop: that says nothing of the disk
	}
	if err != nil {
		if k.err == nil || k.err.Error() != err.Error() {
			k.log.Error("the spool cannot be opened", slog.Any("err", err))
		}
		k.err = err
		return err
	}
	s.SetQuota(k.quota)
	k.spool, k.err = s, nil
	if condemned != nil {
		k.strikes = 0
	}
	if found.SetAside != "" {
		k.log.Error("a corrupt spool file is set aside", slog.String("file", found.SetAside), slog.String("reason", found.Reason))
	}
	k.log.Info("the spool is open", slog.String("file", k.path), slog.String("epoch", s.Epoch()), slog.Bool("new", found.Fresh))
	return nil
}

// ensure is called before what writes: it opens, or reopens what an error showed to be broken.
func (k *Keeper) ensure(ctx context.Context) error {
	k.pace.Lock()
	defer k.pace.Unlock()
	k.mu.RLock()
	good, err := k.spool != nil && !k.broken, k.err
	k.mu.RUnlock()
	if good {
		return nil
	}
	if k.wait > 0 {
		k.wait--
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	k.fails = min(k.fails+1, 4)
	k.wait = 1<<k.fails - 1
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.corrupt {
		k.strikes++
	}
	if k.broken && k.spool != nil {
		if err := k.spool.Close(); err != nil {
			k.log.Warn("the spool was closed badly", slog.Any("err", err))
		}
		k.spool = nil
	}
	k.broken, k.corrupt = false, false
	err = k.openLocked(ctx)
	if err == nil || ctx.Err() != nil {
		k.wait = 0 // an interrupted attempt is no failed one: the last readings are still to be written
	}
	return err
}

// with runs f on the open spool, and remembers when that turns out to be of no more use.
func (k *Keeper) with(f func(*Spool) error) error {
	err := k.read(f)
	if useless(err) {
		k.pace.Lock()
		k.broken = true
		k.corrupt = k.corrupt || errors.Is(err, ErrCorrupt)
		k.pace.Unlock()
	}
	return err
}

func (k *Keeper) read(f func(*Spool) error) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.spool == nil {
		if k.err != nil {
			return fmt.Errorf("%w: %w", ErrClosed, k.err)
		}
		return ErrClosed
	}
	return f(k.spool)
}

// drive is with for those who write: it opens first.
func (k *Keeper) drive(ctx context.Context, f func(*Spool) error) error {
	if err := k.ensure(ctx); err != nil {
		return err
	}
	err := k.with(f)
	if err == nil {
		k.pace.Lock()
		k.fails = 0
		k.pace.Unlock()
	}
	return err
}

// useless tells errors after which a file has to be opened again: it is corrupt, or was opened while the disk was
// read-only, or the disk is another one now.
func useless(err error) bool {
	if errors.Is(err, ErrCorrupt) {
		return true
	}
	var e *sqlite.Error
	if !errors.As(err, &e) { // that of no error too
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR:
		return true
	}
	return false
}

// Add is Spool.Add.
func (k *Keeper) Add(ctx context.Context, records [][]byte) error {
	return k.drive(ctx, func(s *Spool) error { return s.Add(ctx, records) })
}

// Seal is Spool.Seal.
func (k *Keeper) Seal(ctx context.Context, limit int, f func(next Next, records [][]byte) (sealed []byte, used int, err error)) (n int, err error) {
	err = k.drive(ctx, func(s *Spool) (err error) {
		n, err = s.Seal(ctx, limit, f)
		return err
	})
	return n, err
}

// Thin is Spool.Thin.
func (k *Keeper) Thin(ctx context.Context, level int, target uint64, f Thinner) (out Thinned, err error) {
	err = k.drive(ctx, func(s *Spool) (err error) {
		out, err = s.Thin(ctx, level, target, f)
		return err
	})
	return out, err
}

// Renew is Spool.Renew.
func (k *Keeper) Renew(ctx context.Context, f Rescuer) (out Rescue, err error) {
	err = k.drive(ctx, func(s *Spool) (err error) {
		out, err = s.Renew(ctx, f)
		return err
	})
	return out, err
}

// Salvage is Spool.Salvage.
func (k *Keeper) Salvage(ctx context.Context, f Rescuer) (out Rescue, err error) {
	err = k.drive(ctx, func(s *Spool) (err error) {
		out, err = s.Salvage(ctx, f)
		return err
	})
	return out, err
}

// After is Spool.After.
func (k *Keeper) After(ctx context.Context, epoch string, seq uint64, limit int) (out []Sealed, err error) {
	err = k.with(func(s *Spool) (err error) {
		out, err = s.After(ctx, epoch, seq, limit)
		return err
	})
	return out, err
}

// Release is Spool.Release.
func (k *Keeper) Release(ctx context.Context, epoch string, upto uint64) error {
	return k.with(func(s *Spool) error { return s.Release(ctx, epoch, upto) })
}

// Stats is Spool.Stats.
func (k *Keeper) Stats(ctx context.Context) (out Stats, err error) {
	err = k.with(func(s *Spool) (err error) {
		out, err = s.Stats(ctx)
		return err
	})
	return out, err
}

// SetQuota is Spool.SetQuota, also for when it is opened again.
func (k *Keeper) SetQuota(bytes uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.quota = bytes
	if k.spool != nil {
		k.spool.SetQuota(bytes)
	}
}

// Close closes the spool, if it is open.
func (k *Keeper) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	if k.spool == nil {
		return nil
	}
	err := k.spool.Close()
	k.spool = nil
	return err
}
