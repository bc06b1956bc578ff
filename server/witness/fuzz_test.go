package witness_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"aovuon/server/ledger"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/witness"
)

// says answers every request of a witness's client alike.
type says struct {
	status int
	body   []byte
}

// RoundTrip implements http.RoundTripper.
func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Status: fmt.Sprint(s.status), Body: io.NopCloser(bytes.NewReader(s.body)), Header: http.Header{}, Request: r}, nil
}

// FuzzClient: whatever a witness that has no key answers, the head that is kept stays as it was signed.
func FuzzClient(f *testing.F) {
	_, wkey, err := note.GenerateKey(rand.Reader, "witness.example")
	if err != nil {
		f.Fatal(err)
	}
	wv, err := cosign.VKeyToCosignatureV1(wkey)
	if err != nil {
		f.Fatal(err)
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, "htx-thu/ledger")
	if err != nil {
		f.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		f.Fatal(err)
	}
	db := sqldbtest.Open(f, sqldbtest.SQLite(f))
	p, err := ledger.NewPublisher(ledger.PublisherOptions{Tree: db, Signer: signer, VKey: vkey, Every: time.Hour, Now: clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	for i := range 5 {
		e := ledger.Entry{Kind: ledger.Changed, Subject: fmt.Sprint(i), Body: []byte("{}"), By: ledger.By{Actor: ledger.Server, At: clock()}}
		if _, err := db.Enter(f.Context(), e); err != nil {
			f.Fatal(err)
		}
	}
	if err := p.Step(f.Context()); err != nil {
		f.Fatal(err)
	}
	head, err := db.Checkpoint(f.Context(), 0)
	if err != nil {
		f.Fatal(err)
	}
	policy, err := ledger.ParsePolicy("policy", fmt.Appendf(nil, "log %s\nwitness w %s http://witness.invalid\nquorum w\n", vkey, wv))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(200), []byte("— witness.example AAAAAAAA\n"))
	f.Add(uint16(200), head)
	f.Add(uint16(200), head[bytes.LastIndex(head, []byte("\n\n"))+2:])
	f.Add(uint16(409), []byte("3\n"))
	f.Add(uint16(409), []byte("9223372036854775807"))
	f.Add(uint16(422), []byte(nil))
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		c := &witness.Client{HTTP: &http.Client{Transport: says{int(status), body}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
		g := ledger.NewGatherer(db, p.Verifier(), policy, c, clock, slog.New(slog.DiscardHandler))
		if err := g.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kept, err := db.Checkpoint(t.Context(), 0); err != nil || !bytes.Equal(kept, head) {
			t.Fatalf("%d %q: the head became\n%s\n%v", status, body, kept, err)
		}
	})
}
