package sht3x_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/sense/sensirion"
	"aovuon/gateway/sense/sht3x"
)

const addr = 0x44

var (
	command = i2ctest.IO{Addr: addr, W: []byte{0x24, 0x00}}
	golden  = []byte{0x66, 0x66, 0x93, 0x80, 0x00, 0xA2}
)

func reply(b ...byte) i2ctest.IO { return i2ctest.IO{Addr: addr, R: b} }
func nothing() i2ctest.IO        { return reply(make([]byte, 6)...) }

func reasonOf(err error) measure.FaultReason {
	f, ok := errors.AsType[*sense.Fault](err)
	if !ok {
		return ""
	}
	return f.Reason
}

func TestSense_GoldenReply(t *testing.T) {
	clock := sensetest.NewClock(time.Unix(0, 0))
	bus := sensetest.NewBus(command, reply(golden...))
	before := clock.Now().Uptime
	got, err := sht3x.New(bus, addr, clock).Sense(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []sense.Sample{{Quantity: measure.AirTemperature, Value: 25}, {Quantity: measure.RelativeHumidity, Value: 50.001}}
	for i := range want {
		if got[i].Quantity != want[i].Quantity || got[i].Quality != measure.Good || math.Abs(got[i].Value-want[i].Value) > 0.0005 {
			t.Errorf("got %+v; want %+v", got[i], want[i])
		}
	}
	if waited := clock.Now().Uptime - before; waited < 15*time.Millisecond {
		t.Errorf("read after %v; a measurement takes 15 ms", waited)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestSense_WaitsForAChipThatIsNotReady(t *testing.T) {
	bus := sensetest.NewBus(command, nothing(), nothing(), reply(golden...)).Fail(1, sense.ErrNoAck).Fail(2, sense.ErrNoAck)
	if got, err := sht3x.New(bus, addr, sensetest.NewClock(time.Unix(0, 0))).Sense(t.Context()); err != nil || len(got) != 2 {
		t.Errorf("Sense = %v, %v", got, err)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestSense_FaultsAreReasonsNeverNumbers(t *testing.T) {
	broken := errors.New("connection timed out")
	for name, tc := range map[string]struct {
		bus  *sensetest.Bus
		want measure.FaultReason
	}{
		"nobody there":       {sensetest.NewBus(command).Fail(0, sense.ErrNoAck), measure.NoResponse},
		"bus broken":         {sensetest.NewBus(command).Fail(0, broken), measure.BusDown},
		"bus breaks":         {sensetest.NewBus(command, nothing()).Fail(1, broken), measure.BusDown},
		"never ready":        {sensetest.NewBus(command, nothing(), nothing(), nothing(), nothing()).Fail(1, sense.ErrNoAck).Fail(2, sense.ErrNoAck).Fail(3, sense.ErrNoAck).Fail(4, sense.ErrNoAck), measure.NotReady},
		"shorted":            {sensetest.NewBus(command, nothing()), measure.Shorted},
		"all ones":           {sensetest.NewBus(command, reply(255, 255, 255, 255, 255, 255)), measure.NoResponse},
		"crc, temperature":   {sensetest.NewBus(command, reply(0x67, 0x66, 0x93, 0x80, 0x00, 0xA2)), measure.CRC},
		"crc, humidity":      {sensetest.NewBus(command, reply(0x66, 0x66, 0x93, 0x80, 0x00, 0xA3)), measure.CRC},
		"crc byte swallowed": {sensetest.NewBus(command, reply(0x66, 0x66, 0x93, 0x80, 0x00, 0x00)), measure.CRC},
	} {
		got, err := sht3x.New(tc.bus, addr, sensetest.NewClock(time.Unix(0, 0))).Sense(t.Context())
		if reasonOf(err) != tc.want || got != nil {
			t.Errorf("%s: %v, %v; want %s", name, got, err, tc.want)
		}
		if err := tc.bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSense_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sht3x.New(sensetest.NewBus(command), addr, sensetest.NewClock(time.Unix(0, 0))).Sense(ctx)
	if !errors.Is(err, context.Canceled) || reasonOf(err) != "" {
		t.Errorf("Sense = %v", err)
	}
}

// Sensirion's CRC of 00 00 is 81, of FF FF is AC, of BE EF is 92.
func TestDecode_FullScale(t *testing.T) {
	for _, tc := range []struct {
		b       sensirion.Reply
		celsius float64
		rh      float64
	}{
		{sensirion.Reply{0x00, 0x00, 0x81, 0x00, 0x00, 0x81}, -45, 0},
		{sensirion.Reply{0xFF, 0xFF, 0xAC, 0xFF, 0xFF, 0xAC}, 130, 100},
		{sensirion.Reply{0xBE, 0xEF, 0x92, 0xBE, 0xEF, 0x92}, 85.5230, 74.5846},
	} {
		c, rh, err := sht3x.Decode(tc.b)
		if err != nil || math.Abs(c-tc.celsius) > 0.0005 || math.Abs(rh-tc.rh) > 0.0005 {
			t.Errorf("% x: %v °C, %v %%, %v; want %v, %v", tc.b, c, rh, err, tc.celsius, tc.rh)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(golden)
	f.Fuzz(func(t *testing.T, in []byte) {
		var b sensirion.Reply
		copy(b[:], in)
		c, rh, err := sht3x.Decode(b)
		if err != nil {
			if reasonOf(err) == "" {
				t.Errorf("% x: %v is no fault", b, err)
			}
			return
		}
		if !(c >= -45 && c <= 130 && rh >= 0 && rh <= 100) {
			t.Errorf("% x: %v °C, %v %%", b, c, rh)
		}
	})
}
