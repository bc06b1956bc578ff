package edge_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
)

// machine is a clock in a synctest bubble, a sink, a store, relays: what a Runner lives among.
type machine struct {
	booted time.Time
	boot   string

	mu     sync.Mutex
	taken  []measure.Reading
	saved  edge.Saved
	disk   error
	relays map[string]bool
	away   error
	urgent int
	log    bytes.Buffer
}

func (m *machine) Now() measure.Instant {
	return measure.Instant{
		Wall: time.Now().UTC().Truncate(time.Millisecond), Uptime: time.Since(m.booted).Truncate(time.Millisecond),
		Clock: measure.Synced, Boot: m.boot,
	}
}

func (m *machine) Take(_ context.Context, readings []measure.Reading) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taken = append(m.taken, readings...)
	return nil
}

func (m *machine) Save(s edge.Saved) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.disk == nil {
		m.saved = s
	}
	return m.disk
}

func (m *machine) Set(id string, on bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away == nil {
		m.relays[id] = on
	}
	return m.away
}

func (m *machine) relay() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.relays["ao1-quat"]
}

func (m *machine) runner(c edge.Config) *edge.Runner {
	return edge.NewRunner(edge.Options{
		Config: c, Outputs: m, Saved: m.saved, Clock: m, Sink: m, Store: m, Log: slog.New(slog.NewTextHandler(&m.log, nil)),
		Urgent: func() { m.mu.Lock(); m.urgent++; m.mu.Unlock() },
	})
}

// feed gives the runner an oxygen.
func (m *machine) feed(t *testing.T, r *edge.Runner, mgL float64, quality measure.Quality) {
	t.Helper()
	reading := measure.Reading{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Time: m.Now(), Value: mgL, Quality: quality}
	if quality == measure.Fault {
		reading.Value, reading.Reason = 0, measure.NoResponse
	}
	if err := r.Take(t.Context(), []measure.Reading{reading}); err != nil {
		t.Error(err)
	}
}

// TestRunner_TheNightTheProbeAndTheMainsFailed: oxygen sinks, the aerator starts; the probe dies and it goes on; the
// mains fail and the machine boots without a probe: the aerator comes back by its fail-safe; in the morning all is well.
func TestRunner_TheNightTheProbeAndTheMainsFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(nil, lowOxygen())
		m := &machine{booted: time.Now().Add(-time.Hour), boot: boot, relays: make(map[string]bool)}
		begin := func() (*edge.Runner, func()) {
			r := m.runner(c)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := r.Run(ctx); err != nil {
					t.Error(err)
				}
			})
			return r, func() { cancel(); wg.Wait() }
		}
		run := func(r *edge.Runner, minutes int, oxygen func(minute int) (float64, measure.Quality)) {
			for i := range minutes {
				v, q := oxygen(i)
				m.feed(t, r, v, q)
				time.Sleep(time.Minute)
			}
			synctest.Wait()
		}
		is := func(when string, want bool) {
			t.Helper()
			if m.relay() != want {
				t.Errorf("%s: the aerator is %s", when, onOff(m.relay()))
			}
		}
		good := func(v float64) func(int) (float64, measure.Quality) {
			return func(int) (float64, measure.Quality) { return v, measure.Good }
		}
		dead := func(int) (float64, measure.Quality) { return 0, measure.Fault }

		r, stop := begin()
		run(r, 240, func(i int) (float64, measure.Quality) { return 7 - float64(i)*3.05/240, measure.Good }) // 3.96 at the end
		is("dusk", true)
		run(r, 10, good(2.5))
		if m.urgent != 1 {
			t.Errorf("the server was told %d times of the low oxygen", m.urgent)
		}
		run(r, 60, dead)
		is("the probe is dead", true)
		stop()

		m.relays["ao1-quat"] = false // no mains: the relay falls off
		time.Sleep(10 * time.Minute)
		m.booted, m.boot = time.Now().Add(-20*time.Second), newBoot
		r, stop = begin()
		synctest.Wait()
		is("the machine has just booted", false) // the motor rests after a stop that nobody timed
		run(r, 6, dead)
		is("the probe is still dead", true)
		run(r, 40, good(5))
		is("between the set points", true)
		run(r, 2, good(6))
		is("morning", false)
		stop()
		low, high := 0, 0
		for _, x := range m.taken {
			if x.Quantity == measure.AlarmState && x.Sensor == "ao1-thieu-oxy" {
				if x.Value == 1 {
					low++
				} else {
					high++
				}
			}
		}
		if low == 0 || high == 0 {
			t.Errorf("alarm readings: %d on, %d off", low, high)
		}
	})
}

func TestRunner_AReadingActsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{booted: time.Now().Add(-time.Hour), boot: boot, relays: make(map[string]bool)}
		r := m.runner(config(nil))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(100 * time.Millisecond)
		m.feed(t, r, 2, measure.Good)
		synctest.Wait()
		if !m.relay() {
			t.Error("the relay waits for the tick")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if !m.relay() {
			t.Error("stopping the program stopped the aerator")
		}
	})
}

func TestRunner_AFullDiskStopsNoAerator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{booted: time.Now().Add(-time.Hour), boot: boot, relays: make(map[string]bool), disk: errors.New("no space left")}
		r := m.runner(config(nil))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		m.feed(t, r, 2, measure.Good)
		synctest.Wait()
		if err := r.SetOverride(ctx, "ao1-quat", edge.Off, time.Hour); err == nil || !strings.Contains(err.Error(), "it is in force") {
			t.Errorf("SetOverride = %v", err)
		}
		if s := r.Status().Aerators[0]; s.Mode != edge.Off || m.relay() {
			t.Errorf("%+v, relay %v", s, m.relay())
		}
		if n := strings.Count(m.log.String(), "not kept over a restart"); n != 1 {
			t.Errorf("the disk was complained of %d times", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
