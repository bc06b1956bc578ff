package enrol_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/enrol"
)

// FuzzServer: whatever is sent to the addresses of enrolment, nobody comes in who does not know the code or has not the key in force, and
// the server has no fault of its own.
func FuzzServer(f *testing.F) {
	code, err := wire.ParseClaimCode("0000-0000-0000-0000")
	if err != nil {
		f.Fatal(err)
	}
	keys := func(name string) (note.Signer, string) {
		skey, vkey, err := note.GenerateKey(rand.Reader, name)
		if err != nil {
			f.Fatal(err)
		}
		s, err := note.NewSigner(skey)
		if err != nil {
			f.Fatal(err)
		}
		return s, vkey
	}
	signer, vkey := keys("htx")
	old, oldV := keys("gw-ao")
	fresh, freshV := keys("gw-ao")
	card := wire.NewCard("gw-ao", freshV, "s")
	f.Add(false, wire.Enrol{ClaimID: code.ID(), Card: card, CSR: []byte("csr")}.Seal(code))
	f.Add(false, wire.Enrol{ClaimID: "0000", Card: card}.Seal(code))
	raw, err := wire.SealRekey(old, fresh, oldV, card, []byte("csr"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(true, raw)
	f.Add(true, []byte("\n"))
	n := 0
	f.Fuzz(func(t *testing.T, rekey bool, raw []byte) {
		b := &book{code: code}
		h := enrol.New(enrol.Options{
			Register: b, Broker: "ssl://htx:8883", VKey: vkey, Signer: signer, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }, Log: slog.New(slog.DiscardHandler),
			Certificate: func(csr []byte, _ string) ([]byte, error) { return csr, nil },
		})
		path := "/enrol"
		if rekey {
			path = "/rekey"
		}
		q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(raw))
		n++
		q.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", n%250)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		answer, err := io.ReadAll(w.Body)
		if err != nil || w.Code >= 500 {
			t.Fatalf("%d %s, %v", w.Code, answer, err)
		}
		in := len(b.enrolled) + len(b.rekeyed)
		if (w.Code == http.StatusOK) != (in == 1) {
			t.Fatalf("%d, and %d came in", w.Code, in)
		}
		if len(b.enrolled) == 1 {
			if _, err := wire.OpenEnrolled(answer, code, raw); err != nil || !wire.VerifyTag(raw, code.Key()) {
				t.Errorf("came in without the code: %v", err)
			}
		}
		if len(b.rekeyed) == 1 {
			if _, err := wire.OpenRekey(raw); err != nil {
				t.Errorf("came in without the key: %v", err)
			}
		}
	})
}
