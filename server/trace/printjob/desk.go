package printjob

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// Prints reads prints.
type Prints interface {
	// PrintJob returns one job; ok is false where there is none.
	PrintJob(ctx context.Context, id string) (j Job, ok bool, err error)
	// PrintedOf returns the numbers of a run's labels that were printed.
	PrintedOf(ctx context.Context, run string) (map[int]bool, error)
	// PrintedBox returns the first print of a box's label; empty: none yet.
	PrintedBox(ctx context.Context, sscc string) (job string, err error)
	// PrintedAgain returns the jobs that printed labels of a job again, the oldest first.
	PrintedAgain(ctx context.Context, job string) ([]Job, error)
	// PrintJobs returns jobs, the newest first: those before an id, or of a lot.
	PrintJobs(ctx context.Context, before string, lot trace.Link, most int) ([]Job, error)
}

// Shelf is what is on record while a transaction lasts.
type Shelf interface {
	flow.Shelf
	Prints
}

// Store keeps prints.
type Store interface {
	// Print runs f in one write transaction, in which nobody else writes, and keeps the job that it returns; one without an ID is not kept.
	Print(ctx context.Context, by ledger.By, f func(ctx context.Context, s Shelf) (Job, error)) error
	// LookPrints runs f on one snapshot.
	LookPrints(ctx context.Context, f func(ctx context.Context, s Shelf) error) error
}

// Order asks for a print: of a run, of boxes, or again of a job.
type Order struct {
	ID    string   // of the job, so that an order that comes twice is kept once; empty: a new one
	Run   string   // the next Count labels of it that are not printed yet
	Count int      // 0: all that are left, as many as one print may have
	Boxes []string // their numbers
	Again string   // labels of this job
	Slots []int    // of it, from 1
	Why   Reason
	Paper Paper
}

// Desk takes orders. It is safe for concurrent use.
type Desk struct {
	store  Store
	random io.Reader
	now    func() time.Time
	log    *slog.Logger
}

// New makes a desk. random is where ids are drawn from.
func New(store Store, random io.Reader, now func() time.Time, log *slog.Logger) *Desk {
	return &Desk{store, random, now, log}
}

// Take keeps the print that is asked for. A *RefusedError or *label.RefusedError says what is wrong with it; any other error is the server's.
func (d *Desk) Take(ctx context.Context, who flow.Who, o Order) (out Job, err error) {
	if !who.Role.May(account.EditFarm) {
		return Job{}, refuse(NoRight)
	}
	made := d.now().UTC().Truncate(time.Millisecond)
	if o.ID == "" {
		if o.ID, err = diary.NewID(made, ulid.Monotonic(d.random, 0)); err != nil {
			return Job{}, fmt.Errorf("printjob: %w", err)
		}
	}
	err = d.store.Print(ctx, ledger.By{Actor: who.Actor, At: made}, func(ctx context.Context, s Shelf) (Job, error) {
		old, there, err := s.PrintJob(ctx, o.ID)
		if err != nil || there {
			out = old
			return Job{}, err
		}
		out, err = plan(ctx, s, o)
		out.ID, out.Made, out.Actor = o.ID, made, who.Actor
		return out, err
	})
	if err != nil {
		return Job{}, fmt.Errorf("printjob: %w", err)
	}
	d.log.Info("labels", slog.String("job", out.ID), slog.Int("count", len(out.Marks)), slog.Bool("again", out.Again != ""))
	return out, nil
}

// plan checks an order against what is on record.
func plan(ctx context.Context, s Shelf, o Order) (Job, error) {
	if !o.Paper.Roll() {
		sheets, err := o.Paper.Sheets(time.Time{})
		if err == nil {
			err = sheets.Check()
		}
		if err != nil {
			return Job{}, err
		}
	}
	switch {
	case o.Again != "":
		return planAgain(ctx, s, o)
	case len(o.Boxes) > 0:
		return planBoxes(ctx, s, o)
	}
	return planRun(ctx, s, o)
}

// few refuses a print of nothing, and one of too much.
func few(n int, p Paper) error {
	if n < 1 || n > p.Most() {
		return refuse(BadCount, Line{Kind: LineAsked, Count: n}, Line{Kind: LineMost, Count: p.Most()})
	}
	return nil
}

func planRun(ctx context.Context, s Shelf, o Order) (Job, error) {
	r, events, err := runOf(ctx, s, o.Run)
	if err != nil {
		return Job{}, err
	}
	if !Printable(r.Lot.State) {
		return Job{}, refuse(BadState, thing(r.Lot.Link().Ref(), string(r.Lot.State)))
	}
	if err := supported(ctx, s, r.Lot, events); err != nil {
		return Job{}, err
	}
	n := o.Count
	if n == 0 {
		n = min(len(r.Left), o.Paper.Most())
	}
	if n > len(r.Left) || n == 0 {
		return Job{}, refuse(TooMany, r.lines(o.Count)...)
	}
	if err := few(n, o.Paper); err != nil {
		return Job{}, err
	}
	j := Job{Run: o.Run, Lot: r.Lot.Link(), Paper: o.Paper}
	for _, n := range r.Left[:n] {
		j.Marks = append(j.Marks, Mark{N: n, ID: r.items[n].Serial})
	}
	return j, nil
}

// supported refuses labels of a lot of which more left, or is packed, than came in: an entry of the diary that was put right afterwards does that.
func supported(ctx context.Context, s Shelf, l trace.Lot, events []trace.Goods) error {
	uses, err := s.Uses(ctx, l.Code)
	if err != nil {
		return err
	}
	a := flow.Reckon(l, events, uses)
	if a.Over() {
		return refuse(OverMass, thing(l.Link().Ref(), ""), Line{Kind: LineIn, KG: a.InKG}, Line{Kind: LineOut, KG: a.OutKG + a.PackedKG})
	}
	return nil
}

func planBoxes(ctx context.Context, s Shelf, o Order) (Job, error) {
	j := Job{Paper: o.Paper}
	for _, sscc := range o.Boxes {
		if slices.ContainsFunc(j.Marks, func(m Mark) bool { return m.ID == sscc }) {
			continue
		}
		if err := boxed(ctx, s, sscc); err != nil {
			return Job{}, err
		}
		first, err := s.PrintedBox(ctx, sscc)
		if err != nil {
			return Job{}, err
		}
		if first != "" {
			return Job{}, refuse(Printed, thing(trace.Ref{Kind: trace.RefBox, ID: sscc}, ""))
		}
		j.Marks = append(j.Marks, Mark{ID: sscc})
	}
	return j, few(len(j.Marks), o.Paper)
}

// boxed refuses the label of a box that is not there any more, or holds what may not be sold.
func boxed(ctx context.Context, s Shelf, sscc string) error {
	ref := trace.Ref{Kind: trace.RefBox, ID: sscc}
	boxes, items, err := s.Inside(ctx, sscc)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(boxes, func(b trace.Box) bool { return b.SSCC == sscc })
	if at < 0 {
		return refuse(NoBox, thing(ref, ""))
	}
	if state := boxes[at].State; state != trace.ItemActivated {
		return refuse(BadBox, thing(ref, string(state)))
	}
	lots := LotsIn(boxes, items)
	if len(lots) == 0 {
		return refuse(BadBox, thing(ref, "empty"))
	}
	for _, l := range lots {
		now, err := s.Lot(ctx, l)
		if err != nil {
			return err
		}
		if !Printable(now.Lot.State) {
			return refuse(BadState, thing(l.Ref(), string(now.Lot.State)))
		}
	}
	return nil
}

// LotsIn returns the lots that boxes and items are of, each once, in the order of their names.
func LotsIn(boxes []trace.Box, items []trace.Item) (out []trace.Link) {
	add := func(l trace.Link) {
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	for _, i := range items {
		add(trace.Link{GTIN: i.GTIN, Lot: i.Lot})
	}
	for _, b := range boxes {
		for _, p := range b.Parts {
			if l, ok := p.Ref.Link(); ok {
				add(l)
			}
		}
	}
	slices.SortFunc(out, func(a, b trace.Link) int { return compare(a, b) })
	return out
}

func planAgain(ctx context.Context, s Shelf, o Order) (Job, error) {
	old, ok, err := s.PrintJob(ctx, o.Again)
	switch {
	case err != nil:
		return Job{}, err
	case !ok:
		return Job{}, refuse(NoJob)
	case !slices.Contains(Reasons(), o.Why):
		return Job{}, refuse(NoReason)
	}
	j := Job{Run: old.Run, Lot: old.Lot, Again: old.ID, Reason: o.Why, Paper: o.Paper}
	if old.Again != "" { // what was printed again is told of the first print
		j.Again = old.Again
	}
	slots := slices.Compact(slices.Sorted(slices.Values(o.Slots)))
	if err := few(len(slots), o.Paper); err != nil {
		return Job{}, err
	}
	for _, n := range slots {
		if n < 1 || n > len(old.Marks) {
			return Job{}, refuse(BadLabel, Line{Kind: LineAsked, Count: n}, Line{Kind: LineMost, Count: len(old.Marks)})
		}
		j.Marks = append(j.Marks, old.Marks[n-1])
	}
	return j, stillThere(ctx, s, &j)
}

// stillThere refuses to print labels again whose goods have left or must not be sold, and fills serials in.
func stillThere(ctx context.Context, s Shelf, j *Job) error {
	if j.Run == "" {
		for _, m := range j.Marks {
			if err := boxed(ctx, s, m.ID); err != nil {
				return err
			}
		}
		return nil
	}
	r, _, err := runOf(ctx, s, j.Run)
	if err != nil {
		return err
	}
	if !Printable(r.Lot.State) {
		return refuse(BadState, thing(r.Lot.Link().Ref(), string(r.Lot.State)))
	}
	for i, m := range j.Marks {
		item := r.Item(m.N)
		if !r.alive[m.N] {
			return refuse(Gone, Line{Kind: LineAsked, Count: m.N}, thing(trace.Ref{Kind: trace.RefItem, ID: item.Serial}, string(item.State)))
		}
		j.Marks[i].ID = item.Serial
	}
	return nil
}
