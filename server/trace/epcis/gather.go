package epcis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/trace"
)

// Lots are the lots on record.
type Lots interface {
	Farm(ctx context.Context) (*farm.Farm, error)
	Lots(ctx context.Context) ([]trace.Lot, error)
	// Dossier returns all about the lot of a link; the error wraps trace.ErrUnknown.
	Dossier(ctx context.Context, l trace.Link) (trace.Dossier, error)
	// Coded returns the lots of a code, whatever their product.
	Coded(ctx context.Context, code string) ([]trace.Link, error)
}

// Book is the diary and the register.
type Book interface {
	Records(ctx context.Context, kind farm.RecordKind) ([]farm.Record, error)
	Events(ctx context.Context, q diary.Query) ([]diary.Event, error)
}

// Goods are the events of the goods.
type Goods interface {
	Goods(ctx context.Context, from, to time.Time) ([]trace.Goods, error)
	GoodsOf(ctx context.Context, of trace.Ref) ([]trace.Goods, error)
	// Items returns the items of a Pack.
	Items(ctx context.Context, run string) ([]trace.Item, error)
}

// Gatherer collects what events are told from.
type Gatherer struct {
	Names Names
	Lots  Lots
	Book  Book
	Goods Goods
}

// mostLots bounds how many lots one export tells of.
const mostLots = 2000

// ErrTooMuch says that an export would tell of too many lots.
var ErrTooMuch = fmt.Errorf("epcis: more than %d lots: choose a shorter time", mostLots)

// Lot collects what is told of a lot: its season, what it is made of back to the first lots, and what became of it one step on. The error wraps
// trace.ErrUnknown.
func (g Gatherer) Lot(ctx context.Context, l trace.Link, staff bool) (Source, error) {
	c, err := g.begin(ctx, staff)
	if err != nil {
		return Source{}, err
	}
	if err := c.follow(ctx, l.Ref()); err != nil {
		return Source{}, fmt.Errorf("epcis: lot %s: %w", l.Path(), err)
	}
	if len(c.s.Dossiers) == 0 {
		return Source{}, fmt.Errorf("epcis: lot %s: %w", l.Path(), trace.ErrUnknown)
	}
	return c.end(ctx)
}

// Period collects what is told of all lots for the events of a time.
func (g Gatherer) Period(ctx context.Context, from, to time.Time, staff bool) (Source, error) {
	c, err := g.begin(ctx, staff)
	if err != nil {
		return Source{}, err
	}
	if err := c.period(ctx, from, to); err != nil {
		return Source{}, fmt.Errorf("epcis: %w", err)
	}
	c.s.From, c.s.To = from, to
	return c.end(ctx)
}

type collecting struct {
	Gatherer
	s      Source
	events map[string]diary.Event
	goods  map[string]trace.Goods
	seen   map[trace.Ref]bool
}

func (g Gatherer) begin(ctx context.Context, staff bool) (*collecting, error) {
	c := &collecting{Gatherer: g, events: map[string]diary.Event{}, goods: map[string]trace.Goods{}, seen: map[trace.Ref]bool{}}
	c.s = Source{Names: g.Names, Records: map[string]farm.Record{}, Serials: map[string][]string{}, Staff: staff}
	var err error
	if c.s.Farm, err = g.Lots.Farm(ctx); err != nil {
		return nil, fmt.Errorf("epcis: %w", err)
	}
	for _, kind := range []farm.RecordKind{farm.Input, farm.Buyer, farm.Cycle} {
		list, err := g.Book.Records(ctx, kind)
		if err != nil {
			return nil, fmt.Errorf("epcis: %w", err)
		}
		for _, r := range list {
			c.s.Records[r.ID] = r
		}
	}
	return c, nil
}

func (c *collecting) end(ctx context.Context) (Source, error) {
	var events []diary.Event
	for _, e := range c.events {
		events = append(events, e)
	}
	slices.SortFunc(events, func(a, b diary.Event) int { return a.Synced.Compare(b.Synced) })
	c.s.Entries = diary.Entries(events)
	for _, g := range c.goods {
		c.s.Goods = append(c.s.Goods, g)
	}
	slices.SortFunc(c.s.Goods, func(a, b trace.Goods) int { return a.At.Compare(b.At) })
	if !c.s.Staff {
		return c.s, nil
	}
	for _, g := range c.s.Goods {
		if g.Kind != trace.Pack || g.Step == trace.StepPlain || g.Step == trace.StepActivate {
			continue
		}
		items, err := c.Goods.Items(ctx, g.ID)
		if err != nil {
			return Source{}, fmt.Errorf("epcis: %w", err)
		}
		for _, i := range items {
			c.s.Serials[g.ID] = append(c.s.Serials[g.ID], i.Serial)
		}
	}
	return c.s, nil
}

// follow collects a lot and what it is made of.
func (c *collecting) follow(ctx context.Context, ref trace.Ref) error {
	for queue := []trace.Ref{ref}; len(queue) > 0; queue = queue[1:] {
		link, ok := queue[0].Link()
		if !ok || c.seen[queue[0]] {
			continue
		}
		c.seen[queue[0]] = true
		if len(c.s.Dossiers) == mostLots {
			return ErrTooMuch
		}
		d, err := c.Lots.Dossier(ctx, link)
		if errors.Is(err, trace.ErrUnknown) {
			continue
		}
		if err != nil {
			return err
		}
		c.s.Dossiers = append(c.s.Dossiers, d)
		more, err := c.goodsOf(ctx, d.Lot.Link().Ref())
		if err != nil {
			return err
		}
		queue = append(queue, more...)
		if more, err = c.diaryOf(ctx, d.Lot); err != nil {
			return err
		}
		queue = append(queue, more...)
	}
	return nil
}

// goodsOf collects the events of a lot, and of the boxes it is in, and returns the lots that it is made of.
func (c *collecting) goodsOf(ctx context.Context, ref trace.Ref) (from []trace.Ref, err error) {
	list, err := c.Goods.GoodsOf(ctx, ref)
	if err != nil {
		return nil, err
	}
	for _, g := range list {
		c.goods[g.ID] = g
		is := func(p trace.Part) bool { return p.Ref == ref }
		switch {
		case g.Kind == trace.Transform && slices.ContainsFunc(g.Out, is):
			for _, p := range g.In {
				from = append(from, p.Ref)
			}
		case g.Kind == trace.FillBox:
			for _, p := range g.Out {
				if err := c.boxes(ctx, p.Ref); err != nil {
					return nil, err
				}
			}
		}
	}
	return from, nil
}

// boxes collects the events of a box, and of those it stands in.
func (c *collecting) boxes(ctx context.Context, ref trace.Ref) error {
	if ref.Kind != trace.RefBox || c.seen[ref] {
		return nil
	}
	c.seen[ref] = true
	list, err := c.Goods.GoodsOf(ctx, ref)
	if err != nil {
		return err
	}
	for _, g := range list {
		c.goods[g.ID] = g
		for _, p := range g.Out {
			if err := c.boxes(ctx, p.Ref); err != nil {
				return err
			}
		}
	}
	return nil
}

// diaryOf collects the entries that a lot is made of: those of its season, and those that name it, and returns the lots that were processed.
func (c *collecting) diaryOf(ctx context.Context, l trace.Lot) (from []trace.Ref, err error) {
	if len(l.Places) == 0 || l.Cycle == "" && len(l.Harvests) == 0 {
		return nil, nil
	}
	q := diary.Query{Places: l.Places}
	if season, ok := c.s.Records[l.Cycle]; ok {
		q.From = season.Values.Day("begin", farm.Time()).AddDate(0, 0, -1)
	}
	events, err := c.Book.Events(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, e := range diary.Entries(events) {
		season := e.Cycle != "" && e.Cycle == l.Cycle && !names(e.Event)
		if !season && e.Values.Text("lot_code") != l.Code && !slices.Contains(l.Harvests, e.First.ID) {
			continue
		}
		for _, h := range e.History {
			c.events[h.ID] = h
		}
		if e.Kind != diary.Batch || e.Voided {
			continue
		}
		for _, code := range e.Values.List("inputs") {
			lots, err := c.Lots.Coded(ctx, code)
			if err != nil {
				return nil, err
			}
			if len(lots) == 1 { // which of two it was nobody said
				from = append(from, lots[0].Ref())
			}
		}
	}
	return from, nil
}

// names reports whether an entry is about a lot: it is told with that lot, not with all others of its season.
func names(e diary.Event) bool {
	return e.Values.Text("lot_code") != "" || e.Kind == diary.Harvest || e.Kind == diary.Batch
}

// period collects the lots that came to be in a time or that goods were moved of, and what was entered in it.
func (c *collecting) period(ctx context.Context, from, to time.Time) error {
	moved, err := c.Goods.Goods(ctx, from, to)
	if err != nil {
		return err
	}
	var refs []trace.Ref
	for _, g := range moved {
		c.goods[g.ID] = g
		for _, p := range slices.Concat(g.In, g.Out) {
			refs = append(refs, p.Ref)
		}
	}
	lots, err := c.Lots.Lots(ctx)
	if err != nil {
		return err
	}
	for _, l := range lots {
		if l.Harvested.IsZero() || !l.Harvested.Before(from) && (to.IsZero() || l.Harvested.Before(to)) {
			refs = append(refs, l.Link().Ref())
		}
	}
	for _, ref := range refs {
		if err := c.follow(ctx, ref); err != nil {
			return err
		}
	}
	events, err := c.Book.Events(ctx, diary.Query{From: from, To: to})
	if err != nil {
		return err
	}
	for _, e := range events {
		c.events[e.ID] = e
	}
	return nil
}
