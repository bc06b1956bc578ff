package web_test

import (
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
			"phone": phone(), "long": chromedp.EmulateViewport(360, 5200, chromedp.EmulateScale(1)), "tablet": chromedp.EmulateViewport(768, 1600), "desk": chromedp.EmulateViewport(1440, 2400),
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
