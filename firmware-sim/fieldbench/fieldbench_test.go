package fieldbench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"aovuon/gateway/wire"
)

func gateway(t *testing.T, id string) *Gateway {
	t.Helper()
	g, err := NewGateway(id)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGateway_SealsWhatItsCardChecks(t *testing.T) {
	g := gateway(t, "pond-007")
	if again := gateway(t, "pond-007"); again.Card() != g.Card() {
		t.Error("two of one name have different cards")
	}
	card, err := wire.ParseCard(g.Card().String())
	if err != nil {
		t.Fatal(err)
	}
	v, err := card.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	var prev wire.Hash
	for seq := uint64(1); seq <= 3; seq++ {
		sealed, err := g.Seal([]Reading{{"do", 1_763_614_800_000 + int64(seq), 5.25}, {"ph", 1_763_614_800_000, 7}})
		if err != nil {
			t.Fatal(err)
		}
		b, err := wire.Open(sealed, v)
		if err != nil || b.Seq != seq || b.Prev != prev || len(b.Readings) != 2 || b.Readings[0].Value != 5.25 || b.Readings[0].Quantity != Quantity {
			t.Fatalf("batch %d: %+v, %v", seq, b, err)
		}
		prev = wire.HashOf(sealed)
	}
	if _, err := g.Seal([]Reading{{"Not A Sensor", 1, 1}}); err == nil {
		t.Error("a batch of a sensor that cannot be")
	}
	if _, err := NewGateway("no such name!"); err == nil {
		t.Error("a gateway of a name that cannot be")
	}
}

func TestSetting_WritesWhatAServerReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	s := Setting{Gateways: []string{"canary", "pond-000"}, Listen: "127.0.0.1:1", Broker: "127.0.0.1:2", Influx: "http://127.0.0.1:3", Database: "bench"}
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "cards.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if cards, err := wire.ParseCards(string(raw)); err != nil || len(cards) != 2 || cards[1].Gateway != "pond-000" {
		t.Errorf("%d cards, %v", len(cards), err)
	}
	want := "listen: \"127.0.0.1:1\"\npublic_url: \"http://127.0.0.1:1\"\nname: fieldbench\n" +
		"history: { engine: influx, url: \"http://127.0.0.1:3\", database: \"bench\" }\nbroker: { embedded: { listen: \"127.0.0.1:2\" } }\n"
	if raw, err := os.ReadFile(filepath.Join(dir, "server.yaml")); err != nil || string(raw) != want {
		t.Errorf("%s, %v", raw, err)
	}
}

// fakeBroker takes one gateway's batches and gives receipts; after cut batches of each connection but the last it closes it.
type fakeBroker struct {
	t       *testing.T
	l       net.Listener
	cuts    []int
	stored  [][]byte
	connect int
}

func (f *fakeBroker) serve() {
	for {
		conn, err := f.l.Accept()
		if err != nil {
			return
		}
		if err := f.one(conn); err != nil && !errors.Is(err, errCut) {
			f.t.Log(err)
		}
		if err := conn.Close(); err != nil {
			f.t.Error(err)
		}
	}
}

var errCut = errors.New("cut")

func (f *fakeBroker) one(conn net.Conn) error {
	r := bufio.NewReader(conn)
	n := f.connect
	f.connect++
	for got := 0; ; {
		kind, body, err := readPacket(r)
		if err != nil {
			return err
		}
		var answer []byte
		switch kind {
		case 0x10:
			answer = []byte{0x20, 2, 0, 0}
		case 0x82:
			answer = []byte{0x90, 3, 0, 1, 0}
		case 0x32:
			if n < len(f.cuts) && got == f.cuts[n] {
				return errCut
			}
			got++
			sealed := body[len("xx")+len(wire.Topic("pond-000", wire.LeafBatch))+2:]
			at := 0
			if _, err := fmt.Sscanf(string(bytes.Split(sealed, []byte("\n"))[2]), epoch+" %d", &at); err != nil {
				return err
			}
			if at == len(f.stored)+1 {
				f.stored = append(f.stored, sealed)
			}
			text := fmt.Sprintf("aovuon/receipt/1\npond-000\n%s %d\n2026-01-01T00:00:00.000Z\n", epoch, len(f.stored))
			answer = packet(0x30, append(textOf(wire.Topic("pond-000", wire.LeafReceipt)), text...))
		}
		if _, err := conn.Write(answer); err != nil {
			return err
		}
	}
}

func textOf(s string) []byte { return text(nil, s) }

func TestLink_HandsOverEachBatchInOrderWhateverIsCut(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeBroker{t: t, l: l, cuts: []int{0, 3, 7}}
	done := make(chan struct{})
	go func() { defer close(done); f.serve() }()
	g := gateway(t, "pond-000")
	var sealed [][]byte
	for i := range 40 {
		b, err := g.Seal([]Reading{{"do", 1_763_614_800_000 + int64(i), float64(i)}})
		if err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, b)
	}
	link := &Link{Gateway: g, Broker: l.Addr().String(), Window: 5}
	told, waited := 0, 0
	err = link.Run(t.Context(), len(sealed), func(i int) []byte { return sealed[i] }, func(int) { waited++ }, func(upto int) {
		if upto <= told {
			t.Errorf("told of %d after %d", upto, told)
		}
		told = upto
	})
	reconnects, resent := link.Counts()
	if err != nil || told != len(sealed) || waited < len(sealed) || reconnects != 3 || resent == 0 {
		t.Errorf("%v; receipts for %d, waited for %d, %d reconnects, %d sent again", err, told, waited, reconnects, resent)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
	for i := range sealed {
		if !bytes.Equal(f.stored[i], sealed[i]) {
			t.Fatalf("batch %d differs", i)
		}
	}
}

func TestLink_EndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil { // nobody is there
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	link := &Link{Gateway: gateway(t, "pond-000"), Broker: addr, Window: 1}
	cancel()
	if err := link.Run(ctx, 1, func(int) []byte { return nil }, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
