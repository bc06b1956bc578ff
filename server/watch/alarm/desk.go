package alarm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"aovuon/server/watch/rule"
)

// Bounds of what a person may ask.
const (
	SnoozeWarn     = 12 * time.Hour   // longest snooze of what is not critical
	SnoozeCrit     = 30 * time.Minute // and of what is
	MaintenanceMax = 7 * 24 * time.Hour
	NoteMax        = 500 // characters
)

// Refused is a wish that the rules do not grant. Key names its text: alarm.refused.KEY, with Args.
type Refused struct { //nolint:errname // it is told apart from failures: nothing is broken, a person asked for too much
	Key  string
	Args []rule.Arg
	Err  string // English
}

func (e *Refused) Error() string { return "alarm: " + e.Err }

func refused(key, err string, args ...rule.Arg) error { return &Refused{key, args, err} }

// Refusals lists the keys of Refused.
func Refusals() []string {
	return []string{"ended", "long", "past", "note", "order", "week", "over", "reason"}
}

// Desk is where people answer alarms and look at them. It is safe for concurrent use, and for several programs on one Store.
type Desk struct {
	store   Store
	archive Archive
	now     func() time.Time

	mu     sync.Mutex
	newest map[Key]rule.Decision // by the last look: numbers that are newer than those kept
	wakes  []chan struct{}
}

// NewDesk returns a Desk.
func NewDesk(store Store, archive Archive, now func() time.Time) *Desk {
	return &Desk{store: store, archive: archive, now: now, newest: map[Key]rule.Decision{}}
}

// Wake returns a channel that is told, without being waited for, that there are new changes.
func (d *Desk) Wake() <-chan struct{} {
	c := make(chan struct{}, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wakes = append(d.wakes, c)
	return c
}

func (d *Desk) ring() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.wakes {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// learn takes the numbers of the last look at the alarms that last.
func (d *Desk) learn(lasting map[Key]Alarm, findings map[Key]Finding, changed bool) {
	newest := map[Key]rule.Decision{}
	for k, a := range lasting {
		if f, ok := findings[k]; ok && a.State != Normal && f.Sign != Hidden {
			newest[k] = f.Explain()
		}
	}
	d.mu.Lock()
	d.newest = newest
	d.mu.Unlock()
	if changed {
		d.ring()
	}
}

// Lasting returns the alarms that have not ended, the gravest first and the oldest of them first, pending ones last; their Decision is that of
// the last look.
func (d *Desk) Lasting(ctx context.Context) ([]Alarm, error) {
	list, _, err := d.store.LastingAlarms(ctx, d.now())
	if err != nil {
		return nil, fmt.Errorf("alarm: those that last: %w", err)
	}
	d.mu.Lock()
	for i := range list {
		if newer, ok := d.newest[list[i].Key]; ok && newer.At.After(list[i].Decision.At) {
			list[i].Decision = newer
		}
	}
	d.mu.Unlock()
	slices.SortStableFunc(list, func(a, b Alarm) int {
		switch {
		case a.State.Open() != b.State.Open():
			return order(a.State.Open())
		case a.Level != b.Level:
			return order(a.Level.Worse(b.Level))
		}
		return a.Began.Compare(b.Began)
	})
	return list, nil
}

func order(first bool) int {
	if first {
		return -1
	}
	return 1
}

// Open returns the alarms that people are told of, as Lasting orders them.
func (d *Desk) Open(ctx context.Context) ([]Alarm, error) {
	list, err := d.Lasting(ctx)
	return slices.DeleteFunc(list, func(a Alarm) bool { return !a.State.Open() }), err
}

// Changes returns changes with numbers after one; see Archive.
func (d *Desk) Changes(ctx context.Context, after int64, limit int) ([]Change, error) {
	return d.archive.AlarmChanges(ctx, after, limit)
}

// Alarm returns one alarm and all its changes. The error wraps ErrNone.
func (d *Desk) Alarm(ctx context.Context, id string) (Alarm, []Change, error) {
	return d.archive.Alarm(ctx, id)
}

// History returns the alarms of a place (empty: of all), the newest first, that lasted at any time from from to to.
func (d *Desk) History(ctx context.Context, place string, from, to time.Time) ([]Alarm, error) {
	return d.archive.AlarmHistory(ctx, Query{Place: place, From: from, To: to})
}

// Find returns the alarms that a Query asks for.
func (d *Desk) Find(ctx context.Context, q Query) ([]Alarm, error) {
	return d.archive.AlarmHistory(ctx, q)
}

// Ack says that somebody sees to an alarm: nobody is called of it again, unless it becomes graver. A second one changes nothing.
// The error is a *Refused, or wraps ErrNone.
func (d *Desk) Ack(ctx context.Context, id, by, note string) (Alarm, error) {
	return d.change(ctx, id, by, note, func(a *Alarm, now time.Time) (string, error) {
		if !a.Acked.IsZero() {
			return "", nil
		}
		a.Acked, a.AckedBy = now, by
		return Acked, nil
	})
}

// Snooze says until when nobody shall be called of an alarm again: SnoozeCrit at most where it is critical, SnoozeWarn otherwise. Now, or
// before, ends a snooze. The error is a *Refused, or wraps ErrNone.
func (d *Desk) Snooze(ctx context.Context, id string, until time.Time, by, note string) (Alarm, error) {
	return d.change(ctx, id, by, note, func(a *Alarm, now time.Time) (string, error) {
		most := SnoozeWarn
		if a.Level == rule.Crit {
			most = SnoozeCrit
		}
		if until.Sub(now) > most {
			return "", refused("long", fmt.Sprintf("snoozed until %s: at most %v", until.Format(time.RFC3339), most), rule.For(most))
		}
		if !until.After(now) && a.Snoozed.IsZero() {
			return "", refused("past", "snoozed until a time that has passed: choose a later one")
		}
		if !until.After(now) {
			until = now
		}
		a.Snoozed, a.SnoozedBy = until.UTC().Truncate(time.Millisecond), by
		return Snoozed, nil
	})
}

// change writes what a person does to an alarm, again where the rules changed it meanwhile.
func (d *Desk) change(ctx context.Context, id, by, note string, f func(*Alarm, time.Time) (string, error)) (Alarm, error) {
	note, err := cleanNote(note)
	if err != nil {
		return Alarm{}, err
	}
	for range 10 {
		a, _, err := d.archive.Alarm(ctx, id)
		if err != nil {
			return a, err
		}
		if !a.Ended.IsZero() {
			return a, refused("ended", "it has ended by itself", rule.At(a.Ended))
		}
		now := d.now().UTC().Truncate(time.Millisecond)
		what, err := f(&a, now)
		if err != nil || what == "" {
			return a, err
		}
		c := []Change{{Alarm: a, What: what, From: a.State, At: now, By: by, Note: note}}
		err = d.store.KeepAlarmChanges(ctx, c)
		if err == nil {
			d.ring()
			return c[0].Alarm, nil
		}
		if !errors.Is(err, ErrMoved) {
			return a, fmt.Errorf("alarm: %s %s: %w", what, id, err)
		}
	}
	return Alarm{}, fmt.Errorf("alarm: %s: %w: try again", id, ErrMoved)
}

func cleanNote(note string) (string, error) {
	note = strings.TrimSpace(note)
	if n := utf8.RuneCountInString(note); n > NoteMax || !utf8.ValidString(note) {
		return "", refused("note", fmt.Sprintf("a note of %d characters: at most %d", n, NoteMax), rule.Number(NoteMax, 0, ""))
	}
	return note, nil
}

// Maintain begins a maintenance, at once where From is zero, and names it. Alarms go on; nobody is called of them. The error is a *Refused.
func (d *Desk) Maintain(ctx context.Context, m Maintenance) (Maintenance, error) {
	now := d.now().UTC().Truncate(time.Millisecond)
	if m.From.IsZero() {
		m.From = now
	}
	m.From, m.To, m.Ended = m.From.UTC().Truncate(time.Millisecond), m.To.UTC().Truncate(time.Millisecond), time.Time{}
	var err error
	if m.Reason, err = cleanNote(m.Reason); err != nil {
		return m, err
	}
	switch {
	case m.Reason == "":
		return m, refused("reason", "a maintenance without a reason: say what is done there")
	case !m.To.After(m.From):
		return m, refused("order", "a maintenance that ends before it begins")
	case !m.To.After(now):
		return m, refused("past", "a maintenance that is over already")
	case m.To.Sub(m.From) > MaintenanceMax:
		return m, refused("week", fmt.Sprintf("a maintenance of %v: at most %v; begin another when it is over", m.To.Sub(m.From), MaintenanceMax), rule.For(MaintenanceMax))
	}
	m.ID = ulid.Make().String()
	if err := d.store.KeepMaintenance(ctx, m); err != nil {
		return m, fmt.Errorf("alarm: maintain %s: %w", m.Place, err)
	}
	return m, nil
}

// EndMaintenance takes a maintenance back. The error is a *Refused, or wraps ErrNone.
func (d *Desk) EndMaintenance(ctx context.Context, id, by string) (Maintenance, error) {
	now := d.now().UTC().Truncate(time.Millisecond)
	list, err := d.archive.Maintenances(ctx, now.Add(-2*MaintenanceMax), now.AddDate(10, 0, 0))
	if err != nil {
		return Maintenance{}, fmt.Errorf("alarm: maintenance %s: %w", id, err)
	}
	i := slices.IndexFunc(list, func(m Maintenance) bool { return m.ID == id })
	switch {
	case i < 0:
		return Maintenance{}, fmt.Errorf("maintenance %s: %w", id, ErrNone)
	case list[i].Over(now):
		return list[i], refused("over", "that maintenance is over")
	}
	m := list[i]
	m.Ended, m.EndedBy = now, by
	if err := d.store.KeepMaintenance(ctx, m); err != nil {
		return m, fmt.Errorf("alarm: end maintenance %s: %w", id, err)
	}
	return m, nil
}

// Maintenances returns the maintenances that lasted at any time from from to to, the newest first.
func (d *Desk) Maintenances(ctx context.Context, from, to time.Time) ([]Maintenance, error) {
	return d.archive.Maintenances(ctx, from, to)
}

// Holds reports whether a maintenance holds back a key at a moment.
func (m Maintenance) Holds(k Key, at time.Time) bool {
	return (m.Place == "" || m.Place == k.Place) && (m.Topic == "" || m.Topic == k.Topic) && !at.Before(m.From) && !m.Over(at)
}

// Over reports whether a maintenance has ended at a moment.
func (m Maintenance) Over(at time.Time) bool {
	return !at.Before(m.To) || !m.Ended.IsZero() && !at.Before(m.Ended)
}
