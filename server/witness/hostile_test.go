package witness_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"aovuon/server/ledger"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/witness"
)

// Whatever a witness answers, what is kept is the head with signatures that every policy can check: nothing it says gets into it.
func TestGatherer_KeepsNothingOfAHostileAnswer(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.Fresh(t))
	skey, vkey, err := note.GenerateKey(rand.Reader, "htx-thu/ledger")
	if err != nil {
		t.Fatal(err)
	}
	signer, errS := note.NewSigner(skey)
	wkey, wv, errW := note.GenerateKey(rand.Reader, "witness.example")
	eyes, errE := cosign.NewSignerForCosignatureV1(wkey)
	wv, errV := cosign.VKeyToCosignatureV1(wv)
	if err := errors.Join(errS, errW, errE, errV); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	p, err := ledger.NewPublisher(ledger.PublisherOptions{Tree: db, Signer: signer, VKey: vkey, Every: time.Hour, Now: clock, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	enter(t, db, 0)
	if err := p.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	head, err := db.Checkpoint(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	text, sigs, _ := bytes.Cut(head, []byte("\n\n"))
	lines := func(text string) string {
		signed, err := note.Sign(&note.Note{Text: text}, eyes)
		if err != nil {
			t.Fatal(err)
		}
		return string(signed[bytes.LastIndex(signed, []byte("\n\n"))+2:])
	}
	good := lines(string(text) + "\n")
	longer := string(text) + "\n\n" + string(sigs) // what the note's text becomes when an empty line follows the signatures
	for name, c := range map[string]struct {
		status int
		body   string
		kept   bool
	}{
		"a good one":                      {200, good, true},
		"a good one, and another's":       {200, good + "— stranger.example AAAAAAAA\n", true},
		"nothing":                         {200, "", false},
		"no line":                         {200, strings.TrimSuffix(good, "\n"), false},
		"noise":                           {200, "\x00\xff\n", false},
		"of another head":                 {200, lines("htx-thu/ledger\n9\nAAAA\n"), false},
		"of a text that holds the head":   {200, "\n" + lines(longer), false},
		"the log's own signature":         {200, string(sigs), false},
		"longer than is read":             {200, strings.Repeat("x", 70_000) + good, false},
		"stale, and no size":              {409, "many\n", false},
		"stale, below nothing":            {409, "-1\n", false},
		"stale, above what there is":      {409, "9223372036854775807\n", false},
		"stale, above any number":         {409, "9223372036854775808\n", false},
		"stale, by turns":                 {409, "1\n", false},
		"a signature with another status": {202, good, false},
		"a redirect to nowhere":           {302, good, false},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.WriteHeader(c.status)
				if _, err := rw.Write([]byte(c.body)); err != nil {
					t.Error(err)
				}
			}))
			defer srv.Close()
			policy, err := ledger.ParsePolicy("policy.txt", []byte("log "+vkey+"\nwitness one "+wv+" "+srv.URL+"\nquorum one\n"))
			if err != nil {
				t.Fatal(err)
			}
			if err := db.SaveCheckpoint(t.Context(), 2, head, clock()); err != nil { // as it was before anybody saw it
				t.Fatal(err)
			}
			cl := &witness.Client{HTTP: &http.Client{Timeout: 5 * time.Second}}
			defer cl.HTTP.CloseIdleConnections()
			if err := ledger.NewGatherer(db, p.Verifier(), policy, cl, clock, quiet).Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			after, err := db.Checkpoint(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			if want := string(head) + good; c.kept && string(after) != want || !c.kept && !bytes.Equal(after, head) {
				t.Errorf("kept:\n%s", after)
			}
		})
	}
}

// A witness that cannot read what it saw does not begin anew.
func TestOpenFile_ADamagedFileIsNoEmptyOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heads.json")
	for _, text := range []string{"", "null", "{", `{"htx/ledger": "htx`, `["htx/ledger"]`, "\x00\x00\x00\x00"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := witness.OpenFile(path); err == nil {
			t.Errorf("%q is taken for %+v", text, f)
		}
	}
}
