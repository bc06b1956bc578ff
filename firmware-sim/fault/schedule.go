package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Event is a fault that comes by itself.
type Event struct {
	Device string // or bus
	Kind   Kind
	Params []float64
	First  time.Time     // when it comes first, by the board's clock
	Every  time.Duration // and again so often; 0: once
	For    time.Duration // how long it lasts; 0: until somebody heals it
}

// errSchedule is wrapped by the errors of an Event that cannot be.
var errSchedule = errors.New("bad schedule")

// plan is what is scheduled.
type plan struct {
	due   []deed // by time
	dirty bool   // something was done and nobody was told
}

// deed is one change at one time.
type deed struct {
	at    time.Time
	event Event
	on    *Switch
	heals bool
}

// Schedule has an event come by itself. Instants that lie before now are left out, but a fault that began then and still lasts is
// in force at once. The board needs a clock.
func (b *Board) Schedule(e Event) error {
	s, params, err := b.check(e.Device, e.Kind, e.Params)
	now := b.time()
	switch {
	case err != nil:
		return err
	case e.Kind == None:
		return fmt.Errorf("%w: %s: which fault?", errSchedule, e.Device)
	case now.IsZero():
		return fmt.Errorf("%w: the board has no clock", errSchedule)
	case e.Every < 0 || e.For < 0 || e.Every > 0 && (e.For == 0 || e.For >= e.Every):
		return fmt.Errorf("%w: %s: every %s for %s: what comes again has to end before it does", errSchedule, e.Device, e.Every, e.For)
	}
	e.Params = params
	if e.Every > 0 && now.After(e.First) {
		e.First = e.First.Add(now.Sub(e.First) / e.Every * e.Every)
	}
	if e.For > 0 && !now.Before(e.First.Add(e.For)) { // over
		if e.Every == 0 {
			return nil
		}
		e.First = e.First.Add(e.Every)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plan.add(deed{at: e.First, event: e, on: s})
	return nil
}

func (p *plan) add(d deed) {
	p.due = append(p.due, d)
	slices.SortStableFunc(p.due, func(a, b deed) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
}

// settle does what is due by the board's clock. Who calls may hold a chip's lock, so nobody is told here.
func (b *Board) settle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now == nil || len(b.plan.due) == 0 {
		return
	}
	now := b.now()
	for len(b.plan.due) > 0 && !b.plan.due[0].at.After(now) {
		d := b.plan.due[0]
		b.plan.due = b.plan.due[1:]
		b.plan.dirty = true
		if d.heals {
			d.on.end(d.event.Kind)
			continue
		}
		d.on.set(State{Kind: d.event.Kind, Params: d.event.Params, Since: d.at})
		if d.event.For > 0 {
			b.plan.add(deed{at: d.at.Add(d.event.For), event: d.event, on: d.on, heals: true})
		}
		if d.event.Every > 0 {
			again := d
			again.at = d.at.Add(d.event.Every)
			b.plan.add(again)
		}
	}
}

// next is when something is due, ok being false when nothing is, and whether something was done that nobody was told of. Who asks tells.
func (b *Board) next() (at time.Time, ok, untold bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	untold, b.plan.dirty = b.plan.dirty, false
	if len(b.plan.due) == 0 {
		return time.Time{}, false, untold
	}
	return b.plan.due[0].at, true, untold
}

// Run tells who wants to know (OnChange) of what the schedule does, until ctx is done or nothing is scheduled any more. Faults come
// without it, too, as soon as a chip is asked; folders and device files need it. speed is how much faster than the machine's clock
// the board's runs.
func (b *Board) Run(ctx context.Context, speed float64) {
	for {
		at, ok, untold := b.next()
		if untold {
			b.tell()
		}
		if !ok {
			return
		}
		wait := time.NewTimer(max(time.Millisecond, time.Duration(float64(at.Sub(b.time()))/speed)))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		b.settle()
	}
}
