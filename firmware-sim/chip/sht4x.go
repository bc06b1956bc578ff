package chip

import (
	"encoding/binary"
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// SHT4x is a simulated Sensirion SHT40/41/45 (data sheet v6, section 4).
type SHT4x struct {
	part     Part
	air, wet element
	answer   []byte // nil: nothing to read
	ready    time.Time
	t, rh    float64 // in answer
	measures bool
}

// NewSHT4x makes an SHT4x in air of a temperature (°C) and a relative humidity (%).
func NewSHT4x(p Part, air, humidity Source) *SHT4x {
	return &SHT4x{
		part: p,
		air:  element{source: air, salt: 1, noise: 0.02, wild: 2},
		wet:  element{source: humidity, salt: 2, noise: 0.08, wild: 8},
	}
}

// SHT4xFaults are the faults an SHT4x can have.
func SHT4xFaults() []fault.Kind {
	return []fault.Kind{fault.Unplug, fault.Shorted, fault.CRC, fault.Stuck, fault.Frozen, fault.Noise}
}

// Part implements Device.
func (s *SHT4x) Part() Part { return s.part }

// Reset implements Device.
func (s *SHT4x) Reset() { s.answer, s.measures = nil, false }

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
	kind := s.part.Faults.Kind()
	if kind == fault.Stuck && s.measures {
		s.part.recordFault(now, "", kind)
	}
	if s.answer == nil || now.Before(s.ready) || kind == fault.Stuck {
		return errNoAck
	}
	n := copy(r, s.answer)
	for i := n; i < len(r); i++ {
		r[i] = 0xFF // nobody drives the line
	}
	switch {
	case kind == fault.CRC:
		r[0] ^= 0x10
		s.part.recordFault(now, "", kind)
	case s.measures:
		s.part.record(now, measure.AirTemperature, s.t)
		s.part.record(now, measure.RelativeHumidity, s.rh)
	}
	s.Reset()
	return nil
}

// command starts one of the chip's commands; false is no acknowledge.
func (s *SHT4x) command(c byte, now time.Time) bool {
	s.Reset()
	switch c {
	case 0xFD:
		s.measure(now, 8300*time.Microsecond) // high repeatability, maximum duration
	case 0xF6:
		s.measure(now, 4500*time.Microsecond)
	case 0xE0:
		s.measure(now, 1600*time.Microsecond)
	case 0x39, 0x2F, 0x1E:
		s.measure(now, 1100*time.Millisecond) // heater for 1 s, then high repeatability
	case 0x32, 0x24, 0x15:
		s.measure(now, 110*time.Millisecond)
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

// measure prepares the answer of a measurement that takes d: T = -45 + 175 x/65535, RH = -6 + 125 x/65535.
func (s *SHT4x) measure(now time.Time, d time.Duration) {
	s.ready, s.measures = now.Add(d), true
	t := ticks((s.air.at(s.part, s.ready) + 45) / 175)
	h := ticks((s.wet.at(s.part, s.ready) + 6) / 125)
	s.t = -45 + 175*float64(t)/65535
	s.rh = -6 + 125*float64(h)/65535 // not cropped: whoever crops does it later
	s.answer = words(t, h)
}

// ticks turns a share of full scale into 16 bits.
func ticks(share float64) uint16 {
	return uint16(math.Round(65535 * math.Max(0, math.Min(1, share))))
}

// words are big-endian words, each followed by its checksum.
func words(list ...uint16) []byte {
	var b []byte
	for _, x := range list {
		b = binary.BigEndian.AppendUint16(b, x)
		b = append(b, sensirionCRC(b[len(b)-2:]))
	}
	return b
}

// sensirionCRC is CRC-8 with polynomial 0x31, start 0xFF, not reflected (SHT4x data sheet, table 6: BE EF gives 92).
func sensirionCRC(b []byte) byte {
	crc := byte(0xFF)
	for _, x := range b {
		crc ^= x
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x31
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
