package fleet

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// publishPacket is a PUBLISH as a client writes it.
func publishPacket(topic string, qos byte, id uint16, payload string) []byte {
	body := append(binary.BigEndian.AppendUint16(nil, uint16(len(topic))), topic...)
	if qos > 0 {
		body = binary.BigEndian.AppendUint16(body, id)
	}
	body = append(body, payload...)
	return append([]byte{typePublish | qos<<1, byte(len(body))}, body...)
}

func pubAck(id uint16) []byte { return binary.BigEndian.AppendUint16([]byte{typePubAck, 2}, id) }

// wired is a link and the broker's end of it.
func wired(t *testing.T, f Faults) (*link, net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	on := &atomic.Bool{}
	on.Store(true)
	l := newLink(near, &f, on, newTally(time.Second, func(err error) { t.Error(err) }), 7, time.Now)
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), far.Close()); err != nil {
			t.Error(err)
		}
	})
	return l, far
}

// written returns what n packets of the gateway's look like at the broker.
func written(t *testing.T, l *link, far net.Conn, n int, packets ...[]byte) [][]byte {
	t.Helper()
	go func() {
		for _, p := range packets {
			if _, err := l.Write(p); err != nil {
				t.Error(err)
			}
		}
	}()
	var out [][]byte
	r := bufio.NewReader(far)
	for range n {
		p, err := readPacket(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestLink_DoublesAPublishAndCountsItsAcknowledgementOnce(t *testing.T) {
	l, far := wired(t, Faults{Duplicate: 1})
	p := publishPacket("aovuon/1/fl-0001/batch", 1, 9, "x")
	status := publishPacket("aovuon/1/fl-0001/status", 1, 10, "y")
	got := written(t, l, far, 3, p[:3], p[3:], status) // in pieces, too
	if !bytes.Equal(got[0], p) || got[1][0] != p[0]|dupBit || !bytes.Equal(got[1][1:], p[1:]) || !bytes.Equal(got[2], status) {
		t.Fatalf("%x", got)
	}
	go func() {
		for _, id := range []uint16{9, 9, 10, 9} { // the last is nobody's: it passes
			if _, err := far.Write(pubAck(id)); err != nil {
				t.Error(err)
			}
		}
	}()
	r := bufio.NewReader(l)
	for _, want := range []uint16{9, 10, 9} {
		p, err := readPacket(r, nil)
		if id, ok := asPubAck(p); err != nil || !ok || id != want {
			t.Fatalf("%x %v, want the acknowledgement of %d", p, err, want)
		}
	}
	if a, b, c := l.tally.published.Load(), l.tally.repeated.Load(), l.tally.pubacked.Load(); a != 1 || b != 1 || c != 1 {
		t.Errorf("published %d, repeated %d, acknowledged %d", a, b, c)
	}
}

func TestLink_WithholdsReceiptsAndNothingElse(t *testing.T) {
	l, far := wired(t, Faults{Withhold: 1})
	go func() {
		for _, p := range [][]byte{
			publishPacket("aovuon/1/fl-0001/receipt", 0, 0, "one"), publishPacket("aovuon/1/fl-0001/desired", 1, 1, "two"),
			publishPacket("aovuon/1/fl-0001/receipt", 0, 0, "three"), publishPacket("aovuon/1/fl-0001/receipt", 1, 2, "four"),
		} {
			if _, err := far.Write(p); err != nil {
				t.Error(err)
			}
		}
	}()
	r := bufio.NewReader(l)
	for _, want := range []string{"two", "four"} {
		if p, err := readPacket(r, nil); err != nil || !bytes.HasSuffix(p, []byte(want)) {
			t.Fatalf("%q %v, want %s", p, err, want)
		}
	}
	if n := l.tally.withheld.Load(); n != 2 {
		t.Errorf("%d withheld", n)
	}
}

func TestLink_DelaysEverythingAndLetsBatchesBeOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, far := wired(t, Faults{Delay: 3 * time.Second, Reorder: 0.5})
		var packets [][]byte
		for i := range 40 {
			leaf := "batch"
			if i%4 == 3 {
				leaf = "status"
			}
			packets = append(packets, publishPacket("aovuon/1/fl-0001/"+leaf, 1, uint16(i), ""))
		}
		begin := time.Now()
		got := written(t, l, far, len(packets), packets...)
		if took := time.Since(begin); took < 3*time.Second || took > 3100*time.Millisecond {
			t.Errorf("took %v", took)
		}
		last, overtaken := map[bool]uint16{}, 0
		for _, p := range got {
			pub, _ := asPublish(p)
			if pub.is("batch") {
				if pub.id < last[true] {
					overtaken++
				}
				last[true] = max(last[true], pub.id)
				continue
			}
			if pub.id < last[false] {
				t.Errorf("status %d after status %d", pub.id, last[false])
			}
			last[false] = pub.id
		}
		if n := int(l.tally.reordered.Load()); overtaken == 0 || overtaken > n {
			t.Errorf("%d overtaken, %d said", overtaken, n)
		}
	})
}

func TestLink_EndsWithItsConnection(t *testing.T) {
	l, far := wired(t, Faults{Delay: time.Hour})
	if _, err := l.Write(publishPacket("aovuon/1/fl-0001/batch", 1, 1, "lost on the way")); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := far.Read(make([]byte, 10)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if _, err := l.Read(make([]byte, 10)); err == nil {
		t.Error("a closed link was read from")
	}
}
