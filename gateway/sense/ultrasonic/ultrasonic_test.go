package ultrasonic_test

import (
	"context"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/sense/serial"
	"aovuon/gateway/sense/ultrasonic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// air is an air of a known temperature.
type air float64

func (a air) Input(q measure.Quantity) (measure.Input, bool) {
	return measure.Input{Quantity: q, Value: float64(a), Sensor: "kk", Age: time.Minute}, q == measure.AirTemperature
}

func clock() *sensetest.Clock {
	return sensetest.NewClock(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
}

// talk is what the sensor says, 100 ms apart.
func talk(c sense.Clock, chunks ...[]byte) *sensetest.Serial {
	t := sensetest.Talk{}
	for _, b := range chunks {
		t.Hear = append(t.Hear, sensetest.Chunk{After: 100 * time.Millisecond, Bytes: b})
	}
	return sensetest.NewSerial("/dev/ttyUSB0", c, t)
}

// golden is the maker's own example: 1953 mm.
func golden() []byte {
	frame, _ := sensetest.Ultrasonic()
	return frame
}

func TestSense_GoldenFrame(t *testing.T) {
	samples, err := ultrasonic.New(talk(clock(), golden()), 250, air(20)).Sense(t.Context())
	if err != nil || len(samples) != 2 {
		t.Fatal(samples, err)
	}
	level, distance := samples[0], samples[1]
	if level.Quantity != measure.WaterLevel || math.Abs(level.Value-54.7) > 1e-9 || level.Quality != measure.Good {
		t.Errorf("%+v", level)
	}
	if distance.Quantity != measure.SurfaceDistance || math.Abs(distance.Value-195.3) > 1e-9 || distance.Quality != measure.Good {
		t.Errorf("%+v", distance)
	}
	if len(level.Inputs) != 1 || level.Inputs[0].Sensor != "kk" {
		t.Errorf("%+v", level.Inputs)
	}
}

func TestSense_SpeedOfSound(t *testing.T) {
	// c = 331.3 m/s · √(1 + t/273.15): 343.21 at 20 °C, 349.0 at 30 °C, 325.2 at −10 °C.
	for temperature, want := range map[float64]float64{20: 195.3, 30: 198.60, 35: 200.23, 10: 191.94, -10: 185.04} {
		if got := ultrasonic.Distance(1953, temperature); math.Abs(got-want) > 0.01 {
			t.Errorf("%g °C: %.3f cm, want %.2f", temperature, got, want)
		}
		speed := func(t float64) float64 { return 331.3 + 0.606*t } // the usual straight line, from 0 to 30 °C
		if got := ultrasonic.Distance(1953, temperature); math.Abs(got/195.3-speed(temperature)/speed(20)) > 2e-3 {
			t.Errorf("%g °C: %.3f cm is off the straight line", temperature, got)
		}
	}
	samples, err := ultrasonic.New(talk(clock(), golden()), 250, sense.NoInputs{}).Sense(t.Context())
	if err != nil || samples[0].Quality != measure.Estimated || !samples[0].Inputs[0].Assumed || math.Abs(samples[0].Value-54.7) > 1e-9 {
		t.Errorf("with no thermometer: %+v, %v", samples, err)
	}
}

func TestSense_FindsTheFrame(t *testing.T) {
	for name, chunks := range map[string][][]byte{
		"begun within one":      {{0xA1, 0xA7}, golden()},
		"in halves":             {golden()[:1], golden()[1:3], golden()[3:]},
		"after a damaged one":   {{0xFF, 0x07, 0xA1, 0xA6}, golden()},
		"after an FF":           {{0xFF}, golden()},
		"distance low byte FF":  {{0x03, 0x12, 0xFF, 0x07}, golden()},
		"after bytes of others": {{1, 2, 3, 4, 5, 6}, golden()},
	} {
		samples, err := ultrasonic.New(talk(clock(), chunks...), 250, air(20)).Sense(t.Context())
		if err != nil || math.Abs(samples[1].Value-195.3) > 1e-9 {
			t.Errorf("%s: %+v, %v", name, samples, err)
		}
	}
	// What the port has kept of the time nobody listened is old water.
	c := clock()
	p := talk(c, []byte{0xFF, 0x01, 0x00, 0x00}, []byte{0xFF, 0x01, 0x00, 0x00}, golden())
	if err := c.Sleep(t.Context(), 250*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if samples, err := ultrasonic.New(p, 250, air(20)).Sense(t.Context()); err != nil || math.Abs(samples[1].Value-195.3) > 1e-9 {
		t.Errorf("old frames: %+v, %v", samples, err)
	}
}

func TestSense_EveryFaultHasItsReason(t *testing.T) {
	many := func(p []byte) (list [][]byte) {
		for range 9 {
			list = append(list, p)
		}
		return list
	}
	for name, tc := range map[string]struct {
		chunks [][]byte
		want   measure.FaultReason
	}{
		"nothing":           {nil, measure.NoResponse},
		"sums that do not":  {many([]byte{0xFF, 0x07, 0xA1, 0xA6}), measure.CRC},
		"no header":         {many([]byte{0x12, 0x9A, 0x3C}), measure.Garbled},
		"half a frame":      {[][]byte{{0xFF, 0x07}}, measure.Garbled},
		"no echo":           {[][]byte{{0xFF, 0x00, 0x00, 0xFF}}, measure.Refused},
		"nothing below":     {[][]byte{{0xFF, 0xFF, 0xFD, 0xFB}}, measure.Refused},
		"sound of a second": {[][]byte{{0xFF, 0xFF, 0xFE, 0xFC}}, measure.Refused},
	} {
		c := clock()
		begin := c.Now().Uptime
		samples, err := ultrasonic.New(talk(c, tc.chunks...), 250, air(20)).Sense(t.Context())
		fault, ok := errors.AsType[*sense.Fault](err)
		if !ok || fault.Reason != tc.want || samples != nil {
			t.Errorf("%s: %+v, %v; want %s", name, samples, err, tc.want)
		}
		if took := c.Now().Uptime - begin; took > time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
	port := broken{}
	_, err := ultrasonic.New(port, 250, air(20)).Sense(t.Context())
	if fault, ok := errors.AsType[*sense.Fault](err); !ok || fault.Reason != measure.BusDown || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a broken port: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ultrasonic.New(talk(clock()), 250, air(20)).Sense(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// broken is a port that does not open.
type broken struct{}

func (broken) String() string { return "broken" }
func (broken) Use(context.Context, serial.Line, func(serial.Conn) error) error {
	return io.ErrClosedPipe
}

func TestSense_InTheBlindZoneIsOutOfRangeAndKept(t *testing.T) {
	samples, err := ultrasonic.New(talk(clock(), []byte{0xFF, 0x00, 0x1D, 0x1C}), 250, air(20)).Sense(t.Context()) // 29 mm
	if err != nil || samples[0].Quality != measure.OutOfRange || math.Abs(samples[0].Value-247.1) > 1e-9 || samples[1].Quality != measure.OutOfRange {
		t.Errorf("%+v, %v", samples, err)
	}
	samples, err = ultrasonic.New(talk(clock(), []byte{0xFF, 0x00, 0x1E, 0x1D}), 250, air(20)).Sense(t.Context()) // 30 mm
	if err != nil || samples[0].Quality != measure.Good {
		t.Errorf("%+v, %v", samples, err)
	}
}

func FuzzSense(f *testing.F) {
	f.Add(golden())
	f.Add([]byte{0xFF, 0xFF, 0x07, 0xA1, 0xA7})
	f.Fuzz(func(t *testing.T, heard []byte) {
		samples, err := ultrasonic.New(talk(clock(), heard), 250, air(20)).Sense(t.Context())
		if (err == nil) != (len(samples) == 2) {
			t.Errorf("%+v, %v", samples, err)
		}
		if fault, ok := errors.AsType[*sense.Fault](err); err != nil && (!ok || !fault.Reason.Valid()) {
			t.Error(err)
		}
	})
}
