package chip

import (
	"time"

	"aovuon/firmware-sim/fault"
)

// SHT3x is a simulated Sensirion SHT30/31/35 (data sheet SHT3x-DIS v6, section 4): RH = 100 x/65535.
type SHT3x struct {
	hygrometer

	status uint16
}

// sht3xStart is the status after power-on: an alert is pending because of the reset (bits 15 and 4).
const sht3xStart = 0x8010

// NewSHT3x makes an SHT3x in air of a temperature (°C) and a relative humidity (%).
func NewSHT3x(p Part, air, humidity Source) *SHT3x {
	s := &SHT3x{hygrometer: hygrometer{
		part: p,
		air:  element{source: air, salt: 1, noise: 0.04, wild: 2},
		wet:  element{source: humidity, salt: 2, noise: 0.1, wild: 8},
	}}
	s.Reset()
	return s
}

// SHT3xFaults are the faults an SHT3x can have.
func SHT3xFaults() []fault.Kind { return SHT4xFaults() }

// Reset implements Device.
func (s *SHT3x) Reset() {
	s.forget()
	s.status = sht3xStart
}

// Tx implements Device. Measuring without clock stretching, the chip does not acknowledge a read.
func (s *SHT3x) Tx(w, r []byte) error {
	now := s.part.Now()
	if len(w) > 0 && (len(w) != 2 || now.Before(s.ready) || !s.command(uint16(w[0])<<8|uint16(w[1]), now)) {
		return errNoAck
	}
	if len(r) == 0 {
		return nil
	}
	return s.read(r, now)
}

// command starts one of the chip's commands; false is no acknowledge.
func (s *SHT3x) command(c uint16, now time.Time) bool {
	s.forget()
	switch c {
	case 0x2400:
		s.measure(now, 15*time.Millisecond, 0, 100) // high repeatability, maximum duration
	case 0x240B:
		s.measure(now, 6*time.Millisecond, 0, 100)
	case 0x2416:
		s.measure(now, 4*time.Millisecond, 0, 100)
	case 0xF32D:
		s.answer, s.ready = words(s.status), now
	case 0x3780, 0x3682:
		serial := uint32(mix(s.part.Seed, 0x37))
		s.answer, s.ready = words(uint16(serial>>16), uint16(serial)), now
	case 0x3041:
		s.status = 0
	case 0x30A2:
		s.Reset()
		s.ready = now.Add(1500 * time.Microsecond)
	default:
		return false
	}
	return true
}
