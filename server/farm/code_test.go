package farm_test

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aovuon/server/farm"
)

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func TestCode_FindsEveryWrongCharacterAndEverySwap(t *testing.T) {
	for range 50 {
		code, err := farm.NewCode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := farm.ParseCode(code); err != nil || got != code {
			t.Fatalf("ParseCode(%q) = %q, %v", code, got, err)
		}
		for i := range code {
			for _, c := range alphabet {
				if bad := code[:i] + string(c) + code[i+1:]; bad != code {
					if _, err := farm.ParseCode(bad); err == nil {
						t.Fatalf("%s passed for %s", bad, code)
					}
				}
			}
			for j := range i {
				b := []byte(code)
				b[i], b[j] = b[j], b[i]
				if _, err := farm.ParseCode(string(b)); err == nil && string(b) != code {
					t.Fatalf("swap %s passed for %s", b, code)
				}
			}
		}
	}
}

func TestCode_GoldenAndAsPeopleSayIt(t *testing.T) {
	code, err := farm.NewCode(bytes.NewReader([]byte{7, 19, 3, 22, 21, 29, 9, 13}))
	if err != nil || code != "7K3PNX9DX" {
		t.Fatalf("NewCode = %q, %v", code, err)
	}
	for _, s := range []string{"7k3p-nx9dx", " 7K3P NX9D X "} {
		if got, err := farm.ParseCode(s); err != nil || got != code {
			t.Errorf("ParseCode(%q) = %q, %v", s, got, err)
		}
	}
	zeros, err := farm.NewCode(bytes.NewReader(make([]byte, 8)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := farm.ParseCode(strings.ReplaceAll(zeros, "0", "o")); err != nil || got != zeros {
		t.Errorf("O is not read as 0: %q, %v", got, err)
	}
	for _, s := range []string{"", "7K3PNX9D", "7K3PNX9DXP", "7K3PNX9DU", "7K3PNX9D*", "ăăăăăăăăă", "../../etc", strings.Repeat("A", 1<<20)} {
		if got, err := farm.ParseCode(s); err == nil {
			t.Errorf("ParseCode(%.20q) = %q", s, got)
		}
	}
}

func TestCode_ParseIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[0-9A-Za-z -]{8,12}`).Draw(t, "s")
		code, err := farm.ParseCode(s)
		if err != nil {
			return
		}
		if again, err := farm.ParseCode(code); err != nil || again != code {
			t.Fatalf("%q -> %q -> %q, %v", s, code, again, err)
		}
	})
}

// Whatever is typed, the answer is a code that says the same when it is read again, or an error.
func FuzzParseCode(f *testing.F) {
	f.Add("F7NE3CDQ7")
	f.Add("f7ne-3cdq7")
	f.Add("F7NE 3CDQ8")
	f.Fuzz(func(t *testing.T, s string) {
		code, err := farm.ParseCode(s)
		if (code == "") == (err == nil) {
			t.Fatalf("%q: %q, %v", s, code, err)
		}
		if again, errAgain := farm.ParseCode(code); err == nil && (errAgain != nil || again != code) {
			t.Errorf("%q becomes %q becomes %q, %v", s, code, again, errAgain)
		}
	})
}
