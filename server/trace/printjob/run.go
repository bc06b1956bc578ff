package printjob

import (
	"context"
	"slices"
	"time"

	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// Run is what was packed at once, and how far its labels are printed.
type Run struct {
	ID      string // of the Pack
	Lot     trace.Lot
	At      time.Time
	Serials bool // each item has one
	Made    bool // the lot was made of others: its day is that of making, not of a harvest
	NetG    float64
	Best    time.Time
	Packed  int // items
	Void    int // of them, destroyed or taken back
	Gone    int // of them, left without a label of ours
	Done    int // labels printed, without those printed again
	Left    []int

	items map[int]trace.Item // by number; none without serials
	alive map[int]bool       // that a label may still be put on
}

// Item returns the item of a number; without serials it has none of its own.
func (r Run) Item(n int) trace.Item {
	if i, ok := r.items[n]; ok {
		return i
	}
	return trace.Item{GTIN: r.Lot.GTIN, Lot: r.Lot.Code, Run: r.ID, N: n, NetG: r.NetG, Best: r.Best}
}

// Printable reports whether labels of a lot in a state may be printed, again too: it was released for sale, and nothing says that it must not be sold.
func Printable(s trace.State) bool { return s == trace.Released || s == trace.Shipped }

// IsRun reports whether an event packed items that have labels.
func IsRun(g trace.Goods) bool {
	return g.Kind == trace.Pack && g.Step != trace.StepActivate && len(g.In) > 0
}

// made reports whether a lot is something else than what was harvested: processed or dried, or a batch of the diary, which has no season.
func made(events []trace.Goods, l trace.Lot) bool {
	lot := l.Link().Ref()
	return len(l.Harvests) > 0 && l.Cycle == "" || slices.ContainsFunc(events, func(e trace.Goods) bool {
		return e.Kind == trace.Transform && (e.Step == trace.StepProcess || e.Step == trace.StepDry) && slices.ContainsFunc(e.Out, func(p trace.Part) bool { return p.Ref == lot })
	})
}

// packedBy returns how many items an event packed.
func packedBy(g trace.Goods) int {
	if len(g.Out) == 0 {
		return 0
	}
	return g.Out[0].Count
}

// runOf reads a run as it stands.
func runOf(ctx context.Context, s Shelf, id string) (Run, []trace.Goods, error) {
	g, ok, err := s.Event(ctx, id)
	if err != nil {
		return Run{}, nil, err
	}
	if !ok || !IsRun(g) {
		return Run{}, nil, refuse(NoRun)
	}
	link, ok := g.In[0].Ref.Link()
	if !ok {
		return Run{}, nil, refuse(NoRun)
	}
	events, err := s.GoodsOf(ctx, g.In[0].Ref)
	if err != nil {
		return Run{}, nil, err
	}
	if events = flow.Valid(events); !slices.ContainsFunc(events, func(e trace.Goods) bool { return e.ID == id }) {
		return Run{}, nil, refuse(NoRun, thing(g.In[0].Ref, ""))
	}
	now, err := s.Lot(ctx, link)
	if err != nil {
		return Run{}, nil, err
	}
	if now.Gated {
		now.Lot.State = trace.Held
	}
	r := Run{ID: id, Lot: now.Lot, At: g.At, NetG: g.NetG, Best: g.Best, Serials: g.Step != trace.StepPlain, Made: made(events, now.Lot), items: map[int]trace.Item{}, alive: map[int]bool{}}
	done, err := s.PrintedOf(ctx, id)
	if err != nil {
		return Run{}, nil, err
	}
	if r.Serials {
		items, err := s.Run(ctx, id)
		if err != nil {
			return Run{}, nil, err
		}
		r.count(items, done)
		return r, events, nil
	}
	r.plain(g, done)
	return r, events, nil
}

// count sorts the items of a run.
func (r *Run) count(items []trace.Item, done map[int]bool) {
	r.Packed, r.Done = len(items), len(done)
	for _, i := range items {
		r.items[i.N] = i
		switch i.State {
		case trace.ItemVoid:
			r.Void++
			continue
		case trace.ItemShipped, trace.ItemSold:
			if !done[i.N] {
				r.Gone++
			}
			continue
		case trace.ItemPrinted, trace.ItemActivated:
		}
		r.alive[i.N] = true
		if !done[i.N] {
			r.Left = append(r.Left, i.N)
		}
	}
	slices.Sort(r.Left)
}

// plain counts the items of a run without serials: all of them may have a label.
func (r *Run) plain(g trace.Goods, done map[int]bool) {
	r.Packed, r.Done = packedBy(g), len(done)
	for n := 1; n <= r.Packed; n++ {
		r.alive[n] = true
		if !done[n] {
			r.Left = append(r.Left, n)
		}
	}
}

// lines are the arithmetic of a run.
func (r Run) lines(asked int) []Line {
	out := []Line{thing(r.Lot.Link().Ref(), ""), {Kind: LinePacked, Count: r.Packed}}
	for _, l := range []Line{{Kind: LineVoid, Count: r.Void}, {Kind: LineGone, Count: r.Gone}, {Kind: LineDone, Count: r.Done}} {
		if l.Count > 0 {
			out = append(out, l)
		}
	}
	return append(out, Line{Kind: LineLeft, Count: len(r.Left)}, Line{Kind: LineAsked, Count: asked})
}
