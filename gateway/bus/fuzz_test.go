package bus_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"aovuon/gateway/bus"
)

func FuzzRequest(f *testing.F) {
	for _, s := range []string{"A50063000100 0052", "A500630000 0008", "A5", "", "A5006100020020524D"} {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := bus.ReadRequest(bytes.NewReader(b))
		if err == nil && !bytes.HasPrefix(b, again) {
			t.Errorf("% x is read as % x", b, again)
		}
	})
}

func FuzzResponse(f *testing.F) {
	for _, s := range []string{"5A000000", "5A00000801372E3331320000", "5A0100066E6F626F6479", "5A02FFFF", "5A03"} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, 8)
	}
	f.Fuzz(func(t *testing.T, b []byte, want int) {
		again, err := bus.ReadResponse(b, want)
		if err == nil && !bytes.HasPrefix(b, again) {
			t.Errorf("% x is read as % x", b, again)
		}
	})
}
