package sht4x_test

import (
	"errors"
	"math"
	"testing"

	"aovuon/gateway/sense"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/sense/sensirion"
	"aovuon/gateway/sense/sht4x"
)

func TestDecode_CropsNothing(t *testing.T) {
	for _, tc := range sensetest.Hygrometers() {
		b := sensirion.Reply(tc.Reply)
		c, rh, err := sht4x.Decode(b)
		if err != nil || math.Abs(c-tc.Celsius) > 0.0005 || math.Abs(rh-tc.SHT4x) > 0.0005 {
			t.Errorf("% x: %v °C, %v %%, %v; want %v, %v", b, c, rh, err, tc.Celsius, tc.SHT4x)
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
