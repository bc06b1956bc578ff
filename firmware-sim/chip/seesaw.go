package chip

import (
	"encoding/binary"
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// Seesaw is a simulated Adafruit soil probe 4026 (Adafruit_Seesaw, registers of its modules STATUS and TOUCH).
type Seesaw struct {
	part       Part
	soil, warm element
	off        float64 // of its thermometer, °C
	register   uint16  // asked last; 0: none
	asked      time.Time
	deaf       time.Time // until then it starts
}

// NewSeesaw makes a probe in soil of a water content (%) and a temperature (°C).
func NewSeesaw(p Part, moisture, temperature Source) *Seesaw {
	return &Seesaw{
		part: p, off: 1.5 * p.tolerance(1),
		soil: element{source: moisture, salt: 1, noise: 0.15, wild: 8}, warm: element{source: temperature, salt: 2, noise: 0.05, wild: 3},
	}
}

// SeesawFaults are the faults a seesaw probe can have.
func SeesawFaults() []fault.Kind {
	return i2cFaults(fault.Stuck, fault.Frozen, fault.Noise)
}

// Part implements Device.
func (s *Seesaw) Part() Part { return s.part }

// Reset implements Device.
func (s *Seesaw) Reset() { s.register = 0 }

// Tx implements Device.
func (s *Seesaw) Tx(w, r []byte) error {
	now := s.part.Now()
	if now.Before(s.deaf) {
		return errNoAck
	}
	if len(w) >= 2 {
		s.register, s.asked = uint16(w[0])<<8|uint16(w[1]), now
		if s.register == 0x007F && len(w) == 3 && w[2] == 0xFF {
			s.Reset()
			s.deaf = now.Add(500 * time.Millisecond)
		}
	}
	if len(r) == 0 {
		return nil
	}
	for i := range r {
		r[i] = 0xFF // a register that is not there
	}
	waited := now.Sub(s.asked)
	switch s.register {
	case 0x0001:
		r[0] = 0x55
	case 0x0004:
		if waited >= 500*time.Microsecond {
			raw := seesawCelsius(s.warm.at(s.part, now) + s.off)
			copy(r, raw)
			s.part.record(now, measure.SoilTemperature, float64(int32(binary.BigEndian.Uint32(raw)))/65536)
		}
	case 0x0F10:
		s.touch(r, now, waited)
	}
	s.register = 0
	return nil
}

// seesawCelsius is a temperature as the probe says it: 65536ths of a degree.
func seesawCelsius(celsius float64) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(int32(math.Round(65536*celsius))))
}

// touch answers the touch input: about 200 dry and 2000 wet; 65535 while it measures.
func (s *Seesaw) touch(r []byte, now time.Time, waited time.Duration) {
	if s.part.Faults.Kind() == fault.Stuck {
		s.part.recordFault(now, measure.SoilCapacitance, fault.Stuck)
		return
	}
	if waited < 3*time.Millisecond {
		return
	}
	counts := math.Round(math.Max(200, math.Min(2000, 320+30*s.soil.at(s.part, now))))
	copy(r, binary.BigEndian.AppendUint16(nil, uint16(counts)))
	s.part.record(now, measure.SoilCapacitance, counts)
}
