package ads1115_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ads1115"
	"aovuon/gateway/sense/sensetest"
)

const addr = 0x48

func start(hi byte) i2ctest.IO      { return i2ctest.IO{Addr: addr, W: []byte{1, hi, 0x83}} }
func config(hi, lo byte) i2ctest.IO { return i2ctest.IO{Addr: addr, W: []byte{1}, R: []byte{hi, lo}} }

func result(hi, lo byte) i2ctest.IO { return i2ctest.IO{Addr: addr, W: []byte{0}, R: []byte{hi, lo}} }

func repeat(n int, op i2ctest.IO) (out []i2ctest.IO) {
	for range n {
		out = append(out, op)
	}
	return out
}

func reasonOf(err error) measure.FaultReason {
	f, ok := errors.AsType[*sense.Fault](err)
	if !ok {
		return ""
	}
	return f.Reason
}

func TestVolts_GoldenConversions(t *testing.T) {
	for n, v := range sensetest.Conversions() {
		tc := struct {
			input int
			ops   []i2ctest.IO
			want  float64
		}{input: n % 4, want: v.Volts}
		hi := byte(0xC3 + n%4<<4)
		tc.ops = []i2ctest.IO{start(hi), config(hi, 0x83), result(v.Raw[0], v.Raw[1])}
		if n == 4 { // still converting twice: OS reads 0 until it is done
			tc.ops = []i2ctest.IO{start(hi), config(hi&^0x80, 0x83), config(hi&^0x80, 0x83), config(hi, 0x83), result(v.Raw[0], v.Raw[1])}
		}
		bus := sensetest.NewBus(tc.ops...)
		clock := sensetest.NewClock(time.Unix(0, 0))
		before := clock.Now().Uptime
		got, err := ads1115.New(bus, addr, clock).Volts(t.Context(), tc.input)
		if err != nil || got != tc.want {
			t.Errorf("input %d: %v, %v; want %v", tc.input, got, err, tc.want)
		}
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
		if waited := clock.Now().Uptime - before; waited < 7812*time.Microsecond {
			t.Errorf("read after %v; a conversion takes 7.8 ms", waited)
		}
	}
}

func TestVolts_FaultsAreReasonsNeverNumbers(t *testing.T) {
	broken := errors.New("connection timed out")
	for name, tc := range map[string]struct {
		input int
		bus   *sensetest.Bus
		want  measure.FaultReason
	}{
		"nobody there":    {0, sensetest.NewBus(start(0xC3)).Fail(0, sense.ErrNoAck), measure.NoResponse},
		"gone meanwhile":  {0, sensetest.NewBus(start(0xC3), config(0, 0)).Fail(1, sense.ErrNoAck), measure.NoResponse},
		"gone at the end": {0, sensetest.NewBus(start(0xC3), config(0xC3, 0x83), result(0, 0)).Fail(2, sense.ErrNoAck), measure.NoResponse},
		"bus broken":      {0, sensetest.NewBus(start(0xC3)).Fail(0, broken), measure.BusDown},
		"shorted":         {0, sensetest.NewBus(start(0xC3), config(0, 0)), measure.Shorted},
		"started anew":    {0, sensetest.NewBus(start(0xC3), config(0x85, 0x83)), measure.PowerUp},
		"another input":   {0, sensetest.NewBus(start(0xC3), config(0xD3, 0x83)), measure.Garbled},
		"never done":      {0, sensetest.NewBus(append([]i2ctest.IO{start(0xC3)}, repeat(10, config(0x43, 0x83))...)...), measure.NotReady},
		"no such input":   {4, sensetest.NewBus(), measure.Refused},
		"negative input":  {-1, sensetest.NewBus(), measure.Refused},
	} {
		got, err := ads1115.New(tc.bus, addr, sensetest.NewClock(time.Unix(0, 0))).Volts(t.Context(), tc.input)
		if reasonOf(err) != tc.want || got != 0 {
			t.Errorf("%s: %v, %v; want %s", name, got, err, tc.want)
		}
		if err := tc.bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVolts_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ads1115.New(sensetest.NewBus(start(0xC3)), addr, sensetest.NewClock(time.Unix(0, 0))).Volts(ctx, 0)
	if !errors.Is(err, context.Canceled) || reasonOf(err) != "" {
		t.Errorf("Volts = %v", err)
	}
}

// TestVolts_NoStaleNumberWhenAShortEnds: mended while a conversion seems to be under way, a shorted converter must not give
// the result of the one before the short.
func TestVolts_NoStaleNumberWhenAShortEnds(t *testing.T) {
	bus := sensetest.NewBus(
		start(0xC3), config(0xC3, 0x83), result(0x40, 0x00), // good
		start(0xC3), config(0, 0), // shorted
		config(0, 0),                                                         // still shorted: nothing is started
		config(0xC3, 0x83), start(0xC3), config(0xC3, 0x83), result(0x20, 0), // mended
		start(0xC3), config(0xC3, 0x83), result(0x10, 0), // and trusted again
	)
	dev := ads1115.New(bus, addr, sensetest.NewClock(time.Unix(0, 0)))
	for i, want := range []struct {
		volts float64
		why   measure.FaultReason
	}{{2.048, ""}, {0, measure.Shorted}, {0, measure.Shorted}, {1.024, ""}, {0.512, ""}} {
		got, err := dev.Volts(t.Context(), 0)
		if got != want.volts || reasonOf(err) != want.why {
			t.Errorf("conversion %d: %v, %v; want %v", i+1, got, err, want)
		}
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}
