package web_test

import (
	"math"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
)

// luminance is that of WCAG 2.2, of a colour #rrggbb.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(hex, err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestThemes_AreReadable holds the promise of static/shell.css: 7:1 for every text on every ground it stands on, 10:1 where the sun shines.
func TestThemes_AreReadable(t *testing.T) {
	raw, err := os.ReadFile("static/shell.css")
	if err != nil {
		t.Fatal(err)
	}
	sheet := string(raw)
	set := func(after string) map[string]string {
		_, rest, ok := strings.Cut(sheet, after)
		body, _, end := strings.Cut(rest, "}")
		if !ok || !end {
			t.Fatalf("no %s", after)
		}
		out := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6})\b`).FindAllStringSubmatch(body, -1) {
			out[m[1]] = m[2]
		}
		return out
	}
	device, chosen := set("dark) {\n  :root:not([data-theme]) {"), set(`:root[data-theme="dark"] {`)
	for name, colour := range device {
		if chosen[name] != colour {
			t.Errorf("dark, chosen: %s is %s, and %s where the device wishes it", name, chosen[name], colour)
		}
	}
	for name, theme := range map[string]struct {
		colours map[string]string
		least   float64
	}{"light": {set(":root {"), 7}, "dark": {chosen, 7}, "sun": {set(`:root[data-theme="sun"] {`), 10}} {
		c := theme.colours
		for text, grounds := range map[string][]string{
			"ink": {"bg", "card", "fine-bg", "noted-bg", "warned-bg", "lost-bg", "danger-bg"}, "soft": {"bg", "card"}, "brand": {"bg", "card", "fine-bg"}, "card": {"brand"},
			"fine": {"bg", "card", "fine-bg"}, "noted": {"card", "noted-bg"}, "warned": {"bg", "card", "warned-bg"}, "lost": {"bg", "card", "lost-bg"}, "danger": {"bg", "card", "danger-bg"},
		} {
			for _, ground := range grounds {
				if c[text] == "" || c[ground] == "" {
					t.Fatalf("%s: no %s or %s", name, text, ground)
				}
				if got := contrast(t, c[text], c[ground]); got < theme.least {
					t.Errorf("%s: %s on %s has %.2f:1", name, text, ground, got)
				}
			}
		}
	}
	if got := contrast(t, "#ffffff", set(`:root[data-theme="sun"] {`)["danger"]); got < 10 {
		t.Errorf("sun: what is in danger has %.2f:1", got)
	}
}

func TestTheme_IsKeptWithoutScript(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	res := w.as(account.Farmer, http.MethodGet, "/theme?lang=en&to=sun&back=%2Fdiary%3Fkind%3Dfeed", nil, nil)
	if res.status != http.StatusSeeOther || res.header.Get("Location") != "/diary?kind=feed&lang=en" {
		t.Fatalf("%d to %s", res.status, res.header.Get("Location"))
	}
	kept, err := http.ParseSetCookie(res.header.Get("Set-Cookie"))
	if err != nil || kept.Name != "theme" || kept.Value != "sun" || !kept.Secure || kept.MaxAge < 30*24*3600 {
		t.Fatalf("%v %+v", err, kept)
	}
	for cookie, want := range map[string]string{"theme=sun": ` data-theme="sun"`, "theme=dark": ` data-theme="dark"`, "theme=auto": "", `theme="><script>`: "", "": ""} {
		head, _, _ := strings.Cut(string(w.as(account.Public, http.MethodGet, "/sign-in", nil, http.Header{"Cookie": {cookie}}).body), "<head>")
		if _, theme, _ := strings.Cut(head, `<html lang="vi"`); strings.TrimSpace(theme) != strings.TrimSpace(want+">") {
			t.Errorf("%q: %q", cookie, head)
		}
	}
	for back, want := range map[string]string{"//evil.example/": "/", "https://evil.example/": "/", "": "/", `/\evil.example`: "/", "/a": "/a"} {
		if res := w.as(account.Public, http.MethodGet, "/theme?"+url.Values{"to": {"auto"}, "back": {back}}.Encode(), nil, nil); res.header.Get("Location") != want || !strings.Contains(res.header.Get("Set-Cookie"), "Max-Age=0") {
			t.Errorf("back to %q leads to %q, %s", back, res.header.Get("Location"), res.header.Get("Set-Cookie"))
		}
	}
	if res := w.as(account.Public, http.MethodGet, "/theme?to=pink", nil, nil); res.status != http.StatusNotFound || res.header.Get("Set-Cookie") != "" {
		t.Errorf("a theme there is none of: %d %s", res.status, res.header.Get("Set-Cookie"))
	}
	// What everybody may keep a copy of is the same for everybody.
	if body := w.as(account.Public, http.MethodGet, "/privacy", nil, http.Header{"Cookie": {"theme=dark"}}).body; strings.Contains(string(body), "data-theme") {
		t.Error("a public page carries the theme of one visitor")
	}
}

func TestBrowser_ThemeIsSwitchedAtOnceAndStays(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	b := w.signedIn(browser(t), account.Technician)
	visit(b, phone(), w.srv.URL+"/")
	ground := func() string {
		return ask1(b, "ground", evaluate[string](`getComputedStyle(document.documentElement).backgroundColor`))
	}
	before := ground()
	ask1(b, "a mark that would not survive a reload", evaluate[int](`window.mark = 1`))
	b.do("open", parttest.Click(chromedp.CSS(".shade summary")), chromedp.WaitVisible(chromedp.CSS(".shade div")))
	b.do("sun", parttest.Click(chromedp.CSS(`.shade a[data-theme="sun"]`)))
	if got := ground(); got != "rgb(255, 255, 255)" || got == before || !ask1(b, "mark", evaluate[bool](`window.mark === 1`)) {
		t.Errorf("ground %s, before %s", got, before)
	}
	visit(b, phone(), w.srv.URL+"/diary")
	if got := ground(); got != "rgb(255, 255, 255)" {
		t.Errorf("the next page has %s", got)
	}
	shoot(b, "theme-sun")
	b.do("by the device", parttest.Click(chromedp.CSS(".shade summary")), parttest.Click(chromedp.CSS(`.shade a[data-theme="auto"]`)))
	if got := ground(); got != before {
		t.Errorf("as the device wishes: %s, before %s", got, before)
	}
}
