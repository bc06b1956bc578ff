package chip

import (
	"time"

	"aovuon/firmware-sim/fault"
)

// SHT4x is a simulated Sensirion SHT40/41/45 (data sheet v6, section 4): RH = -6 + 125 x/65535.
type SHT4x struct {
	hygrometer
}

// NewSHT4x makes an SHT4x in air of a temperature (°C) and a relative humidity (%).
func NewSHT4x(p Part, air, humidity Source) *SHT4x {
	return &SHT4x{hygrometer{
		part: p,
		air:  element{source: air, salt: 1, noise: 0.02, wild: 2},
		wet:  element{source: humidity, salt: 2, noise: 0.08, wild: 8},
	}}
}

// SHT4xFaults are the faults an SHT4x can have.
func SHT4xFaults() []fault.Kind {
	return i2cFaults(fault.CRC, fault.Stuck, fault.Frozen, fault.Noise)
}

// Reset implements Device.
func (s *SHT4x) Reset() { s.forget() }

// Tx implements Device. While measuring the chip acknowledges nothing, as the data sheet says.
func (s *SHT4x) Tx(w, r []byte) error {
	now := s.part.Now()
	if len(w) > 0 {
		if now.Before(s.ready) && w[0] != 0x94 {
			return errNoAck
		}
		if len(w) != 1 || !s.command(w[0], now) {
			return errNoAck
		}
	}
	if len(r) == 0 {
		return nil
	}
	return s.read(r, now)
}

// command starts one of the chip's commands; false is no acknowledge.
func (s *SHT4x) command(c byte, now time.Time) bool {
	s.forget()
	switch c {
	case 0xFD:
		s.measure(now, 8300*time.Microsecond, -6, 125) // high repeatability, maximum duration
	case 0xF6:
		s.measure(now, 4500*time.Microsecond, -6, 125)
	case 0xE0:
		s.measure(now, 1600*time.Microsecond, -6, 125)
	case 0x39, 0x2F, 0x1E:
		s.measure(now, 1100*time.Millisecond, -6, 125) // heater for 1 s, then high repeatability
	case 0x32, 0x24, 0x15:
		s.measure(now, 110*time.Millisecond, -6, 125)
	case 0x89:
		serial := uint32(mix(s.part.Seed, 0x89))
		s.answer, s.ready = words(uint16(serial>>16), uint16(serial)), now
	case 0x94:
		s.ready = now.Add(time.Millisecond)
	default:
		return false
	}
	return true
}
