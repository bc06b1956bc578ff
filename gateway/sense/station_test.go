package sense_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const boot = "0123456789abcdef"

// testClock is a machine that booted at start: the time of a synctest bubble.
type testClock struct{ start time.Time }

func newTestClock() testClock { return testClock{start: time.Now()} }

func (c testClock) Now() measure.Instant {
	return measure.Instant{Wall: time.Now(), Uptime: time.Since(c.start), Clock: measure.Synced, Boot: boot}
}

func (c testClock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// sensorFunc is a Sensor made of a function.
type sensorFunc func(ctx context.Context) ([]sense.Sample, error)

func (f sensorFunc) Sense(ctx context.Context) ([]sense.Sample, error) { return f(ctx) }

func gives(v float64) sensorFunc {
	return func(context.Context) ([]sense.Sample, error) {
		return []sense.Sample{{Quantity: measure.WaterTemperature, Value: v}}, nil
	}
}

// taken is a Sink that keeps everything.
type taken struct {
	mu   sync.Mutex
	all  []measure.Reading
	fail error
}

func (s *taken) Take(_ context.Context, r []measure.Reading) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, r...)
	return s.fail
}

// uptimes returns when the readings of a sensor were taken.
func (s *taken) uptimes(id string) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []time.Duration
	for _, r := range s.all {
		if r.Sensor == id {
			out = append(out, r.Time.Uptime)
		}
	}
	return out
}

func temperature(id, bus string, every time.Duration, s sense.Sensor) sense.Channel {
	return sense.Channel{ID: id, Bus: bus, Every: every, Quantities: []measure.Quantity{measure.WaterTemperature}, Sensor: s}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// runFor runs a station for d of the bubble's time.
func runFor(t *testing.T, d time.Duration, st *sense.Station, sink sense.Sink) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := st.Run(ctx, sink); err != nil {
		t.Errorf("Run = %v; want nil when it was told to end", err)
	}
}

func seconds(s ...float64) []time.Duration {
	var out []time.Duration
	for _, v := range s {
		out = append(out, time.Duration(v*float64(time.Second)))
	}
	return out
}

func TestStation_KeepsItsScheduleWithoutDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newTestClock()
		time.Sleep(3 * time.Second) // the program starts some time after boot
		slow := sensorFunc(func(ctx context.Context) ([]sense.Sample, error) {
			if err := clock.Sleep(ctx, 900*time.Millisecond); err != nil {
				return nil, err
			}
			return gives(28)(ctx)
		})
		var sink taken
		st := sense.NewStation(clock, []sense.Channel{temperature("ao1-temp", "a", 10*time.Second, slow)}, quiet())
		runFor(t, time.Minute, st, &sink)
		want := seconds(3.9, 10.9, 20.9, 30.9, 40.9, 50.9, 60.9)
		if diff := cmp.Diff(want, sink.uptimes("ao1-temp")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStation_LatePollTakesThePlaceOfThoseItMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newTestClock()
		n := 0
		stuckOnce := sensorFunc(func(ctx context.Context) ([]sense.Sample, error) {
			if n++; n == 2 {
				if err := clock.Sleep(ctx, 35*time.Second); err != nil {
					return nil, err
				}
			}
			return gives(28)(ctx)
		})
		var sink taken
		st := sense.NewStation(clock, []sense.Channel{temperature("ao1-temp", "a", 10*time.Second, stuckOnce)}, quiet())
		runFor(t, 65*time.Second, st, &sink)
		if diff := cmp.Diff(seconds(0, 45, 50, 60), sink.uptimes("ao1-temp")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStation_SlowBusDelaysOnlyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newTestClock()
		dead := sensorFunc(func(ctx context.Context) ([]sense.Sample, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		var sink taken
		st := sense.NewStation(clock, []sense.Channel{
			temperature("ao1-temp", "dead", 10*time.Second, dead),
			temperature("ao2-temp", "well", 10*time.Second, gives(28)),
		}, quiet())
		runFor(t, 25*time.Second, st, &sink)
		if got := sink.uptimes("ao1-temp"); len(got) != 0 {
			t.Errorf("an interrupted question has readings at %v", got)
		}
		if diff := cmp.Diff(seconds(0, 10, 20), sink.uptimes("ao2-temp")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStation_OverloadedBusStarvesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newTestClock()
		slow := sensorFunc(func(ctx context.Context) ([]sense.Sample, error) {
			if err := clock.Sleep(ctx, time.Second); err != nil {
				return nil, err
			}
			return gives(28)(ctx)
		})
		var channels []sense.Channel
		for i := range 5 {
			channels = append(channels, temperature(fmt.Sprintf("s%d", i), "a", time.Second, slow))
		}
		var sink taken
		runFor(t, 100*time.Second+time.Millisecond, sense.NewStation(clock, channels, quiet()), &sink)
		for _, c := range channels {
			if n := len(sink.uptimes(c.ID)); n < 19 || n > 21 {
				t.Errorf("%s was asked %d times of 100; want its fifth", c.ID, n)
			}
		}
	})
}

func TestStation_NothingEndsTheSampling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		broken := sensorFunc(func(context.Context) ([]sense.Sample, error) { panic("index out of range") })
		sink := &taken{fail: errors.New("disk full")}
		st := sense.NewStation(newTestClock(), []sense.Channel{
			temperature("ao1-temp", "a", time.Second, broken),
			temperature("ao2-temp", "a", time.Second, gives(28)),
		}, slog.New(slog.NewTextHandler(&log, nil)))
		runFor(t, 9500*time.Millisecond, st, sink)
		for _, id := range []string{"ao1-temp", "ao2-temp"} {
			if n := len(sink.uptimes(id)); n != 10 {
				t.Errorf("%s: %d polls; want 10", id, n)
			}
		}
		if sink.all[0].Quality != measure.Fault || sink.all[0].Reason != measure.Garbled {
			t.Errorf("a panic became %+v", sink.all[0])
		}
		for what, want := range map[string]int{"readings are being lost": 2, "disk full": 2, "index out of range": 1} {
			if n := strings.Count(log.String(), what); n != want {
				t.Errorf("%q is logged %d times; want %d:\n%s", what, n, want, &log)
			}
		}
	})
}

func TestStation_LogsAFaultWhenItBeginsChangesAndHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		n := 0
		sensor := sensorFunc(func(ctx context.Context) ([]sense.Sample, error) {
			switch n++; {
			case n > 2 && n <= 5:
				return nil, sense.Faultf(measure.NoResponse, "unplugged: %w", sense.ErrNoAck)
			case n > 5 && n <= 8:
				return nil, &sense.Fault{Reason: measure.CRC, Err: errors.New("crc 12, want 34")}
			}
			return gives(28)(ctx)
		})
		var sink taken
		st := sense.NewStation(newTestClock(), []sense.Channel{temperature("ao1-temp", "a", time.Second, sensor)},
			slog.New(slog.NewJSONHandler(&log, nil)))
		runFor(t, 11500*time.Millisecond, st, &sink)
		var reasons []measure.FaultReason
		for _, r := range sink.all {
			reasons = append(reasons, r.Reason)
		}
		want := []measure.FaultReason{
			"", "", measure.NoResponse, measure.NoResponse, measure.NoResponse,
			measure.CRC, measure.CRC, measure.CRC, "", "", "", "",
		}
		if diff := cmp.Diff(want, reasons); diff != "" {
			t.Error(diff)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		for i, want := range [][]string{
			{"sensor fault began", "no-response", "unplugged", `"sensor":"ao1-temp"`, `"bus":"a"`},
			{"sensor fault changed", `"reason":"crc"`, `"before":"no-response"`},
			{"sensor healed", `"lasted":6000000000`},
		} {
			if len(lines) != 3 {
				t.Fatalf("%d lines of log; want 3:\n%s", len(lines), &log)
			}
			for _, w := range want {
				if !strings.Contains(lines[i], w) {
					t.Errorf("line %d does not say %s: %s", i, w, lines[i])
				}
			}
		}
	})
}

// sinkFunc is a Sink.
type sinkFunc func(readings []measure.Reading)

func (f sinkFunc) Take(_ context.Context, readings []measure.Reading) error { f(readings); return nil }

func TestStation_TellsTheDriversOwnWords(t *testing.T) {
	n := 0
	sensor := sensorFunc(func(ctx context.Context) ([]sense.Sample, error) {
		if n++; n == 2 {
			return nil, sense.Faultf(measure.CRC, "crc 12, want 34")
		}
		return gives(28)(ctx)
	})
	st := sense.NewStation(newTestClock(), []sense.Channel{temperature("ao1-temp", "a", time.Second, sensor)}, quiet())
	var said []string
	sink := sinkFunc(func([]measure.Reading) { said = append(said, st.Cause("ao1-temp")) })
	for range 3 {
		if err := st.PollAll(t.Context(), sink); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"", "crc: crc 12, want 34", ""}, said); diff != "" || st.Cause("other") != "" {
		t.Error(diff)
	}
}

func TestStation_GradesWhatDriversSay(t *testing.T) {
	both := []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity}
	temp := sense.Sample{Quantity: measure.AirTemperature, Value: 25}
	hum := sense.Sample{Quantity: measure.RelativeHumidity, Value: 60}
	with := func(s sense.Sample, f func(*sense.Sample)) sense.Sample { f(&s); return s }
	for name, tc := range map[string]struct {
		samples []sense.Sample
		err     error
		want    [2]measure.Reading
	}{
		"good": {
			samples: []sense.Sample{hum, temp},
			want:    [2]measure.Reading{{Value: 25}, {Value: 60}},
		},
		"out of range keeps its value": {
			samples: []sense.Sample{temp, with(hum, func(s *sense.Sample) { s.Value = 100.7 })},
			want:    [2]measure.Reading{{Value: 25}, {Value: 100.7, Quality: measure.OutOfRange}},
		},
		"the worse quality counts": {
			samples: []sense.Sample{
				with(temp, func(s *sense.Sample) { s.Quality = measure.Estimated }),
				with(hum, func(s *sense.Sample) { s.Quality, s.Value = measure.Uncalibrated, -3 }),
			},
			want: [2]measure.Reading{{Value: 25, Quality: measure.Estimated}, {Value: -3, Quality: measure.OutOfRange}},
		},
		"no number is garbled": {
			samples: []sense.Sample{
				with(temp, func(s *sense.Sample) { s.Value = math.NaN() }), with(hum, func(s *sense.Sample) { s.Value = math.Inf(1) }),
			},
			want: [2]measure.Reading{{Quality: measure.Fault, Reason: measure.Garbled}, {Quality: measure.Fault, Reason: measure.Garbled}},
		},
		"a left-out quantity is garbled": {
			samples: []sense.Sample{temp},
			want:    [2]measure.Reading{{Value: 25}, {Quality: measure.Fault, Reason: measure.Garbled}},
		},
		"no sample may call itself a fault": {
			samples: []sense.Sample{temp, with(hum, func(s *sense.Sample) { s.Quality = measure.Fault })},
			want:    [2]measure.Reading{{Value: 25}, {Quality: measure.Fault, Reason: measure.Garbled}},
		},
		"a fault is one of every quantity": {
			err:  fmt.Errorf("sht4x: %w", &sense.Fault{Reason: measure.CRC, Err: io.ErrUnexpectedEOF}),
			want: [2]measure.Reading{{Quality: measure.Fault, Reason: measure.CRC}, {Quality: measure.Fault, Reason: measure.CRC}},
		},
		"a bus error is a fault": {
			err:  io.ErrUnexpectedEOF,
			want: [2]measure.Reading{{Quality: measure.Fault, Reason: measure.BusDown}, {Quality: measure.Fault, Reason: measure.BusDown}},
		},
		"no acknowledge is a fault": {
			err:  fmt.Errorf("bus: %w", sense.ErrNoAck),
			want: [2]measure.Reading{{Quality: measure.Fault, Reason: measure.NoResponse}, {Quality: measure.Fault, Reason: measure.NoResponse}},
		},
		"an unknown reason is garbled": {
			err:  &sense.Fault{Reason: "tired", Err: io.EOF},
			want: [2]measure.Reading{{Quality: measure.Fault, Reason: measure.Garbled}, {Quality: measure.Fault, Reason: measure.Garbled}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sink taken
				sensor := sensorFunc(func(context.Context) ([]sense.Sample, error) { return tc.samples, tc.err })
				clock := newTestClock()
				time.Sleep(1500*time.Millisecond + 700*time.Microsecond)
				st := sense.NewStation(clock, []sense.Channel{{ID: "khoai1-kk", Bus: "a", Quantities: both, Sensor: sensor}}, quiet())
				if err := st.PollAll(t.Context(), &sink); err != nil {
					t.Fatal(err)
				}
				at := measure.Instant{
					Wall: time.Date(2000, 1, 1, 0, 0, 1, 500e6, time.UTC), Uptime: 1500 * time.Millisecond, Boot: boot,
				}
				for i := range tc.want {
					tc.want[i].Sensor, tc.want[i].Quantity, tc.want[i].Time = "khoai1-kk", both[i], at
				}
				if diff := cmp.Diff(tc.want[:], sink.all); diff != "" {
					t.Error(diff)
				}
				for _, r := range sink.all {
					if err := r.Validate(); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

func TestStation_PollAllAsksEveryChannelOnceInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &taken{fail: errors.New("disk full")}
		var channels []sense.Channel
		for i := range 3 {
			channels = append(channels, temperature(fmt.Sprintf("s%d", i), fmt.Sprintf("b%d", i), time.Hour, gives(float64(i))))
		}
		st := sense.NewStation(newTestClock(), channels, quiet())
		err := st.PollAll(t.Context(), sink)
		if !errors.Is(err, sink.fail) || !strings.Contains(err.Error(), "s2") {
			t.Errorf("PollAll = %v; want every channel's error", err)
		}
		for i, r := range sink.all {
			if r.Value != float64(i) {
				t.Errorf("reading %d is %+v", i, r)
			}
		}
		if len(sink.all) != 3 {
			t.Errorf("%d readings", len(sink.all))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := st.PollAll(ctx, sink); !errors.Is(err, context.Canceled) || len(sink.all) != 3 {
			t.Errorf("PollAll after cancel = %v with %d readings", err, len(sink.all))
		}
	})
}

func TestStation_WithNoChannelWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		runFor(t, time.Hour, sense.NewStation(newTestClock(), nil, quiet()), &taken{})
		if time.Since(began) != time.Hour {
			t.Errorf("ended after %v", time.Since(began))
		}
	})
}

func TestStation_DoAndPollsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newTestClock()
		var busy atomic.Int32
		alone := func(ctx context.Context, d time.Duration) {
			if busy.Add(1) != 1 {
				t.Error("two at a time on one bus")
			}
			if err := clock.Sleep(ctx, d); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			busy.Add(-1)
		}
		slow := sensorFunc(func(ctx context.Context) ([]sense.Sample, error) {
			alone(ctx, 900*time.Millisecond)
			return gives(28)(ctx)
		})
		var sink taken
		st := sense.NewStation(clock, []sense.Channel{temperature("ao1-temp", "a", time.Second, slow)}, quiet())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		done := 0
		go func() {
			for ctx.Err() == nil {
				if err := st.Do(ctx, "a", func(ctx context.Context) error { alone(ctx, 300*time.Millisecond); return nil }); err == nil {
					done++
				}
			}
		}()
		if err := st.Run(ctx, &sink); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := len(sink.uptimes("ao1-temp")); n < 25 || done < 25 {
			t.Errorf("%d polls and %d calibrations in a minute: one starves the other", n, done)
		}
	})
}

func TestStation_DoGivesUpWithItsContext(t *testing.T) {
	st := sense.NewStation(newTestClock(), nil, quiet())
	ctx, cancel := context.WithCancel(t.Context())
	err := st.Do(t.Context(), "a", func(context.Context) error {
		cancel()
		return st.Do(ctx, "a", func(context.Context) error { t.Error("ran all the same"); return nil })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Do = %v", err)
	}
}

// keyed is a channel that Replace knows again.
func keyed(c sense.Channel, key string) sense.Channel {
	c.Key = key
	return c
}

func TestStation_ReplaceDisturbsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newTestClock()
		polls := 0
		slow := sensorFunc(func(ctx context.Context) ([]sense.Sample, error) {
			polls++
			if err := clock.Sleep(ctx, time.Second); err != nil {
				return nil, err
			}
			return gives(28)(ctx)
		})
		stays := keyed(temperature("ao1-temp", "a", 10*time.Second, slow), "1")
		goes := keyed(temperature("ao2-temp", "a", 10*time.Second, gives(27)), "1")
		alone := keyed(temperature("ao3-temp", "b", 10*time.Second, gives(26)), "1")
		changes := keyed(temperature("ao4-temp", "a", 10*time.Second, gives(25)), "1")
		var sink taken
		st := sense.NewStation(clock, []sense.Channel{stays, goes, alone, changes}, quiet())
		ctx, cancel := context.WithTimeout(t.Context(), 58*time.Second)
		defer cancel()
		done := make(chan error)
		go func() { done <- st.Run(ctx, &sink) }()
		time.Sleep(15 * time.Second)
		again := stays
		again.Sensor = sensorFunc(func(context.Context) ([]sense.Sample, error) {
			t.Error("an unchanged channel got another sensor")
			return nil, nil
		})
		faster := keyed(temperature("ao4-temp", "a", 5*time.Second, gives(24)), "2")
		comes := keyed(temperature("ao5-temp", "c", 20*time.Second, gives(23)), "1")
		st.Replace([]sense.Channel{again, faster, comes})
		time.Sleep(25*time.Second + 500*time.Millisecond) // in the middle of a poll of ao1-temp
		st.Replace([]sense.Channel{faster, comes, alone})
		if err := <-done; err != nil {
			t.Error(err)
		}
		for id, want := range map[string][]time.Duration{
			"ao1-temp": seconds(1, 11, 21, 31, 41), // the poll it was in when it was taken out was answered
			"ao2-temp": seconds(1, 11),
			"ao3-temp": seconds(0, 10, 40.5, 50),
			"ao4-temp": seconds(1, 11, 15, 21, 25, 31, 35, 41, 45, 50, 55),
			"ao5-temp": seconds(15, 20, 40),
		} {
			if diff := cmp.Diff(want, sink.uptimes(id)); diff != "" {
				t.Errorf("%s: %s", id, diff)
			}
		}
	})
}

// TestStation_ReplaceAtAnyMoment: whatever is replaced when, every channel is asked on its beat and nothing is left running.
func TestStation_ReplaceAtAnyMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newTestClock()
		var sink taken
		st := sense.NewStation(clock, nil, quiet())
		st.Replace(nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- st.Run(ctx, &sink) }()
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 500 {
			var channels []sense.Channel
			for i := range 6 {
				if rnd.IntN(2) == 0 {
					c := temperature(fmt.Sprintf("s%d", i), fmt.Sprint("bus", i%3), 7*time.Second, gives(1))
					channels = append(channels, keyed(c, fmt.Sprint(rnd.IntN(2))))
				}
			}
			st.Replace(append(channels, keyed(temperature("always", "bus0", 7*time.Second, gives(1)), "1")))
			time.Sleep(time.Duration(rnd.IntN(9000)) * time.Millisecond)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		at := sink.uptimes("always")
		for i, u := range at[1:] {
			if d := u - at[i]; d > 7*time.Second {
				t.Fatalf("asked at %v and then at %v", at[i], u)
			}
		}
		st.Replace([]sense.Channel{temperature("late", "bus9", time.Second, gives(1))}) // starts nothing
	})
}
