package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
)

// Desk takes entries in. It is safe for concurrent use.
type Desk struct {
	book  Book
	lots  Lots
	judge Judge
	now   func() time.Time
	log   *slog.Logger
	mu    sync.Mutex // one entry after the other: each is judged with all before it
	moved bool       // lots followed an entry of this Take
}

// New makes a desk.
func New(book Book, lots Lots, judge Judge, now func() time.Time, log *slog.Logger) *Desk {
	return &Desk{book: book, lots: lots, judge: judge, now: now, log: log}
}

// tries is how often an entry is decided anew because another process changed the same lot meanwhile.
const tries = 3

// Take takes entries in, in their order, and answers each. An error says that the server is not able to: everything can be sent again.
func (d *Desk) Take(ctx context.Context, who Who, sent []diary.Sent) ([]diary.Outcome, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]diary.Outcome, 0, len(sent))
	var touched []string
	d.moved = false
	for _, s := range sent {
		o, err := d.takeOne(ctx, who, s)
		if err != nil {
			return nil, fmt.Errorf("desk: entry %.26s: %w", s.ID, err)
		}
		if o.State == diary.Kept && s.Place != "" && !slices.Contains(touched, s.Place) {
			touched = append(touched, s.Place)
		}
		out = append(out, o)
	}
	// What another process took in while these were judged is seen now; what is made of a lot that is held now is held, too.
	for _, place := range touched {
		if err := d.review(ctx, place, d.moved); err != nil {
			return nil, fmt.Errorf("desk: lots of %s: %w", place, err)
		}
	}
	return out, nil
}

func (d *Desk) takeOne(ctx context.Context, who Who, s diary.Sent) (diary.Outcome, error) {
	for range tries - 1 {
		if o, err := d.take(ctx, who, s); !errors.Is(err, ErrOutrun) {
			return o, err
		}
	}
	return d.take(ctx, who, s)
}

// take answers one entry; an error is the server's, not the entry's.
func (d *Desk) take(ctx context.Context, who Who, s diary.Sent) (diary.Outcome, error) {
	o := diary.Outcome{ID: s.ID, State: diary.Kept}
	switch { // before any database is asked: PostgreSQL takes no text that holds a NUL, and one such entry would hold all of a phone back
	case !diary.ValidID(s.ID):
		return refusal(s.ID, diary.ErrID)
	case s.Corrects != "" && !diary.ValidID(s.Corrects):
		return refusal(s.ID, diary.ErrCorrects)
	}
	if old, there, err := d.book.Event(ctx, s.ID); err != nil || there {
		if err == nil && !sameSent(old, s.Event) {
			return refusal(s.ID, diary.ErrReused)
		}
		o.State = diary.Known
		return d.withLot(ctx, o, old, err)
	}
	t, err := d.open(ctx, who, s)
	if err != nil {
		return o, err
	}
	k, err := t.decide()
	if err = errors.Join(t.failed, err); err != nil {
		if t.failed != nil {
			return o, t.failed
		}
		return refusal(s.ID, err)
	}
	added, err := d.lots.Keep(ctx, k, t.by())
	switch {
	case errors.Is(err, diary.ErrReused), errors.Is(err, diary.ErrCorrects):
		return refusal(s.ID, err)
	case err != nil:
		return o, err
	case !added:
		o.State = diary.Known
	}
	if len(k.Lots) > 0 {
		d.moved = true
		d.log.Info("lots follow an entry", slog.String("event", s.ID), slog.String("kind", s.Kind), slog.Int("lots", len(k.Lots)))
	}
	return d.withLot(ctx, o, k.Event, nil)
}

// withLot adds the lot of a harvest to its outcome.
func (d *Desk) withLot(ctx context.Context, o diary.Outcome, e diary.Event, err error) (diary.Outcome, error) {
	if err != nil || !opensLot(e.Kind) {
		return o, err
	}
	all, err := d.lots.DiaryLots(ctx, e.Place, time.Time{})
	if err != nil {
		return o, err
	}
	root, err := d.rootOf(ctx, e)
	if err != nil {
		return o, err
	}
	for _, st := range all {
		if slices.Contains(st.Lot.Harvests, root) {
			o.Lot, o.Held = st.Lot.Code, st.Hold.Open()
		}
	}
	return o, nil
}

// rootOf returns the first event of an event's chain.
func (d *Desk) rootOf(ctx context.Context, e diary.Event) (string, error) {
	for e.Corrects != "" {
		old, ok, err := d.book.Event(ctx, e.Corrects)
		if err != nil {
			return "", err
		}
		if !ok {
			break
		}
		e = old
	}
	return e.ID, nil
}

// refusal answers an entry that cannot be taken.
func refusal(id string, err error) (diary.Outcome, error) {
	o := diary.Outcome{ID: id, State: diary.Refused}
	if bad, ok := errors.AsType[*form.InvalidError](err); ok {
		o.Code, o.Problems = "fields", bad.Problems
		return o, nil
	}
	for _, known := range refusals() {
		if errors.Is(err, known) {
			o.Code = strings.TrimPrefix(known.Error(), "diary: ")
			return o, nil
		}
	}
	return o, err
}

// refusals are the errors of an entry; any other is the server's.
func refusals() []error {
	return []error{
		diary.ErrID, diary.ErrKind, diary.ErrPlace, diary.ErrCycle, diary.ErrFuture, diary.ErrOld, diary.ErrMedia, diary.ErrNote, diary.ErrCorrects,
		diary.ErrReused, ErrRight, ErrSecond, ErrNotHeld,
	}
}

// Codes returns every code that a refusal may have.
func Codes() []string {
	out := []string{"fields"}
	for _, err := range refusals() {
		out = append(out, strings.TrimPrefix(err.Error(), "diary: "))
	}
	return out
}

// sameSent reports whether an event that was sent is one that is kept: what the server filled in does not count.
func sameSent(kept, sent diary.Event) bool {
	if k, ok := diary.KindOf(sent.Kind); ok {
		sent.Values, _ = form.Check(k.Fields, sent.Values, nil)
	}
	if sent.Cycle == "" {
		sent.Cycle = kept.Cycle
	}
	return kept.Same(sent)
}

// taking is one entry on its way in, with all that it is judged by.
type taking struct {
	*Desk
	ctx     context.Context
	who     Who
	now     time.Time
	farm    *farm.Farm
	records []farm.Record
	event   diary.Event
	old     diary.Event   // that it corrects
	entries []diary.Entry // of its place, with it
	failed  error         // of the store
}

func (t *taking) by() ledger.By { return ledger.By{Actor: t.who.Actor, At: t.now} }

// open reads what an entry is judged by.
func (d *Desk) open(ctx context.Context, who Who, s diary.Sent) (*taking, error) {
	t := &taking{Desk: d, ctx: ctx, who: who, now: d.now().UTC().Truncate(time.Millisecond)}
	var err error
	if t.farm, err = d.book.Farm(ctx); err != nil {
		return nil, err
	}
	if t.records, err = d.book.Records(ctx, ""); err != nil {
		return nil, err
	}
	t.event = s.Event
	t.event.Actor, t.event.Device, t.event.Synced, t.event.Skew = who.Actor, who.Device, t.now, skew(t.now, s.SentAt)
	return t, nil
}

// skew is how far the phone's clock was behind when it sent; 0 where that is too little to speak of, or the phone did not say.
func skew(now, sent time.Time) time.Duration {
	if d := now.Sub(sent).Truncate(time.Millisecond); !sent.IsZero() && d.Abs() > diary.MaxSkew {
		return d
	}
	return 0
}

// decide checks the entry and says what is kept.
func (t *taking) decide() (Keeping, error) {
	if !t.who.Role.May(account.KeepDiary) {
		return Keeping{}, ErrRight
	}
	if t.event.Cycle == "" {
		t.event.Cycle = t.running()
	}
	var err error
	if t.event, err = t.ground().Check(t.event); err != nil {
		return Keeping{}, err
	}
	if t.event.Corrects != "" {
		t.old, _ = t.eventOf(t.event.Corrects)
	}
	if err := t.readEntries(); err != nil {
		t.failed = err
		return Keeping{}, err
	}
	k := Keeping{Event: t.event}
	k.Lots, err = t.consequences()
	return k, err
}

// consequences says what becomes of lots by the entry.
func (t *taking) consequences() ([]Change, error) {
	kind := t.event.Kind
	if kind == diary.Void {
		kind = t.old.Kind
	}
	switch {
	case kind == diary.Release:
		return t.release()
	case t.event.Place == "":
		return nil, nil
	case opensLot(kind):
		return t.harvest()
	}
	return t.rejudge()
}

// running returns the season that ran at the entry's place when it was done; none where there is more than one, or none.
func (t *taking) running() string {
	var found []string
	for _, r := range t.records {
		if !r.Retired && r.Stands(t.event.Place, t.event.At()) {
			found = append(found, r.ID)
		}
	}
	if len(found) != 1 || t.event.Place == "" {
		return ""
	}
	return found[0]
}

func (t *taking) ground() diary.Ground {
	return diary.Ground{Farm: t.farm, Record: t.record, Event: t.eventOf, Own: t.who.Own, Now: t.now, Media: func(sum string) bool {
		ok, err := t.book.HasMedia(t.ctx, sum)
		t.failed = errors.Join(t.failed, err)
		return ok
	}}
}

func (t *taking) eventOf(id string) (diary.Event, bool) {
	e, ok, err := t.book.Event(t.ctx, id)
	t.failed = errors.Join(t.failed, err)
	return e, ok
}

func (t *taking) record(kind farm.RecordKind, id string) (farm.Record, bool) {
	i := slices.IndexFunc(t.records, func(r farm.Record) bool { return r.Kind == kind && r.ID == id })
	if i < 0 {
		return farm.Record{}, false
	}
	return t.records[i], true
}

// readEntries reads the entries of the place as they would stand with this one.
func (t *taking) readEntries() error {
	if t.event.Place == "" {
		return nil
	}
	events, err := t.book.Events(t.ctx, diary.Query{Places: []string{t.event.Place}})
	if err != nil {
		return err
	}
	mine := t.event
	if !mine.Synced.After(t.old.Synced) {
		mine.Synced = t.old.Synced.Add(time.Millisecond)
	}
	t.entries = diary.Entries(append(events, mine))
	return nil
}
