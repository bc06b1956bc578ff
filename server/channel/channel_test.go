package channel_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/server/channel"
	"aovuon/server/channel/siren"
	"aovuon/server/watch/notify"
)

func config(t *testing.T, text string) channel.Config {
	t.Helper()
	var c channel.Config
	if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return c
}

func options(t *testing.T) channel.Options {
	t.Helper()
	return channel.Options{DataDir: t.TempDir(), Now: func() time.Time { return time.Unix(1_795_000_000, 0) }, Log: slog.New(slog.DiscardHandler), Sirens: nobody{}}
}

// nobody are gateways that are never asked.
type nobody struct{ siren.Gateways }

func TestOpen_WhatIsNamedAndNothingElse(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"": "",
		"mail: { server: \"smtp.example.vn:587\", username: u, password_file: " + secret + ", from: a@b.vn }": "mail",
		"webhook: { on: true }":         "webhook",
		"bulletin: { dir: /srv/loa }":   "bulletin",
		"siren: { minutes: 5 }":         "siren",
		"push: { contact: a@b.vn }":     "push",
		"sms: { modem: { device: x } }": "sms",
		gateway(secret):                 "sms",
		"zalo: { app_id: \"42\", secret_file: " + secret + ", oa: true, zns: { template: \"1\", params: [{ name: a, text: \"{{short}}\", most: 100 }] } }": "zalo zalo_oa",
	} {
		c := config(t, text)
		if p := c.Check(); p != nil {
			t.Errorf("%s: %v", text, p)
		}
		list, err := channel.Open(c, options(t))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		var names []string
		for _, ch := range list {
			names = append(names, ch.Name())
			if key := "notify.channel." + ch.Name(); !slices.Contains(notify.Words(), key) {
				t.Errorf("pages have no words for %s", key)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func gateway(secret string) string {
	return "sms: { gateway: { url: \"https://sms.example/send\", header: { Content-Type: application/json }, number: \"84\", body: '{\"k\":\"{{key}}\",\"p\":\"{{to}}\",\"t\":\"{{text}}\"}', " +
		"secrets: [{ name: key, file: " + secret + " }], success: { path: code, is: [\"100\"] } } }"
}

func TestCheck_SaysWhatIsWrongAndHowToMend(t *testing.T) {
	const good = "server: \"smtp.example.vn:587\", from: a@b.vn"
	for text, want := range map[string]string{
		"allow: [here]":                              "channels.allow",
		"mail: { from: a@b.vn }":                     "channels.mail.server",
		"mail: { server: \"x:0\", from: a@b.vn }":    "channels.mail.server",
		"mail: { server: \"x:25\" }":                 "channels.mail.from",
		"mail: { server: \"x:25\", from: hoà@b.vn }": "channels.mail.from",
		"mail: { " + good + ", tls: ssl }":           "channels.mail.tls",
		"mail: { " + good + ", tls: none }":          "channels.mail.tls",
		"mail: { " + good + ", username: u }":        "channels.mail.username",
		"mail: { " + good + ", reply_to: \"x y\" }":  "channels.mail.reply_to",
		"mail: { server: \"127.0.0.1:25\", tls: none, from: a@b.vn, username: u, password_file: x }": "channels.mail.username",
		"webhook: {}":                     "channels.webhook.on",
		"push: { contact: here }":         "channels.push.contact",
		"bulletin: {}":                    "channels.bulletin.dir",
		"siren: {}":                       "channels.siren.minutes",
		"siren: { minutes: 31 }":          "channels.siren.minutes",
		"push: {}":                        "channels.push.contact",
		"sms: {}":                         "channels.sms",
		"sms: { modem: {}, gateway: {} }": "channels.sms",
		"sms: { modem: {} }":              "channels.sms.modem.device",
		"sms: { modem: { device: x, baud: -1 } }":        "channels.sms.modem.baud",
		"sms: { modem: { device: x, centre: \"098\" } }": "channels.sms.modem.centre",
		"sms: { gateway: { url: x } }":                   "channels.sms.gateway",
		"sms: { gateway: { secrets: [{ name: K }] } }":   "channels.sms.gateway.secrets",
		"zalo: {}":                 "channels.zalo.app_id",
		"zalo: { app_id: \"42\" }": "channels.zalo.secret_file",
		"zalo: { app_id: \"42\", secret_file: x }":                                                                    "channels.zalo",
		"zalo: { app_id: \"42\", secret_file: x, zns: {} }":                                                           "channels.zalo.zns.template",
		"zalo: { app_id: \"42\", secret_file: x, zns: { template: \"1\", params: [{ name: a }] } }":                   "channels.zalo.zns.params",
		"zalo: { app_id: \"42\", secret_file: x, zns: { template: \"1\", params: [{ name: a, text: \"{{ao}}\" }] } }": "channels.zalo.zns.params",
	} {
		c := config(t, text)
		if p := c.Check(); p == nil || p.Key != want || p.What == "" || p.Mend == "" {
			t.Errorf("%s: %+v, want %s", text, p, want)
		}
	}
}

func TestOpen_SecretsThatAreNone(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	letters := filepath.Join(t.TempDir(), "letters")
	if err := os.WriteFile(letters, []byte("12\"\r"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"mail: { server: \"x:587\", username: u, password_file: /none, from: a@b.vn }",
		"mail: { server: \"x:587\", username: u, password_file: " + empty + ", from: a@b.vn }",
		"mail: { server: \"x:587\", ca_file: " + empty + ", from: a@b.vn }",
		"sms: { modem: { device: x, pin_file: " + letters + " } }",
		"sms: { modem: { device: x, pin_file: /none } }",
		"zalo: { app_id: \"42\", secret_file: /none, oa: true }",
		gateway("/none"),
	} {
		if _, err := channel.Open(config(t, text), options(t)); err == nil || !strings.Contains(err.Error(), ".") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestLoadOrMakeKey_IsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "webhook.key")
	first, err := channel.LoadOrMakeKey(path)
	if err != nil || len(first) != 32 {
		t.Fatal(first, err)
	}
	again, err := channel.LoadOrMakeKey(path)
	if err != nil || string(again) != string(first) {
		t.Error("another key", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if err := os.WriteFile(path, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := channel.LoadOrMakeKey(path); err == nil || !strings.Contains(err.Error(), "put back") {
		t.Errorf("%v", err)
	}
}
