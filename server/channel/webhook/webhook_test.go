package webhook_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aovuon/server/channel/outbound"
	"aovuon/server/channel/webhook"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

var (
	now    = time.Date(2026, 11, 26, 20, 11, 5, 0, time.UTC)
	master = []byte("0123456789abcdef0123456789abcdef")
)

func channel(t *testing.T) *webhook.Channel {
	t.Helper()
	client := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 5 * time.Second})
	t.Cleanup(client.CloseIdleConnections)
	return webhook.New(client, master, func() time.Time { return now })
}

func message(to string) notify.Message {
	return notify.Message{
		ID: "01JDMESSAGE", Kind: notify.Opened, Alarm: "01JDALARM", Contact: "01JDPERSON", Channel: webhook.Name, To: to, Level: rule.Crit, Lang: "vi",
		Subject: "Ao 1: ôxy thấp", Text: "Ao 1: ôxy 2,1 mg/L", Short: "Ao 1: oxy 2,1 mg/L", Link: "https://htx.example/alarms/01JDALARM", Created: now, Expires: now.Add(2 * time.Hour),
	}
}

func TestSend_WhatIsPostedIsTheFormat(t *testing.T) {
	var head http.Header
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		head = r.Header
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	c := channel(t)
	m := message(srv.URL + "/hook?x=1")
	ref, err := c.Send(t.Context(), m)
	if err != nil || ref != m.ID {
		t.Fatal(ref, err)
	}
	const want = `{"type":"alarm.opened","timestamp":"2026-11-26T20:11:05Z","data":{"id":"01JDMESSAGE","alarm":"01JDALARM","step":0,"level":"crit","lang":"vi",` +
		`"subject":"Ao 1: ôxy thấp","text":"Ao 1: ôxy 2,1 mg/L","short":"Ao 1: oxy 2,1 mg/L","link":"https://htx.example/alarms/01JDALARM","expires":"2026-11-26T22:11:05Z"}}`
	if string(body) != want {
		t.Errorf("body\n%s\nwant\n%s", body, want)
	}
	key := decode(t, strings.TrimPrefix(webhook.Key(master, m.To), "whsec_"))
	if got, want := head.Get("webhook-signature"), webhook.Sign(key, m.ID, head.Get("webhook-timestamp"), body); got != want || head.Get("webhook-id") != m.ID || head.Get("webhook-timestamp") != "1795723865" {
		t.Errorf("signature %s, want %s; %v", got, want, head)
	}
	if webhook.Key(master, m.To) == webhook.Key(master, m.To+"2") {
		t.Error("two receivers share a key")
	}
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The example of the Standard Webhooks specification.
func TestSign_GoldenValue(t *testing.T) {
	key := decode(t, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	got := webhook.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSend_AnswersDecideWhatComesNext(t *testing.T) {
	for name, tc := range map[string]struct {
		code  int
		after string
		check func(error) bool
	}{
		"taken":      {202, "", func(err error) bool { return err == nil }},
		"gone":       {410, "", func(err error) bool { return errors.Is(err, notify.ErrGone) && errors.Is(err, notify.ErrPermanent) }},
		"not found":  {404, "", func(err error) bool { return errors.Is(err, notify.ErrPermanent) && !errors.Is(err, notify.ErrGone) }},
		"redirect":   {307, "", func(err error) bool { return errors.Is(err, notify.ErrPermanent) }},
		"broken":     {500, "", func(err error) bool { return err != nil && !errors.Is(err, notify.ErrPermanent) }},
		"busy":       {429, "7", func(err error) bool { var r *notify.RetryError; return errors.As(err, &r) && r.After == 7*time.Second }},
		"not chosen": {300, "", func(err error) bool { return errors.Is(err, notify.ErrPermanent) }},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tc.after)
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.WriteHeader(tc.code)
			}))
			defer srv.Close()
			if _, err := channel(t).Send(t.Context(), message(srv.URL)); !tc.check(err) {
				t.Errorf("%d: %v", tc.code, err)
			}
		})
	}
}

func TestSend_NobodyThereIsTriedAgain_ForbiddenIsNot(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	c := channel(t)
	if _, err := c.Send(t.Context(), message(srv.URL)); err == nil || errors.Is(err, notify.ErrPermanent) || strings.Contains(err.Error(), srv.URL) {
		t.Errorf("%v", err)
	}
	for _, to := range []string{"https://192.168.1.7/hook", "ftp://x/", "http://[fe80::1]/"} {
		if _, err := c.Send(t.Context(), message(to)); !errors.Is(err, notify.ErrPermanent) {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// An answer that never ends costs its first bytes only, and one that breaks off is no success.
func TestSend_AnswersAreBounded(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/breaks" {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("x")) //nolint:errcheck // the test would see it
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
		for range 1000 {
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	if _, err := channel(t).Send(t.Context(), message(srv.URL)); err == nil || len(err.Error()) > 400 {
		t.Errorf("%v", err)
	}
	if _, err := channel(t).Send(t.Context(), message(srv.URL+"/breaks")); err == nil {
		t.Error("an answer that broke off counts as success")
	}
}

func FuzzCheckAddress(f *testing.F) {
	f.Add("https://a.example/x?y=1")
	f.Add("http://[::1]:80")
	c := webhook.New(http.DefaultClient, master, func() time.Time { return now })
	f.Fuzz(func(t *testing.T, s string) {
		a, err := c.CheckAddress(s)
		if err != nil {
			return
		}
		if again, err := c.CheckAddress(a); err != nil || again != a {
			t.Errorf("%q is %q, which is %q, %v", s, a, again, err)
		}
	})
}
