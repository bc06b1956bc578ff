package lanpage_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/gateway/lanpage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// page answers with the language it was asked in; a form has it answer what was typed.
func page(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	if _, err := io.WriteString(w, lanpage.Language(w, r)+r.PostForm.Get("a")); err != nil {
		return
	}
}

func guarded(t *testing.T, g lanpage.Guard) http.Handler {
	t.Helper()
	h, err := g.Handler(http.HandlerFunc(page))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestGuard_KnowsWhoAsks(t *testing.T) {
	h := guarded(t, lanpage.Guard{Hosts: []string{"", "Lop-Hoc"}, Who: "the field"})
	for host, want := range map[string]int{
		"localhost:8070": 200, "127.0.0.1": 200, "192.168.1.7:8070": 200, "[fe80::1]:8070": 200, "lop-hoc": 200, "LOP-HOC.local:8070": 200, "lop-hoc.lan": 200,
		"evil.example": 421, "lop-hoc.evil.example": 421, ".local": 421, "localhost.evil.example": 421, "": 421,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestGuard_TakesFormsOfItsOwnPageAlone(t *testing.T) {
	h := guarded(t, lanpage.Guard{Who: "the field"})
	for name, tc := range map[string]struct {
		body, site string
		want       int
	}{
		"own": {"a=1", "same-origin", 200}, "no browser": {"a=1", "", 200}, "another site's": {"a=1", "cross-site", 403}, "20 KB": {"a=" + strings.Repeat("x", 20<<10), "same-origin", 400},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/do", strings.NewReader(tc.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if tc.site != "" {
			r.Header.Set("Sec-Fetch-Site", tc.site)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != tc.want {
			t.Errorf("%s: %d, want %d", name, w.Code, tc.want)
		}
	}
}

func TestGuard_LetsNothingRunButItsOwn(t *testing.T) {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	for script, want := range map[string]string{
		"":       "default-src 'none'; style-src " + hash("p {}") + "; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"go(1);": "default-src 'none'; style-src " + hash("p {}") + "; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; script-src " + hash("go(1);") + "; connect-src 'self'",
	} {
		w := httptest.NewRecorder()
		guarded(t, lanpage.Guard{Sheet: "p {}", Script: script}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/", http.NoBody))
		if got := w.Header().Get("Content-Security-Policy"); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

func TestLanguage_IsRemembered(t *testing.T) {
	for name, tc := range map[string]struct{ query, cookie, want string }{
		"none": {"", "", "vi"}, "asked": {"?lang=en", "", "en"}, "remembered": {"", "en", "en"}, "asked anew": {"?lang=vi", "en", "vi"}, "unknown": {"?lang=fr", "de", "vi"},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/"+tc.query, http.NoBody)
		r.AddCookie(&http.Cookie{Name: "lang", Value: tc.cookie})
		w := httptest.NewRecorder()
		if page(w, r); w.Body.String() != tc.want {
			t.Errorf("%s: %s", name, w.Body)
		}
		if set := w.Header().Get("Set-Cookie"); (set != "") != (tc.query != "" && tc.want != "vi" || name == "asked anew") {
			t.Errorf("%s: cookie %q", name, set)
		}
	}
}

func TestSlim_KeepsWhatBrowsersNeed(t *testing.T) {
	const in = "/* why */\n  p { margin: 0; }\n\n// why\n  a(\"// b\"); // c\n"
	if got := lanpage.Slim(in); got != "p { margin: 0; }\na(\"// b\"); // c\n" {
		t.Errorf("%q", got)
	}
}

func TestServe_EndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- lanpage.Serve(ctx, l, guarded(t, lanpage.Guard{}), time.Minute) }()
	c := &http.Client{Transport: &http.Transport{}}
	res, err := c.Get("http://" + l.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%s, %v", res.Status, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	c.CloseIdleConnections()
}
