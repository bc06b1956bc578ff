package uplink_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// hand is a broker played by hand, with the server behind it: what a broker must not do, it does.
type hand struct {
	tb testing.TB
	l  net.Listener
	wg sync.WaitGroup

	// batch is called with each batch that comes, one after the other; by default it is acknowledged and dropped.
	batch func(c *handConn, p *packets.PublishPacket)
	// mute says that a connection (they count from 1) is given a good start and then never a word: silent reads on, stuck
	// reads nothing any more.
	mute func(n int) (silent, stuck bool)

	mu       sync.Mutex
	connects []*packets.ConnectPacket
	closed   int // connections the client closed
	qos      map[byte]int
	subs     int
}

// handConn is one connection.
type handConn struct {
	net.Conn
	h     *hand
	n     int
	write sync.Mutex
}

func newHand(tb testing.TB) *hand {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	h := &hand{tb: tb, l: l, qos: map[byte]int{}}
	done := make(chan struct{})
	tb.Cleanup(func() {
		close(done)
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
		h.wg.Wait()
	})
	h.wg.Go(func() {
		for n := 1; ; n++ {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			c := &handConn{Conn: raw, h: h, n: n}
			h.wg.Go(func() { c.serve(done) })
		}
	})
	return h
}

func (h *hand) url() string { return "tcp://" + h.l.Addr().String() }

func (c *handConn) send(p packets.ControlPacket) {
	c.write.Lock()
	defer c.write.Unlock()
	if err := p.Write(c); err != nil {
		return // the client left
	}
}

func (c *handConn) ack(p *packets.PublishPacket) {
	a, _ := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	a.MessageID = p.MessageID
	c.send(a)
}

// receipt hands a receipt to the gateway.
func (c *handConn) receipt(r *receiver, x wire.Receipt) {
	sealed, err := wire.SealReceipt(x, r.signer)
	if err != nil {
		c.h.tb.Error(err)
		return
	}
	p, _ := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload = wire.Topic(gateway, wire.LeafReceipt), sealed
	c.send(p)
}

func (c *handConn) serve(done <-chan struct{}) {
	defer func() {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			c.h.tb.Error(err)
		}
	}()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-done:
			_ = c.Close() //nolint:errcheck // it ends the reading below
		case <-stop:
		}
	}()
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			c.h.mu.Lock()
			c.h.closed++
			c.h.mu.Unlock()
			return
		}
		var silent, stuck bool
		if c.h.mute != nil {
			silent, stuck = c.h.mute(c.n)
		}
		pub, isBatch := p.(*packets.PublishPacket)
		isBatch = isBatch && strings.HasSuffix(pub.TopicName, "/"+wire.LeafBatch)
		if isBatch && stuck {
			<-done
			return
		}
		if (isBatch && silent) || c.polite(p) {
			continue
		}
		c.h.mu.Lock()
		c.h.qos[pub.Qos]++
		if c.h.batch != nil {
			c.h.batch(c, pub)
		} else {
			c.ack(pub)
		}
		c.h.mu.Unlock()
	}
}

// polite answers everything but batches; false: it is a batch.
func (c *handConn) polite(p packets.ControlPacket) bool {
	switch p := p.(type) {
	case *packets.ConnectPacket:
		c.h.mu.Lock()
		c.h.connects = append(c.h.connects, p)
		c.h.mu.Unlock()
		c.send(packets.NewControlPacket(packets.Connack))
	case *packets.SubscribePacket:
		c.h.mu.Lock()
		c.h.subs++
		c.h.mu.Unlock()
		a, _ := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
		a.MessageID, a.ReturnCodes = p.MessageID, bytes.Repeat([]byte{1}, len(p.Topics))
		c.send(a)
	case *packets.PingreqPacket:
		c.send(packets.NewControlPacket(packets.Pingresp))
	case *packets.PublishPacket:
		if strings.HasSuffix(p.TopicName, "/"+wire.LeafBatch) {
			return false
		}
		if p.Qos == 1 {
			c.ack(p)
		}
	}
	return true
}

func (h *hand) count() (connects, closed, subs int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.connects), h.closed, h.subs
}

// byHand is a gateway whose broker is played by hand and does with batches what f says.
func byHand(tb testing.TB, f func(r *receiver, c *handConn, p *packets.PublishPacket)) (h *hand, r *receiver, g *field, o uplink.Options) {
	tb.Helper()
	h, g = newHand(tb), newField(tb)
	r, key := newBooks(tb, g.key)
	h.batch = func(c *handConn, p *packets.PublishPacket) { f(r, c, p) }
	return h, r, g, g.quick(h.url(), key)
}

// good is what an honest broker and server do.
func good(r *receiver, c *handConn, p *packets.PublishPacket) {
	c.ack(p)
	if x, ok := r.accept(p.Payload); ok {
		c.receipt(r, x)
	}
}

// TestTorture_PubacksPartialAndOutOfOrder: the broker acknowledges in any order, some twice, some never, and loses a third
// of what it acknowledges.
func TestTorture_PubacksPartialAndOutOfOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var held []*packets.PublishPacket
	lost, never := 0, 0
	h, r, g, o := byHand(t, func(r *receiver, c *handConn, p *packets.PublishPacket) {
		held = append(held, p)
		rng.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
		for len(held) > rng.IntN(4) {
			switch p := held[0]; rng.IntN(6) {
			case 0:
				never++
			case 1:
				c.ack(p)
				c.ack(p)
			default:
				c.ack(p)
			}
			held = held[1:]
		}
		if rng.IntN(3) == 0 {
			lost++
			return
		}
		if x, ok := r.accept(p.Payload); ok {
			c.receipt(r, x)
		}
	})
	n := parttest.Effort(t, 60, 200, 3000, 30_000)
	up, _ := g.start(o)
	for range n / 20 {
		g.batches(20, 3)
		parttest.Await(t, "the spool is empty", func() bool { return g.stats().Sealed == 0 })
	}
	r.check(n * 3)
	h.mu.Lock()
	defer h.mu.Unlock()
	if lost == 0 || never == 0 {
		t.Errorf("%d lost, %d never acknowledged", lost, never)
	}
	t.Logf("%d batches, %d lost by the broker, %d PUBACKs withheld, %+v: 0 lost, 0 twice", n, lost, never, up.Counters())
}

// TestUplink_SilentlyDeadConnectionIsTornDown: the broker takes everything and says nothing any more, though its TCP
// connection lives. Without a receipt for twice the timeout the gateway comes with a new connection.
func TestUplink_SilentlyDeadConnectionIsTornDown(t *testing.T) {
	h, r, g, o := byHand(t, good)
	h.mute = func(n int) (bool, bool) { return n <= 2, false }
	g.batches(10, 3)
	up, _ := g.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return g.stats().Sealed == 0 })
	r.check(30)
	if c := up.Counters(); c.Silences < 2 || c.Sessions < 3 {
		t.Errorf("%+v", c)
	}
	parttest.Await(t, "the dead connections are closed", func() bool { _, closed, _ := h.count(); return closed >= 2 })
}

// TestUplink_StuckConnectionIsTornDown: the peer reads nothing any more and the buffers are full, so that even writing hangs.
func TestUplink_StuckConnectionIsTornDown(t *testing.T) {
	t.Parallel()
	h, r, g, o := byHand(t, good)
	h.mute = func(n int) (bool, bool) { return false, n == 1 }
	g.batches(100, 1200) // more than two socket buffers hold
	o.Window = 200
	o.ReceiptTimeout = 2 * time.Second
	g.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return g.stats().Sealed == 0 })
	r.check(100 * 1200)
	if connects, _, _ := h.count(); connects < 2 {
		t.Errorf("%d connections", connects)
	}
}

// TestUplink_EachConnectionIsANewClient: a clean session with the will and the rules of the recipe, batches at QoS 1, and
// everything subscribed to again.
func TestUplink_EachConnectionIsANewClient(t *testing.T) {
	h, r, g, o := byHand(t, good)
	h.mute = func(n int) (bool, bool) { return n <= 2, false }
	g.batches(5, 1)
	g.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return g.stats().Sealed == 0 })
	r.check(5)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.connects) < 3 || h.subs < len(h.connects) || h.qos[0]+h.qos[2] > 0 || h.qos[1] == 0 {
		t.Errorf("%d connections, %d subscriptions, batches by QoS %v", len(h.connects), h.subs, h.qos)
	}
	for _, c := range h.connects {
		var will wire.Status
		will, err := wire.ParseStatus(c.WillMessage)
		if !c.CleanSession || c.ProtocolVersion != 4 || c.Keepalive != 30 || c.ClientIdentifier != gateway || c.Username != gateway ||
			!c.WillFlag || !c.WillRetain || c.WillQos != 1 || c.WillTopic != wire.Topic(gateway, wire.LeafStatus) || err != nil || will.State != wire.Offline {
			t.Errorf("%+v, %v", c, err)
		}
	}
}

// TestTelegraf_ServerAcceptsTheFirstAndTheThird of a batch 0..4, ten stored: Telegraf 1.39.0 sends the third twice and loses
// the fourth.
func TestTelegraf_ServerAcceptsTheFirstAndTheThird(t *testing.T) {
	seen := 0
	_, r, g, o := byHand(t, func(r *receiver, c *handConn, p *packets.PublishPacket) {
		c.ack(p)
		if seen++; seen == 2 || seen == 4 || seen == 5 {
			return
		}
		if x, ok := r.accept(p.Payload); ok {
			c.receipt(r, x)
		}
	})
	g.batches(10, 1)
	o.Window = 5
	g.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return g.stats().Sealed == 0 })
	r.check(10)
}

// TestTelegraf_WhatWasAcceptedIsNotSentAgainAfterARestart: Telegraf's mask of accepted items lives in memory.
func TestTelegraf_WhatWasAcceptedIsNotSentAgainAfterARestart(t *testing.T) {
	first := true
	h, r, g, o := byHand(t, func(r *receiver, c *handConn, p *packets.PublishPacket) {
		if first && r.next > 3 {
			return
		}
		good(r, c, p)
	})
	g.batches(6, 1)
	_, stop := g.start(o)
	parttest.Await(t, "three have a receipt", func() bool { return g.stats().Released == 3 })
	stop()
	h.mu.Lock()
	first = false
	h.mu.Unlock()
	o.ReceiptTimeout = time.Minute
	up, _ := g.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return g.stats().Sealed == 0 })
	r.check(6)
	if c := up.Counters(); c.Published != 3 {
		t.Errorf("%d batches were sent after the restart, want the 3 without a receipt", c.Published)
	}
}

// TestPaho_PublishBeforeTheFirstConnection: paho answers ErrNotConnected; here it waits on the disk.
func TestPaho_PublishBeforeTheFirstConnection(t *testing.T) {
	_, r, g, o := byHand(t, good)
	nowhere := o
	nowhere.URL = "tcp://127.0.0.1:1"
	_, stop := g.start(nowhere)
	g.batches(5, 2)
	parttest.Await(t, "an attempt failed", func() bool { return len(g.links) > 0 })
	stop()
	g.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return g.stats().Sealed == 0 })
	r.check(10)
}

// TestPaho_MoreMessagesThanMessageIDs: paho has 65,535 of them, and a token that never completes keeps one.
func TestPaho_MoreMessagesThanMessageIDs(t *testing.T) {
	if os.Getenv("AOVUON_TORTURE") == "" {
		t.Skip("66,000 batches take minutes: make torture")
	}
	const all = 66_000
	_, r, g, o := byHand(t, good)
	g.start(o)
	for done := 0; done < all; done += 250 {
		g.batches(250, 1)
		parttest.Await(t, "the spool is empty", func() bool { return g.stats().Sealed == 0 })
	}
	r.check(all)
}
