package setup

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Grade is how grave a finding is.
type Grade string

// The grades.
const (
	Fine Grade = "fine"
	Note Grade = "noted"  // something to know or to do later
	Warn Grade = "warned" // it may be wrong: a person has to say that it is meant
	Bad  Grade = "danger" // the server would not start, or nobody would reach it
)

// Finding is one thing that was looked at; its words are install.found.CODE.
type Finding struct {
	Code  string
	Grade Grade
	Args  []string // what its words name
}

// Plan is what the server would do with what was filled in, as the configuration that comes of it says.
type Plan struct {
	Draft    Draft
	DataDir  string
	Listen   string // pages
	Redirect string // http:// that leads there; empty: none
	Broker   string // where gateways connect; empty: an outside broker
	OldURL   string // what links began with before; empty: there are none yet
	CAFile   string // certificate of the server's own authority, if there is one already
	Fixed    []string
	Ours     string // host:port of the setup page: that port is ours already
}

// World is what is asked about the machine and the net.
type World struct {
	Addresses func() ([]netip.Addr, error)                                 // of this machine
	Resolve   func(ctx context.Context, host string) ([]netip.Addr, error) // what a name leads to
	Listen    func(addr string) error                                      // whether a port can be had
	Reach     func(ctx context.Context) error                              // whether Let's Encrypt answers
	Now       func() time.Time
}

// letsEncrypt is asked whether it can be reached: RFC 8555, section 7.1.1.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// ThisWorld is this machine, and the net it is in.
func ThisWorld(now func() time.Time) World {
	return World{
		Addresses: OwnAddresses,
		Resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		Listen: func(addr string) error {
			l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
			if err != nil {
				return err
			}
			return l.Close()
		},
		Reach: func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodHead, letsEncrypt, nil)
			if err != nil {
				return err
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			http.DefaultClient.CloseIdleConnections()
			return res.Body.Close()
		},
		Now: now,
	}
}

// OwnAddresses are the addresses of this machine that others may reach it by, IPv4 first.
func OwnAddresses() (out []netip.Addr, err error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("setup: addresses: %w", err)
	}
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if ip, ok := netip.AddrFromSlice(n.IP); ok && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			out = append(out, ip.Unmap())
		}
	}
	slices.SortStableFunc(out, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return slices.Compact(out), nil
}

// netPatience is how long a look at the net may take.
const netPatience = 5 * time.Second

// Look looks at everything that would keep the server from starting or from being reached. The gravest stand first.
func (p Plan) Look(ctx context.Context, w World) []Finding {
	out := slices.Concat(p.ports(w), p.name(ctx, w), p.folder(), p.certificate(w), p.moved())
	if p.Draft.Way == Domain {
		ask, cancel := context.WithTimeout(ctx, netPatience)
		defer cancel()
		if err := w.Reach(ask); err != nil {
			out = append(out, Finding{"internet", Warn, []string{plain(err)}})
		} else {
			out = append(out, Finding{"internet.fine", Fine, nil})
		}
	}
	if len(p.Fixed) > 0 {
		out = append(out, Finding{"fixed", Note, []string{strings.Join(p.Fixed, ", ")}})
	}
	rank := []Grade{Bad, Warn, Note, Fine}
	slices.SortStableFunc(out, func(a, b Finding) int { return slices.Index(rank, a.Grade) - slices.Index(rank, b.Grade) })
	return out
}

// Worst returns the gravest grade.
func Worst(list []Finding) Grade {
	if len(list) == 0 {
		return Fine
	}
	return list[0].Grade
}

func (p Plan) ports(w World) (out []Finding) {
	for _, x := range []struct {
		code, addr string
		taken      Grade
	}{{"pages", p.Listen, Bad}, {"plain", p.Redirect, Warn}, {"broker", p.Broker, Bad}} {
		if x.addr == "" {
			continue
		}
		_, port, err := net.SplitHostPort(x.addr)
		if _, ours, oerr := net.SplitHostPort(p.Ours); err == nil && oerr == nil && port == ours {
			out = append(out, Finding{"port." + x.code, Fine, []string{port}})
			continue
		}
		switch err := w.Listen(x.addr); {
		case err == nil:
			out = append(out, Finding{"port." + x.code, Fine, []string{port}})
		case errors.Is(err, syscall.EACCES):
			out = append(out, Finding{"port.denied", Bad, []string{port}})
		case errors.Is(err, syscall.EADDRINUSE):
			out = append(out, Finding{"port." + x.code + ".taken", x.taken, []string{port}})
		default:
			out = append(out, Finding{"port.wrong", Bad, []string{x.addr, plain(err)}})
		}
	}
	return out
}

// PlainTaken reports whether it was found that another program has the port that would lead to the pages.
func PlainTaken(list []Finding) bool {
	return slices.ContainsFunc(list, func(f Finding) bool { return f.Code == "port.plain.taken" })
}

// name looks at whether the name or address in the links leads here.
func (p Plan) name(ctx context.Context, w World) []Finding {
	host := p.Draft.Host()
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10) // RFC 6598
	own, err := w.Addresses()
	if err != nil {
		return []Finding{{"addresses", Warn, []string{plain(err)}}}
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case p.Draft.Way == LAN && !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !shared.Contains(ip.Unmap()):
			return []Finding{{"address.public", Bad, []string{host}}}
		case ip.IsLoopback() || slices.Contains(own, ip.Unmap()):
			return []Finding{{"address.here", Note, []string{host}}} // fix it in the router
		case p.Draft.Way == LAN:
			return []Finding{{"address.other", Bad, []string{host, list(own)}}}
		}
		return []Finding{{"name.other", Warn, []string{host, host, list(own)}}}
	}
	if strings.HasSuffix(host, ".local") {
		return []Finding{{"name.local", Note, []string{host}}} // multicast DNS: phones ask for it otherwise than this machine does
	}
	ask, cancel := context.WithTimeout(ctx, netPatience)
	defer cancel()
	found, err := w.Resolve(ask, host)
	grade := Warn
	if p.Draft.Way == Domain {
		grade = Bad // nobody would vouch for it
	}
	if err != nil || len(found) == 0 {
		return []Finding{{"name.none", grade, []string{host}}}
	}
	for _, ip := range found {
		if ip.Unmap().IsLoopback() || slices.Contains(own, ip.Unmap()) {
			return []Finding{{"name.here", Fine, []string{host}}}
		}
	}
	return []Finding{{"name.other", Warn, []string{host, list(found), list(own)}}}
}

func list(ips []netip.Addr) string {
	out := make([]string, 0, len(ips))
	for _, ip := range ips {
		out = append(out, ip.Unmap().String())
	}
	if len(out) == 0 {
		return "—"
	}
	return strings.Join(out, ", ")
}

// Least free space of the data folder, bytes: below it nothing is begun; below enough it is said. A year of a co-op is in server/README.md.
const (
	least  = 200 << 20
	enough = 10 << 30
)

func (p Plan) folder() []Finding {
	if err := TryWrite(p.DataDir); err != nil {
		return []Finding{{"folder.bad", Bad, []string{p.DataDir, plain(err)}}}
	}
	free, err := Free(p.DataDir)
	gb := fmt.Sprintf("%d", free>>30)
	switch {
	case err != nil:
		return []Finding{{"folder.bad", Bad, []string{p.DataDir, plain(err)}}}
	case free < least:
		return []Finding{{"folder.full", Bad, []string{p.DataDir, fmt.Sprintf("%d", free>>20)}}}
	case free < enough:
		return []Finding{{"folder.small", Warn, []string{p.DataDir, gb}}}
	}
	return []Finding{{"folder.fine", Fine, []string{p.DataDir, gb}}}
}

// TryWrite writes a file of 64 KiB into a folder, has it put on the disk, reads it back and removes it.
func TryWrite(dir string) (err error) {
	f, err := os.CreateTemp(dir, ".aovuon-write-test-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	block := make([]byte, 64<<10)
	for i := range block {
		block[i] = byte(i*7 + i>>8)
	}
	if _, err := f.Write(block); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	back, err := os.ReadFile(f.Name())
	if err == nil && !slices.Equal(back, block) {
		err = errors.New("what was written is not what is read")
	}
	return err
}

// Free returns how many bytes a folder's disk has left for this user.
func Free(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// soon is within what time a certificate that ends is worth a warning.
const soon = 30 * 24 * time.Hour

// certificate looks at a certificate of one's own.
func (p Plan) certificate(w World) []Finding {
	d := p.Draft
	if d.Way != Own {
		return nil
	}
	for _, file := range []string{d.CertFile, d.KeyFile} {
		if _, err := os.ReadFile(file); errors.Is(err, fs.ErrPermission) {
			return []Finding{{"cert.denied", Bad, []string{file}}}
		} else if err != nil {
			return []Finding{{"cert.none", Bad, []string{file, plain(err)}}}
		}
	}
	pair, err := tls.LoadX509KeyPair(d.CertFile, d.KeyFile)
	if err != nil {
		return []Finding{{"cert.pair", Bad, []string{plain(err)}}}
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	switch {
	case err != nil:
		return []Finding{{"cert.pair", Bad, []string{plain(err)}}}
	case leaf.VerifyHostname(d.OwnHost) != nil:
		return []Finding{{"cert.host", Bad, []string{d.OwnHost, strings.Join(leaf.DNSNames, ", ")}}}
	case w.Now().After(leaf.NotAfter) || w.Now().Before(leaf.NotBefore):
		return []Finding{{"cert.over", Bad, []string{day(leaf.NotBefore), day(leaf.NotAfter)}}}
	case w.Now().Add(soon).After(leaf.NotAfter):
		return []Finding{{"cert.soon", Warn, []string{day(leaf.NotAfter)}}}
	}
	return []Finding{{"cert.fine", Fine, []string{day(leaf.NotAfter)}}}
}

func day(t time.Time) string { return t.UTC().Format("02/01/2006") }

// moved looks at what a new address breaks that was given out with the old one.
func (p Plan) moved() (out []Finding) {
	if p.OldURL != "" && p.OldURL != p.Draft.URL() {
		out = append(out, Finding{"moved", Warn, []string{p.OldURL}})
	}
	a, err := tls.X509KeyPair(readBoth(p.CAFile, filepath.Join(filepath.Dir(p.CAFile), "ca.key")))
	if err != nil {
		return out // none yet
	}
	ca, err := x509.ParseCertificate(a.Certificate[0])
	host := p.Draft.Host()
	if err != nil || net.ParseIP(host) != nil {
		return out
	}
	if !slices.ContainsFunc(ca.PermittedDNSDomains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) }) {
		grade := Warn // gateways have the address they were given
		if p.Draft.Way == LAN {
			grade = Bad
		}
		out = append(out, Finding{"authority", grade, []string{host}})
	}
	return out
}

func readBoth(cert, key string) (c, k []byte) {
	c, err := os.ReadFile(cert)
	if err != nil {
		return nil, nil
	}
	if k, err = os.ReadFile(key); err != nil {
		return nil, nil
	}
	return c, k
}

// plain is the innermost reason of an error, without what a reader knows already.
func plain(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return err.Error()
}

// FindingCodes returns every code a Finding may have.
func FindingCodes() []string {
	return []string{
		"port.pages", "port.pages.taken", "port.plain", "port.plain.taken", "port.broker", "port.broker.taken", "port.denied", "port.wrong",
		"addresses", "address.here", "address.other", "address.public", "name.local", "name.none", "name.here", "name.other", "internet", "internet.fine", "fixed",
		"folder.bad", "folder.full", "folder.small", "folder.fine", "cert.denied", "cert.none", "cert.pair", "cert.host", "cert.over", "cert.soon", "cert.fine",
		"moved", "authority", "config",
	}
}
