package broker

import (
	"cmp"
	"crypto/subtle"
	"fmt"
	"net"
	"strconv"

	"github.com/nats-io/nats-server/v2/server"
)

// ReadersOptions are what a broker of readers is made of.
type ReadersOptions struct {
	Embedded EmbeddedOptions // Listen, TLS, StoreDir, Log, Violation, MaxConnections, AuthTimeout and MaxStore of it count
	User     string          // the one who may read
	Secret   func() ([32]byte, bool)
	Topics   []string // that are read, everything below each too: "aovuon/ha"
	Says     []string // topics that a reader may publish to, although nobody here reads them
}

// Readers is a broker in this process from which another program reads what this one publishes. It is not the gateways': whatever a reader does, no
// gateway loses its session or its place.
type Readers struct {
	nats    *server.Server
	address string
	inside  string
	o       ReadersOptions
}

// insideReaders is the user name of who publishes: it is no reader's.
const insideReaders = "inside/publisher"

// StartReaders starts the broker.
func StartReaders(o ReadersOptions) (*Readers, error) {
	o.Embedded.MaxStore = cmp.Or(o.Embedded.MaxStore, 64<<20)
	e := o.Embedded.withDefaults()
	e.ClientCertificates = nil
	if e.Violation == nil {
		e.Violation = func(Violation) {}
	}
	opts, err := natsOptions(e)
	if err != nil {
		return nil, fmt.Errorf("broker of readers: %w", err)
	}
	opts.ServerName = "aovuon-readers"
	r := &Readers{o: o}
	if r.inside, err = randomToken(); err != nil {
		return nil, fmt.Errorf("broker of readers: %w", err)
	}
	opts.CustomClientAuthentication = r
	if r.nats, err = server.NewServer(opts); err != nil {
		return nil, fmt.Errorf("broker of readers: %w", err)
	}
	lines := newLogger(e.Log, e.Violation)
	r.nats.SetLoggerV2(lines, false, false, false)
	r.nats.Start()
	if err := (&Embedded{nats: r.nats}).awaitReady(lines.fatal); err != nil {
		r.Close()
		return nil, fmt.Errorf("broker of readers: cannot start on %s: %w", e.Listen, err)
	}
	r.address = net.JoinHostPort(opts.MQTT.Host, strconv.Itoa(opts.MQTT.Port))
	return r, nil
}

// Address returns host:port of the listener.
func (r *Readers) Address() string { return r.address }

// Publisher returns how this process publishes there.
func (r *Readers) Publisher() OutsideOptions {
	host, port, err := net.SplitHostPort(r.address)
	if ip := net.ParseIP(host); err == nil && (ip == nil && host == "" || ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	scheme := "tcp://"
	if r.o.Embedded.TLS != nil {
		scheme = "ssl://"
	}
	return OutsideOptions{URL: scheme + net.JoinHostPort(host, port), Username: insideReaders, password: r.inside, ownListener: r.o.Embedded.TLS != nil, Log: r.o.Embedded.Log}
}

// Check implements server.Authentication.
func (r *Readers) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	read := &server.SubjectPermission{}
	for _, t := range r.o.Topics {
		read.Allow = append(read.Allow, subjectOf(t), subjectOf(t)+".>") // # is the level above, too
	}
	if o.Username == insideReaders {
		if subtle.ConstantTimeCompare([]byte(o.Password), []byte(r.inside)) != 1 {
			return false
		}
		c.RegisterUser(&server.User{Username: insideReaders, Permissions: &server.Permissions{
			Publish: read, Subscribe: &server.SubjectPermission{Deny: []string{">"}},
		}})
		return true
	}
	want, known := r.o.Secret()
	got := sha(o.Password)
	if o.Username != r.o.User || !known || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return false
	}
	say := &server.SubjectPermission{Deny: []string{">"}}
	if len(r.o.Says) > 0 {
		say = &server.SubjectPermission{}
		for _, t := range r.o.Says {
			say.Allow = append(say.Allow, subjectOf(t))
		}
	}
	c.RegisterUser(&server.User{Username: o.Username, Permissions: &server.Permissions{Publish: say, Subscribe: read}})
	return true
}

// Close ends every connection.
func (r *Readers) Close() {
	r.nats.Shutdown()
	r.nats.WaitForShutdown()
}
