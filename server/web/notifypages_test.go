package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// someMessages are messages in every state, as a season leaves them.
func (w *town) someMessages(contact string) {
	w.t.Helper()
	at := now().Add(-3 * time.Hour)
	var list []notify.Message
	for i, state := range notify.States() {
		m := notify.Message{
			ID: "01K0000000000000000000000" + string(rune('A'+i)), Kind: notify.Kinds()[i], Contact: contact, Channel: "sms", To: "+84912345678", Level: rule.Crit, Lang: "vi", State: state, Created: at, Alarm: "01K00000000000000000000001",
			Subject: "NGUY CẤP: Ao cá Phú Khê 1, ôxy hòa tan", Text: "NGUY CẤP: Ao cá Phú Khê 1, ôxy hòa tan\nĐo được ôxy hòa tan 2,60 mg/L, dưới mức 3,00 mg/L.\nBắt đầu lúc 04:40.\n", Short: "NGUY CAP: Ao ca Phu Khe 1, oxy hoa tan. Do duoc oxy hoa tan 2,60 mg/L.",
		}
		switch state {
		case notify.Waiting:
			m.Next = now().Add(20 * time.Minute)
		case notify.Failed:
			m.Err = "sms: the modem answers +CMS ERROR: 500 (unknown error)"
		case notify.Expired:
			m.Err = notify.Moot
		case notify.Delivered:
			m.After = "01K0000000000000000000000A"
		case notify.Sending, notify.Sent, notify.Merged:
		}
		list = append(list, m)
		at = at.Add(time.Minute)
	}
	if err := w.db.AddMessages(w.t.Context(), list); err != nil {
		w.t.Fatal(err)
	}
}

func TestBrowser_NotifyPages(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	b := w.signedIn(browser(t), account.Technician)
	look := func(name, path string) {
		t.Helper()
		for _, lang := range []string{"vi", "en"} {
			for _, shade := range []string{"light", "dark"} {
				b.do(name, phone(), scheme(shade))
				visit(b, chromedp.EmulateViewport(360, 3200, chromedp.EmulateScale(1)), w.srv.URL+withLang(path, lang))
				if complaints := axe(b.ctx); complaints != "" {
					t.Errorf("%s, %s, %s: %s", name, lang, shade, complaints)
				}
				if wide := ask1(b, name, evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
					t.Errorf("%s, %s is %d px wide", name, lang, wide)
				}
			}
		}
		visit(b, chromedp.EmulateViewport(360, 2000, chromedp.EmulateScale(1)), w.srv.URL+path)
		b.do(name, scheme("light"))
		shoot(b, "notify-"+name)
		visit(b, desk(), w.srv.URL+path)
		shoot(b, "notify-"+name+"-desk")
	}
	look("empty", "/contacts")
	look("new", "/contacts/new")
	look("no-messages", "/messages")
	for name, more := range map[string]url.Values{
		"Chị Lan": {"step": {"0"}, "digest": {"1"}}, "Anh Bình": {"step": {"1"}, "from": {"22:00"}, "to": {"05:00"}, "place": {own}}, "Còi ao 1": {"step": {"2"}, "disabled": {"1"}, "agreed": nil},
	} {
		more.Set("name", name)
		if res := w.as(account.Technician, http.MethodPost, "/contacts/new", contactForm(more), nil); res.status != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", name, res.status, res.body)
		}
	}
	list, err := w.told.Contacts(t.Context())
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	w.someMessages(list[0].ID)
	look("contacts", "/contacts")
	look("contact", "/contacts/"+list[0].ID)
	look("messages", "/messages")
	look("ladder", "/ladder")
	w.as(account.Technician, http.MethodPost, "/account/alarms", url.Values{"on": {"1"}, "from": {"22:00"}, "to": {"05:00"}}, nil)
	look("account", "/account")
	body := w.text(account.Technician, "/messages")
	for _, state := range []string{"Chờ gửi", "Đang gửi", "Đã gửi", "Đã tới nơi", "Không gửi được", "Không gửi nữa", "Đã gộp"} {
		if !strings.Contains(body, state) {
			t.Errorf("no %q in %s", state, body)
		}
	}
}
