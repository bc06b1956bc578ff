package wire_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// FuzzOpenEnrolled: what a gateway takes for its server's answer to a claim has one form, and is made with the code.
func FuzzOpenEnrolled(f *testing.F) {
	code, err := wire.ParseClaimCode("0000-0000-0000-0000")
	if err != nil {
		f.Fatal(err)
	}
	_, vkey := keyOf(f, "htx")
	request := []byte("request\n")
	good := wire.Enrolled{Request: wire.HashOf(request), Broker: "ssl://htx:8883", ServerVKey: vkey, CAPEM: "pem\n", Certificate: []byte("der")}
	f.Add(good.Seal(code.Key()))
	good.CAPEM, good.Certificate = "", nil
	f.Add(good.Seal(code.Key()))
	f.Fuzz(func(t *testing.T, raw []byte) {
		// The last line is made anew, so that it stops nothing from being looked at.
		text := raw[:bytes.LastIndexByte(bytes.TrimSuffix(raw, []byte("\n")), '\n')+1]
		m := hmac.New(sha256.New, code.Key())
		m.Write(text)
		again := fmt.Appendf(nil, "%s%s\n", text, base64.StdEncoding.EncodeToString(m.Sum(nil)))
		e, err := wire.OpenEnrolled(again, code, request)
		if err != nil {
			return
		}
		if back := e.Seal(code.Key()); !bytes.Equal(again, back) {
			t.Errorf("%q is written %q", again, back)
		}
		if other, err := wire.OpenEnrolled(raw, code, request); err == nil && !bytes.Equal(raw, again) {
			t.Errorf("%q is taken without its last line: %+v", raw, other)
		}
	})
}

// FuzzOpenRekeyed: the answer to a new key, signed anew each time, so that the signature stops nothing from being looked at.
func FuzzOpenRekeyed(f *testing.F) {
	signer, v, _ := serverKey(f)
	request := []byte("request\n")
	good, err := wire.SealRekeyed(request, []byte("der"), signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if certificate, err := wire.OpenRekeyed(raw, request, v); err != nil && certificate != nil {
			t.Error("a certificate and an error")
		}
		text, _, _ := bytes.Cut(raw, []byte("\n\n"))
		again, err := note.Sign(&note.Note{Text: string(text) + "\n"}, signer)
		if err != nil {
			return
		}
		certificate, err := wire.OpenRekeyed(again, request, v)
		if err != nil {
			return
		}
		if back, err := wire.SealRekeyed(request, certificate, signer); err != nil || !bytes.Equal(back, again) {
			t.Errorf("%q is written %q, %v", again, back, err)
		}
	})
}
