package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/gateway/measure"
	"aovuon/server/parttest"
)

// tab is one open page of a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

type step = chromedp.Action[chromedp.Void]

// browser starts Chromium for one test.
func browser(t *testing.T) tab {
	t.Helper()
	return tab{t, parttest.Browser(t)}
}

// do takes steps; each waits for what it needs.
func (b tab) do(what string, steps ...step) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// follow takes a step that leads to another page, and waits until that is loaded.
func (b tab) follow(what string, click step) {
	b.t.Helper()
	res, err := chromedp.RunResponse(b.ctx, click)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	if res.Status != http.StatusOK {
		b.t.Fatalf("%s: %s answers %d", what, res.URL, res.Status)
	}
}

// text returns what an element of the loaded page says.
func (b tab) text(selector string) string {
	b.t.Helper()
	return ask1(b, selector, chromedp.Evaluate[string](`document.querySelector(`+"`"+selector+"`"+`).textContent.trim()`))
}

// ask1 takes a step that gives something.
func ask1[T any](b tab, what string, a chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return v
}

// until waits for a condition of the page, or of the one that comes after it.
func (b tab) until(what, condition string) {
	b.t.Helper()
	parttest.Until(b.t, b.ctx, what, condition)
}

// command sends one command of the DevTools protocol.
func command(method string, params map[string]any) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error { return t.Call(ctx, method, params, nil) })
}

// scheme lets the page be seen by somebody who prefers light or dark.
func scheme(s string) step {
	return command("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": s}}})
}

// phone and desk are the two screens the pages are made for.
func phone() step { return chromedp.EmulateViewport(360, 800, chromedp.EmulateScale(2)) }
func desk() step  { return chromedp.EmulateViewport(1440, 900) }

func TestBrowser_DashboardIsLive(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	b := browser(t)
	b.do("open", desk(), chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible(chromedp.ID("totals")))
	if cards := ask1(b, "cards", chromedp.Evaluate[int](`document.querySelectorAll("article.card").length`)); cards != len(s.farm.Places) {
		t.Errorf("%d cards, want one for each of %d places", cards, len(s.farm.Places))
	}
	for _, p := range s.farm.Places {
		b.do(p.Name, chromedp.WaitVisible(chromedp.CSS("#p-"+p.Code+" :is(.row, .cell)")))
	}
	b.do("focus", chromedp.Focus(chromedp.CSS("#p-F7NE3CDQ7 a")))
	ask1(b, "a mark that would not survive a reload", chromedp.Evaluate[int](`window.mark = 1`))
	s.set("ao1-do", measure.DissolvedOxygen, 2.34, measure.Good, "")
	b.until("a new value", `document.querySelector("#p-F7NE3CDQ7").textContent.includes("2,34")`)
	s.set("ao4-temp", measure.WaterTemperature, 0, measure.Fault, measure.CRC)
	b.until("a fault", `document.querySelector("#p-E8SG6VC0T").textContent.includes("Dữ liệu bị nhiễu trên đường dây")`)
	b.until("what to look at", `document.querySelector("#totals").textContent.includes("Ao 1")`)
	if !ask1(b, "mark", chromedp.Evaluate[bool](`window.mark === 1`)) {
		t.Error("the page was loaded again")
	}
	if chip := b.text("#p-F7NE3CDQ7 .chip"); chip != "Ôxy hòa tan: nguy hiểm, quá thấp" {
		t.Errorf("state %q", chip)
	}
	if at := ask1(b, "focus", chromedp.Evaluate[string](`document.activeElement.closest("article").id`)); at != "p-F7NE3CDQ7" {
		t.Errorf("the focus went to %q", at)
	}
	ask1(b, "what is told for a moment", evaluate[bool](`new MutationObserver((all, o) => { if (!document.querySelector("#live-lost").hidden) { window.told = true; o.disconnect(); } }).observe(document.querySelector("#live-lost"), { attributes: true }), true`))
	srv.CloseClientConnections()
	b.until("a lost connection is told", `window.told`)
	b.until("and mended", `document.querySelector("#live-lost").hidden`)
}

func TestBrowser_LanguageAndCharts(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	b := browser(t)
	b.do("open", phone(), chromedp.Navigate(srv.URL+"/"))
	b.follow("english", parttest.Click(chromedp.CSS(".tongue")))
	if lang, title := b.text(`html[lang="en"] .tongue`), b.text("h1"); lang != "Tiếng Việt" || title != "Ponds and plots today" {
		t.Errorf("language switch %q, title %q", lang, title)
	}
	b.follow("a place", parttest.Click(chromedp.CSS("#p-F7NE3CDQ7 h3 a")))
	if title := b.text(`html[lang="en"] h1`); title != "Pond 1" {
		t.Errorf("title %q", title)
	}
	for _, name := range []string{"7 days", "30 days", "24 hours"} {
		b.follow(name, parttest.Click(chromedp.Search(`//nav[@class="tabs"]/a[text()="`+name+`"]`)))
		if tab, title := b.text(".tabs [aria-current]"), b.text(".figs svg.chart title"); tab != name || !strings.HasSuffix(title, "last "+name) {
			t.Errorf("%s: tab %q, chart %q", name, tab, title)
		}
	}
	b.follow("back to Vietnamese", parttest.Click(chromedp.CSS(".tongue")))
	if title := b.text(`html[lang="vi"] h1`); title != "Ao 1" {
		t.Errorf("title %q", title)
	}
}

func TestBrowser_LabelPageNeedsNoScript(t *testing.T) {
	s := newSources(t)
	var mu sync.Mutex
	var asked []string
	inner := s.pages(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.URL.Path)
		mu.Unlock()
		inner.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	b := browser(t)
	b.do("open", command("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}), phone(),
		chromedp.Navigate(srv.URL+s.demo.Lot.Link().Path()), chromedp.WaitVisible(chromedp.CSS(".figures")), chromedp.WaitVisible(chromedp.CSS(".qr svg")))
	text := ask1(b, "text", chromedp.Text(chromedp.CSS("main"))) // without script there is none to ask
	for _, want := range []string{
		"Cá rô phi tươi", "Lô AO1-261123", "Ao 1", "thôn Phú Khê", "12/07/2026", "23/11/2026", "Chứng nhận minh họa, không có giá trị", "Ôxy hòa tan",
		"chưa lắp đầu dò", "không có con cá nào", "gw-ao-phukhe", "09521234010036",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if box := ask1(b, "size", chromedp.Dimensions(chromedp.CSS(".qr"))); box.Width != 132 {
		t.Errorf("the QR code is %d pixels wide: the style sheet in the page was refused", box.Width)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) > 3 {
		t.Errorf("%d requests: %v", len(asked), asked)
	}
}

// paths are all kinds of pages.
func paths(s *sources) map[string]string {
	return map[string]string{
		"dashboard": "/", "place": "/places/72DQY3KX0?range=7d", "label": s.demo.Lot.Link().Path(), "system": "/system", "privacy": "/privacy",
		"compare": "/compare?quantity=dissolved_oxygen&place=F7NE3CDQ7&place=E8SG6VC0T&range=7d", "probe": "/probes/gw-ao-phukhe/ao1-ph?range=30d", "period": "/places/E8SG6VC0T?from=2026-11-20&to=2026-11-22",
		"calibrations": "/places/F7NE3CDQ7/calibrations", "missing": "/01/09521234010037/10/A",
		"proof": "/proof/3", "ledger": "/ledger", "tls": "/tls", "water": "/water", "plot": "/places/WW08G83KH", "readings": "/readings", "forecast": "/forecast",
	}
}

func TestBrowser_AxeFindsNothing(t *testing.T) {
	axe := parttest.Axe(t)
	s := newSources(t)
	srv := s.pages(t)
	b := browser(t)
	for _, shade := range []string{"light", "dark"} {
		for screen, view := range map[string]step{"phone": phone(), "desk": desk()} {
			for name, path := range paths(s) {
				for _, lang := range []string{"vi", "en"} {
					if lang == "en" && (shade == "dark" || screen == "desk") {
						continue // other words on the same colours and the same layout: asked once
					}
					b.do(name, view, scheme(shade), chromedp.Navigate(srv.URL+withLang(path, lang)), chromedp.WaitVisible(chromedp.CSS("#main")))
					if complaints := axe(b.ctx); complaints != "" {
						t.Errorf("%s, %s, %s, %s: %s", name, lang, screen, shade, complaints)
					}
				}
			}
		}
	}
}

func withLang(path, lang string) string {
	if strings.Contains(path, "?") {
		return path + "&lang=" + lang
	}
	return path + "?lang=" + lang
}

func TestPages_KeepTheirWeight(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	for name, most := range map[string]int{"label": 14 << 10, "dashboard": 40 << 10, "place": 40 << 10, "system": 14 << 10, "missing": 14 << 10} {
		body := get(t, srv, paths(s)[name], nil).body
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(body); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes, %d compressed", name, len(body), b.Len())
		if b.Len() > most {
			t.Errorf("%s weighs %d bytes compressed, want at most %d", name, b.Len(), most)
		}
	}
	res := get(t, srv, paths(s)["label"], http.Header{"Accept-Encoding": {"gzip"}})
	if res.header.Get("Content-Encoding") != "gzip" || len(res.body) > 14<<10 {
		t.Errorf("the label page travels as %q with %d bytes", res.header.Get("Content-Encoding"), len(res.body))
	}
}

// TestBrowser_Screenshots writes what the pages look like to the folder AOVUON_SCREENSHOTS names.
func TestBrowser_Screenshots(t *testing.T) {
	dir := os.Getenv("AOVUON_SCREENSHOTS")
	if dir == "" {
		t.Skip("AOVUON_SCREENSHOTS names no folder")
	}
	s := newSources(t)
	srv := s.pages(t)
	b := browser(t)
	tall := chromedp.EmulateViewport(360, 1500, chromedp.EmulateScale(2)) // more than one screen of a phone: what is scrolled to
	for name, path := range paths(s) {
		for screen, view := range map[string]step{"phone": phone(), "phone-long": tall, "desktop": desk()} {
			for shade, suffix := range map[string]string{"light": "", "dark": "-dark"} {
				b.do(name, view, scheme(shade), chromedp.Navigate(srv.URL+path), chromedp.WaitVisible(chromedp.CSS("#main h1")))
				shot := ask1(b, name, chromedp.CaptureScreenshot())
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%s%s.png", name, screen, suffix)), shot, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// visit opens a page and waits for it.
func visit(b tab, view step, address string) {
	b.t.Helper()
	b.do(address, view, chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("#main h1")))
}

// evaluate asks the page.
func evaluate[T any](script string) chromedp.Action[T] { return chromedp.Evaluate[T](script) }

// shoot writes what is seen to the folder AOVUON_SCREENSHOTS names, if any, and holds the pictures of the guides against it.
func shoot(b tab, name string) {
	b.t.Helper()
	pictured(b, name)
	dir := os.Getenv("AOVUON_SCREENSHOTS")
	if dir == "" {
		return
	}
	shot := ask1(b, name, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
