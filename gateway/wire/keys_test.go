package wire_test

import (
	"crypto/rand"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// TestLoadKey_ReadsEveryKeyThatWasMade: the base64 of half of all keys holds a plus sign, which also stands between the
// parts of a key's text.
func TestLoadKey_ReadsEveryKeyThatWasMade(t *testing.T) {
	dir := t.TempDir()
	for i := range 100 {
		path := filepath.Join(dir, strconv.Itoa(i))
		made, err := wire.CreateKey(path, "gw-ao")
		if err != nil {
			t.Fatal(err)
		}
		_, loaded, err := wire.LoadKey(path)
		if err != nil || loaded != made {
			t.Fatalf("key %d: made %s, loaded %s, %v", i, made, loaded, err)
		}
	}
}

func TestParseCards(t *testing.T) {
	var all strings.Builder
	var want []wire.Card
	for _, id := range []string{"gw-one", "gw-two", "gw-six"} {
		_, vkey, err := note.GenerateKey(rand.Reader, id)
		if err != nil {
			t.Fatal(err)
		}
		c := wire.NewCard(id, vkey, "secret of "+id)
		want = append(want, c)
		all.WriteString("\n  " + strings.ReplaceAll(c.String(), "\n", " \n"))
	}
	if got, err := wire.ParseCards(all.String()); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v", got, err)
	}
	one := want[0].String()
	for text, say := range map[string]string{
		"":                                 "no gateway card",
		" \n\n":                            "no gateway card",
		"hello\n" + one:                    "card 1, from line 1 on: ",
		one + "hello\n":                    "not a gateway card",
		one + "\n" + one[:20] + "\n" + one: "card 2, from line 7 on: ",
		one + want[1].String() + one:       "gateway gw-one has two cards, at lines 1 and 11",
	} {
		if _, err := wire.ParseCards(text); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: %v, want %q", text, err, say)
		}
	}
}
