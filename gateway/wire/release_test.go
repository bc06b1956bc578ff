package wire_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

func aRelease() wire.Release {
	return wire.Release{
		Program: wire.GatewayProgram, Version: "0.20261126.930+g1a2b3c4", Platform: "linux/arm64", Size: 20_500_000, SHA256: sha256.Sum256([]byte("a program")),
		From: "0.20261001", Spool: 1, Made: time.Date(2026, 11, 26, 9, 30, 0, 0, time.UTC), Until: time.Date(2027, 12, 31, 9, 30, 0, 0, time.UTC),
	}
}

// releaseKey has the bytes 65…96 for a seed.
func releaseKey(tb testing.TB) (note.Signer, note.Verifier) {
	tb.Helper()
	signer, v, _ := fixedKey(tb, "aovuon-release", 65)
	return signer, v
}

func TestRelease_IsTheVector(t *testing.T) {
	signer, v := releaseKey(t)
	sealed, err := wire.SealRelease(aRelease(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(filepath.Join(vectors, "release.txt"), sealed, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(read(t, "release.txt")); string(sealed) != want {
		t.Errorf("sealed:\n%s\nwant:\n%s", sealed, want)
	}
	r, err := wire.OpenRelease(sealed, []note.Verifier{v})
	if err != nil || r != aRelease() {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := wire.ReadRelease(sealed); err != nil || r != aRelease() {
		t.Errorf("%+v %v", r, err)
	}
}

// TestRelease_NoByteCanBeChanged: of every bit that is flipped nothing comes out.
func TestRelease_NoByteCanBeChanged(t *testing.T) {
	_, v := releaseKey(t)
	sealed := read(t, "release.txt")
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if r, err := wire.OpenRelease(bad, []note.Verifier{v}); err == nil {
				t.Fatalf("byte %d, bit %d: %+v", i, bit, r)
			}
		}
	}
	for _, bad := range [][]byte{nil, sealed[:len(sealed)-1], append(bytes.Clone(sealed), '\n'), append(bytes.Clone(sealed), sealed...), bytes.Repeat(sealed, 20)} {
		if _, err := wire.OpenRelease(bad, []note.Verifier{v}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := wire.OpenRelease(sealed, nil); !errors.Is(err, wire.ErrNoReleaseKey) {
		t.Errorf("with no key: %v", err)
	}
}

func TestRelease_RefusesToSign(t *testing.T) {
	signer, _ := releaseKey(t)
	for name, spoil := range map[string]func(*wire.Release){
		"no version":           func(r *wire.Release) { r.Version = "" },
		"another folder":       func(r *wire.Release) { r.Version = "../1" },
		"two lines":            func(r *wire.Release) { r.Version = "1\n2" },
		"a word":               func(r *wire.Release) { r.Version = "latest" },
		"a bad from":           func(r *wire.Release) { r.From = "x" },
		"another program":      func(r *wire.Release) { r.Program = "server" },
		"no platform":          func(r *wire.Release) { r.Platform = "arm64" },
		"nothing in it":        func(r *wire.Release) { r.Size = 0 },
		"more than a program":  func(r *wire.Release) { r.Size = wire.MaxProgramBytes + 1 },
		"no format":            func(r *wire.Release) { r.Spool = 0 },
		"over before it began": func(r *wire.Release) { r.Until = r.Made },
		"half a second":        func(r *wire.Release) { r.Made = r.Made.Add(time.Second / 2) },
	} {
		r := aRelease()
		spoil(&r)
		if sealed, err := wire.SealRelease(r, signer); err == nil {
			t.Errorf("%s: %s", name, sealed)
		}
	}
}

func TestVersion_Compare(t *testing.T) {
	inOrder := []wire.Version{"", "0", "0.9", "0.10", "0.20261126.0930+g1a2b3c4", "0.20261126.1030", "1", "1.0.1", "1.2", "10.1"}
	for i, a := range inOrder {
		for j, b := range inOrder {
			want := 0
			switch {
			case i+j == 1: // nothing, and 0
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("%q against %q: %d, want %d", a, b, got, want)
			}
		}
	}
	if wire.Version("1.2+a").Compare("1.2.0+b") != 0 {
		t.Error("what follows + counts, or a zero does")
	}
	for _, bad := range []string{"", ".", "1.", "v1", "1..2", "1.2+", "1.2+a/b", "1.2+ü", "-1", "1.2.3.4.5.6.7", "99999999999999999999", strings.Repeat("1", 49)} {
		if v, err := wire.ParseVersion(bad); err == nil {
			t.Errorf("%q reads as %q", bad, v)
		}
	}
}

func FuzzReadRelease(f *testing.F) {
	f.Add(read(f, "release.txt"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := wire.ReadRelease(raw)
		if err != nil {
			return
		}
		signer, _ := releaseKey(t)
		sealed, err := wire.SealRelease(r, signer)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := wire.ReadRelease(sealed)
		if err != nil || again != r {
			t.Errorf("%+v, then %+v: %v", r, again, err)
		}
	})
}
