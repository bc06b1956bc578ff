package web_test

import (
	"os"
	"strings"
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
		b.do("more", parttest.Click(chromedp.CSS(".rest summary")))
		if n := ask1(b, "links", evaluate[int](`document.querySelectorAll(".rest a").length`)); n < 2 {
			t.Fatalf("%s: %d links behind more", path, n)
		}
		unseen := ask1(b, "unseen", evaluate[string](`[...document.querySelectorAll(".rest a")].filter(a => {
			a.scrollIntoView({ block: "nearest", behavior: "instant" });
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
	b.do("a tap elsewhere closes it", parttest.Click(chromedp.CSS(".coop")))
	if ask1(b, "open", evaluate[bool](`document.querySelector(".rest").open`)) {
		t.Error("it stays open")
	}
}

// TestBrowser_TheNavigationLiesAtAThumb: at the lower edge of a phone, on every kind of page, for everybody who works here, with nothing of the
// page behind it that cannot be scrolled up; on a wide screen it is in the head.
func TestBrowser_TheNavigationLiesAtAThumb(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	icons, err := os.ReadFile("templates/icons.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []account.Role{account.Admin, account.Technician, account.Farmer, account.Inspector} {
		b := w.signedIn(browser(t), role)
		for _, path := range []string{"/", "/diary", "/account", "/places/" + own, "/p/" + own} {
			visit(b, phone(), w.srv.URL+path)
			wrong := ask1(b, "bar", evaluate[string](`(() => {
				const bar = [...document.querySelectorAll(".nav > a:not(.near), .nav > .rest > summary")];
				const bad = bar.filter(a => {
					const r = a.getBoundingClientRect();
					return r.height < 56 || r.width < 56 || r.bottom < innerHeight - 2 || r.bottom > innerHeight || a.scrollWidth > a.clientWidth + 1 || !a.contains(document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2));
				}).map(a => a.textContent.trim());
				if (bar.length < 3 || bar.length > 5) bad.push(bar.length + " entries");
				scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
				const foot = document.querySelector(".foot").getBoundingClientRect();
				if (foot.bottom > document.querySelector(".nav").getBoundingClientRect().top) bad.push("the foot lies behind it");
				if (document.documentElement.scrollWidth > innerWidth) bad.push("page is " + document.documentElement.scrollWidth + " wide");
				return bad.join(", ");
			})()`))
			if wrong != "" {
				t.Errorf("%s, %s: %s", role, path, wrong)
			}
			for name := range strings.FieldsSeq(ask1(b, "symbols", evaluate[string](`[...document.querySelectorAll(".nav > a:not(.near) use")].map(u => u.getAttribute("href").slice(1)).join(" ")`))) {
				if !strings.Contains(string(icons), `id="`+name+`"`) {
					t.Errorf("%s: no symbol %s in icons.html", role, name)
				}
			}
			shoot(b, "bar-"+string(role)+"-"+strings.Trim(strings.ReplaceAll(path, "/", "-"), "-"))
		}
		visit(b, desk(), w.srv.URL+"/")
		if top := ask1(b, "top", evaluate[float64](`document.querySelector(".nav").getBoundingClientRect().bottom`)); top > 80 {
			t.Errorf("%s: on a wide screen the navigation reaches down to %g", role, top)
		}
		shoot(b, "bar-"+string(role)+"-desk")
		b.do("tablet", chromedp.EmulateViewport(768, 1024))
		visit(b, chromedp.EmulateViewport(768, 1024), w.srv.URL+"/")
		if wide := ask1(b, "width", evaluate[int](`document.documentElement.scrollWidth`)); wide > 768 {
			t.Errorf("%s: %d wide on a tablet", role, wide)
		}
		shoot(b, "bar-"+string(role)+"-tablet")
	}
}
