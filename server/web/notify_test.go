package web_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/sqldb"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
	"aovuon/server/web"
)

// pigeon is a channel of tests: it knows an address when it sees one, and sends nothing.
type pigeon string

func (p pigeon) Name() string                                         { return string(p) }
func (p pigeon) Send(context.Context, notify.Message) (string, error) { return "1", nil }
func (p pigeon) CheckAddress(to string) (string, error) {
	if p == "sms" {
		if n := notify.Digits(to); len(n) == 11 {
			return "+" + n, nil
		}
		return "", notify.ErrPermanent
	}
	if p == "push" { // JSON
		return to, nil
	}
	return strings.ToLower(to), nil
}

// newNotify is who is told of alarms, on a database of tests.
func newNotify(t testing.TB, db *sqldb.DB, register web.Register) *notify.Desk {
	t.Helper()
	composer, err := web.NewComposer(register, "https://tx.example.vn")
	if err != nil {
		t.Fatal(err)
	}
	return notify.NewDesk(db, db, composer, []notify.Channel{pigeon("push"), pigeon("sms"), pigeon("mail")}, now)
}

func told(id, place string, level rule.Verdict, kind notify.Kind) notify.Told {
	began := now().Add(-20 * time.Minute)
	a := alarm.Alarm{
		ID: id, Key: alarm.Key{Place: place, Topic: string(measure.DissolvedOxygen)}, State: alarm.Firing, Level: level, Began: began, Fired: began,
		Decision: rule.Decision{
			Why:    []rule.Reason{rule.Because("below", rule.Arg{Quantity: measure.DissolvedOxygen}, rule.Value(measure.DissolvedOxygen, 2.6), rule.Value(measure.DissolvedOxygen, 3))},
			Source: farm.Text{VI: "TCVN 13952:2024", EN: "TCVN 13952:2024"},
		},
	}
	if kind == notify.Closed {
		a.State, a.Ended = alarm.Normal, now()
	}
	return notify.Told{Alarm: a, Kind: kind}
}

func TestCompose_WhatPeopleRead(t *testing.T) {
	s := newSources(t)
	c, err := web.NewComposer(s, "https://tx.example.vn/")
	if err != nil {
		t.Fatal(err)
	}
	place := s.farm.Places[0]
	var storm []notify.Told
	for range 3 {
		for _, p := range s.farm.Places {
			storm = append(storm, told("A1", p.Code, rule.Crit, notify.Opened))
		}
	}
	for name, x := range map[string]struct {
		d    notify.Draft
		want notify.Text // Text: what must be in it, a line each
	}{
		"one": {notify.Draft{Kind: notify.Opened, Lang: "vi", Alarms: []notify.Told{told("A1", place.Code, rule.Crit, notify.Opened)}}, notify.Text{
			Subject: "NGUY CẤP: " + place.Title.VI + ", ôxy hòa tan", Link: "https://tx.example.vn/alarms/A1",
			Text:  "Đo được ôxy hòa tan 2,60\u00a0mg/L, dưới mức 3,00\u00a0mg/L.\nBắt đầu lúc 07:20.\nTheo: TCVN 13952:2024",
			Short: "NGUY CAP: " + notify.Plain(place.Title.VI) + ", oxy hoa tan. Do duoc oxy hoa tan 2,60 mg/L, duoi muc 3,00 mg/L.",
		}},
		"english": {notify.Draft{Kind: notify.Raised, Lang: "en", Alarms: []notify.Told{told("A1", "gateway gw-1", rule.Warn, notify.Raised)}}, notify.Text{
			Subject: "GRAVER: Warning: Gateway gw-1, dissolved oxygen", Link: "https://tx.example.vn/alarms/A1?lang=en", Text: "It began at 07:20.",
		}},
		"over": {notify.Draft{Kind: notify.Closed, Lang: "vi", Alarms: []notify.Told{told("A1", place.Code, rule.Crit, notify.Closed)}}, notify.Text{
			Subject: "ĐÃ ỔN: " + place.Title.VI + ", ôxy hòa tan", Link: "https://tx.example.vn/alarms/A1", Text: "Kéo dài từ 07:20 đến 07:40 (20 phút).",
			Short: "DA ON: " + notify.Plain(place.Title.VI) + ", oxy hoa tan. Keo dai tu 07:20 den 07:40 (20 phut).",
		}},
		"a storm": {notify.Draft{Kind: notify.Opened, Lang: "vi", Alarms: storm}, notify.Text{
			Subject: "NGUY CẤP: 21 báo động cùng lúc", Link: "https://tx.example.vn/alarms", Text: "21. NGUY CẤP: ",
		}},
		"a calm day": {notify.Draft{Kind: notify.Digest, Lang: "vi", Since: now().Add(-24 * time.Hour)}, notify.Text{
			Subject: "Bản tin ngày 24/11/2026: không có báo động nào", Link: "https://tx.example.vn/alarms", Text: "Tính từ 23/11/2026 07:40.", Short: "Ban tin ngay 24/11/2026: khong co bao dong nao.",
		}},
		"a day": {notify.Draft{
			Kind: notify.Digest, Lang: "vi", Since: now().Add(-24 * time.Hour), Alarms: []notify.Told{told("A1", place.Code, rule.Warn, notify.Opened), told("A2", "", rule.Warn, notify.Closed)},
			Notices: []rule.Decision{{Place: place.Code, Topic: "ph", Why: []rule.Reason{rule.Because("outdated", rule.At(now()))}}},
		}, notify.Text{
			Subject: "Bản tin ngày 24/11/2026: đang có 1 báo động, 1 đã hết", Link: "https://tx.example.vn/alarms",
			Text:  "Đang còn:\nĐã hết:\n1. ĐÃ ỔN: Máy chủ, ôxy hòa tan. Kéo dài\nNên biết hôm nay:",
			Short: "Ban tin ngay 24/11/2026: dang co 1 bao dong, 1 da het: " + notify.Plain(place.Title.VI) + " oxy hoa tan",
		}},
		"a test": {notify.Draft{Kind: notify.Test, Lang: "vi", Contact: "Lan"}, notify.Text{
			Subject: "Tin thử của AoVườn", Link: "https://tx.example.vn/", Text: "gửi tới Lan", Short: "AoVuon: tin thu luc 24/11/2026 07:40. Nhan duoc tin nay la bao dong se toi duoc ban. Khong can lam gi.",
		}},
	} {
		x.d.At = now()
		got, err := c.Compose(t.Context(), x.d)
		if err != nil {
			t.Fatal(err)
		}
		if got.Subject != x.want.Subject || got.Link != x.want.Link || x.want.Short != "" && got.Short != x.want.Short {
			t.Errorf("%s: %q\n%q\n%q", name, got.Subject, got.Link, got.Short)
		}
		for line := range strings.SplitSeq(x.want.Text, "\n") {
			if !strings.Contains(got.Text, line) {
				t.Errorf("%s: no %q in %s", name, line, got.Text)
			}
		}
		if len(got.Short) == 0 || len(got.Short) > notify.ShortMost || got.Short != notify.Plain(got.Short) || strings.Contains(got.Text+got.Subject+got.Short, "%s") {
			t.Errorf("%s: %q %s", name, got.Short, got.Text)
		}
		if name == "a storm" && !strings.Contains(got.Short, " noi nua") {
			t.Errorf("nobody is told how many there are: %q", got.Short)
		}
	}
}

func contactForm(more url.Values) url.Values {
	f := url.Values{"name": {"Chị Lan"}, "lang": {"vi"}, "level": {"crit"}, "step": {"1"}, "channel1": {"sms"}, "to1": {"0912 345 678"}, "channel2": {"mail"}, "to2": {"Lan@Example.vn"}, "agreed": {"1"}}
	maps.Copy(f, more)
	return f
}

func TestContacts_AreAddedChangedTestedAndRemoved(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	if body := string(w.as(account.Technician, http.MethodGet, "/contacts", nil, nil).body); !strings.Contains(body, "Chưa có ai nhận báo động") {
		t.Error(body)
	}
	for problem, more := range map[string]url.Values{
		"Tên gọi": {"name": {""}}, "chưa đồng ý": {"agreed": nil}, "địa chỉ này không đúng dạng": {"to1": {"12"}}, "Giờ im lặng": {"from": {"22:00"}},
		"Có chỗ chưa đúng": {"to2": {"0912345678"}, "channel2": {"sms"}},
	} {
		res := w.as(account.Technician, http.MethodPost, "/contacts/new", contactForm(more), nil)
		if res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), problem) || strings.Contains(problem, "Tên") == strings.Contains(string(res.body), "Chị Lan") {
			t.Errorf("%s: %d %s", problem, res.status, res.body)
		}
	}
	res := w.as(account.Technician, http.MethodPost, "/contacts/new", contactForm(url.Values{"from": {"22:00"}, "to": {"05:00"}, "place": {own, "XXXXXXXXX"}, "account": {w.ids[account.Farmer]}}), nil)
	at := res.header.Get("Location")
	if res.status != http.StatusSeeOther || !strings.HasPrefix(at, "/contacts/01") {
		t.Fatalf("%d %s %s", res.status, at, res.body)
	}
	list, err := w.told.Contacts(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	c := list[0]
	if c.Addresses[0].To != "+84912345678" || c.Addresses[1].To != "lan@example.vn" || c.QuietFrom != 22*60 || c.QuietTo != 5*60 || len(c.Places) != 1 || c.AgreedBy != w.ids[account.Technician] || c.Level != rule.Crit {
		t.Errorf("%+v", c)
	}
	page := string(w.as(account.Admin, http.MethodGet, "/contacts", nil, nil).body)
	for _, want := range []string{"Chị Lan", "Tin nhắn SMS: &#43;84912345678", "im lặng 22:00 đến 05:00", "Bậc 2", "chỉ nguy cấp"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
	if res := w.as(account.Technician, http.MethodPost, at+"/test", url.Values{}, nil); res.status != http.StatusOK || !strings.Contains(string(res.body), "2 tin thử") || strings.Count(string(res.body), "Chờ gửi") != 2 {
		t.Errorf("%d %s", res.status, res.body)
	}
	// The page of messages shows an address to those who may change it.
	if body := string(w.as(account.Technician, http.MethodGet, "/messages?kind=test", nil, nil).body); !strings.Contains(body, "lan@example.vn") || !strings.Contains(body, "Chị Lan") {
		t.Error(body)
	}
	if body := string(w.as(account.Inspector, http.MethodGet, "/messages", nil, nil).body); strings.Contains(body, "lan@example.vn") || !strings.Contains(body, "Thư điện tử") {
		t.Error(body)
	}
	if body := string(w.as(account.Technician, http.MethodGet, "/messages?state=failed", nil, nil).body); !strings.Contains(body, "Không có tin nào") {
		t.Error(body)
	}
	if res := w.as(account.Admin, http.MethodPost, at+"/remove", url.Values{}, nil); res.status != http.StatusSeeOther {
		t.Errorf("%d", res.status)
	}
	if res := w.as(account.Technician, http.MethodPost, at, contactForm(nil), nil); res.status != http.StatusNotFound {
		t.Errorf("changed after it was removed: %d", res.status)
	}
	if body := string(w.as(account.Technician, http.MethodGet, "/messages", nil, nil).body); strings.Contains(body, "lan@example.vn") || !strings.Contains(body, "Nội dung đã xóa") {
		t.Error(body)
	}
}

func TestAccount_PeopleSetTheirOwnAlarms(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	res := w.as(account.Farmer, http.MethodPost, "/account/alarms", url.Values{"on": {"1"}, "from": {"21h30"}, "to": {"04:30"}, "digest": {"1"}}, nil)
	if res.status != http.StatusOK || !strings.Contains(string(res.body), "Đã lưu báo động") || !strings.Contains(string(res.body), `value="21:30"`) {
		t.Errorf("%d %s", res.status, res.body)
	}
	c, err := w.told.Own(t.Context(), w.ids[account.Farmer])
	if err != nil || c.Agreed.IsZero() || c.AgreedBy != c.Account || c.Disabled || !c.Digest || c.QuietFrom != 21*60+30 || c.Step != 0 {
		t.Errorf("%+v %v", c, err)
	}
	if res := w.as(account.Farmer, http.MethodPost, "/account/alarms", url.Values{"on": {"1"}, "from": {"x"}}, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", res.status)
	}
	if res := w.as(account.Farmer, http.MethodPost, "/account/alarms", url.Values{"crit": {"1"}}, nil); res.status != http.StatusOK {
		t.Errorf("%d", res.status)
	}
	if c, err := w.told.Own(t.Context(), w.ids[account.Farmer]); err != nil || !c.Disabled || c.Level != rule.Crit {
		t.Errorf("%+v %v", c, err)
	}
	if res := w.as(account.Farmer, http.MethodPost, "/account/alarms", url.Values{"stop": {"1"}}, nil); res.status != http.StatusSeeOther {
		t.Errorf("%d", res.status)
	}
	if _, err := w.told.Own(t.Context(), w.ids[account.Farmer]); err == nil {
		t.Error("still there")
	}
	// Nobody sets another's: the account is the visitor's, whatever the form says.
	if res := w.as(account.Farmer, http.MethodPost, "/account/alarms", url.Values{"on": {"1"}, "account": {w.ids[account.Admin]}}, nil); res.status != http.StatusOK {
		t.Errorf("%d", res.status)
	}
	if _, err := w.told.Own(t.Context(), w.ids[account.Admin]); err == nil {
		t.Error("a farmer made a contact of the admin")
	}
}

func TestLadder_IsSetAndShown(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.as(account.Technician, http.MethodPost, "/contacts/new", contactForm(url.Values{"step": {"0"}}), nil)
	set := url.Values{"again": {"5"}, "top": {"20"}, "clock": {"05:15"}, "keep": {"100"}}
	res := w.as(account.Technician, http.MethodPost, "/ladder", set, nil)
	if body := string(res.body); res.status != http.StatusOK || !strings.Contains(body, "Đã lưu") || !strings.Contains(body, "Sau 5 phút") || !strings.Contains(body, "cứ 20 phút") {
		t.Errorf("%d %s", res.status, body)
	}
	if got, err := w.told.Settings(t.Context()); err != nil || got.Again != 5*time.Minute || got.DigestAt != 315 || got.KeepDays != 100 {
		t.Errorf("%+v %v", got, err)
	}
	set.Set("again", "0")
	if res := w.as(account.Technician, http.MethodPost, "/ladder", set, nil); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), `value="0"`) {
		t.Errorf("%d %s", res.status, res.body)
	}
}

// notifyAccess says who gets through to the pages of this file, as accessTable does.
func notifyAccess() map[string]string {
	return map[string]string{
		"GET /contacts": "at", "GET /contacts/new": "at", "POST /contacts/new": "at", "GET /contacts/{id}": "at", "POST /contacts/{id}": "at", "POST /contacts/{id}/test": "at",
		"POST /contacts/{id}/remove": "at", "GET /messages": "ati", "GET /ladder": "at", "POST /ladder": "at", "POST /account/alarms": "atfi",
	}
}

// notifyWords are the keys that messages and their pages ask for.
func notifyWords() []string {
	return append(notify.Words(), "nav.contacts", "notify.level.crit", "notify.level.warn")
}
