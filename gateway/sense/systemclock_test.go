package sense_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// machine is a made-up machine below a folder.
type machine struct {
	root   string
	wall   time.Time
	uptime time.Duration
	synced bool
	err    error
}

func newMachine(t *testing.T) *machine {
	m := &machine{root: t.TempDir(), wall: time.Date(2026, 11, 24, 3, 4, 5, 678901234, time.FixedZone("ICT", 7*3600)), uptime: time.Hour}
	m.write(t, "proc/sys/kernel/random/boot_id", "6f2a9c1e-0b1d-4c7e-9a43-3f1f0c6f5d21\n")
	return m
}

func (m *machine) write(t *testing.T, name, text string) {
	t.Helper()
	p := filepath.Join(m.root, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) rtc(t *testing.T, at time.Time) {
	t.Helper()
	m.write(t, "sys/class/rtc/rtc0/since_epoch", fmt.Sprintf("%d\n", at.Unix()))
}

func (m *machine) clock(opts sense.SystemClockOptions) *sense.SystemClock {
	opts.Root = m.root
	opts.NotBefore = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	c := sense.NewSystemClock(opts)
	c.SetKernel(func() time.Time { return m.wall }, func() time.Duration { return m.uptime }, func() (bool, error) { return m.synced, m.err })
	return c
}

func TestSystemClock_GivesUTCMillisecondsAndTheBoot(t *testing.T) {
	m := newMachine(t)
	m.synced, m.uptime = true, 3*time.Second+1500*time.Microsecond
	want := measure.Instant{
		Wall:   time.Date(2026, 11, 23, 20, 4, 5, 678e6, time.UTC),
		Uptime: 3*time.Second + time.Millisecond,
		Clock:  measure.Synced,
		Boot:   "6f2a9c1e0b1d4c7e9a433f1f0c6f5d21",
	}
	if diff := cmp.Diff(want, m.clock(sense.SystemClockOptions{}).Now()); diff != "" {
		t.Error(diff)
	}
}

func TestSystemClock_SaysWhatItsWallTimeIsWorth(t *testing.T) {
	for name, tc := range map[string]struct {
		opts sense.SystemClockOptions
		set  func(*testing.T, *machine)
		want measure.ClockState
	}{
		"synced":           {set: func(_ *testing.T, m *machine) { m.synced = true }, want: measure.Synced},
		"assumed":          {opts: sense.SystemClockOptions{AssumeSynced: true}, want: measure.Synced},
		"nothing known":    {want: measure.Unsynced},
		"kernel forbids":   {set: func(_ *testing.T, m *machine) { m.synced, m.err = true, os.ErrPermission }, want: measure.Unsynced},
		"rtc agrees":       {set: func(t *testing.T, m *machine) { m.rtc(t, m.wall.Add(-90*time.Second)) }, want: measure.RTC},
		"rtc lost battery": {set: func(t *testing.T, m *machine) { m.rtc(t, time.Unix(300, 0)) }, want: measure.Unsynced},
		"rtc and machine never set": {set: func(t *testing.T, m *machine) {
			m.wall = time.Unix(300, 0)
			m.rtc(t, m.wall)
		}, want: measure.Unsynced},
		"assumed, never set": {opts: sense.SystemClockOptions{AssumeSynced: true}, set: func(_ *testing.T, m *machine) { m.wall = time.Unix(300, 0) }, want: measure.Unsynced},
		"synced, never set":  {set: func(_ *testing.T, m *machine) { m.synced, m.wall = true, time.Unix(300, 0) }, want: measure.Unsynced},
		"rtc garbled":        {set: func(t *testing.T, m *machine) { m.write(t, "sys/class/rtc/rtc0/since_epoch", "?") }, want: measure.Unsynced},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			if tc.set != nil {
				tc.set(t, m)
			}
			at := m.clock(tc.opts).Now()
			if at.Clock != tc.want {
				t.Errorf("clock state %v; want %v", at.Clock, tc.want)
			}
			if at.Wall.IsZero() != (tc.want == measure.Unsynced) {
				t.Errorf("wall time %v with clock state %v", at.Wall, at.Clock)
			}
		})
	}
}

func TestSystemClock_FollowsTheNetworkComingAndGoing(t *testing.T) {
	m := newMachine(t)
	c := m.clock(sense.SystemClockOptions{})
	var got []measure.ClockState
	for _, synced := range []bool{false, true, false, true} {
		m.synced = synced
		m.uptime += time.Hour
		got = append(got, c.Now().Clock)
	}
	want := []measure.ClockState{measure.Unsynced, measure.Synced, measure.EstimatedClock, measure.Synced}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSystemClock_ReadsTheRTCOnceAMinute(t *testing.T) {
	m := newMachine(t)
	m.rtc(t, m.wall)
	c := m.clock(sense.SystemClockOptions{})
	if s := c.Now().Clock; s != measure.RTC {
		t.Fatalf("state %v", s)
	}
	if err := os.RemoveAll(filepath.Join(m.root, "sys")); err != nil {
		t.Fatal(err)
	}
	m.uptime += 59 * time.Second
	if s := c.Now().Clock; s != measure.RTC {
		t.Errorf("after 59 s: %v", s)
	}
	m.uptime += time.Second
	if s := c.Now().Clock; s != measure.Unsynced {
		t.Errorf("after 60 s without the clock: %v", s)
	}
}

func TestSystemClock_ChecksThatTheKernelAnswers(t *testing.T) {
	m := newMachine(t)
	if err := m.clock(sense.SystemClockOptions{}).Check(); err != nil {
		t.Error(err)
	}
	m.err = os.ErrPermission
	if err := m.clock(sense.SystemClockOptions{}).Check(); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "assume_synced") {
		t.Errorf("Check = %v; want the mend", err)
	}
	if err := m.clock(sense.SystemClockOptions{AssumeSynced: true}).Check(); err != nil {
		t.Error(err)
	}
}

func TestSystemClock_BootHasItsFormEverywhere(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{32}$`)
	for name, text := range map[string]string{"good": "6F2A9C1E-0b1d-4c7e-9a43-3f1f0c6f5d21\n", "odd": "boot", "empty": "", "short": "6f2a9c1e\n"} {
		m := newMachine(t)
		m.write(t, "proc/sys/kernel/random/boot_id", text)
		if b := m.clock(sense.SystemClockOptions{}).Now().Boot; !form.MatchString(b) {
			t.Errorf("%s: boot %q", name, b)
		}
	}
	a, b := sense.NewSystemClock(sense.SystemClockOptions{Root: t.TempDir()}), sense.NewSystemClock(sense.SystemClockOptions{Root: t.TempDir()})
	if a.Now().Boot == b.Now().Boot {
		t.Error("two processes without a boot id share a boot")
	}
}

func TestSystemClock_OfThisMachine(t *testing.T) {
	c := sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: true})
	a := c.Now()
	if err := c.Sleep(t.Context(), 5*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	b := c.Now()
	if d := b.Uptime - a.Uptime; d < 4*time.Millisecond {
		t.Errorf("uptime went on by %v in 5 ms", d)
	}
	if a.Boot != b.Boot {
		t.Errorf("boot changed from %s to %s", a.Boot, b.Boot)
	}
	if runtime.GOOS == "linux" {
		if id, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil &&
			a.Boot != strings.ReplaceAll(strings.TrimSpace(string(id)), "-", "") {
			t.Errorf("boot %s is not the kernel's %s", a.Boot, id)
		}
	}
	if err := sense.NewSystemClock(sense.SystemClockOptions{}).Check(); err != nil {
		t.Logf("this machine's kernel does not say whether its clock is synchronised: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("Sleep = %v", err)
	}
}
