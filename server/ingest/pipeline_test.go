package ingest_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
)

func TestPipeline_EveryReadingArrivesOnceInOrderWithItsOwnTime(t *testing.T) {
	eachBroker(t, func(t *testing.T, r *rig) {
		one, two := r.enrol("gw-one"), r.enrol("gw-two")
		one.connect()
		two.connect()
		for range 200 {
			one.send(5)
			two.send(3)
		}
		one.awaitReceipt(200)
		two.awaitReceipt(200)
		r.awaitPoints("gw-one", 1000)
		r.awaitPoints("gw-two", 600)
		for i, p := range r.points("gw-one") {
			want := start.Add(time.Duration(i/5)*time.Minute + time.Duration(i%5)*time.Second)
			if !p.Time.Equal(want) || p.Value != float64(i/5%20)+float64(i%5)/100 || p.Quality != measure.Good {
				t.Fatalf("point %d: %+v, want time %v", i, p, want)
			}
		}
		end, err := r.db.LogEnd(t.Context())
		if err != nil || end != 400 {
			t.Errorf("log ends at %d, %v; want 400", end, err)
		}
	})
}

func TestPipeline_SentAgainIsReceiptedAgainAndStoredOnce(t *testing.T) {
	eachBroker(t, func(t *testing.T, r *rig) {
		g := r.enrol("gw-one")
		g.connect()
		var all [][]byte
		for range 20 {
			all = append(all, g.send(2))
		}
		g.awaitReceipt(20)
		for _, sealed := range all {
			g.publish(wire.LeafBatch, sealed)
		}
		g.awaitReceipt(20)
		g.send(2)
		g.awaitReceipt(21)
		r.awaitPoints("gw-one", 42)
		if end, err := r.db.LogEnd(t.Context()); err != nil || end != 21 {
			t.Errorf("log ends at %d, %v; want 21", end, err)
		}
	})
}

func TestPipeline_HoleIsAnsweredByWhatWeHave(t *testing.T) {
	eachBroker(t, func(_ *testing.T, r *rig) {
		g := r.enrol("gw-one")
		g.connect()
		g.send(1)
		g.awaitReceipt(1)
		lost := g.seal(g.batch(1))
		g.seq, g.prev = g.seq+1, wire.HashOf(lost) // as if it had been sent
		g.send(1)
		g.awaitReceipt(1) // told again where we are
		g.publish(wire.LeafBatch, lost)
		g.awaitReceipt(2)
		g.epoch, g.seq = "00000000000000e2", 4 // a new epoch must begin at 1
		g.send(1)
		g.awaitReceipt(0)
	})
}

// forgery is a message that must be refused.
type forgery struct {
	name    string
	reason  ingest.Reason
	gateway string // who is held to it; empty: the one that sent it
	make    func(r *rig, g *gateway) (topic string, payload []byte)
}

func forgeries() []forgery {
	own := func(f func(r *rig, g *gateway) []byte) func(*rig, *gateway) (string, []byte) {
		return func(r *rig, g *gateway) (string, []byte) { return wire.Topic(g.id, wire.LeafBatch), f(r, g) }
	}
	return []forgery{
		{"wrong key", ingest.BadSignature, "", own(func(r *rig, g *gateway) []byte {
			thief, _ := newKey(r.t, g.id)
			sealed, err := wire.Seal(g.batch(1), thief)
			if err != nil {
				r.t.Fatal(err)
			}
			return sealed
		})},
		{"altered byte", ingest.BadSignature, "", own(func(_ *rig, g *gateway) []byte {
			return bytes.Replace(g.seal(g.batch(1)), []byte(`"v":`), []byte(`"v":1`), 1)
		})},
		{"another gateway's batch", ingest.Foreign, "", own(func(r *rig, g *gateway) []byte {
			other := &gateway{r: r, id: "gw-other", epoch: g.epoch}
			other.signer, _ = newKey(r.t, "gw-other")
			return other.seal(other.batch(1))
		})},
		{"replayed seq with other bytes", ingest.ReplayedSeq, "", own(func(_ *rig, g *gateway) []byte {
			b := g.batch(3)
			b.Seq, b.Prev = 1, wire.Hash{}
			return g.seal(b)
		})},
		{"broken chain", ingest.BrokenChain, "", own(func(_ *rig, g *gateway) []byte {
			b := g.batch(1)
			b.Prev[0] ^= 1
			return g.seal(b)
		})},
		{"1 MiB", ingest.TooLarge, "", own(func(*rig, *gateway) []byte { return bytes.Repeat([]byte("x"), 1<<20) })},
		{"61 kB", ingest.TooLarge, "", own(func(*rig, *gateway) []byte { return bytes.Repeat([]byte("x"), 61_000) })},
		{"garbage", ingest.Malformed, "", own(func(*rig, *gateway) []byte { return []byte("\x00\xff\xfe not a batch \x00") })},
		{"nothing", ingest.Malformed, "", own(func(*rig, *gateway) []byte { return []byte{} })},
		{"deep JSON", ingest.Malformed, "", own(func(_ *rig, g *gateway) []byte {
			deep := strings.Repeat("[", 25_000) + strings.Repeat("]", 25_000)
			return fmt.Appendf(nil, "aovuon/batch/1\n%s\n%s 2\n-\nsynced 00112233\n%s\n\n— %s AAAA\n", g.id, g.epoch, deep, g.id)
		})},
		{"not canonical", ingest.Malformed, "", own(func(_ *rig, g *gateway) []byte { return append(g.seal(g.batch(1)), '\n') })},
		{"status that is none", ingest.Malformed, "", func(_ *rig, g *gateway) (string, []byte) {
			return wire.Topic(g.id, wire.LeafStatus), []byte(strings.Repeat("[", 900))
		}},
		{"huge status", ingest.TooLarge, "", func(_ *rig, g *gateway) (string, []byte) {
			return wire.Topic(g.id, wire.LeafStatus), bytes.Repeat([]byte("x"), 5000)
		}},
	}
}

func TestPipeline_ForgeriesAreRefusedCountedAndStopNothing(t *testing.T) {
	eachBroker(t, func(t *testing.T, r *rig) {
		var forgers []*gateway
		for i := range forgeries() {
			forgers = append(forgers, r.enrol(fmt.Sprintf("gw-forger-%d", i)))
		}
		for i, f := range forgeries() {
			t.Run(f.name, func(t *testing.T) {
				g := forgers[i]
				g.connect()
				g.send(1)
				g.awaitReceipt(1)
				topic, payload := f.make(r, g)
				g.publishTo(topic, payload)
				r.awaitRefusal(g.id, f.reason)
				if !g.client.IsConnectionOpen() { // the embedded broker hangs up on giants
					g.connect()
				}
				g.send(2)
				g.awaitReceipt(2) // the queue goes on, and the forgery took no number
				r.awaitPoints(g.id, 3)
				if n := r.refused(g.id, f.reason); n != 1 {
					t.Errorf("counted %d times", n)
				}
			})
		}
		samples, err := r.db.Samples(t.Context(), 100)
		if err != nil || len(samples) < len(forgeries())-1 {
			t.Fatalf("%d samples, %v", len(samples), err)
		}
		for _, s := range samples {
			if len(s.Sample) > ingest.MaxSample || s.Detail == "" {
				t.Errorf("sample of %d bytes, detail %q", len(s.Sample), s.Detail)
			}
		}
	})
}

func TestPipeline_ForeignTopicIsRefused(t *testing.T) {
	eachBroker(t, func(_ *testing.T, r *rig) {
		one, two := r.enrol("gw-one"), r.enrol("gw-two")
		one.connect()
		two.connect()
		one.publishTo(wire.Topic("gw-two", wire.LeafBatch), one.seal(one.batch(1)))
		held := "gw-one" // the embedded broker knows who it was; behind Mosquitto the topic is all there is
		if r.mosquitto != nil {
			held = "gw-two"
		}
		r.awaitRefusal(held, ingest.Foreign)
		two.send(1)
		two.awaitReceipt(1)
	})
}

func TestPipeline_UnknownAndRetiredGatewaysBehindAnOpenBroker(t *testing.T) {
	eachBroker(t, func(t *testing.T, r *rig) {
		g := r.enrol("gw-one")
		g.connect()
		g.send(1)
		g.awaitReceipt(1)
		if r.mosquitto != nil {
			g.publishTo(wire.Topic("gw-nobody", wire.LeafBatch), g.seal(g.batch(1)))
			r.awaitRefusal("", ingest.UnknownGateway)
		}
		if err := r.db.RetireGateway(t.Context(), "gw-one", ledger.By{Actor: ledger.Operator, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		if r.mosquitto == nil { // the embedded broker hangs up and does not let it in again
			parttest.Await(t, "end of the connection", func() bool { return !g.client.IsConnectionOpen() })
			return
		}
		parttest.Await(t, "refusal of the retired", func() bool {
			g.publish(wire.LeafBatch, g.seal(g.batch(1)))
			return r.refused("gw-one", ingest.RetiredGateway) > 0
		})
	})
}

func TestPipeline_FloodOfForgeriesHoldsUpNobody(t *testing.T) {
	r := newRig(t, nil)
	forger, honest := r.enrol("gw-two"), r.enrol("gw-one")
	forger.connect()
	honest.connect()
	const flood = 3000
	for range flood {
		forger.client.Publish(wire.Topic("gw-two", wire.LeafBatch), 1, false, []byte("rubbish"))
	}
	for range 50 {
		honest.send(1)
	}
	honest.awaitReceipt(50)
	parttest.Await(t, "count of the flood", func() bool { return r.refused("gw-two", ingest.Malformed) == flood })
	samples, err := r.db.Samples(t.Context(), 1000)
	if err != nil || len(samples) == 0 || len(samples) > 20 {
		t.Errorf("%d samples kept, %v; want some and at most 20", len(samples), err)
	}
}

func TestPipeline_RestartInTheMiddle(t *testing.T) {
	eachBroker(t, func(_ *testing.T, r *rig) {
		g := r.enrol("gw-one")
		g.connect()
		var all [][]byte
		for range 40 {
			all = append(all, g.send(3))
		}
		r.stop() // some are committed, some are not
		r.start()
		g.connect()
		for _, sealed := range all { // without a receipt, a gateway sends again
			g.publish(wire.LeafBatch, sealed)
		}
		g.awaitReceipt(40)
		g.send(3)
		g.awaitReceipt(41)
		r.awaitPoints("gw-one", 123)
	})
}

func TestPipeline_TwoEpochs(t *testing.T) {
	eachBroker(t, func(_ *testing.T, r *rig) {
		g := r.enrol("gw-one")
		g.connect()
		for range 5 {
			g.send(1)
		}
		g.awaitReceipt(5)
		first := g.seq
		g.epoch, g.prev = "00000000000000e2", wire.Hash{} // the spool was made anew
		for i := range 5 {
			b := g.batch(1)
			b.Seq = uint64(i + 1)
			sealed := g.seal(b)
			g.seq, g.prev = first+uint64(i)+1, wire.HashOf(sealed)
			g.publish(wire.LeafBatch, sealed)
		}
		g.awaitReceipt(5)
		r.awaitPoints("gw-one", 10)
	})
}

func TestPipeline_StatusIsKept(t *testing.T) {
	eachBroker(t, func(t *testing.T, r *rig) {
		g := r.enrol("gw-one")
		g.connect()
		for _, state := range []string{"online", "offline"} {
			g.publish(wire.LeafStatus, fmt.Appendf(nil, `{"state":%q,"version":"x"}`, state))
			parttest.Await(t, state, func() bool {
				st, err := r.db.Standings(t.Context())
				return err == nil && len(st) == 1 && st[0].State.State == state && !st[0].Seen.IsZero()
			})
		}
	})
}
