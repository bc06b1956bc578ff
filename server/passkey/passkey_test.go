package passkey_test

import (
	"errors"
	"strings"
	"testing"

	"aovuon/server/passkey"
	"aovuon/server/passkey/passkeytest"
)

func TestNew_SaysWhereBrowsersGiveNone(t *testing.T) {
	for address, want := range map[string]error{
		"https://htx.example": nil, "https://htx.example:8443": nil, "http://localhost:8080": nil, "https://may.local": nil, "https://HTX.Example": nil,
		"http://htx.example": passkey.ErrPlain, "https://192.168.1.5": passkey.ErrHost, "http://127.0.0.1:8080": passkey.ErrHost, "https://[fd00::1]": passkey.ErrHost,
		"": passkey.ErrHost, "/x": passkey.ErrHost,
	} {
		p, err := passkey.New(address, "AoVườn")
		if !errors.Is(err, want) || (p == nil) != (want != nil) {
			t.Errorf("%q: %v, want %v", address, err, want)
		}
	}
}

func TestFingerprint_IsAnotherForEveryOtherKey(t *testing.T) {
	k := passkey.Key{Credential: []byte("ab"), Public: []byte("c")}
	seen := map[string]bool{k.Fingerprint(): true}
	for _, other := range []passkey.Key{{Credential: []byte("a"), Public: []byte("bc")}, {Credential: []byte("ab"), Public: []byte("d")}, {Credential: []byte("abc")}} {
		if f := other.Fingerprint(); seen[f] || !strings.HasPrefix(f, "k-") || len(f) != 18 {
			t.Errorf("%+v: %s", other, f)
		} else {
			seen[f] = true
		}
	}
}

// FuzzAnswer: whatever a browser sends, nothing but ErrAnswer comes of it, and nothing is proven.
func FuzzAnswer(f *testing.F) {
	p, err := passkey.New("https://htx.example", "x")
	if err != nil {
		f.Fatal(err)
	}
	k := passkeytest.New(f, "https://htx.example", "htx.example")
	o := passkey.Owner{ID: "u-AAAAAAAA", Login: "lan", Name: "Lan"}
	made, err := p.Make(o)
	if err != nil {
		f.Fatal(err)
	}
	first := k.Make(made.Options)
	key, err := p.Made(o, made.State, first)
	if err != nil {
		f.Fatal(err)
	}
	o.Keys = []passkey.Key{key}
	asked, err := p.Ask(o)
	if err != nil {
		f.Fatal(err)
	}
	again, err := p.Ask(o)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(first)
	f.Add(k.Sign(asked.Options))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"response":{"clientDataJSON":"e30"}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if _, err := passkey.ChallengeOf(answer); err != nil && !errors.Is(err, passkey.ErrAnswer) {
			t.Fatalf("challenge: %v", err)
		}
		find := func(string) (passkey.Owner, error) { return o, nil }
		if a, err := p.Answered(again.State, answer, find); !errors.Is(err, passkey.ErrAnswer) {
			t.Fatalf("an answer to nothing that was asked: %+v, %v", a, err)
		}
		if string(answer) != string(first) {
			if _, err := p.Made(o, made.State, answer); err == nil {
				t.Logf("another answer to the same question was taken: %.200q", answer) // white space, and fields that nobody reads
			} else if !errors.Is(err, passkey.ErrAnswer) {
				t.Fatalf("made: %v", err)
			}
		}
	})
}
