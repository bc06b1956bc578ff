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

func TestSHT3x_MeasuresInItsOwnTime(t *testing.T) {
	r := newRig()
	r.add(t, 0x45, chip.NewSHT3x(r.part(t, "sht", chip.SHT3xFaults()), constant(25), constant(50)))
	r.noAck(t, 0x45, nil, 6) // nothing was asked
	for _, tc := range []struct {
		low   byte
		takes time.Duration
	}{{0x00, 15 * time.Millisecond}, {0x0B, 6 * time.Millisecond}, {0x16, 4 * time.Millisecond}} {
		r.tx(t, 0x45, []byte{0x24, tc.low}, 0)
		r.clock.pass(tc.takes - time.Microsecond)
		r.noAck(t, 0x45, nil, 6)
		r.clock.pass(time.Microsecond)
		b := r.tx(t, 0x45, nil, 6)
		if chip.SensirionCRC(b[:2]) != b[2] || chip.SensirionCRC(b[3:5]) != b[5] {
			t.Errorf("% x: bad checksum", b)
		}
		c, rh := -45+175*float64(binary.BigEndian.Uint16(b))/65535, 100*float64(binary.BigEndian.Uint16(b[3:]))/65535
		near(t, "temperature", c, 25, 0.2)
		near(t, "humidity", rh, 50, 0.5)
		near(t, "ledger temperature", r.book.last(t, measure.AirTemperature).Value, c, 1e-9)
		near(t, "ledger humidity", r.book.last(t, measure.RelativeHumidity).Value, rh, 1e-9)
		r.noAck(t, 0x45, nil, 6) // read once
	}
	r.noAck(t, 0x45, []byte{0xFD}, 0) // a command of the SHT4x
	if b := r.tx(t, 0x45, []byte{0xF3, 0x2D}, 3); !bytes.Equal(b[:2], []byte{0x80, 0x10}) || chip.SensirionCRC(b[:2]) != b[2] {
		t.Errorf("status after power-on: % x", b)
	}
	r.tx(t, 0x45, []byte{0x30, 0x41}, 0)
	if b := r.tx(t, 0x45, []byte{0xF3, 0x2D}, 3); b[0] != 0 || b[1] != 0 {
		t.Errorf("status after clearing it: % x", b)
	}
	r.tx(t, 0x45, []byte{0x30, 0xA2}, 0)
	r.noAck(t, 0x45, []byte{0xF3, 0x2D}, 3) // it starts
	r.clock.pass(2 * time.Millisecond)
	if b := r.tx(t, 0x45, []byte{0xF3, 0x2D}, 3); b[0] != 0x80 || b[1] != 0x10 {
		t.Errorf("status after a reset: % x", b)
	}
}

func TestSHT3x_Faults(t *testing.T) {
	r := newRig()
	r.add(t, 0x44, chip.NewSHT3x(r.part(t, "sht", chip.SHT3xFaults()), constant(25), constant(50)))
	r.set(t, "sht", fault.CRC)
	r.tx(t, 0x44, []byte{0x24, 0x00}, 0)
	r.clock.pass(15 * time.Millisecond)
	if b := r.tx(t, 0x44, nil, 6); chip.SensirionCRC(b[:2]) == b[2] {
		t.Errorf("crc: % x is fine", b)
	}
	r.set(t, "sht", fault.Stuck)
	r.tx(t, 0x44, []byte{0x24, 0x00}, 0)
	r.clock.pass(time.Minute)
	r.noAck(t, 0x44, nil, 6)
}
