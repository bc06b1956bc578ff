package chip

import (
	"encoding/binary"
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// hygrometer is what Sensirion's simulated chips have in common: an answer that is ready after a while and is read once.
type hygrometer struct {
	part     Part
	air, wet element
	answer   []byte // nil: nothing to read
	ready    time.Time
	t, rh    float64 // in answer
	measures bool
}

// Part implements Device.
func (h *hygrometer) Part() Part { return h.part }

func (h *hygrometer) forget() { h.answer, h.measures = nil, false }

// read gives the answer into r, when there is one.
func (h *hygrometer) read(r []byte, now time.Time) error {
	kind := h.part.Faults.Kind()
	if kind == fault.Stuck && h.measures {
		h.part.recordFault(now, "", kind)
	}
	if h.answer == nil || now.Before(h.ready) || kind == fault.Stuck {
		return errNoAck
	}
	n := copy(r, h.answer)
	for i := n; i < len(r); i++ {
		r[i] = 0xFF // nobody drives the line
	}
	switch {
	case kind == fault.CRC:
		r[0] ^= 0x10
		h.part.recordFault(now, "", kind)
	case h.measures:
		h.part.record(now, measure.AirTemperature, h.t)
		h.part.record(now, measure.RelativeHumidity, h.rh)
	}
	h.forget()
	return nil
}

// measure prepares the answer of a measurement that takes d: T = -45 + 175 x/65535, RH = low + span x/65535.
func (h *hygrometer) measure(now time.Time, d time.Duration, low, span float64) {
	h.ready, h.measures = now.Add(d), true
	t, rh := hygrometerTicks(h.air.at(h.part, h.ready), h.wet.at(h.part, h.ready), low, span)
	h.t = -45 + 175*float64(t)/65535
	h.rh = low + span*float64(rh)/65535 // not cropped: whoever crops does it later
	h.answer = words(t, rh)
}

// hygrometerTicks are the raw values of a temperature, °C, and a relative humidity, %, that begins at low and spans so much.
func hygrometerTicks(celsius, humidity, low, span float64) (t, rh uint16) {
	return ticks((celsius + 45) / 175), ticks((humidity - low) / span)
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
