package broker_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"go.uber.org/goleak"

	"aovuon/gateway/wire"
	"aovuon/server/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come; it is never waited out in a passing run.
const patience = 3 * time.Minute

type secrets map[string]string

func (s secrets) SecretSHA(gateway string) ([32]byte, bool) {
	p, ok := s[gateway]
	return sha256.Sum256([]byte(p)), ok
}

type got struct{ gateway, leaf, payload string }

// bench is a running broker with a receiver that hands on what it gets.
type bench struct {
	t          *testing.T
	address    string
	messages   chan got
	violations chan broker.Violation
	receive    func()
	embedded   *broker.Embedded
	stop       func()
}

func startEmbedded(t *testing.T, o broker.EmbeddedOptions) *bench {
	t.Helper()
	b := &bench{t: t, messages: make(chan got, 10_000), violations: make(chan broker.Violation, 10_000)}
	o.Listen = "127.0.0.1:0"
	if o.StoreDir == "" {
		o.StoreDir = t.TempDir()
	}
	if o.Secrets == nil {
		o.Secrets = secrets{"gw-one": "secret-one", "gw-two": "secret-two"}
	}
	o.Log = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Violation = func(v broker.Violation) {
		select {
		case b.violations <- v:
		default:
		}
	}
	e, err := broker.StartEmbedded(o)
	if err != nil {
		t.Fatal(err)
	}
	b.embedded, b.address = e, e.Address()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	b.receive = func() {
		wg.Go(func() {
			err := e.Receive(ctx, func(gateway, leaf string, payload []byte, done func()) {
				b.messages <- got{gateway, leaf, string(payload)}
				done()
			})
			if err != nil {
				t.Errorf("receive: %v", err)
			}
		})
	}
	b.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(b.stop)
	return b
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func clientOptions(address, id, user, password string) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().AddBroker("tcp://" + address).SetClientID(id).SetUsername(user).SetPassword(password).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(5 * time.Second).SetOrderMatters(false)
}

// dial connects until the gate is open, as a gateway does.
func (b *bench) dial(o *mqtt.ClientOptions) mqtt.Client {
	b.t.Helper()
	deadline, pause := time.Now().Add(patience), time.NewTicker(20*time.Millisecond)
	defer pause.Stop()
	for {
		c := mqtt.NewClient(o)
		tok := c.Connect()
		if tok.WaitTimeout(patience) && tok.Error() == nil {
			b.t.Cleanup(func() { c.Disconnect(0) })
			return c
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("cannot connect: %v", tok.Error())
		}
		<-pause.C
	}
}

func (b *bench) gateway(id string) mqtt.Client {
	b.t.Helper()
	return b.dial(clientOptions(b.address, id, id, strings.Replace(id, "gw", "secret", 1)))
}

func (b *bench) publish(c mqtt.Client, topic string, qos byte, retained bool, payload string) {
	b.t.Helper()
	tok := c.Publish(topic, qos, retained, payload)
	if !tok.WaitTimeout(patience) {
		b.t.Fatalf("publish %s: no answer", topic)
	}
}

// expect waits for exactly this message to come next.
func (b *bench) expect(want got) {
	b.t.Helper()
	select {
	case m := <-b.messages:
		if m != want {
			b.t.Fatalf("got %+v, want %+v", m, want)
		}
	case <-time.After(patience):
		b.t.Fatalf("%+v did not come", want)
	}
}

func (b *bench) expectViolation(kind broker.ViolationKind, gateway string) {
	b.t.Helper()
	for {
		select {
		case v := <-b.violations:
			if v.Kind == kind && v.Gateway == gateway {
				return
			}
		case <-time.After(patience):
			b.t.Fatalf("no %s violation of %q was reported", kind, gateway)
		}
	}
}

// mark publishes honestly and waits for it: all that was sent before has been dealt with.
func (b *bench) mark(c mqtt.Client, id string) {
	b.t.Helper()
	text := fmt.Sprint("mark ", time.Now().UnixNano())
	b.publish(c, wire.Topic(id, wire.LeafBatch), 1, false, text)
	b.expect(got{id, wire.LeafBatch, text})
}
