package statement_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/statement"
)

var noon = time.Date(2026, 10, 18, 12, 0, 0, 0, farm.Time())

type key struct {
	note.Signer
	vkey string
}

func newKey(t *testing.T, random string) key {
	t.Helper()
	skey, vkey, err := note.GenerateKey(strings.NewReader(strings.Repeat(random, 64)), "htx/ledger")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return key{signer, vkey}
}

func (k key) believes(vkey string) bool { return vkey == k.vkey }

func dossier() trace.Dossier {
	return trace.Dossier{
		Lot:     trace.Lot{GTIN: "09521234010036", Code: "AO1-261018", Places: []string{"F7NE3CDQ7"}, Scientific: "Oreochromis niloticus", Stocked: noon.AddDate(0, -5, 0), Harvested: noon, KG: 6800, State: trace.Released},
		Product: trace.Product{GTIN: "09521234010036", Name: farm.Text{VI: "Cá rô phi tươi"}},
		Evidence: []trace.Evidence{
			{Place: "F7NE3CDQ7", Quantity: measure.WaterTemperature, From: noon.AddDate(0, -5, 0), To: noon, N: 10, Min: 20, Mean: 25, Max: 30, Covered: time.Hour},
			{Place: "F7NE3CDQ7", Quantity: measure.PH, From: noon.AddDate(0, -5, 0), To: noon},
		},
		Certificates: []trace.Certificate{{Scheme: "VietGAP", Standard: "TCVN", Number: "1", Issuer: "Q", From: noon, To: noon.AddDate(1, 0, 0)}},
		Seal:         &trace.Sealed{Leaf: 42, At: noon},
	}
}

func signed(t *testing.T, k key) []byte {
	t.Helper()
	s, err := statement.Of(dossier(), farm.Text{VI: "HTX"}, "https://tx.example.vn", k.vkey, noon)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := statement.Sign(s, k.Sign)
	if err != nil {
		t.Fatal(err)
	}
	return jws
}

func TestStatement_IsKeptAndChecked(t *testing.T) {
	k := newKey(t, "a")
	jws := signed(t, k)
	if !bytes.Equal(jws, signed(t, k)) {
		t.Error("the same lot is not the same bytes")
	}
	s, err := statement.Open(append(jws, '\n'), k.believes)
	if err != nil {
		t.Fatal(err)
	}
	if s.Issuer != "htx/ledger" || s.Subject != "https://tx.example.vn/01/09521234010036/10/AO1-261018" || s.Lot.KG != 6800 || s.Lot.GTIN == "" || s.Seal.Leaf != 42 ||
		len(s.Evidence) != 2 || *s.Evidence[0].Min != 20 || s.Evidence[1].Min != nil || s.Covers[0].To != "2027-10-17" || s.MeansVI == "" {
		t.Errorf("%+v", s)
	}
	d := dossier()
	d.Lot.GTIN = farm.InternalNumber(1)
	s, err = statement.Of(d, farm.Text{}, "https://tx.example.vn", k.vkey, noon)
	if err != nil || s.Lot.GTIN != "" || !strings.HasPrefix(s.Subject, "https://tx.example.vn/t/") {
		t.Errorf("a number of the co-op's own: %+v, %v", s.Lot, err)
	}
}

func TestOpen_TakesNothingThatWasChanged(t *testing.T) {
	k, other := newKey(t, "a"), newKey(t, "b")
	good := signed(t, k)
	parts := strings.Split(string(good), ".")
	again := func(part string, change func(map[string]any)) string {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		var m map[string]any
		if err == nil {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			t.Fatal(err)
		}
		change(m)
		if raw, err = json.Marshal(m); err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	for name, jws := range map[string]string{
		"payload":       parts[0] + "." + again(parts[1], func(m map[string]any) { m["coop"] = "HTX khác" }) + "." + parts[2],
		"no algorithm":  again(parts[0], func(m map[string]any) { m["alg"] = "none" }) + "." + parts[1] + ".",
		"HMAC":          again(parts[0], func(m map[string]any) { m["alg"] = "HS256" }) + "." + parts[1] + "." + parts[2],
		"other type":    again(parts[0], func(m map[string]any) { m["typ"] = "JWT" }) + "." + parts[1] + "." + parts[2],
		"other key":     again(parts[0], func(m map[string]any) { m["kid"] = other.vkey }) + "." + parts[1] + "." + parts[2],
		"no signature":  parts[0] + "." + parts[1] + ".",
		"two parts":     parts[0] + "." + parts[1],
		"not base64url": parts[0] + "." + parts[1] + ".+/=",
		"empty":         "",
		"of another":    string(signed(t, other)),
	} {
		if s, err := statement.Open([]byte(jws), k.believes); err == nil {
			t.Errorf("%s is taken: %+v", name, s)
		}
	}
	for i := range good {
		bad := bytes.Clone(good)
		if bad[i] = 'A'; good[i] == 'A' {
			bad[i] = 'B'
		}
		if s, err := statement.Open(bad, k.believes); err == nil {
			t.Fatalf("with byte %d changed it is taken: %+v", i, s)
		}
	}
	if _, err := statement.Open(signed(t, other), k.believes); !errors.Is(err, statement.ErrUnknownKey) {
		t.Errorf("a key that nobody believes: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("e30.e30.e30"))
	f.Add([]byte(`eyJhbGciOiJFZERTQSIsInR5cCI6ImFvdnVvbi1sb3Qrand0Iiwia2lkIjoiYStiK0FRPT0ifQ.e30.AA`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := statement.Open(raw, func(string) bool { return true }); err == nil && s.Key == "" {
			t.Fatalf("%+v", s)
		}
	})
}
