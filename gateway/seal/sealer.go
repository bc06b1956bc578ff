package seal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

// Store is the part of the spool the Sealer needs; see spool.Spool for what each promises.
type Store interface {
	Add(ctx context.Context, records [][]byte) error
	Seal(ctx context.Context, limit int, f func(next spool.Next, records [][]byte) (sealed []byte, used int, err error)) (n int, err error)
	Renew(ctx context.Context, f spool.Rescuer) (spool.Rescue, error)
	Salvage(ctx context.Context, f spool.Rescuer) (spool.Rescue, error)
	Thin(ctx context.Context, level int, target uint64, f spool.Thinner) (spool.Thinned, error)
}

// Options say who seals and how often. Zero durations and numbers take the defaults.
type Options struct {
	Gateway      string
	Signer       note.Signer
	CommitEvery  time.Duration          // a reading waits in memory no longer than this; default 2 s, at most 10 s
	CommitMax    int                    // nor while more than this many wait; default 100
	Every        time.Duration          // how often a batch is sealed while the link is up; default 30 s
	OfflineEvery time.Duration          // and while it is down; default 15 min
	RAM          int                    // readings kept in memory while the disk fails; default 20,000
	Ahead        int                    // batches that may wait for a receipt; what comes after them is not sealed yet and can be thinned; default 256
	Quota        uint64                 // bytes the spool may use, as it was told itself; default 500 MB
	Now          func() measure.Instant // the time now: it dates what a damaged spool lost
	Log          *slog.Logger
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.CommitEvery, 2*time.Second)
	def(&o.Every, 30*time.Second)
	def(&o.OfflineEvery, 15*time.Minute)
	if o.CommitMax <= 0 {
		o.CommitMax = 100
	}
	if o.RAM <= 0 {
		o.RAM = 20_000
	}
	if o.Ahead <= 0 {
		o.Ahead = 256
	}
	if o.Quota == 0 {
		o.Quota = 500_000_000
	}
	return o
}

// Health is how the Sealer is doing.
type Health struct {
	Err      error  // what the disk says; nil while it works
	Buffered int    // readings in memory, not committed yet
	Dropped  uint64 // readings lost since the start because memory was full while the disk failed
	Thinned  uint64 // readings thinned out since the start because the spool was full
}

// item is a record in memory.
type item struct {
	raw     []byte
	at      measure.Instant
	reading bool
}

// Sealer is a sense.Sink that commits readings to a Store and seals them into batches. Its methods may be called from
// several goroutines.
type Sealer struct {
	opts  Options
	store Store

	work sync.Mutex      // held while the store is written
	last measure.Instant // under work: the newest instant that was sealed; its Boot is empty before the first

	mu       sync.Mutex
	buf      []item
	dropped  wire.Gap // what was dropped since the last commit; Lost 0: nothing
	health   Health
	boot     string // of the newest reading
	clock    measure.ClockState
	unsealed int // bytes of records committed and not sealed
	link     bool
	linkCame bool
	urgent   bool // SealNow was asked for
	held     bool // as much is sealed as may be; the rest waits for receipts

	wake   chan struct{} // the buffer is full, or the link came up
	sealed chan struct{}
}

// New returns a Sealer that writes to store. It starts nothing: call Run.
func New(store Store, opts Options) *Sealer {
	return &Sealer{
		opts: opts.withDefaults(), store: store, clock: measure.Unsynced,
		wake: make(chan struct{}, 1), sealed: make(chan struct{}, 1),
	}
}

// Sealed receives a value after batches were sealed; several may be told at once.
func (s *Sealer) Sealed() <-chan struct{} { return s.sealed }

// Health returns how the Sealer is doing.
func (s *Sealer) Health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.health
	h.Buffered = len(s.buf)
	return h
}

// SetIntervals says how often batches are sealed from now on, with a link and without; the batch under way keeps its time.
func (s *Sealer) SetIntervals(every, offline time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Every, s.opts.OfflineEvery = every, offline
}

// SetLink says whether batches reach the server: it decides how often one is sealed. When the link comes up what is
// there is sealed at once. It is said again with every receipt, which may let more be sealed.
func (s *Sealer) SetLink(up bool) {
	s.mu.Lock()
	came := up && (!s.link || s.held)
	s.link = up
	s.linkCame = s.linkCame || came
	s.mu.Unlock()
	if came {
		signal(s.wake)
	}
}

// SealNow has what was taken so far committed and sealed at once: the server should know of an alarm now.
func (s *Sealer) SealNow() {
	s.mu.Lock()
	s.urgent = true
	s.mu.Unlock()
	signal(s.wake)
}

// Take implements sense.Sink: it keeps the readings in memory for at most CommitEvery, then they are on disk. A reading
// that could never stand in a batch is refused; the others are taken.
func (s *Sealer) Take(_ context.Context, readings []measure.Reading) error {
	var refused []error
	s.mu.Lock()
	for _, r := range readings {
		r.Time.Wall = r.Time.Wall.UTC()
		raw, err := readingRecord(r).encode()
		if err != nil {
			refused = append(refused, fmt.Errorf("seal: sensor %s: %w", r.Sensor, err))
			continue
		}
		s.anchor(r.Time)
		s.push(item{raw: raw, at: r.Time, reading: true})
	}
	full := len(s.buf) >= s.opts.CommitMax && s.health.Err == nil // while it fails the commit clock alone retries
	s.mu.Unlock()
	if full {
		signal(s.wake)
	}
	return errors.Join(refused...)
}

// TakeDocument keeps a document like a reading: in memory for at most CommitEvery, then on disk. A document that could
// never stand in a batch is refused.
func (s *Sealer) TakeDocument(_ context.Context, d wire.Document) error {
	d.Time.Wall = d.Time.Wall.UTC()
	raw, err := docRecord(d).encode()
	if err != nil {
		return fmt.Errorf("seal: document: %w", err)
	}
	s.mu.Lock()
	s.anchor(d.Time)
	s.push(item{raw: raw, at: d.Time})
	s.mu.Unlock()
	return nil
}

// anchor puts an anchor before the first reading of a boot that has a wall clock, and whenever the clock got better: the
// server dates the earlier readings of the boot with it.
func (s *Sealer) anchor(at measure.Instant) {
	better := at.Boot != s.boot || at.Clock < s.clock
	s.boot, s.clock = at.Boot, at.Clock
	if at.Clock == measure.Unsynced || !better {
		return
	}
	if raw, err := anchorRecord(at).encode(); err == nil {
		s.push(item{raw: raw, at: at})
	}
}

// push appends to the buffer; when memory is full the oldest reading goes and is remembered as a gap.
func (s *Sealer) push(it item) {
	s.buf = append(s.buf, it)
	s.trim()
}

func (s *Sealer) trim() {
	for len(s.buf) > s.opts.RAM {
		i := 0
		for i < len(s.buf)-1 && !s.buf[i].reading { // anchors and gaps are few and stay
			i++
		}
		at := s.buf[i].at
		if i == 0 {
			s.buf[0] = item{} // let go of its bytes
			s.buf = s.buf[1:]
		} else {
			s.buf = append(s.buf[:i], s.buf[i+1:]...)
		}
		if s.dropped.Lost == 0 {
			s.dropped = wire.Gap{From: at, Reason: wire.GapDiskFailed}
			if errors.Is(s.health.Err, spool.ErrFull) || errors.Is(s.health.Err, spool.ErrQuota) {
				s.dropped.Reason = wire.GapSpoolFull
			}
		}
		s.dropped.To = at
		s.dropped.Lost++
		s.health.Dropped++
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
