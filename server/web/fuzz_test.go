package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// Whatever is asked of the pages, they answer, and never with a fault of their own: labels, boards, QR codes, ledger and API alike.
func FuzzPages(f *testing.F) {
	for _, s := range []string{
		"/", "/01/09521234010036/10/AO1-261123?lang=en", "/p/F7NE3CDQ7?range=30d", "/qr/p/F7NE3CDQ7.svg", "/places/%00", "/api/series?place=F7NE3CDQ7&quantity=ph",
		"/api/calibrations/in-force?gateway=a&sensor=b&quantity=ph&at=2026-11-01T00:00:00Z", "/ledger/tile/0/000.p/3", "/ledger/tile/entries/000.p/1", "/ledger/body/1",
		"/ledger/proof/1.tlog-proof", "/proof/1", "/privacy", "/static/x/y", "/01/%2f/10/..",
	} {
		f.Add(s)
	}
	s := newSources(f)
	db, p := newLedger(f, 20)
	s.ledger, s.logKey.VKey, s.logKey.Verifier = db, p.VKey(), p.Verifier()
	h := s.pages(f).Config.Handler
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.Parse(target)
		if err != nil || len(target) == 0 || target[0] != '/' || u.Path == "/live" || u.Path == "/ledger/rows" {
			return
		}
		req := httptest.NewRequest(http.MethodGet, "http://tx.example.vn/", nil)
		req.URL.Path, req.URL.RawPath, req.URL.RawQuery = u.Path, u.RawPath, u.RawQuery
		res := httptest.NewRecorder()
		h.ServeHTTP(res, req)
		if res.Code >= 500 {
			t.Errorf("%q: %d %s", target, res.Code, res.Body)
		}
		if res.Header().Get("X-Content-Type-Options") != "nosniff" || res.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%q: an answer without its headers", target)
		}
	})
}
