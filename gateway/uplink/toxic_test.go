package uplink_test

import (
	"testing"
	"time"

	"aovuon/firmware-sim/link"
	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// TestTorture_LossRoundTripAndFlapping: 30 % of all segments lost, 2 s round trip, and a link that goes and comes. The link
// and the uplink's patience pass at the same speed: twenty times as fast in CI, in real time by `make torture`.
func TestTorture_LossRoundTripAndFlapping(t *testing.T) {
	t.Parallel()
	addr, r, g, o := setup(t)
	unit := time.Duration(parttest.Effort(t, 20, 50, 1000, 1000)) * time.Millisecond
	long := time.Duration(parttest.Effort(t, 60, 240, 600, 3600)) * unit
	x := newProxyOf(t, addr, unit)
	if err := x.Set(link.Condition{Loss: 0.3, Trip: 2 * unit, Flap: 30 * unit}); err != nil {
		t.Fatal(err)
	}
	o.URL = x.url
	o.ReceiptTimeout, o.GoBackAfter = 15*unit, 4*unit
	o.BackoffMin, o.BackoffMax = 3*unit/2, 20*unit
	drop := 0
	lossy := func(c wire.Receipt, send func(wire.Receipt)) { // QoS 0: the broker may drop one
		if drop++; drop%5 != 0 {
			send(c)
		}
	}
	r.mangle.Store(&lossy)
	up, _ := g.start(o)
	end := time.Now().Add(long)
	n := 0
	for time.Now().Before(end) { // a batch of 30 readings every 2 s of the link
		g.batches(1, 30)
		n++
		timer := time.NewTimer(2 * unit)
		<-timer.C
	}
	bad := x.Stats()
	if err := x.Set(link.Condition{}); err != nil { // and then the link is good again
		t.Fatal(err)
	}
	parttest.Await(t, "the spool is empty", func() bool { return g.stats().Sealed == 0 })
	r.check(n * 30)
	if bad.Flaps == 0 || bad.Lost < bad.Segments/10 {
		t.Errorf("the link was too good: %+v", bad)
	}
	t.Logf("%v of a link with 30 %% loss and 2 s round trip (at %v a second): %d flaps, %d resets, %d losses of %d segments; %d readings, 0 lost, 0 twice; %+v",
		time.Duration(float64(long)/float64(unit))*time.Second, unit, bad.Flaps, bad.Resets, bad.Lost, bad.Segments, n*30, up.Counters())
}
