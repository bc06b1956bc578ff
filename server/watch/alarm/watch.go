package alarm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/watch/rule"
)

const (
	// BlindAfter is how long a Looker, or the Store, may fail before that is an alarm of its own.
	BlindAfter = time.Minute
	blindKeep  = 5 * time.Minute
	// patience bounds one look and one write: a store that does not answer must not stop the clock.
	patience = 10 * time.Second
)

// Looker finds out how the places stand that it watches. It is asked by one goroutine.
type Looker interface {
	// ID names it, [a-z_]: the topic watch_ID is the alarm that says that it cannot look.
	ID() string
	// A Looker that is made of several has Parts() []string, asked after Look: those that could look.
	//
	// Look says of every key that it watches how it stands; of which it says nothing any more, the alarm ends. An error means that it could
	// not look: its alarms stay as they are.
	Look(ctx context.Context, now time.Time) ([]Finding, error)
}

// Options are what a Watch is made of.
type Options struct {
	Store   Store
	Desk    *Desk
	Lookers []Looker
	Every   time.Duration
	Now     func() time.Time
	Log     *slog.Logger
}

// Watch decides on a clock tick.
type Watch struct {
	Options
	failing map[string]time.Time // since when a Looker cannot look
	lost    time.Time            // since when the store cannot be written; zero: it can

	mu     sync.Mutex
	status Status
}

// Status says how the watch itself does.
type Status struct {
	Ticked   time.Time     // when the newest tick was done; zero: none was
	Took     time.Duration // by that one
	Watched  int           // keys that were looked at
	Open     int           // alarms that people are told of
	Pending  int
	Blind    int    // parts that cannot look, the store among them
	Problem  string // why alarms cannot be kept now; empty: they can
	Changing int64  // changes since the start
}

// NewWatch returns a Watch.
func NewWatch(o Options) *Watch { return &Watch{Options: o, failing: map[string]time.Time{}} }

// Status returns how the watch does.
func (w *Watch) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// Run ticks until ctx ends. An error of a tick is said in the log and tried again at the next.
func (w *Watch) Run(ctx context.Context) error {
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	for {
		if err := w.Tick(ctx, w.Now()); err != nil && ctx.Err() == nil {
			w.Log.Warn("alarms cannot be kept", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Tick looks once and keeps what happened. Told twice of the same moment it does nothing the second time.
func (w *Watch) Tick(ctx context.Context, now time.Time) error {
	began := w.Now()
	now = now.UTC().Truncate(time.Millisecond)
	findings, looked := w.look(ctx, now)
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	var lasting map[Key]Alarm
	for range 3 { // somebody may answer an alarm between the reading and the writing of it
		if lasting, err = w.keep(limited, findings, looked, now); !errors.Is(err, ErrMoved) {
			break
		}
	}
	w.note(lasting, len(findings), now, w.Now().Sub(began), err)
	return err
}

// look asks every Looker. looked says which of them could.
func (w *Watch) look(ctx context.Context, now time.Time) (findings map[Key]Finding, looked map[string]bool) {
	findings, looked = map[Key]Finding{}, map[string]bool{ownID: true}
	for _, l := range w.Lookers {
		limited, cancel := context.WithTimeout(ctx, patience)
		list, err := l.Look(limited, now)
		cancel()
		if ctx.Err() == nil {
			w.seen(findings, l.ID(), err, now)
		}
		if err != nil {
			continue
		}
		parts := []string{l.ID()}
		if several, ok := l.(interface{ Parts() []string }); ok {
			parts = several.Parts()
		}
		for _, id := range parts {
			looked[id] = true
		}
		for _, f := range list {
			f.Looker = cmp.Or(f.Looker, l.ID())
			add(findings, f)
		}
	}
	return findings, looked
}

// add puts a finding among the others: where several are about one key, the gravest counts.
func add(findings map[Key]Finding, f Finding) {
	old, there := findings[f.Key]
	if !there || f.Sign > old.Sign || f.Sign == old.Sign && f.Level.Worse(old.Level) {
		findings[f.Key] = f
	}
}

// ownID is the Looker of alarms of the watch about itself.
const ownID = "watch"

// seen notes whether a part of the watch could look.
func (w *Watch) seen(findings map[Key]Finding, id string, err error, now time.Time) {
	if err == nil {
		delete(w.failing, id)
	} else if _, failing := w.failing[id]; !failing {
		w.failing[id] = now
		w.Log.Warn("a part of the watch cannot look", slog.String("part", id), slog.Any("err", err))
	}
	since, failing := w.failing[id]
	f := own("watch_"+id, now)
	if failing && now.Sub(since) >= BlindAfter {
		f = blinded("watch_"+id, since, now)
	}
	add(findings, f)
}

// own is a part of the server that is well.
func own(topic string, now time.Time) Finding {
	k := Key{Topic: topic}
	return Finding{Key: k, Looker: ownID, Sign: Clear, Keep: blindKeep, Explain: func() rule.Decision {
		return rule.Decision{Rule: ownID, Topic: topic, Verdict: rule.Calm, At: now, Why: []rule.Reason{rule.Because("sees_again")}}
	}}
}

// blinded is a part of the server that cannot look.
func blinded(topic string, since, now time.Time) Finding {
	return Finding{Key: Key{Topic: topic}, Looker: ownID, Sign: Blinded, Level: rule.Crit, Began: since, Keep: blindKeep, Explain: func() rule.Decision {
		return rule.Decision{
			Rule: ownID, Topic: topic, Verdict: rule.Crit, At: now, Why: []rule.Reason{rule.Because("blind", rule.At(since))},
			Do: []rule.Reason{rule.Because("look_yourself"), rule.Because("call_technician")},
		}
	}}
}

// keep leads every alarm on and writes what happened.
func (w *Watch) keep(ctx context.Context, findings map[Key]Finding, looked map[string]bool, now time.Time) (map[Key]Alarm, error) {
	list, held, err := w.Store.LastingAlarms(ctx, now)
	if err != nil {
		return nil, w.storeLost(now, fmt.Errorf("alarm: tick: %w", err))
	}
	lasting := make(map[Key]Alarm, len(list))
	for _, a := range list {
		lasting[a.Key] = a
	}
	w.storeBack(findings, now)
	var changes []Change
	for _, a := range list { // those that nobody watches any more
		if _, found := findings[a.Key]; !found && looked[a.Looker] {
			changes = append(changes, w.step(lasting, over(a, now), held, now)...)
		}
	}
	for _, k := range telling(findings, lasting) {
		changes = append(changes, w.step(lasting, findings[k], held, now)...)
	}
	if err := w.Store.KeepAlarmChanges(ctx, changes); err != nil {
		return lasting, w.storeLost(now, fmt.Errorf("alarm: tick: %w", err))
	}
	w.lost = time.Time{}
	w.Desk.learn(lasting, findings, len(changes) > 0)
	w.count(len(changes))
	return lasting, nil
}

// telling returns the keys of which something may have to be kept, in one order.
func telling(findings map[Key]Finding, lasting map[Key]Alarm) (out []Key) {
	for k, f := range findings {
		if _, there := lasting[k]; there || f.Sign >= Beyond {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b Key) int { return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Topic, b.Topic)) })
	return out
}

// step leads one alarm on.
func (w *Watch) step(lasting map[Key]Alarm, f Finding, held []Maintenance, now time.Time) []Change {
	a, changes := lasting[f.Key].Step(f, now, func() string { return ulid.Make().String() })
	maintenance := ""
	for _, m := range held {
		if m.Holds(f.Key, now) {
			maintenance = m.ID
			break
		}
	}
	if a.Muted != maintenance && len(changes) > 0 && changes[0].From == Normal { // it begins held back: that is no second change
		a.Muted = maintenance
		for i := range changes {
			changes[i].Alarm.Muted = maintenance
		}
	}
	a, muted := a.mute(maintenance, now)
	lasting[f.Key] = a
	return append(changes, muted...)
}

// over ends an alarm of something that is not watched any more.
func over(a Alarm, now time.Time) Finding {
	return Finding{Key: a.Key, Looker: a.Looker, Sign: Over, Explain: func() rule.Decision {
		return rule.Decision{Rule: a.Decision.Rule, Place: a.Place, Topic: a.Topic, Verdict: rule.Unknown, At: now, Why: []rule.Reason{rule.Because("not_watched")}, Source: a.Decision.Source}
	}}
}

// storeTopic is the alarm that says that alarms could not be kept.
const storeTopic = "watch_store"

func (w *Watch) storeLost(now time.Time, err error) error {
	if w.lost.IsZero() && !errors.Is(err, ErrMoved) {
		w.lost = now
	}
	return err
}

// storeBack tells of a store that was lost: while it was, nothing could be told.
func (w *Watch) storeBack(findings map[Key]Finding, now time.Time) {
	f := own(storeTopic, now)
	if !w.lost.IsZero() && now.Sub(w.lost) >= BlindAfter {
		f = blinded(storeTopic, w.lost, now)
	}
	findings[f.Key] = f
}

func (w *Watch) count(changes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Changing += int64(changes)
}

func (w *Watch) note(lasting map[Key]Alarm, watched int, now time.Time, took time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.status
	s.Ticked, s.Took, s.Watched, s.Blind, s.Problem = now, took, watched, len(w.failing), ""
	if err != nil {
		s.Problem = err.Error()
		s.Blind++
		return
	}
	s.Open, s.Pending = 0, 0
	for _, a := range lasting {
		switch {
		case a.State.Open():
			s.Open++
		case a.State == Pending:
			s.Pending++
		}
	}
}
