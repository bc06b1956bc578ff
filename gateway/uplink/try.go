package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"aovuon/gateway/wire"
)

// Step is one step of the way to the server: what was done, and why it failed.
type Step struct {
	Name string // "name", "port", "certificate", "login", "topics"
	Did  string // what it found, when it did not fail
	Err  error
	Mend string // what to do, when it failed
}

// tryTimeout bounds every step.
const tryTimeout = 10 * time.Second

// Try goes the way to the server one step after the other and stops at the first that fails: the host's name, the port,
// TLS, the login with the gateway's password, and the topics of receipts and settings. Of o it uses Gateway, URL, Password and
// TLS. While the gateway itself is connected login must be false: a broker ends the older of two connections of one client.
func Try(ctx context.Context, o Options, login bool) []Step {
	t := &try{ctx: ctx, o: o}
	at, err := url.Parse(o.URL)
	if err == nil {
		_, err = CheckURL(o.URL)
	}
	if err != nil {
		return []Step{{Name: "name", Err: err, Mend: "write server: { url: tcp://host:1883 } or ssl://host:8883"}}
	}
	if t.name(at) && t.port(at) && t.certificate(at) && login && t.login() {
		t.topics()
	}
	return t.steps
}

type try struct {
	ctx   context.Context
	o     Options
	steps []Step
	c     *conn
}

func (t *try) say(name, did, mend string, err error) bool {
	t.steps = append(t.steps, Step{Name: name, Did: did, Err: err, Mend: mend})
	return err == nil
}

func (t *try) name(at *url.URL) bool {
	host := at.Hostname()
	if net.ParseIP(host) != nil {
		return t.say("name", host+" is an address", "", nil)
	}
	ctx, cancel := context.WithTimeout(t.ctx, tryTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		mend := "check the network (ip addr; ping 1.1.1.1) and the name server (cat /etc/resolv.conf)"
		if d, ok := errors.AsType[*net.DNSError](err); ok && d.IsNotFound {
			mend = "the name server knows no " + host + ": correct server.url"
		}
		return t.say("name", "", mend, err)
	}
	return t.say("name", host+" is "+strings.Join(found, ", "), "", nil)
}

func (t *try) port(at *url.URL) bool {
	ctx, cancel := context.WithTimeout(t.ctx, tryTimeout)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", at.Host)
	if err != nil {
		mend := "check the network, and that a firewall lets port " + at.Port() + " through"
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			mend = "the machine is there and nothing listens on port " + at.Port() + ": start the server, or correct the port in server.url"
		case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
			mend = "this machine has no way there: check the network cable, the Wi-Fi or the modem (ip route)"
		}
		return t.say("port", "", mend, err)
	}
	return t.say("port", at.Host+" answers", "", c.Close())
}

// certificate shakes hands as the gateway would, and says what the certificate has to do with a failure.
func (t *try) certificate(at *url.URL) bool {
	if overTLS, err := CheckURL(t.o.URL); err != nil || !overTLS {
		return t.say("certificate", "none: the link is not encrypted (what travels is signed)", "", err)
	}
	ctx, cancel := context.WithTimeout(t.ctx, tryTimeout)
	defer cancel()
	c, err := (&tls.Dialer{Config: t.o.TLS}).DialContext(ctx, "tcp", at.Host)
	if err != nil {
		return t.say("certificate", "", mendTLS(err), err)
	}
	did := "accepted"
	if secure, ok := c.(*tls.Conn); ok && len(secure.ConnectionState().PeerCertificates) > 0 {
		did = "good until " + secure.ConnectionState().PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly)
	}
	return t.say("certificate", did, "", c.Close())
}

func mendTLS(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "name the certificate of the authority that signed the server's as server.ca_file"
	}
	if h, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate is of " + strings.Join(h.Certificate.DNSNames, ", ") + ": write that name in server.url"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "renew the server's certificate, if this machine's clock is right"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the port speaks no TLS: write tcp:// instead of ssl://, or the port of TLS (8883 by habit)"
	}
	return "check that server.url has the port of TLS (8883 by habit)"
}

func (t *try) login() bool {
	up := &Uplink{opts: t.o}
	c, err := up.connect(t.ctx)
	if err != nil {
		return t.say("login", "", "enrol the gateway on the server with its card (gateway card), and check that the port speaks MQTT 3.1.1", err)
	}
	t.c = c
	return t.say("login", "accepted as "+t.o.Gateway, "", nil)
}

func (t *try) topics() {
	defer t.c.Disconnect(250)
	for _, leaf := range []string{wire.LeafReceipt, wire.LeafDesired} {
		topic := wire.Topic(t.o.Gateway, leaf)
		if err := t.c.subscribe(t.ctx, topic, func([]byte) {}); err != nil {
			t.say("topics", "", "give the gateway's user of the broker its topics: write aovuon/1/"+t.o.Gateway+"/batch and /status, read /receipt and /desired", err)
			return
		}
	}
	t.say("topics", fmt.Sprintf("%s and %s may be read", wire.LeafReceipt, wire.LeafDesired), "", nil)
}
