package fleet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// run is a fleet at work.
type run struct {
	plan     *Plan
	tally    *tally
	trouble  trouble
	faults   atomic.Bool // whether links are spoiled
	gateways []*gateway
	order    []int // by which the gateways come
	chance   *mathrand.Rand
	stop     context.CancelCauseFunc

	base, end *Count
	unasked   error                     // why the server could not be asked at the end
	connected time.Time                 // the first gateway began to connect
	began     atomic.Pointer[time.Time] // the load; nil: not yet
	loaded    time.Time                 // the load ended; zero: it did not begin
	drained   time.Time
	atLoadEnd Progress
	behind    time.Duration
	cut       bool // told to stop before the end
}

// errStopped is the cause when a run was told to stop.
var errStopped = errors.New("stopped")

// Run does what a plan says and returns what came of it, and where every chain stands. When ctx ends it stops early and returns
// what was so far. An error means that the run could not be made, and there is no result; where the chains stand is returned
// then, too, as soon as anything was sent. What the server does wrong stands in the result.
func Run(ctx context.Context, p Plan) (Result, []Saved, error) {
	if err := p.Check(); err != nil {
		return Result{}, nil, fmt.Errorf("fleet: %w", err)
	}
	r := &run{plan: &p, chance: mathrand.New(mathrand.NewPCG(p.Seed, 1))}
	work, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	r.stop = stop
	r.tally = newTally(p.Late, func(err error) { stop(err) })
	if err := r.assemble(); err != nil {
		return Result{}, nil, err
	}
	if err := r.baseline(ctx); err != nil {
		return Result{}, nil, err
	}
	err := r.work(ctx, work)
	saved := make([]Saved, 0, len(r.gateways))
	for _, g := range r.gateways {
		saved = append(saved, g.save())
	}
	if err != nil {
		return Result{}, saved, err
	}
	r.settle(ctx)
	return r.result(), saved, nil
}

// assemble makes the gateways.
func (r *run) assemble() error {
	r.order = r.chance.Perm(len(r.plan.Members))
	for i := range r.plan.Members {
		m := &r.plan.Members[i]
		var boot [8]byte
		if _, err := rand.Read(boot[:]); err != nil {
			return fmt.Errorf("fleet: boot id: %w", err)
		}
		id, err := newEpochID()
		if err != nil {
			return err
		}
		c := &chain{
			gateway: m.Gateway, signer: m.Signer, truth: r.plan.Truth, channels: channelsOf(m.Gateway), size: r.plan.Readings,
			tally: r.tally, now: r.plan.Now, boot: hex.EncodeToString(boot[:]), present: epoch{id: id},
		}
		if m.Saved != nil {
			if err := c.load(m.Saved); err != nil {
				return err
			}
		}
		r.gateways = append(r.gateways, r.newGateway(c, m.Password))
	}
	return nil
}

// fall lets the backlog be there: from now on every gateway has it to send.
func (r *run) fall(now time.Time) {
	n, every := r.plan.Backlog, r.plan.backlogEvery()
	r.tally.backlog.Store(int64(n * len(r.gateways)))
	r.tally.backlogLeft.Store(int64(n * len(r.gateways)))
	for _, g := range r.gateways {
		specs := make([]spec, n)
		for k := range specs {
			specs[k] = r.specAt(now.Add(-every*time.Duration(n-k)), every, time.Time{})
		}
		g.owe(specs...)
		g.nudge()
	}
}

// specAt is a batch with readings over the interval that ends at at.
func (r *run) specAt(at time.Time, interval time.Duration, due time.Time) spec {
	rounds := (r.plan.Readings + len(channelsOf("")) - 1) / len(channelsOf(""))
	return spec{ended: at.UnixMilli(), step: max(interval.Milliseconds()/int64(rounds), 1), due: due}
}

// work connects the gateways, sends, and waits for the receipts.
func (r *run) work(ctx, work context.Context) error {
	group, inner := errgroup.WithContext(work)
	pace := newPace(r.plan, r.order)
	r.faults.Store(true)
	r.connected = r.plan.Now()
	for m, g := range r.gateways {
		if r.plan.Ramp == 0 {
			group.Go(func() error { return g.work(inner) })
			continue
		}
		join := pace.joins[m]
		group.Go(func() error {
			if !pause(inner, join) {
				return nil
			}
			return g.work(inner)
		})
	}
	err := r.script(ctx, inner, pace)
	if errors.Is(err, errStopped) {
		r.cut, err = true, nil
	}
	r.stop(nil)
	r.drained = r.plan.Now()
	if gerr := group.Wait(); err == nil {
		err = gerr
	}
	if cause := context.Cause(work); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

// script is the order of a run: connect, load, drain. user ends when the user stops the run, work when it fails.
func (r *run) script(user, work context.Context, pace *pace) error {
	ctx, cancel := context.WithCancelCause(work)
	defer cancel(nil)
	defer context.AfterFunc(user, func() { cancel(errStopped) })()
	if r.plan.Progress != nil {
		told := make(chan struct{})
		defer func() { cancel(nil); <-told }()
		go func() { defer close(told); r.tell(ctx) }()
	}
	if r.plan.Ramp == 0 {
		if err := r.awaitSessions(ctx); err != nil {
			return err
		}
	}
	began := r.plan.Now()
	r.began.Store(&began)
	r.fall(began)
	err := r.load(ctx, pace, began)
	r.loaded = r.plan.Now()
	r.atLoadEnd = r.progress()
	r.faults.Store(false)
	if err != nil {
		return err
	}
	return r.drain(ctx)
}

// connectPatience is how long the first connections of all gateways may take.
const connectPatience = 2 * time.Minute

// awaitSessions waits until every gateway had a connection, so that the load does not begin with a crowd at the door.
func (r *run) awaitSessions(ctx context.Context) error {
	begin := r.plan.Now()
	for {
		missing := 0
		for _, g := range r.gateways {
			if g.up.Counters().Sessions == 0 {
				missing++
			}
		}
		if missing == 0 {
			return nil
		}
		waited := r.plan.Now().Sub(begin)
		if waited > connectPatience || (missing == len(r.gateways) && waited > connectPatience/4) {
			return fmt.Errorf("fleet: %d of %d gateways have no connection to %s after %v; the last trouble: %s",
				missing, len(r.gateways), r.plan.Broker, waited.Round(time.Second), &r.trouble)
		}
		if !pause(ctx, 20*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// load lets the batches become due, and the faults happen, until the plan's end.
func (r *run) load(ctx context.Context, pace *pace, began time.Time) error {
	if r.plan.Rate == 0 && r.plan.For == 0 {
		return nil // the backlog alone: it is drained
	}
	ctx, done := context.WithCancelCause(ctx)
	defer done(nil)
	group, inner := errgroup.WithContext(ctx)
	chance := mathrand.New(mathrand.NewPCG(r.plan.Seed, 3)) // churn's and drop's own, each in its goroutine
	other := mathrand.New(mathrand.NewPCG(r.plan.Seed, 4))
	group.Go(func() error {
		return every(inner, r.plan.Churn, chance, func() {
			r.gateways[chance.IntN(len(r.gateways))].churn()
			r.tally.churned.Add(1)
		})
	})
	group.Go(func() error {
		return every(inner, r.plan.Faults.Drop, other, func() {
			if r.gateways[other.IntN(len(r.gateways))].drop() {
				r.tally.dropped.Add(1)
			}
		})
	})
	err := r.produce(ctx, pace, began)
	done(nil)
	return errors.Join(err, group.Wait())
}

// produce lets batches become due.
func (r *run) produce(ctx context.Context, pace *pace, began time.Time) error {
	if r.plan.Rate == 0 {
		if !pause(ctx, r.plan.For) {
			return context.Cause(ctx)
		}
		return nil
	}
	for n := 0; r.plan.Batches == 0 || n < r.plan.Batches; n++ {
		at := pace.ring[0].at
		if r.plan.For > 0 && at >= r.plan.For {
			if !pause(ctx, r.plan.For-r.plan.Now().Sub(began)) {
				return context.Cause(ctx)
			}
			return nil
		}
		if wait := at - r.plan.Now().Sub(began); wait > 0 {
			if !pause(ctx, wait) {
				return context.Cause(ctx)
			}
		} else if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t := pace.next()
		due := began.Add(t.at)
		r.behind = max(r.behind, r.plan.Now().Sub(due))
		r.tally.asked.Add(1)
		g := r.gateways[t.member]
		g.owe(r.specAt(due, pace.interval, due))
		g.nudge()
	}
	return nil
}

// drain waits until nothing is without a receipt, for as long as the plan allows.
func (r *run) drain(ctx context.Context) error {
	begin := r.plan.Now()
	for r.plan.Now().Sub(begin) < r.plan.Drain {
		left := 0
		for _, g := range r.gateways {
			waiting, owed := g.left()
			left += waiting + owed
		}
		if left == 0 {
			return nil
		}
		if !pause(ctx, 5*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
	return nil
}

// every does something so many times a minute, at random instants, until ctx ends.
func every(ctx context.Context, perMinute float64, chance *mathrand.Rand, do func()) error {
	for perMinute > 0 {
		if !pause(ctx, time.Duration(chance.ExpFloat64()*float64(time.Minute)/perMinute)) {
			return nil
		}
		do()
	}
	return nil
}

// pause waits for d; false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
