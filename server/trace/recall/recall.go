// Package recall finds everything downstream of what is wrong: lots, serials, boxes, and the buyers to call.
//
// What is known to be wrong comes in as an Ask: a lot, something that was bought in, a place for a time, a certificate. What was found goes out,
// for a page, a list to phone and the order that marks the lots (trace.Recall). The package knows rules and ports only.
package recall

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/kin"
)

// Ask is what is known to be wrong: one of Lot, Input, Place, Certificate.
type Ask struct {
	Lot   trace.Link `json:"lot,omitzero"`
	Input string     `json:"input,omitempty"` // id of a record, or whoever sold it
	Maker string     `json:"maker,omitempty"` // the maker's lot of Input; empty: every one
	// Unsure takes the uses of Input along of which nobody wrote the maker's lot down: they may have been of it.
	Unsure      bool      `json:"unsure,omitempty"`
	Place       string    `json:"place,omitempty"` // code
	From        time.Time `json:"from,omitzero"`
	To          time.Time `json:"to,omitzero"`
	Certificate string    `json:"certificate,omitempty"` // id
}

// The errors of an Ask.
var (
	ErrNothing = errors.New("recall: nothing is asked for")
	ErrTime    = errors.New("recall: the period ends before it begins")
)

// Lot is a lot that is touched.
type Lot struct {
	Link      trace.Link
	KG        float64
	State     trace.State
	Harvested time.Time
	Items     map[trace.ItemState]int
}

// Found is all that is downstream of an Ask.
type Found struct {
	Starts     []trace.Ref // what it begins with
	Lots       []Lot       // nearest first
	Boxes      []string    // SSCCs
	Deliveries []kin.Delivery
	Items      int // serials of the lots
	Out        int // of them, those that were shipped or sold
	// Unsure is how many uses of the input there are of which nobody wrote the lot down, and which the Ask left out.
	Unsure int
	Took   time.Duration
}

// Links are the lots that were found.
func (f Found) Links() []trace.Link {
	out := make([]trace.Link, len(f.Lots))
	for i, l := range f.Lots {
		out[i] = l.Link
	}
	return out
}

// Buyers are the buyers to call: ids of records, each once.
func (f Found) Buyers() (out []string) {
	for _, d := range f.Deliveries {
		if !slices.Contains(out, d.Buyer) {
			out = append(out, d.Buyer)
		}
	}
	return out
}

// Store is what is on record.
type Store interface {
	kin.Edges
	Lots
	Shown
	Records(ctx context.Context, kind farm.RecordKind) ([]farm.Record, error)
}

// Lots reads lots.
type Lots interface {
	// LotsAt returns the lots that were at a place during a period.
	LotsAt(ctx context.Context, place string, from, to time.Time) ([]trace.Link, error)
	// LotsUnder returns the lots that a certificate covers.
	LotsUnder(ctx context.Context, certificate string) ([]trace.Link, error)
	// LotsNow returns lots as they stand, those that are unknown left out.
	LotsNow(ctx context.Context, links []trace.Link) ([]Lot, error)
}

// Shown is what else people are shown.
type Shown interface {
	// Supplies returns what was bought in and used, the one used last first.
	Supplies(ctx context.Context) ([]Supply, error)
	// ItemsOf returns every serial of some lots.
	ItemsOf(ctx context.Context, links []trace.Link) ([]trace.Item, error)
	Item(ctx context.Context, serial string) (i trace.Item, ok bool, err error)
	Box(ctx context.Context, sscc string) (b trace.Box, ok bool, err error)
}

// Supply is something that was bought in and used.
type Supply struct {
	Ref  trace.Ref
	Last time.Time // when it was used last
}

// Find finds all that is downstream of an Ask. now gives the time, to say how long it took.
func Find(ctx context.Context, s Store, a Ask, now func() time.Time) (Found, error) {
	begin := now()
	starts, unsure, err := begins(ctx, s, a)
	if err != nil {
		return Found{}, err
	}
	f, err := Downstream(ctx, s, starts)
	f.Unsure = unsure
	f.Took = now().Sub(begin)
	return f, err
}

// Downstream finds all that is downstream of some things, themselves along.
func Downstream(ctx context.Context, s Store, starts []kin.Start) (Found, error) {
	var f Found
	for _, st := range starts {
		f.Starts = append(f.Starts, st.Ref)
	}
	tree, err := kin.Trace(ctx, s, starts, kin.Down)
	if err != nil {
		return f, fmt.Errorf("recall: %w", err)
	}
	links := tree.Lots()
	now, err := s.LotsNow(ctx, links)
	if err != nil {
		return f, fmt.Errorf("recall: %w", err)
	}
	at := map[trace.Link]Lot{}
	for _, l := range now {
		at[l.Link] = l
	}
	for _, link := range links {
		l, ok := at[link]
		if !ok {
			continue
		}
		f.Lots = append(f.Lots, l)
		for state, n := range l.Items {
			f.Items += n
			if state == trace.ItemShipped || state == trace.ItemSold {
				f.Out += n
			}
		}
	}
	for _, n := range tree.Of(trace.RefBox) {
		f.Boxes = append(f.Boxes, n.Ref.ID)
	}
	f.Deliveries = tree.Deliveries()
	return f, nil
}

// begins are the things that an Ask begins with, and how many unsure uses it leaves out.
func begins(ctx context.Context, s Store, a Ask) (starts []kin.Start, unsure int, err error) {
	switch {
	case a.Lot != (trace.Link{}):
		return kin.From(a.Lot.Ref()), 0, nil
	case a.Input != "" || a.Maker != "":
		return inputOf(ctx, s, a)
	case a.Certificate != "":
		links, err := s.LotsUnder(ctx, a.Certificate)
		if err != nil {
			return nil, 0, fmt.Errorf("recall: %w", err)
		}
		return lots(links), 0, nil
	case a.Place != "":
		starts, err = placeOf(ctx, s, a)
		return starts, 0, err
	}
	return nil, 0, ErrNothing
}

func lots(links []trace.Link) (out []kin.Start) {
	for _, l := range links {
		out = append(out, kin.Start{Ref: l.Ref()})
	}
	return out
}

// inputOf begins with what was bought in, and where the lot is asked for also with the uses of which nobody wrote it down, each from its time on.
func inputOf(ctx context.Context, s Store, a Ask) (starts []kin.Start, unsure int, err error) {
	if a.Maker == "" {
		all, err := s.Supplies(ctx)
		if err != nil {
			return nil, 0, fmt.Errorf("recall: %w", err)
		}
		for _, x := range all {
			if strings.HasPrefix(x.Ref.ID, a.Input+"/") {
				starts = append(starts, kin.Start{Ref: x.Ref})
			}
		}
		return starts, 0, nil
	}
	starts = kin.From(kin.Supply(a.Input, a.Maker))
	if a.Input == "" {
		return starts, 0, nil
	}
	edges, err := s.Out(ctx, []trace.Ref{kin.Supply(a.Input, "")})
	if err != nil {
		return nil, 0, fmt.Errorf("recall: %w", err)
	}
	for _, e := range edges {
		if a.Unsure {
			starts = append(starts, kin.Start{Ref: e.To, Since: e.At})
		} else {
			unsure++
		}
	}
	return starts, unsure, nil
}

// placeOf begins with the lots that were at a place in a period, and with its seasons of then.
func placeOf(ctx context.Context, s Store, a Ask) ([]kin.Start, error) {
	if a.To.Before(a.From) || a.From.IsZero() {
		return nil, ErrTime
	}
	links, err := s.LotsAt(ctx, a.Place, a.From, a.To)
	if err != nil {
		return nil, fmt.Errorf("recall: %w", err)
	}
	more, err := seasonsAt(ctx, s, a)
	return append(lots(links), more...), err
}

// seasonsAt are the seasons of a place in a period, from its first day on: what was sold of them without a lot is found by them.
func seasonsAt(ctx context.Context, s Store, a Ask) ([]kin.Start, error) {
	records, err := s.Records(ctx, farm.Cycle)
	if err != nil {
		return nil, fmt.Errorf("recall: %w", err)
	}
	out := []kin.Start{{Ref: trace.Ref{Kind: trace.RefPlace, ID: a.Place}, Since: a.From}}
	for _, r := range records {
		if r.Values.Text("place") != a.Place {
			continue
		}
		begin, end := r.Values.Day("begin", farm.Time()), r.Values.Day("end", farm.Time())
		if begin.After(a.To) || !end.IsZero() && end.AddDate(0, 0, 1).Before(a.From) {
			continue
		}
		out = append(out, kin.Start{Ref: trace.Ref{Kind: trace.RefSeason, ID: r.ID}, Since: a.From})
	}
	return out, nil
}
