package kind_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/bus"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

// watching is a Sink that tells every reading to a channel.
type watching chan measure.Reading

func (w watching) Take(ctx context.Context, readings []measure.Reading) error {
	for _, r := range readings {
		select {
		case w <- r:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// await takes readings until one of sensor fits.
func (w watching) await(t *testing.T, sensor string, fits func(measure.Reading) bool) {
	t.Helper()
	for {
		select {
		case r := <-w:
			if r.Sensor == sensor && fits(r) {
				return
			}
		case <-t.Context().Done():
			t.Fatalf("%s: the wanted reading did not come", sensor)
		}
	}
}

func isGood(r measure.Reading) bool { return r.Quality == measure.Good }
func faulty(why measure.FaultReason) func(measure.Reading) bool {
	return func(r measure.Reading) bool { return r.Quality == measure.Fault && r.Reason == why }
}

// The whole sensing side as the gateway runs it: bus.Set, files on disk, a socket, real time.
func TestStation_HealsByItselfOnRealBuses(t *testing.T) {
	dir, err := os.MkdirTemp("", "sense") //nolint:usetesting // t.TempDir grows with the test's name; a socket's path has 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}()
	socket, folder := filepath.Join(dir, "i2c.sock"), filepath.Join(dir, "w1")
	plug := func() {
		if err := os.MkdirAll(filepath.Join(folder, "28-000000000001"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "28-000000000001", "w1_slave"), []byte(at31), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := newField()
	f.chips[0x44] = shtChip()
	serve := func() (stop func()) {
		l, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		var b i2c.Bus = wires{f}
		go func() { done <- bus.ServeI2C(ctx, l, b) }()
		return sync.OnceFunc(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}

	buses := bus.NewSet(quiet())
	defer func() {
		if err := buses.Close(); err != nil {
			t.Error(err)
		}
	}()
	clock := sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: true})
	channels, err := kind.Build([]kind.Spec{
		{ID: "khoai1-kk", Kind: "sht4x", Bus: "i2c", Address: 0x44, Every: kind.MinEvery},
		{ID: "ao1-temp", Kind: "ds18b20", Bus: "w1", Device: "28-000000000001", Every: kind.MinEvery},
	}, buses, map[string]kind.BusSpec{"i2c": {I2C: "unix:" + socket}, "w1": {W1: folder}}, clock)
	if err != nil {
		t.Fatal(err) // neither socket nor folder exist: a gateway starts anyway
	}
	ctx, cancel := context.WithCancel(t.Context())
	sink := make(watching)
	done := make(chan error, 1)
	go func() { done <- sense.NewStation(clock, channels, quiet()).Run(ctx, sink) }()

	sink.await(t, "khoai1-kk", faulty(measure.BusDown))
	sink.await(t, "ao1-temp", faulty(measure.BusDown))
	stop := serve()
	plug()
	sink.await(t, "khoai1-kk", isGood)
	sink.await(t, "ao1-temp", isGood)
	f.unplug(0x44, true)
	if err := os.RemoveAll(filepath.Join(folder, "28-000000000001")); err != nil {
		t.Fatal(err)
	}
	sink.await(t, "khoai1-kk", faulty(measure.NoResponse))
	sink.await(t, "ao1-temp", faulty(measure.NoResponse))
	f.unplug(0x44, false)
	plug()
	sink.await(t, "khoai1-kk", isGood)
	sink.await(t, "ao1-temp", isGood)
	stop()
	sink.await(t, "khoai1-kk", faulty(measure.BusDown))
	stop = serve()
	sink.await(t, "khoai1-kk", isGood)

	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	stop()
}
