// Package peers lets the processes of one database know each other: each enters itself with what it does and with facts that must be the same
// for all, says what it is up to every few seconds, and sees who else does. Rows come in and go out through a port; nobody compares clocks:
// whoever says nothing for as long as an observer waits is gone.
package peers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Process is one run of one process.
type Process struct {
	ID            string
	Name          string // for people: machine and address
	Roles         []string
	Facts         map[string]string // what must be the same for all that have it
	Beat          int64             // grows while it lives
	Started, Seen time.Time         // by its own clock; for people
	Report        []byte            // what it says of itself, JSON; made by whoever runs it
	Silent        bool              // it said nothing for Options.Patience; only in what List returns
}

// Store keeps processes where all see them.
type Store interface {
	Processes(ctx context.Context) ([]Process, error)
	// EnterProcess writes p, in place of a row of the same id.
	EnterProcess(ctx context.Context, p Process) error
	// BeatProcess counts the beat up and keeps a report; ok is false where the row is gone.
	BeatProcess(ctx context.Context, id string, report []byte, at time.Time) (ok bool, err error)
	LeaveProcess(ctx context.Context, id string) error
}

// Options are what a Peer is made of.
type Options struct {
	Store    Store
	Self     Process       // ID, Name, Roles and Facts
	Every    time.Duration // between two beats
	Patience time.Duration // how long a process may say nothing; several Every
	Report   func(ctx context.Context) []byte
	Now      func() time.Time
	Log      *slog.Logger
}

// Usual times.
const (
	Every    = 2 * time.Second
	Patience = 8 * time.Second
)

// forgotten is after how long the row of a silent process is removed: until then the page shows that it is missing.
const forgotten = time.Hour

// Peer is this process among the others. It is safe for concurrent use.
type Peer struct {
	o Options

	mu   sync.Mutex
	seen map[string]sighting // by id
	list []Process
}

// sighting is when a beat was first seen, and whether another was before it.
type sighting struct {
	beat  int64
	at    time.Time // with the monotonic clock
	moved bool
}

// ConflictError is a fact in which this process differs from one that runs.
type ConflictError struct {
	Fact  string
	Other Process
}

func (c *ConflictError) Error() string {
	return fmt.Sprintf("%s differs from that of process %s (%s)", c.Fact, c.Other.Name, c.Other.ID)
}

// Enter enters this process; Run must follow at once. Where it differs in a fact from one that runs the error is a *ConflictError, and nothing is left behind. One that
// was killed is waited out for Patience.
func Enter(ctx context.Context, o Options) (*Peer, error) {
	p := &Peer{o: o, seen: map[string]sighting{}}
	o.Self.Started = o.Now()
	p.o.Self = o.Self
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	deadline := time.NewTimer(o.Patience)
	defer deadline.Stop()
	for {
		if err := p.beat(ctx); err != nil { // two that begin at once see each other live
			return nil, errors.Join(err, p.Leave(ctx))
		}
		c := p.conflict()
		if c == nil {
			return p, nil
		}
		if p.moved(c.Other.ID) {
			return nil, errors.Join(c, p.Leave(ctx))
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), p.Leave(ctx))
		case <-deadline.C: // it said nothing for all that time
			if err := o.Store.LeaveProcess(ctx, c.Other.ID); err != nil {
				return nil, errors.Join(err, p.Leave(ctx))
			}
			o.Log.Warn("a process that differs has gone", slog.String("process", c.Other.Name), slog.String("fact", c.Fact))
			deadline.Reset(0) // the same time has passed for all others
		case <-time.After(o.Every / 2):
		}
	}
}

func (p *Peer) enter(ctx context.Context) error {
	self := p.o.Self
	self.Seen, self.Report = p.o.Now(), p.o.Report(ctx)
	return p.o.Store.EnterProcess(ctx, self)
}

// look reads who is there.
func (p *Peer) look(ctx context.Context) error {
	list, err := p.o.Store.Processes(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Now()
	for i := range list {
		x := &list[i]
		s, known := p.seen[x.ID]
		if !known || s.beat != x.Beat {
			s = sighting{x.Beat, now, known}
			p.seen[x.ID] = s
		}
		x.Silent = x.ID != p.o.Self.ID && now.Sub(s.at) > p.o.Patience
	}
	for id := range p.seen {
		if !slices.ContainsFunc(list, func(x Process) bool { return x.ID == id }) {
			delete(p.seen, id)
		}
	}
	p.list = list
	return nil
}

// conflict returns a fact in which another process differs, nil where there is none.
func (p *Peer) conflict() *ConflictError {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.list {
		for _, fact := range slices.Sorted(maps.Keys(x.Facts)) {
			if own, ok := p.o.Self.Facts[fact]; ok && x.ID != p.o.Self.ID && own != x.Facts[fact] {
				return &ConflictError{fact, x}
			}
		}
	}
	return nil
}

// moved reports whether a process was seen to live since it was seen first.
func (p *Peer) moved(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[id].moved
}

// List returns who is there, as of the newest look, this process included.
func (p *Peer) List() []Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.list)
}

// Run beats until ctx ends, and then leaves. A database that does not answer is asked again.
func (p *Peer) Run(ctx context.Context) error {
	tick := time.NewTicker(p.o.Every)
	defer tick.Stop()
	failing := false
	for {
		err := p.beat(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			p.o.Log.Warn("other processes are not told that this one lives", slog.Any("err", err))
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.o.Every)
			defer cancel()
			if err := p.Leave(last); err != nil {
				p.o.Log.Warn("other processes are not told that this one stops", slog.Any("err", err))
			}
			return nil
		case <-tick.C:
		}
	}
}

func (p *Peer) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.o.Patience/2)
	defer cancel()
	ok, err := p.o.Store.BeatProcess(ctx, p.o.Self.ID, p.o.Report(ctx), p.o.Now())
	if err == nil && !ok {
		err = p.enter(ctx)
	}
	if err == nil {
		err = p.look(ctx)
	}
	if err == nil {
		err = p.forget(ctx)
	}
	return err
}

// forget removes the rows of those that have been silent for long.
func (p *Peer) forget(ctx context.Context) error {
	p.mu.Lock()
	var gone []string
	for id, s := range p.seen {
		if id != p.o.Self.ID && p.o.Now().Sub(s.at) > forgotten {
			gone = append(gone, id)
		}
	}
	p.mu.Unlock()
	var errs []error
	for _, id := range gone {
		errs = append(errs, p.o.Store.LeaveProcess(ctx, id))
	}
	return errors.Join(errs...)
}

// Leave removes this process.
func (p *Peer) Leave(ctx context.Context) error {
	return p.o.Store.LeaveProcess(context.WithoutCancel(ctx), p.o.Self.ID)
}
