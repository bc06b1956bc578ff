package modem

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/server/watch/notify"
)

var now = time.Date(2026, 11, 26, 20, 11, 5, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func message() notify.Message {
	return notify.Message{ID: "01JDMESSAGE", Kind: notify.Opened, To: "0912 345 678", Short: "Ao 1: oxy 2,1 mg/L luc 03:11. Bat quat ngay.", Text: "Ao 1: ôxy 2,1 mg/L", Expires: now.Add(2 * time.Hour)}
}

func TestSend_WhatTheModemIsTold(t *testing.T) {
	f := newFake(t)
	c := f.channel(func(o *Options) { o.Centre = "+84980200030" })
	ref, err := c.Send(t.Context(), message())
	if err != nil || ref != "84912345678/1" {
		t.Fatal(ref, err)
	}
	got := f.commands()
	const want = `AT ATE0 AT+CMEE=1 AT+CPIN? AT+CMGF=0 AT+CSCA="+84980200030",145 AT+CNMI=2,0,0,1,0 AT+CREG? AT+CMGS=53 `
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	if len(f.pdus) != 1 || text(t, f.pdus[0]) != message().Short {
		t.Errorf("%v", f.pdus)
	}
	// Another goes over the same line.
	if ref, err := c.Send(t.Context(), message()); err != nil || ref != "84912345678/2" {
		t.Error(ref, err)
	}
	if got := f.commands(); !strings.HasPrefix(got, "AT+CREG? AT+CMGS=53 ") {
		t.Error(got)
	}
}

func TestSend_VietnameseAndLongTexts(t *testing.T) {
	f := newFake(t)
	c := f.channel()
	m := message()
	m.Short = ""
	if _, err := c.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := text(t, f.pdus[0]); got != m.Text {
		t.Errorf("%q", got)
	}
	m.Short = strings.Repeat("0123456789", 31) + "€"
	ref, err := c.Send(t.Context(), m)
	if err != nil || ref != "84912345678/4" {
		t.Fatal(ref, err)
	}
	if got := text(t, f.pdus[1]) + text(t, f.pdus[2]) + text(t, f.pdus[3]); got != m.Short {
		t.Errorf("%q", got)
	}
}

func TestSend_AnswersDecideWhatComesNext(t *testing.T) {
	for name, tc := range map[string]struct {
		at, answer string
		final      bool
		want       string
	}{
		"number not in use":   {"TEXT", "\r\n+CMS ERROR: 1\r\n", true, "not in use"},
		"no credit":           {"TEXT", "\r\n+CMS ERROR: 8\r\n", true, "credit"},
		"congested":           {"TEXT", "\r\n+CMS ERROR: 42\r\n", false, "congested"},
		"out of order":        {"TEXT", "\r\n+CMS ERROR: 38\r\n", false, "out of order"},
		"no service":          {"AT+CMGS", "\r\n+CMS ERROR: 331\r\n", false, "no network"},
		"unknown code":        {"TEXT", "\r\n+CMS ERROR: 777\r\n", false, "777"},
		"no code":             {"TEXT", "\r\n+CMS ERROR: full\r\n", false, "CMS ERROR"},
		"plain error":         {"TEXT", "\r\nERROR\r\n", false, "ERROR"},
		"no prompt":           {"AT+CMGS", "\r\nOK\r\n", false, "no text"},
		"no reference":        {"TEXT", "\r\nOK\r\n", true, "no reference"},
		"odd reference":       {"TEXT", "\r\n+CMGS: 999\r\n\r\nOK\r\n", true, "no reference"},
		"no SIM":              {"AT+CPIN?", "\r\n+CME ERROR: 10\r\n", true, "put one in"},
		"SIM busy":            {"AT+CPIN?", "\r\n+CME ERROR: 14\r\n", false, "busy"},
		"locked":              {"AT+CPIN?", "\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n", true, "SIM PUK"},
		"no PIN given":        {"AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n", true, "pin_file"},
		"no PDU mode":         {"AT+CMGF=0", "\r\nERROR\r\n", true, "PDU mode"},
		"no reports":          {"AT+CNMI=2,0,0,1,0", "\r\n+CMS ERROR: 303\r\n", false, ""},
		"searching":           {"AT+CREG?", "\r\n+CREG: 0,2\r\n\r\nOK\r\n", false, "no network"},
		"denied":              {"AT+CREG?", "\r\n+CREG: 0,3\r\n\r\nOK\r\n", true, "refuses the SIM"},
		"roaming":             {"AT+CREG?", "\r\n+CREG: 2,5,\"0A1B\",\"00C3\",7\r\n\r\nOK\r\n", false, ""},
		"no such question":    {"AT+CREG?", "\r\nERROR\r\n", false, ""},
		"talks of other":      {"TEXT", "\r\nRING\r\n\r\n+CMTI: \"SM\",3\r\n^RSSI: 12\r\n+CREG: 1\r\n+CMGS: 7\r\n\r\nOK\r\n", false, ""},
		"no code for nothing": {"AT+CMEE=1", "\r\nERROR\r\n", false, "ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.answers(tc.at, tc.answer)
			_, err := f.channel().Send(t.Context(), message())
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) || errors.Is(err, notify.ErrPermanent) != tc.final {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestSend_AWrongPINIsTriedOnceInALifetime(t *testing.T) {
	f := newFake(t)
	f.state, f.pin = "SIM PIN", "4321"
	refused := t.TempDir() + "/refused"
	pin := func(pin string) func(*Options) { return func(o *Options) { o.PIN, o.Refused = pin, refused } }
	for range 3 { // three programs, one after another
		c := f.channel(pin("1234"))
		if _, err := c.Send(t.Context(), message()); !errors.Is(err, notify.ErrPermanent) || strings.Contains(err.Error(), "1234") {
			t.Errorf("%v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if f.wrong != 1 {
		t.Errorf("the PIN was tried %d times", f.wrong)
	}
	if _, err := f.channel(pin("4321")).Send(t.Context(), message()); err != nil || f.state != "READY" {
		t.Errorf("the right one: %v, %s", err, f.state)
	}
	if raw, err := os.ReadFile(refused); err != nil || strings.Contains(string(raw), "1234") {
		t.Errorf("%q %v", raw, err)
	}
}

// A modem that is pulled out in the middle is an error that is worth trying again; put in again, it works without a restart.
func TestSend_UnpluggedAndPutInAgain(t *testing.T) {
	f := newFake(t)
	c := f.channel()
	f.answers("TEXT", "HANG")
	go func() {
		for word := range f.told {
			if len(word) > 60 { // the text
				f.unplug()
				return
			}
		}
	}()
	if _, err := c.Send(t.Context(), message()); err == nil || errors.Is(err, notify.ErrPermanent) || !strings.Contains(err.Error(), "plugged in") {
		t.Errorf("%v", err)
	}
	if _, err := c.Send(t.Context(), message()); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("while it is out: %v", err)
	}
	again := newFake(t)
	c.o.Open = OpenPort(again.name, 115200)
	if _, err := c.Send(t.Context(), message()); err != nil || len(again.pdus) != 1 {
		t.Errorf("%v", err)
	}
}

func TestSend_AModemThatSaysNothing(t *testing.T) {
	f := newFake(t)
	c := f.channel()
	f.answers("TEXT", "HANG")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for word := range f.told {
			if len(word) > 60 {
				cancel()
				return
			}
		}
	}()
	if _, err := c.Send(ctx, message()); !errors.Is(err, context.Canceled) || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("%v", err)
	}
	for word := range f.told {
		if word == "" { // the escape has arrived, and was answered
			break
		}
	}
	f.answers("TEXT", "\r\n+CMGS: 9\r\n\r\nOK\r\n")
	if ref, err := c.Send(t.Context(), message()); err != nil || ref != "84912345678/9" {
		t.Errorf("after it: %s %v", ref, err)
	}
}

func TestReceipts_WhatTheNetworkSays(t *testing.T) {
	f := newFake(t)
	c := f.channel()
	ref, err := c.Send(t.Context(), message())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan notify.Receipt, 10)
	done := make(chan error)
	go func() { done <- c.Receipts(ctx, func(r notify.Receipt) { got <- r }) }()
	// Still trying; rubbish; then arrived; a number as it is dialled at home, given up.
	f.say("\r\n+CDS: 26\r\n" + status(1, "84912345678", 0x91, 0x30) + "\r\n\r\n+CDS: 3\r\nXYZ\r\n")
	f.say("\r\n+CDS: 26\r\n" + status(1, "84912345678", 0x91, 0) + "\r\n")
	f.say("\r\n+CDS: 26\r\n" + status(200, "0912345678", 0x81, 0x46) + "\r\n")
	if r := <-got; r.Ref != ref || !r.Delivered || r.Err != "" || !r.At.Equal(now) {
		t.Errorf("%+v", r)
	}
	if r := <-got; r.Ref != "84912345678/200" || r.Delivered || !strings.Contains(r.Err, "0x46") {
		t.Errorf("%+v", r)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestStatus(t *testing.T) {
	f := newFake(t)
	s, err := f.channel().Status(t.Context())
	if want := (Status{Model: "E3372", SIM: "READY", Network: "Viettel", Signal: -79, Measured: true}); err != nil || s != want {
		t.Errorf("%+v %v", s, err)
	}
	f.answers("AT+CSQ", "\r\n+CSQ: 99,99\r\n\r\nOK\r\n")
	if s, err := f.channel(func(o *Options) { o.Open = OpenPort(f.name+"none", 9600) }).Status(t.Context()); err == nil || s.Measured {
		t.Errorf("%+v %v", s, err)
	}
	if _, ok := signal("+CSQ: 99,99"); ok {
		t.Error("99 is a signal")
	}
}
