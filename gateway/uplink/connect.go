package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"aovuon/gateway/wire"
)

// TLSConfig trusts the certificates in caFile, or the system's where caFile is empty. now is the time certificates are
// checked at: a gateway without a battery wakes in 1970 and must not refuse its server for that.
func TLSConfig(caFile string, now func() time.Time) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, Time: now}
	if caFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("uplink: certificates: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("uplink: certificates: %s holds no PEM certificate", caFile)
	}
	return c, nil
}

// conn is one connection to the broker.
type conn struct {
	mqtt.Client
	lost chan error // receives once when the connection breaks
}

// connect opens a connection and waits until the broker accepted it.
func (u *Uplink) connect(ctx context.Context) (*conn, error) {
	will, err := wire.Status{State: wire.Offline}.Encode()
	if err != nil {
		return nil, err
	}
	c := &conn{lost: make(chan error, 1)}
	o := mqtt.NewClientOptions().AddBroker(u.opts.URL).
		SetProtocolVersion(4).SetClientID(u.opts.Gateway).SetUsername(u.opts.Gateway).SetPassword(u.opts.Password).
		SetCleanSession(true).SetStore(mqtt.NewMemoryStore()).SetOrderMatters(false).
		SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(connectTimeout).
		SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).SetWriteTimeout(writeTimeout).
		SetBinaryWill(wire.Topic(u.opts.Gateway, wire.LeafStatus), will, 1, true).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { c.lost <- err }).
		SetCustomOpenConnectionFn(func(at *url.URL, _ mqtt.ClientOptions) (net.Conn, error) { return u.open(ctx, at) })
	c.Client = mqtt.NewClient(o)
	if err := settle(ctx, c.Connect(), connectTimeout+time.Second); err != nil {
		c.Disconnect(0)
		if errors.Is(err, packets.ErrorRefusedNotAuthorised) || errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword) {
			err = fmt.Errorf("%w: the server does not know this gateway or its password: enrol it there with its card (gateway card)", err)
		}
		return nil, fmt.Errorf("connect to %s: %w", u.opts.URL, err)
	}
	return c, nil
}

// open dials and leads the connection through what the options say.
func (u *Uplink) open(ctx context.Context, at *url.URL) (net.Conn, error) {
	c, err := u.dial(ctx, at)
	if err == nil && u.opts.Through != nil {
		c = u.opts.Through(c)
	}
	return c, err
}

func (u *Uplink) dial(ctx context.Context, at *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	d := &net.Dialer{KeepAlive: keepAlive}
	switch at.Scheme {
	case "tcp", "mqtt":
		return d.DialContext(ctx, "tcp", at.Host)
	}
	return (&tls.Dialer{NetDialer: d, Config: u.opts.TLS}).DialContext(ctx, "tcp", at.Host)
}

var errUnanswered = errors.New("the broker does not answer")

// settle waits for a token: until it is done, for at most limit, or until ctx is done.
func settle(ctx context.Context, t mqtt.Token, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-timer.C:
		return errUnanswered
	case <-ctx.Done():
		return ctx.Err()
	}
}

// subscribe asks for the receipts and waits until the broker granted them.
func (c *conn) subscribe(ctx context.Context, topic string, f func(payload []byte)) error {
	t := c.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { f(m.Payload()) })
	if err := settle(ctx, t, writeTimeout); err != nil {
		return fmt.Errorf("subscribe to %s: %w", topic, err)
	}
	if st, ok := t.(*mqtt.SubscribeToken); ok && st.Result()[topic] > 2 {
		return fmt.Errorf("subscribe to %s: the broker refuses it to this gateway", topic)
	}
	return nil
}

// say publishes the retained status and waits for the broker.
func (u *Uplink) say(ctx context.Context, c *conn, s wire.Status, limit time.Duration) error {
	s.Time = u.opts.Now().UTC().Truncate(time.Millisecond)
	payload, err := s.Encode()
	if err != nil {
		return err
	}
	if err := settle(ctx, c.Publish(wire.Topic(u.opts.Gateway, wire.LeafStatus), 1, true, payload), limit); err != nil {
		return fmt.Errorf("status: %w", err)
	}
	return nil
}
