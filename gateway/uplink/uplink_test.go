package uplink_test

import (
	"database/sql" //nolint:depguard // damages rows of the spool file on purpose
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// setup is a broker, a server and a gateway.
func setup(tb testing.TB) (addr string, r *receiver, f *field, o uplink.Options) {
	tb.Helper()
	addr = embedded(tb)
	f = newField(tb)
	mo := mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetUsername("server").SetPassword(password)
	r, key := newReceiver(tb, mo, f.key)
	return addr, r, f, f.quick("tcp://"+addr, key)
}

func TestUplink_DeliversEverythingOnceAndReleasesIt(t *testing.T) {
	_, r, f, o := setup(t)
	f.batches(100, 5)
	o.ReceiptTimeout = time.Minute // nothing is lost here, so nothing may be sent twice, however slow the machine
	up, stop := f.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	f.batches(3, 5) // what is sealed while there is a link goes at once
	parttest.Await(t, "the spool is empty again", func() bool { return f.stats().Sealed == 0 })
	r.check(103 * 5)
	if up := <-f.links; !up {
		t.Error("the sealer is not told that there is a link")
	}
	if s := <-r.statusC; s.State != wire.Online || s.Epoch != f.spool.Epoch() || s.Time.IsZero() {
		t.Errorf("status %+v", s)
	}
	stop()
	if s := <-r.statusC; s.State != wire.Offline || s.Reason != "stopped" {
		t.Errorf("last status %+v", s)
	}
	if c := up.Counters(); c.Sessions != 1 || c.Published != 103 || c.Silences != 0 {
		t.Errorf("%+v", c)
	}
}

// TestUplink_PubackReleasesNothing: a broker that acknowledges and throws away.
func TestUplink_PubackReleasesNothing(t *testing.T) {
	_, r, f, o := setup(t)
	r.deaf.Store(true)
	f.batches(50, 2)
	up, _ := f.start(o)
	parttest.Await(t, "three connections without a receipt", func() bool { return up.Counters().Silences >= 3 })
	if st := f.stats(); st.Sealed != 50 || st.Released != 0 {
		t.Errorf("%+v after %d messages were acknowledged by the broker", st, r.heard())
	}
	if r.heard() < 32 {
		t.Errorf("only %d messages went out", r.heard())
	}
	links := drain(f.links)
	if len(links) == 0 || links[len(links)-1] {
		t.Errorf("the sealer thinks there is a link: %v", links)
	}
	r.deaf.Store(false)
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	r.check(100)
	if links := drain(f.links); len(links) == 0 || !links[len(links)-1] {
		t.Errorf("the sealer is not told that the link is back: %v", links)
	}
}

func drain(c chan bool) (out []bool) {
	for {
		select {
		case b := <-c:
			out = append(out, b)
		default:
			return out
		}
	}
}

// TestUplink_NeverMoreUnderWayThanTheWindow, so that a slow server is not flooded.
func TestUplink_NeverMoreUnderWayThanTheWindow(t *testing.T) {
	_, r, f, o := setup(t)
	r.deaf.Store(true)
	f.batches(50, 1)
	o.Window, o.ReceiptTimeout = 8, time.Hour
	up, _ := f.start(o)
	parttest.Await(t, "the window is full", func() bool { return r.heard() == 8 })
	if c := up.Counters(); c.Published != 8 {
		t.Errorf("%+v", c)
	}
}

func TestUplink_LostReceiptsCostOnlyARepeat(t *testing.T) {
	_, r, f, o := setup(t)
	rng := rand.New(rand.NewPCG(1, 2))
	lose := func(c wire.Receipt, send func(wire.Receipt)) {
		if rng.IntN(10) < 2 {
			send(c)
		}
	}
	r.mangle.Store(&lose)
	f.batches(200, 2)
	f.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	r.check(400)
}

// TestUplink_ReceiptsOutOfOrder: old, repeated and late receipts never move anything back or too far.
func TestUplink_ReceiptsOutOfOrder(t *testing.T) {
	_, r, f, o := setup(t)
	var held []wire.Receipt
	shuffle := func(c wire.Receipt, send func(wire.Receipt)) {
		held = append(held, c)
		if len(held) < 7 && c.Upto < 195 {
			return
		}
		rand.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
		for _, h := range append(held, held[0]) {
			send(h)
		}
		held = held[:0]
	}
	r.mangle.Store(&shuffle)
	f.batches(200, 2)
	f.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	r.check(400)
}

// TestUplink_LostBatchesAreSentAgainFromTheFirstMissing: the broker drops some on the way.
func TestUplink_LostBatchesAreSentAgainFromTheFirstMissing(t *testing.T) {
	_, r, f, o := setup(t)
	f.batches(100, 2)
	r.deafTo.Store(3)
	o.ReceiptTimeout = 30 * time.Second // the repeated receipt makes it go back, not the patience
	up, _ := f.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	r.check(200)
	if c := up.Counters(); c.Rewinds == 0 || c.Sessions != 1 {
		t.Errorf("%+v", c)
	}
}

func TestUplink_ForgedReceiptsReleaseNothing(t *testing.T) {
	_, r, f, o := setup(t)
	r.deaf.Store(true)
	o.ReceiptTimeout = time.Hour
	f.batches(10, 1)
	up, _ := f.start(o)
	parttest.Await(t, "everything is under way", func() bool { return r.heard() == 10 })
	stranger, _ := newKey(t, "htx-test") // of the same name
	good := wire.Receipt{Gateway: gateway, Epoch: f.spool.Epoch(), Upto: 10, Time: noon}
	other := good
	other.Gateway = "gw-vuon"
	old := good
	old.Epoch = "0000000000000000"
	r.send(good, stranger)
	r.send(other, r.signer)
	r.client.Publish(wire.Topic(gateway, wire.LeafReceipt), 0, false, "garbage")
	r.client.Publish(wire.Topic(gateway, wire.LeafReceipt), 0, false, strings.Repeat("x", 60_000))
	r.send(old, r.signer)
	parttest.Await(t, "all of them were looked at", func() bool { c := up.Counters(); return c.Forged == 4 && c.Stale == 1 })
	if st := f.stats(); st.Released != 0 || st.Sealed != 10 {
		t.Errorf("%+v", st)
	}
	r.send(good, r.signer)
	parttest.Await(t, "the good one counts", func() bool { return f.stats().Released == 10 })
}

// TestUplink_SurvivesCutsAtRandomMoments cuts the line in the middle of what it carries, over and over.
func TestUplink_SurvivesCutsAtRandomMoments(t *testing.T) {
	t.Parallel()
	addr, r, f, o := setup(t)
	p := newProxy(t, addr)
	o.URL = p.url
	up, _ := f.start(o)
	cuts := 20
	if testing.Short() {
		cuts = 5
	}
	for cut := range cuts {
		f.batches(40, 3)
		before := r.heard()
		wait := rand.IntN(30)
		parttest.Await(t, "some of it is through", func() bool { return r.heard() >= before+wait || f.stats().Sealed == 0 })
		p.Cut()
		if cut%5 == 4 {
			parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
		}
	}
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	r.check(cuts * 40 * 3)
	if c := up.Counters(); c.Sessions < 2 {
		t.Errorf("%+v: nothing was cut", c)
	}
	offline := false
	for len(r.statusC) > 0 {
		s := <-r.statusC
		offline = offline || (s.State == wire.Offline && s.Reason == "")
	}
	if !offline {
		t.Error("the last will was never published")
	}
}

func TestUplink_DamagedBatchGoesOnUnderANewEpoch(t *testing.T) {
	_, r, f, o := setup(t)
	f.batches(20, 1)
	f.tamper(`UPDATE sealed SET body = X'00' WHERE seq = 8`)
	old := f.spool.Epoch()
	f.start(o)
	// What a new epoch begins with is sealed a moment after the epoch.
	parttest.Await(t, "the spool is empty", func() bool {
		st := f.stats()
		return st.Sealed == 0 && st.Pending == 0 && st.Epoch != old && st.Released > 0
	})
	got := r.got()
	if len(got) != 19 || got[6] != 0.006 || got[7] != 0.008 {
		t.Errorf("arrived: %v", got)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.gaps) != 1 || r.gaps[0].Reason != wire.GapSpoolCorrupt {
		t.Errorf("gaps %+v", r.gaps)
	}
	if len(r.problems) != 0 {
		t.Error(r.problems)
	}
}

// TestUplink_ServerAheadBeginsANewEpoch: the spool is an old copy, its next numbers were used before.
func TestUplink_ServerAheadBeginsANewEpoch(t *testing.T) {
	_, r, f, o := setup(t)
	f.batches(5, 1)
	old := f.spool.Epoch()
	r.deaf.Store(true)
	o.ReceiptTimeout = time.Hour
	f.start(o)
	parttest.Await(t, "everything is under way", func() bool { return r.heard() == 5 })
	r.deaf.Store(false)
	r.send(wire.Receipt{Gateway: gateway, Epoch: old, Upto: 500, Time: noon}, r.signer)
	parttest.Await(t, "all of it is there under a new epoch", func() bool { st := f.stats(); return st.Epoch != old && st.Sealed == 0 && st.Released > 0 })
	r.check(5)
	if len(r.gaps) != 1 {
		t.Errorf("gaps %+v", r.gaps)
	}
}

// TestUplink_ServerBehindBeginsANewEpoch: the server was put back from an old backup and no longer has what it signed for.
func TestUplink_ServerBehindBeginsANewEpoch(t *testing.T) {
	_, r, f, o := setup(t)
	f.batches(5, 1)
	old := f.spool.Epoch()
	_, stop := f.start(o)
	parttest.Await(t, "the first five are receipted", func() bool { return f.stats().Released == 5 })
	stop()
	r.mu.Lock()
	r.next, r.values = 3, r.values[:2]
	r.mu.Unlock()
	f.batches(3, 1)
	f.start(o)
	parttest.Await(t, "the rest is there under a new epoch", func() bool { st := f.stats(); return st.Epoch != old && st.Sealed == 0 && st.Released > 0 })
	if got := r.got(); len(got) != 5 || got[2] != 0.005 || got[4] != 0.007 {
		t.Errorf("arrived: %v", got)
	}
}

func (f *field) tamper(query string) {
	f.tb.Helper()
	db, err := sql.Open("sqlite", "file:"+f.path)
	if err != nil {
		f.tb.Fatal(err)
	}
	if _, err := db.ExecContext(f.tb.Context(), query); err != nil {
		f.tb.Fatal(err)
	}
	if err := db.Close(); err != nil {
		f.tb.Fatal(err)
	}
}

func TestUplink_WrongPasswordKeepsTrying(t *testing.T) {
	_, r, f, o := setup(t)
	f.batches(3, 1)
	wrong := o
	wrong.Password = "wrong"
	up, stop := f.start(wrong)
	links := 0
	parttest.Await(t, "two refusals", func() bool { links += len(drain(f.links)); return links >= 2 })
	stop()
	if c := up.Counters(); c.Sessions != 0 {
		t.Errorf("%+v", c)
	}
	if err := up.Failure(); uplink.CauseOf(err) != uplink.NotLetIn {
		t.Errorf("the link failed by %v", err)
	}
	f.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	r.check(3)
}

func TestUplink_NobodyThereIsNoReasonToHang(t *testing.T) {
	f := newField(t)
	_, key := newKey(t, "htx-test")
	o := f.quick("tcp://127.0.0.1:1", key)
	up, stop := f.start(o)
	parttest.Await(t, "a refusal", func() bool { return len(f.links) > 1 })
	stop()
	if err := up.Failure(); uplink.CauseOf(err) != uplink.Unanswered {
		t.Errorf("the link failed by %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	for raw, want := range map[string]struct{ tls, ok bool }{
		"tcp://127.0.0.1:1883": {false, true}, "ssl://farm.example:8883": {true, true}, "mqtts://[::1]:8883/": {true, true},
		"tcp://127.0.0.1": {}, "127.0.0.1:1883": {}, "http://x:80": {}, "ws://x:80": {}, "tcp://u:p@x:1": {}, "tcp://x:1/path": {}, "": {},
		"tcp://x:0": {}, "tcp://x:65536": {}, "tcp://x:65535": {false, true},
	} {
		if tls, err := uplink.CheckURL(raw); (err == nil) != want.ok || (err == nil && tls != want.tls) {
			t.Errorf("%q: %v, %v", raw, tls, err)
		}
	}
}
