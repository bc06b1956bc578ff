package recall

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// Record is a recall, or a drill of one. What the ledger keeps of it for everybody is its JSON, which names nobody.
type Record struct {
	ID      string    `json:"id"` // ULID; also that of the first goods event
	Drill   bool      `json:"drill,omitempty"`
	Ask     Ask       `json:"-"` // kept apart, with Reason: what was bought in may be called by a person's name
	Reason  string    `json:"-"`
	Begun   time.Time `json:"begun"`           // when somebody began to ask
	Marked  time.Time `json:"marked,omitzero"` // when every lot was marked and the list was there; zero: it broke off, and is to be done again
	FoundMS int64     `json:"found_ms"`        // what the search took of that
	Ended   time.Time `json:"ended,omitzero"`  // when it was over
	Actor   string    `json:"actor"`           // a pseudonym
	Lots    []string  `json:"lots,omitempty"`  // paths of their Digital Links
	Left    []string  `json:"left,omitempty"`  // lots that were found and cannot be recalled: not harvested yet, or void
	Items   int       `json:"items"`           // serials
	Out     int       `json:"out"`             // of them, those that had left
	Boxes   int       `json:"boxes"`
	Buyers  int       `json:"buyers"`
}

// Open reports whether the recall still goes on.
func (r Record) Open() bool { return r.Ended.IsZero() }

// Links are the lots that were recalled.
func (r Record) Links() (out []trace.Link) {
	for _, path := range r.Lots {
		if l, err := trace.ParseLink(path, ""); err == nil {
			out = append(out, l)
		}
	}
	return out
}

// Since is how many lots there are now that the recall did not find: entries that came later led to them.
func (r Record) Since(f Found) (n int) {
	for _, l := range f.Lots {
		if path := l.Link.Path(); !slices.Contains(r.Lots, path) && !slices.Contains(r.Left, path) {
			n++
		}
	}
	return n
}

// Log keeps records.
type Log interface {
	SaveRecall(ctx context.Context, r Record, by ledger.By) error
	// Recall returns one record; ok is false where there is none. Recalls returns all, the newest first.
	Recall(ctx context.Context, id string) (r Record, ok bool, err error)
	Recalls(ctx context.Context) ([]Record, error)
}

// Goods marks lots; flow.Desk does.
type Goods interface {
	Take(ctx context.Context, who flow.Who, order trace.Goods) (trace.Goods, error)
}

// Desk recalls lots. It is safe for concurrent use.
type Desk struct {
	Store
	Log
	goods Goods
	now   func() time.Time
}

// New makes a desk.
func New(s Store, l Log, g Goods, now func() time.Time) *Desk { return &Desk{s, l, g, now} }

// The errors of orders to a desk.
var (
	ErrID     = errors.New("recall: the form is broken")
	ErrReason = errors.New("recall: no reason is given")
	ErrNone   = errors.New("recall: nothing was found")
	ErrEnded  = errors.New("recall: it is over already, or there is none")
)

// Order asks for a recall.
type Order struct {
	ID     string // ULID; the same again is the same recall
	Ask    Ask
	Reason string
	Drill  bool
	Begun  time.Time // when somebody began to ask; zero: now
}

// mostAtOnce is how many lots one goods event recalls.
const mostAtOnce = 400

// Find finds what an Ask is about, and changes nothing.
func (d *Desk) Find(ctx context.Context, a Ask) (Found, error) { return Find(ctx, d.Store, a, d.now) }

// Start finds everything downstream, marks each lot at once, and keeps a record. A drill finds and measures the same, and marks nothing. Whoever
// starts one that broke off once more, by its id, brings it to its end.
func (d *Desk) Start(ctx context.Context, who flow.Who, o Order) (Record, Found, error) {
	if !diary.ValidID(o.ID) {
		return Record{}, Found{}, ErrID
	}
	if o.Reason == "" {
		return Record{}, Found{}, ErrReason
	}
	old, known, err := d.Recall(ctx, o.ID)
	if err != nil {
		return Record{}, Found{}, err
	}
	if known && old.Ask != o.Ask {
		return Record{}, Found{}, ErrID
	}
	begin := d.now().UTC()
	f, err := d.Find(ctx, o.Ask)
	if err != nil || known && !old.Marked.IsZero() {
		return old, f, err
	}
	if len(f.Lots) == 0 && len(f.Deliveries) == 0 {
		return Record{}, f, ErrNone
	}
	r := f.record(o, who.Actor)
	if r.Begun.IsZero() || r.Begun.After(begin) || begin.Sub(r.Begun) > 24*time.Hour {
		r.Begun = begin
	}
	if err := d.SaveRecall(ctx, r, by(who, begin)); err != nil {
		return r, f, err
	}
	if err := d.mark(ctx, who, o, r); err != nil {
		return r, f, err
	}
	r.Marked = d.now().UTC().Truncate(time.Millisecond)
	for i := range f.Lots {
		if !o.Drill && slices.Contains(r.Lots, f.Lots[i].Link.Path()) {
			f.Lots[i].State = trace.Recalled
		}
	}
	return r, f, d.SaveRecall(ctx, r, by(who, r.Marked))
}

func by(who flow.Who, at time.Time) ledger.By { return ledger.By{Actor: who.Actor, At: at} }

// record is what is kept of what was found.
func (f Found) record(o Order, actor string) Record {
	r := Record{
		ID: o.ID, Drill: o.Drill, Ask: o.Ask, Reason: o.Reason, Begun: o.Begun.UTC().Truncate(time.Millisecond), FoundMS: f.Took.Milliseconds(), Actor: actor,
		Items: f.Items, Out: f.Out, Boxes: len(f.Boxes), Buyers: len(f.Buyers()),
	}
	for _, l := range f.Lots {
		if l.State == trace.Growing || l.State == trace.Void {
			r.Left = append(r.Left, l.Link.Path())
			continue
		}
		r.Lots = append(r.Lots, l.Link.Path())
	}
	return r
}

// mark recalls the lots, as many at once as an event takes.
func (d *Desk) mark(ctx context.Context, who flow.Who, o Order, r Record) error {
	first := true
	for some := range slices.Chunk(r.Links(), mostAtOnce) {
		g := trace.Goods{Kind: trace.Recall, Reason: o.Reason, Drill: o.Drill, In: parts(some), Document: o.ID}
		if first {
			g.ID, first = o.ID, false
		}
		if _, err := d.goods.Take(ctx, who, g); err != nil {
			return fmt.Errorf("recall: %w", err)
		}
	}
	return nil
}

func parts(links []trace.Link) (out []trace.Part) {
	for _, l := range links {
		out = append(out, trace.Part{Ref: l.Ref()})
	}
	return out
}

// End ends a recall or a drill: the lots wait to be released for sale again (trace.EndRecall), but for those that another recall still holds.
func (d *Desk) End(ctx context.Context, who flow.Who, id, reason string) (Record, error) {
	r, ok, err := d.Recall(ctx, id)
	if err != nil {
		return r, err
	}
	if !ok || !r.Open() {
		return r, ErrEnded
	}
	if reason == "" {
		return r, ErrReason
	}
	if !r.Drill {
		free, err := d.free(ctx, r)
		if err != nil {
			return r, err
		}
		for some := range slices.Chunk(free, mostAtOnce) {
			if _, err := d.goods.Take(ctx, who, trace.Goods{Kind: trace.EndRecall, Reason: reason, In: parts(some), Document: id}); err != nil {
				return r, fmt.Errorf("recall: %w", err)
			}
		}
	}
	r.Ended = d.now().UTC().Truncate(time.Millisecond)
	return r, d.SaveRecall(ctx, r, by(who, r.Ended))
}

// free are the lots of a recall that are recalled now, and by no other.
func (d *Desk) free(ctx context.Context, r Record) ([]trace.Link, error) {
	others, err := d.Recalls(ctx)
	if err != nil {
		return nil, err
	}
	kept := map[string]bool{}
	for _, o := range others {
		if o.ID == r.ID || o.Drill || !o.Open() {
			continue
		}
		for _, path := range o.Lots {
			kept[path] = true
		}
	}
	now, err := d.LotsNow(ctx, r.Links())
	if err != nil {
		return nil, err
	}
	var out []trace.Link
	for _, l := range now {
		if l.State == trace.Recalled && !kept[l.Link.Path()] {
			out = append(out, l.Link)
		}
	}
	return out, nil
}
