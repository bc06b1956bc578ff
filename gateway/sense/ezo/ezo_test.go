package ezo_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ezo"
	"aovuon/gateway/sense/sensetest"
)

const addr = 0x63

func write(s string) i2ctest.IO { return i2ctest.IO{Addr: addr, W: []byte(s)} }

// answer is a reply: the status byte, text, zeros.
func answer(code byte, text string) i2ctest.IO {
	b := make([]byte, ezo.ReplyLength)
	b[0] = code
	copy(b[1:], text)
	return i2ctest.IO{Addr: addr, R: b}
}

func all(b byte) i2ctest.IO {
	return i2ctest.IO{Addr: addr, R: []byte(strings.Repeat(string([]byte{b}), ezo.ReplyLength))}
}

// calibrated is the talk that comes before the first reading.
func calibrated(more ...i2ctest.IO) []i2ctest.IO {
	return append([]i2ctest.IO{write("Cal,?"), answer(1, "?Cal,3")}, more...)
}

// water is the thermometer beside the circuit.
type water struct {
	celsius float64
	stale   bool
}

func (w water) Input(q measure.Quantity) (measure.Input, bool) {
	if q != measure.WaterTemperature {
		return measure.Input{}, false
	}
	return measure.Input{Quantity: q, Value: w.celsius, Sensor: "ao1-temp", Age: 12 * time.Second}, !w.stale
}

func at(celsius float64) sense.Inputs { return water{celsius: celsius} }

func reasonOf(err error) measure.FaultReason {
	f, ok := errors.AsType[*sense.Fault](err)
	if !ok {
		return ""
	}
	return f.Reason
}

func clock() *sensetest.Clock { return sensetest.NewClock(time.Unix(0, 0)) }

func TestSense_Talks(t *testing.T) {
	golden := "\x37\x2E\x33\x31\x32" // the golden frame: 01 37 2E 33 31 32 00
	for name, tc := range map[string]struct {
		board  ezo.Board
		inputs sense.Inputs
		ops    []i2ctest.IO
		want   sense.Sample
		by     string // its inputs
	}{
		"pH, golden frame, not compensated": {
			ezo.PH, sense.NoInputs{}, calibrated(write("RT,25.00"), answer(1, golden)),
			sense.Sample{Quantity: measure.PH, Value: 7.312, Quality: measure.Estimated}, "t=25?",
		},
		"pH, compensated": {
			ezo.PH, at(27.3), calibrated(write("RT,27.30"), answer(1, golden)),
			sense.Sample{Quantity: measure.PH, Value: 7.312}, "t=27.3@ao1-temp+12",
		},
		"DO, thermometer silent": {
			ezo.DO, water{celsius: 31, stale: true}, calibrated(write("RT,31.00"), answer(1, "6.41")),
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41, Quality: measure.Estimated}, "t=31@ao1-temp+12?",
		},
		"DO, two outputs": {
			ezo.DO, at(-1.254), calibrated(write("RT,-1.25"), answer(1, "6.41,81.3")),
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41}, "t=-1.254@ao1-temp+12",
		},
		"early read": {
			ezo.PH, at(25), calibrated(write("RT,25.00"), answer(254, ""), answer(254, ""), answer(1, golden)),
			sense.Sample{Quantity: measure.PH, Value: 7.312}, "t=25@ao1-temp+12",
		},
		"bit 7 came out wrong": {
			ezo.PH, at(25), calibrated(write("RT,25.00"), answer(1, "\xB7\x2E\xB3\x31\xB2\x80\x80")),
			sense.Sample{Quantity: measure.PH, Value: 7.312}, "t=25@ao1-temp+12",
		},
		"not calibrated": {
			ezo.DO, at(25),
			[]i2ctest.IO{write("Cal,?"), answer(1, "?Cal,0"), write("RT,25.00"), answer(1, "6.41")},
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41, Quality: measure.Uncalibrated}, "t=25@ao1-temp+12",
		},
		"not calibrated nor compensated": {
			ezo.DO, sense.NoInputs{},
			[]i2ctest.IO{write("Cal,?"), answer(1, "?CAL,0"), write("RT,25.00"), answer(1, "6.41")},
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41, Quality: measure.Estimated}, "t=25?",
		},
		"does not know Cal,?": {
			ezo.DO, at(25),
			[]i2ctest.IO{write("Cal,?"), answer(2, ""), write("RT,25.00"), answer(1, "6.41")},
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41, Quality: measure.Uncalibrated}, "t=25@ao1-temp+12",
		},
		"beyond its limits is not cut off": {
			ezo.PH, at(25), calibrated(write("RT,25.00"), answer(1, "-1.250")),
			sense.Sample{Quantity: measure.PH, Value: -1.25}, "t=25@ao1-temp+12",
		},
	} {
		bus := sensetest.NewBus(tc.ops...)
		got, err := ezo.New(bus, addr, tc.board, tc.inputs, clock()).Sense(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if by := measure.FormatInputs(got[0].Inputs); by != tc.by {
			t.Errorf("%s: computed with %q; want %q", name, by, tc.by)
		}
		got[0].Inputs = nil
		if diff := cmp.Diff([]sense.Sample{tc.want}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if err := bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSense_GivesTheCircuitItsTime(t *testing.T) {
	c := clock()
	before := c.Now().Uptime
	bus := sensetest.NewBus(calibrated(write("RT,25.00"), answer(1, "7.0"))...)
	if _, err := ezo.New(bus, addr, ezo.PH, sense.NoInputs{}, c).Sense(t.Context()); err != nil {
		t.Fatal(err)
	}
	if waited := c.Now().Uptime - before; waited != 1200*time.Millisecond {
		t.Errorf("waited %v; want 300 ms for Cal,? and 900 ms for R", waited)
	}
}

func TestSense_FaultsAreReasonsNeverNumbers(t *testing.T) {
	busy := func(ops []i2ctest.IO) []i2ctest.IO {
		for range 10 {
			ops = append(ops, answer(254, ""))
		}
		return ops
	}
	ask := write("RT,25.00")
	for name, tc := range map[string]struct {
		bus  *sensetest.Bus
		want measure.FaultReason
	}{
		"nobody there":        {sensetest.NewBus(write("Cal,?")).Fail(0, sense.ErrNoAck), measure.NoResponse},
		"gone while working":  {sensetest.NewBus(calibrated(ask, answer(0, ""))...).Fail(3, sense.ErrNoAck), measure.NoResponse},
		"bus broken":          {sensetest.NewBus(write("Cal,?")).Fail(0, errors.New("connection timed out")), measure.BusDown},
		"busy for ever":       {sensetest.NewBus(busy(calibrated(ask))...), measure.NotReady},
		"busy from the start": {sensetest.NewBus(busy([]i2ctest.IO{write("Cal,?")})...), measure.NotReady},
		"syntax error":        {sensetest.NewBus(calibrated(ask, answer(2, ""))...), measure.Refused},
		"no data":             {sensetest.NewBus(calibrated(ask, answer(255, ""))...), measure.Refused},
		"shorted":             {sensetest.NewBus(calibrated(ask, all(0))...), measure.Shorted},
		"all ones":            {sensetest.NewBus(calibrated(ask, all(0xFF))...), measure.NoResponse},
		"unknown status":      {sensetest.NewBus(calibrated(ask, answer(0x81, "7.312"))...), measure.Garbled},
		"no end":              {sensetest.NewBus(calibrated(ask, i2ctest.IO{Addr: addr, R: []byte("\x01" + strings.Repeat("7", ezo.ReplyLength-1))})...), measure.Garbled},
		"no text":             {sensetest.NewBus(calibrated(ask, answer(1, ""))...), measure.Garbled},
		"damaged, Mycodo":     {sensetest.NewBus(calibrated(ask, answer(1, "0.00,0( &"))...), measure.Garbled},
		"a letter":            {sensetest.NewBus(calibrated(ask, answer(1, "7.3l2"))...), measure.Garbled},
		"two points":          {sensetest.NewBus(calibrated(ask, answer(1, "7.3.2"))...), measure.Garbled},
		"what Go would read":  {sensetest.NewBus(calibrated(ask, answer(1, "0x1p4"))...), measure.Garbled},
		"not a number":        {sensetest.NewBus(calibrated(ask, answer(1, "NaN"))...), measure.Garbled},
		"another answer":      {sensetest.NewBus(calibrated(ask, answer(1, "?Cal,3"))...), measure.Garbled},
		"garbled calibration": {sensetest.NewBus(write("Cal,?"), answer(1, "?Cbl,1")), measure.Garbled},
		"odd calibration":     {sensetest.NewBus(write("Cal,?"), answer(1, "?Cal,x")), measure.Garbled},
	} {
		got, err := ezo.New(tc.bus, addr, ezo.DO, sense.NoInputs{}, clock()).Sense(t.Context())
		if reasonOf(err) != tc.want || got != nil {
			t.Errorf("%s: %v, %v; want %s", name, got, err, tc.want)
		}
		if err := tc.bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSense_AsksForTheCalibrationAtStartAndAfterHealing(t *testing.T) {
	ops := calibrated(
		write("RT,25.00"), answer(1, "6.10"),
		write("RT,25.00"), answer(1, "6.20"), // known: not asked again
		write("RT,25.00"), // fails: another circuit may be plugged in
		write("Cal,?"), answer(1, "?Cal,0"), write("RT,25.00"), answer(1, "6.30"),
		write("Cal,?"), answer(1, "?Cal,1"), write("RT,25.00"), answer(1, "6.40"), // somebody calibrated it
		write("RT,25.00"), answer(1, "6.50"),
	)
	bus := sensetest.NewBus(ops...).Fail(6, sense.ErrNoAck)
	d := ezo.New(bus, addr, ezo.DO, at(25), clock())
	var got []string
	for range 6 {
		s, err := d.Sense(t.Context())
		if err != nil {
			got = append(got, string(reasonOf(err)))
			continue
		}
		got = append(got, s[0].Quality.String())
	}
	want := []string{"good", "good", "no-response", "uncalibrated", "good", "good"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestSense_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ezo.New(sensetest.NewBus(write("Cal,?")), addr, ezo.PH, sense.NoInputs{}, clock()).Sense(ctx)
	if !errors.Is(err, context.Canceled) || reasonOf(err) != "" {
		t.Errorf("Sense = %v", err)
	}
}

func FuzzReply(f *testing.F) {
	for _, op := range []i2ctest.IO{answer(1, "7.312"), answer(1, "6.41,81.3"), answer(1, "0.00,0( &"), answer(254, ""), answer(255, ""), answer(1, "?Cal,2")} {
		f.Add(op.R)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var b [ezo.ReplyLength]byte
		copy(b[:], in)
		text, err := ezo.ParseReply(b)
		if err != nil {
			if reasonOf(err) == "" {
				t.Errorf("%x: %v is no fault", in, err)
			}
			return
		}
		for i := range len(text) {
			if text[i] == 0 || text[i] > 0x7F {
				t.Errorf("%x: text %q", in, text)
			}
		}
		if v, err := ezo.ParseReading(text); err == nil {
			if _, err := measure.PH.Grade(v); err != nil {
				t.Errorf("%q is read as %v", text, v)
			}
		} else if reasonOf(err) != measure.Garbled {
			t.Errorf("%q: %v", text, err)
		}
		if n, err := ezo.ParseCalibration(text); err == nil && (n < 0 || n > 3) {
			t.Errorf("%q is read as %d points", text, n)
		}
	})
}
