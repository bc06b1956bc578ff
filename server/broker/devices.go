package broker

import (
	"cmp"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// DeviceTopics is what the topics of devices that cannot sign begin with: in/<intake>/...
const DeviceTopics = "in/"

// Devices is a second broker in this process, for devices that cannot sign. It is not the gateways': whatever is done to it, no gateway loses its
// session, its place or the disk its own broker needs. An intake's user name is its name; it may publish and subscribe below in/<name>/, at any client id.
type Devices struct {
	nats    *server.Server
	address string
	secrets Secrets
	inside  string
	open    atomic.Bool
}

// insideDevices is the user name of the server's own client; no intake can bear it.
const insideDevices = "inside/intake"

// StartDevices starts the broker. Only Listen, TLS, StoreDir, Secrets, Log, Violation, MaxConnections, AuthTimeout and MaxStore of the options count. Nobody but
// the server's own client is let in before Open.
func StartDevices(o EmbeddedOptions) (*Devices, error) {
	o.MaxStore = cmp.Or(o.MaxStore, 256<<20)
	o = o.withDefaults()
	if o.Violation == nil {
		o.Violation = func(Violation) {}
	}
	o.ClientCertificates = nil
	opts, err := natsOptions(o)
	if err != nil {
		return nil, fmt.Errorf("broker of devices: %w", err)
	}
	// A PUBACK is all the word these devices get: it must mean that the message is on the disk.
	opts.ServerName, opts.SyncAlways = "aovuon-devices", true
	d := &Devices{secrets: o.Secrets}
	if d.inside, err = randomToken(); err != nil {
		return nil, fmt.Errorf("broker of devices: %w", err)
	}
	opts.CustomClientAuthentication = d
	if d.nats, err = server.NewServer(opts); err != nil {
		return nil, fmt.Errorf("broker of devices: %w", err)
	}
	lines := newLogger(o.Log, o.Violation)
	d.nats.SetLoggerV2(lines, false, false, false)
	d.nats.Start()
	if err := (&Embedded{nats: d.nats}).awaitReady(lines.fatal); err != nil {
		d.Close()
		return nil, fmt.Errorf("broker of devices: cannot start on %s: %w", o.Listen, err)
	}
	d.address = net.JoinHostPort(opts.MQTT.Host, strconv.Itoa(opts.MQTT.Port))
	return d, nil
}

// Address returns host:port of the listener.
func (d *Devices) Address() string { return d.address }

// Clients returns the number of open connections, the server's own among them.
func (d *Devices) Clients() int { return d.nats.NumClients() }

// Open lets devices in, or with false no more.
func (d *Devices) Open(open bool) { d.open.Store(open) }

// Subscriber returns a client of this broker for the topics of intakes. keep is as in SubscriberOptions; dir is a folder for the password.
func (d *Devices) Subscriber(dir, keep string, filters []string, log *slog.Logger, tls bool) (*Subscriber, error) {
	file := filepath.Join(dir, "inside")
	if err := os.WriteFile(file, []byte(d.inside), 0o600); err != nil { // another at each start
		return nil, fmt.Errorf("broker of devices: %w", err)
	}
	_, port, err := net.SplitHostPort(d.address)
	if err != nil {
		return nil, fmt.Errorf("broker of devices: %w", err)
	}
	o := OutsideOptions{URL: "tcp://127.0.0.1:" + port, Username: insideDevices, PasswordFile: file, Log: log, FirstWait: 100 * time.Millisecond, LastWait: 2 * time.Second}
	if tls {
		o.URL, o.ownListener = "ssl://127.0.0.1:"+port, true
	}
	if host, _, err := net.SplitHostPort(d.address); err == nil {
		if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
			o.URL = strings.Replace(o.URL, "127.0.0.1:"+port, net.JoinHostPort(host, port), 1)
		}
	}
	return NewSubscriber(SubscriberOptions{Broker: o, Filters: filters, Keep: keep})
}

// Check implements server.Authentication.
func (d *Devices) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if o.Username == insideDevices {
		if subtle.ConstantTimeCompare([]byte(o.Password), []byte(d.inside)) != 1 {
			return false
		}
		all := &server.SubjectPermission{Allow: []string{"in.>"}}
		c.RegisterUser(&server.User{Username: insideDevices, Permissions: &server.Permissions{Publish: all, Subscribe: all}})
		return true
	}
	want, known := d.secrets.SecretSHA(o.Username)
	got := sha(o.Password)
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 || !known || !d.open.Load() {
		return false
	}
	own := &server.SubjectPermission{Allow: []string{subjectOf(DeviceTopics+o.Username) + ".>", subjectOf(DeviceTopics + o.Username)}} // # is the level above, too
	c.RegisterUser(&server.User{Username: o.Username, Permissions: &server.Permissions{Publish: own, Subscribe: own}})
	return true
}

// Disconnect closes the connections of an intake's devices.
func (d *Devices) Disconnect(intake string) error {
	z, err := d.nats.Connz(&server.ConnzOptions{Username: true, Limit: defaultConnections + 1})
	if err != nil {
		return nil //nolint:nilerr // it is ending: there is nobody to disconnect
	}
	var errs []error
	for _, c := range z.Conns {
		if c.AuthorizedUser == intake {
			errs = append(errs, d.nats.DisconnectClientByID(c.Cid))
		}
	}
	return errors.Join(errs...)
}

// Close ends every connection.
func (d *Devices) Close() {
	d.nats.Shutdown()
	d.nats.WaitForShutdown()
}
