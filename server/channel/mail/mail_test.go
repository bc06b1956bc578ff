package mail_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/server/channel/mail"
	"aovuon/server/channel/mail/smtptest"
	"aovuon/server/parttest"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

var now = time.Date(2026, 11, 27, 3, 11, 5, 0, time.FixedZone("ICT", 7*3600))

func options(t *testing.T, s *smtptest.Server) mail.Options {
	t.Helper()
	return mail.Options{
		Server: s.Addr, Security: mail.None, From: netmail.Address{Name: "HTX Phú Khê", Address: "canhbao@htx.example"}, ReplyTo: "kythuat@htx.example",
		Now: func() time.Time { return now },
	}
}

func message() notify.Message {
	return notify.Message{
		ID: "01JDMESSAGE", Kind: notify.Opened, Alarm: "01JDALARM", To: "hoa@example.vn", Level: rule.Crit, Lang: "vi",
		Subject: "Ao 1: ôxy hoà tan thấp tới mức nguy hiểm cho cá, cần bật quạt ngay bây giờ kẻo muộn",
		Text:    "Ao 1: ôxy 2,1 mg/L lúc 03:11 27/11/2026.\nBật quạt ngay.\n.\n" + strings.Repeat("Đo bằng đầu dò ao1-do. ", 30), Link: "https://htx.example/alarms/01JDALARM",
	}
}

func TestSend_ALetterIsReadAsItWasWritten(t *testing.T) {
	s := smtptest.Start(t, smtptest.Options{})
	m := message()
	ref, err := mail.New(options(t, s)).Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	l := s.Letters()[0]
	if l.From != "canhbao@htx.example" || l.To != m.To || l.Subject != m.Subject || l.Text != m.Text+"\n\n"+m.Link+"\n" {
		t.Errorf("%+v", l)
	}
	for key, want := range map[string]string{
		"Message-Id": "<01JDMESSAGE@htx.example>", "References": "<alarm-01JDALARM@htx.example>", "Date": "Fri, 27 Nov 2026 03:11:05 +0700", "Reply-To": "kythuat@htx.example",
		"Auto-Submitted": "auto-generated", "Importance": "high", "Content-Language": "vi", "To": "<hoa@example.vn>", "From": "=?utf-8?q?HTX_Ph=C3=BA_Kh=C3=AA?= <canhbao@htx.example>",
	} {
		if got := l.Header.Get(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	if ref != "<01JDMESSAGE@htx.example>" {
		t.Error(ref)
	}
	for line := range strings.Lines(l.Raw) {
		if len(line) > 78 || strings.IndexFunc(line, func(r rune) bool { return r > 0x7e }) >= 0 {
			t.Errorf("a line that mail servers need not take: %q", line)
		}
	}
}

func TestSend_NothingInASubjectBecomesAHeader(t *testing.T) {
	s := smtptest.Start(t, smtptest.Options{})
	m := message()
	m.Subject, m.Kind, m.Link = "Ao 1\r\nBcc: x@example.com\r\n\r\nx", notify.Closed, ""
	if _, err := mail.New(options(t, s)).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if l := s.Letters()[0]; l.Header.Get("Bcc") != "" || l.Subject != "Ao 1 Bcc: x@example.com x" || l.Header.Get("Importance") != "" {
		t.Errorf("%+v", l.Header)
	}
}

// certificates are those of a server on loopback, and who signed them.
func certificates(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	dir := t.TempDir()
	if err := parttest.WriteCertificates(dir); err != nil {
		t.Fatal(err)
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(raw)
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, pool
}

func TestSend_InPrivate(t *testing.T) {
	conf, pool := certificates(t)
	for name, tc := range map[string]struct {
		server smtptest.Options
		mine   func(*mail.Options)
		want   string // of the error; empty: none
		final  bool
	}{
		"STARTTLS and PLAIN":    {smtptest.Options{TLS: conf, Auth: "PLAIN LOGIN"}, func(*mail.Options) {}, "", false},
		"STARTTLS and LOGIN":    {smtptest.Options{TLS: conf, Auth: "LOGIN"}, func(*mail.Options) {}, "", false},
		"TLS":                   {smtptest.Options{TLS: conf, Implicit: true, Auth: "PLAIN"}, func(o *mail.Options) { o.Security = mail.TLS }, "", false},
		"no STARTTLS":           {smtptest.Options{Auth: "PLAIN"}, func(*mail.Options) {}, "offers no STARTTLS", true},
		"wrong password":        {smtptest.Options{TLS: conf, Auth: "PLAIN"}, func(o *mail.Options) { o.Password = "x" }, "535", true},
		"wrong password, LOGIN": {smtptest.Options{TLS: conf, Auth: "LOGIN"}, func(o *mail.Options) { o.Password = "x" }, "535", true},
		"nothing known":         {smtptest.Options{TLS: conf, Auth: "GSSAPI"}, func(*mail.Options) {}, "no way to sign in", true},
		"stranger's name":       {smtptest.Options{TLS: conf}, func(o *mail.Options) { o.TLS.ServerName = "other.example" }, "other.example", false},
		"stranger's authority":  {smtptest.Options{TLS: conf}, func(o *mail.Options) { o.TLS = nil }, "certificate", false},
		"password in the open":  {smtptest.Options{Auth: "PLAIN"}, func(o *mail.Options) { o.Security = mail.None }, "not sent without TLS", true},
	} {
		t.Run(name, func(t *testing.T) {
			tc.server.Username, tc.server.Password = "canhbao", "bí mật"
			s := smtptest.Start(t, tc.server)
			o := options(t, s)
			o.Security, o.Username, o.Password, o.TLS = mail.StartTLS, "canhbao", "bí mật", &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
			tc.mine(&o)
			_, err := mail.New(o).Send(t.Context(), message())
			if tc.want == "" {
				if err != nil || len(s.Letters()) != 1 {
					t.Errorf("%v, %d letters", err, len(s.Letters()))
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || errors.Is(err, notify.ErrPermanent) != tc.final || strings.Contains(err.Error(), "bí mật") {
				t.Errorf("%v", err)
			}
			if len(s.Letters()) != 0 {
				t.Error("a letter went out")
			}
		})
	}
}

func TestSend_AnswersDecideWhatComesNext(t *testing.T) {
	for name, tc := range map[string]struct {
		at, answer string
		final      bool
	}{
		"no such person":    {"RCPT", "550 5.1.1 no such user", true},
		"greylisted":        {"RCPT", "450 4.2.0 come again", false},
		"mailbox full":      {"RCPT", "552 5.2.2 full", false},
		"sender refused":    {"MAIL", "553 5.7.1 not you", true},
		"busy":              {"GREETING", "421 4.3.2 later", false},
		"shut":              {"GREETING", "554 5.3.2 no service", true},
		"hung up":           {"RCPT", "CLOSE", false},
		"refused at DATA":   {"DATA", "554 5.5.1 no", true},
		"text refused":      {"TEXT", "554 5.7.1 spam", true},
		"text put off":      {"TEXT", "451 4.3.0 disk", false},
		"answer lost":       {"DONE", "CLOSE", false},
		"no mail server":    {"GREETING", "HTTP/1.1 400 Bad Request", false},
		"a line of garbage": {"MAIL", "\x00\xff", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := smtptest.Start(t, smtptest.Options{Answer: func(command, _ string) string {
				if command == tc.at {
					return tc.answer
				}
				return ""
			}})
			_, err := mail.New(options(t, s)).Send(t.Context(), message())
			if err == nil || errors.Is(err, notify.ErrPermanent) != tc.final {
				t.Errorf("%v, final %v", err, tc.final)
			}
		})
	}
}

// A farewell that is never answered takes nothing back.
func TestSend_WhatWasTakenStaysTaken(t *testing.T) {
	s := smtptest.Start(t, smtptest.Options{Answer: func(command, _ string) string {
		if command == "QUIT" {
			return "CLOSE"
		}
		return ""
	}})
	if _, err := mail.New(options(t, s)).Send(t.Context(), message()); err != nil || len(s.Letters()) != 1 {
		t.Errorf("%v", err)
	}
}

func TestSend_AServerThatSaysNothingIsLeft(t *testing.T) {
	asked := make(chan struct{}, 1)
	s := smtptest.Start(t, smtptest.Options{Answer: func(command, _ string) string {
		if command == "RCPT" {
			asked <- struct{}{}
			return "HANG"
		}
		return ""
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := mail.New(options(t, s)).Send(ctx, message()); !errors.Is(err, context.Canceled) || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("%v", err)
	}
	o := options(t, s)
	o.Timeout = time.Millisecond
	if _, err := mail.New(o).Send(t.Context(), message()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestSend_NobodyThere(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := mail.Options{Server: l.Addr().String(), Security: mail.None, Now: func() time.Time { return now }}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := mail.New(o).Send(t.Context(), message()); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Error(err)
	}
}

func TestCheckAddress(t *testing.T) {
	c := mail.New(mail.Options{})
	for in, want := range map[string]string{
		" hoa@example.vn ": "hoa@example.vn", "Hoà <hoa@example.vn>": "hoa@example.vn", "a+b@x.y.z": "a+b@x.y.z",
		"": "", "hoa": "", "hoa@": "", "hoà@example.vn": "", "a@b, c@d": "", "a\r\nRCPT TO:<b@c>@d": "", strings.Repeat("a", 250) + "@b.vn": "", "\"a b\"@c.d": "",
	} {
		got, err := c.CheckAddress(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
		if want == "" {
			m := message()
			m.To = in
			if _, err := c.Send(t.Context(), m); !errors.Is(err, notify.ErrPermanent) {
				t.Errorf("%q: %v", in, err)
			}
		}
	}
}
