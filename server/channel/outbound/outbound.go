// Package outbound is the HTTP client for addresses that people typed in or that others chose: it reaches the Internet and nothing else.
//
// Requests go in; answers come out, or an error that wraps ErrForbidden. Every address is judged when its connection is made, after the
// name was looked up, so that a name that means something else a moment later gains nothing. Redirects are answers, never followed; proxies
// of the environment are not used, since they would look names up elsewhere; without TLS only what the configuration allows is reached.
package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ErrForbidden is an address that is not on the Internet, or one without TLS.
var ErrForbidden = errors.New("outbound: this address may not be reached")

// MaxAnswer is how many bytes of an answer are read at most.
const MaxAnswer = 64 << 10

// Options are the settings of New.
type Options struct {
	Allow    []netip.Prefix // networks that may be reached although they are not the Internet, and without TLS
	Timeout  time.Duration  // of a whole exchange; 0: 15 s
	TLS      *tls.Config    // nil: the system's authorities, TLS 1.2 or later
	Resolver *net.Resolver  // nil: the system's
}

// New returns the client.
func New(o Options) *http.Client {
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	return &http.Client{
		Timeout:       o.Timeout,
		Transport:     &byScheme{secure: transport(o, true), plain: transport(o, false)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func transport(o Options, secure bool) *http.Transport {
	conf := o.TLS.Clone()
	if conf == nil {
		conf = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	d := &net.Dialer{
		Timeout: 5 * time.Second, Resolver: o.Resolver,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return check(address, o.Allow, secure)
		},
	}
	return &http.Transport{
		DialContext: d.DialContext, TLSClientConfig: conf, ForceAttemptHTTP2: true, MaxIdleConns: 16, IdleConnTimeout: 30 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: o.Timeout, MaxResponseHeaderBytes: 64 << 10,
	}
}

// byScheme keeps what may be reached without TLS apart from the rest.
type byScheme struct{ secure, plain *http.Transport }

func (t *byScheme) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return t.secure.RoundTrip(r)
	}
	return t.plain.RoundTrip(r)
}

// CloseIdleConnections is what http.Client looks for.
func (t *byScheme) CloseIdleConnections() {
	t.secure.CloseIdleConnections()
	t.plain.CloseIdleConnections()
}

// check judges the address that a connection is about to be made to.
func check(address string, allow []netip.Prefix, secure bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrForbidden, address, err)
	}
	ip := at.Addr().WithZone("").Unmap()
	switch {
	case slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return nil
	case !public(ip):
		return fmt.Errorf("%w: %s is not on the Internet: name its network in channels.allow if it is meant", ErrForbidden, ip)
	case !secure:
		return fmt.Errorf("%w: %s without TLS: write https://, or name its network in channels.allow", ErrForbidden, ip)
	}
	return nil
}

// public says whether ip is of the Internet at large: IANA's special-purpose registries (RFC 6890 and its updates) are not.
func public(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	if !ip.Is4() {
		if v4, ok := inside(ip); ok {
			return public(v4)
		}
		if !netip.MustParsePrefix("2000::/3").Contains(ip) { // the only part of IPv6 that IANA has given out
			return false
		}
	}
	return !slices.ContainsFunc(special(), func(p netip.Prefix) bool { return p.Contains(ip) })
}

// inside returns the IPv4 address that a translating network would send ip on to.
func inside(ip netip.Addr) (netip.Addr, bool) {
	b := ip.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(ip): // RFC 6052
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case netip.MustParsePrefix("2002::/16").Contains(ip): // RFC 3056
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

func special() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "3fff::/20",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// CheckURL finds what cannot be an address of a service before anything is sent. Its errors are for people.
func CheckURL(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is no web address: write https://host/path", s)
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", u.Opaque != "":
		return nil, fmt.Errorf("%q is no web address: write https://host/path", s)
	case u.User != nil:
		return nil, errors.New("a password in a web address would be read by everybody who sees it: take it out")
	case u.Fragment != "":
		return nil, fmt.Errorf("%q: what follows # is never sent: take it out", s)
	}
	return u, nil
}

// Answer is what a service answered.
type Answer struct {
	Host   string
	Code   int
	Status string // with its code
	Header http.Header
	Said   []byte // its first MaxAnswer bytes
}

// OK reports whether the answer is one of success.
func (a Answer) OK() bool { return a.Code/100 == 2 }

// Post sends body and returns the answer, whatever it is.
func Post(ctx context.Context, c *http.Client, method, address string, header http.Header, body io.Reader) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return Answer{}, err
	}
	r.Header = header
	answer, err := c.Do(r)
	if err != nil {
		return Answer{}, Quiet(err)
	}
	defer answer.Body.Close() //nolint:errcheck // what was read of it was read
	return Read(answer)
}

// Read reads an answer; closing it is the caller's.
func Read(answer *http.Response) (Answer, error) {
	said, err := io.ReadAll(io.LimitReader(answer.Body, MaxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("outbound: the answer broke off: %w", err)
	}
	return Answer{Host: answer.Request.URL.Host, Code: answer.StatusCode, Status: answer.Status, Header: answer.Header, Said: said}, nil
}

// Quiet takes the address out of an error: it may hold a secret, and errors are shown to staff.
func Quiet(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("outbound: %w", ue.Err)
	}
	return err
}
