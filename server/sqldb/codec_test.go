package sqldb

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

// golden is a body, and how it was stored by each form. Whoever changes what packs must still read these.
const (
	golden = "aovuon/batch/1\ngw-thu\n00112233445566aa 1\n-\nsynced 0123456789abcdef\n" +
		`[{"bt":1763614800.137,"n":"ao3-temp/water_temperature","v":24.5},{"n":"ao3-do/dissolved_oxygen","t":0.2,"v":6.12},` +
		`{"n":"ao3-ph/ph","t":0.4,"vs":"no-response"}]` + "\n\n— gw-thu c2lnbmF0dXJl\n"
	goldenZstd = "ASi1L/0AAGUGAJKNLiiQpw3///8/1TduzRu27KRLyQZom71s2ZEfOX6UrDc3ZX4K3fszjTkD6REYmCwAYujTmuNQSFhIqaDRf2m19yOk0o59c6vn2OXY5gmMnVu1hMXG" +
		"rZo+YoFQD/PzU+89mKtOhmooyWuxc6v+KIFl9BZ6fIgeS8Wy0GPEVdmxaavFecKY4Tl0cPHYmGkGQTL42TASwLBA5bnm7Jjf0MVNSPJDSggV5T3nWnNnLCUcjCgQyZfTYMksWhO5" +
		"ygQAcM1wRhG6VPFXeIWSAg=="
	goldenDict = "Aii1L/0CAEGcjQMA4sQRGIAnDlkQvQux9IAGihBs14Qk5WfVbk47C6QdgHVjkAgtVXnMrbkWGg2b6+rRIisLAkulLhDBZzXxA8HSzXzOrmom4k8ecwENAHGzAaXhAdeFbKQf" +
		"H+WBMjpowPXbbGRxAsQLx4DevQBeYli9ZQU="
	dictionarySHA = "9d6bcf1244b122adfc446459a2d45228414f1baaa3fd9ee1948dc622c99ddc61" // FORMAT.md
)

func testCodec(t *testing.T) *codec {
	t.Helper()
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

func TestCodec_ReadsEveryFormThatWasEverWritten(t *testing.T) {
	if sum := sha256.Sum256(dictionary); hex.EncodeToString(sum[:]) != dictionarySHA {
		t.Fatalf("the dictionary is another: bodies packed with the one of FORMAT.md cannot be read")
	}
	c := testCodec(t)
	for name, stored := range map[string]string{"plain": base64.StdEncoding.EncodeToString([]byte("\x00" + golden)), "zstd": goldenZstd, "dictionary": goldenDict} {
		raw, err := base64.StdEncoding.DecodeString(stored)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := c.unpack(raw); err != nil || string(body) != golden {
			t.Errorf("%s: %q, %v", name, body, err)
		}
	}
}

func TestCodec_PacksTheShortestAndSaysWhatItCannotRead(t *testing.T) {
	c := testCodec(t)
	for name, tc := range map[string]struct {
		body string
		form byte
	}{"batch": {golden, bodyDict}, "long": {strings.Repeat(golden, 200), bodyDict}, "shorter as it is": {"\x93\x17", bodyPlain}} {
		stored := c.pack([]byte(tc.body))
		if body, err := c.unpack(stored); err != nil || string(body) != tc.body || stored[0] != tc.form || len(stored) > len(tc.body)+1 {
			t.Errorf("%s: form %d, %d bytes, %v", name, stored[0], len(stored), err)
		}
	}
	for name, stored := range map[string]string{"empty": "", "form of later": "\x07abc", "cut": string(c.pack([]byte(golden))[:40]), "no frame": "\x02nothing"} {
		if body, err := c.unpack([]byte(stored)); err == nil {
			t.Errorf("%s: %q", name, body)
		}
	}
}
