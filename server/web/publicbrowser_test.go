package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/parttest"
)

// TestBrowser_PublicScreenshots writes what every state of a public page looks like to the folder AOVUON_SCREENSHOTS names.
func TestBrowser_PublicScreenshots(t *testing.T) {
	dir := os.Getenv("AOVUON_SCREENSHOTS")
	if dir == "" {
		t.Skip("AOVUON_SCREENSHOTS names no folder")
	}
	s := newSources(t)
	states := s.states()
	srv := s.pages(t)
	closed := newTown(t, "https://tx.example.vn", false)
	states = append(states, state{"place", "/p/" + own, "Ao 1"})
	b := browser(t)
	for _, st := range states {
		srv := srv
		if st.name == "place" {
			srv = closed.srv
		}
		for screen, view := range map[string]step{
			"phone": phone(), "tall": chromedp.EmulateViewport(360, 1500, chromedp.EmulateScale(2)), "long": chromedp.EmulateViewport(360, 5200, chromedp.EmulateScale(1)), "tablet": chromedp.EmulateViewport(768, 1600), "desk": chromedp.EmulateViewport(1440, 2400),
		} {
			for _, shade := range []string{"light", "dark"} {
				for _, lang := range []string{"vi", "en"} {
					if (screen != "phone" && st.name != "valid") && (screen != "desk" || shade == "dark" || lang == "en") {
						continue
					}
					b.do(st.name, view, scheme(shade), chromedp.Navigate(srv.URL+withLang(st.path, lang)), chromedp.WaitVisible(chromedp.CSS("#main")))
					shot := ask1(b, st.name, chromedp.CaptureScreenshot())
					if err := os.WriteFile(filepath.Join(dir, st.name+"-"+screen+"-"+shade+"-"+lang+".png"), shot, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

func TestBrowser_AxeFindsNothingOnPublicPages(t *testing.T) {
	axe := parttest.Axe(t)
	s := newSources(t)
	states := s.states()
	srv := s.pages(t)
	b := browser(t)
	for _, st := range states {
		for _, shade := range []string{"light", "dark"} {
			b.do(st.name, phone(), scheme(shade), chromedp.Navigate(srv.URL+withLang(st.path, "vi")), chromedp.WaitVisible(chromedp.CSS("#main")))
			if complaints := axe(b.ctx); complaints != "" {
				t.Errorf("%s, %s: %s", st.name, shade, complaints)
			}
			if wide := ask1(b, "width", evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
				t.Errorf("%s is %d pixels wide", st.name, wide)
			}
		}
	}
}

// lcp waits for the largest thing that was painted and says when, in milliseconds, and what it was. No script of the page's does this.
const lcp = `new Promise(done => new PerformanceObserver(list => {
	const last = list.getEntries().at(-1), nav = performance.getEntriesByType("navigation")[0], first = performance.getEntriesByName("first-contentful-paint")[0];
	done({ LCP: last.startTime, What: last.element ? last.element.tagName + " " + last.element.textContent.trim().slice(0, 40) : "?", FCP: first.startTime, TTFB: nav.responseStart, Bytes: nav.transferSize,
		Requests: 1 + performance.getEntriesByType("resource").length, CLS: performance.getEntriesByType("layout-shift").reduce((a, e) => a + e.value, 0) });
}).observe({ type: "largest-contentful-paint", buffered: true }))`

// TestBrowser_PublicPageOnASlowNetwork measures when the public page is seen on a telephone of 2016, and prints it; AOVUON_MEASURE asks for it. The
// second row is what Lighthouse applies for a Regular 3G network, where opening a connection costs round trips, too.
func TestBrowser_PublicPageOnASlowNetwork(t *testing.T) {
	if os.Getenv("AOVUON_MEASURE") == "" {
		t.Skip("AOVUON_MEASURE is not set")
	}
	s := newSources(t)
	states := s.states()
	srv := s.pages(t)
	for _, net := range []struct {
		name          string
		latency, kbps float64
	}{{"300 ms, 700 kbps", 300, 700}, {"1125 ms, 630 kbps (Lighthouse, Regular 3G)", 1125, 630}} {
		for _, st := range []state{states[0], states[8], states[10]} {
			b := browser(t)
			b.do("slow", phone(), command("Network.enable", nil), command("Network.setCacheDisabled", map[string]any{"cacheDisabled": true}),
				command("Network.emulateNetworkConditions", map[string]any{"offline": false, "latency": net.latency, "downloadThroughput": net.kbps * 125, "uploadThroughput": net.kbps * 125}),
				command("Emulation.setCPUThrottlingRate", map[string]any{"rate": 4}))
			b.do(st.name, chromedp.Navigate(srv.URL+st.path), chromedp.WaitVisible(chromedp.CSS("#main")))
			var raw json.RawMessage
			var got struct {
				Result struct {
					Value struct {
						LCP, FCP, TTFB, CLS float64
						What                string
						Bytes, Requests     int
					}
				}
			}
			b.do("painted", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
				return errors.Join(t.Call(ctx, "Runtime.evaluate", map[string]any{"expression": lcp, "awaitPromise": true, "returnByValue": true}, &raw), json.Unmarshal(raw, &got))
			}))
			m := got.Result.Value
			if m.LCP == 0 {
				t.Fatalf("nothing was painted: %s", raw)
			}
			t.Logf("%s, CPU 4×, %s: LCP %.0f ms (%s), FCP %.0f ms, TTFB %.0f ms, CLS %.3f, %d bytes, %d requests", net.name, st.name, m.LCP, m.What, m.FCP, m.TTFB, m.CLS, m.Bytes, m.Requests)
		}
	}
}
