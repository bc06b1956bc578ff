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

	ownListener bool   // it is this process's own listener on this machine: its certificate may be for any name
	password    string // of this process's own broker, instead of PasswordFile
}

// connection is one client at a broker that runs elsewhere, connected again for as long as it is wanted.
type connection struct {
	o         OutsideOptions
	id        string   // of the client
	kept      bool     // the broker keeps the session, and what comes for it, while nobody is connected
	filters   []string // of topics, at QoS 1
	whose     string   // who is at that broker, in the log
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

// randomID makes the id of a client that nobody else has.
func randomID(begin string) (string, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("broker: %w", err)
	}
	return begin + hex.EncodeToString(b[:]), nil
}

// waits fills in how long is waited between tries to connect.
func (o *OutsideOptions) waits() {
	if o.FirstWait == 0 {
		o.FirstWait = 1500 * time.Millisecond
	}
	if o.LastWait == 0 {
		o.LastWait = time.Minute
	}
}

// Connected reports whether the connection stands.
func (s *connection) Connected() bool { return s.connected.Load() }

func (s *connection) clientOptions() (*mqtt.ClientOptions, error) {
	c := mqtt.NewClientOptions().AddBroker(s.o.URL).SetClientID(s.id).SetProtocolVersion(4).SetCleanSession(!s.kept).
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
	if s.o.password != "" {
		c.SetUsername(s.o.Username).SetPassword(s.o.password)
	}
	if strings.HasPrefix(s.o.URL, "ssl://") {
		t := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.o.ownListener}
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

// again has session connect until ctx ends; session says whether a connection stood before it ended. Tries are further and further apart.
func again(ctx context.Context, o OutsideOptions, whose string, session func(ctx context.Context) (stood bool, err error)) {
	wait := o.FirstWait
	for {
		stood, err := session(ctx)
		if ctx.Err() != nil {
			return // asked to stop: why the session ended is of no interest
		}
		o.Log.Warn("no connection to the broker", slog.String("of", whose), slog.String("url", o.URL), slog.Any("err", err))
		if stood {
			wait = o.FirstWait
		}
		t := time.NewTimer(wait + mrand.N(wait/2))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		wait = min(2*wait, o.LastWait)
	}
}

// receive calls pass for every message until ctx ends, one at a time. done acknowledges it, may be called from any goroutine, and never waits for
// a connection that is gone.
func (s *connection) receive(ctx context.Context, pass func(m mqtt.Message, done func())) {
	again(ctx, s.o, s.whose, func(ctx context.Context) (bool, error) { return s.session(ctx, pass) })
}

// session is one connection, from connect to its end.
func (s *connection) session(ctx context.Context, pass func(m mqtt.Message, done func())) (stood bool, err error) {
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
	s.o.Log.Info("connected to the broker", slog.String("of", s.whose), slog.String("url", s.o.URL))
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
			pass(m, func() {
				select {
				case acks <- m:
				case <-ctx.Done():
				}
			})
		}
	}
}

// subscribe asks for the messages of the filters. Every connect does: the broker may have forgotten.
func (s *connection) subscribe(ctx context.Context, client mqtt.Client) error {
	filters := map[string]byte{}
	for _, name := range s.filters {
		filters[name] = 1
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
