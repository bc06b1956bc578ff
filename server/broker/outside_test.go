package broker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/gateway/wire"
	"aovuon/server/broker"
	"aovuon/server/parttest"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// lines is a log that can be waited for.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func lostTo(c chan<- error) mqtt.ConnectionLostHandler {
	return func(_ mqtt.Client, err error) { c <- err }
}

// outside is a server's half at a real Mosquitto.
type outside struct {
	t        *testing.T
	broker   *broker.Outside
	messages chan got
	hold     chan func() // what is not done yet, while holding
	stop     func()
}

func startOutside(t *testing.T, o broker.OutsideOptions, holding bool) *outside {
	t.Helper()
	o.FirstWait, o.LastWait = 50*time.Millisecond, 200*time.Millisecond
	if o.Log == nil {
		o.Log = discard()
	}
	if o.Group == "" {
		o.Group = "test"
	}
	b, err := broker.NewOutside(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &outside{t: t, broker: b, messages: make(chan got, 10_000), hold: make(chan func(), 10_000)}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		err := b.Receive(ctx, func(gateway, leaf string, payload []byte, done func()) {
			s.messages <- got{gateway, leaf, string(payload)}
			if holding {
				s.hold <- done
			} else {
				done()
			}
		})
		if err != nil {
			t.Errorf("receive: %v", err)
		}
	})
	s.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(s.stop)
	return s
}

func (s *outside) awaitConnected(want bool) {
	s.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for s.broker.Connected() != want {
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("connected is not %v", want)
		}
	}
}

func (s *outside) next() got {
	s.t.Helper()
	select {
	case m := <-s.messages:
		return m
	case <-time.After(patience):
		s.t.Fatal("nothing came")
	}
	return got{}
}

// plain connects a client to a Mosquitto.
func plain(t *testing.T, m *parttest.MosquittoServer, id, user, password string) mqtt.Client {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(m.URL).SetClientID(id).SetUsername(user).SetPassword(password).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second).SetOrderMatters(false)
	if m.CAFile != "" {
		pem, err := os.ReadFile(m.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		o.SetTLSConfig(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	}
	c := mqtt.NewClient(o)
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatalf("connect %s: %v", id, tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func publish(t *testing.T, c mqtt.Client, topic, payload string) {
	t.Helper()
	if tok := c.Publish(topic, 1, false, payload); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatalf("publish %s: %v", topic, tok.Error())
	}
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOutside_TLSAndPasswordBothWays(t *testing.T) {
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{
		TLS: true, Users: map[string]string{"server": "s3cret", "gw-one": "g1"},
		ACL: broker.MosquittoACL("server"),
	})
	s := startOutside(t, broker.OutsideOptions{URL: m.URL, CAFile: m.CAFile, Username: "server", PasswordFile: file(t, "p", "s3cret\n")}, false)
	s.awaitConnected(true)
	c := plain(t, m, "gw-one", "gw-one", "g1")
	receipts := make(chan string, 1)
	if tok := c.Subscribe(wire.Topic("gw-one", wire.LeafReceipt), 0, func(_ mqtt.Client, m mqtt.Message) { receipts <- string(m.Payload()) }); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	publish(t, c, wire.Topic("gw-two", wire.LeafBatch), "forged") // Mosquitto's list drops it
	publish(t, c, wire.Topic("gw-one", wire.LeafBatch), "mine")
	if m := s.next(); m != (got{"gw-one", wire.LeafBatch, "mine"}) {
		t.Errorf("got %+v", m)
	}
	if err := s.broker.Send("gw-one", wire.LeafReceipt, []byte("thanks")); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-receipts:
		if r != "thanks" {
			t.Errorf("receipt %q", r)
		}
	case <-time.After(patience):
		t.Fatal("no receipt")
	}
}

func TestOutside_WrongPasswordAndUnknownCANeverConnect(t *testing.T) {
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{TLS: true, Users: map[string]string{"server": "s3cret"}})
	for name, o := range map[string]broker.OutsideOptions{
		"wrong password": {URL: m.URL, CAFile: m.CAFile, Username: "server", PasswordFile: file(t, "p", "wrong")},
		"unknown CA":     {URL: m.URL, Username: "server", PasswordFile: file(t, "p", "s3cret")},
	} {
		t.Run(name, func(t *testing.T) {
			tries := make(lines, 100)
			o.Log = slog.New(slog.NewTextHandler(tries, nil))
			s := startOutside(t, o, false)
			for range 2 {
				if line := <-tries; !strings.Contains(line, "no connection to the broker") {
					t.Errorf("log: %s", line)
				}
			}
			if err := s.broker.Send("gw-one", wire.LeafReceipt, []byte("x")); err == nil {
				t.Error("sent without a connection")
			}
			s.stop() // ends promptly although it never connected
			if s.broker.Connected() {
				t.Error("connected")
			}
		})
	}
}

func TestOutside_ComesBackAfterTheBrokerWasKilled(t *testing.T) {
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{})
	s := startOutside(t, broker.OutsideOptions{URL: m.URL}, false)
	for i := range 3 {
		s.awaitConnected(true)
		text := fmt.Sprint("round ", i)
		publish(t, plain(t, m, "gw-one", "", ""), wire.Topic("gw-one", wire.LeafBatch), text)
		if m := s.next(); m.payload != text {
			t.Errorf("got %+v", m)
		}
		m.Kill()
		s.awaitConnected(false)
		m.Start()
	}
}

func TestOutside_IsAcknowledgedWhenIngestIsDoneAndNotBefore(t *testing.T) {
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{MaxInflight: 5})
	s := startOutside(t, broker.OutsideOptions{URL: m.URL}, true)
	s.awaitConnected(true)
	c := plain(t, m, "gw-one", "", "")
	for i := range 12 {
		publish(t, c, wire.Topic("gw-one", wire.LeafBatch), fmt.Sprint(i))
	}
	for i := range 12 { // in order, five at a time: each done lets one more come
		if i >= 5 {
			(<-s.hold)()
		}
		if m := s.next(); m.payload != fmt.Sprint(i) {
			t.Fatalf("message %d: %+v", i, m)
		}
		if i == 4 {
			select {
			case m := <-s.messages:
				t.Fatalf("a sixth came before any was done: %+v", m)
			case <-time.After(200 * time.Millisecond): // that nothing comes has no event
			}
		}
	}
}

func TestOutside_ServersOfAGroupShareTheMessages(t *testing.T) {
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{})
	one := startOutside(t, broker.OutsideOptions{URL: m.URL, Group: "coop"}, false)
	two := startOutside(t, broker.OutsideOptions{URL: m.URL, Group: "coop"}, false)
	one.awaitConnected(true)
	two.awaitConnected(true)
	c := plain(t, m, "gw-one", "", "")
	const n = 40
	for i := range n {
		publish(t, c, wire.Topic("gw-one", wire.LeafBatch), fmt.Sprint(i))
	}
	seen := map[string]int{}
	for len(seen) < n {
		select {
		case m := <-one.messages:
			seen[m.payload]++
		case m := <-two.messages:
			seen[m.payload]++
		case <-time.After(patience):
			t.Fatalf("%d of %d came", len(seen), n)
		}
	}
	for payload, times := range seen {
		if times != 1 {
			t.Errorf("%s came %d times", payload, times)
		}
	}
}

func TestNewOutside_MissingFilesAreErrorsBeforeAnythingStarts(t *testing.T) {
	for name, o := range map[string]broker.OutsideOptions{
		"password_file":         {URL: "ssl://127.0.0.1:1", Username: "x", PasswordFile: "/nowhere/p"},
		"ca_file":               {URL: "ssl://127.0.0.1:1", CAFile: "/nowhere/ca"},
		"no certificate in PEM": {URL: "ssl://127.0.0.1:1", CAFile: file(t, "ca", "rubbish")},
	} {
		if _, err := broker.NewOutside(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
