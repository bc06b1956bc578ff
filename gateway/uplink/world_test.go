package uplink_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	nats "github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/seal"
	"aovuon/gateway/spool"
	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	gateway  = "gw-ao"
	password = "a secret of this test"
	boot     = "0123456789abcdef"
)

var noon = time.Date(2025, 11, 20, 5, 0, 0, 0, time.UTC)

func newKey(tb testing.TB, name string) (note.Signer, note.Verifier) {
	tb.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		tb.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		tb.Fatal(err)
	}
	return s, v
}

// gate lets in two users, with the passwords of this test.
type gate struct{}

func (gate) Check(c nats.ClientAuthentication) bool {
	o := c.GetOpts()
	if o.Password != password || (o.Username != gateway && o.Username != "server") {
		return false
	}
	c.RegisterUser(&nats.User{Username: o.Username, Permissions: &nats.Permissions{
		Publish: &nats.SubjectPermission{Allow: []string{">"}}, Subscribe: &nats.SubjectPermission{Allow: []string{">"}},
	}})
	return true
}

// embedded starts the broker the server embeds and returns its URL.
func embedded(tb testing.TB) string {
	tb.Helper()
	o := &nats.Options{
		ServerName: "test", DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: tb.TempDir(), MaxPayload: 64 << 10,
		CustomClientAuthentication: gate{},
	}
	o.MQTT.Host, o.MQTT.Port = "127.0.0.1", -1
	s, err := nats.NewServer(o)
	if err != nil {
		tb.Fatal(err)
	}
	s.Start()
	tb.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		tb.Fatal("the broker does not start")
	}
	return net.JoinHostPort(o.MQTT.Host, strconv.Itoa(o.MQTT.Port))
}

// receiver is the smallest server that keeps the promises of a receipt: it stores batches in order and says how far.
type receiver struct {
	tb     testing.TB
	client mqtt.Client
	signer note.Signer
	key    note.Verifier // of the gateway

	// Mischief.
	deaf    atomic.Bool                                                   // drops what the broker brings
	deafTo  atomic.Int64                                                  // drops so many messages
	mangle  atomic.Pointer[func(r wire.Receipt, send func(wire.Receipt))] // decides what becomes of a receipt
	statusC chan wire.Status

	mu       sync.Mutex
	epoch    string
	past     map[string]bool // epochs that came
	next     uint64
	prev     wire.Hash
	values   []float64
	gaps     []wire.Gap
	seen     int // messages that came
	problems []string
}

func newReceiver(tb testing.TB, o *mqtt.ClientOptions, key note.Verifier) (*receiver, note.Verifier) {
	tb.Helper()
	r, v := newBooks(tb, key)
	o.SetClientID("server").SetAutoReconnect(false).SetOrderMatters(true).SetCleanSession(true)
	r.client = mqtt.NewClient(o)
	if t := r.client.Connect(); !t.WaitTimeout(time.Minute) || t.Error() != nil {
		tb.Fatalf("the test's server: %v", t.Error())
	}
	tb.Cleanup(func() { r.client.Disconnect(250) })
	for topic, f := range map[string]mqtt.MessageHandler{
		"aovuon/1/+/batch":  func(_ mqtt.Client, m mqtt.Message) { r.batch(m.Payload()) },
		"aovuon/1/+/status": func(_ mqtt.Client, m mqtt.Message) { r.status(m.Payload()) },
	} {
		if t := r.client.Subscribe(topic, 1, f); !t.WaitTimeout(time.Minute) || t.Error() != nil {
			tb.Fatalf("the test's server: %v", t.Error())
		}
	}
	return r, v
}

// newBooks is a receiver that nobody brings anything to yet.
func newBooks(tb testing.TB, key note.Verifier) (*receiver, note.Verifier) {
	tb.Helper()
	signer, v := newKey(tb, "htx-test")
	return &receiver{tb: tb, signer: signer, key: key, next: 1, past: map[string]bool{}, statusC: make(chan wire.Status, 1000)}, v
}

func (r *receiver) status(payload []byte) {
	s, err := wire.ParseStatus(payload)
	if err != nil {
		r.problem(err.Error())
		return
	}
	r.statusC <- s
}

func (r *receiver) problem(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, s)
}

func (r *receiver) batch(payload []byte) {
	receipt, ok := r.accept(payload)
	if !ok {
		return
	}
	if f := r.mangle.Load(); f != nil {
		(*f)(receipt, func(c wire.Receipt) { r.send(c, r.signer) })
		return
	}
	r.send(receipt, r.signer)
}

// accept takes a batch as the server does and says how far it is.
func (r *receiver) accept(payload []byte) (receipt wire.Receipt, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen++
	if r.deaf.Load() || r.deafTo.Add(-1) >= 0 {
		return receipt, false
	}
	b, err := wire.Open(payload, r.key)
	if err != nil {
		r.problems = append(r.problems, err.Error())
		return receipt, false
	}
	if b.Epoch != r.epoch {
		if r.past[b.Epoch] {
			return receipt, false
		}
		r.past[b.Epoch] = true
		r.epoch, r.next, r.prev = b.Epoch, 1, wire.Hash{}
	}
	if b.Seq == r.next {
		if b.Prev != r.prev {
			r.problems = append(r.problems, "broken chain")
			return receipt, false
		}
		r.next, r.prev = r.next+1, wire.HashOf(payload)
		r.gaps = append(r.gaps, b.Gaps...)
		for _, m := range b.Readings {
			r.values = append(r.values, m.Value)
		}
	}
	return wire.Receipt{Gateway: b.Gateway, Epoch: b.Epoch, Upto: r.next - 1, Time: noon}, true
}

// send publishes a receipt and does not wait: it may be called from a handler.
func (r *receiver) send(c wire.Receipt, signer note.Signer) {
	sealed, err := wire.SealReceipt(c, signer)
	if err != nil {
		r.tb.Error(err)
		return
	}
	r.client.Publish(wire.Topic(gateway, wire.LeafReceipt), 0, false, sealed)
}

func (r *receiver) got() []float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]float64(nil), r.values...)
}

func (r *receiver) heard() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

// check says what is wrong with what arrived: every value from 0 to n-1 must be there once and in order.
func (r *receiver) check(n int) {
	r.tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.problems {
		r.tb.Error("the server refused:", p)
	}
	if len(r.values) != n {
		r.tb.Errorf("%d readings arrived, want %d", len(r.values), n)
	}
	for i, v := range r.values {
		if v != float64(i)/1000 {
			r.tb.Errorf("reading %d is %v", i, v)
			return
		}
	}
}

// field is a gateway without probes: a spool, a sealer, and the uplink under test.
type field struct {
	tb     testing.TB
	path   string
	spool  *spool.Spool
	sealer *seal.Sealer
	key    note.Verifier
	taken  int
	links  chan bool
}

func newField(tb testing.TB) *field {
	tb.Helper()
	signer, v := newKey(tb, gateway)
	f := &field{tb: tb, key: v, path: filepath.Join(tb.TempDir(), "spool.db"), links: make(chan bool, 1000)}
	var err error
	if f.spool, _, err = spool.Open(tb.Context(), f.path, func() time.Time { return noon }); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := f.spool.Close(); err != nil {
			tb.Error(err)
		}
	})
	f.sealer = seal.New(f.spool, seal.Options{Gateway: gateway, Signer: signer, RAM: 1 << 20, Log: quiet()})
	return f
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// batches seals n batches of size readings each.
func (f *field) batches(n, size int) {
	f.tb.Helper()
	for range n {
		readings := make([]measure.Reading, size)
		for i := range readings {
			readings[i] = measure.Reading{Sensor: "ao1-do", Quantity: measure.SoilMoisture, Value: float64(f.taken) / 1000, Time: f.now()}
			f.taken++
		}
		if err := f.sealer.Take(f.tb.Context(), readings); err != nil {
			f.tb.Fatal(err)
		}
		if err := f.sealer.Flush(f.tb.Context()); err != nil {
			f.tb.Fatal(err)
		}
	}
}

func (f *field) now() measure.Instant {
	d := time.Duration(f.taken) * time.Second
	return measure.Instant{Wall: noon.Add(d), Uptime: d, Clock: measure.Synced, Boot: boot}
}

func (f *field) stats() spool.Stats {
	f.tb.Helper()
	st, err := f.spool.Stats(f.tb.Context())
	if err != nil {
		f.tb.Fatal(err)
	}
	return st
}

// quick are options that make a test short.
func (f *field) quick(url string, server note.Verifier) uplink.Options {
	return uplink.Options{
		Gateway: gateway, URL: url, Password: password, Server: server, Sealed: f.sealer.Sealed(), Now: time.Now,
		Link: func(up bool) {
			select {
			case f.links <- up:
			default:
			}
		},
		Renew:      func(ctx context.Context, cause error) error { return f.sealer.Renew(ctx, cause, f.now()) },
		Status:     func(context.Context) wire.Status { return wire.Status{Health: "ok", Epoch: f.spool.Epoch()} },
		BackoffMin: 5 * time.Millisecond, BackoffMax: 50 * time.Millisecond, ReceiptTimeout: 150 * time.Millisecond,
		GoBackAfter: 20 * time.Millisecond, Log: quiet(),
	}
}

// start runs an uplink until stop is called, or the test ends.
func (f *field) start(o uplink.Options) (up *uplink.Uplink, stop func()) {
	f.tb.Helper()
	up = uplink.New(f.spool, o)
	ctx, cancel := context.WithCancel(f.tb.Context())
	done := make(chan error, 1)
	go func() { done <- up.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			f.tb.Error(err)
		}
	})
	f.tb.Cleanup(stop)
	return up, stop
}
