package broker_test

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/broker"
)

// socket opens a bare connection.
func (b *bench) socket() net.Conn {
	b.t.Helper()
	c, err := net.Dial("tcp", b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			b.t.Error(err)
		}
	})
	return c
}

// closedWithin waits for the broker to close c and returns how long that took.
func (b *bench) closedWithin(c net.Conn, limit time.Duration) time.Duration {
	b.t.Helper()
	begin := time.Now()
	if err := c.SetReadDeadline(begin.Add(limit)); err != nil {
		b.t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		b.t.Fatalf("still open after %v", limit)
	}
	return time.Since(begin)
}

func TestEmbedded_AnnouncedGiantIsCutOffAtOnce(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	b.mark(b.gateway("gw-one"), "gw-one")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c := b.socket()
	if _, err := c.Write([]byte{0x10, 0xff, 0xff, 0xff, 0x7f}); err != nil { // CONNECT of 268,435,455 bytes
		t.Fatal(err)
	}
	if took := b.closedWithin(c, patience); took > time.Second {
		t.Errorf("closed after %v, want at once", took)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc) - int64(before.TotalAlloc); grown > 8<<20 {
		t.Errorf("allocated %d bytes for it", grown)
	}
	b.expectViolation(broker.TooLarge, "")
}

func TestEmbedded_SilentSocketsAreClosedAndFreeTheirPlaces(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{AuthTimeout: time.Second, MaxConnections: 3})
	b.receive()
	silent, half := b.socket(), b.socket()
	if _, err := half.Write([]byte{0x10, 0x7f, 0, 4, 'M', 'Q'}); err != nil {
		t.Fatal(err)
	}
	b.closedWithin(silent, patience)
	b.closedWithin(half, patience)
	b.mark(b.gateway("gw-one"), "gw-one")
}

func TestEmbedded_ClosesPromptlyWithSilentSockets(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	b.mark(b.gateway("gw-one"), "gw-one")
	for range 200 {
		b.socket()
	}
	begin := time.Now()
	b.stop()
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("closing took %v", took)
	}
}

func TestEmbedded_BusyPortIsAnError(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	_, err := broker.StartEmbedded(broker.EmbeddedOptions{Listen: b.address, StoreDir: t.TempDir(), Secrets: secrets{}, Log: discard()})
	if err == nil {
		t.Fatal("two brokers on one port")
	}
	t.Log(err)
}

func TestEmbedded_RetiredGatewayIsCutOff(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	lost := make(chan error, 1)
	o := clientOptions(b.address, "gw-one", "gw-one", "secret-one")
	o.OnConnectionLost = lostTo(lost)
	c := b.dial(o)
	b.mark(c, "gw-one")
	b.embedded.Disconnect("gw-one")
	select {
	case why := <-lost:
		t.Log(why)
	case <-time.After(patience):
		t.Fatal("still connected")
	}
	b.embedded.Disconnect("gw-one") // again: nothing to do
	if err := b.embedded.Send("gw-one", wire.LeafReceipt, nil); err != nil {
		t.Errorf("send to nobody: %v", err)
	}
}
