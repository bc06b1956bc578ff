package broker_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/broker"
	"aovuon/server/parttest"
)

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// fastest makes the fastest of some tries count: another program on this machine is no attack.
func fastest(tries int, f func() time.Duration) time.Duration {
	best := time.Duration(1<<63 - 1)
	for range tries {
		best = min(best, f())
	}
	return best
}

func TestEmbedded_GiantLengthCostsNothing(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	b.mark(b.gateway("gw-one"), "gw-one")
	before := heap()
	took := fastest(5, func() time.Duration {
		c := b.socket()
		begin := time.Now()
		if _, err := c.Write([]byte{0x10, 0xff, 0xff, 0xff, 0x7f}); err != nil { // CONNECT of 268,435,455 bytes
			t.Fatal(err)
		}
		b.closedWithin(c, patience)
		return time.Since(begin)
	})
	grown := heap() - before
	t.Logf("closed after %v, heap grew by %d bytes", took, grown)
	if took > 100*time.Millisecond || grown > 1<<20 {
		t.Errorf("closed after %v with %d bytes more: want 100 ms and 1 MiB", took, grown)
	}
	b.expectViolation(broker.TooLarge, "")
	long := b.socket()
	if _, err := long.Write([]byte{0x10, 0xff, 0xff, 0xff, 0xff, 0x7f}); err != nil { // a fifth byte of length
		t.Fatal(err)
	}
	b.closedWithin(long, patience)
}

// connectOf is the CONNECT packet of a client, with a password so long that the packet has about size bytes.
func connectOf(id string, keepAlive byte, password string) []byte {
	field := func(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) }
	body := append([]byte{0, 4, 'M', 'Q', 'T', 'T', 4, 0xc2, 0, keepAlive}, field(id)...)
	body = append(append(body, field(id)...), field(password)...)
	head := []byte{0x10}
	for n := len(body); ; {
		d := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			head = append(head, d|0x80)
			continue
		}
		return append(append(head, d), body...)
	}
}

func TestEmbedded_HalfSentConnectsAreCheap(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	c := b.gateway("gw-one")
	b.mark(c, "gw-one")
	packet := connectOf("gw-two", 30, strings.Repeat("x", broker.MaxPayload-200))
	half := packet[:len(packet)-1]
	before := heap()
	for range 100 {
		if _, err := b.socket().Write(half); err != nil {
			t.Fatal(err)
		}
	}
	parttest.Await(t, "the sockets", func() bool { return b.embedded.Clients() >= 101 })
	b.mark(c, "gw-one")
	grown := heap() - before
	t.Logf("100 half-sent CONNECTs of %d bytes: heap grew by %.1f MiB", len(half), float64(grown)/(1<<20))
	if grown > 20<<20 {
		t.Errorf("heap grew by %d bytes: want at most 20 MiB", grown)
	}
}

func TestEmbedded_NobodyHoldsASocketByTrickling(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{AuthTimeout: time.Second})
	b.receive()
	b.mark(b.gateway("gw-one"), "gw-one")
	c := b.socket()
	begin := time.Now()
	packet, tick := connectOf("gw-two", 30, "secret-two"), time.NewTicker(300*time.Millisecond)
	defer tick.Stop()
	for i := 0; i < len(packet)-1; i++ {
		if _, err := c.Write(packet[i : i+1]); err != nil {
			break
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil && !os.IsTimeout(err) {
			break
		}
		<-tick.C
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("a byte every 0.3 s held a socket for %v: AuthTimeout is 1 s for all of it", took)
	}
}

// named connects over a bare socket, so that the test decides what is sent after it.
func (b *bench) named(id string, keepAlive byte) net.Conn {
	b.t.Helper()
	c := b.socket()
	if _, err := c.Write(connectOf(id, keepAlive, strings.Replace(id, "gw", "secret", 1))); err != nil {
		b.t.Fatal(err)
	}
	ack := make([]byte, 4)
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		b.t.Fatal(err)
	}
	if _, err := io.ReadFull(c, ack); err != nil || ack[0] != 0x20 || ack[3] != 0 {
		b.t.Fatalf("CONNACK % x, %v", ack, err)
	}
	return c
}

func TestEmbedded_KeepAliveZeroDoesNotHoldAPlaceForEver(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{Silence: 2 * time.Second})
	b.receive()
	c := b.gateway("gw-one")
	silent := b.named("gw-two", 0)
	stop, done := context.WithCancel(t.Context())
	defer done()
	go func() { // the honest one reports while the other is silent
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop.Done():
				return
			case <-tick.C:
				c.Publish(wire.Topic("gw-one", wire.LeafStatus), 0, false, "online")
			}
		}
	}()
	b.closedWithin(silent, patience)
	b.expectViolation(broker.Silent, "gw-two")
	if !c.IsConnectionOpen() {
		t.Error("one that reports was cut off with it")
	}
}

func TestEmbedded_PlacesTakenBySilentSocketsComeFree(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{AuthTimeout: time.Second, MaxConnections: 5})
	b.receive()
	for range 20 {
		b.socket()
	}
	b.mark(b.gateway("gw-one"), "gw-one") // dials until it is let in
}

func TestEmbedded_ForeignWillsOfAllKindsAreNeverDelivered(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	two := b.gateway("gw-two")
	b.mark(two, "gw-two")
	for qos := range byte(2) {
		for _, retained := range []bool{false, true} {
			o := clientOptions(b.address, "gw-one", "gw-one", "secret-one").SetWill(wire.Topic("gw-two", wire.LeafStatus), "offline", qos, retained)
			b.dial(o)
			b.embedded.Disconnect("gw-one") // fires the will
			b.expectViolation(broker.ForeignPublish, "gw-one")
		}
	}
	for _, flags := range []byte{0xc2 | 0x14, 0xc2 | 0x34} { // a will of QoS 2, retained or not
		packet := connectOf("gw-one", 30, "secret-one")
		topic := wire.Topic("gw-two", wire.LeafStatus)
		will := append(append([]byte{0, byte(len(topic))}, topic...), 0, 1, 'x')
		at := 2 + 10 + 2 + len("gw-one") // behind the client id
		packet = append(append(append([]byte{}, packet[:at]...), will...), packet[at:]...)
		packet[1], packet[9] = packet[1]+byte(len(will)), flags
		c := b.socket()
		if _, err := c.Write(packet); err != nil {
			t.Fatal(err)
		}
		b.closedWithin(c, patience)
		b.expectViolation(broker.Protocol, "")
	}
	b.mark(two, "gw-two")
	// Nor was any of it retained: a server that starts now would be told.
	b.mark(b.gateway("gw-one"), "gw-one")
}

func TestEmbedded_FlappingHarmsNobodyElse(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	neighbour := b.gateway("gw-two")
	for range 10 { // two machines with one card, each throwing out the other
		c := b.socket()
		if _, err := c.Write(connectOf("gw-one", 30, "secret-one")); err != nil {
			t.Fatal(err)
		}
		b.mark(neighbour, "gw-two")
	}
	if !neighbour.IsConnectionOpen() {
		t.Error("the neighbour lost its connection")
	}
	parttest.Await(t, "one of them at most", func() bool { return b.embedded.Clients() <= 2 })
	b.mark(b.gateway("gw-one"), "gw-one")
}

// stuckSecrets answers nothing about one gateway.
type stuckSecrets struct {
	secrets
	asked   chan struct{}
	release chan struct{}
}

func (s stuckSecrets) SecretSHA(gateway string) ([32]byte, bool) {
	if gateway == "gw-stuck" {
		close(s.asked)
		<-s.release
	}
	return s.secrets.SecretSHA(gateway)
}

func TestEmbedded_ClosesWithinThreeSecondsWhateverHoldsIt(t *testing.T) {
	stuck := stuckSecrets{secrets{"gw-one": "secret-one", "gw-two": "secret-two"}, make(chan struct{}), make(chan struct{})}
	defer close(stuck.release)
	b := startEmbedded(t, broker.EmbeddedOptions{Secrets: stuck, AuthTimeout: time.Minute})
	b.receive()
	c := b.gateway("gw-one")
	b.mark(c, "gw-one")
	for range 300 {
		b.socket()
	}
	reader := b.named("gw-two", 0) // asks for its receipts and never reads them
	topic := wire.Topic("gw-two", wire.LeafReceipt)
	sub := append([]byte{0x82, byte(2 + 2 + len(topic) + 1), 0, 1, 0, byte(len(topic))}, topic...)
	if _, err := reader.Write(append(sub, 0)); err != nil {
		t.Fatal(err)
	}
	ack := make([]byte, 5)
	if _, err := io.ReadFull(reader, ack); err != nil || ack[0] != 0x90 || ack[4] != 0 {
		t.Fatalf("SUBACK % x, %v", ack, err)
	}
	for range 600 { // 30 MB
		if err := b.embedded.Send("gw-two", wire.LeafReceipt, make([]byte, 50_000)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.socket().Write(connectOf("gw-stuck", 30, "x")); err != nil {
		t.Fatal(err)
	}
	<-stuck.asked
	begin := time.Now()
	b.stop()
	took := time.Since(begin)
	t.Logf("300 silent sockets, a stuck reader, a blocked question: closed after %v", took)
	if took > 3*time.Second {
		t.Errorf("closing took %v, want less than 3 s", took)
	}
}

func TestEmbedded_RetiredIsCutOffWithinASecond(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	took := fastest(3, func() time.Duration {
		lost := make(chan error, 1)
		o := clientOptions(b.address, "gw-one", "gw-one", "secret-one")
		o.OnConnectionLost = lostTo(lost)
		b.mark(b.dial(o), "gw-one")
		begin := time.Now()
		b.embedded.Disconnect("gw-one")
		select {
		case why := <-lost:
			t.Log(why)
		case <-time.After(patience):
			t.Fatal("still connected")
		}
		return time.Since(begin)
	})
	t.Logf("connection ended %v after", took)
	if took > time.Second {
		t.Errorf("ended after %v, want less than a second", took)
	}
}

func TestEmbedded_SlowIngestGetsNothingTwice(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	hold := make(chan func(), 10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- b.embedded.Receive(ctx, func(gateway, leaf string, payload []byte, done func()) {
			b.messages <- got{gateway, leaf, string(payload)}
			hold <- done // not done until the test ends: longer than any broker waits
		})
	}()
	c := b.gateway("gw-one")
	for i := range 3 {
		b.publish(c, wire.Topic("gw-one", wire.LeafBatch), 1, false, fmt.Sprint(i))
	}
	for i := range 3 {
		b.expect(got{"gw-one", wire.LeafBatch, fmt.Sprint(i)})
	}
	select {
	case m := <-b.messages:
		t.Errorf("%+v came again: the broker waits for no acknowledgement of ingest's", m)
	case <-time.After(300 * time.Millisecond): // that nothing comes has no event
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestEmbedded_BatchesCannotFillTheStore(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{MaxStore: 1 << 20})
	b.receive()
	c := b.gateway("gw-one")
	payload := strings.Repeat("x", 50_000)
	for range 200 { // 10 MB through a store of 1 MiB
		b.publish(c, wire.Topic("gw-one", wire.LeafBatch), 1, false, payload)
		b.expect(got{"gw-one", wire.LeafBatch, payload})
	}
	for range 100 { // of retained messages the last one is kept: 50 kB, whoever sends how many
		b.publish(c, wire.Topic("gw-one", wire.LeafBatch), 1, true, payload)
		b.expect(got{"gw-one", wire.LeafBatch, payload})
	}
	b.mark(b.gateway("gw-two"), "gw-two")
}

func TestEmbedded_FullDiskLosesNothingThatWasAcknowledged(t *testing.T) {
	dir := t.TempDir()
	parttest.Disk(t, dir, "4")
	b := startEmbedded(t, broker.EmbeddedOptions{StoreDir: dir})
	b.receive()
	c := b.gateway("gw-one")
	b.mark(c, "gw-one")
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	acked, came := 0, 0
	for i := range 50 {
		tok := c.Publish(wire.Topic("gw-one", wire.LeafBatch), 1, false, fmt.Sprint(i))
		if tok.WaitTimeout(200*time.Millisecond) && tok.Error() == nil {
			acked++
		}
	}
	for drained := false; !drained; {
		select {
		case <-b.messages:
			came++
		case <-time.After(300 * time.Millisecond):
			drained = true
		}
	}
	t.Logf("disk full: %d of 50 acknowledged, %d came", acked, came)
	if came < acked {
		t.Errorf("%d acknowledged, %d came", acked, came)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	b.mark(b.gateway("gw-one"), "gw-one")
	b.mark(b.gateway("gw-two"), "gw-two")
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{64 << 10, 4 << 10, 1} {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		err = nil
	}
	if err := f.Close(); err != nil {
		t.Logf("ballast: %v", err)
	}
}
