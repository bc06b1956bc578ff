package elect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// TTL is the usual time after which a lease that is not renewed may be taken. With it others lead within some eight seconds of a crash.
const TTL = 6 * time.Second

// Options are what an election is made of.
type Options struct {
	Leases Leases // nil: this process is alone and leads at once, without a lease
	Name   string // of the lease
	Holder string // this process, no other and not this one before it was started again
	TTL    time.Duration
	Now    func() time.Time                // what people are shown
	Told   func(name string, leading bool) // told of every change; nil: nobody is
	Log    *slog.Logger
}

// Parts of the TTL: how often a lease is renewed, how often others look at it, how long before its end the work is stopped.
func (o *Options) renewEach() time.Duration { return o.TTL / 4 }
func (o *Options) look() time.Duration      { return o.TTL / 6 }
func (o *Options) margin() time.Duration    { return o.TTL / 4 }

// Run runs f whenever this process holds the lease, until ctx ends or f returns by itself: then it returns f's error, unless that is ErrLost. The context of f ends
// before the lease can be another's; f has a quarter of the TTL to return in. While the database does not answer nobody leads for longer than
// the lease lasts, and Run tries on.
func Run(ctx context.Context, o Options, f func(ctx context.Context) error) error {
	if o.Leases == nil {
		o.tell(true)
		defer o.tell(false)
		return f(ctx)
	}
	for {
		held, ends, ok := o.wait(ctx)
		if !ok {
			return nil
		}
		done, err := o.lead(ctx, held, ends, f)
		if errors.Is(err, ErrLost) {
			err = nil // what was refused is the next leader's to do
		}
		if done || ctx.Err() != nil {
			return err
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			o.Log.Warn("work that ended with its lease had failed", slog.String("lease", o.Name), slog.Any("err", err))
		}
	}
}

// Seize takes the lease from whoever holds it and runs f once, in a term of its own: for what a person asks for while others work. f begins when whoever
// held the lease has stopped for sure, a TTL later. Without Leases f runs at once. If the lease is lost before f has ended the error is ErrLost.
func Seize(ctx context.Context, o Options, f func(ctx context.Context) error) error {
	if o.Leases == nil {
		return f(ctx)
	}
	held, ends, err := o.seize(ctx)
	if err != nil {
		return err
	}
	done, err := o.lead(ctx, held, ends, func(ctx context.Context) error {
		if !pause(ctx, o.TTL) {
			return ctx.Err()
		}
		return f(ctx)
	})
	if !done {
		return errors.Join(ErrLost, err)
	}
	return err
}

// seizeTries is how often a lease that is renewed at the same moment is asked for again.
const seizeTries = 20

func (o *Options) seize(ctx context.Context) (held Lease, ends *time.Timer, err error) {
	for range seizeTries {
		var now Lease
		if now, err = o.Leases.Lease(ctx, o.Name); err != nil {
			return held, nil, err
		}
		ends = o.countdown()
		var ok bool
		if held, ok, err = o.Leases.TakeLease(ctx, now, o.Holder, o.Now()); err == nil && ok {
			return held, ends, nil
		}
		ends.Stop()
		if err != nil {
			return held, nil, err
		}
	}
	return held, nil, fmt.Errorf("lease %s: others are always quicker: try again", o.Name)
}

func (o *Options) tell(leading bool) {
	if o.Told != nil {
		o.Told(o.Name, leading)
	}
}

// wait looks until the lease is this process's. ends runs out when it can no longer be sure of that.
func (o *Options) wait(ctx context.Context) (held Lease, ends *time.Timer, ok bool) {
	w := watch{ttl: o.TTL}
	defer w.stop()
	for failing := false; ; {
		now, err := o.ask(ctx, func(ctx context.Context) (Lease, error) { return o.Leases.Lease(ctx, o.Name) })
		if err == nil && w.free(now) {
			ends = o.countdown()
			held, err = o.ask(ctx, func(ctx context.Context) (l Lease, err error) {
				l, ok, err = o.Leases.TakeLease(ctx, now, o.Holder, o.Now())
				return l, err
			})
			if err == nil && ok {
				return held, ends, true
			}
			ends.Stop()
		}
		if err != nil && !failing && ctx.Err() == nil {
			o.Log.Warn("a lease cannot be looked at", slog.String("lease", o.Name), slog.Any("err", err))
		}
		failing = err != nil
		if !pause(ctx, o.look()) {
			return Lease{}, nil, false
		}
	}
}

// countdown is started before the database is asked for a lease or a renewal, and runs out when the work must stop unless a later one is.
func (o *Options) countdown() *time.Timer { return time.NewTimer(o.TTL - o.margin()) }

// watch tells whether a lease lies idle.
type watch struct {
	ttl   time.Duration
	seen  Lease
	stale *time.Timer // since seen was seen first; nil: never
}

// free reports whether now may be taken: nobody has it, or whoever has it has said nothing for a whole TTL.
func (w *watch) free(now Lease) bool {
	if !now.Held() {
		return true
	}
	if w.stale == nil || now.Term != w.seen.Term || now.Beat != w.seen.Beat {
		w.stop()
		w.seen, w.stale = now, time.NewTimer(w.ttl)
		return false
	}
	select {
	case <-w.stale.C:
		w.stale = nil // should the taking fail, whoever was quicker is watched anew
		return true
	default:
		return false
	}
}

func (w *watch) stop() {
	if w.stale != nil {
		w.stale.Stop()
	}
}

// ask gives the database as long as a lease may wait for it.
func (o *Options) ask(ctx context.Context, f func(ctx context.Context) (Lease, error)) (Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, o.TTL/2)
	defer cancel()
	return f(ctx)
}

// lead runs f in the term of held. ends runs out when f must have begun to stop. done: f ended by itself, or was asked to with ctx.
func (o *Options) lead(ctx context.Context, held Lease, ends *time.Timer, f func(ctx context.Context) error) (done bool, err error) {
	work, stop := context.WithCancelCause(withFence(ctx, held))
	defer stop(nil)
	o.Log.Info("leads", slog.String("lease", o.Name), slog.Int64("term", held.Term))
	o.tell(true)
	ended := make(chan error, 1)
	go func() { ended <- f(work) }()
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		o.keep(work, held, ends, stop)
	}()
	err = <-ended
	o.tell(false)
	lost := errors.Is(context.Cause(work), ErrLost) || errors.Is(err, ErrLost) // a write may hear of it before keep does
	stop(nil)
	<-kept
	if lost {
		o.Log.Warn("leads no more", slog.String("lease", o.Name), slog.Int64("term", held.Term))
		return false, err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.margin())
	defer cancel()
	if rerr := o.Leases.ReleaseLease(last, held, o.Now()); rerr != nil {
		o.Log.Warn("a lease was not given back: it runs out", slog.String("lease", o.Name), slog.Any("err", rerr))
	}
	return true, err
}

// renewal is what became of one.
type renewal struct {
	ok   bool
	err  error
	ends *time.Timer // counted from before the question
}

// keep renews held until ctx ends, and stops the work when it cannot be sure of the lease.
func (o *Options) keep(ctx context.Context, held Lease, ends *time.Timer, stop context.CancelCauseFunc) {
	answers, asked := make(chan renewal, 1), false
	pace := time.NewTicker(o.renewEach())
	defer func() {
		pace.Stop()
		ends.Stop()
		if asked {
			(<-answers).ends.Stop()
		}
	}()
	for {
		next := pace.C // a tick that comes while an answer is waited for is taken after it
		if asked {
			next = nil
		}
		select {
		case <-ctx.Done():
			return
		case <-ends.C:
			stop(ErrLost)
			return
		case <-next:
			asked = true
			go func() { answers <- o.renew(ctx, held) }()
		case a := <-answers:
			asked = false
			switch {
			case a.err == nil && a.ok:
				ends.Stop()
				ends = a.ends
			case a.err == nil:
				a.ends.Stop()
				stop(ErrLost)
				return
			default:
				a.ends.Stop()
				if ctx.Err() == nil {
					o.Log.Warn("a lease is not renewed", slog.String("lease", o.Name), slog.Any("err", a.err))
				}
			}
		}
	}
}

func (o *Options) renew(ctx context.Context, held Lease) (a renewal) {
	a.ends = o.countdown()
	_, a.err = o.ask(ctx, func(ctx context.Context) (l Lease, err error) {
		a.ok, err = o.Leases.RenewLease(ctx, held, o.Now())
		return l, err
	})
	return a
}

// pause reports whether it was not ctx that ended it.
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
