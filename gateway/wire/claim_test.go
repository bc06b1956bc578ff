package wire_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

func newCode(tb testing.TB) wire.ClaimCode {
	tb.Helper()
	c, err := wire.NewClaimCode()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func keyOf(tb testing.TB, name string) (note.Signer, string) {
	tb.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		tb.Fatal(err)
	}
	return s, vkey
}

func TestClaimCode_EveryWrongCharacterAndSwapIsFound(t *testing.T) {
	code := newCode(t)
	for _, typed := range []string{string(code), code.String(), strings.ToLower(code.String()), " " + strings.ReplaceAll(code.String(), "-", " ")} {
		if got, err := wire.ParseClaimCode(typed); err != nil || got != code {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	for i := range len(code) {
		for _, r := range alphabet {
			bad := string(code[:i]) + string(r) + string(code[i+1:])
			if _, err := wire.ParseClaimCode(bad); (err == nil) != (bad == string(code)) {
				t.Errorf("%s for %s: %v", bad, code, err)
			}
		}
		if j := i + 1; j < len(code) && code[i] != code[j] {
			bad := string(code[:i]) + string(code[j]) + string(code[i]) + string(code[j+1:])
			if _, err := wire.ParseClaimCode(bad); err == nil {
				t.Errorf("%s, two swapped, for %s", bad, code)
			}
		}
	}
	for _, bad := range []string{"", "ABCD", string(code) + "A", "UUUU-UUUU-UUUU-UUUU", "aovuon-claim:", "aovuon-claim:" + string(code) + "@https://x"} {
		if _, err := wire.ParseClaim(bad); !errors.Is(err, wire.ErrClaim) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestEnrol_BothSidesKnowTheCode(t *testing.T) {
	code := newCode(t)
	_, vkey := keyOf(t, "gw-ao")
	_, server := keyOf(t, "htx")
	card := wire.NewCard("gw-ao", vkey, "secret")
	raw := wire.Enrol{ClaimID: code.ID(), Card: card, CSR: []byte("csr")}.Seal(code)
	if bytes.Contains(raw, []byte(code)) {
		t.Error("the code is sent")
	}
	e, err := wire.ParseEnrol(raw)
	if err != nil || e.Card != card || e.ClaimID != code.ID() || string(e.CSR) != "csr" || !wire.VerifyTag(raw, code.Key()) {
		t.Fatalf("%+v, %v", e, err)
	}
	for i := range raw { // every bit counts
		bad := bytes.Clone(raw)
		bad[i] ^= 1
		if _, err := wire.ParseEnrol(bad); err == nil && wire.VerifyTag(bad, code.Key()) {
			t.Fatalf("byte %d changed and accepted", i)
		}
	}
	want := wire.Enrolled{Request: wire.HashOf(raw), Broker: "ssl://htx:8883", ServerVKey: server, CAPEM: "pem\n", Certificate: []byte{1}}
	answer := want.Seal(code.Key())
	if got, err := wire.OpenEnrolled(answer, code, raw); err != nil || got.Broker != want.Broker || got.CAPEM != want.CAPEM || got.ServerVKey != server {
		t.Errorf("%+v, %v", got, err)
	}
	for name, f := range map[string]func() error{
		"another code":    func() error { _, err := wire.OpenEnrolled(answer, newCode(t), raw); return err },
		"another request": func() error { _, err := wire.OpenEnrolled(answer, code, append(raw, 'x')); return err },
		"a reflected one": func() error { _, err := wire.OpenEnrolled(raw, code, raw); return err },
	} {
		if err := f(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	q := wire.Claim{Code: code, Pin: wire.PinOf(server, "pem\n"), Server: "https://192.168.1.2:8443"}
	if got, err := wire.ParseClaim(q.String()); err != nil || got != q {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRekey_NeedsBothKeys(t *testing.T) {
	old, oldV := keyOf(t, "gw-ao")
	fresh, freshV := keyOf(t, "gw-ao")
	other, _ := keyOf(t, "gw-ao")
	card := wire.NewCard("gw-ao", freshV, "new secret")
	raw, err := wire.SealRekey(old, fresh, oldV, card, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := wire.OpenRekey(raw)
	if err != nil || r.Old != oldV || r.Card != card || r.CSR != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	for i := range raw {
		bad := bytes.Clone(raw)
		bad[i] ^= 1
		if got, err := wire.OpenRekey(bad); err == nil && got.Card != card {
			t.Fatalf("byte %d changed and accepted", i)
		}
	}
	for name, signers := range map[string][2]note.Signer{"not by the old": {other, fresh}, "not by the new": {old, other}} {
		bad, err := wire.SealRekey(signers[0], signers[1], oldV, card, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.OpenRekey(bad); !errors.Is(err, wire.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	server, serverV := keyOf(t, "htx")
	v, err := note.NewVerifier(serverV)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := wire.SealRekeyed(raw, []byte("cert"), server)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := wire.OpenRekeyed(answer, raw, v); err != nil || string(c) != "cert" {
		t.Errorf("%q, %v", c, err)
	}
	if _, err := wire.OpenRekeyed(answer, append(raw, '\n'), v); err == nil {
		t.Error("an answer to another request was taken")
	}
}

// FuzzParseClaim: what is accepted is printed in one form, which is accepted as the same.
func FuzzParseClaim(f *testing.F) {
	f.Add("aovuon-claim:0000000000000000.AAAAAAAAAAAAAAAAAAAAAA@https://htx.example")
	f.Add("0000-0000-0000-0000")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := wire.ParseClaim(text)
		if err != nil {
			return
		}
		again := string(c.Code)
		if c.Server != "" {
			again = c.String()
		}
		if got, err := wire.ParseClaim(again); err != nil || got != c {
			t.Errorf("%q: %+v, again %+v, %v", text, c, got, err)
		}
	})
}

// FuzzEnrol: what is accepted has one form.
func FuzzEnrol(f *testing.F) {
	code, err := wire.ParseClaimCode("0000-0000-0000-0000")
	if err != nil {
		f.Fatal(err)
	}
	_, vkey := keyOf(f, "gw-ao")
	f.Add(wire.Enrol{ClaimID: code.ID(), Card: wire.NewCard("gw-ao", vkey, "s"), CSR: []byte("x")}.Seal(code))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := wire.ParseEnrol(raw)
		if err != nil || !wire.VerifyTag(raw, code.Key()) {
			return
		}
		if again := e.Seal(code); !bytes.Equal(again, raw) {
			t.Errorf("%q is written %q", raw, again)
		}
	})
}

// FuzzRekey: nothing that is accepted panics, and its note is a note of the same keys.
func FuzzRekey(f *testing.F) {
	old, oldV := keyOf(f, "gw-ao")
	fresh, freshV := keyOf(f, "gw-ao")
	raw, err := wire.SealRekey(old, fresh, oldV, wire.NewCard("gw-ao", freshV, "s"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := wire.OpenRekey(raw)
		if err != nil {
			return
		}
		if gateway, was, is, _, err := wire.OpenRekeyNote(r.Note); err != nil || gateway != r.Card.Gateway || was != r.Old || is != r.Card.VKey {
			t.Errorf("%+v: %v", r, err)
		}
	})
}
