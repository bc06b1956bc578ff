package sensirion_test

import (
	"errors"
	"testing"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/sensirion"
)

// BE EF -> 92, 00 00 -> 81, FF FF -> AC, 66 66 -> 93, 80 00 -> A2.
func TestTicks_ChecksTheCRCOfBothValues(t *testing.T) {
	for _, b := range []sensirion.Reply{
		{0xBE, 0xEF, 0x92, 0x00, 0x00, 0x81},
		{0xFF, 0xFF, 0xAC, 0x66, 0x66, 0x93},
		{0x80, 0x00, 0xA2, 0xBE, 0xEF, 0x92},
	} {
		temperature, humidity, err := b.Ticks("sht")
		if err != nil || temperature != float64(int(b[0])<<8|int(b[1])) || humidity != float64(int(b[3])<<8|int(b[4])) {
			t.Errorf("% x: %g, %g, %v", b[:], temperature, humidity, err)
		}
		for bit := range 48 {
			bad := b
			bad[bit/8] ^= 1 << (bit % 8)
			_, _, err := bad.Ticks("sht")
			if f, ok := errors.AsType[*sense.Fault](err); !ok || f.Reason != measure.CRC {
				t.Errorf("% x: %v", bad[:], err)
			}
		}
	}
}
