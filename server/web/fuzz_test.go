package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aovuon/server/account"
	"aovuon/server/web"
)

// Whatever is asked of the pages, they answer, and never with a fault of their own: labels, boards, QR codes, ledger and API alike.
func FuzzPages(f *testing.F) {
	for _, s := range []string{
		"/", "/01/09521234010036/10/AO1-261123?lang=en", "/p/F7NE3CDQ7?range=30d", "/qr/p/F7NE3CDQ7.svg", "/places/%00", "/api/series?place=F7NE3CDQ7&quantity=ph",
		"/api/calibrations/in-force?gateway=a&sensor=b&quantity=ph&at=2026-11-01T00:00:00Z", "/ledger/tile/0/000.p/3", "/ledger/tile/entries/000.p/1", "/ledger/body/1",
		"/ledger/proof/1.tlog-proof", "/proof/1", "/privacy", "/static/x/y", "/01/%2f/10/..", "/00/106141411234567897", "/t/9SRM4C2K7P0XA", "/01/09521234010036/10/AO1-261123?report&lang=en", "/01/09521234010036/21/9SRM4C2K7P0XA", "/picture/a/b.jpg",
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

// FuzzForms: whatever a stranger, or an admin, sends to the forms there are, it is answered, and nobody is let in by what is no password, code,
// key or card.
func FuzzForms(f *testing.F) {
	w := newTown(f, "https://tx.example.vn", false)
	var paths []string
	for _, p := range w.web.Patterns() {
		if path, ok := strings.CutPrefix(p, "POST "); ok {
			paths = append(paths, strings.NewReplacer("{token}", "AAAAAAAAAAAAAAAAAAAAAA", "{id}", w.ids[account.Farmer], "{what}", "disable", "{code}", own, "{n}", "0",
				"/log/{kind}", "/log/feeding", "/farm/{kind}", "/farm/input").Replace(path))
		}
	}
	for i := range paths {
		for _, s := range []string{
			"login=admin.1&password=x&next=%2F%2Fevil.example", "login=a&name=%ff&password=bờ+ruộng+thuyền+kèn", "code=ABCD-EFGH-JKMN-PQRS&pin=1234&look=1",
			"login=lan&name=Lan&role=admin&place=F7NE3CDQ7", "account=u-AAAAAAAA&secret=AAAA&code=1&pin=12", "answer=%7B%22id%22%3A%22AA%22%7D&credential=%00", "",
			"id=01K000000000000000000000AB&at=2026-11-24T06%3A00&input=inp0000001&amount=12%2C5&name=C%C3%A1m&type=feed&unit=bag&note=%00&sum=x&vi=Ao&lat=20.9&lon=106%2C3",
			`[{"id":"01K000000000000000000000AB","kind":"feeding","place":"F7NE3CDQ7","occurred":"2026-11-24T06:00:00+07:00","recorded":"2026-11-24T06:00:00+07:00","values":{"input":"inp0000001","amount":12.5}}]`,
		} {
			f.Add(uint8(i), i%2 == 0, s)
		}
	}
	n := 0
	f.Fuzz(func(t *testing.T, which uint8, admin bool, body string) {
		path := paths[int(which)%len(paths)]
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://tx.example.vn"+path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		n++
		req.RemoteAddr = fmt.Sprintf("198.51.%d.%d:1", n/250%250, n%250) // so that the limits, which have tests of their own, let most of it through
		if admin {
			req.AddCookie(&http.Cookie{Name: w.sid, Value: w.sids[account.Admin]})
		}
		res := httptest.NewRecorder()
		w.web.ServeHTTP(res, req)
		if res.Code >= 500 {
			t.Errorf("%s %q: %d %s", path, body, res.Code, res.Body)
		}
		for _, c := range res.Result().Cookies() {
			if !admin && c.Name == w.sid && c.Value != "" {
				t.Errorf("%s %q: let in", path, body)
			}
		}
		if to := res.Header().Get("Location"); to != "" && web.LocalPath(to) != to {
			t.Errorf("%s %q: led to %s", path, body, to)
		}
	})
}
