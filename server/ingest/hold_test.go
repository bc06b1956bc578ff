package ingest_test

import (
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/sqldb/sqldbtest"
)

// twoOn are two processes of one log that hold what comes too early, behind a broker that deals out the batches of one gateway.
func twoOn(t *testing.T) (a, b *bare) {
	t.Helper()
	db := sqldbtest.Open(t, sqldbtest.SQLite(t))
	hold := func(o *ingest.Options) { o.Hold = time.Minute }
	a = newBareWith(t, db, 0, hold)
	b = newBareWith(t, db, 0, hold, a.g)
	return a, b
}

// sealed returns the next n batches of a gateway.
func (g *gateway) sealed(n int) (out [][]byte) {
	for range n {
		s := g.seal(g.batch(1))
		g.seq, g.prev = g.seq+1, wire.HashOf(s)
		out = append(out, s)
	}
	return out
}

func (b *bare) hand(sealed []byte) (done chan struct{}) {
	done = make(chan struct{})
	b.in <- message{"gw-one", wire.LeafBatch, sealed, func() { close(done) }}
	return done
}

// What overtakes on the way through another process is not sent twice.
func TestIngest_BatchesDealtToTwoProcessesAreTakenWithoutBeingSentAgain(t *testing.T) {
	a, b := twoOn(t)
	var done []chan struct{}
	for i, s := range a.g.sealed(60) {
		to := []*bare{b, b, a}[i%3] // b has what a has not, and the other way round
		done = append(done, to.hand(s))
	}
	for _, d := range done {
		<-d
	}
	if end, err := a.log.LogEnd(t.Context()); err != nil || end != 60 {
		t.Errorf("the log ends at %d, %v", end, err)
	}
}

func TestIngest_WhatCameInTheWrongOrderIsHeldForTheOneBefore(t *testing.T) {
	a, _ := twoOn(t)
	s := a.g.sealed(4)
	late := []chan struct{}{a.hand(s[3]), a.hand(s[2]), a.hand(s[1])}
	for _, d := range late {
		select {
		case <-d:
			t.Fatal("settled before it was stored")
		case <-time.After(50 * time.Millisecond): // that nothing happens has no event
		}
	}
	a.hand(s[0])
	for _, d := range late {
		<-d
	}
	a.awaitReceipt(t, 4)
}

// A batch whose predecessor never comes is settled after a while, and its gateway hears where it stands.
func TestIngest_HeldInVainIsAnsweredByWhatThereIs(t *testing.T) {
	b := newBareWith(t, sqldbtest.Open(t, sqldbtest.SQLite(t)), 0, func(o *ingest.Options) { o.Hold = 100 * time.Millisecond })
	s := b.g.sealed(3)
	b.hand(s[0])
	b.awaitReceipt(t, 1)
	<-b.hand(s[2])
	b.awaitReceipt(t, 1)
	b.hand(s[1])
	b.hand(s[2])
	b.awaitReceipt(t, 3)
}
