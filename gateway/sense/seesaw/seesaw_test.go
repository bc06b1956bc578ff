package seesaw_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/seesaw"
	"aovuon/gateway/sense/sensetest"
)

const addr = 0x36

func write(b ...byte) i2ctest.IO { return i2ctest.IO{Addr: addr, W: b} }
func read(b ...byte) i2ctest.IO  { return i2ctest.IO{Addr: addr, R: b} }

func id(b byte) []i2ctest.IO                  { return []i2ctest.IO{write(0x00, 0x01), read(b)} }
func touch(hi, lo byte) []i2ctest.IO          { return []i2ctest.IO{write(0x0F, 0x10), read(hi, lo)} }
func temperature(b ...byte) []i2ctest.IO      { return []i2ctest.IO{write(0x00, 0x04), read(b...)} }
func talk(parts ...[]i2ctest.IO) []i2ctest.IO { return slices.Concat(parts...) }

func clock() *sensetest.Clock { return sensetest.NewClock(time.Unix(0, 0)) }

func reasonOf(err error) measure.FaultReason {
	f, ok := errors.AsType[*sense.Fault](err)
	if !ok {
		return ""
	}
	return f.Reason
}

func samples(counts, celsius float64) []sense.Sample {
	return []sense.Sample{{Quantity: measure.SoilCapacitance, Value: counts}, {Quantity: measure.SoilTemperature, Value: celsius}}
}

// spoken is a talk, what comes of it, and how long it takes.
type spoken struct {
	ops  []i2ctest.IO
	want []sense.Sample
	wait time.Duration
}

func golden(n int) spoken {
	v := sensetest.SoilReadings()[n]
	return spoken{talk(id(0x55), touch(v.Touch[0], v.Touch[1]), temperature(v.Temperature[:]...)), samples(v.Counts, v.Celsius), 7 * time.Millisecond}
}

func TestSense_Talks(t *testing.T) {
	const ms = time.Millisecond
	for name, tc := range map[string]spoken{
		"wet and warm": golden(0),
		"frost":        golden(1),
		"busy twice": {
			talk(id(0x55), touch(0xFF, 0xFF), touch(0x10, 0x00), touch(0x0F, 0xFF), temperature(0x00, 0x1C, 0x00, 0x00)),
			samples(4095, 28), (1 + 5 + 6 + 7 + 1) * ms,
		},
	} {
		bus, c := sensetest.NewBus(tc.ops...), clock()
		before := c.Now().Uptime
		got, err := seesaw.New(bus, addr, c).Sense(t.Context())
		if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
		if waited := c.Now().Uptime - before; waited != tc.wait {
			t.Errorf("%s: waited %v; want %v", name, waited, tc.wait)
		}
		if err := bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSense_FaultsAreReasonsNeverNumbers(t *testing.T) {
	five := func(hi, lo byte) []i2ctest.IO {
		return talk(id(0x55), touch(hi, lo), touch(hi, lo), touch(hi, lo), touch(hi, lo), touch(hi, lo))
	}
	of := sensetest.NewBus
	for name, tc := range map[string]struct {
		bus  *sensetest.Bus
		want measure.FaultReason
	}{
		"nobody there":             {of(write(0x00, 0x01)).Fail(0, sense.ErrNoAck), measure.NoResponse},
		"gone while it works":      {of(talk(id(0x55), touch(0, 0))...).Fail(3, sense.ErrNoAck), measure.NoResponse},
		"bus broken":               {of(write(0x00, 0x01)).Fail(0, errors.New("connection timed out")), measure.BusDown},
		"id shorted":               {of(id(0)...), measure.Shorted},
		"id all ones":              {of(id(0xFF)...), measure.NoResponse},
		"another chip":             {of(id(0x60)...), measure.Garbled},
		"busy for ever":            {of(five(0xFF, 0xFF)...), measure.NotReady},
		"too many counts":          {of(five(0x10, 0x00)...), measure.Garbled},
		"counts shorted":           {of(talk(id(0x55), touch(0, 0))...), measure.Shorted},
		"temperature shorted":      {of(talk(id(0x55), touch(2, 0), temperature(0, 0, 0, 0))...), measure.Shorted},
		"temperature all ones":     {of(talk(id(0x55), touch(2, 0), temperature(255, 255, 255, 255))...), measure.NoResponse},
		"gone before temperature":  {of(talk(id(0x55), touch(2, 0), []i2ctest.IO{write(0x00, 0x04)})...).Fail(4, sense.ErrNoAck), measure.NoResponse},
		"breaks after temperature": {of(talk(id(0x55), touch(2, 0), temperature(0, 0, 0, 0))...).Fail(5, errors.New("input/output error")), measure.BusDown},
	} {
		got, err := seesaw.New(tc.bus, addr, clock()).Sense(t.Context())
		if reasonOf(err) != tc.want || got != nil {
			t.Errorf("%s: %v, %v; want %s", name, got, err, tc.want)
		}
		if err := tc.bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSense_AsksWhoItIsAtStartAndAfterHealing(t *testing.T) {
	good := talk(touch(2, 0), temperature(0, 0x1C, 0, 0))
	bus := sensetest.NewBus(talk(id(0x55), good, good, []i2ctest.IO{write(0x0F, 0x10)}, id(0x55), good)...).Fail(10, sense.ErrNoAck)
	d := seesaw.New(bus, addr, clock())
	for i, want := range []measure.FaultReason{"", "", measure.NoResponse, ""} {
		if _, err := d.Sense(t.Context()); reasonOf(err) != want {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestSense_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := seesaw.New(sensetest.NewBus(write(0x00, 0x01)), addr, clock()).Sense(ctx)
	if !errors.Is(err, context.Canceled) || reasonOf(err) != "" {
		t.Errorf("Sense = %v", err)
	}
}

func FuzzCelsius(f *testing.F) {
	f.Add(uint32(0x001C4000))
	f.Fuzz(func(t *testing.T, raw uint32) {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], raw)
		v, err := seesaw.Celsius(b)
		if err != nil {
			if reasonOf(err) == "" || v != 0 {
				t.Errorf("%x: %v, %v", raw, v, err)
			}
			return
		}
		if v < -32768 || v >= 32768 || int32(v*65536) != int32(raw) {
			t.Errorf("%x: %v", raw, v)
		}
	})
}
