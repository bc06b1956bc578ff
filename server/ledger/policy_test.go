package ledger_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"aovuon/server/ledger"
)

// eyes is a witness's key.
type eyes struct {
	signer note.Signer
	vkey   string
}

func newEyes(t *testing.T, name string) eyes {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cosign.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	if vkey, err = cosign.VKeyToCosignatureV1(vkey); err != nil {
		t.Fatal(err)
	}
	return eyes{signer, vkey}
}

func TestPolicy_SaysWhoMustHaveSeen(t *testing.T) {
	b := newBench(t)
	b.enter(4)
	p := b.publisher()
	if err := p.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	h, checkpoint := b.head(p)
	x1, x2, x3, y := newEyes(t, "x1"), newEyes(t, "x2"), newEyes(t, "x3"), newEyes(t, "y")
	text := fmt.Sprintf(`# who is believed
log %s http://localhost:8080/ledger

witness X1 %s
witness X2 %s
witness X3 %s http://127.0.0.1:7070
witness Y %s
group X 2 X1 X2 X3
group both all X Y
quorum both
`, b.vkey, x1.vkey, x2.vkey, x3.vkey, y.vkey)
	policy, err := ledger.ParsePolicy("policy.txt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := b.db.LedgerLeaves(t.Context(), 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		by     []eyes
		quorum bool
	}{
		{nil, false},
		{[]eyes{y}, false},
		{[]eyes{x1, x2}, false},
		{[]eyes{x1, y}, false},
		{[]eyes{x1, x3, y}, true},
		{[]eyes{x1, x2, x3, y}, true},
		{[]eyes{newEyes(t, "x1"), newEyes(t, "x2"), y}, false}, // the right names, the wrong keys
	} {
		signed := checkpoint
		for _, e := range c.by {
			text, _, _ := bytes.Cut(checkpoint, []byte("\n\n"))
			n, err := note.Sign(&note.Note{Text: string(text) + "\n"}, e.signer)
			if err != nil {
				t.Fatal(err)
			}
			_, line, _ := bytes.Cut(n, []byte("\n\n"))
			signed = append(bytes.Clone(signed), line...)
		}
		raw, err := ledger.Prove(2, leaves[0], signed, h, b.db.LedgerHashes(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		v, err := policy.Check(raw)
		if err != nil || v.Quorum != c.quorum || v.Of != 4 {
			t.Errorf("%d witnesses: %+v, %v; want quorum %v", len(c.by), v, err, c.quorum)
		}
	}
	strangers, err := ledger.ParsePolicy("policy.txt", []byte("log "+newBench(t).vkey+"\nquorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ledger.Prove(2, leaves[0], checkpoint, h, b.db.LedgerHashes(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strangers.Check(raw); err == nil {
		t.Error("a log that the policy does not name was believed")
	}
}

func TestParsePolicy_NamesLineAndFault(t *testing.T) {
	_, log, err := note.GenerateKey(rand.Reader, "log")
	if err != nil {
		t.Fatal(err)
	}
	w := newEyes(t, "w").vkey
	again := "other+" + strings.SplitN(w, "+", 3)[1] + "+" + strings.SplitN(w, "+", 3)[2]
	for text, want := range map[string]string{
		"":                              "no quorum",
		"log " + log:                    "no quorum",
		"quorum none\nquorum none":      "p:2: a second quorum",
		"quorum W":                      "p:1: quorum \"W\": no witness",
		"log abc\nquorum none":          "p:1: log key",
		"witness W abc\nquorum W":       "p:1: witness key",
		"witness none " + w + "\n":      "p:1: name \"none\" is taken",
		"witness W " + w + " ftp://x\n": "p:1: address",
		"log " + log + "\nlog " + log:   "p:2: key .* is there already",
		"witness A " + w + "\nwitness B " + again: "p:2: ",
		"witness W " + w + "\ngroup G 2 W\n":      "p:2: group G: \"2\" of 1",
		"witness W " + w + "\ngroup G 0 W\n":      "p:2: group G: \"0\"",
		"witness W " + w + "\ngroup G any V\n":    "p:2: group G: no witness or group \"V\"",
		"witness W " + w + "\ngroup G any W W\n":  "p:2: group G: \"W\" is a member already",
		"group G any\n":                           "p:1: \"group G any\": want",
		"nonsense\n":                              "p:1: \"nonsense\": want",
		"quorum none\r\n":                         "p:1: a control character",
	} {
		_, err := ledger.ParsePolicy("p", []byte(text))
		if !errors.Is(err, ledger.ErrMalformed) || !matches(want, err.Error()) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte("log a+00000000+AA==\nwitness X b\ngroup G any X\nquorum G\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := ledger.ParsePolicy("p", raw)
		if err == nil && p.Enough(nil) && !bytes.Contains(raw, []byte("none")) {
			t.Errorf("%q is content with nobody", raw)
		}
	})
}
