package ingest_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/broker"
	"aovuon/server/history"
	"aovuon/server/history/sqlite"
	"aovuon/server/ingest"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/project"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(parttest.Sharing(m)) }

// patience is how long a test waits for what must come.
const patience = 3 * time.Minute

// rig is the way of a reading from MQTT to the history, of real parts.
type rig struct {
	t          *testing.T
	dir        string
	config     sqldb.Config
	mosquitto  *parttest.MosquittoServer // nil: the embedded broker
	signer     note.Signer
	verifier   note.Verifier
	metrics    *prometheus.Registry
	log        *faultyLog
	maxWaiting int64 // 0: as a server has it

	db      *sqldb.DB
	history *sqlite.Store
	ingest  *ingest.Ingest
	address string
	stop    func()
}

// mounts places every sensor by its own name.
type mounts struct{}

func (mounts) MountRevision(context.Context) (string, error) { return "1", nil }
func (mounts) Mounts(context.Context) ([]project.Mount, error) {
	return []project.Mount{{Gateway: "gw-one", Sensor: "ao1-temp", Place: "AO1"}}, nil
}

// eachBroker runs a story on the embedded broker and on a real Mosquitto.
func eachBroker(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Run("embedded", func(t *testing.T) { f(t, newRig(t, nil)) })
	t.Run("mosquitto", func(t *testing.T) {
		f(t, newRig(t, parttest.Mosquitto(t, parttest.MosquittoOptions{MaxInflight: 1000})))
	})
}

func newRig(t *testing.T, m *parttest.MosquittoServer) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), mosquitto: m}
	r.config = sqldbtest.Fresh(t)
	r.signer, r.verifier = newKey(t, "server")
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

func newKey(t testing.TB, name string) (note.Signer, note.Verifier) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// start opens every part on the rig's folder.
func (r *rig) start() {
	t := r.t
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	log := slog.New(slog.DiscardHandler)
	var err error
	if r.db, err = sqldb.Open(ctx, r.config); err != nil {
		t.Fatal(err)
	}
	if r.history, err = sqlite.Open(ctx, filepath.Join(r.dir, "history.db")); err != nil {
		t.Fatal(err)
	}
	r.metrics = prometheus.NewRegistry()
	metrics, err := ingest.NewMetrics(r.metrics)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := ingest.NewRegistry(ctx, r.db, log)
	if err != nil {
		t.Fatal(err)
	}
	notebook := ingest.NewNotebook(r.db, registry, metrics, log)
	b, closeBroker := r.openBroker(registry, notebook, log)
	recent := project.NewRecent(r.db)
	r.log = &faultyLog{DB: r.db}
	r.ingest = ingest.New(ingest.Options{
		Broker: b, Log: r.log, Registry: registry, Notebook: notebook, Signer: r.signer, Metrics: metrics, Now: time.Now, Logger: log, Committed: recent.Add,
		MaxWaiting: r.maxWaiting,
	})
	runner := project.NewRunner(project.RunnerOptions{
		Projection: project.NewHistory(r.history, project.NewPlaces(mounts{}, time.Now), project.NewDater(r.db), r.db, log),
		Source:     recent, Cursors: r.db, Wake: recent.Wake(), Now: time.Now, Log: log,
	})
	g, ctx := errgroup.WithContext(ctx)
	for _, run := range []func(context.Context) error{registry.Run, notebook.Run, r.ingest.Run, runner.Run} {
		g.Go(func() error { return run(ctx) })
	}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(g.Wait(), closeBroker(), r.history.Close(), r.db.Close()); err != nil {
			t.Error(err)
		}
	})
}

func (r *rig) openBroker(registry *ingest.Registry, notebook *ingest.Notebook, log *slog.Logger) (ingest.Broker, func() error) {
	r.t.Helper()
	if r.mosquitto != nil {
		r.address = r.mosquitto.URL
		b, err := broker.NewOutside(broker.OutsideOptions{URL: r.mosquitto.URL, Group: "test", Log: log, FirstWait: 50 * time.Millisecond})
		if err != nil {
			r.t.Fatal(err)
		}
		return b, func() error { return nil }
	}
	b, err := broker.StartEmbedded(broker.EmbeddedOptions{
		Listen: "127.0.0.1:0", StoreDir: filepath.Join(r.dir, "broker"), Secrets: registry, Log: log,
		Violation: func(v broker.Violation) {
			why := map[broker.ViolationKind]ingest.Reason{broker.ForeignPublish: ingest.Foreign, broker.TooLarge: ingest.TooLarge}[v.Kind]
			if why != "" && v.Gateway != "" {
				notebook.Refuse(ingest.Refusal{Gateway: v.Gateway, Reason: why, Detail: v.Detail, Received: time.Now()})
			}
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	registry.OnRetired(b.Disconnect)
	r.address = "tcp://" + b.Address()
	return b, b.Close
}

// gateway is one gateway: its key, its chain, its connection.
type gateway struct {
	r        *rig
	id       string
	secret   string
	signer   note.Signer
	epoch    string
	seq      uint64
	prev     wire.Hash
	client   mqtt.Client
	receipts chan wire.Receipt
}

func (r *rig) enrol(id string) *gateway {
	r.t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, id)
	if err != nil {
		r.t.Fatal(err)
	}
	g := &gateway{r: r, id: id, secret: "password of " + id, epoch: "00000000000000e1", receipts: make(chan wire.Receipt, 10_000)}
	if g.signer, err = note.NewSigner(skey); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.db.AddGateway(r.t.Context(), wire.NewCard(id, vkey, g.secret), ledger.By{Actor: ledger.Operator, At: time.Now()}); err != nil {
		r.t.Fatal(err)
	}
	return g
}

// connect connects as often as it takes: until the register knows the gateway, and ingest listens.
func (g *gateway) connect() {
	g.r.t.Helper()
	o := mqtt.NewClientOptions().AddBroker(g.r.address).SetClientID(g.id).SetUsername(g.id).SetPassword(g.secret).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second).SetOrderMatters(false)
	parttest.Await(g.r.t, "connection of "+g.id, func() bool {
		g.client = mqtt.NewClient(o)
		tok := g.client.Connect()
		return tok.WaitTimeout(patience) && tok.Error() == nil
	})
	tok := g.client.Subscribe(wire.Topic(g.id, wire.LeafReceipt), 0, func(_ mqtt.Client, m mqtt.Message) {
		rc, err := wire.OpenReceipt(m.Payload(), g.r.verifier)
		if err != nil {
			g.r.t.Errorf("receipt: %v", err)
			return
		}
		g.receipts <- rc
	})
	if !tok.WaitTimeout(patience) || tok.Error() != nil {
		g.r.t.Fatalf("subscribe: %v", tok.Error())
	}
	if g.r.mosquitto != nil { // wait until ingest has subscribed: Mosquitto lets gateways in before
		parttest.Await(g.r.t, "ingest at Mosquitto", func() bool {
			g.publish(wire.LeafStatus, []byte(`{"state":"online"}`))
			st, err := g.r.db.Standings(g.r.t.Context())
			if err != nil {
				g.r.t.Fatal(err)
			}
			for _, s := range st {
				if s.Gateway == g.id && s.State.State == "online" {
					return true
				}
			}
			return false
		})
	}
	g.r.t.Cleanup(func() { g.client.Disconnect(0) })
}

func (g *gateway) publish(leaf string, payload []byte) {
	g.r.t.Helper()
	g.publishTo(wire.Topic(g.id, leaf), payload)
}

func (g *gateway) publishTo(topic string, payload []byte) {
	g.r.t.Helper()
	tok := g.client.Publish(topic, 1, false, payload)
	tok.WaitTimeout(patience)
}

// batch makes the next batch of n readings without counting it as sent.
func (g *gateway) batch(n int) *wire.Batch {
	b := &wire.Batch{Gateway: g.id, Epoch: g.epoch, Seq: g.seq + 1, Prev: g.prev, Boot: "00112233aabbccdd"}
	for i := range n {
		b.Readings = append(b.Readings, measure.Reading{
			Sensor: "ao1-temp", Quantity: measure.WaterTemperature, Value: float64(g.seq%20) + float64(i)/100,
			Time: measure.Instant{Wall: start.Add(time.Duration(g.seq)*time.Minute + time.Duration(i)*time.Second), Boot: "00112233aabbccdd"},
		})
	}
	return b
}

var start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func (g *gateway) seal(b *wire.Batch) []byte {
	g.r.t.Helper()
	sealed, err := wire.Seal(b, g.signer)
	if err != nil {
		g.r.t.Fatal(err)
	}
	return sealed
}

// send sends the next batch.
func (g *gateway) send(readings int) []byte {
	g.r.t.Helper()
	sealed := g.seal(g.batch(readings))
	g.seq++
	g.prev = wire.HashOf(sealed)
	g.publish(wire.LeafBatch, sealed)
	return sealed
}

// awaitReceipt waits for a receipt that covers upto, of the gateway's epoch.
func (g *gateway) awaitReceipt(upto uint64) {
	g.r.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case rc := <-g.receipts:
			if rc.Gateway != g.id {
				g.r.t.Fatalf("receipt of %s", rc.Gateway)
			}
			if rc.Epoch == g.epoch && rc.Upto > upto {
				g.r.t.Fatalf("receipt up to %d, sent %d", rc.Upto, upto)
			}
			if rc.Epoch == g.epoch && rc.Upto == upto {
				return
			}
		case <-deadline:
			g.r.t.Fatalf("no receipt up to %d", upto)
		}
	}
}

func (r *rig) awaitRefusal(gateway string, why ingest.Reason) {
	r.t.Helper()
	parttest.Await(r.t, fmt.Sprintf("%s of %q in the quarantine", why, gateway), func() bool { return r.refused(gateway, why) > 0 })
}

func (r *rig) refused(gateway string, why ingest.Reason) int64 {
	r.t.Helper()
	list, err := r.db.Refusals(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range list {
		if c.Gateway == gateway && c.Reason == why {
			return c.N
		}
	}
	return 0
}

// points reads the whole history of a gateway's one series.
func (r *rig) points(gateway string) []history.Point {
	r.t.Helper()
	place := project.Unplaced
	if gateway == "gw-one" {
		place = "AO1"
	}
	var out []history.Point
	err := r.history.Each(r.t.Context(), history.Series{Place: place, Quantity: measure.WaterTemperature, Gateway: gateway, Sensor: "ao1-temp"},
		start.AddDate(-1, 0, 0), start.AddDate(1, 0, 0), func(p history.Point) error {
			out = append(out, p)
			return nil
		})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *rig) awaitPoints(gateway string, n int) {
	r.t.Helper()
	parttest.Await(r.t, fmt.Sprintf("%d points of %s", n, gateway), func() bool { return len(r.points(gateway)) >= n })
	if got := len(r.points(gateway)); got != n {
		r.t.Fatalf("%d points of %s, want %d", got, gateway, n)
	}
}
