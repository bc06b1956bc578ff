package web_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// subscription is a browser's address at a push service, as the browser would give it; its service worker has it in hand by subscribed.
const (
	endpoint     = "https://push.example/phone-1"
	subscription = `{"endpoint":"` + endpoint + `","keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`
	subscribed   = `PushManager.prototype.getSubscription = async () => ({ endpoint: "` + endpoint + `", unsubscribe: () => fetch("/unsubscribed") });` + "\n"
)

// Who signs out on a phone leaves none behind that shows alarms to whoever finds it: neither the server sends more nor does the browser keep its address.
func TestPhone_SigningOutEndsItsAlarms(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	p := w.pocket(browser(t))
	if _, err := w.told.Save(t.Context(), notify.Contact{
		Name: "Nông dân", Account: p.ids[account.Farmer], Lang: "vi", Level: rule.Warn, Agreed: p.by().At,
		Addresses: []notify.Address{{Channel: "push", To: subscription}, {Channel: "sms", To: "+84912345678"}},
	}, p.by()); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var asked []string
	p.fails(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sw.js": // Chromium without its maker's service gives no address: the worker is told one
			p.worker(rw, r, subscribed)
			return
		case "/account/push/off", "/unsubscribed", "/sign-out":
			mu.Lock()
			asked = append(asked, strings.TrimPrefix(r.URL.Path, "/"))
			mu.Unlock()
		}
		p.answer(rw, r)
	})
	p.warm()
	p.open("/account")
	p.b.follow("sign out", parttest.Click(chromedp.CSS(`form[action="/sign-out"] button`)))
	if path := ask1(p.b, "where it leads", evaluate[string](`location.pathname`)); path != "/sign-in" {
		t.Errorf("signing out leads to %s", path)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"account/push/off", "unsubscribed", "sign-out"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	c, err := w.told.Own(t.Context(), p.ids[account.Farmer])
	if err != nil || len(c.Addresses) != 1 || c.Addresses[0].Channel != "sms" {
		t.Errorf("told by %+v, %v: only the telephone number should be left", c.Addresses, err)
	}
}
