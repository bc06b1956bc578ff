package fieldbench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"aovuon/gateway/wire"
)

// Times of a link.
const (
	dialTimeout = 2 * time.Second
	redial      = 100 * time.Millisecond
	noReceipt   = 10 * time.Second // without one the batches are sent again, as gateways do
)

// errSilent ends a connection on which nothing comes.
var errSilent = errors.New("nobody answers")

// Link hands sealed batches over as a gateway does: in order, at QoS 1, at most Window without a receipt, and again from the first one without
// a receipt whenever the connection was lost. What has a receipt is in the server's log, on disk: that alone counts as handed over.
//
// Receipts are taken at their word. A gateway checks their signatures; at full load on one machine that would be taken from who is measured.
type Link struct {
	Gateway *Gateway
	Broker  string // host:port, plain MQTT 3.1.1
	Window  int

	mu         sync.Mutex
	moved      *sync.Cond
	upto       int // batches with a receipt
	broken     error
	reconnects int
	resent     int
}

// Counts says how often the link connected anew and how many batches it sent again.
func (l *Link) Counts() (reconnects, resent int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reconnects, l.resent
}

// Upto is how many batches have a receipt.
func (l *Link) Upto() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.upto
}

// Run hands over n batches. Sealed returns batch i, counted from 0, each time the same; wait returns when it is due; receipted is told how many
// batches have a receipt, whenever there are more. Run returns when all have, or ctx ended.
func (l *Link) Run(ctx context.Context, n int, sealed func(i int) []byte, wait func(i int), receipted func(upto int)) error {
	l.mu.Lock()
	l.moved = sync.NewCond(&l.mu)
	l.mu.Unlock()
	sent := 0
	for first := true; l.Upto() < n; first = false {
		if err := l.session(ctx, n, &sent, first, sealed, wait, receipted); ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		if l.Upto() < n {
			pause(ctx, redial)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// session is one connection. Sent is how many batches were ever sent.
func (l *Link) session(ctx context.Context, n int, sent *int, first bool, sealed func(int) []byte, wait func(int), receipted func(int)) error {
	conn, r, err := Dial(ctx, l.Broker, l.Gateway)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.broken = nil
	if !first {
		l.reconnects++
	}
	next := l.upto
	l.resent += *sent - next
	l.mu.Unlock()
	var reader sync.WaitGroup
	reader.Go(func() { l.lose(l.receive(conn, r, receipted)) })
	stop := context.AfterFunc(ctx, func() { l.lose(context.Cause(ctx)) })
	w := bufio.NewWriterSize(conn, 32<<10)
	for ; next < n; next++ {
		if next >= *sent && wait != nil {
			if err := w.Flush(); err != nil {
				break
			}
			wait(next)
		}
		if !l.room(next, w) || l.publish(w, next, sealed(next)) != nil {
			break
		}
		*sent = max(*sent, next+1)
	}
	if w.Flush() == nil && next == n {
		l.rest(n)
	}
	stop()
	err = conn.Close()
	reader.Wait()
	return err
}

// room waits until batch i may be sent; false when the connection is lost.
func (l *Link) room(i int, w *bufio.Writer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i >= l.upto+l.Window && l.broken == nil {
		l.mu.Unlock()
		err := w.Flush()
		l.mu.Lock()
		if err != nil {
			return false
		}
		if i >= l.upto+l.Window && l.broken == nil {
			l.moved.Wait()
		}
	}
	return l.broken == nil
}

// rest waits until all have a receipt, or the connection is lost.
func (l *Link) rest(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.upto < n && l.broken == nil {
		l.moved.Wait()
	}
}

func (l *Link) lose(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = why
	}
	l.moved.Broadcast()
}

func (l *Link) publish(w *bufio.Writer, i int, sealed []byte) error {
	_, err := w.Write(l.Gateway.Packet(uint16(i%65535+1), sealed))
	return err
}

// receive takes receipts until the connection ends or none comes.
func (l *Link) receive(conn net.Conn, r *bufio.Reader, receipted func(int)) error {
	silent := make(chan error, 1)
	late := time.AfterFunc(noReceipt, func() { silent <- errors.Join(errSilent, conn.Close()) })
	defer late.Stop()
	for {
		kind, body, err := readPacket(r)
		if err != nil {
			select {
			case err = <-silent:
			default:
			}
			return err
		}
		if kind&0xf0 != 0x30 || len(body) < 2 {
			continue
		}
		upto, ok := uptoOf(body[min(len(body), 2+int(binary.BigEndian.Uint16(body))):], l.Gateway.ID)
		if !ok {
			continue
		}
		late.Reset(noReceipt)
		l.mu.Lock()
		more := upto > l.upto
		l.upto = max(l.upto, upto)
		l.moved.Broadcast()
		l.mu.Unlock()
		if more && receipted != nil {
			receipted(upto)
		}
	}
}

// uptoOf reads the third line of a receipt.
func uptoOf(text []byte, gateway string) (int, bool) {
	lines := bytes.SplitN(text, []byte("\n"), 4)
	if len(lines) < 4 || string(lines[1]) != gateway {
		return 0, false
	}
	of, n, ok := bytes.Cut(lines[2], []byte(" "))
	upto, err := strconv.Atoi(string(n))
	return upto, ok && err == nil && string(of) == epoch
}

// Dial connects as a gateway and subscribes to its receipts.
func Dial(ctx context.Context, broker string, g *Gateway) (net.Conn, *bufio.Reader, error) {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", broker)
	if err != nil {
		return nil, nil, fmt.Errorf("fieldbench: %w", err)
	}
	body := text(nil, "MQTT")
	body = append(body, 4, 0xc2, 0, 0) // user, password, clean session; no keep-alive
	body = text(text(text(body, g.ID), g.ID), g.secret)
	hello := append(packet(0x10, body), packet(0x82, append(text([]byte{0, 1}, wire.Topic(g.ID, wire.LeafReceipt)), 0))...)
	r := bufio.NewReaderSize(conn, 8<<10)
	late := time.AfterFunc(2*dialTimeout, func() {
		if conn.Close() != nil {
			return // it is closed already
		}
	})
	err = greet(conn, r, hello)
	if !late.Stop() && err == nil {
		err = errSilent
	}
	if err != nil {
		return nil, nil, fmt.Errorf("fieldbench: gateway %s: %w", g.ID, errors.Join(err, conn.Close()))
	}
	return conn, r, nil
}

func greet(conn net.Conn, r *bufio.Reader, hello []byte) error {
	if _, err := conn.Write(hello); err != nil {
		return err
	}
	for _, want := range []byte{0x20, 0x90} {
		kind, body, err := readPacket(r)
		switch {
		case err != nil:
			return err
		case kind != want, want == 0x20 && (len(body) < 2 || body[1] != 0):
			return fmt.Errorf("the broker answered %#x %x", kind, body)
		}
	}
	return nil
}

// Packet is the PUBLISH packet, QoS 1, of a sealed batch.
func (g *Gateway) Packet(id uint16, sealed []byte) []byte {
	topic := wire.Topic(g.ID, wire.LeafBatch)
	return packet(0x32, append(binary.BigEndian.AppendUint16(text(make([]byte, 0, len(topic)+4+len(sealed)), topic), id), sealed...))
}

func text(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}

func packet(kind byte, body []byte) []byte {
	out := binary.AppendUvarint(append(make([]byte, 0, len(body)+5), kind), uint64(len(body))) // MQTT's length is such a number
	return append(out, body...)
}

func readPacket(r *bufio.Reader) (kind byte, body []byte, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return 0, nil, err
	}
	if n > 64<<10 {
		return 0, nil, fmt.Errorf("a packet of %d bytes", n)
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return kind, body, err
}
