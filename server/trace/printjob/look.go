package printjob

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

func compare(a, b trace.Link) int {
	return cmp.Or(cmp.Compare(a.GTIN, b.GTIN), cmp.Compare(a.Lot, b.Lot))
}

// OfLot is all that is printed, or may be, of a lot.
type OfLot struct {
	Lot   trace.Lot
	Runs  []Run   // the oldest first
	Jobs  []Job   // the newest first
	Boxes []Crate // that hold something of it
}

// Crate is a box and whether it has its label.
type Crate struct {
	trace.Box
	Job string // that printed its label first; empty: none
}

// mostJobs is how many jobs of a lot are listed.
const mostJobs = 50

// Lot returns all that is printed, or may be, of a lot; the error wraps trace.ErrUnknown.
func (d *Desk) Lot(ctx context.Context, l trace.Link) (out OfLot, err error) {
	err = d.store.LookPrints(ctx, func(ctx context.Context, s Shelf) error {
		now, err := s.Lot(ctx, l)
		if err != nil {
			return err
		}
		out.Lot = now.Lot
		events, err := s.GoodsOf(ctx, l.Ref())
		if err != nil {
			return err
		}
		for _, e := range flow.Valid(events) {
			if !IsRun(e) {
				continue
			}
			r, _, err := runOf(ctx, s, e.ID)
			if err != nil {
				return err
			}
			out.Runs = append(out.Runs, r)
		}
		if out.Boxes, err = crates(ctx, s, flow.Valid(events)); err != nil {
			return err
		}
		out.Jobs, err = s.PrintJobs(ctx, "", l, mostJobs)
		return err
	})
	if err != nil {
		return OfLot{}, fmt.Errorf("printjob: lot %s: %w", l.Lot, err)
	}
	return out, nil
}

// crates are the boxes that events filled, and that are still there.
func crates(ctx context.Context, s Shelf, events []trace.Goods) (out []Crate, err error) {
	seen := map[string]bool{}
	for _, e := range events {
		if e.Kind != trace.FillBox || len(e.Out) == 0 || seen[e.Out[0].Ref.ID] {
			continue
		}
		sscc := e.Out[0].Ref.ID
		seen[sscc] = true
		boxes, _, err := s.Inside(ctx, sscc)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(boxes, func(b trace.Box) bool { return b.SSCC == sscc })
		if at < 0 || boxes[at].State == trace.ItemVoid {
			continue
		}
		c := Crate{Box: boxes[at]}
		if c.Job, err = s.PrintedBox(ctx, sscc); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Detail is a job with all that is drawn of it.
type Detail struct {
	Job
	Packed   Run   // what a run's labels are on
	Reprints []Job // that printed labels of it again, the oldest first
	Boxes    []Full
}

// Full is a box with all that is in it.
type Full struct {
	trace.Box
	Inner []trace.Box
	Items []trace.Item
}

// Job returns a job and what its labels are on; ok is false where there is none.
func (d *Desk) Job(ctx context.Context, id string) (out Detail, ok bool, err error) {
	err = d.store.LookPrints(ctx, func(ctx context.Context, s Shelf) (err error) {
		if out.Job, ok, err = s.PrintJob(ctx, id); err != nil || !ok {
			return err
		}
		if out.Reprints, err = s.PrintedAgain(ctx, id); err != nil {
			return err
		}
		return out.fill(ctx, s)
	})
	if err != nil {
		return Detail{}, false, fmt.Errorf("printjob: job %.26q: %w", id, err)
	}
	return out, ok, nil
}

// Draft returns what an order would print with what its labels are on, and keeps nothing.
func (d *Desk) Draft(ctx context.Context, o Order) (out Detail, err error) {
	err = d.store.LookPrints(ctx, func(ctx context.Context, s Shelf) (err error) {
		if out.Job, err = plan(ctx, s, o); err != nil {
			return err
		}
		return out.fill(ctx, s)
	})
	if err != nil {
		return out, fmt.Errorf("printjob: %w", err)
	}
	return out, nil
}

// fill reads what the labels are on.
func (d *Detail) fill(ctx context.Context, s Shelf) (err error) {
	if d.Run != "" {
		d.Packed, _, err = runOf(ctx, s, d.Run)
		for i, m := range d.Marks {
			d.Marks[i].ID = d.Packed.Item(m.N).Serial
		}
		return err
	}
	for _, m := range d.Marks {
		boxes, items, err := s.Inside(ctx, m.ID)
		if err != nil {
			return err
		}
		f := Full{Items: items}
		for _, b := range boxes {
			if b.SSCC == m.ID {
				f.Box = b
			} else {
				f.Inner = append(f.Inner, b)
			}
		}
		d.Boxes = append(d.Boxes, f)
	}
	return nil
}

// Jobs returns jobs, the newest first, those before an id.
func (d *Desk) Jobs(ctx context.Context, before string, most int) (out []Job, err error) {
	err = d.store.LookPrints(ctx, func(ctx context.Context, s Shelf) (err error) {
		out, err = s.PrintJobs(ctx, before, trace.Link{}, most)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("printjob: jobs: %w", err)
	}
	return out, nil
}
