package sensirion_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/sense/sensirion"
	"aovuon/gateway/sense/sht3x"
	"aovuon/gateway/sense/sht4x"
)

const addr = 0x44

func golden() i2ctest.IO         { return reply(0x66, 0x66, 0x93, 0x80, 0x00, 0xA2) }
func reply(b ...byte) i2ctest.IO { return i2ctest.IO{Addr: addr, R: b} }
func nothing() i2ctest.IO        { return reply(make([]byte, 6)...) }

func reasonOf(err error) measure.FaultReason {
	f, ok := errors.AsType[*sense.Fault](err)
	if !ok {
		return ""
	}
	return f.Reason
}

// driver is one that is built on this package.
type driver struct {
	open     func(bus i2c.Bus, addr uint16, clock sense.Clock) *sensirion.Dev
	command  i2ctest.IO
	takes    time.Duration // by the data sheet
	humidity float64       // of the golden reply
}

func drivers() map[string]driver {
	return map[string]driver{
		"sht3x": {sht3x.New, i2ctest.IO{Addr: addr, W: []byte{0x24, 0x00}}, 15 * time.Millisecond, 50.001},
		"sht4x": {sht4x.New, i2ctest.IO{Addr: addr, W: []byte{0xFD}}, 8300 * time.Microsecond, 56.501},
	}
}

func TestSense_GoldenReply(t *testing.T) {
	for name, d := range drivers() {
		clock := sensetest.NewClock(time.Unix(0, 0))
		bus := sensetest.NewBus(d.command, golden())
		before := clock.Now().Uptime
		got, err := d.open(bus, addr, clock).Sense(t.Context())
		if err != nil || len(got) != 2 {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
		want := []sense.Sample{{Quantity: measure.AirTemperature, Value: 25}, {Quantity: measure.RelativeHumidity, Value: d.humidity}}
		for i := range want {
			if got[i].Quantity != want[i].Quantity || got[i].Quality != measure.Good || math.Abs(got[i].Value-want[i].Value) > 0.0005 {
				t.Errorf("%s: got %+v; want %+v", name, got[i], want[i])
			}
		}
		if waited := clock.Now().Uptime - before; waited < d.takes {
			t.Errorf("%s: read after %v; a measurement takes %v", name, waited, d.takes)
		}
		if err := bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSense_WaitsForAChipThatIsNotReady(t *testing.T) {
	for name, d := range drivers() {
		bus := sensetest.NewBus(d.command, nothing(), nothing(), golden()).Fail(1, sense.ErrNoAck).Fail(2, sense.ErrNoAck)
		if got, err := d.open(bus, addr, sensetest.NewClock(time.Unix(0, 0))).Sense(t.Context()); err != nil || len(got) != 2 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if err := bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSense_FaultsAreReasonsNeverNumbers(t *testing.T) {
	broken := errors.New("connection timed out")
	for chip, d := range drivers() {
		for name, tc := range map[string]struct {
			bus  *sensetest.Bus
			want measure.FaultReason
		}{
			"nobody there":       {sensetest.NewBus(d.command).Fail(0, sense.ErrNoAck), measure.NoResponse},
			"bus broken":         {sensetest.NewBus(d.command).Fail(0, broken), measure.BusDown},
			"bus breaks":         {sensetest.NewBus(d.command, nothing()).Fail(1, broken), measure.BusDown},
			"never ready":        {sensetest.NewBus(d.command, nothing(), nothing(), nothing(), nothing()).Fail(1, sense.ErrNoAck).Fail(2, sense.ErrNoAck).Fail(3, sense.ErrNoAck).Fail(4, sense.ErrNoAck), measure.NotReady},
			"shorted":            {sensetest.NewBus(d.command, nothing()), measure.Shorted},
			"all ones":           {sensetest.NewBus(d.command, reply(255, 255, 255, 255, 255, 255)), measure.NoResponse},
			"crc, temperature":   {sensetest.NewBus(d.command, reply(0x67, 0x66, 0x93, 0x80, 0x00, 0xA2)), measure.CRC},
			"crc, humidity":      {sensetest.NewBus(d.command, reply(0x66, 0x66, 0x93, 0x80, 0x00, 0xA3)), measure.CRC},
			"crc byte swallowed": {sensetest.NewBus(d.command, reply(0x66, 0x66, 0x93, 0x80, 0x00, 0x00)), measure.CRC},
		} {
			got, err := d.open(tc.bus, addr, sensetest.NewClock(time.Unix(0, 0))).Sense(t.Context())
			if reasonOf(err) != tc.want || got != nil {
				t.Errorf("%s, %s: %v, %v; want %s", chip, name, got, err, tc.want)
			}
			if err := tc.bus.Close(); err != nil {
				t.Errorf("%s, %s: %v", chip, name, err)
			}
		}
	}
}

func TestSense_EndsWithItsContext(t *testing.T) {
	for name, d := range drivers() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := d.open(sensetest.NewBus(d.command), addr, sensetest.NewClock(time.Unix(0, 0))).Sense(ctx)
		if !errors.Is(err, context.Canceled) || reasonOf(err) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
