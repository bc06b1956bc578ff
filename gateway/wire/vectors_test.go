package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
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

// update writes testdata/vectors anew: only for a new version of the format.
var update = flag.Bool("update", false, "write testdata/vectors")

const vectors = "testdata/vectors"

// Fixed keys: the seeds are the bytes 1…32 and 33…64.
const (
	password = "correct horse battery staple"
)

// fixedKey makes the key of a name from a seed of counting bytes.
func fixedKey(tb testing.TB, name string, first byte) (note.Signer, note.Verifier, string) {
	tb.Helper()
	seed := make([]byte, 32)
	for i := range seed {
		seed[i] = first + byte(i)
	}
	skey, vkey, err := note.GenerateKey(bytes.NewReader(seed), name)
	if err != nil {
		tb.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		tb.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		tb.Fatal(err)
	}
	return signer, v, skey
}

func gatewayKey(tb testing.TB) (note.Signer, note.Verifier, string) { return fixedKey(tb, "gw-ao", 1) }

func serverKey(tb testing.TB) (note.Signer, note.Verifier, string) {
	return fixedKey(tb, "htx-demo", 33)
}

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(vectors, name))
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func write(tb testing.TB, name string, raw []byte) {
	tb.Helper()
	path := filepath.Join(vectors, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		tb.Fatal(err)
	}
}

// vectorBatches are a chain of three: unsynced, then with an anchor, then a plain one.
func vectorBatches(tb testing.TB) (batches []*wire.Batch, sealed [][]byte) {
	tb.Helper()
	signer, _, _ := gatewayKey(tb)
	const boot = "0123456789abcdef"
	up := func(ms int64) measure.Instant {
		return measure.Instant{Uptime: time.Duration(ms) * time.Millisecond, Clock: measure.Unsynced, Boot: boot}
	}
	wall := func(ms int64) measure.Instant {
		return measure.Instant{Wall: time.UnixMilli(1763614800000 + ms).UTC(), Clock: measure.Synced, Boot: boot}
	}
	batches = []*wire.Batch{
		{Clock: measure.Unsynced, Boot: boot, Gaps: []wire.Gap{{From: up(0), To: up(0), Reason: wire.GapSpoolCorrupt}}, Readings: []measure.Reading{
			{Sensor: "ao1-temp", Quantity: measure.WaterTemperature, Time: up(12_345), Value: 27.0625},
			{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Time: up(12_945), Value: 5.31, Quality: measure.Estimated},
			{Sensor: "ao1-ph", Quantity: measure.PH, Time: up(13_800), Quality: measure.Fault, Reason: measure.NoResponse},
		}},
		{
			Clock: measure.Synced, Boot: boot, Anchor: &wire.Anchor{Uptime: 61_250 * time.Millisecond, Wall: wall(0).Wall},
			Gaps: []wire.Gap{{From: wall(-40_000), To: wall(-1), Lost: 12, Reason: wire.GapDiskFailed}},
			Readings: []measure.Reading{
				{Sensor: "ao1-temp", Quantity: measure.WaterTemperature, Time: wall(0), Value: 27.125},
				{Sensor: "khoai1-am", Quantity: measure.SoilMoisture, Time: wall(250), Value: 31.4, Quality: measure.Uncalibrated},
				{Sensor: "khoai1-kk", Quantity: measure.RelativeHumidity, Time: wall(1000), Value: 140, Quality: measure.OutOfRange},
				{Sensor: "khoai1-kk", Quantity: measure.AirTemperature, Time: wall(1000), Value: -0.5},
			},
		},
		{Clock: measure.Synced, Boot: boot, Readings: []measure.Reading{
			{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Time: wall(30_000), Value: 0},
			{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Time: wall(29_999), Value: 1e-7, Quality: measure.Suspect},
			{Sensor: "khoai1-kk", Quantity: measure.AirPressure, Time: wall(90_001), Value: 1013.25},
		}},
		{
			Clock: measure.Synced, Boot: boot,
			Documents: []wire.Document{
				{Time: wall(100_000), Kind: wire.DocCalibration, Body: `{"sensor":"ao1-ph","who":"Nguyễn Văn Ao"}`},
				{Time: wall(100_500), Kind: wire.DocSettings, Body: `{}`},
			},
			Readings: []measure.Reading{
				{
					Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Time: wall(120_000), Value: 6.1, Raw: 6.35, Filtered: true,
					Quality: measure.Estimated, Inputs: "t=28.44@ao1-temp+12;s=0;p=1013.25?",
				},
				{Sensor: "ao1-temp", Quantity: measure.WaterTemperature, Time: wall(120_001), Value: 28, Raw: 0, Filtered: true},
				{Sensor: "ao1-ph", Quantity: measure.PH, Time: wall(121_000), Value: 7.5, Inputs: "t=28.44@ao1-temp+13"},
			},
		},
	}
	for i, b := range batches {
		b.Gateway, b.Epoch, b.Seq = "gw-ao", "00112233445566aa", uint64(i)+1
		if i > 0 {
			b.Prev = wire.HashOf(sealed[i-1])
		}
		raw, err := wire.Seal(b, signer)
		if err != nil {
			tb.Fatal(err)
		}
		sealed = append(sealed, raw)
	}
	return batches, sealed
}

func vectorReceipt() wire.Receipt {
	return wire.Receipt{Gateway: "gw-ao", Epoch: "00112233445566aa", Upto: 3, Time: time.UnixMilli(1763614891234).UTC()}
}

func vectorDesired() wire.Desired {
	return wire.Desired{Gateway: "gw-ao", Version: 3, Time: time.UnixMilli(1763614891234).UTC(), Changes: []wire.Change{
		{Path: "sensors.ao1-do.every", Was: []byte(`"60s"`), Value: []byte(`"30s"`)},
		{Path: "sensors.khoai1-am.calibration", Was: []byte("null"), Value: []byte(`{"dry":{"volts":2.3,"vwc":5},"wet":{"volts":1.5,"vwc":42}}`)},
	}}
}

func sealedDesired(tb testing.TB) []byte {
	tb.Helper()
	server, _, _ := serverKey(tb)
	raw, err := wire.SealDesired(vectorDesired(), server)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// refusal is a message that must be refused, and why.
type refusal struct {
	name, why string
	raw       []byte
	from      sender
}

// sender says which message a refusal would be.
type sender string

const (
	ofGateway sender = "gateway.vkey"
	receipt   sender = "server.vkey"
	desired   sender = "server.vkey desired"
)

// key is the file with the sender's key.
func (s sender) key() string {
	key, _, _ := strings.Cut(string(s), " ")
	return key
}

func reasonOf(err error) string {
	switch {
	case errors.Is(err, wire.ErrTooLarge):
		return "too-large"
	case errors.Is(err, wire.ErrSignature):
		return "signature"
	case errors.Is(err, wire.ErrForeign):
		return "foreign"
	case errors.Is(err, wire.ErrMalformed):
		return "malformed"
	}
	return "accepted"
}

// signed is any text signed as a note; note.Sign writes the only spelling.
func signed(tb testing.TB, text string, signer note.Signer) []byte {
	tb.Helper()
	raw, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// refusals are derived from the good vectors, each wrong in one way.
func refusals(tb testing.TB) (out []refusal) {
	tb.Helper()
	signer, _, _ := gatewayKey(tb)
	server, _, _ := serverKey(tb)
	stranger, _, _ := fixedKey(tb, "gw-ao", 65)
	other, _, _ := fixedKey(tb, "gw-vuon", 97)
	_, sealed := vectorBatches(tb)
	good := string(sealed[1])
	text, sig, _ := strings.Cut(good, "\n\n")
	text += "\n"
	add := func(name, why string, raw string) { out = append(out, refusal{name, why, []byte(raw), ofGateway}) }
	change := func(name, old, with string) {
		if !strings.Contains(text, old) {
			tb.Fatalf("%s: %q is not in the text", name, old)
		}
		add(name, "malformed", string(signed(tb, strings.Replace(text, old, with, 1), signer)))
	}
	add("empty", "malformed", "")
	add("garbage", "malformed", "\x00\xff\xfe garbage\n")
	add("one-mebibyte", "too-large", strings.Repeat("A", 1<<20))
	add("no-signature", "malformed", text)
	add("no-last-newline", "malformed", strings.TrimSuffix(good, "\n"))
	add("two-signatures", "malformed", good+sig)
	add("byte-after", "malformed", good+"x")
	add("crlf", "malformed", strings.ReplaceAll(good, "\n", "\r\n"))
	add("byte-order-mark", "signature", "\ufeff"+good)
	add("hyphen-for-dash", "malformed", strings.Replace(good, "\u2014", "-", 1))
	add("base64-without-padding", "malformed", strings.TrimRight(good, "=\n")+"\n")
	add("base64-loose-bits", "malformed", loosen(tb, good))
	add("base64-with-newline", "malformed", good[:len(good)-20]+"\n"+good[len(good)-20:])
	add("wrong-key", "signature", string(signed(tb, text, stranger)))
	add("signed-by-another-gateway", "signature", string(signed(tb, text, other)))
	add("of-another-gateway", "foreign", string(signed(tb, strings.Replace(text, "gw-ao", "gw-vuon", 1), signer)))
	add("altered-value", "signature", strings.Replace(good, "27.125", "27.126", 1))
	add("receipt-as-batch", "signature", string(read2(tb, server)))
	change("later-version", "batch/1", "batch/2")
	add("upper-case-gateway", "foreign", string(signed(tb, strings.Replace(text, "\ngw-ao\n", "\nGW-AO\n", 1), signer)))
	change("epoch-too-short", "00112233445566aa", "00112233445566a")
	change("seq-zero", "aa 2\n", "aa 0\n")
	change("seq-leading-zero", "aa 2\n", "aa 02\n")
	change("seq-too-large", "aa 2\n", "aa 9223372036854775808\n")
	change("first-with-predecessor", "aa 2\n", "aa 1\n")
	change("second-without-predecessor", "\n"+wire.HashOf(sealed[0]).String()+"\n", "\n-\n")
	change("unknown-clock", "synced 01", "sinced 01")
	change("bad-boot", "0123456789abcdef", "0123456789ABCDEF")
	change("anchor-without-a-clock", "synced 01", "unsynced 01")
	change("line-too-many", "[{", "\n[{")
	change("white-space", `,"v":27.125`, `, "v":27.125`)
	change("deep-json", `"v":27.125`, `"v":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000))
	change("not-json", `[{"bt"`, `{{"bt"`)
	change("no-records", text[strings.Index(text, "["):len(text)-1], "[]")
	change("nan", "27.125", "NaN")
	change("number-not-shortest", "27.125", "27.1250")
	change("number-with-plus", "27.125", "+27.125")
	change("number-in-quotes", "27.125", `"27.125"`)
	change("negative-zero", `"v":-0.5`, `"v":-0`)
	change("time-not-shortest", `"t":0.25`, `"t":0.250`)
	change("time-zero-written", `,"v":27.125`, `,"t":0,"v":27.125`)
	change("four-decimals", `"t":0.25`, `"t":0.2501`)
	change("relative-time-while-synced", `"bt":1763614800`, `"bt":61`)
	change("good-written-out", `"v":27.125`, `"v":27.125,"q":"good"`)
	change("unknown-quality", `"q":"uncalibrated"`, `"q":"splendid"`)
	change("fault-with-a-value", `"q":"uncalibrated"`, `"q":"fault"`)
	change("unknown-quantity", "soil_moisture", "soil_love")
	change("unknown-gap-reason", "disk-failed", "whatever")
	change("escaped-name", `"ao1-temp/`, `"\u0061o1-temp/`)
	change("bad-sensor", `"ao1-temp/`, `"ao1 temp/`)
	change("reserved-sensor", `"ao1-temp/`, `"gateway/`)
	change("unknown-member", `"v":27.125`, `"v":27.125,"x":1`)
	change("second-anchor", `,{"n":"khoai1-am`, `,{"n":"gateway/anchor","v":61.25},{"n":"khoai1-am`)
	change("anchor-not-first", text[strings.Index(text, "["):len(text)-1],
		`[{"bt":1763614800,"n":"ao1-temp/water_temperature","v":27.125},{"n":"gateway/anchor","v":61.25}]`)
	last, _, _ := strings.Cut(string(sealed[3]), "\n\n")
	for _, c := range [][3]string{
		{"quality-after-inputs", `"q":"estimated","by":"t=28.44@ao1-temp+12;s=0;p=1013.25?"`, `"by":"t=28.44@ao1-temp+12;s=0;p=1013.25?","q":"estimated"`},
		{"raw-after-quality", `"raw":6.35,"q":"estimated"`, `"q":"estimated","raw":6.35`},
		{"raw-not-shortest", `"raw":6.35`, `"raw":6.350`},
		{"inputs-not-shortest", "t=28.44@ao1-temp+12", "t=28.440@ao1-temp+12"},
		{"inputs-unknown-symbol", "t=28.44@ao1-temp+13", "x=28.44@ao1-temp+13"},
		{"inputs-empty", `"by":"t=28.44@ao1-temp+13"`, `"by":""`},
		{"document-unknown-kind", "gateway/settings", "gateway/poem"},
		{"document-not-json", `"vd":"e30"`, `"vd":"e3"`},
		{"document-padded", `"vd":"e30"`, `"vd":"e30="`},
		{"document-loose-bits", `"vd":"e30"`, `"vd":"e31"`},
		{"document-too-long", `"vd":"e30"`, `"vd":"` + base64.RawURLEncoding.EncodeToString([]byte("{"+strings.Repeat(" ", wire.MaxDocument)+"}")) + `"`},
		{"document-without-body", `"vd":"e30"`, `"vd":""`},
	} {
		if !strings.Contains(last, c[1]) {
			tb.Fatalf("%s: %q is not in the text", c[0], c[1])
		}
		add(c[0], "malformed", string(signed(tb, strings.Replace(last, c[1], c[2], 1)+"\n", signer)))
	}
	big := strings.Replace(text, `{"n":"khoai1-am`, strings.Repeat(`{"n":"a/ph","v":7},`, 1998)+`{"n":"khoai1-am`, 1)
	add("too-many-records", "malformed", string(signed(tb, big, signer)))
	return append(append(out, receiptRefusals(tb)...), desiredRefusals(tb)...)
}

func read2(tb testing.TB, server note.Signer) []byte {
	tb.Helper()
	raw, err := wire.SealReceipt(vectorReceipt(), server)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// loosen sets unused bits of the signature's last base64 character: loose decoders give the same bytes.
func loosen(tb testing.TB, good string) string {
	tb.Helper()
	trimmed := strings.TrimRight(good, "=\n")
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := strings.IndexByte(alphabet, trimmed[len(trimmed)-1])
	loose := trimmed[:len(trimmed)-1] + string(alphabet[last|1]) + good[len(trimmed):]
	line := loose[strings.LastIndexByte(strings.TrimSuffix(loose, "\n"), ' ')+1 : len(loose)-1]
	if _, err := base64.StdEncoding.DecodeString(line); err != nil || loose == good {
		tb.Fatalf("not loose: %q, %v", line, err)
	}
	return loose
}

func receiptRefusals(tb testing.TB) (out []refusal) {
	tb.Helper()
	server, _, _ := serverKey(tb)
	gw, _, _ := gatewayKey(tb)
	good := string(read2(tb, server))
	text, _, _ := strings.Cut(good, "\n\n")
	text += "\n"
	add := func(name, why, raw string) {
		out = append(out, refusal{"receipt-" + name, why, []byte(raw), receipt})
	}
	change := func(name, old, with string) {
		add(name, "malformed", string(signed(tb, strings.Replace(text, old, with, 1), server)))
	}
	add("too-large", "too-large", good+strings.Repeat("x", 1024))
	add("signed-by-the-gateway", "signature", string(signed(tb, text, gw)))
	add("altered", "signature", strings.Replace(good, " 3\n", " 4\n", 1))
	add("two-signatures", "malformed", good+good[strings.Index(good, "\u2014"):])
	change("negative", " 3\n", " -3\n")
	change("leading-zero", " 3\n", " 03\n")
	change("too-far", " 3\n", " 9223372036854775808\n")
	change("local-time", "234Z", "234+07:00")
	change("no-decimals", ".234Z", "Z")
	change("bad-epoch", "66aa", "66AA")
	change("bad-gateway", "gw-ao", "gw_ao")
	change("batch-magic", "receipt/1", "batch/1")
	change("line-too-many", "Z\n", "Z\n\n")
	return out
}

func desiredRefusals(tb testing.TB) (out []refusal) {
	tb.Helper()
	server, _, _ := serverKey(tb)
	gw, _, _ := gatewayKey(tb)
	good := string(sealedDesired(tb))
	text, _, _ := strings.Cut(good, "\n\n")
	text += "\n"
	add := func(name, why, raw string) {
		out = append(out, refusal{"desired-" + name, why, []byte(raw), desired})
	}
	change := func(name, old, with string) {
		if !strings.Contains(text, old) {
			tb.Fatalf("%s: %q is not in the text", name, old)
		}
		add(name, "malformed", string(signed(tb, strings.Replace(text, old, with, 1), server)))
	}
	add("too-large", "too-large", good+strings.Repeat("x", wire.MaxDesiredBytes))
	add("signed-by-the-gateway", "signature", string(signed(tb, text, gw)))
	add("altered", "signature", strings.Replace(good, `"30s"`, `"31s"`, 1))
	add("receipt", "malformed", string(read2(tb, server)))
	change("version-zero", "\n3\n", "\n0\n")
	change("version-leading-zero", "\n3\n", "\n03\n")
	change("bad-gateway", "gw-ao", "gw_ao")
	change("white-space", `"30s"`, ` "30s"`)
	change("not-json", `"30s"`, `30s`)
	change("unknown-member", `"value":"30s"`, `"value":"30s","x":1`)
	change("no-was", `"was":"60s",`, ``)
	change("path-twice", "sensors.khoai1-am.calibration", "sensors.ao1-do.every")
	change("path-empty", "sensors.khoai1-am.calibration", "")
	change("deep-json", `"30s"`, strings.Repeat("[", 7_000)+strings.Repeat("]", 7_000)+" ")
	change("line-too-many", "Z\n", "Z\n\n")
	return out
}

func TestVectors(t *testing.T) {
	_, gv, gkey := gatewayKey(t)
	server, sv, skey := serverKey(t)
	batches, sealed := vectorBatches(t)
	card := wire.NewCard("gw-ao", vkeyOf(t, gkey), password)
	status, err := wire.Status{
		State: wire.Online, Time: time.UnixMilli(1763614891234).UTC(), Epoch: "00112233445566aa", Next: 4, Sealed: 3, Health: "ok", Version: "v1.0.0",
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		write(t, "gateway.key", []byte(gkey+"\n"))
		write(t, "gateway.vkey", []byte(vkeyOf(t, gkey)+"\n"))
		write(t, "server.key", []byte(skey+"\n"))
		write(t, "server.vkey", []byte(vkeyOf(t, skey)+"\n"))
		for i, s := range sealed {
			n := string(rune('1' + i))
			meaning, err := json.MarshalIndent(batches[i], "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			write(t, "batch-"+n+".txt", s)
			write(t, "batch-"+n+".sha256", []byte(wire.HashOf(s).String()+"\n"))
			write(t, "batch-"+n+".json", append(meaning, '\n'))
		}
		write(t, "receipt.txt", read2(t, server))
		write(t, "card.txt", []byte(card.String()))
		write(t, "password.txt", []byte(password+"\n"))
		write(t, "status.json", status)
		write(t, "desired.txt", sealedDesired(t))
		index := "file\treason\topened with\n"
		for _, r := range refusals(t) {
			index += r.name + ".txt\t" + r.why + "\t" + r.from.key() + "\n"
			if r.name != "one-mebibyte" { // a mebibyte of A, which needs no file
				write(t, "refuse/"+r.name+".txt", r.raw)
			}
		}
		write(t, "refuse/index.tsv", []byte(index))
	}
	for i, want := range sealed {
		n := string(rune('1' + i))
		raw := read(t, "batch-"+n+".txt")
		if !bytes.Equal(raw, want) {
			t.Errorf("batch %s: sealed again it differs from the vector", n)
		}
		got, err := wire.Open(raw, gv)
		if err != nil {
			t.Fatalf("batch %s: %v", n, err)
		}
		meaning, err := json.MarshalIndent(got, "", "  ")
		if err != nil || !bytes.Equal(append(meaning, '\n'), read(t, "batch-"+n+".json")) {
			t.Errorf("batch %s: does not mean what the vector says (%v):\n%s", n, err, meaning)
		}
		if h := wire.HashOf(raw).String() + "\n"; h != string(read(t, "batch-"+n+".sha256")) {
			t.Errorf("batch %s: hash %s", n, h)
		}
		if again, err := wire.OpenUnverified(raw); err != nil || again.Seq != got.Seq {
			t.Errorf("batch %s unverified: %v", n, err)
		}
	}
	if got, err := wire.OpenReceipt(read(t, "receipt.txt"), sv); err != nil || got != vectorReceipt() {
		t.Errorf("receipt: %+v, %v", got, err)
	}
	if d, err := wire.OpenDesired(read(t, "desired.txt"), sv); err != nil || cmp.Diff(vectorDesired(), d) != "" {
		t.Errorf("desired: %+v, %v", d, err)
	}
	if got, err := wire.ParseCard(string(read(t, "card.txt"))); err != nil || got != card {
		t.Errorf("card: %+v, %v", got, err)
	}
	if raw := read(t, "status.json"); !bytes.Equal(raw, status) {
		t.Errorf("status: %s", status)
	} else if s, err := wire.ParseStatus(raw); err != nil || s.Next != 4 {
		t.Errorf("status: %+v, %v", s, err)
	}
}

func vkeyOf(tb testing.TB, skey string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "key")
	if err := os.WriteFile(path, []byte(skey+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	_, vkey, err := wire.LoadKey(path)
	if err != nil {
		tb.Fatal(err)
	}
	return vkey
}

func TestVectors_MustBeRefused(t *testing.T) {
	_, gv, _ := gatewayKey(t)
	_, sv, _ := serverKey(t)
	want := map[string]string{}
	for line := range strings.Lines(string(read(t, "refuse/index.tsv"))) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		want[f[0]] = f[1] + " " + f[2]
	}
	delete(want, "file")
	all := refusals(t)
	if len(all) != len(want) {
		t.Errorf("%d files in the index, %d refusals made", len(want), len(all))
	}
	for _, r := range all {
		raw, open := r.raw, func(raw []byte) error { _, err := wire.Open(raw, gv); return err }
		switch r.from {
		case receipt:
			open = func(raw []byte) error { _, err := wire.OpenReceipt(raw, sv); return err }
		case ofGateway:
		case desired:
			open = func(raw []byte) error { _, err := wire.OpenDesired(raw, sv); return err }
		}
		if r.name != "one-mebibyte" {
			raw = read(t, "refuse/"+r.name+".txt")
			if !bytes.Equal(raw, r.raw) {
				t.Errorf("%s: the file differs from what is made here", r.name)
			}
		}
		if got := reasonOf(open(raw)); got != r.why || want[r.name+".txt"] != r.why+" "+r.from.key() {
			t.Errorf("%s: %s, want %s (index: %s): %v", r.name, got, r.why, want[r.name+".txt"], open(raw))
		}
	}
}
