package story_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/sqldb"
)

// rogue is a gateway that is enrolled and means ill: it has a password and a key of its own.
const rogue = "gw-gian"

// forger is one who speaks MQTT and does what no gateway of ours does.
type forger struct {
	t      testing.TB
	field  *field
	broker string
	signer note.Signer // of rogue
	secret string
}

// newForger enrols a rogue gateway with a running field.
func newForger(f *field) *forger {
	f.t.Helper()
	vkey, err := wire.CreateKey(f.path("gian.key"), rogue)
	if err != nil {
		f.t.Fatal(err)
	}
	secret, err := wire.CreateSecret(f.path("gian.secret"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.write("gian.txt", wire.NewCard(rogue, vkey, secret).String())
	once(f.t, "server", "gateway", "add", f.path("gian.txt"), "--config", f.path("server.yaml"))
	f.guests = append(f.guests, rogue)
	signer, _, err := wire.LoadKey(f.path("gian.key"))
	if err != nil {
		f.t.Fatal(err)
	}
	return &forger{t: f.t, field: f, broker: f.mqtt, signer: signer, secret: secret}
}

// connect names itself user; client ids are the names of gateways.
func (g *forger) connect(user, secret string) (mqtt.Client, error) {
	o := mqtt.NewClientOptions().AddBroker(g.broker).SetClientID(user).SetUsername(user).SetPassword(secret).
		SetAutoReconnect(false).SetConnectTimeout(patience)
	c := mqtt.NewClient(o)
	token := c.Connect()
	if !token.WaitTimeout(patience) {
		g.t.Fatal("MQTT connect: no answer")
	}
	return c, token.Error()
}

// as connects, does something, and disconnects. A server that was just told of a gateway may need a second to know it.
func (g *forger) as(user, secret string, f func(c mqtt.Client)) {
	g.t.Helper()
	var c mqtt.Client
	await(g.t, user+" to be let in", func() (bool, string) {
		var err error
		c, err = g.connect(user, secret)
		return err == nil, fmt.Sprint(err)
	})
	f(c)
	c.Disconnect(100)
}

// publish hands payload to the broker as rogue, on a connection of its own, and waits until the broker has taken it, or
// has thrown us out.
func (g *forger) publish(topic string, payload []byte) {
	g.t.Helper()
	g.as(rogue, g.secret, func(c mqtt.Client) { g.send(c, topic, payload) })
}

func (g *forger) send(c mqtt.Client, topic string, payload []byte) {
	g.t.Helper()
	token := c.Publish(topic, 1, false, payload)
	await(g.t, "the broker's answer to a publish on "+topic, func() (bool, string) {
		return token.WaitTimeout(time.Millisecond) || !c.IsConnectionOpen(), "none"
	})
}

// batch is a good batch of rogue's.
func (g *forger) batch(epoch string, seq uint64, prev wire.Hash, value float64) *wire.Batch {
	at := time.Now().UTC().Truncate(time.Millisecond)
	return &wire.Batch{
		Gateway: rogue, Epoch: epoch, Seq: seq, Prev: prev, Clock: measure.Synced, Boot: "00112233445566778899aabbccddeeff",
		Readings: []measure.Reading{{
			Sensor: "gia", Quantity: measure.PH, Value: value, Time: measure.Instant{Wall: at, Clock: measure.Synced, Boot: "00112233445566778899aabbccddeeff"},
		}},
	}
}

func (g *forger) seal(b *wire.Batch) []byte {
	g.t.Helper()
	sealed, err := wire.Seal(b, g.signer)
	if err != nil {
		g.t.Fatal(err)
	}
	return sealed
}

// signed signs any text with rogue's own key.
func (g *forger) signed(text string) []byte {
	g.t.Helper()
	sealed, err := note.Sign(&note.Note{Text: text}, g.signer)
	if err != nil {
		g.t.Fatal(err)
	}
	return sealed
}

// another is a gateway of the same name with another key.
func (g *forger) another() note.Signer {
	g.t.Helper()
	secret, _, err := note.GenerateKey(nil, rogue)
	if err != nil {
		g.t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		g.t.Fatal(err)
	}
	return signer
}

// TestForger_IsRefusedCountedAndShown: whatever a forger sends is refused with its reason, is counted and stands on the
// system page, and the honest gateway's readings do not wait for it.
func TestForger_IsRefusedCountedAndShown(t *testing.T) {
	t.Parallel()
	f := newField(t, setting{devices: one()})
	f.startSim()
	f.startServer()
	f.gateway.start()
	f.awaitReceiptsAfter(0)
	g := newForger(f)
	mine, honest := wire.Topic(rogue, wire.LeafBatch), wire.Topic(gatewayID, wire.LeafBatch)
	epoch := "0123456789abcdef"

	first := g.seal(g.batch(epoch, 1, wire.Hash{}, 7))
	g.publish(mine, first)
	second := g.seal(g.batch(epoch, 2, wire.HashOf(first), 7.1))
	g.publish(mine, second)
	stolen := f.aSealedBatch()

	foreignKey, err := wire.Seal(g.batch(epoch, 3, wire.HashOf(second), 7), g.another())
	if err != nil {
		t.Fatal(err)
	}
	for _, forgery := range []struct {
		name  string
		topic string
		bytes []byte
		who   string // the counters' gateway
		want  ingest.Reason
	}{
		{"wrong key", mine, foreignKey, rogue, ingest.BadSignature},
		{"another gateway's batch under one's own name", mine, stolen, rogue, ingest.Foreign},
		{"another gateway's topic", honest, stolen, rogue, ingest.Foreign},
		{"an altered byte", mine, bytes.Replace(g.seal(g.batch(epoch, 3, wire.HashOf(second), 7.25)), []byte("7.25"), []byte("7.35"), 1), rogue, ingest.BadSignature},
		{"a number again with other bytes", mine, g.seal(g.batch(epoch, 2, wire.HashOf(first), 9)), rogue, ingest.ReplayedSeq},
		{"a chain that does not hold", mine, g.seal(g.batch(epoch, 3, wire.HashOf(first), 7)), rogue, ingest.BrokenChain},
		{"a batch cut short", mine, g.seal(g.batch("fedcba9876543210", 1, wire.Hash{}, 5))[:40], rogue, ingest.Malformed},
		{"garbage", mine, bytes.Repeat([]byte{0xff, 0x00, 0x0a}, 5000), rogue, ingest.Malformed},
		{"deep JSON", mine, g.signed("aovuon/batch/1\n" + rogue + "\n" + epoch + " 3\n" + wire.HashOf(second).String() +
			"\nsynced 00112233445566778899aabbccddeeff\n" + strings.Repeat("[", 25_000) + strings.Repeat("]", 25_000) + "\n"), rogue, ingest.Malformed},
		{"one MiB", mine, bytes.Repeat([]byte("a"), 1<<20), rogue, ingest.TooLarge},
	} {
		before, released := f.refusals(forgery.who, forgery.want), f.released()
		g.publish(forgery.topic, forgery.bytes)
		await(t, forgery.name+" to be counted as "+string(forgery.want), func() (bool, string) {
			n := f.refusals(forgery.who, forgery.want)
			if n > before+1 {
				t.Errorf("%s: counted %d times", forgery.name, n-before)
			}
			return n > before, fmt.Sprintf("counters: %v", f.allRefusals())
		})
		f.awaitReceiptsAfter(released)
	}
	words := f.words()
	onPage := []string{rogue}
	for _, why := range []ingest.Reason{ingest.BadSignature, ingest.Foreign, ingest.ReplayedSeq, ingest.BrokenChain, ingest.Malformed, ingest.TooLarge} {
		onPage = append(onPage, words["reason."+string(why)])
	}
	f.awaitPage("/system", onPage...)

	g.steal(stolen)
	for user, secret := range map[string]string{gatewayID: "sai", rogue: "", "nobody": g.secret, "": ""} {
		if c, err := g.connect(user, secret); err == nil {
			c.Disconnect(0)
			t.Errorf("%q with password %q was let in", user, secret)
		}
	}
	if status, _, err := f.get("/"); err != nil || status != http.StatusOK {
		t.Errorf("first page: %d %v", status, err)
	}
	a := account{dated: 1500 * time.Millisecond}
	a.settleField(f, func(from, to time.Time) {
		a.losses = append(a.losses, interrupted(from, to))
	})
	t.Logf("the honest gateway's account: %+v; refused: %v", a.settle(t), f.allRefusals())
}

// steal is a thief of the honest gateway's password, who throws it out and publishes in its name: he cannot sign, and it
// comes back.
func (g *forger) steal(batch []byte) {
	g.t.Helper()
	f := g.field
	before, released := f.refusals(gatewayID, ingest.BadSignature), f.released()
	g.as(gatewayID, strings.TrimSpace(f.read("gw/mqtt.secret")), func(c mqtt.Client) {
		g.send(c, wire.Topic(gatewayID, wire.LeafBatch), bytes.Replace(batch, []byte(`"v":`), []byte(`"v":1`), 1))
	})
	await(g.t, "the thief's batch to be refused", func() (bool, string) {
		return f.refusals(gatewayID, ingest.BadSignature) > before, fmt.Sprint(f.allRefusals())
	})
	f.awaitReceiptsAfter(released)
}

// aSealedBatch returns one whole batch of the honest gateway, as anybody who listens on the line could have it.
func (f *field) aSealedBatch() []byte {
	f.t.Helper()
	db := f.database()
	records, err := db.After(f.t.Context(), 0, 1, 0)
	if err != nil || len(records) == 0 {
		f.t.Fatalf("no batch in the log: %v", err)
	}
	b := records[0].Batch
	sealed, err := db.Sealed(f.t.Context(), ingest.Chain{Gateway: b.Gateway, Epoch: b.Epoch}, b.Seq)
	if err != nil {
		f.t.Fatal(err)
	}
	return sealed
}

// database opens the server's database beside the server, until the story ends.
func (f *field) database() *sqldb.DB {
	f.t.Helper()
	if f.db == nil {
		db, err := sqldb.Open(f.t.Context(), sqldb.Config{Driver: sqldb.SQLite, DSN: f.path("srv/server.db")})
		if err != nil {
			f.t.Fatal(err)
		}
		f.db = db
		f.t.Cleanup(func() {
			if err := db.Close(); err != nil {
				f.t.Error(err)
			}
		})
	}
	return f.db
}

func (f *field) allRefusals() []ingest.Count {
	f.t.Helper()
	counts, err := f.database().Refusals(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return counts
}

func (f *field) refusals(gateway string, why ingest.Reason) (n int64) {
	f.t.Helper()
	for _, c := range f.allRefusals() {
		if c.Gateway == gateway && c.Reason == why {
			n += c.N
		}
	}
	return n
}

// awaitReceiptsAfter waits until the gateway has a receipt for a batch after seq.
func (f *field) awaitReceiptsAfter(seq uint64) {
	f.t.Helper()
	await(f.t, fmt.Sprintf("a receipt after batch %d", seq), func() (bool, string) {
		now := f.released()
		return now > seq, fmt.Sprintf("receipts up to %d", now)
	})
}
