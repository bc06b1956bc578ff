package app

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/crypto/acme"
)

func TestRealName(t *testing.T) {
	for host, want := range map[string]bool{
		"htx.example": true, "a.b.vn": true, "localhost": false, "pi.local": false, "192.168.1.2": false, "::1": false, "raspberrypi": false, "*.htx.vn": false, "htx.vn:443": false,
	} {
		if realName(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}

func TestTLSConfig_Check(t *testing.T) {
	for name, c := range map[string]TLSConfig{
		"two ways": {LAN: true, CertFile: "a", KeyFile: "b"}, "half": {CertFile: "a"}, "redirect to nothing": {Redirect: ":80"}, "no domain": {ACME: &ACMEConfig{}},
		"a local domain": {ACME: &ACMEConfig{Domains: []string{"pi.local"}}},
	} {
		if c.check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, c := range map[string]TLSConfig{"none": {}, "lan": {LAN: true, Redirect: ":80"}, "acme": {ACME: &ACMEConfig{Domains: []string{"htx.example"}}}} {
		if err := c.check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The exchange with an authority on the internet is autocert's; that it is asked for our names alone, and how, is ours.
func TestACME_AsksForItsOwnNamesAlone(t *testing.T) {
	c := Config{DataDir: t.TempDir(), TLS: TLSConfig{ACME: &ACMEConfig{Domains: []string{"htx.example"}, Email: "htx@htx.example", Directory: "https://127.0.0.1:1/dir"}}}
	m := c.acme()
	if m.HostPolicy(t.Context(), "htx.example") != nil || m.HostPolicy(t.Context(), "other.example") == nil {
		t.Error("wrong names")
	}
	if m.Client.DirectoryURL != "https://127.0.0.1:1/dir" || m.Email != "htx@htx.example" {
		t.Errorf("%+v", m)
	}
	conf, front, err := c.webTLS(nil, nil)
	if err != nil || conf.MinVersion < 0x0303 {
		t.Fatalf("%+v, %v", conf, err)
	}
	alpn := false
	for _, p := range conf.NextProtos {
		alpn = alpn || p == acme.ALPNProto
	}
	if !alpn {
		t.Error("tls-alpn-01 is not answered")
	}
	w := httptest.NewRecorder()
	front(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://htx.example/.well-known/acme-challenge/x", nil))
	if w.Code == http.StatusOK {
		t.Errorf("an unknown challenge: %d", w.Code)
	}
}

func TestRedirect_KeepsHostPathAndQueryAndNothingElse(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := &running{listener: l, config: Config{TLS: TLSConfig{LAN: true}}}
	h := s.redirect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	ask := func(method, host, target string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Header().Get("Location")
	}
	for _, c := range []struct{ host, target, want string }{
		{"htx.example", "/places/x?y=1", "https://htx.example:" + port + "/places/x?y=1"},
		{"htx.example:8079", "//evil.example/", "https://htx.example:" + port + "//evil.example/"},
		{"[::1]:80", "/", "https://[::1]:" + port + "/"},
	} {
		if code, at := ask(http.MethodGet, c.host, c.target); code != http.StatusPermanentRedirect || at != c.want {
			t.Errorf("%s %s: %d %s, want %s", c.host, c.target, code, at, c.want)
		}
	}
	if code, _ := ask(http.MethodGet, "evil@x", "/"); code != http.StatusBadRequest {
		t.Errorf("a bad host: %d", code)
	}
	if code, _ := ask(http.MethodPost, "htx.example", "/"); code != http.StatusBadRequest {
		t.Errorf("a form over http: %d", code)
	}
	if code, _ := ask(http.MethodGet, "htx.example", "/tls"); code != http.StatusTeapot {
		t.Errorf("/tls: %d", code)
	}
}
