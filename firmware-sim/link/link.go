// Package link is a network between a gateway and its broker that can be bad.
//
// TCP connections come in on a loopback port and go out to where the broker listens; on the way their bytes meet what a
// mobile link in the country does to them: slowness, loss, silence, cuts. It knows nothing of what it carries, so TLS passes as
// it is.
//
// What is below TCP cannot be lost in a TCP proxy. So loss is what TCP makes of it: what is lost comes later, by a
// retransmission timer that doubles, holds up all that is behind it, and in the end breaks the connection.
package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Condition is how a link is. The zero value is a good one.
type Condition struct {
	Down     bool          // connections are reset, new ones too
	HalfOpen bool          // connections are accepted and stay open, and nothing passes: a black hole
	Trip     time.Duration // round trip added to that of this machine
	Rate     int           // bytes a second in each direction; 0: as many as there are
	Loss     float64       // share of segments that are lost, 0 to MaxLoss
	Flap     time.Duration // about so often the link goes away, for about a fifth of that, and every other time it takes the connections along; 0: never
}

// MaxLoss is the most of its segments that a link may lose: beyond it nothing ever arrives.
const MaxLoss = 0.95

// Options are what a link needs.
type Options struct {
	Name   string // for people
	To     string // host:port of the broker
	Now    func() time.Time
	Second time.Duration // how long a second of the link's own timers is; 0: a second. Tests pass faster
	Seed   uint64        // of the losses
	Log    *slog.Logger
}

// Stats count what has become of a link.
type Stats struct {
	Connections     int   // open now
	Bytes           int64 // carried
	Segments, Lost  int   // while the link was lossy: those that passed, and losses of them
	Flaps, Resets   int
	Refused, Silent int // connections while it was down, and while it was half-open
}

// Link is one link. It is safe for concurrent use.
type Link struct {
	o Options

	mu      sync.Mutex
	is      Condition
	dark    bool          // a flap: nothing passes just now
	changed chan struct{} // closed when is or dark change
	conns   map[net.Conn]struct{}
	stats   Stats
	rng     *rand.Rand
}

// New returns a good link.
func New(o Options) *Link {
	if o.Second == 0 {
		o.Second = time.Second
	}
	return &Link{o: o, changed: make(chan struct{}), conns: make(map[net.Conn]struct{}), rng: rand.New(rand.NewPCG(o.Seed, 5))}
}

// Name is what people call the link.
func (l *Link) Name() string { return l.o.Name }

// Condition returns how the link is.
func (l *Link) Condition() Condition {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.is
}

// Stats returns the link's counts.
func (l *Link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Connections = len(l.conns) / 2
	return s
}

// Set makes the link another one at once. What is under way keeps the delays it was given.
func (l *Link) Set(c Condition) error {
	if c.Trip < 0 || c.Rate < 0 || c.Flap < 0 || c.Loss < 0 || c.Loss > MaxLoss {
		return fmt.Errorf("link %s: %+v: want times and rates of 0 or more, and a loss of 0 to %g %%", l.o.Name, c, 100*MaxLoss)
	}
	l.change(func() { l.is, l.dark = c, false })
	if c.Down {
		l.Cut()
	}
	return nil
}

// change does f and wakes who waits for it.
func (l *Link) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
}

// Cut breaks every connection, in the middle of whatever it carries.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns { // all of them first: one end that has gone has the other closed in peace
		breaks(c)
	}
	for c := range l.conns {
		reset(c)
	}
}

// breaks makes the end of a connection, whenever it comes, a broken one.
func breaks(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			return // it has ended
		}
	}
}

// reset ends a connection as a broken one ends: with an error at the other side, and what was under way gone.
func reset(c net.Conn) {
	breaks(c)
	if err := c.Close(); err != nil {
		return // it has ended
	}
}

// Serve carries the connections that come in on in until ctx is done; then it closes in and all of them, and returns when they
// have ended.
func (l *Link) Serve(ctx context.Context, in net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer l.Cut()
	wg.Go(func() { l.flap(ctx) })
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- in.Close() })
	for {
		near, err := in.Accept()
		if err != nil {
			if !stop() {
				return <-closed
			}
			return errors.Join(fmt.Errorf("link %s: %w", l.o.Name, err), in.Close())
		}
		wg.Go(func() { l.connect(ctx, near) })
	}
}

// connect carries one connection to its end.
func (l *Link) connect(ctx context.Context, near net.Conn) {
	l.mu.Lock()
	is := l.is
	if is.Down {
		l.stats.Refused++
	}
	if is.HalfOpen {
		l.stats.Silent++
	}
	l.mu.Unlock()
	if is.Down {
		reset(near)
		return
	}
	var d net.Dialer
	far, err := d.DialContext(ctx, "tcp", l.o.To)
	if err != nil {
		l.o.Log.Debug("nobody at the far end", slog.String("link", l.o.Name), slog.Any("err", err))
		reset(near)
		return
	}
	if !l.enter(near, far) {
		return
	}
	defer l.leave(near, far)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { reset(near); reset(far) })()
	var wg sync.WaitGroup
	for _, way := range [][2]net.Conn{{far, near}, {near, far}} {
		wg.Go(func() {
			defer cancel()
			l.carry(ctx, way[0], way[1])
		})
	}
	wg.Wait()
}

// enter notes a connection; false when the link went down meanwhile, and it is reset.
func (l *Link) enter(near, far net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.is.Down {
		reset(near)
		reset(far)
		return false
	}
	l.conns[near], l.conns[far] = struct{}{}, struct{}{}
	return true
}

func (l *Link) leave(near, far net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, near)
	delete(l.conns, far)
}
