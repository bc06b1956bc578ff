package outbound_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aovuon/server/channel/outbound"
	"aovuon/server/watch/notify"
)

func get(t *testing.T, c *http.Client, address string) (outbound.Answer, error) {
	t.Helper()
	return outbound.Post(t.Context(), c, http.MethodGet, address, http.Header{}, nil)
}

// portOf is where a server listens.
func portOf(t *testing.T, srv *httptest.Server) string {
	t.Helper()
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Every spelling of a place that is not the Internet is refused when the connection is made.
func TestClient_ReachesTheInternetOnly(t *testing.T) {
	reached := new(atomic.Int64)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer srv.Close()
	port := portOf(t, srv)
	c := outbound.New(outbound.Options{})
	defer c.CloseIdleConnections()
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "198.18.0.1",
		"203.0.113.7", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[fe80::1]", "[fc00::1]", "[fd12::1]", "[ff02::1]",
		"[64:ff9b::7f00:1]", "[64:ff9b::a00:1]", "[2002:7f00:1::]", "[2002:c0a8:101::]", "[2001::1]", "[2001:db8::1]", "[::127.0.0.1]", "[100::1]", "[fec0::1]",
	} {
		_, err := get(t, c, "https://"+host+":"+port+"/")
		if !errors.Is(err, outbound.ErrForbidden) {
			t.Errorf("%s: %v; want it forbidden", host, err)
		}
		if err != nil && !strings.Contains(err.Error(), "channels.allow") {
			t.Errorf("%s: no mend: %v", host, err)
		}
		if err = outbound.Unreachable(err); !errors.Is(err, notify.ErrPermanent) {
			t.Errorf("%s: tried again: %v", host, err)
		}
	}
	// What Go's dialer does not take for a number is looked up as a name, and is none.
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1"} {
		if _, err := get(t, c, "https://"+host+":"+port+"/"); err == nil {
			t.Errorf("%s was reached", host)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("reached %d times", reached.Load())
	}
}

func TestClient_GoesWhereTheConfigurationAllows(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer srv.Close()
	c := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer c.CloseIdleConnections()
	if answer, err := get(t, c, srv.URL); err != nil || answer.Code != http.StatusNoContent {
		t.Errorf("%v", err)
	}
	other := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	defer other.CloseIdleConnections()
	if _, err := get(t, other, srv.URL); !errors.Is(err, outbound.ErrForbidden) {
		t.Errorf("a neighbour of what is allowed: %v", err)
	}
}

func TestClient_FollowsNoRedirect(t *testing.T) {
	reached := new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer srv.Close()
	c := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer c.CloseIdleConnections()
	answer, err := get(t, c, srv.URL)
	if err != nil || answer.Code != http.StatusFound || reached.Load() != 1 {
		t.Errorf("%v %v, %d requests", answer, err, reached.Load())
	}
	if err := outbound.Fault(answer, "", time.Time{}); !errors.Is(err, notify.ErrPermanent) {
		t.Errorf("a redirect: %v", err)
	}
}

func TestClient_UsesNoProxyOfTheEnvironment(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	c := outbound.New(outbound.Options{})
	if _, err := get(t, c, "http://10.1.2.3/"); !errors.Is(err, outbound.ErrForbidden) {
		t.Error(err)
	}
}

// A name that means a public address when it is looked at and this machine when it is dialled: what is dialled is judged.
func TestClient_NamesThatChangeTheirMind(t *testing.T) {
	reached := new(atomic.Int64)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer srv.Close()
	port := portOf(t, srv)
	dns, asked := nameServer(t, [4]byte{127, 0, 0, 1})
	c := outbound.New(outbound.Options{Resolver: dns})
	if _, err := get(t, c, "https://rebind.example:"+port+"/"); !errors.Is(err, outbound.ErrForbidden) {
		t.Errorf("%v", err)
	}
	if reached.Load() != 0 || asked.Load() == 0 {
		t.Errorf("reached %d times, name looked up %d times", reached.Load(), asked.Load())
	}
}

// Without TLS not even the Internet is reached.
func TestClient_SaysNothingInTheOpen(t *testing.T) {
	dns, _ := nameServer(t, [4]byte{9, 9, 9, 9})
	c := outbound.New(outbound.Options{Resolver: dns})
	if _, err := get(t, c, "http://open.example/"); !errors.Is(err, outbound.ErrForbidden) || !strings.Contains(err.Error(), "https://") {
		t.Errorf("%v", err)
	}
}

// nameServer is a resolver that gives every name the address.
func nameServer(t *testing.T, v4 [4]byte) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	asked := new(atomic.Int64)
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() }) //nolint:errcheck // the test is over
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			asked.Add(1)
			conn.WriteTo(answerTo(buf[:n], v4), from) //nolint:errcheck // the test would see it
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, asked
}

// answerTo is a DNS answer (RFC 1035 §4) with one A record; to a question for another type, with none.
func answerTo(q []byte, v4 [4]byte) []byte {
	end := 12
	for q[end] != 0 {
		end += int(q[end]) + 1
	}
	end += 5
	a := append([]byte(nil), q[:end]...)
	a[2], a[3] = 0x81, 0x80
	copy(a[4:12], []byte{0, 1, 0, 0, 0, 0, 0, 0})
	if binary.BigEndian.Uint16(q[end-4:]) == 1 {
		a[7] = 1
		a = append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		a = append(a, v4[:]...)
	}
	return a
}

func TestFault_SaysWhetherAgainIsOfUse(t *testing.T) {
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		code  int
		after string
		want  string // permanent, gone, plain, or a duration
	}{
		{400, "", "permanent"},
		{401, "", "permanent"},
		{301, "", "permanent"},
		{404, "", "permanent"},
		{410, "", "gone"},
		{408, "", "plain"},
		{425, "", "plain"},
		{500, "10", "plain"},
		{502, "", "plain"},
		{429, "", "plain"},
		{429, "30", "30s"},
		{429, "0", "1s"},
		{503, "99999999", "15m0s"},
		{503, "Thu, 26 Nov 2026 08:02:00 GMT", "2m0s"},
		{503, "Thu, 26 Nov 2026 07:02:00 GMT", "1s"},
		{503, "soon", "plain"},
		{429, "-4", "plain"},
	} {
		answer := outbound.Answer{Host: "x", Code: tc.code, Status: http.StatusText(tc.code), Header: http.Header{"Retry-After": {tc.after}}}
		err := outbound.Fault(answer, outbound.Said([]byte("no\r\n good\xff")), now)
		got := "plain"
		var again *notify.RetryError
		switch {
		case errors.As(err, &again):
			got = again.After.String()
		case errors.Is(err, notify.ErrGone):
			got = "gone"
		case errors.Is(err, notify.ErrPermanent):
			got = "permanent"
		}
		if got != tc.want || !strings.Contains(err.Error(), "no good") {
			t.Errorf("%d %q: %s (%v), want %s", tc.code, tc.after, got, err, tc.want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for _, bad := range []string{"", "x", "ftp://a", "https://", "https:a", "javascript:alert(1)", "https://u:p@a/", "https://a/#b", "https://a b/", "//a"} {
		if u, err := outbound.CheckURL(bad); err == nil {
			t.Errorf("%q is %v", bad, u)
		}
	}
	if u, err := outbound.CheckURL(" https://a.example:8443/x?y=z "); err != nil || u.String() != "https://a.example:8443/x?y=z" {
		t.Error(u, err)
	}
}
