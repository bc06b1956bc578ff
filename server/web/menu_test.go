package web_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
)

// ledAside are pages that are reached otherwise than by a link of another page.
func ledAside() []string {
	return []string{
		"/start",           // the first page leads there until a probe hangs somewhere
		"/account/confirm", // asked for before what is grave
		"/c",               // the sign-in page leads there
		"/offline",         // in place of a page that is not on the phone
		"/labels/jobs",     // once there is a print job
	}
}

// An auditor's inspector and the admin find the ledger beside what was changed.
func TestMenu_HasTheLedger(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	for role, want := range map[account.Role]bool{account.Admin: true, account.Inspector: true, account.Technician: false, account.Farmer: false} {
		_, menu, _ := strings.Cut(w.text(role, "/account"), `<nav class="nav"`)
		menu, _, _ = strings.Cut(menu, "</nav>")
		if menu == "" || strings.Contains(menu, `href="/ledger">Sổ cái công khai</a>`) != want {
			t.Errorf("%s: %s", role, menu)
		}
	}
}

// TestMenu_LeadsToEveryPage follows the links of every page from the first one, as each of the staff.
func TestMenu_LeadsToEveryPage(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	known := http.NewServeMux()
	for _, p := range w.web.Patterns() {
		if strings.HasPrefix(p, "GET ") {
			known.HandleFunc(p, http.NotFound)
		}
	}
	for role, letter := range map[account.Role]string{account.Admin: "a", account.Technician: "t", account.Inspector: "i"} {
		reached := w.crawled(known, role)
		for pattern, who := range accessTable() {
			path, get := strings.CutPrefix(pattern, "GET ")
			if !get || strings.Contains(path, "{") || !strings.Contains(who, letter) || reached[pattern] || slices.Contains(ledAside(), path) {
				continue
			}
			if res := w.as(role, http.MethodGet, path, nil, nil); res.status == http.StatusOK && strings.HasPrefix(res.header.Get("Content-Type"), "text/html") {
				t.Errorf("%s: no page leads to %s", role, path)
			}
		}
	}
}

// crawled are the patterns of what the pages lead to that somebody sees, from the first page on. Of pages of one pattern the first few are looked at.
func (w *town) crawled(known *http.ServeMux, role account.Role) map[string]bool {
	w.t.Helper()
	links := regexp.MustCompile(`(?:<a [^>]*?href|<form method="get"[^>]*? action|<form [^>]*?method="get" action)="(/[^"?#]*)`)
	looked, seen, next := map[string]int{}, map[string]bool{}, []string{"/"}
	reached := map[string]bool{}
	for len(next) > 0 {
		path := next[0]
		next = next[1:]
		_, pattern := known.Handler(httptest.NewRequest(http.MethodGet, path, nil))
		if reached[pattern] = true; pattern == "" || looked[pattern] >= 2 {
			continue
		}
		looked[pattern]++
		for _, m := range links.FindAllSubmatch(w.as(role, http.MethodGet, path, nil, nil).body, -1) {
			if to := html.UnescapeString(string(m[1])); !seen[to] {
				seen[to] = true
				next = append(next, to)
			}
		}
	}
	return reached
}

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
