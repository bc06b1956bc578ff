package fleet

import (
	"bufio"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aovuon/gateway/wire"
)

// link is one connection to the broker: it counts what passes, and spoils it. It is given to the uplink in place of the
// connection, above TLS, so MQTT packets come and go. Reads are one goroutine's, writes any's.
type link struct {
	net.Conn
	faults *Faults
	on     *atomic.Bool // whether faults happen
	tally  *tally
	late   *lateQueue // nil: what is written goes out at once

	in   *bufio.Reader
	buf  []byte
	rest []byte // of the packet that is being read

	mu     sync.Mutex
	chance *rand.Rand
	cut    []byte           // the beginning of a packet that was written in pieces
	asked  map[uint16]asked // PUBLISHes of batches under way, by id
}

// asked is a PUBLISH that has not had every PUBACK.
type asked struct {
	copies int  // PUBACKs to come
	acked  bool // the first came
}

func newLink(c net.Conn, f *Faults, on *atomic.Bool, t *tally, seed uint64, now func() time.Time) *link {
	l := &link{
		Conn: c, faults: f, on: on, tally: t, in: bufio.NewReaderSize(c, 1024), asked: map[uint16]asked{},
		chance: rand.New(rand.NewPCG(seed, 2)),
	}
	if f.Delay > 0 || f.Reorder > 0 {
		l.late = newLateQueue(c, now)
	}
	return l
}

// happens draws whether a fault of a share happens. l.mu is held.
func (l *link) happens(share float64) bool {
	return share > 0 && l.on.Load() && l.chance.Float64() < share
}

// Read implements net.Conn: what the broker sent, packet by packet, without what the faults take.
func (l *link) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		packet, err := readPacket(l.in, l.buf)
		if err != nil {
			return 0, err
		}
		l.buf = packet
		if l.arrives(packet) {
			l.rest = packet
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// arrives reports whether a packet of the broker's reaches the gateway.
func (l *link) arrives(packet []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id, ok := asPubAck(packet); ok {
		a, batch := l.asked[id]
		if !batch { // of a status
			return true
		}
		first := !a.acked
		if first {
			l.tally.pubacked.Add(1)
		}
		if a.copies, a.acked = a.copies-1, true; a.copies > 0 {
			l.asked[id] = a
		} else {
			delete(l.asked, id)
		}
		return first // the gateway sent it once
	}
	// Only a receipt of QoS 0, as FORMAT.md of the wire has it: one that the broker waits for would block it.
	if pub, ok := asPublish(packet); ok && packet[0]&qosBits == 0 && pub.is(wire.LeafReceipt) && l.happens(l.faults.Withhold) {
		l.tally.withheld.Add(1)
		return false
	}
	return true
}

// Write implements net.Conn.
func (l *link) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := p
	if len(l.cut) > 0 {
		l.cut = append(l.cut, p...)
		b = l.cut
	}
	for len(b) > 0 {
		n, err := packetLength(b)
		if err != nil {
			return 0, err
		}
		if n == 0 || n > len(b) {
			break
		}
		if err := l.send(b[:n]); err != nil {
			return 0, err
		}
		b = b[n:]
	}
	l.cut = append(l.cut[:0], b...)
	return len(p), nil
}

// send lets one packet go, or two. l.mu is held.
func (l *link) send(packet []byte) error {
	pub, ok := asPublish(packet)
	if !ok || !pub.is(wire.LeafBatch) {
		return l.out(packet, 0)
	}
	l.tally.published.Add(1)
	l.asked[pub.id] = asked{copies: 1}
	if err := l.out(packet, l.detour()); err != nil || !l.happens(l.faults.Duplicate) {
		return err
	}
	l.tally.repeated.Add(1)
	l.asked[pub.id] = asked{copies: 2}
	return l.out(again(packet), l.detour())
}

// detour is how much later than others a batch arrives: so much that those behind it overtake. l.mu is held.
func (l *link) detour() time.Duration {
	if !l.happens(l.faults.Reorder) {
		return 0
	}
	l.tally.reordered.Add(1)
	return time.Duration(5+l.chance.IntN(45)) * time.Millisecond
}

func (l *link) out(packet []byte, detour time.Duration) error {
	if l.late == nil {
		_, err := l.Conn.Write(packet)
		return err
	}
	delay := time.Duration(0)
	if l.on.Load() {
		delay = l.faults.Delay
	}
	return l.late.put(slices.Clone(packet), delay, detour)
}

// Close implements net.Conn. What is still on its way is lost, as on a cut cable.
func (l *link) Close() error {
	if l.late != nil {
		l.late.stop()
	}
	return l.Conn.Close()
}

// lateQueue writes packets when their time has come.
type lateQueue struct {
	to   net.Conn
	wake chan struct{}
	end  chan struct{}
	once sync.Once

	mu     sync.Mutex
	queue  []latePacket // by time
	newest time.Time
	broken error
	now    func() time.Time
}

type latePacket struct {
	at     time.Time
	packet []byte
}

// newLateQueue starts the goroutine that writes; stop ends it.
func newLateQueue(to net.Conn, now func() time.Time) *lateQueue {
	q := &lateQueue{to: to, wake: make(chan struct{}, 1), end: make(chan struct{}), now: now}
	go q.run()
	return q
}

// put lets a packet out after delay, never before one that was put earlier, unless that one makes a detour.
func (q *lateQueue) put(packet []byte, delay, detour time.Duration) error {
	q.mu.Lock()
	at := q.now().Add(delay)
	if at.Before(q.newest) {
		at = q.newest
	}
	q.newest = at
	at = at.Add(detour)
	i, _ := slices.BinarySearchFunc(q.queue, at, func(p latePacket, at time.Time) int {
		if p.at.After(at) {
			return 1
		}
		return -1 // a new one goes behind those of the same time
	})
	q.queue = slices.Insert(q.queue, i, latePacket{at, packet})
	err := q.broken
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return err
}

func (q *lateQueue) stop() { q.once.Do(func() { close(q.end) }) }

func (q *lateQueue) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		packet, wait := q.next()
		if packet != nil {
			if _, err := q.to.Write(packet); err != nil {
				q.mu.Lock()
				q.broken = err
				q.mu.Unlock()
				return // the reader of the connection learns of it by itself
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-q.end:
			return
		case <-q.wake:
		case <-timer.C:
		}
	}
}

// next takes the packet whose time has come, or says how long until there is one.
func (q *lateQueue) next() (packet []byte, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) == 0 {
		return nil, time.Hour
	}
	if wait = q.queue[0].at.Sub(q.now()); wait > 0 {
		return nil, wait
	}
	packet = q.queue[0].packet
	q.queue = q.queue[1:]
	return packet, 0
}
