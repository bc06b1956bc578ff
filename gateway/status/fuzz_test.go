package status_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aovuon/gateway/status"
)

// FuzzPages: whatever somebody on the farm's own network asks of the gateway's pages, they answer, and nothing is done without the PIN.
func FuzzPages(f *testing.F) {
	for _, s := range [][2]string{
		{"/", ""},
		{"/?lang=en&auto=1", ""},
		{"/log", ""},
		{"/calibrate/ao1-ph", ""},
		{"/calibrate/%00", ""},
		{"/pin?to=//evil.example", ""},
		{"/pin", "pin=00000000&to=%2Fbuses"},
		{"/buses", "x"},
		{"/aerators", "aerator=quat-1&mode=on&length=2h"},
		{"/calibrate/ao1-ph", "do=begin&who=An"},
		{"/leave", "a"},
	} {
		f.Add(s[0], s[1])
	}
	m := newMade()
	h, err := status.New(m.options())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target, form string) {
		u, err := url.Parse(target)
		if err != nil || !strings.HasPrefix(target, "/") {
			return
		}
		method := http.MethodGet
		if form != "" {
			method = http.MethodPost
		}
		req := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/", strings.NewReader(form))
		req.URL.Path, req.URL.RawPath, req.URL.RawQuery = u.Path, u.RawPath, u.RawQuery
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res := httptest.NewRecorder()
		h.ServeHTTP(res, req)
		if res.Code >= 500 {
			t.Errorf("%s %q: %d %s", method, target, res.Code, res.Body)
		}
		if m.scans != 0 || len(m.asked) != 0 {
			t.Errorf("%s %q %q: done without the PIN", method, target, form)
		}
		if to := res.Header().Get("Location"); elsewhere(to) {
			t.Errorf("%s %q: led to %s", method, target, to)
		}
	})
}

// elsewhere reports whether a browser would leave this page's host for it: it reads a backslash as a slash. What stands in a query leads nowhere.
func elsewhere(to string) bool {
	if to == "" {
		return false
	}
	u, err := url.Parse(strings.ReplaceAll(to, `\`, "/"))
	return err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//")
}

func TestElsewhere(t *testing.T) {
	for to, want := range map[string]bool{
		"": false, "/": false, "/buses": false, "/?://": false, "/pin?to=//evil.example": false,
		"//evil.example": true, `/\evil.example`: true, `\\evil.example`: true, "https://evil.example/": true, "javascript:alert(1)": true, "///evil.example": true, "buses": true,
	} {
		if got := elsewhere(to); got != want {
			t.Errorf("%q: %v", to, got)
		}
	}
}
