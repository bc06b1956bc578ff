package ingest_test

import (
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// TestPipeline_ABlockedDatabasePushesBackAndLosesNothing lets appends hang while gateways go on sending, more than the server has room
// for: it takes no more than its room, gives no receipt, and has each batch once in the end.
func TestPipeline_ABlockedDatabasePushesBackAndLosesNothing(t *testing.T) {
	eachBroker(t, func(t *testing.T, r *rig) {
		const batches, readings = 150, 50 // some 3 KB each, twice that in the room
		r.stop()
		r.maxWaiting = 300_000
		r.start()
		fleet := []*gateway{r.enrol("gw-one"), r.enrol("gw-two"), r.enrol("gw-three")}
		for _, g := range fleet {
			g.connect()
		}
		r.log.mu.Lock() // every append hangs
		sealed := make([][][]byte, len(fleet))
		for range batches {
			for i, g := range fleet {
				b := g.seal(g.batch(readings))
				g.seq, g.prev = g.seq+1, wire.HashOf(b)
				sealed[i] = append(sealed[i], b)
				g.client.Publish(wire.Topic(g.id, wire.LeafBatch), 1, false, b) // nobody waits for the answer: it may not come
			}
		}
		parttest.Await(t, "the room to be full", func() bool { return r.waiting() > float64(r.maxWaiting)*9/10 })
		if w := r.waiting(); w > float64(r.maxWaiting) {
			t.Errorf("%.0f bytes wait where there is room for %d", w, r.maxWaiting)
		}
		for _, g := range fleet {
			if len(g.receipts) != 0 {
				t.Errorf("%s has a receipt of what is in no log", g.id)
			}
		}
		r.log.mu.Unlock()
		for i, g := range fleet {
			g.awaitAll(sealed[i])
		}
		if end, err := r.db.LogEnd(t.Context()); err != nil || end != int64(len(fleet)*batches) {
			t.Errorf("%d batches in the log, %v: want %d", end, err, len(fleet)*batches)
		}
		for _, g := range fleet {
			parttest.Await(t, "the history of "+g.id, func() bool { return len(r.points(g.id)) >= batches*readings })
			if n := len(r.points(g.id)); n != batches*readings {
				t.Errorf("%d points of %s, want %d", n, g.id, batches*readings)
			}
		}
		parttest.Await(t, "the room to be empty", func() bool { return r.waiting() == 0 })
	})
}

// waiting is how many bytes ingest says it holds.
func (r *rig) waiting() float64 {
	r.t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "aovuon_ingest_waiting_bytes" {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	r.t.Fatal("no such metric")
	return 0
}

// awaitAll sends again what has no receipt, as a gateway does, until all has.
func (g *gateway) awaitAll(sealed [][]byte) {
	g.r.t.Helper()
	late := time.After(patience)
	var upto uint64
	for upto < uint64(len(sealed)) {
		select {
		case rc := <-g.receipts:
			upto = max(upto, rc.Upto)
		case <-time.After(2 * time.Second): // as gateways do, only sooner
			for _, b := range sealed[upto:] {
				g.publish(wire.LeafBatch, b)
			}
		case <-late:
			g.r.t.Fatalf("receipts of %s end at %d", g.id, upto)
		}
	}
}
