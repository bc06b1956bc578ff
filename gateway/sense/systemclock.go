package sense

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

const (
	// rtcCheck is how often the battery-backed clock is read: it hangs on an I²C bus itself.
	rtcCheck = time.Minute
	// rtcApart is how far the machine's clock may be from the battery-backed one it was set from. A crystal of 100 ppm
	// needs two months for it.
	rtcApart = 10 * time.Minute
)

// earliest is before any reading of this program: a clock that says less was never set.
func earliest() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

// SystemClockOptions say how far the machine's clock may be trusted. The zero value suits a Raspberry Pi.
type SystemClockOptions struct {
	// AssumeSynced takes the machine's clock as synchronised without asking the kernel: for containers and laptops, where
	// something else keeps the time. A clock before NotBefore is not taken for right all the same.
	AssumeSynced bool
	// Root is the folder below which proc and sys are looked for; "" means "/".
	Root string
	// Simulated has the machine below Root say what time it is, and how long it has been on (FORMAT.md). AssumeSynced does not count.
	Simulated bool
	// NotBefore is a time that has surely passed: a clock that says less was never set. The zero time means a day before the
	// commit this program was built from.
	NotBefore time.Time
}

// SystemClock is the machine's own Clock. Its Uptime is CLOCK_BOOTTIME, its Boot the kernel's boot id. It is safe for
// concurrent use.
//
// The state of its wall time is
//   - Unsynced while it is before NotBefore, whoever vouches for it,
//   - Synced while the kernel says that something disciplines it (adjtimex without STA_UNSYNC),
//   - RTC when nothing does but a battery-backed clock exists and agrees,
//   - EstimatedClock when it was synchronised earlier in the life of this process: a crystal loses seconds a day,
//   - Unsynced else.
//
// An unsynced instant has no wall time.
type SystemClock struct {
	opts   SystemClockOptions
	boot   string
	kernel kernel

	mu        sync.Mutex
	wasSynced bool
	rtcAsked  time.Duration // uptime
	rtcHolds  bool
}

// kernel is what the operating system is asked.
type kernel struct {
	now    func() time.Time
	uptime func() time.Duration
	synced func() (bool, error)
}

// NewSystemClock returns the machine's clock. Where the kernel gives no boot id (it is not Linux), the process counts as
// one boot.
func NewSystemClock(opts SystemClockOptions) *SystemClock {
	if opts.Root == "" {
		opts.Root = "/"
	}
	if opts.NotBefore.IsZero() {
		opts.NotBefore = BuiltAt()
	}
	k := systemKernel()
	if opts.Simulated {
		k, opts.AssumeSynced = k.simulated(opts.Root), false
	}
	return &SystemClock{opts: opts, boot: bootID(opts.Root), kernel: k, rtcAsked: -rtcCheck}
}

// Now implements Clock.
func (c *SystemClock) Now() measure.Instant {
	at := measure.Instant{Wall: c.kernel.now(), Uptime: c.kernel.uptime(), Boot: c.boot}
	at.Clock = c.state(at.Wall, at.Uptime)
	return stamp(at)
}

// Wall is what the machine takes the time for, whatever that is worth.
func (c *SystemClock) Wall() time.Time { return c.kernel.now() }

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

// Check reports why the kernel cannot be asked whether the clock is synchronised, or nil. Where it cannot (some
// containers), readings have no wall time unless AssumeSynced is set.
func (c *SystemClock) Check() error {
	if c.opts.AssumeSynced {
		return nil
	}
	if _, err := c.kernel.synced(); err != nil {
		return fmt.Errorf("sense: clock: the kernel does not say whether it is synchronised: "+
			"if something else keeps it right, set clock: { assume_synced: true }: %w", err)
	}
	return nil
}

func (c *SystemClock) state(wall time.Time, uptime time.Duration) measure.ClockState {
	if wall.Before(c.opts.NotBefore) {
		// The kernel calls a clock synchronised that a daemon began to steer before it was set. A reading of 1970 fits in no
		// batch and would be lost; one without a wall time is dated when the clock is right.
		return measure.Unsynced
	}
	if c.opts.AssumeSynced {
		return measure.Synced
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if synced, err := c.kernel.synced(); err == nil && synced { // Check tells the error
		c.wasSynced = true
		return measure.Synced
	}
	if uptime-c.rtcAsked >= rtcCheck {
		c.rtcAsked, c.rtcHolds = uptime, c.readRTC(wall)
	}
	switch {
	case c.rtcHolds:
		return measure.RTC
	case c.wasSynced:
		return measure.EstimatedClock
	}
	return measure.Unsynced
}

// readRTC reports whether the wall time comes from a battery-backed clock. That one is there is not enough: without its
// battery it starts at 1970, and the machine's clock then comes from a file of the last shutdown.
func (c *SystemClock) readRTC(wall time.Time) bool {
	b, err := os.ReadFile(filepath.Join(c.opts.Root, "sys/class/rtc/rtc0/since_epoch"))
	if err != nil {
		return false // no such clock, or it does not answer: it holds no time either way
	}
	s, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return false
	}
	return wall.Sub(time.Unix(s, 0)).Abs() <= rtcApart
}

// commitSlack is how far ahead the clock of who committed may have been: no gateway must call its own one wrong for it.
const commitSlack = 24 * time.Hour

// BuiltAt is a time that had passed when this program was built: that of its commit less commitSlack, or an earlier one
// when the build does not say.
func BuiltAt() time.Time {
	bound := earliest()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return bound
	}
	for _, s := range info.Settings {
		if s.Key != "vcs.time" {
			continue
		}
		if t, err := time.Parse(time.RFC3339, s.Value); err == nil && t.Add(-commitSlack).After(bound) {
			bound = t.Add(-commitSlack)
		}
	}
	return bound
}

// bootID is the kernel's name for this boot in 32 hexadecimal digits, or a random one of the same form.
func bootID(root string) string {
	b, err := os.ReadFile(filepath.Join(root, "proc/sys/kernel/random/boot_id"))
	if err == nil {
		id := strings.ReplaceAll(strings.TrimSpace(string(b)), "-", "")
		if raw, err := hex.DecodeString(id); err == nil && len(raw) == 16 {
			return hex.EncodeToString(raw)
		}
	}
	var raw [16]byte
	rand.Read(raw[:]) // never fails: it ends the program first
	return hex.EncodeToString(raw[:])
}
