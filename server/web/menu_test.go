package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
)

// TestBrowser_TheRestOfTheNavigationIsSeenOnAPhone also holds that it is no cut-off box: each of its links lies where a thumb reaches it.
func TestBrowser_TheRestOfTheNavigationIsSeenOnAPhone(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	b := w.signedIn(browser(t), account.Admin)
	for _, path := range []string{"/", "/farm", "/users"} {
		visit(b, phone(), w.srv.URL+path)
		b.do("more", chromedp.Click(chromedp.CSS(".rest summary")))
		if n := ask1(b, "links", evaluate[int](`document.querySelectorAll(".rest a").length`)); n < 2 {
			t.Fatalf("%s: %d links behind more", path, n)
		}
		unseen := ask1(b, "unseen", evaluate[string](`[...document.querySelectorAll(".rest a")].filter(a => {
			const r = a.getBoundingClientRect();
			return r.left < 0 || r.right > innerWidth || r.height < 48 || document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2) !== a;
		}).map(a => a.textContent).join(", ")`))
		if unseen != "" {
			t.Errorf("%s: not seen: %s", path, unseen)
		}
		if wide := ask1(b, "width", evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
			t.Errorf("%s is %d wide", path, wide)
		}
		if complaints := axe(b.ctx); complaints != "" {
			t.Error(complaints)
		}
	}
	shoot(b, "more")
}
