package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/broker"
	"aovuon/server/ingest"
	"aovuon/server/intake"
	"aovuon/server/pki"
)

// IntakesConfig says who may send that cannot sign.
type IntakesConfig struct {
	// Listen is host:port of MQTT for these devices, beside the embedded broker and with its TLS; empty: they come over HTTP alone. With an outside broker
	// they use that, and this stays empty.
	Listen         string         `yaml:"listen"`
	MaxConnections int            `yaml:"max_connections"` // 0: 1,024
	Username       string         `yaml:"username"`        // outside broker: as whom the devices' topics are read; another than broker.outside.username
	PasswordFile   string         `yaml:"password_file"`
	Sources        []IntakeConfig `yaml:"sources"`
}

// IntakeConfig is one intake.
type IntakeConfig struct {
	Name    string  `yaml:"name"`    // user name of MQTT, last part of its address in HTTP, and what stands for the gateway of its readings
	Mapping string  `yaml:"mapping"` // file, see server/intake/README.md
	Rate    float64 `yaml:"rate"`    // messages a second; 0: 50
	Burst   int     `yaml:"burst"`   // 0: 500
}

func (c *Config) checkIntakes() *keyError {
	x := c.Intakes
	switch {
	case x.Listen != "" && !hostPort(x.Listen):
		return &keyError{"intakes.listen", fmt.Sprintf("%q is no address", x.Listen), "write host:port, such as 0.0.0.0:1884"}
	case x.Listen != "" && c.Broker.Embedded == nil:
		return &keyError{"intakes.listen", "the broker is outside", "remove it: devices use that broker, at the topics in/<name>/..."}
	case x.MaxConnections < 0 || x.MaxConnections > 1_000_000:
		return &keyError{"intakes.max_connections", fmt.Sprint(x.MaxConnections), "write how many sockets at most, such as 1024"}
	}
	if o := c.Broker.Outside; o != nil && len(x.Sources) > 0 && o.Username != "" && (x.Username == "" || x.Username == o.Username || x.PasswordFile == "") {
		return &keyError{"intakes.username", fmt.Sprintf("%q", x.Username), "name a user of its own at the broker, and password_file: Mosquitto knows one connection by a user's name"}
	}
	if c.Broker.Outside == nil && (x.Username != "" || x.PasswordFile != "") {
		return &keyError{"intakes.username", "the broker is embedded", "remove username and password_file"}
	}
	seen := map[string]bool{}
	for _, s := range x.Sources {
		switch {
		case !wire.ValidGatewayID(s.Name):
			return &keyError{"intakes.sources", fmt.Sprintf("name %q", s.Name), "use small letters, digits and hyphens, 2 to 39 characters"}
		case seen[s.Name]:
			return &keyError{"intakes.sources", fmt.Sprintf("name %q stands there twice", s.Name), "give each its own"}
		case s.Mapping == "":
			return &keyError{"intakes.sources", fmt.Sprintf("%s has no mapping", s.Name), "name its file; server/intake/README.md has a sample for each kind"}
		case s.Rate < 0 || s.Burst < 0:
			return &keyError{"intakes.sources", fmt.Sprintf("%s: rate %v, burst %d", s.Name, s.Rate, s.Burst), "write how many messages a second, such as 50, and how many at once"}
		}
		seen[s.Name] = true
	}
	return nil
}

// sourceKeyFile is where the key lies with which the server seals what a source sends.
func (c *Config) sourceKeyFile(name string) string {
	return filepath.Join(c.sharedDir(), "intake", name+".key")
}

// The parts of the data folder that are the broker of devices'.
const devicesStore = "devices"

// leaseIntakes is of who reads the devices' topics. An old leader that still reads seals in the same chain, inside a transaction that moves its head, so it
// makes no fork; what both take is one point of the history.
const leaseIntakes = "intakes"

// intakes are the intakes at work.
type intakes struct {
	sources map[string]*intake.Source
	unknown *intake.Unknowns
	devices *broker.Devices // nil: none of our own
	readers []*broker.Subscriber
	handler *intake.Handler
}

// sealers makes the sealer of a source when there is something to seal: a source may be added while the server runs.
type sealers struct {
	s  *running
	mu sync.Mutex
	at map[string]*ingest.Sealer // by verifier key
}

func (x *sealers) seal(ctx context.Context, name string, readings []measure.Reading) error {
	vkey, ok := x.s.registry.Source(name)
	if !ok {
		return intake.ErrNotServing
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	sealer := x.at[vkey]
	if sealer == nil {
		signer, own, err := loadKeyOf(x.s.config.sourceKeyFile(name), "make it with server intake add "+name)
		if err != nil {
			return err
		}
		if own != vkey {
			return fmt.Errorf("key file %s is not the one in the register: run server intake add %s", x.s.config.sourceKeyFile(name), name)
		}
		sealer = ingest.NewSealer(x.s.db, signer, own, x.s.now, x.s.recent.Add)
		x.at[vkey] = sealer
	}
	return sealer.Seal(ctx, readings)
}

// openIntakes reads the mappings and opens the way in.
func (s *running) openIntakes() (err error) {
	in := &intakes{sources: map[string]*intake.Source{}, unknown: intake.NewUnknowns(s.db, s.log)}
	seal := &sealers{s: s, at: map[string]*ingest.Sealer{}}
	for _, c := range s.config.Intakes.Sources {
		in.sources[c.Name], err = intake.NewSource(intake.Options{
			Name: c.Name, File: c.Mapping, Rate: c.Rate, Burst: c.Burst, Unknown: in.unknown, Refuse: s.notebook.Refuse, Now: s.now, Log: s.log,
			Seal:    func(ctx context.Context, r []measure.Reading) error { return seal.seal(ctx, c.Name, r) },
			Serving: func() bool { _, ok := s.registry.Source(c.Name); return ok },
		})
		if err != nil {
			return err
		}
		if _, ok := s.registry.Source(c.Name); !ok {
			s.log.Warn("intake is not in the register: nothing is taken in", slog.String("intake", c.Name), slog.String("mend", "server intake add "+c.Name))
		}
	}
	in.handler = &intake.Handler{Sources: in.sources, Secrets: s.registry, Now: s.now, Log: s.log}
	s.intakes = in
	if len(in.sources) == 0 {
		return nil
	}
	return s.openDevices(in)
}

// filters are the topics of intakes of which messages may wait in a broker, or may not.
func (in *intakes) filters(timed bool) (out []string) {
	for name, src := range in.sources {
		if src.Timed() == timed {
			out = append(out, broker.DeviceTopics+name+"/#")
		}
	}
	return out
}

// openDevices prepares the clients that read the topics of devices. Messages that say when they were measured may wait in the broker while nobody reads;
// the others may not: nobody could say how old they are.
func (s *running) openDevices(in *intakes) error {
	if o := s.config.Broker.Outside; o != nil {
		return s.openOutsideDevices(in, o)
	}
	if s.config.Intakes.Listen == "" {
		return nil
	}
	opts := broker.EmbeddedOptions{
		Listen: s.config.Intakes.Listen, StoreDir: filepath.Join(s.config.DataDir, devicesStore), Secrets: sourceSecrets{s.registry}, Log: s.log,
		MaxConnections: s.config.Intakes.MaxConnections, AuthTimeout: s.config.Broker.Embedded.AuthTimeout,
	}
	var err error
	if opts.TLS, err = brokerTLS(s.config, s.authority, s.now); err != nil {
		return err
	}
	if in.devices, err = broker.StartDevices(opts); err != nil {
		return fmt.Errorf("intakes.listen: %w", err)
	}
	s.closers = append(s.closers, func() error { in.devices.Close(); return nil })
	for _, timed := range []bool{true, false} {
		filters, keep := in.filters(timed), ""
		if len(filters) == 0 {
			continue
		}
		if timed {
			keep = sessionKept
		}
		r, err := in.devices.Subscriber(opts.StoreDir, keep, filters, s.log, opts.TLS != nil)
		if err != nil {
			return err
		}
		in.readers = append(in.readers, r)
	}
	return nil
}

// sessionKept is the client id under which a broker keeps messages while nobody reads.
const sessionKept = "aovuon-intake"

// openOutsideDevices prepares the one client of an outside broker, which may know one connection by a user's name. Messages wait there only where all
// intakes say when they measured.
func (s *running) openOutsideDevices(in *intakes, o *OutsideConfig) error {
	untimed, keep := in.filters(false), ""
	if len(untimed) == 0 {
		keep = sessionKept
	}
	x := s.config.Intakes
	r, err := broker.NewSubscriber(broker.SubscriberOptions{Filters: append(untimed, in.filters(true)...), Keep: keep, Broker: broker.OutsideOptions{
		URL: o.URL, Username: x.Username, PasswordFile: x.PasswordFile, CAFile: o.CAFile, Log: s.log,
	}})
	in.readers = append(in.readers, r)
	return err
}

// sourceSecrets lets sources that cannot sign into the broker of devices, and nobody else.
type sourceSecrets struct{ registry *ingest.Registry }

// SecretSHA implements broker.Secrets.
func (x sourceSecrets) SecretSHA(name string) (sha [32]byte, ok bool) {
	if _, source := x.registry.Source(name); !source {
		return sha, false
	}
	return x.registry.SecretSHA(name)
}

// gatewaySecrets lets gateways into the broker of gateways, and no source that cannot sign.
type gatewaySecrets struct{ registry *ingest.Registry }

// SecretSHA implements broker.Secrets.
func (x gatewaySecrets) SecretSHA(name string) (sha [32]byte, ok bool) {
	if _, source := x.registry.Source(name); source {
		return sha, false
	}
	return x.registry.SecretSHA(name)
}

// runIntakes seals what comes in, until ctx ends. Over HTTP every process takes in; topics are read by the one that leads.
func (s *running) runIntakes(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, src := range s.intakes.sources {
		g.Go(func() error { return src.Run(ctx) })
	}
	g.Go(func() error { return s.intakes.unknown.Run(ctx) })
	if len(s.intakes.readers) > 0 {
		g.Go(func() error { return s.lead(ctx, leaseIntakes, s.readDevices) })
	}
	return g.Wait()
}

// readDevices reads the topics of devices until ctx ends.
func (s *running) readDevices(ctx context.Context) error {
	if d := s.intakes.devices; d != nil {
		d.Open(true)
		defer d.Open(false)
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, r := range s.intakes.readers {
		g.Go(func() error {
			return r.Receive(ctx, func(topic string, payload []byte, done func()) { s.intakes.take(ctx, s, topic, payload, done) })
		})
	}
	return g.Wait()
}

// take gives a message to its intake, and acknowledges it once that has dealt with it for good.
func (in *intakes) take(ctx context.Context, s *running, topic string, payload []byte, done func()) {
	name, rest, ok := strings.Cut(strings.TrimPrefix(topic, broker.DeviceTopics), "/")
	src := in.sources[name]
	if !ok || src == nil {
		done()
		return
	}
	_, err := src.Offer(ctx, intake.Message{Topic: rest, Body: payload, Received: s.now()}, src.Timed(), func(err error) {
		if err == nil {
			done()
		}
	})
	if errors.Is(err, intake.ErrTooFast) || errors.Is(err, intake.ErrNotServing) { // counted; sent again it would be the same
		done()
	}
}

// brokerTLS is the TLS of the embedded broker's listeners; nil: none.
func brokerTLS(c Config, a *pki.Authority, now func() time.Time) (*tls.Config, error) {
	e := c.Broker.Embedded
	switch {
	case e.CertFile != "":
		cert, err := tls.LoadX509KeyPair(e.CertFile, e.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("broker.embedded.cert_file: %w", err)
		}
		return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
	case e.LAN:
		r, err := pki.NewRenewer(a, c.ownHosts, now)
		if err != nil {
			return nil, fmt.Errorf("broker.embedded.lan: %w", err)
		}
		return &tls.Config{GetCertificate: r.Certificate, MinVersion: tls.VersionTLS12}, nil
	}
	return nil, nil
}
