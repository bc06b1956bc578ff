package broker

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"aovuon/gateway/wire"
)

// MaxPayload is the largest packet the embedded broker reads, bytes: a batch with its topic and header. It is the one
// limit before and after a client has named itself, and what a half-sent CONNECT can make the broker hold.
const MaxPayload = 64 << 10

// EmbeddedOptions are what an Embedded broker is made of.
type EmbeddedOptions struct {
	Listen    string      // host:port of MQTT; port 0 takes a free one
	TLS       *tls.Config // nil: no TLS
	StoreDir  string      // sessions and retained messages; nothing that is needed to keep a reading
	Secrets   Secrets
	Log       *slog.Logger
	Violation func(Violation) // called for each; must not block; may be nil

	// ClientCertificates says who issues the gateways' certificates: the common name of one is its gateway's id, and nobody else gets in by
	// it. nil: none is asked for. With RequireCertificate nobody gets in without one. The password counts beside it.
	ClientCertificates *x509.CertPool
	RequireCertificate bool

	MaxConnections int           // 0: 1,024. Sockets that have not named themselves count
	AuthTimeout    time.Duration // to name oneself; 0: 5 s
	Silence        time.Duration // whoever said nothing for so long is cut off, whatever keep-alive he asked for; 0: 16 min, thrice a gateway's status
	MaxStore       int64         // bytes of sessions and retained messages; 0: 1 GiB
}

// The defaults of EmbeddedOptions.
const (
	defaultConnections = 1024
	defaultAuthTimeout = 5 * time.Second
	defaultSilence     = 16 * time.Minute
	defaultStore       = 1 << 30
)

func (o EmbeddedOptions) withDefaults() EmbeddedOptions {
	o.MaxConnections = cmp.Or(o.MaxConnections, defaultConnections)
	o.AuthTimeout = cmp.Or(o.AuthTimeout, defaultAuthTimeout)
	o.Silence = cmp.Or(o.Silence, defaultSilence)
	o.MaxStore = cmp.Or(o.MaxStore, defaultStore)
	return o
}

// Secrets knows the passwords of gateways in service.
type Secrets interface {
	SecretSHA(gateway string) (sha [32]byte, ok bool)
}

// Embedded is a NATS server that listens for MQTT alone. A gateway's user name and client id are its id; it may publish
// its batch and its status, and subscribe to its receipt and its settings, and nothing else.
type Embedded struct {
	nats    *server.Server
	conn    *nats.Conn
	gate    *gate
	log     *slog.Logger
	address string
	report  func(Violation)
	sweeper sync.WaitGroup
}

// StartEmbedded starts the broker. Gateways are let in while Receive runs, and not before: what is published while
// nobody listens would be acknowledged and lost.
func StartEmbedded(o EmbeddedOptions) (*Embedded, error) {
	o = o.withDefaults()
	e := &Embedded{log: o.Log, report: o.Violation}
	if e.report == nil {
		e.report = func(Violation) {}
	}
	opts, err := natsOptions(o)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	token, err := randomToken()
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	e.gate = &gate{
		secrets: o.Secrets, inside: token, certificate: o.RequireCertificate, patience: o.AuthTimeout, closing: make(chan struct{}),
	}
	opts.CustomClientAuthentication = e.gate
	if e.nats, err = server.NewServer(opts); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	e.gate.broker.Store(e.nats)
	lines := newLogger(o.Log, e.report)
	e.nats.SetLoggerV2(lines, false, false, false)
	e.nats.Start()
	if err := e.awaitReady(lines.fatal); err != nil {
		e.stop()
		return nil, fmt.Errorf("broker: cannot start on %s: %w", o.Listen, err)
	}
	if err := e.connect(token); err != nil {
		e.stop()
		return nil, fmt.Errorf("broker: %w", err)
	}
	e.address = net.JoinHostPort(opts.MQTT.Host, strconv.Itoa(opts.MQTT.Port))
	e.sweeper.Go(func() { e.sweep(o.Silence, o.MaxConnections) })
	return e, nil
}

func (e *Embedded) awaitReady(fatal <-chan string) error {
	for range 200 {
		if e.nats.ReadyForConnections(50 * time.Millisecond) {
			return nil
		}
		select {
		case what := <-fatal:
			return errors.New(what)
		default:
		}
	}
	return errors.New("not ready after 10 s")
}

func natsOptions(o EmbeddedOptions) (*server.Options, error) {
	host, portText, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("listen %s: port: %w", o.Listen, err)
	}
	opts := &server.Options{
		ServerName: "aovuon", DontListen: true, NoSigs: true,
		JetStream: true, StoreDir: o.StoreDir, JetStreamMaxStore: o.MaxStore, JetStreamMaxMemory: 32 << 20,
		MaxPayload: MaxPayload, MaxConn: o.MaxConnections, AuthTimeout: o.AuthTimeout.Seconds(), WriteDeadline: 2 * time.Second,
	}
	// These two have no exported field.
	if err := opts.ProcessConfigString(`mqtt { reject_qos2_publish: true, downgrade_qos2_subscribe: true }`); err != nil {
		return nil, err
	}
	opts.DontListen, opts.Host = true, ""
	opts.MQTT.Host, opts.MQTT.Port, opts.MQTT.TLSConfig = host, int(port), o.TLS
	if o.TLS != nil {
		opts.MQTT.TLSTimeout = opts.AuthTimeout
	}
	if o.ClientCertificates != nil {
		if o.TLS == nil {
			return nil, errors.New("client certificates need TLS")
		}
		asked := o.TLS.Clone()
		asked.ClientCAs, asked.ClientAuth = o.ClientCertificates, tls.VerifyClientCertIfGiven
		if o.RequireCertificate {
			asked.ClientAuth = tls.RequireAndVerifyClientCert
		}
		opts.MQTT.TLSConfig = asked
	}
	if port == 0 {
		opts.MQTT.Port = -1 // NATS's word for a free one
	}
	opts.MQTT.AckWait, opts.MQTT.MaxAckPending = 30*time.Second, 256
	return opts, nil
}

func randomToken() (string, error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(b[:]), nil
}

// connect opens the connection of ingest: inside the process, over no socket.
func (e *Embedded) connect(token string) (err error) {
	e.conn, err = nats.Connect("", nats.InProcessServer(e.nats), nats.UserInfo(insideUser, token), nats.Name("ingest"), nats.NoEcho(),
		nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond), nats.ReconnectJitter(0, 0))
	if err != nil {
		return fmt.Errorf("connect ingest: %w", err)
	}
	return nil
}

// Address returns host:port of the MQTT listener.
func (e *Embedded) Address() string { return e.address }

// Clients returns the number of open MQTT connections.
func (e *Embedded) Clients() int { return max(0, e.nats.NumClients()-1) }

// Bounds of what waits between broker and ingest. Beyond them a message is dropped and counted; its gateway gets no
// receipt for it and sends it again.
const (
	waitingMessages = 64 << 10
	waitingBytes    = 64 << 20
)

// Receive implements ingest.Broker.
func (e *Embedded) Receive(ctx context.Context, f func(gateway, leaf string, payload []byte, done func())) (err error) {
	sub, err := e.conn.SubscribeSync(subjectOf(wire.Topic("+", "+")))
	if err != nil {
		return fmt.Errorf("broker: subscribe: %w", err)
	}
	defer func() {
		e.gate.open.Store(false)
		if uerr := sub.Unsubscribe(); uerr != nil && !errors.Is(uerr, nats.ErrConnectionClosed) {
			err = errors.Join(err, uerr)
		}
	}()
	if err := errors.Join(sub.SetPendingLimits(waitingMessages, waitingBytes), e.conn.FlushTimeout(5*time.Second)); err != nil {
		return fmt.Errorf("broker: subscribe: %w", err)
	}
	e.gate.open.Store(true)
	dropped := 0
	done := func() {}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, nats.ErrSlowConsumer):
			dropped = e.countDropped(sub, dropped)
			continue
		case err != nil:
			return fmt.Errorf("broker: %w", err)
		}
		gateway, leaf, ok := wire.ParseTopic(topicOf(m.Subject))
		if ok && (leaf == wire.LeafBatch || leaf == wire.LeafStatus) {
			f(gateway, leaf, m.Data, done)
		}
	}
}

func (e *Embedded) countDropped(sub *nats.Subscription, before int) int {
	n, err := sub.Dropped()
	if err != nil {
		return before
	}
	for range n - before {
		e.report(Violation{Kind: Overflow, Detail: "ingest cannot follow"})
	}
	e.log.Warn("ingest cannot follow, messages left to be sent again", slog.Int("dropped", n-before))
	return n
}

// Send implements ingest.Broker.
func (e *Embedded) Send(gateway, leaf string, payload []byte) error {
	if err := e.conn.Publish(subjectOf(wire.Topic(gateway, leaf)), payload); err != nil {
		return fmt.Errorf("broker: send to %s: %w", gateway, err)
	}
	return nil
}

// Disconnect closes a gateway's connection, if it has one.
func (e *Embedded) Disconnect(gateway string) {
	z, err := e.nats.Connz(&server.ConnzOptions{MQTTClient: gateway})
	if err != nil {
		return // no such connection
	}
	for _, c := range z.Conns {
		if err := e.nats.DisconnectClientByID(c.Cid); err != nil {
			e.log.Debug("client was gone already", slog.String("gateway", gateway), slog.Any("err", err))
		}
	}
}

// Close ends every connection. It takes as long as a stuck reader may, two seconds.
func (e *Embedded) Close() error {
	e.conn.Close()
	e.stop()
	return nil
}

func (e *Embedded) stop() {
	close(e.gate.closing)
	e.nats.Shutdown()
	e.nats.WaitForShutdown()
	e.sweeper.Wait()
}
