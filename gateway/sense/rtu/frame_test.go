package rtu_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"aovuon/gateway/sense/rtu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// golden are frames as makers print them (the first three) and as mbpoll sends them, with their checksums.
func golden() map[string]string {
	return map[string]string{
		"01 03 00 00 00 03":          "05 CB", // read 3 registers at 0
		"01 03 06 02 92 FF 9B 03 E8": "D8 0F", // the answer: 65.8 %, -10.1 °C, 1000 µS/cm
		"01 10 07 D0 00 01 02 00 02": "42 C1", // write 2 to register 0x07D0
		"01 03 00 00 00 0A":          "C5 CD",
		"01 03 00 12 00 02":          "64 0E",
		"01 03 00 06 00 01":          "64 0B",
		"01 83 02":                   "C0 F1", // exception 2 to function 3
	}
}

func TestFrame_GoldenFrames(t *testing.T) {
	for body, sum := range golden() {
		b := unhex(t, body)
		want := append(bytes.Clone(b), unhex(t, sum)...)
		if got := rtu.Frame(b[0], b[1:]); !bytes.Equal(got, want) {
			t.Errorf("%s: % X", body, got)
		}
		unit, pdu, ok := rtu.Split(want)
		if !ok || unit != b[0] || !bytes.Equal(pdu, b[1:]) {
			t.Errorf("%s: unit %d, % X, %v", body, unit, pdu, ok)
		}
		for i := range 8 * len(want) { // no single bit may flip unseen
			bad := bytes.Clone(want)
			bad[i/8] ^= 1 << (i % 8)
			if _, _, ok := rtu.Split(bad); ok {
				t.Errorf("%s: bit %d flipped unseen", body, i)
			}
		}
	}
	if _, _, ok := rtu.Split(unhex(t, "FF FF")); ok { // the checksum of nothing
		t.Error("a frame of no bytes")
	}
}
