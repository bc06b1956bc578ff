package uplink_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// toxic is a bad mobile link as TCP makes one: what is lost comes later, and holds up all that is behind it.
type toxic struct {
	proxy  *proxy
	unit   time.Duration // one second of the link
	loss   float64
	oneWay float64 // seconds

	mu      sync.Mutex
	rng     *rand.Rand
	down    time.Time // the link is down until then
	flaps   int
	resets  int
	lost    int
	carried int
}

// segment is what a packet of a mobile link carries.
const segment = 1400

// delay is how long after it was sent a segment comes: the way, and for each time it was lost a retransmission timer that
// doubles from 3 s (one round trip and what it varies) to 24 s; and it does not come while the link is down.
func (x *toxic) delay() time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	seconds := x.oneWay
	for rto := 3.0; x.rng.Float64() < x.loss; rto = min(2*rto, 24) {
		seconds += rto
		x.lost++
	}
	x.carried++
	d := time.Duration(seconds * float64(x.unit))
	if up := time.Until(x.down); up > 0 {
		d += up
	}
	return d
}

// parcel is a segment under way.
type parcel struct {
	data []byte
	due  time.Time
}

// carry moves bytes from src to dst over the link until either ends.
func (x *toxic) carry(dst, src net.Conn) {
	way := make(chan parcel, 64) // what fits into the pipe
	go func() {
		defer close(way)
		var last time.Time
		for {
			buf := make([]byte, segment)
			n, err := src.Read(buf)
			if n > 0 {
				due := time.Now().Add(x.delay())
				if due.Before(last) {
					due = last
				}
				last = due
				way <- parcel{buf[:n], due}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range way {
		timer := time.NewTimer(time.Until(p.due))
		<-timer.C
		if _, err := dst.Write(p.data); err != nil {
			break
		}
	}
	if err := errors.Join(dst.Close(), src.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
		return // a cut line, that is what it is for
	}
	for range way { // let the reader end
	}
}

// flap takes the link down for 1 to 10 s every 10 to 40 s until stop is closed; every other time the connections do not
// survive it.
func (x *toxic) flap(stop <-chan struct{}) {
	for n := 0; ; n++ {
		x.mu.Lock()
		up, down := 10+30*x.rng.Float64(), 1+9*x.rng.Float64()
		x.mu.Unlock()
		timer := time.NewTimer(time.Duration(up * float64(x.unit)))
		select {
		case <-stop:
			timer.Stop()
			return
		case <-timer.C:
		}
		x.mu.Lock()
		x.down = time.Now().Add(time.Duration(down * float64(x.unit)))
		x.flaps++
		x.mu.Unlock()
		if n%2 == 1 {
			x.proxy.cut()
			x.resets++
		}
	}
}

// TestTorture_LossRoundTripAndFlapping: 30 % of all segments lost, 2 s round trip, and a link that goes and comes. The link
// and the uplink's patience pass at the same speed: twenty times as fast in CI, in real time by `make torture`.
func TestTorture_LossRoundTripAndFlapping(t *testing.T) {
	t.Parallel()
	addr, r, g, o := setup(t)
	unit := time.Duration(parttest.Effort(t, 20, 50, 1000, 1000)) * time.Millisecond
	long := time.Duration(parttest.Effort(t, 60, 240, 600, 3600)) * unit
	x := &toxic{unit: unit, loss: 0.3, oneWay: 1, rng: rand.New(rand.NewPCG(5, 6))}
	x.proxy = newProxyOf(t, addr, x.carry)
	o.URL = "tcp://" + x.proxy.l.Addr().String()
	o.ReceiptTimeout, o.GoBackAfter = 15*unit, 4*unit
	o.BackoffMin, o.BackoffMax = 3*unit/2, 20*unit
	drop := 0
	lossy := func(c wire.Receipt, send func(wire.Receipt)) { // QoS 0: the broker may drop one
		if drop++; drop%5 != 0 {
			send(c)
		}
	}
	r.mangle.Store(&lossy)
	stop, flapped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(flapped)
		x.flap(stop)
	}()
	up, _ := g.start(o)
	end := time.Now().Add(long)
	n := 0
	for time.Now().Before(end) { // a batch of 30 readings every 2 s of the link
		g.batches(1, 30)
		n++
		timer := time.NewTimer(2 * unit)
		<-timer.C
	}
	close(stop)
	<-flapped
	x.mu.Lock()
	x.loss, x.oneWay = 0, 0 // and then the link is good again
	x.mu.Unlock()
	parttest.Await(t, "the spool is empty", func() bool { return g.stats().Sealed == 0 })
	r.check(n * 30)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.flaps == 0 || x.lost < x.carried/10 {
		t.Errorf("the link was too good: %d flaps, %d of %d segments lost", x.flaps, x.lost, x.carried)
	}
	t.Logf("%v of a link with 30 %% loss and 2 s round trip (at %v a second): %d flaps, %d resets, %d losses of %d segments; %d readings, 0 lost, 0 twice; %+v",
		time.Duration(float64(long)/float64(unit))*time.Second, unit, x.flaps, x.resets, x.lost, x.carried, n*30, up.Counters())
}
