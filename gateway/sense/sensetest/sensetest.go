// Package sensetest holds what the tests of chip drivers share: a bus that plays back a recorded talk, with the moments
// in which nobody acknowledged, and a clock whose time passes by sleeping.
package sensetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
)

// Bus is an i2c.Bus that expects the transactions of its Ops, in order and byte by byte, and answers with theirs. The
// transaction with an entry in Errs fails with that error instead of answering.
type Bus struct {
	i2ctest.Playback
	Errs map[int]error
}

// NewBus returns a Bus that reports what it did not expect as an error.
func NewBus(ops ...i2ctest.IO) *Bus {
	return &Bus{Playback: i2ctest.Playback{Ops: ops, DontPanic: true}, Errs: make(map[int]error)}
}

// Fail makes transaction n, counted from 0, fail with err.
func (b *Bus) Fail(n int, err error) *Bus {
	b.Errs[n] = err
	return b
}

// Tx implements i2c.Bus.
func (b *Bus) Tx(addr uint16, w, r []byte) error {
	b.Lock()
	n := b.Count
	b.Unlock()
	if err := b.Playback.Tx(addr, w, r); err != nil {
		return fmt.Errorf("sensetest: %w", err)
	}
	if err := b.Errs[n]; err != nil {
		clear(r)
		return err
	}
	return nil
}

// Clock is a sense.Clock of a synchronised machine whose time passes only by sleeping. It is safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	at measure.Instant
}

// NewClock returns a Clock that says wall, one hour after boot.
func NewClock(wall time.Time) *Clock {
	return &Clock{at: measure.Instant{Wall: wall.UTC(), Uptime: time.Hour, Clock: measure.Synced, Boot: "00000000000000000000000000000001"}}
}

// Now implements sense.Clock.
func (c *Clock) Now() measure.Instant {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Sleep implements sense.Clock.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at.Wall = c.at.Wall.Add(d)
	c.at.Uptime += d
	return nil
}
