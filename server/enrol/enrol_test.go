package enrol_test

import (
	"bytes"
	"context"
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
	"aovuon/server/ledger"
)

// book is a register with one claim.
type book struct {
	code     wire.ClaimCode
	enrolled []wire.Card
	rekeyed  []wire.Rekey
}

func (b *book) ClaimKey(_ context.Context, id string, _ time.Time) ([]byte, error) {
	if id != b.code.ID() {
		return nil, enrol.ErrRefused
	}
	return b.code.Key(), nil
}

func (b *book) EnrolByClaim(_ context.Context, _ string, card wire.Card, _ ledger.By) error {
	b.enrolled = append(b.enrolled, card)
	return nil
}

func (b *book) Rekey(_ context.Context, q wire.Rekey, _ ledger.By) error {
	b.rekeyed = append(b.rekeyed, q)
	return nil
}

type rig struct {
	t    *testing.T
	book *book
	now  time.Time
	h    http.Handler
	from string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	code, err := wire.NewClaimCode()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, book: &book{code: code}, now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), from: "192.0.2.1:1"}
	signer, vkey := key(t, "htx")
	r.h = enrol.New(enrol.Options{
		Register: r.book, Broker: "ssl://htx:8883", VKey: vkey, Signer: signer, CAPEM: "pem\n", Now: func() time.Time { return r.now }, Log: slog.New(slog.DiscardHandler),
		Certificate: func(csr []byte, gateway string) ([]byte, error) {
			if string(csr) == "bad" {
				return nil, fmt.Errorf("no request")
			}
			return []byte("certificate of " + gateway), nil
		},
	})
	return r
}

func key(t *testing.T, name string) (note.Signer, string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return s, vkey
}

func (r *rig) post(path string, body []byte) (int, []byte) {
	r.t.Helper()
	q := httptest.NewRequestWithContext(r.t.Context(), http.MethodPost, path, bytes.NewReader(body))
	q.RemoteAddr = r.from
	w := httptest.NewRecorder()
	r.h.ServeHTTP(w, q)
	answer, err := io.ReadAll(w.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return w.Code, answer
}

func TestEnrol_AnswersWhoKnowsTheCode(t *testing.T) {
	r := newRig(t)
	_, vkey := key(t, "gw-ao")
	card := wire.NewCard("gw-ao", vkey, "s")
	raw := wire.Enrol{ClaimID: r.book.code.ID(), Card: card, CSR: []byte("csr")}.Seal(r.book.code)
	status, answer := r.post("/enrol", raw)
	e, err := wire.OpenEnrolled(answer, r.book.code, raw)
	if status != http.StatusOK || err != nil || e.Broker != "ssl://htx:8883" || string(e.Certificate) != "certificate of gw-ao" || len(r.book.enrolled) != 1 {
		t.Fatalf("%d %+v %v", status, e, err)
	}
	other, err := wire.NewClaimCode()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		body []byte
		want int
	}{
		"right id, wrong code": {"/enrol", wire.Enrol{ClaimID: r.book.code.ID(), Card: card}.Seal(other), http.StatusForbidden},
		"unknown claim":        {"/enrol", wire.Enrol{ClaimID: other.ID(), Card: card}.Seal(other), http.StatusForbidden},
		"rubbish":              {"/enrol", []byte("x"), http.StatusBadRequest},
		"empty":                {"/rekey", nil, http.StatusBadRequest},
		"too long":             {"/enrol", make([]byte, wire.MaxEnrol+1), http.StatusRequestEntityTooLarge},
		"bad request for a certificate": {
			"/enrol", wire.Enrol{ClaimID: r.book.code.ID(), Card: card, CSR: []byte("bad")}.Seal(r.book.code), http.StatusBadRequest,
		},
	} {
		if status, _ := r.post(c.path, c.body); status != c.want {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
	}
	if len(r.book.enrolled) != 1 {
		t.Errorf("%d enrolled", len(r.book.enrolled))
	}
}

func TestRekey_AnswerIsSignedByTheServer(t *testing.T) {
	r := newRig(t)
	old, oldV := key(t, "gw-ao")
	fresh, freshV := key(t, "gw-ao")
	raw, err := wire.SealRekey(old, fresh, oldV, wire.NewCard("gw-ao", freshV, "s"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := r.post("/rekey", raw); status != http.StatusOK || len(r.book.rekeyed) != 1 || !bytes.Contains(answer, []byte("— htx ")) {
		t.Errorf("%d %s", status, answer)
	}
	raw[len(raw)-5] ^= 1
	if status, _ := r.post("/rekey", raw); status == http.StatusOK {
		t.Error("a changed request was taken")
	}
}

func TestServer_TriesAreLimited(t *testing.T) {
	r := newRig(t)
	refused := func(n int) (late int) {
		for range n {
			if status, _ := r.post("/enrol", []byte("x")); status == http.StatusTooManyRequests {
				late++
			}
		}
		return late
	}
	if late := refused(30); late != 20 {
		t.Errorf("%d of 30 of one address were refused, want 20", late)
	}
	r.from = "192.0.2.2:1"
	if late := refused(5); late != 0 {
		t.Errorf("another address: %d refused", late)
	}
	for i := range 40 {
		r.from = fmt.Sprintf("198.51.100.%d:1", i)
		refused(10)
	}
	r.from = "192.0.2.3:1"
	if late := refused(1); late != 1 {
		t.Error("there is no limit for all together")
	}
	r.now = r.now.Add(time.Minute)
	if late := refused(1); late != 0 {
		t.Error("still refused a minute later")
	}
}
