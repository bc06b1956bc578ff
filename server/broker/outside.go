package broker

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/gateway/wire"
)

// OutsideOptions are what an Outside broker is made of.
type OutsideOptions struct {
	URL          string // tcp://host:port or ssl://host:port
	Username     string // empty: none
	PasswordFile string // read at each connect, so that it can be changed
	CAFile       string // PEM of who signs the broker's certificate; empty: the system's
	Group        string // of the shared subscription: servers of one database share the messages
	Log          *slog.Logger

	FirstWait, LastWait time.Duration // between tries to connect; 0: 1.5 s, 1 min
}

// Outside is a client of a broker that runs elsewhere. It takes the broker's word for who published on a topic, as the
// broker's own access list must bind each gateway to its topics, and acknowledges a message when ingest is done with it.
type Outside struct {
	o         OutsideOptions
	id        string
	client    atomic.Pointer[mqtt.Client]
	connected atomic.Bool
}

// Times of one connection.
const (
	keepAlive      = 30 * time.Second // even: some brokers cut 1.5 times it to whole seconds
	connectTimeout = 10 * time.Second
	goodbye        = 250 // ms to hand over the last packets
)

// inFlight bounds the messages between the broker and ingest's queue. Brokers hold fewer than this unacknowledged: 20 is
// Mosquitto's default, and too few for speed; see README.md.
const inFlight = 4096

// NewOutside checks the options. It does not connect: Receive does.
func NewOutside(o OutsideOptions) (*Outside, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if o.FirstWait == 0 {
		o.FirstWait = 1500 * time.Millisecond
	}
	if o.LastWait == 0 {
		o.LastWait = time.Minute
	}
	s := &Outside{o: o, id: "aovuon-" + o.Group + "-" + hex.EncodeToString(b[:])}
	if _, err := s.clientOptions(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Outside) clientOptions() (*mqtt.ClientOptions, error) {
	c := mqtt.NewClientOptions().AddBroker(s.o.URL).SetClientID(s.id).SetProtocolVersion(4).SetCleanSession(true).
		SetAutoReconnect(false).SetConnectRetry(false).SetStore(mqtt.NewMemoryStore()).SetConnectTimeout(connectTimeout).
		SetKeepAlive(keepAlive).SetPingTimeout(10 * time.Second).SetWriteTimeout(10 * time.Second).
		SetAutoAckDisabled(true).SetOrderMatters(true)
	if s.o.PasswordFile != "" {
		raw, err := os.ReadFile(s.o.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("broker: password_file: %w", err)
		}
		c.SetUsername(s.o.Username).SetPassword(strings.TrimSpace(string(raw)))
	}
	if strings.HasPrefix(s.o.URL, "ssl://") {
		t := &tls.Config{MinVersion: tls.VersionTLS12}
		if s.o.CAFile != "" {
			pem, err := os.ReadFile(s.o.CAFile)
			if err != nil {
				return nil, fmt.Errorf("broker: ca_file: %w", err)
			}
			t.RootCAs = x509.NewCertPool()
			if !t.RootCAs.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("broker: ca_file %s holds no certificate in PEM", s.o.CAFile)
			}
		}
		c.SetTLSConfig(t)
	}
	return c, nil
}

// Connected reports whether the connection stands.
func (s *Outside) Connected() bool { return s.connected.Load() }

// Receive implements ingest.Broker. It connects, and connects again for as long as ctx lasts.
func (s *Outside) Receive(ctx context.Context, f func(gateway, leaf string, payload []byte, done func())) error {
	wait := s.o.FirstWait
	for {
		stood, err := s.session(ctx, f)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to stop: why the session ended is of no interest
		}
		s.o.Log.Warn("no connection to the broker", slog.String("url", s.o.URL), slog.Any("err", err))
		if stood {
			wait = s.o.FirstWait
		}
		t := time.NewTimer(wait + mrand.N(wait/2))
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
		wait = min(2*wait, s.o.LastWait)
	}
}

// session is one connection, from connect to its end.
func (s *Outside) session(ctx context.Context, f func(gateway, leaf string, payload []byte, done func())) (stood bool, err error) {
	c, err := s.clientOptions()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	in, acks := make(chan mqtt.Message, inFlight), make(chan mqtt.Message, inFlight)
	c.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		select {
		case in <- m:
		case <-ctx.Done():
		}
	})
	c.SetConnectionLostHandler(func(_ mqtt.Client, err error) { cancel(err) })
	client := mqtt.NewClient(c)
	if err := await(ctx, client.Connect()); err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	var acker sync.WaitGroup
	defer func() {
		s.connected.Store(false)
		s.client.Store(nil)
		cancel(nil)
		client.Disconnect(goodbye)
		acker.Wait()
	}()
	s.client.Store(&client)
	if err := s.subscribe(ctx, client); err != nil {
		return false, err
	}
	s.connected.Store(true)
	s.o.Log.Info("connected to the broker", slog.String("url", s.o.URL))
	acker.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case m := <-acks:
				m.Ack()
			}
		}
	})
	for {
		select {
		case <-ctx.Done():
			return true, context.Cause(ctx)
		case m := <-in:
			s.pass(ctx, m, acks, f)
		}
	}
}

// pass hands one message to ingest. Its acknowledgement never waits for a connection that is gone.
func (s *Outside) pass(ctx context.Context, m mqtt.Message, acks chan<- mqtt.Message, f func(gateway, leaf string, payload []byte, done func())) {
	done := func() {
		select {
		case acks <- m:
		case <-ctx.Done():
		}
	}
	gateway, leaf, ok := wire.ParseTopic(m.Topic())
	if !ok {
		done()
		return
	}
	f(gateway, leaf, m.Payload(), done)
}

// subscribe asks for the messages of all gateways, shared with the servers of the same group. Every connect does: the
// broker may have forgotten.
func (s *Outside) subscribe(ctx context.Context, client mqtt.Client) error {
	filters := map[string]byte{}
	for _, leaf := range []string{wire.LeafBatch, wire.LeafStatus} {
		filters["$share/"+s.o.Group+"/"+wire.Topic("+", leaf)] = 1
	}
	t := client.SubscribeMultiple(filters, nil)
	if err := await(ctx, t); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if st, ok := t.(*mqtt.SubscribeToken); ok {
		for filter, code := range st.Result() {
			if code > 2 {
				return fmt.Errorf("subscribe: the broker refuses %s: allow it for user %q", filter, s.o.Username)
			}
		}
	}
	return nil
}

// errNoConnection says that there is nobody to send to.
var errNoConnection = errors.New("no connection to the broker")

// Send implements ingest.Broker.
func (s *Outside) Send(gateway, leaf string, payload []byte) error {
	client := s.client.Load()
	if client == nil {
		return fmt.Errorf("broker: send to %s: %w", gateway, errNoConnection)
	}
	t := (*client).Publish(wire.Topic(gateway, leaf), 0, false, payload)
	select {
	case <-t.Done():
	default: // it is on its way; nobody waits for what may get lost
		return nil
	}
	if err := t.Error(); err != nil {
		return fmt.Errorf("broker: send to %s: %w", gateway, err)
	}
	return nil
}

func await(ctx context.Context, t mqtt.Token) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.Done():
		return t.Error()
	case <-time.After(connectTimeout + time.Second):
		return errors.New("no answer from the broker")
	}
}
