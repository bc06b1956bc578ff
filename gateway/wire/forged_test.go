package wire_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// TestOpen_EveryAlteredByteIsRefused changes each byte of a batch and of a receipt, in every bit.
func TestOpen_EveryAlteredByteIsRefused(t *testing.T) {
	_, gv, _ := gatewayKey(t)
	server, sv, _ := serverKey(t)
	_, sealed := vectorBatches(t)
	for what, tc := range map[string]struct {
		raw  []byte
		open func([]byte) error
	}{
		"batch":   {sealed[1], func(raw []byte) error { _, err := wire.Open(raw, gv); return err }},
		"receipt": {read2(t, server), func(raw []byte) error { _, err := wire.OpenReceipt(raw, sv); return err }},
	} {
		if err := tc.open(tc.raw); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for i := range tc.raw {
			for bit := range 8 {
				raw := bytes.Clone(tc.raw)
				raw[i] ^= 1 << bit
				if reasonOf(tc.open(raw)) == "accepted" {
					t.Fatalf("%s: bit %d of byte %d changed, and it is accepted", what, bit, i)
				}
			}
			if reasonOf(tc.open(tc.raw[:i])) == "accepted" || reasonOf(tc.open(append(bytes.Clone(tc.raw[:i]), tc.raw[i+1:]...))) == "accepted" {
				t.Fatalf("%s: cut at byte %d, or without it, and it is accepted", what, i)
			}
		}
	}
}

func TestSeal_RefusesWhatOpenWould(t *testing.T) {
	signer, _, _ := gatewayKey(t)
	other, _, _ := fixedKey(t, "gw-vuon", 97)
	batches, _ := vectorBatches(t)
	with := func(f func(b *wire.Batch)) *wire.Batch {
		b := *batches[1]
		b.Readings = append([]measure.Reading(nil), b.Readings...)
		f(&b)
		return &b
	}
	for name, b := range map[string]*wire.Batch{
		"no record":           with(func(b *wire.Batch) { b.Readings, b.Gaps, b.Anchor = nil, nil, nil }),
		"gateway id":          with(func(b *wire.Batch) { b.Gateway = "x" }),
		"epoch":               with(func(b *wire.Batch) { b.Epoch = "" }),
		"seq 0":               with(func(b *wire.Batch) { b.Seq = 0 }),
		"first with prev":     with(func(b *wire.Batch) { b.Seq = 1 }),
		"clock":               with(func(b *wire.Batch) { b.Clock = 9 }),
		"boot":                with(func(b *wire.Batch) { b.Boot = "" }),
		"wall before 1978":    with(func(b *wire.Batch) { b.Readings[0].Time.Wall = time.Unix(1<<28-1, 0) }),
		"no wall":             with(func(b *wire.Batch) { b.Readings[0].Time.Wall = time.Time{} }),
		"year 10000":          with(func(b *wire.Batch) { b.Readings[0].Time.Wall = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"negative uptime":     with(func(b *wire.Batch) { b.Anchor = &wire.Anchor{Uptime: -1, Wall: b.Anchor.Wall} }),
		"unsynced with wall":  with(func(b *wire.Batch) { b.Clock, b.Anchor = measure.Unsynced, nil }),
		"gap reason":          with(func(b *wire.Batch) { b.Gaps = []wire.Gap{{From: b.Gaps[0].From, To: b.Gaps[0].To, Reason: "bored"}} }),
		"reserved sensor":     with(func(b *wire.Batch) { b.Readings[0].Sensor = "gateway" }),
		"reading not valid":   with(func(b *wire.Batch) { b.Readings[0].Reason = measure.CRC }),
		"too many records":    with(func(b *wire.Batch) { b.Readings = make([]measure.Reading, wire.MaxRecords) }),
		"too many bytes":      with(func(b *wire.Batch) { b.Readings = many(b.Readings[0], 1500) }),
		"fault without cause": with(func(b *wire.Batch) { b.Readings[0].Quality = measure.Fault }),
	} {
		if raw, err := wire.Seal(b, signer); err == nil {
			t.Errorf("%s: sealed:\n%.300s", name, raw)
		}
	}
	if _, err := wire.Seal(with(func(b *wire.Batch) { b.Readings = many(b.Readings[0], 1500) }), signer); !errors.Is(err, wire.ErrTooLarge) {
		t.Errorf("too many bytes: %v", err)
	}
	if _, err := wire.Seal(batches[1], other); err == nil {
		t.Error("sealed with another gateway's key")
	}
	for _, r := range []wire.Receipt{{}, {Gateway: "gw-ao", Epoch: "x"}, {Gateway: "gw-ao", Epoch: "00112233445566aa", Upto: 1 << 63}} {
		if _, err := wire.SealReceipt(r, signer); err == nil {
			t.Errorf("%+v: sealed", r)
		}
	}
}

func many(r measure.Reading, n int) (out []measure.Reading) {
	r.Sensor = strings.Repeat("s", 40)
	for range n {
		out = append(out, r)
	}
	return out
}

func TestParseCard_TakesWhatPeoplePaste(t *testing.T) {
	_, _, skey := gatewayKey(t)
	card := wire.NewCard("gw-ao", vkeyOf(t, skey), password)
	lines := strings.Split(strings.TrimSpace(card.String()), "\n")
	for name, text := range map[string]string{
		"as printed": card.String(), "indented": "  " + strings.Join(lines, "  \r\n\t") + "\n\n", "no last newline": strings.Join(lines, "\n"),
	} {
		if got, err := wire.ParseCard(text); err != nil || got != card {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "three lines": strings.Join(lines[:3], "\n"), "six lines": card.String() + "x", "five lines that hold no hash": strings.Join(lines[:4], "\n") + "\nx", "a hash with a field more": strings.TrimSpace(card.String()) + "$x", "another magic": strings.Replace(card.String(), "/1", "/2", 1),
		"another id": strings.Replace(card.String(), "\ngw-ao\n", "\ngw-vuon\n", 1), "broken key": strings.Replace(card.String(), "+A", "+B", 1),
		"a signing key": strings.Replace(card.String(), lines[2], skey, 1), "short hash": strings.Replace(card.String(), lines[3], "AAAA", 1),
	} {
		if _, err := wire.ParseCard(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTopics(t *testing.T) {
	for _, leaf := range []string{wire.LeafBatch, wire.LeafStatus, wire.LeafReceipt, wire.LeafDesired} {
		if g, l, ok := wire.ParseTopic(wire.Topic("gw-ao", leaf)); !ok || g != "gw-ao" || l != leaf {
			t.Errorf("%s: %q %q %v", leaf, g, l, ok)
		}
	}
	for _, bad := range []string{
		"", "aovuon/1/gw-ao", "aovuon/1/gw-ao/", "aovuon/1/gw-ao/batch/", "aovuon/1//batch", "aovuon/2/gw-ao/batch", "/aovuon/1/gw-ao/batch",
		"aovuon/1/+/batch", "aovuon/1/gw ao/batch", "aovuon/1/GW/batch", "aovuon/1/gw.ao/batch", "aovuon/1/gw-ao/Batch", "aovuon.1.gw-ao.batch",
	} {
		if _, _, ok := wire.ParseTopic(bad); ok {
			t.Errorf("%q: parsed", bad)
		}
	}
}

func TestParseStatus(t *testing.T) {
	want := wire.Status{State: wire.Offline, Reason: "stopped", Pending: 3}
	raw, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := wire.ParseStatus(raw); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := wire.ParseStatus([]byte(`{"state":"online","mood":{"deep":[1]}}`)); err != nil || got.State != wire.Online {
		t.Errorf("unknown members: %+v, %v", got, err)
	}
	for name, raw := range map[string]string{
		"empty": "", "no state": "{}", "unknown state": `{"state":"asleep"}`, "two values": `{"state":"online"}{}`, "garbage": "\x00\xff",
		"deep": strings.Repeat("[", 4000), "too large": `{"state":"online","health":"` + strings.Repeat("x", 5000) + `"}`,
	} {
		if _, err := wire.ParseStatus([]byte(raw)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "gateway.key")
	vkey, err := wire.CreateKey(path, "gw-ao")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := wire.CreateKey(path, "gw-ao"); err != nil || again != vkey {
		t.Errorf("made twice: %q, %v", again, err)
	}
	if _, err := wire.CreateKey(path, "gw-vuon"); err == nil {
		t.Error("another gateway's key file was taken")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	secret, err := wire.CreateSecret(filepath.Join(dir, "mqtt.secret"))
	if err != nil || len(secret) != 64 {
		t.Errorf("%q, %v", secret, err)
	}
	if again, err := wire.CreateSecret(filepath.Join(dir, "mqtt.secret")); err != nil || again != secret {
		t.Errorf("made twice: %v", err)
	}
	bad := filepath.Join(dir, "bad")
	for name, text := range map[string]string{"empty": "", "garbage": "hello\n", "verifier": vkey + "\n", "other type": "PRIVATE+KEY+x+00000000+AgAA\n"} {
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := wire.LoadKey(bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := wire.LoadVerifier(bad); (err == nil) != (name == "verifier") {
			t.Errorf("%s as verifier: %v", name, err)
		}
	}
	if _, err := wire.LoadVerifier(filepath.Join(dir, "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// FuzzOpen: whatever text is accepted, Seal would have written; whatever bytes come, nothing panics.
func FuzzOpen(f *testing.F) {
	signer, v, _ := gatewayKey(f)
	_, sealed := vectorBatches(f)
	for _, s := range sealed {
		f.Add(s)
	}
	for _, r := range refusals(f) {
		if len(r.raw) < 10_000 {
			f.Add(r.raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, open := range []func() (*wire.Batch, error){
			func() (*wire.Batch, error) { return wire.Open(raw, v) },
			func() (*wire.Batch, error) { return wire.OpenUnverified(raw) },
		} {
			if b, err := open(); (b == nil) == (err == nil) {
				t.Fatalf("%v, %v", b, err)
			}
		}
		// Sign the text anew, so that the signature stops nothing from being looked at.
		text := raw
		if i := bytes.LastIndex(raw, []byte("\n\n")); i >= 0 {
			text = raw[:i+1]
		}
		again, err := note.Sign(&note.Note{Text: string(text)}, signer)
		if err != nil {
			return // not UTF-8, or no newline
		}
		b, err := wire.Open(again, v)
		if err != nil {
			return
		}
		back, err := wire.Seal(b, signer)
		if err != nil || !bytes.Equal(back, again) {
			t.Fatalf("accepted\n%s\nbut sealed (%v)\n%s", again, err, back)
		}
		un, err := wire.OpenUnverified(again)
		if d := cmp.Diff(b, un); err != nil || d != "" {
			t.Fatalf("unverified: %v %s", err, d)
		}
	})
}

// FuzzOpenReceipt: the same for receipts.
func FuzzOpenReceipt(f *testing.F) {
	server, v, _ := serverKey(f)
	f.Add(read2(f, server))
	for _, r := range receiptRefusals(f) {
		f.Add(r.raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := wire.OpenReceipt(raw, v); err != nil && reasonOf(err) == "accepted" {
			t.Fatalf("an error of no kind: %v", err)
		}
		text, _, _ := strings.Cut(string(raw), "\n\n")
		again, err := note.Sign(&note.Note{Text: text + "\n"}, server)
		if err != nil {
			return
		}
		r, err := wire.OpenReceipt(again, v)
		if err != nil {
			return
		}
		if back, err := wire.SealReceipt(r, server); err != nil || !bytes.Equal(back, again) {
			t.Fatalf("accepted\n%s\nbut sealed (%v)\n%s", again, err, back)
		}
	})
}

// FuzzOpenDesired: the same for desired settings.
func FuzzOpenDesired(f *testing.F) {
	server, v, _ := serverKey(f)
	f.Add(sealedDesired(f))
	for _, r := range desiredRefusals(f) {
		f.Add(r.raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		text, _, _ := strings.Cut(string(raw), "\n\n")
		again, err := note.Sign(&note.Note{Text: text + "\n"}, server)
		if err != nil {
			return
		}
		d, err := wire.OpenDesired(again, v)
		if err != nil {
			if reasonOf(err) == "accepted" {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		if back, err := wire.SealDesired(d, server); err != nil || !bytes.Equal(back, again) {
			t.Fatalf("accepted\n%s\nbut sealed (%v)\n%s", again, err, back)
		}
	})
}

// FuzzParseCard: what is accepted is printed in its one form, which is accepted as the same.
func FuzzParseCard(f *testing.F) {
	f.Add(string(read(f, "card.txt")))
	f.Add("aovuon/gateway/1\ngw\n\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := wire.ParseCard(text)
		if err != nil {
			return
		}
		if again, err := wire.ParseCard(c.String()); err != nil || again != c {
			t.Fatalf("%+v prints as %q, which is %+v, %v", c, c.String(), again, err)
		}
		if _, err := c.Verifier(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzParseStatus: nothing panics, and a state is one of two.
func FuzzParseStatus(f *testing.F) {
	f.Add(read(f, "status.json"))
	f.Add([]byte(`{"state":"offline"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := wire.ParseStatus(raw); err == nil && s.State != wire.Online && s.State != wire.Offline {
			t.Fatalf("%+v", s)
		}
	})
}
