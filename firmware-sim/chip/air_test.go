package chip_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

func TestSHT4x_MeasuresInItsOwnTime(t *testing.T) {
	r := newRig()
	r.add(t, 0x44, chip.NewSHT4x(r.part(t, "sht", chip.SHT4xFaults()), constant(25), constant(56.5)))
	r.noAck(t, 0x44, nil, 6) // nothing was asked
	for _, tc := range []struct {
		command byte
		takes   time.Duration
	}{{0xFD, 8300 * time.Microsecond}, {0xF6, 4500 * time.Microsecond}, {0xE0, 1600 * time.Microsecond}} {
		r.tx(t, 0x44, []byte{tc.command}, 0)
		r.clock.pass(tc.takes - time.Microsecond)
		r.noAck(t, 0x44, nil, 6)
		r.clock.pass(time.Microsecond)
		b := r.tx(t, 0x44, nil, 6)
		if chip.SensirionCRC(b[:2]) != b[2] || chip.SensirionCRC(b[3:5]) != b[5] {
			t.Errorf("% x: bad checksum", b)
		}
		c := -45 + 175*float64(binary.BigEndian.Uint16(b))/65535
		rh := -6 + 125*float64(binary.BigEndian.Uint16(b[3:]))/65535
		near(t, "temperature", c, 25, 0.1)
		near(t, "humidity", rh, 56.5, 0.4)
		near(t, "ledger temperature", r.book.last(t, measure.AirTemperature).Value, c, 1e-9)
		near(t, "ledger humidity", r.book.last(t, measure.RelativeHumidity).Value, rh, 1e-9)
		r.noAck(t, 0x44, nil, 6) // read once
	}
	b := r.tx(t, 0x44, []byte{0x89}, 6)
	if chip.SensirionCRC(b[:2]) != b[2] || chip.SensirionCRC(b[3:5]) != b[5] {
		t.Errorf("serial number % x: bad checksum", b)
	}
	r.noAck(t, 0x44, []byte{0x00}, 0)
}

func TestSHT4x_Faults(t *testing.T) {
	r := newRig()
	r.add(t, 0x44, chip.NewSHT4x(r.part(t, "sht", chip.SHT4xFaults()), constant(25), constant(56.5)))
	read := func() []byte {
		r.tx(t, 0x44, []byte{0xFD}, 0)
		r.clock.pass(10 * time.Millisecond)
		return r.tx(t, 0x44, nil, 6)
	}
	r.set(t, "sht", fault.CRC)
	if b := read(); chip.SensirionCRC(b[:2]) == b[2] {
		t.Errorf("crc: % x is fine", b)
	}
	r.set(t, "sht", fault.Frozen)
	first := read()
	if again := read(); !bytes.Equal(first, again) {
		t.Errorf("frozen: % x, then % x", first, again)
	}
	r.set(t, "sht", fault.Stuck)
	r.tx(t, 0x44, []byte{0xFD}, 0)
	r.clock.pass(time.Hour)
	r.noAck(t, 0x44, nil, 6)
	r.set(t, "sht", fault.None)
	read()
}

// bmeForced starts a forced measurement with oversampling 1 and returns status polls until done.
func bmeForced(t *testing.T, r *rig, addr uint16) {
	t.Helper()
	r.tx(t, addr, []byte{0xF2, 0x01}, 0)
	r.tx(t, addr, []byte{0xF4, 0x25}, 0)
	if s := r.tx(t, addr, []byte{0xF3}, 1); s[0]&8 == 0 {
		t.Errorf("status %02x: not measuring", s)
	}
	r.clock.pass(10 * time.Millisecond)
}

func TestBME280_GivesTheWorldsValueThroughItsCalibration(t *testing.T) {
	for seed := range uint64(2) {
		r := newRig()
		p := r.part(t, "bme", chip.BME280Faults())
		p.Seed = seed
		r.add(t, 0x76, chip.NewBME280(p, constant(28.4), constant(83), constant(1008.2)))
		if id := r.tx(t, 0x76, []byte{0xD0}, 1); id[0] != 0x60 {
			t.Fatalf("id %02x", id)
		}
		if d := r.tx(t, 0x76, []byte{0xF7}, 8); !bytes.Equal(d, []byte{0x80, 0, 0, 0x80, 0, 0, 0x80, 0}) {
			t.Errorf("before the first measurement: % x", d)
		}
		cal := r.tx(t, 0x76, []byte{0xE1}, 7)
		h5 := int16(int8(cal[5]))<<4 | int16(cal[4]>>4)
		h4 := int16(int8(cal[3]))<<4 | int16(cal[4]&15)
		if negative := h5 < 0; negative != (seed%2 == 1) {
			t.Errorf("seed %d: H5 %d", seed, h5)
		}
		bmeForced(t, r, 0x76)
		d := r.tx(t, 0x76, []byte{0xF7}, 8)
		adcP := float64(uint32(d[0])<<12 | uint32(d[1])<<4 | uint32(d[2])>>4)
		adcT := float64(uint32(d[3])<<12 | uint32(d[4])<<4 | uint32(d[5])>>4)
		adcH := float64(binary.BigEndian.Uint16(d[6:]))
		_, c, pa, rh := chip.BMECompensate(h4, h5, adcT, adcP, adcH)
		near(t, "temperature", c, 28.4, 0.05)
		near(t, "humidity", rh, 83, 0.3)
		near(t, "pressure", pa/100, 1008.2, 0.1)
		near(t, "ledger temperature", r.book.last(t, measure.AirTemperature).Value, c, 1e-6)
		near(t, "ledger humidity", r.book.last(t, measure.RelativeHumidity).Value, rh, 1e-6)
		near(t, "ledger pressure", r.book.last(t, measure.AirPressure).Value, pa/100, 1e-6)
		if n := len(r.book.all()); n != 3 {
			t.Errorf("%d ledger entries for one measurement", n)
		}
		if m := r.tx(t, 0x76, []byte{0xF4}, 1); m[0]&3 != 0 {
			t.Errorf("ctrl_meas %02x: forced mode did not end", m)
		}
	}
}

func TestBME280_Faults(t *testing.T) {
	r := newRig()
	r.add(t, 0x76, chip.NewBME280(r.part(t, "bme", chip.BME280Faults()), constant(28.4), constant(83), constant(1008.2)))
	r.set(t, "bme", fault.Stuck)
	bmeForced(t, r, 0x76)
	r.clock.pass(time.Hour)
	if s := r.tx(t, 0x76, []byte{0xF3}, 1); s[0]&8 == 0 {
		t.Errorf("stuck: status %02x", s)
	}
	r.set(t, "bme", fault.PowerUp)
	bmeForced(t, r, 0x76)
	if d := r.tx(t, 0x76, []byte{0xF7}, 3); !bytes.Equal(d, []byte{0x80, 0, 0}) {
		t.Errorf("powerup: % x", d)
	}
	r.set(t, "bme", fault.None)
	bmeForced(t, r, 0x76)
	if d := r.tx(t, 0x76, []byte{0xF7}, 3); bytes.Equal(d, []byte{0x80, 0, 0}) {
		t.Error("healed: still the reset image")
	}
	r.tx(t, 0x76, []byte{0xE0, 0xB6}, 0)
	if d := r.tx(t, 0x76, []byte{0xF7}, 3); !bytes.Equal(d, []byte{0x80, 0, 0}) {
		t.Errorf("after a reset: % x", d)
	}
}
