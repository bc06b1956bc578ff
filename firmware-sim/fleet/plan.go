package fleet

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Plan is what a fleet shall do.
type Plan struct {
	Members []Member
	Broker  string        // tcp://host:port or ssl://host:port
	TLS     *tls.Config   // for ssl://
	Server  note.Verifier // the key receipts are signed with
	Witness Witness       // says what the server has; nil: nobody is asked

	Rate         float64       // live batches a second, of the whole fleet; 0: none
	Readings     int           // in a batch
	Backlog      int           // batches that each gateway begins with, as after days offline
	BacklogEvery time.Duration // from one of them to the next, in the readings' time; 0: as the rate is, or a minute
	For          time.Duration // of the load; 0: until Batches
	Batches      int           // live batches in all; 0: until For
	Ramp         time.Duration // over which the gateways come one after another; 0: all are there at the beginning
	Churn        float64       // gateways a minute that say goodbye and come back
	Away         time.Duration // until they do
	Faults       Faults
	Truth        Truth
	Seed         uint64

	Late           time.Duration // a receipt that takes longer is late
	Drain          time.Duration // at most, from the end of the load until everything has its receipt
	Settle         time.Duration // at most, until the server says it has everything
	ReceiptTimeout time.Duration // of the uplinks; 0: theirs

	Now      func() time.Time
	Progress func(Progress) // told once a second; may be nil
}

// Limits of a plan.
const (
	MaxReadings = 500 // a batch of them stays below the size a batch may have
	MaxRate     = 100_000
)

// Check reports what is wrong with a plan.
func (p *Plan) Check() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(len(p.Members) == 0, "a fleet of no gateways")
	wrong(p.Readings < 1 || p.Readings > MaxReadings, "%d readings in a batch: want 1 to %d", p.Readings, MaxReadings)
	wrong(!(p.Rate >= 0 && p.Rate <= MaxRate), "%g batches a second: want 0 to %d", p.Rate, MaxRate)
	wrong(p.Backlog < 0, "a backlog of %d batches", p.Backlog)
	wrong(p.Rate == 0 && p.Backlog == 0, "nothing to send: give a rate or a backlog")
	wrong(p.Rate > 0 && (p.For <= 0) == (p.Batches <= 0), "say how long: for a duration, or a number of batches, one of them")
	wrong(p.Rate == 0 && p.Batches > 0, "a number of batches wants a rate")
	wrong(p.Ramp < 0 || p.For > 0 && p.Ramp > p.For, "a ramp of %v: want at most the duration of the load, %v", p.Ramp, p.For)
	wrong(!(p.Churn >= 0 && p.Churn <= 60_000), "churn of %g gateways a minute: want 0 to 60000", p.Churn)
	wrong(p.Away < 0, "churning gateways are away for %v", p.Away)
	return errors.Join(errs...)
}

// interval is the time between two batches of one gateway.
func (p *Plan) interval() time.Duration {
	if p.Rate == 0 {
		return 0
	}
	return time.Duration(float64(len(p.Members)) / p.Rate * float64(time.Second))
}

// backlogEvery is the time between two batches of the backlog.
func (p *Plan) backlogEvery() time.Duration {
	switch {
	case p.BacklogEvery > 0:
		return p.BacklogEvery
	case p.Rate > 0:
		return p.interval()
	}
	return time.Minute
}

// pace says when the batches of every gateway are due: one interval apart, evenly spread over the fleet, from when the gateway
// is there.
type pace struct {
	interval time.Duration
	joins    []time.Duration // by member, from the beginning
	ring     []turn          // ordered by time: a heap
}

// turn is the next batch of a member.
type turn struct {
	at     time.Duration
	member int
}

// newPace plans a fleet; order is a permutation of the members, by which they come.
func newPace(p *Plan, order []int) *pace {
	n := len(order)
	out := &pace{interval: p.interval(), joins: make([]time.Duration, n)}
	for i, m := range order {
		out.joins[m] = p.Ramp * time.Duration(i) / time.Duration(n)
		if p.Rate > 0 {
			out.push(turn{out.joins[m] + out.interval*time.Duration(i)/time.Duration(n), m})
		}
	}
	return out
}

// next takes the earliest turn, and puts the member's next one in its place.
func (p *pace) next() turn {
	first := p.ring[0]
	p.ring[0].at += p.interval
	for i := 0; ; { // sink
		least := i
		for _, c := range []int{2*i + 1, 2*i + 2} {
			if c < len(p.ring) && p.ring[c].at < p.ring[least].at {
				least = c
			}
		}
		if least == i {
			return first
		}
		p.ring[i], p.ring[least] = p.ring[least], p.ring[i]
		i = least
	}
}

func (p *pace) push(t turn) {
	p.ring = append(p.ring, t)
	for i := len(p.ring) - 1; i > 0 && p.ring[i].at < p.ring[(i-1)/2].at; i = (i - 1) / 2 {
		p.ring[i], p.ring[(i-1)/2] = p.ring[(i-1)/2], p.ring[i]
	}
}
