package chip_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/gateway/sense/sensetest"
)

// The chips write what the gateway's drivers are tested to read: the vectors are theirs, and nowhere twice.

func TestGolden_Scratchpads(t *testing.T) {
	for _, v := range sensetest.Scratchpads() {
		if chip.DallasCRC(v.Bytes[:8]) != v.Bytes[8] {
			t.Errorf("% x: its checksum is %02x", v.Bytes[:], chip.DallasCRC(v.Bytes[:8]))
		}
		if !v.Genuine && !v.PowerUp {
			continue
		}
		raw := int16(math.Round(16 * v.Celsius))
		byte6 := byte(0x0C)
		if v.Genuine {
			byte6 = 0x10 - byte(raw&0x0F)
		}
		if got := chip.Scratchpad(raw, byte6); got != v.Bytes {
			t.Errorf("%g °C: % x, want % x", v.Celsius, got[:], v.Bytes[:])
		}
		// As the kernel's document has it.
		pad := fmt.Sprintf("% x", v.Bytes[:])
		want := fmt.Sprintf("%s : crc=%02x YES\n%s t=%.0f\n", pad, v.Bytes[8], pad, 1000*v.Celsius)
		if got := chip.SlaveText(v.Bytes); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
	if got, want := chip.SlaveText([9]byte{}), "00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n"; got != want {
		t.Errorf("a short: %q", got)
	}
}

func TestGolden_Hygrometers(t *testing.T) {
	for _, v := range sensetest.Hygrometers() {
		if got := chip.HygrometerWords(v.Celsius, v.SHT3x, 0, 100); !bytes.Equal(got, v.Reply[:]) {
			t.Errorf("SHT3x, %g °C, %g %%: % x, want % x", v.Celsius, v.SHT3x, got, v.Reply[:])
		}
		if got := chip.HygrometerWords(v.Celsius, v.SHT4x, -6, 125); !bytes.Equal(got, v.Reply[:]) {
			t.Errorf("SHT4x, %g °C, %g %%: % x, want % x", v.Celsius, v.SHT4x, got, v.Reply[:])
		}
	}
}

func TestGolden_BME280(t *testing.T) {
	for _, v := range sensetest.BME280s() {
		if got := chip.BMEImage(v.H4, v.H5); !bytes.Equal(got, v.High[:]) {
			t.Errorf("H4 %d, H5 %d: registers % x, want % x", v.H4, v.H5, got, v.High[:])
		}
		_, c, _, rh := chip.BMECompensate(v.H4, v.H5, float64(v.T), sensetest.BME280RawPressure, float64(v.H))
		near(t, "temperature", c, v.Celsius, 0.01)
		near(t, "humidity", rh, v.Humidity, 0.005)
	}
	fine, _, pascal, _ := chip.BMECompensate(309, 50, sensetest.BME280RawTemperature, sensetest.BME280RawPressure, 28000)
	near(t, "t_fine", fine, 128422, 1)
	near(t, "pressure", pascal/100, sensetest.BME280Hectopascal, 0.001)
}

func TestGolden_ADS1115(t *testing.T) {
	for _, v := range sensetest.Conversions() {
		if got, want := chip.ADSRaw(v.Volts, 4.096), uint16(v.Raw[0])<<8|uint16(v.Raw[1]); got != want {
			t.Errorf("%g V: %04x, want %04x", v.Volts, got, want)
		}
	}
}

func TestGolden_Seesaw(t *testing.T) {
	for _, v := range sensetest.SoilReadings() {
		if got := chip.SeesawCelsius(v.Celsius); !bytes.Equal(got, v.Temperature[:]) {
			t.Errorf("%g °C: % x, want % x", v.Celsius, got, v.Temperature[:])
		}
	}
}

func TestGolden_Ultrasonic(t *testing.T) {
	want, mm := sensetest.Ultrasonic()
	if got := chip.UltrasonicFrame(uint16(mm)); !bytes.Equal(got, want) {
		t.Errorf("%d mm: % x, want % x", mm, got, want)
	}
}

// The golden frame: R; too early FE; after 900 ms the answer; read once.
func TestGolden_EZO(t *testing.T) {
	want, _, value := sensetest.EZOReply()
	r := newRig()
	ph := chip.NewEZOPH(r.part(t, "ph", nil), constant(value), constant(25))
	ph.Quiet()
	r.add(t, 0x63, ph)
	r.tx(t, 0x63, []byte("R"), 0)
	r.clock.pass(899 * time.Millisecond)
	if got := r.tx(t, 0x63, nil, 7); got[0] != 0xFE {
		t.Errorf("too early: % x", got)
	}
	r.clock.pass(time.Millisecond)
	if got := r.tx(t, 0x63, nil, 7); !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
	if got := r.tx(t, 0x63, nil, 7); got[0] != 0xFF {
		t.Errorf("read twice: % x", got)
	}
}
