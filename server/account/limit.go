package account

import (
	"sync"
	"time"
)

// Failures holds back whoever fails again and again. After free failures of a key each further one doubles the wait, up to most; a wait
// ends by itself, and what is tried while it lasts counts for nothing, so nobody is kept out for good.
type Failures struct {
	free int
	most time.Duration
	now  func() time.Time

	mu   sync.Mutex
	keys map[string]*failed
}

type failed struct {
	n     int
	until time.Time
	last  time.Time
}

// Keys that have been quiet for so long are forgotten; and there are never more of them than maxKeys.
const (
	forgetAfter = time.Hour
	maxKeys     = 100_000
)

// NewFailures returns a counter of failures.
func NewFailures(free int, most time.Duration, now func() time.Time) *Failures {
	return &Failures{free: free, most: most, now: now, keys: map[string]*failed{}}
}

// Wait returns how long a key has to wait still.
func (f *Failures) Wait(key string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.keys[key]; k != nil {
		return max(0, k.until.Sub(f.now()))
	}
	return 0
}

// Failed counts a failure.
func (f *Failures) Failed(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	k := f.keys[key]
	if k == nil || now.Sub(k.last) > forgetAfter {
		if len(f.keys) >= maxKeys {
			f.forget(now)
		}
		k = &failed{}
		f.keys[key] = k
	}
	k.n, k.last = k.n+1, now
	if over := k.n - f.free; over > 0 {
		k.until = now.Add(min(f.most, time.Second<<min(over-1, 20)))
	}
}

// Undo takes back one failure of a key: it was none after all.
func (f *Failures) Undo(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.keys[key]; k != nil {
		if k.n--; k.n <= f.free {
			k.until = time.Time{}
		}
	}
}

// Good forgets the failures of a key.
func (f *Failures) Good(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.keys, key)
}

// forget makes room: what is old goes, and if nothing is, half of the rest.
func (f *Failures) forget(now time.Time) {
	for key, k := range f.keys {
		if now.Sub(k.last) > forgetAfter {
			delete(f.keys, key)
		}
	}
	for key := range f.keys {
		if len(f.keys) <= maxKeys/2 {
			return
		}
		delete(f.keys, key)
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
