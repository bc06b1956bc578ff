package sht4x_test

import (
	"errors"
	"math"
	"testing"

	"aovuon/gateway/sense"
	"aovuon/gateway/sense/sensirion"
	"aovuon/gateway/sense/sht4x"
)

// Sensirion's CRC of 00 00 is 81, of FF FF is AC, of BE EF is 92.
func TestDecode_CropsNothing(t *testing.T) {
	for _, tc := range []struct {
		b       sensirion.Reply
		celsius float64
		rh      float64
	}{
		{sensirion.Reply{0x00, 0x00, 0x81, 0x00, 0x00, 0x81}, -45, -6},
		{sensirion.Reply{0xFF, 0xFF, 0xAC, 0xFF, 0xFF, 0xAC}, 130, 119},
		{sensirion.Reply{0xBE, 0xEF, 0x92, 0xBE, 0xEF, 0x92}, 85.5230, 87.2307},
	} {
		c, rh, err := sht4x.Decode(tc.b)
		if err != nil || math.Abs(c-tc.celsius) > 0.0005 || math.Abs(rh-tc.rh) > 0.0005 {
			t.Errorf("% x: %v °C, %v %%, %v; want %v, %v", tc.b, c, rh, err, tc.celsius, tc.rh)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x66, 0x66, 0x93, 0x80, 0x00, 0xA2})
	f.Fuzz(func(t *testing.T, in []byte) {
		var b sensirion.Reply
		copy(b[:], in)
		c, rh, err := sht4x.Decode(b)
		if err != nil {
			if _, ok := errors.AsType[*sense.Fault](err); !ok {
				t.Errorf("% x: %v is no fault", b, err)
			}
			return
		}
		if !(c >= -45 && c <= 130 && rh >= -6 && rh <= 119) {
			t.Errorf("% x: %v °C, %v %%", b, c, rh)
		}
	})
}
