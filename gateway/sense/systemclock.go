package sense

import (
	"context"
	"time"

	"aovuon/gateway/measure"
)

// SystemClockOptions say how far the machine's clock may be trusted. The zero value suits a Raspberry Pi.
type SystemClockOptions struct {
	// AssumeSynced takes the machine's clock as synchronised without asking the kernel: for containers and laptops,
	// where something else keeps the time.
	AssumeSynced bool
	// Root is the folder below which proc and sys are looked for; "" means "/".
	Root string
}

// SystemClock is the machine's own Clock.
type SystemClock struct{ opts SystemClockOptions }

// NewSystemClock returns the machine's clock.
func NewSystemClock(opts SystemClockOptions) *SystemClock { return &SystemClock{opts: opts} }

// Now implements Clock.
func (c *SystemClock) Now() measure.Instant { return measure.Instant{Wall: time.Now().UTC()} }

// Sleep implements Clock.
func (c *SystemClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
