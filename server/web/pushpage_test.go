package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
)

// A key that browsers could ask with, and a device that did.
const (
	pushKey    = "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM"
	deviceKeys = `"keys":{"p256dh":"BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM","auth":"tBHItJI5svbpez7KI4CCXg"}`
)

func pushAccess() map[string]string {
	return map[string]string{"GET /account/push": "atfi", "POST /account/push": "atfi", "POST /account/push/off": "atfi", "POST /account/push/test": "atfi"}
}

func device(n int) (endpoint, subscription string) {
	endpoint = fmt.Sprintf("https://fcm.googleapis.com/fcm/send/Ab%d", n)
	return endpoint, `{"endpoint":"` + endpoint + `","expirationTime":null,` + deviceKeys + `}`
}

func (w *town) pushes(t *testing.T, role account.Role) (out []string) {
	t.Helper()
	c, err := w.told.Own(t.Context(), w.ids[role])
	if err != nil {
		return nil
	}
	for _, a := range c.Addresses {
		if a.Channel == "push" {
			_, rest, _ := strings.Cut(a.To, "/send/")
			id, _, _ := strings.Cut(rest, `"`)
			out = append(out, id)
		}
	}
	return out
}

func TestPush_DevicesComeAndGo(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	post := func(path string, form url.Values, status int, says string) {
		t.Helper()
		res := w.as(account.Farmer, http.MethodPost, path, form, nil)
		if res.status != status || !strings.Contains(string(res.body), says) {
			t.Errorf("%s: %d, not %d, or it does not say %q:\n%s", path, res.status, status, says, res.body)
		}
	}
	is := func(want ...string) {
		t.Helper()
		if got := w.pushes(t, account.Farmer); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("devices %v, want %v", got, want)
		}
	}
	one, sub1 := device(1)
	two, sub2 := device(2)
	post("/account/push/test", nil, http.StatusUnprocessableEntity, "Chưa có máy nào")
	post("/account/push", url.Values{"subscription": {"x"}}, http.StatusUnprocessableEntity, "bấm nút trên chính máy đó")
	is()
	post("/account/push", url.Values{"subscription": {sub1}}, http.StatusOK, "Chrome")
	c, err := w.told.Own(t.Context(), w.ids[account.Farmer])
	if err != nil || !c.Reached() || c.AgreedBy != c.Account || c.Disabled {
		t.Errorf("%+v %v", c, err)
	}
	post("/account/push", url.Values{"subscription": {sub1}}, http.StatusOK, "Đã bật")
	is("Ab1")
	post("/account/push", url.Values{"subscription": {sub2}, "old": {one}}, http.StatusOK, "Đã bật") // as the worker does by itself
	is("Ab2")
	post("/account/push", url.Values{"subscription": {sub1}, "old": {one}}, http.StatusUnprocessableEntity, "") // it was taken off meanwhile
	is("Ab2")
	post("/account/push/test", nil, http.StatusOK, "Đã gửi 1 tin thử")
	for n := 3; n <= 6; n++ {
		_, sub := device(n)
		post("/account/push", url.Values{"subscription": {sub}}, http.StatusOK, "Máy")
	}
	post("/account/push", url.Values{"subscription": {sub1}}, http.StatusUnprocessableEntity, "Đã có 5 máy")
	post("/account/push/off", url.Values{"endpoint": {two}}, http.StatusOK, "Đã tắt")
	post("/account/push/off", url.Values{"endpoint": {two}}, http.StatusOK, "Đã tắt")
	is("Ab3", "Ab4", "Ab5", "Ab6")
	// Alarms that are off at the account stay off, and the page says so.
	w.as(account.Farmer, http.MethodPost, "/account/alarms", url.Values{"digest": {"1"}}, nil)
	if body := string(w.as(account.Farmer, http.MethodGet, "/account/push", nil, nil).body); !strings.Contains(body, "đang tắt ở trang tài khoản") {
		t.Error(body)
	}
	if got := w.pushes(t, account.Admin); len(got) != 0 {
		t.Errorf("another account has them: %v", got)
	}
}

// worker is what Chromium says of a service worker.
type worker struct {
	Registrations []struct {
		ID    string `json:"registrationId"`
		Scope string `json:"scopeURL"`
	} `json:"registrations"`
}

// remembering has a worker write down what the browser agreed to show. The browser is not asked for it (getNotifications): on a busy machine, one that was
// asked again and again while it was to show something now and then said for ever that it shows nothing.
const remembering = `ServiceWorkerRegistration.prototype.showNotification = new Proxy(ServiceWorkerRegistration.prototype.showNotification, { apply: async (show, on, [title, o]) => {
	await Reflect.apply(show, on, [title, o]);
	await (await caches.open("shown")).put("/shown", new Response([o.tag, title, o.body, o.requireInteraction, o.data.url].join("|")));
} });` + "\n"

// A button, a browser that asks its maker (a stub: there is no network here), a form, and a worker that shows what comes.
func TestBrowser_PushIsSwitchedOnAndHeard(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	answer := func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sw.js" {
			w.worker(rw, r, remembering)
			return
		}
		w.web.ServeHTTP(rw, r)
	}
	w.fault.Store(&answer)
	b := w.signedIn(browser(t), account.Farmer)
	_, sub := device(7)
	b.do("stub", command("Browser.grantPermissions", map[string]any{"origin": w.srv.URL, "permissions": []string{"notifications"}}),
		command("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": `PushManager.prototype.subscribe = function (o) {
			const s = ` + sub + `;
			const made = { endpoint: s.endpoint, options: { applicationServerKey: o.applicationServerKey.buffer }, toJSON: () => s, unsubscribe: async () => { sessionStorage.removeItem("sub"); return true; } };
			sessionStorage.setItem("sub", "1");
			return Promise.resolve(made);
		};
		PushManager.prototype.getSubscription = async function () { return sessionStorage.getItem("sub") ? PushManager.prototype.subscribe({ applicationServerKey: Uint8Array.from(atob("` + strings.NewReplacer("-", "+", "_", "/").Replace(pushKey) + `="), (c) => c.charCodeAt(0)) }) : null; };`}))
	look := func(name, shown string) {
		t.Helper()
		for _, shade := range []string{"dark", "light"} {
			b.do(name, scheme(shade))
			visit(b, chromedp.EmulateViewport(360, 2400, chromedp.EmulateScale(2)), w.srv.URL+"/account/push")
			b.do(name, chromedp.WaitVisible(chromedp.CSS(shown)))
			if complaints := axe(b.ctx); complaints != "" {
				t.Errorf("%s, %s: %s", name, shade, complaints)
			}
		}
		if small := ask1(b, name, evaluate[string](`[...document.querySelectorAll("main a, main button")].filter(e => e.offsetParent && e.getBoundingClientRect().height < 47.5).map(e => e.outerHTML).join("\n")`)); small != "" {
			t.Errorf("%s: targets below 48 px: %s", name, small)
		}
		b.do(name, phone())
		shoot(b, "phone-"+name)
	}
	visit(b, phone(), w.srv.URL+"/account/push")
	b.do("button", chromedp.WaitVisible(chromedp.CSS("[data-on]")))
	look("push-off", "[data-on]")
	b.do("on", parttest.Click(chromedp.CSS("[data-on]")), chromedp.WaitVisible(chromedp.CSS("[data-here]")))
	if got := w.pushes(t, account.Farmer); len(got) != 1 || got[0] != "Ab7" {
		t.Errorf("%v", got)
	}
	look("push-on", "[data-here]")
	b.hears(w.srv.URL)
	b.do("off", parttest.Click(chromedp.CSS("[data-off] button")), chromedp.WaitVisible(chromedp.CSS("[data-on]")))
	if got := w.pushes(t, account.Farmer); len(got) != 0 {
		t.Errorf("still on: %v", got)
	}
}

// hears lets a push message come, and looks at what the worker shows.
func (b tab) hears(origin string) {
	b.t.Helper()
	var id string
	b.do("registration", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		said, stop := target.Subscribe("ServiceWorker.workerRegistrationUpdated")
		defer stop()
		if err := target.Call(ctx, "ServiceWorker.enable", nil, nil); err != nil {
			return err
		}
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case raw := <-said:
				var w worker
				if err := json.Unmarshal(raw, &w); err != nil {
					return err
				}
				for _, r := range w.Registrations {
					if strings.HasPrefix(r.Scope, origin) {
						id = r.ID
						return nil
					}
				}
			}
		}
	}))
	for message, want := range map[string]string{
		`{"id":"1","kind":"opened","level":"crit","title":"Ao 1: ôxy thấp","body":"2,1 mg/L","lang":"vi","url":"` + origin + `/alarms","tag":"t1"}`: "t1|Ao 1: ôxy thấp|2,1 mg/L|true|" + origin + "/alarms",
		`rubbish`: "aovuon|AoVườn||false|/",
	} {
		b.do("push", command("ServiceWorker.deliverPushMessage", map[string]any{"origin": origin, "registrationId": id, "data": message}))
		b.until("shown", fmt.Sprintf(`caches.open("shown").then((c) => c.match("/shown")).then((r) => r && r.text()).then((text) => text === %q)`, want))
	}
}
