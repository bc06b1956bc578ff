package audit_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"aovuon/server/audit"
	"aovuon/server/ledger"
)

// liar answers every request with the same status and bytes, but for one path that it answers otherwise.
type liar struct {
	status      int
	body, other []byte
	path        string
}

// RoundTrip implements http.RoundTripper.
func (l liar) RoundTrip(r *http.Request) (*http.Response, error) {
	body := l.body
	if strings.Contains(r.URL.Path, l.path) {
		body = l.other
	}
	return &http.Response{StatusCode: l.status, Body: io.NopCloser(bytes.NewReader(body)), Header: http.Header{}, Request: r}, nil
}

// Whatever a server answers to an auditor, the auditor neither ends by itself nor believes it: there is no signature.
func FuzzRemote(f *testing.F) {
	f.Add([]byte("htx/ledger\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— x AAAA\n"), []byte("{}"), "rows")
	f.Add([]byte{0, 0, 0, 1, 'x'}, []byte(`{"salt":"AA==","body":"AA=="}`), "body")
	f.Add([]byte(`[{"kind":"lot","subject":"x","body":{}}]`), []byte{0, 200, 1}, "tile")
	_, vkey, err := note.GenerateKey(rand.Reader, "htx/ledger")
	if err != nil {
		f.Fatal(err)
	}
	p, err := ledger.ParsePolicy("p", []byte("log "+vkey+"\nquorum none\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, other []byte, path string) {
		src := &audit.Remote{URL: "http://audited.invalid/ledger", HTTP: &http.Client{Transport: liar{status: http.StatusOK, body: body, other: other, path: path}}}
		if r, err := audit.Run(t.Context(), src, audit.Options{Policy: p, Dir: t.TempDir()}); err == nil && r.Sound() {
			t.Errorf("believed: %+v", r)
		}
		if list, err := src.Batches(t.Context(), 0); err == nil {
			n, want := 0, len(body)
			for _, b := range list {
				n += 4 + len(b)
			}
			if strings.Contains("/ledger/batches/0", path) {
				want = len(other)
			}
			if n != want {
				t.Errorf("%d bytes became batches of %d", want, n)
			}
		}
		salt, text, err := src.Body(t.Context(), 0)
		if err != nil && (salt != nil && text != nil) && len(salt)+len(text) > len(body)+len(other) {
			t.Errorf("a body out of nothing: %v", err)
		}
		if _, err := src.Rows(t.Context()); err != nil && errors.Is(err, audit.ErrAbsent) {
			t.Errorf("an answer is no absence: %v", err)
		}
	})
}
