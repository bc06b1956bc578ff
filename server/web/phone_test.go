package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
)

// signedIn is a browser in which somebody's session is open.
func (w *town) signedIn(b tab, role account.Role) tab {
	b.t.Helper()
	b.do("session", chromedp.Navigate(w.srv.URL+"/healthz"), command("Network.setCookie", map[string]any{
		"name": w.sid, "value": w.sids[role], "url": w.srv.URL, "httpOnly": true, "sameSite": "Lax",
	}))
	return b
}

func phonePaths() map[string]string {
	return map[string]string{
		"spot": "/p/" + own, "log-feed": "/p/" + own + "/log/feed", "log-water": "/p/" + own + "/log/water_test", "log-note": "/p/" + own + "/log/note", "diary": "/diary", "outbox": "/outbox",
		"offline": "/offline", "log-treatment": "/p/" + own + "/log/treatment", "log-harvest": "/p/" + own + "/log/harvest",
	}
}

func TestBrowser_PhonePages(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	form := w.feedForm(account.Farmer, "12,5")
	w.as(account.Farmer, http.MethodPost, "/p/"+own+"/log/feed", form, nil)
	b := w.signedIn(browser(t), account.Farmer)
	paths := phonePaths()
	paths["kept"], paths["entry"], paths["correct"], paths["void"] = "/p/"+own+"?kept="+form.Get("id"), "/diary/"+form.Get("id"), "/diary/"+form.Get("id")+"/correct", "/diary/"+form.Get("id")+"/void"
	for name, path := range paths {
		for _, shade := range []string{"light", "dark"} {
			b.do(name, phone(), scheme(shade))
			// As tall as the page: the button that stays under the thumb covers what is not scrolled to yet, which axe takes for a fault.
			visit(b, chromedp.EmulateViewport(360, 2400, chromedp.EmulateScale(2)), w.srv.URL+path)
			if complaints := axe(b.ctx); complaints != "" {
				t.Errorf("%s, %s: %s", name, shade, complaints)
			}
			if wide := ask1(b, name, evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
				t.Errorf("%s is %d px wide", name, wide)
			}
			small := ask1(b, name, evaluate[string](`[...document.querySelectorAll("main a, main button, main input:not([type=hidden]):not([type=radio]):not([type=checkbox]), main select, main textarea, main summary")].filter(e => e.offsetParent && !e.closest(".rule")).map(e => [e.getBoundingClientRect(), e]).filter(([r]) => r.height > 0 && r.height < 47.5).map(([r, e]) => Math.round(r.height) + " " + e.outerHTML.slice(0, 90)).join("\n")`))
			if small != "" {
				t.Errorf("%s: targets below 48 px: %s", name, small)
			}
			if shade == "light" || name == "spot" {
				b.do(name, phone())
				shoot(b, "phone-"+name+strings.TrimPrefix("-"+shade, "-light"))
			}
		}
	}
}
