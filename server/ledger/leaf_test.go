package ledger_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/ledger"
)

func sample() ledger.Leaf {
	previous := tlog.RecordHash([]byte("before"))
	return ledger.Leaf{
		Kind: ledger.LotSealed, Subject: "/01/09521234010036/10/AO1-261123", Actor: ledger.Server,
		Time:    time.Date(2026, 11, 24, 3, 0, 0, 125e6, time.UTC),
		Content: ledger.ContentHash(bytes.Repeat([]byte{7}, ledger.SaltSize), []byte(`{"kg":1850}`)), Previous: &previous,
	}
}

const sampleText = `aovuon/leaf/1
seal
/01/09521234010036/10/AO1-261123
server
2026-11-24T03:00:00.125Z
`

func TestLeaf_IsTheTextOfTheFormat(t *testing.T) {
	raw := sample().Bytes()
	if !strings.HasPrefix(string(raw), sampleText) || bytes.Count(raw, []byte("\n")) != 7 {
		t.Errorf("leaf:\n%s", raw)
	}
	got, err := ledger.ParseLeaf(raw)
	if err != nil || !bytes.Equal(got.Bytes(), raw) || got.Hash() != tlog.RecordHash(raw) {
		t.Errorf("comes back as %+v, %v", got, err)
	}
	first := sample()
	first.Previous = nil
	if got, err := ledger.ParseLeaf(first.Bytes()); err != nil || got.Previous != nil {
		t.Errorf("a first leaf comes back as %+v, %v", got, err)
	}
}

func TestParseLeaf_TakesOneFormAlone(t *testing.T) {
	good := string(sample().Bytes())
	for name, bad := range map[string]string{
		"empty":           "",
		"no last line":    strings.TrimSuffix(good, "\n"),
		"one line more":   good + "x\n",
		"another version": strings.Replace(good, "leaf/1", "leaf/2", 1),
		"time zone":       strings.Replace(good, "125Z", "125+00:00", 1),
		"microseconds":    strings.Replace(good, "125Z", "125000Z", 1),
		"carriage return": strings.Replace(good, "\n", "\r\n", 1),
		"space in actor":  strings.Replace(good, "server", "chị Hoa", 1),
		"no subject":      strings.Replace(good, "/01/09521234010036/10/AO1-261123", "", 1),
		"short hash":      strings.Replace(good, "=\n", "\n", 1),
		"too long":        good + strings.Repeat("x", 2000),
	} {
		if l, err := ledger.ParseLeaf([]byte(bad)); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}

func TestNewLeaf_SaltsAnew(t *testing.T) {
	e := ledger.Entry{Kind: ledger.ProductSaved, Subject: "09521234010036", Body: []byte("{}"), By: ledger.By{Actor: ledger.Operator, At: time.Now()}}
	a, saltA, errA := ledger.NewLeaf(e, nil)
	b, saltB, errB := ledger.NewLeaf(e, nil)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(saltA, saltB) || a.Content == b.Content || a.Content != ledger.ContentHash(saltA, e.Body) {
		t.Error("two leaves of one body can be told to be of one body")
	}
}

func FuzzParseLeaf(f *testing.F) {
	f.Add(sample().Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if l, err := ledger.ParseLeaf(raw); err == nil && !bytes.Equal(l.Bytes(), raw) {
			t.Errorf("%q was taken and is written as %q", raw, l.Bytes())
		}
	})
}

func matches(re, text string) bool { return regexp.MustCompile(re).MatchString(text) }
