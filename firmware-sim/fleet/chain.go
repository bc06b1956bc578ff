package fleet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

// chain is the spool of a gateway of the fleet: signed batches in memory, each naming the one before it. It implements
// uplink.Store. Batches are owed first and sealed when the uplink has room for them, so that a backlog of days costs no memory;
// once sealed, the bytes stay as they are until a receipt covers them.
type chain struct {
	gateway  string
	signer   note.Signer
	truth    Truth
	channels []channel
	size     int // readings in a batch
	tally    *tally
	now      func() time.Time

	mu       sync.Mutex
	boot     string
	present  epoch
	past     []epoch // given up in this run
	prev     wire.Hash
	waiting  []sealed // numbers present.released+1 to present.sealed
	owed     []spec
	lastRead int64 // ms since 1970, of the newest reading
}

// epoch is one numbering.
type epoch struct {
	id       string
	begun    uint64 // sealed before this run
	sealed   uint64
	released uint64 // receipted up to here
	sizes    []stretch
}

// stretch says that batches up to a number have so many readings each.
type stretch struct {
	upto     uint64
	readings int
}

// readings counts the readings of batches lo+1 to hi, as far as this run knows them.
func (e *epoch) readings(lo, hi uint64) (n int64) {
	for _, s := range e.sizes {
		if to := min(hi, s.upto); to > lo {
			n += int64(to-lo) * int64(s.readings)
			lo = to
		}
	}
	return n
}

func (e *epoch) grow(readings int) {
	e.sealed++
	if k := len(e.sizes); k > 0 && e.sizes[k-1].readings == readings {
		e.sizes[k-1].upto = e.sealed
		return
	}
	e.sizes = append(e.sizes, stretch{e.sealed, readings})
}

// sealed is a batch without a receipt.
type sealed struct {
	seq      uint64
	body     []byte
	readings int
	kind     kind
	due      time.Time // of a live batch
}

// kind is where a batch comes from.
type kind int

const (
	live    kind = iota // its time came in this run
	backlog             // it was due before this run
	carried             // sealed in an earlier run, which ended without its receipt
)

func newEpochID() (string, error) {
	var b [wire.MaxEpochLength / 2]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("fleet: new epoch: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// owe adds batches that the uplink shall send.
func (c *chain) owe(some ...spec) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = append(c.owed, some...)
}

// left is what has no receipt: sealed batches, and those that are only owed.
func (c *chain) left() (waiting, owed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting), len(c.owed)
}

// After implements uplink.Store.
func (c *chain) After(_ context.Context, id string, seq uint64, limit int) ([]spool.Sealed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id != c.present.id {
		return nil, spool.ErrEpoch
	}
	from := int(max(seq, c.present.released) - c.present.released)
	for len(c.waiting) < from+limit && len(c.owed) > 0 {
		if err := c.seal(c.owed[0]); err != nil {
			c.tally.fail(err)
			return nil, err
		}
		c.owed = c.owed[1:]
	}
	var out []spool.Sealed
	for _, s := range c.waiting[min(from, len(c.waiting)):min(from+limit, len(c.waiting))] {
		out = append(out, spool.Sealed{Epoch: id, Seq: s.seq, Body: s.body})
	}
	return out, nil
}

// seal makes the batch of s. c.mu is held.
func (c *chain) seal(s spec) error {
	readings, end, err := take(c.truth, c.channels, s, c.size, c.lastRead)
	if err != nil {
		return fmt.Errorf("fleet: readings of %s: %w", c.gateway, err)
	}
	b := &wire.Batch{Clock: measure.Synced, Boot: c.boot, Readings: readings}
	made := sealed{kind: live, due: s.due, readings: len(readings)}
	if s.due.IsZero() {
		made.kind = backlog
	}
	if err := c.put(b, made); err != nil {
		return err
	}
	c.lastRead = end
	c.tally.produced(made)
	return nil
}

// put numbers, signs and keeps b. c.mu is held.
func (c *chain) put(b *wire.Batch, made sealed) (err error) {
	b.Gateway, b.Epoch, b.Seq, b.Prev = c.gateway, c.present.id, c.present.sealed+1, c.prev
	if made.body, err = wire.Seal(b, c.signer); err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	made.seq = b.Seq
	c.prev = wire.HashOf(made.body)
	c.present.grow(made.readings)
	c.waiting = append(c.waiting, made)
	return nil
}

// Release implements uplink.Store: a receipt that the uplink found good covers everything up to upto.
func (c *chain) Release(_ context.Context, id string, upto uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case id != c.present.id:
		return spool.ErrEpoch
	case upto > c.present.sealed:
		return spool.ErrAhead
	case upto <= c.present.released:
		return nil
	}
	n := upto - c.present.released
	now := c.now()
	for _, s := range c.waiting[:n] {
		c.tally.receipted(s, now)
	}
	clear(c.waiting[:n])
	c.waiting = c.waiting[n:]
	c.present.released = upto
	return nil
}

// Stats implements uplink.Store.
func (c *chain) Stats(context.Context) (spool.Stats, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return spool.Stats{
		Epoch: c.present.id, Sealed: uint64(len(c.waiting)), NextSeq: c.present.sealed + 1, Released: c.present.released,
	}, nil
}

// renew begins a new epoch and seals what waits again in it, as a gateway does when the server is ahead of its spool, or no
// longer has what it once signed for.
func (c *chain) renew(context.Context, error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err := newEpochID()
	if err != nil {
		return err
	}
	waiting := c.waiting
	c.past = append(c.past, c.present)
	c.present, c.prev, c.waiting = epoch{id: id}, wire.Hash{}, nil
	for _, s := range waiting {
		b, err := wire.OpenUnverified(s.body)
		if err == nil {
			err = c.put(b, s)
		}
		if err != nil {
			c.tally.fail(err)
			return err
		}
	}
	c.tally.epochs.Add(1)
	return nil
}

// status is what the gateway says of itself.
func (c *chain) status(context.Context) wire.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return wire.Status{
		Epoch: c.present.id, Next: c.present.sealed + 1, Sealed: uint64(len(c.waiting)), Health: "ok", Version: "fleet",
	}
}

// epochs returns every numbering of this run, the present one last.
func (c *chain) epochs() []epoch {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(append([]epoch(nil), c.past...), c.present)
}
