package push_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aovuon/server/channel/outbound"
	"aovuon/server/channel/push"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

var now = time.Date(2026, 11, 26, 20, 11, 5, 0, time.UTC)

// phone is a browser with a subscription at a push service that the test is.
type phone struct {
	key  *ecdh.PrivateKey
	auth []byte
	srv  *httptest.Server

	answer int
	head   http.Header // what it gives along
	got    []*http.Request
	bodies [][]byte
}

func newPhone(t *testing.T) *phone {
	t.Helper()
	p := &phone{auth: make([]byte, 16), answer: http.StatusCreated, head: http.Header{}}
	var err error
	if p.key, err = ecdh.P256().GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, err := rand.Read(p.auth); err != nil {
		t.Fatal(err)
	}
	p.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p.got, p.bodies = append(p.got, r), append(p.bodies, raw)
		maps.Copy(w.Header(), p.head)
		w.WriteHeader(p.answer)
	}))
	t.Cleanup(p.srv.Close)
	return p
}

func (p *phone) subscription() string {
	b64 := base64.RawURLEncoding.EncodeToString
	return `{"endpoint":"` + p.srv.URL + `/send/abc","expirationTime":null,"keys":{"p256dh":"` + b64(p.key.PublicKey().Bytes()) + `","auth":"` + b64(p.auth) + `"}}`
}

// open decrypts a body as RFC 8291 §3 has a browser do it.
func (p *phone) open(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	salt, rs, n := raw[:16], binary.BigEndian.Uint32(raw[16:20]), int(raw[20])
	sender := raw[21 : 21+n]
	if rs != 4096 || len(raw) != 4096 {
		t.Errorf("record of %d in a body of %d bytes", rs, len(raw))
	}
	pub, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := p.key.ECDH(pub)
	if err != nil {
		t.Fatal(err)
	}
	derive := func(secret, salt []byte, info string, n int) []byte {
		k, err := hkdf.Key(sha256.New, secret, salt, info, n)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	ikm := derive(shared, p.auth, "WebPush: info\x00"+string(p.key.PublicKey().Bytes())+string(sender), 32)
	block, err := aes.NewCipher(derive(ikm, salt, "Content-Encoding: aes128gcm\x00", 16))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gcm.Open(nil, derive(ikm, salt, "Content-Encoding: nonce\x00", 12), raw[21+n:], nil)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]string
	if err := json.Unmarshal([]byte(strings.TrimRight(string(plain), "\x00")[:strings.LastIndexByte(string(plain), 2)]), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func channel(t *testing.T) *push.Channel {
	t.Helper()
	raw, err := push.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := push.ParseKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	client := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(client.CloseIdleConnections)
	return push.New(client, key, "https://htx.example", func() time.Time { return now })
}

func message(to string) notify.Message {
	return notify.Message{
		ID: "01JDMESSAGE", Kind: notify.Opened, Alarm: "01JDALARM", To: to, Level: rule.Crit, Lang: "vi", Subject: "Ao 1: ôxy thấp",
		Text: "Ao 1: ôxy 2,1 mg/L. Bật quạt.", Link: "https://htx.example/alarms/01JDALARM", Created: now, Expires: now.Add(2 * time.Hour),
	}
}

func TestSend_ABrowserReadsIt(t *testing.T) {
	p, c := newPhone(t), channel(t)
	p.head.Set("Location", "https://push.example/m/1")
	m := message(p.subscription())
	ref, err := c.Send(t.Context(), m)
	if err != nil || ref != "https://push.example/m/1" {
		t.Fatal(ref, err)
	}
	got := p.open(t, p.bodies[0])
	for key, want := range map[string]string{"id": m.ID, "kind": "opened", "level": "crit", "title": m.Subject, "body": m.Text, "lang": "vi", "url": m.Link} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
	h := p.got[0].Header
	if h.Get("TTL") != "7200" || h.Get("Urgency") != "high" || h.Get("Topic") != got["tag"] || len(h.Get("Topic")) != 32 || h.Get("Content-Encoding") != "aes128gcm" {
		t.Errorf("%v", h)
	}
	checkVAPID(t, h.Get("Authorization"), c.PublicKey(), p.srv.URL)

	m.ID, m.Kind, m.Level, m.Expires = "01JDOTHER", notify.Closed, rule.Warn, time.Time{}
	if _, err := c.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if h := p.got[1].Header; h.Get("Topic") != got["tag"] || h.Get("Urgency") != "normal" || h.Get("TTL") != "86400" {
		t.Errorf("another message of that alarm: %v", h)
	}
	m.Alarm = ""
	if _, err := c.Send(t.Context(), m); err != nil || p.got[2].Header.Get("Topic") == got["tag"] {
		t.Errorf("a message of no alarm takes the place of one: %v", err)
	}
}

// checkVAPID checks the token of RFC 8292 with the key that browsers are given.
func checkVAPID(t *testing.T, header, public, audience string) {
	t.Helper()
	token, key, ok := strings.Cut(strings.TrimPrefix(header, "vapid t="), ", k=")
	if !ok || key != public {
		t.Fatalf("%s", header)
	}
	raw, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(pub, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		t.Error("the token's signature is wrong")
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !strings.Contains(string(claims), `"aud":"`+audience+`"`) || !strings.Contains(string(claims), `"sub":"https://htx.example"`) {
		t.Errorf("%s %v", claims, err)
	}
}

func TestSend_LongTextsAreCutWhereALetterEnds(t *testing.T) {
	p, c := newPhone(t), channel(t)
	for n := range 4 {
		m := message(p.subscription())
		m.Text, m.Subject = strings.Repeat("a", n)+strings.Repeat("ộ", 3000), strings.Repeat("\"ữ", 300)
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got := p.open(t, p.bodies[n]); !strings.HasSuffix(got["body"], "ộ…") || strings.ContainsRune(got["body"], '\ufffd') {
			t.Errorf("%q", got["body"][len(got["body"])-9:])
		}
	}
}

func TestSend_AnswersDecideWhatComesNext(t *testing.T) {
	for code, want := range map[int]string{201: "", 202: "", 404: "gone", 410: "gone", 400: "final", 403: "final", 413: "final", 302: "final", 500: "again", 503: "again", 429: "42s"} {
		p, c := newPhone(t), channel(t)
		p.answer = code
		if code == 429 {
			p.head.Set("Retry-After", "42")
		}
		_, err := c.Send(t.Context(), message(p.subscription()))
		got := ""
		var later *notify.RetryError
		switch {
		case errors.As(err, &later):
			got = later.After.String()
		case errors.Is(err, notify.ErrGone):
			got = "gone"
		case errors.Is(err, notify.ErrPermanent):
			got = "final"
		case err != nil:
			got = "again"
		}
		if got != want || err != nil && strings.Contains(err.Error(), "abc") {
			t.Errorf("%d: %q (%v), want %q", code, got, err, want)
		}
	}
}

func TestSend_WhatAVisitorSendsLeadsToTheInternetOnly(t *testing.T) {
	p := newPhone(t)
	raw, err := push.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := push.ParseKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	c := push.New(outbound.New(outbound.Options{}), key, "a@b.vn", func() time.Time { return now })
	if _, err := c.Send(t.Context(), message(p.subscription())); !errors.Is(err, notify.ErrPermanent) || !errors.Is(err, outbound.ErrForbidden) || len(p.got) != 0 {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := channel(t).Send(ctx, message(p.subscription())); !errors.Is(err, context.Canceled) || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("%v", err)
	}
}

func TestParseSubscription_OneSpelling(t *testing.T) {
	p := newPhone(t)
	want, err := push.ParseSubscription(p.subscription())
	if err != nil {
		t.Fatal(err)
	}
	std := strings.NewReplacer(want.P256dh, base64.StdEncoding.EncodeToString(p.key.PublicKey().Bytes()), want.Auth, base64.StdEncoding.EncodeToString(p.auth))
	if got, err := push.ParseSubscription(std.Replace(p.subscription())); err != nil || got != want {
		t.Errorf("%v %v", got, err)
	}
	for name, s := range map[string]string{
		"nothing":     "",
		"no JSON":     "x",
		"no keys":     `{"endpoint":"https://a.example/"}`,
		"bad address": strings.Replace(p.subscription(), p.srv.URL, "javascript:", 1),
		"bad point":   strings.Replace(p.subscription(), want.P256dh, base64.RawURLEncoding.EncodeToString(make([]byte, 65)), 1),
		"bad secret":  strings.Replace(p.subscription(), want.Auth, "AAAA", 1),
		"too long":    strings.Replace(p.subscription(), "/send/abc", "/"+strings.Repeat("a", 3000), 1),
	} {
		if s, err := push.ParseSubscription(s); !errors.Is(err, push.ErrSubscription) || !strings.Contains(err.Error(), "again") {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

func TestParseKey_TakesNothingElse(t *testing.T) {
	for _, s := range []string{"", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, err := push.ParseKey([]byte(s)); err == nil {
			t.Errorf("%q is a key", s)
		}
	}
}

func FuzzParseSubscription(f *testing.F) {
	f.Add(`{"endpoint":"https://fcm.googleapis.com/fcm/send/x","keys":{"p256dh":"BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM","auth":"tBHItJI5svbpez7KI4CCXg"}}`)
	f.Fuzz(func(t *testing.T, s string) {
		sub, err := push.ParseSubscription(s)
		if err != nil {
			return
		}
		if again, err := push.ParseSubscription(sub.String()); err != nil || again != sub {
			t.Errorf("%q: %v, then %v, %v", s, sub, again, err)
		}
	})
}
