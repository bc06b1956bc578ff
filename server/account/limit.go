package account

import (
	"context"
	"sync"
	"time"
)

// Failures holds back whoever fails again and again. After free failures of a key each further one doubles the wait, up to most; a wait
// ends by itself, and what is tried while it lasts counts for nothing, so nobody is kept out for good. The counts outlive the process: they are
// kept in a Tally, too, under names that tell nobody what they are of.
type Failures struct {
	free  int
	most  time.Duration
	now   func() time.Time
	tally Tally
	name  func(key string) [32]byte
	// shared: others keep counts in the same tally, so that one is asked each time. Two that count at the same moment may count once.
	shared bool

	mu   sync.Mutex
	keys map[[32]byte]Count
}

// Count is how often something failed, and what follows from it.
type Count struct {
	N     int
	Until time.Time // nothing is tried before
	Last  time.Time
}

// Counts that have been quiet for so long are forgotten; and there are never more of them in memory than maxKeys.
const (
	ForgetFailures = time.Hour
	maxKeys        = 100_000
)

// NewFailures returns a counter of failures.
func NewFailures(free int, most time.Duration, now func() time.Time, tally Tally, name func(string) [32]byte) *Failures {
	return &Failures{free: free, most: most, now: now, tally: tally, name: name, keys: map[[32]byte]Count{}}
}

// count returns the count of a key; the lock is held.
func (f *Failures) count(ctx context.Context, at [32]byte) (Count, error) {
	c, ok := f.keys[at]
	if !ok || f.shared {
		var err error
		if c, err = f.tally.CountOf(ctx, at[:]); err != nil {
			return Count{}, err
		}
	}
	if f.now().Sub(c.Last) > ForgetFailures {
		c = Count{}
	}
	return c, nil
}

// keep puts a count where it is found again; the lock is held.
func (f *Failures) keep(ctx context.Context, at [32]byte, c Count) error {
	if _, ok := f.keys[at]; !ok && len(f.keys) >= maxKeys {
		f.forget(f.now())
	}
	f.keys[at] = c
	return f.tally.KeepCount(ctx, at[:], c)
}

// Wait returns how long a key has to wait still.
func (f *Failures) Wait(ctx context.Context, key string) (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := f.count(ctx, f.name(key))
	return max(0, c.Until.Sub(f.now())), err
}

// Failed counts a failure, and returns until when the key has to wait for it; zero: it has not.
func (f *Failures) Failed(ctx context.Context, key string) (until time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.name(key)
	c, err := f.count(ctx, at)
	if err != nil {
		return time.Time{}, err
	}
	now := f.now()
	c.N, c.Last = c.N+1, now
	if over := c.N - f.free; over > 0 {
		until = now.Add(min(f.most, time.Second<<min(over-1, 20)))
		c.Until = until
	}
	return until, f.keep(ctx, at, c)
}

// Undo takes back one failure of a key, which was none after all, and the wait that came of it alone.
func (f *Failures) Undo(ctx context.Context, key string, until time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.name(key)
	c, err := f.count(ctx, at)
	if err != nil || c.N == 0 {
		return err
	}
	if c.N--; c.N <= f.free || c.Until.UnixMilli() == until.UnixMilli() {
		c.Until = time.Time{}
	}
	return f.keep(ctx, at, c)
}

// Good forgets the failures of a key.
func (f *Failures) Good(ctx context.Context, key string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.name(key)
	delete(f.keys, at)
	return f.tally.KeepCount(ctx, at[:], Count{})
}

// forget makes room: what is old goes, and if nothing is, half of the rest. The tally has them still.
func (f *Failures) forget(now time.Time) {
	for at, c := range f.keys {
		if now.Sub(c.Last) > ForgetFailures {
			delete(f.keys, at)
		}
	}
	for at := range f.keys {
		if len(f.keys) <= maxKeys/2 {
			return
		}
		delete(f.keys, at)
	}
}

// Bucket lets each key do something burst times at once, and then once every period.
type Bucket struct {
	burst float64
	every time.Duration
	now   func() time.Time

	mu   sync.Mutex
	keys map[string]level
}

type level struct {
	tokens float64
	at     time.Time
}

// NewBucket returns a bucket.
func NewBucket(burst int, every time.Duration, now func() time.Time) *Bucket {
	return &Bucket{burst: float64(burst), every: every, now: now, keys: map[string]level{}}
}

// Take takes one token of a key; false: there is none now.
func (b *Bucket) Take(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	l, ok := b.keys[key]
	if !ok {
		if len(b.keys) >= maxKeys {
			b.forget(now)
		}
		l = level{tokens: b.burst, at: now}
	}
	l.tokens = min(b.burst, l.tokens+max(0, now.Sub(l.at).Seconds())/b.every.Seconds())
	l.at = now
	took := l.tokens >= 1
	if took {
		l.tokens--
	}
	b.keys[key] = l
	return took
}

// forget drops the keys that are full again; if there are none, half of all.
func (b *Bucket) forget(now time.Time) {
	full := time.Duration(b.burst) * b.every
	for key, l := range b.keys {
		if now.Sub(l.at) > full {
			delete(b.keys, key)
		}
	}
	for key := range b.keys {
		if len(b.keys) <= maxKeys/2 {
			return
		}
		delete(b.keys, key)
	}
}
