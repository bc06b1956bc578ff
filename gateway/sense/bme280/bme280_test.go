package bme280_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/bme280"
	"aovuon/gateway/sense/sensetest"
)

const addr = 0x76

// low is registers 0x88..0xA1 of the data sheet's example: T1..3, P1..9, a reserved byte, H1 = 75.
func low() (b [26]byte) {
	for i, v := range []int{27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000} {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(v))
	}
	b[25] = 75
	return b
}

// high is registers 0xE1..0xE7, from hexadecimal text.
func high(t *testing.T, s string) (b [7]byte) {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil || len(raw) != len(b) {
		t.Fatalf("%q: %v", s, err)
	}
	copy(b[:], raw)
	return b
}

func near(got, want, within float64) bool { return math.Abs(got-want) <= within }

func TestCalibration_SignedH4H5(t *testing.T) {
	for _, tc := range sensetest.BME280s() {
		cal := bme280.ParseCalibration(low(), tc.High)
		if cal.H4 != tc.H4 || cal.H5 != tc.H5 || cal.H1 != 75 || cal.H2 != 366 || cal.H3 != 0 || cal.H6 != 30 {
			t.Errorf("% x: %+v; want H4 %d, H5 %d", tc.High, cal, tc.H4, tc.H5)
		}
		// The vectors are of the integer formulas; the floating-point ones agree to their rounding.
		if c := cal.Celsius(tc.T); !near(c, tc.Celsius, 0.005) {
			t.Errorf("% x: %v °C; want %v", tc.High, c, tc.Celsius)
		}
		if rh := cal.Humidity(tc.H, tc.T); !near(rh, tc.Humidity, 0.005) {
			t.Errorf("% x: %v %%; want %v", tc.High, rh, tc.Humidity)
		}
	}
}

func TestCalibration_Pressure(t *testing.T) {
	cal := bme280.ParseCalibration(low(), high(t, "6E 01 00 13 25 03 1E"))
	if hpa, ok := cal.Hectopascal(sensetest.BME280RawPressure, sensetest.BME280RawTemperature); !ok || !near(hpa, sensetest.BME280Hectopascal, 0.0001) {
		t.Errorf("%v hPa, %v; want %v", hpa, ok, sensetest.BME280Hectopascal)
	}
	cal.P1 = 0
	if hpa, ok := cal.Hectopascal(415148, 519888); ok {
		t.Errorf("a division by zero gives %v hPa", hpa)
	}
}

func TestCalibration_HumidityIsNotClamped(t *testing.T) {
	cal := bme280.ParseCalibration(low(), high(t, "6E 01 00 13 25 03 1E"))
	if rh := cal.Humidity(60000, 519888); rh <= 100 {
		t.Errorf("60000 counts give %v %%", rh)
	}
	if rh := cal.Humidity(10000, 519888); rh >= 0 {
		t.Errorf("10000 counts give %v %%", rh)
	}
}

func ask(reg byte, answer ...byte) i2ctest.IO {
	return i2ctest.IO{Addr: addr, W: []byte{reg}, R: answer}
}
func set(reg, v byte) i2ctest.IO { return i2ctest.IO{Addr: addr, W: []byte{reg, v}} }

// identify is the talk before the first measurement.
func identify(t *testing.T) []i2ctest.IO {
	l, h := low(), high(t, "6E 01 00 13 E5 FC 1E")
	return []i2ctest.IO{ask(0xD0, 0x60), ask(0x88, l[:]...), ask(0xE1, h[:]...)}
}

// measured is the talk of a measurement that gives data.
func measured(data ...byte) []i2ctest.IO {
	return []i2ctest.IO{set(0xF2, 1), set(0xF4, 0x25), ask(0xF3, 0), ask(0xF7, data...)}
}

// golden is pressure 415148, temperature 519888, humidity 28000.
func golden() []byte { return []byte{0x65, 0x5A, 0xC0, 0x7E, 0xED, 0x00, 0x6D, 0x60} }

func reasonOf(err error) measure.FaultReason {
	f, ok := errors.AsType[*sense.Fault](err)
	if !ok {
		return ""
	}
	return f.Reason
}

func newDev(bus *sensetest.Bus) *bme280.Dev {
	return bme280.New(bus, addr, sensetest.NewClock(time.Unix(0, 0)))
}

func TestSense_GoldenTalk(t *testing.T) {
	ops := append(identify(t), measured(golden()...)...)
	ops = append(ops, set(0xF2, 1), set(0xF4, 0x25), ask(0xF3, 0x08), ask(0xF3, 0x08), ask(0xF3, 0), ask(0xF7, golden()...))
	bus := sensetest.NewBus(ops...)
	d := newDev(bus)
	want := []sense.Sample{
		{Quantity: measure.AirTemperature, Value: 25.08},
		{Quantity: measure.RelativeHumidity, Value: 47.562},
		{Quantity: measure.AirPressure, Value: 1006.53},
	}
	for range 2 {
		got, err := d.Sense(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i].Quantity != want[i].Quantity || got[i].Quality != measure.Good || !near(got[i].Value, want[i].Value, 0.005) {
				t.Errorf("got %+v; want %+v", got[i], want[i])
			}
		}
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestSense_FaultsAreReasonsNeverNumbers(t *testing.T) {
	begun := func(ops ...i2ctest.IO) *sensetest.Bus { return sensetest.NewBus(append(identify(t), ops...)...) }
	busy := []i2ctest.IO{set(0xF2, 1), set(0xF4, 0x25)}
	for range 10 {
		busy = append(busy, ask(0xF3, 0x08))
	}
	for name, tc := range map[string]struct {
		bus  *sensetest.Bus
		want measure.FaultReason
	}{
		"nobody there":        {sensetest.NewBus(ask(0xD0, 0)).Fail(0, sense.ErrNoAck), measure.NoResponse},
		"bus broken":          {sensetest.NewBus(ask(0xD0, 0)).Fail(0, errors.New("connection timed out")), measure.BusDown},
		"a BMP280":            {sensetest.NewBus(ask(0xD0, 0x58)), measure.Refused},
		"another chip":        {sensetest.NewBus(ask(0xD0, 0x12)), measure.Garbled},
		"shorted":             {sensetest.NewBus(ask(0xD0, 0)), measure.Shorted},
		"all ones":            {sensetest.NewBus(ask(0xD0, 0xFF)), measure.NoResponse},
		"calibration zero":    {sensetest.NewBus(ask(0xD0, 0x60), ask(0x88, make([]byte, 26)...), ask(0xE1, make([]byte, 7)...)), measure.Garbled},
		"gone in calibration": {sensetest.NewBus(identify(t)[:2]...).Fail(1, sense.ErrNoAck), measure.NoResponse},
		"gone in the second":  {sensetest.NewBus(identify(t)...).Fail(2, sense.ErrNoAck), measure.NoResponse},
		"gone at the start":   {begun(set(0xF2, 1)).Fail(3, sense.ErrNoAck), measure.NoResponse},
		"gone in measuring":   {begun(set(0xF2, 1), set(0xF4, 0x25), ask(0xF3, 0)).Fail(5, sense.ErrNoAck), measure.NoResponse},
		"gone at the end":     {begun(measured(golden()...)...).Fail(6, sense.ErrNoAck), measure.NoResponse},
		"never done":          {begun(busy...), measure.NotReady},
		"started anew":        {begun(measured(0x80, 0, 0, 0x80, 0, 0, 0x80, 0)...), measure.PowerUp},
		"shorted later":       {begun(measured(0, 0, 0, 0, 0, 0, 0, 0)...), measure.Shorted},
		"all ones later":      {begun(measured(255, 255, 255, 255, 255, 255, 255, 255)...), measure.NoResponse},
	} {
		got, err := newDev(tc.bus).Sense(t.Context())
		if reasonOf(err) != tc.want || got != nil {
			t.Errorf("%s: %v, %v; want %s", name, got, err, tc.want)
		}
		if err := tc.bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSense_ReadsTheCalibrationAgainAfterAFault(t *testing.T) {
	ops := append(identify(t), measured(golden()...)...)
	ops = append(ops, set(0xF2, 1))
	ops = append(ops, identify(t)...) // another chip may have been plugged in
	ops = append(ops, measured(golden()...)...)
	bus := sensetest.NewBus(ops...).Fail(7, sense.ErrNoAck)
	d := newDev(bus)
	var got []measure.FaultReason
	for range 3 {
		_, err := d.Sense(t.Context())
		got = append(got, reasonOf(err))
	}
	if diff := cmp.Diff([]measure.FaultReason{"", measure.NoResponse, ""}, got); diff != "" {
		t.Error(diff)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestSense_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ops := append(identify(t), set(0xF2, 1), set(0xF4, 0x25))
	_, err := newDev(sensetest.NewBus(ops...)).Sense(ctx)
	if !errors.Is(err, context.Canceled) || reasonOf(err) != "" {
		t.Errorf("Sense = %v", err)
	}
}

func FuzzCalibration(f *testing.F) {
	l := low()
	f.Add(l[:], []byte{0x6E, 1, 0, 0x13, 0xE5, 0xFC, 0x1E}, uint32(415148), uint32(519888), uint32(28000))
	f.Fuzz(func(t *testing.T, lo, hi []byte, p, temp, h uint32) {
		var l [26]byte
		var u [7]byte
		copy(l[:], lo)
		copy(u[:], hi)
		cal := bme280.ParseCalibration(l, u)
		if cal.H4 < -2048 || cal.H4 > 2047 || cal.H5 < -2048 || cal.H5 > 2047 {
			t.Errorf("% x: H4 %d, H5 %d are no 12-bit numbers", u, cal.H4, cal.H5)
		}
		// Whatever the numbers, arithmetic does not fail; the caller grades the values.
		c, rh := cal.Celsius(temp&0xFFFFF), cal.Humidity(h&0xFFFF, temp&0xFFFFF)
		if math.IsNaN(c) || math.IsNaN(rh) {
			t.Errorf("% x % x: %v °C, %v %%", l, u, c, rh)
		}
		if hpa, ok := cal.Hectopascal(p&0xFFFFF, temp&0xFFFFF); ok && math.IsNaN(hpa) {
			t.Errorf("% x: %v hPa", l, hpa)
		}
	})
}
