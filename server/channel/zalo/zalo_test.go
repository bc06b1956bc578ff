package zalo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/server/channel/outbound"
	"aovuon/server/watch/notify"
)

var now = time.Date(2026, 11, 26, 20, 11, 5, 0, time.UTC)

// fake is Zalo: it gives out tokens, each refresh token once, and takes messages of who has the newest.
type fake struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	n        int // pairs given out
	spent    map[string]bool
	access   string
	answer   string // of messages; empty: sent
	status   int
	tokens   string // of the token server; empty: as usual
	bodies   []map[string]any
	refused  int
	onAccess func() // before a pair is given out
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, spent: map[string]bool{}, status: 200}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", f.token)
	mux.HandleFunc("POST /zns", f.message)
	mux.HandleFunc("POST /cs", f.message)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) token(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	refresh := r.PostFormValue("refresh_token")
	if r.Header.Get("secret_key") != "s3cret" || r.PostFormValue("app_id") != "42" || r.PostFormValue("grant_type") != "refresh_token" {
		f.t.Errorf("%v %v", r.Header, r.PostForm)
	}
	switch {
	case f.tokens != "":
		io.WriteString(w, f.tokens) //nolint:errcheck // the test would see it
	case f.spent[refresh]:
		io.WriteString(w, `{"error":-14014,"error_name":"Invalid refresh token","error_description":"used"}`) //nolint:errcheck // the test would see it
	default:
		f.spent[refresh] = true
		f.n++
		f.access = fmt.Sprintf("access-%d", f.n)
		fmt.Fprintf(w, `{"access_token":%q,"refresh_token":"refresh-%d","expires_in":"90000"}`, f.access, f.n) //nolint:errcheck // the test would see it
	}
}

func (f *fake) message(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		f.t.Error(err)
	}
	if f.onAccess != nil {
		f.onAccess()
	}
	answer := f.answer
	switch {
	case answer != "":
	case r.Header.Get("access_token") != f.access:
		f.refused++
		answer = `{"error":-216,"message":"Access token has expired"}`
		if r.URL.Path == "/zns" {
			answer = `{"error":-124,"message":"Access token invalid"}`
		}
	default:
		f.bodies = append(f.bodies, body)
		answer = `{"error":0,"message":"Success","data":{"msg_id":"m-1","sent_time":"1"}}`
		if r.URL.Path == "/cs" {
			answer = `{"error":0,"message":"Success","data":{"message_id":"m-2"}}`
		}
	}
	w.WriteHeader(f.status)
	io.WriteString(w, answer) //nolint:errcheck // the test would see it
}

func (f *fake) keeper(file string) *Tokens {
	client := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	f.t.Cleanup(client.CloseIdleConnections)
	return &Tokens{Client: client, URL: f.URL + "/token", AppID: "42", Secret: "s3cret", File: file, Now: func() time.Time { return now }}
}

func (f *fake) begun() *Tokens {
	file := filepath.Join(f.t.TempDir(), "zalo-token.json")
	if err := Begin(file, " first\n"); err != nil {
		f.t.Fatal(err)
	}
	return f.keeper(file)
}

func (f *fake) zns(tokens *Tokens) *ZNS {
	z, err := NewZNS(tokens.Client, tokens, ZNSOptions{URL: f.URL + "/zns", Template: "7895417", Params: []Param{{"noi_dung", "{{subject}}: {{short}}", 30}, {"luc", "{{time}}", 0}}})
	if err != nil {
		f.t.Fatal(err)
	}
	return z
}

func message() notify.Message {
	return notify.Message{ID: "01JDMESSAGE", To: "0912345678", Subject: "Ao 1", Short: "oxy 2,1 mg/L luc 03:11.\nBat quat ngay.", Text: "Ao 1: ôxy 2,1 mg/L", Link: "https://htx.example/alarms/1", Created: now}
}

func TestZNS_WhatZaloGets(t *testing.T) {
	f := newFake(t)
	ref, err := f.zns(f.begun()).Send(t.Context(), message())
	if err != nil || ref != "m-1" {
		t.Fatal(ref, err)
	}
	raw, err := json.Marshal(f.bodies[0])
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"phone":"84912345678","template_data":{"luc":"03:11 27/11/2026","noi_dung":"Ao 1: oxy 2,1 mg/L luc 03:11.…"},"template_id":"7895417","tracking_id":"01JDMESSAGE"}`
	if string(raw) != want {
		t.Errorf("%s\nwant %s", raw, want)
	}
}

func TestOA_WhatZaloGets(t *testing.T) {
	f := newFake(t)
	tokens := f.begun()
	m := message()
	m.To = "2512523625412515"
	o := NewOA(tokens.Client, tokens, f.URL+"/cs")
	ref, err := o.Send(t.Context(), m)
	if err != nil || ref != "m-2" {
		t.Fatal(ref, err)
	}
	raw, err := json.Marshal(f.bodies[0])
	if err != nil || string(raw) != `{"message":{"text":"Ao 1: ôxy 2,1 mg/L\nhttps://htx.example/alarms/1"},"recipient":{"user_id":"2512523625412515"}}` {
		t.Errorf("%s %v", raw, err)
	}
	m.Text = strings.Repeat("ộ", 5000)
	if _, err := o.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if text := f.bodies[1]["message"].(map[string]any)["text"].(string); len([]rune(text)) != mostText || !strings.HasSuffix(text, "…\n"+m.Link) {
		t.Errorf("%d characters", len([]rune(text)))
	}
	for _, to := range []string{"", "0912 345 678x", "123", "-12345678", strings.Repeat("1", 30)} {
		if _, err := o.CheckAddress(to); err == nil {
			t.Errorf("%q is an id", to)
		}
	}
}

func TestSend_ErrorsInHTTP200(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		answer string
		want   string
	}{
		"no Zalo account":      {200, `{"error":-118,"message":"Zalo account not existed"}`, "final"},
		"no balance":           {200, `{"error":-115,"message":"Out of quota"}`, "final"},
		"try again later":      {200, `{"error":-100,"message":"Unknown error"}`, "again"},
		"too fast":             {200, `{"error":-32,"message":"Rate limit"}`, "again"},
		"odd data":             {200, `{"error":-118,"data":[]}`, "final"},
		"odd data of success":  {200, `{"error":0,"data":[]}`, "again"},
		"says nothing":         {200, `{}`, "again"},
		"no JSON":              {200, `<html>`, "again"},
		"broken":               {502, `{"error":0}`, "again"},
		"forbidden":            {403, `no`, "final"},
		"token refused always": {200, `{"error":-216,"message":"Access token has expired"}`, "final"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.status, f.answer = tc.status, tc.answer
			_, err := f.zns(f.begun()).Send(t.Context(), message())
			got := "again"
			switch {
			case err == nil:
				got = "sent"
			case errors.Is(err, notify.ErrPermanent):
				got = "final"
			}
			if got != tc.want || err != nil && (strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "access-")) {
				t.Errorf("%s: %v", got, err)
			}
		})
	}
}

// A token that Zalo refuses before its time is replaced, once, within the same message.
func TestSend_ATokenThatEndsEarly(t *testing.T) {
	f := newFake(t)
	tokens := f.begun()
	z := f.zns(tokens)
	if _, err := z.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	f.access = "another" // somebody else asked for one
	if _, err := z.Send(t.Context(), message()); err != nil || f.n != 2 || f.refused != 1 {
		t.Errorf("%v, %d pairs, refused %d times", err, f.n, f.refused)
	}
	if _, err := NewOA(tokens.Client, tokens, f.URL+"/cs").Send(t.Context(), notify.Message{To: "2512523625412515", Text: "x"}); err != nil || f.n != 2 {
		t.Errorf("the other channel: %v, %d pairs", err, f.n)
	}
}

// A refresh token works once: the new one is on disk before anything is sent with its access token, and a server that starts again goes on
// with it.
func TestTokens_AreOnDiskBeforeTheyAreUsed(t *testing.T) {
	f := newFake(t)
	tokens := f.begun()
	seen := 0
	f.onAccess = func() {
		seen++
		raw, err := os.ReadFile(tokens.File)
		if err != nil || !strings.Contains(string(raw), `"refresh_token":"refresh-1"`) {
			t.Errorf("%s %v", raw, err)
		}
	}
	if _, err := f.zns(tokens).Send(t.Context(), message()); err != nil || seen != 1 {
		t.Fatal(err)
	}
	if _, err := f.zns(f.keeper(tokens.File)).Send(t.Context(), message()); err != nil || f.n != 1 {
		t.Errorf("after a restart: %v, %d pairs", err, f.n)
	}
	if info, err := os.Stat(tokens.File); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// A disk that takes nothing: nothing is sent, the new tokens are not lost, and what is sent later goes with them.
func TestTokens_ADiskThatTakesNothing(t *testing.T) {
	f := newFake(t)
	tokens := f.begun()
	right := tokens.File
	raw, err := os.ReadFile(right)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	tokens.File = filepath.Join(dir, "zalo-token.json")
	if err := os.WriteFile(tokens.File, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	tokens.Now = func() time.Time { // the disk goes while Zalo is asked
		if f.n == 1 {
			os.RemoveAll(dir) //nolint:errcheck // seen below
		}
		return now
	}
	z := f.zns(tokens)
	if _, err := z.Send(t.Context(), message()); err == nil || errors.Is(err, notify.ErrPermanent) || len(f.bodies) != 0 {
		t.Fatalf("%v, %d sent", err, len(f.bodies))
	}
	tokens.File = right
	if _, err := z.Send(t.Context(), message()); err != nil || len(f.bodies) != 1 || f.n != 1 {
		t.Errorf("%v, %d sent, %d pairs", err, len(f.bodies), f.n)
	}
}

func TestTokens_AreReplacedEarly_AndTheOldOneServesMeanwhile(t *testing.T) {
	f := newFake(t)
	tokens := f.begun()
	z := f.zns(tokens)
	if _, err := z.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	at := now.Add(25*time.Hour - early + time.Second)
	tokens.Now = func() time.Time { return at }
	f.tokens = "<html>busy"
	if _, err := z.Send(t.Context(), message()); err != nil || f.n != 1 {
		t.Errorf("while the old one is good: %v", err)
	}
	f.tokens = ""
	if _, err := z.Send(t.Context(), message()); err != nil || f.n != 2 {
		t.Errorf("%v, %d pairs", err, f.n)
	}
	at = at.Add(26 * time.Hour)
	f.tokens = `{"error":-14014,"error_name":"Invalid refresh token"}`
	if _, err := z.Send(t.Context(), message()); !errors.Is(err, notify.ErrPermanent) || !strings.Contains(err.Error(), "zalo-token") {
		t.Errorf("%v", err)
	}
	if err := Begin(tokens.File, "brought"); err != nil {
		t.Fatal(err)
	}
	f.tokens = ""
	if _, err := z.Send(t.Context(), message()); err != nil {
		t.Errorf("after a new one was brought: %v", err)
	}
}

func TestTokens_WithoutAny(t *testing.T) {
	f := newFake(t)
	for _, text := range []string{"", "x", `{"version":2,"refresh_token":"x"}`} {
		file := filepath.Join(t.TempDir(), "t")
		if text != "" {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.zns(f.keeper(file)).Send(t.Context(), message()); !errors.Is(err, notify.ErrPermanent) || !strings.Contains(err.Error(), "zalo-token") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := Begin(filepath.Join(t.TempDir(), "t"), "two words"); err == nil {
		t.Error("two words are a token")
	}
}

func TestNewZNS_UnknownNames(t *testing.T) {
	if _, err := NewZNS(nil, &Tokens{}, ZNSOptions{Params: []Param{{"a", "{{ao}}", 0}}}); err == nil {
		t.Error("{{ao}} is taken")
	}
}

// FuzzAnswers: what Zalo's servers answer, whatever it is, is success only where it says error 0, and tokens only where there are some.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"error":0,"data":{"msg_id":"x"}}`))
	f.Add([]byte(`{"access_token":"a","refresh_token":"b","expires_in":90000}`))
	f.Add([]byte(`{"error":-216,"data":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := parseReply(raw); err == nil && r.Error == 0 && !strings.Contains(strings.ToLower(string(raw)), "error") && !strings.Contains(string(raw), `\u`) {
			t.Errorf("%q is success", raw)
		}
		if k, err := parseTokens(raw, now); err == nil && (k.Access == "" || k.Refresh == "" || !k.Until.After(now)) {
			t.Errorf("%q gives %+v", raw, k)
		}
	})
}
