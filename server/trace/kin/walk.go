package kin

import (
	"slices"

	"aovuon/server/trace"
)

// walk is what was found so far.
type walk struct {
	d     Direction
	found []found
	at    map[trace.Ref]int // index in found
	used  map[used]bool
	edges []Edge
}

// found is a thing that was found, with the times for which it matters.
type found struct {
	Node
	spans spans
}

// used names an edge: there is one of a source between two things each way.
type used struct {
	source   string
	from, to trace.Ref
	back     bool
}

// spans are the times for which a thing that was asked about matters.
func (s Start) spans(d Direction) spans {
	switch {
	case !s.Since.IsZero() && d == Down:
		return spans{{s.Since.UnixMilli(), always().to}}
	case !s.Since.IsZero():
		return spans{{always().from, s.Since.UnixMilli()}}
	case s.Ref.Kind == trace.RefBox && d == Up:
		return spans{{always().to, always().to}} // what is in it now
	}
	return spans{always()}
}

// reach adds a thing, or widens the times of one; changed says that it must be looked at (again).
func (w *walk) reach(r trace.Ref, more spans, depth int) (changed bool) {
	i, known := w.at[r]
	if !known {
		w.at[r] = len(w.found)
		w.found = append(w.found, found{Node{Ref: r, Depth: depth}, more.tidy()})
		return true
	}
	f := &w.found[i]
	wider := slices.Concat(f.spans, more).tidy()
	if slices.Equal(wider, f.spans) {
		return false
	}
	f.spans = wider
	return true
}

// pair are two things, with the edges between them.
type pair struct{ here, there trace.Ref }

// step follows edges, and returns what is to be looked at next.
func (w *walk) step(edges []Edge, depth int) (next []trace.Ref) {
	pairs := map[pair][]Edge{}
	var order []pair
	for _, e := range edges {
		p := pair{e.From, e.To}
		if w.d == Up {
			p = pair{e.To, e.From}
		}
		if pairs[p] == nil {
			order = append(order, p)
		}
		pairs[p] = append(pairs[p], e)
	}
	queued := map[trace.Ref]bool{}
	for _, p := range order {
		i, known := w.at[p.here]
		if !known {
			continue
		}
		more := w.between(w.found[i].spans, p, pairs[p])
		if len(more) > 0 && w.reach(p.there, more, depth) && !queued[p.there] {
			queued[p.there] = true
			next = append(next, p.there)
		}
	}
	return next
}

// between returns the times for which there matters, since here does for some spans; none: it does not.
func (w *walk) between(matters spans, p pair, edges []Edge) (more spans) {
	if box := (w.d == Down && p.there.Kind == trace.RefBox) || (w.d == Up && p.here.Kind == trace.RefBox); box {
		more = inside(edges).and(matters)
		if len(more) == 0 {
			return nil
		}
		for _, e := range edges {
			w.use(e)
		}
		if !passing(p.there) {
			return spans{always()}
		}
		return more
	}
	for _, e := range edges {
		when := e.when()
		if passing(p.here) && !matters.has(when) {
			continue
		}
		if e.Back && w.d == Up {
			continue
		}
		w.use(e)
		switch {
		case e.Back: // what came back leads nowhere new
		case !passing(p.there):
			more = append(more, always())
		case w.d == Down:
			more = append(more, span{when, always().to})
		case p.there.Kind == trace.RefBox:
			more = append(more, span{when, when}) // what was in it when it left
		default:
			more = append(more, span{always().from, when})
		}
	}
	return more
}

func (w *walk) use(e Edge) {
	u := used{e.Source, e.From, e.To, e.Back}
	if !w.used[u] {
		w.used[u] = true
		w.edges = append(w.edges, e)
	}
}

// passing reports whether goods pass through a thing, so that it matters when what came in.
func passing(r trace.Ref) bool {
	return r.Kind == trace.RefSeason || r.Kind == trace.RefPlace || r.Kind == trace.RefBox
}

// when is the time an edge is ordered by.
func (e Edge) when() int64 {
	if e.Diary() {
		return e.At.UnixMilli()
	}
	return e.Kept.UnixMilli()
}

// inside returns when something was in a box, of the edges that put it in and took it out.
func inside(edges []Edge) (out spans) {
	edges = slices.Clone(edges)
	slices.SortStableFunc(edges, func(a, b Edge) int { return a.Kept.Compare(b.Kept) })
	var mg, items, boxes int64
	since, in := int64(0), false
	for _, e := range edges {
		sign := int64(1)
		if e.Back {
			sign = -1
		}
		mg += sign * milligrams(e.KG)
		items += sign * int64(e.Count)
		if e.From.Kind == trace.RefBox {
			boxes += sign
		}
		now := mg > 0 || items > 0 || boxes > 0
		if now && !in {
			since = e.when()
		}
		if in && !now {
			out = append(out, span{since, e.when() - 1})
		}
		in = now
	}
	if in {
		out = append(out, span{since, always().to})
	}
	return out
}

// milligrams makes a mass whole, so that what goes in and what comes out cancel.
func milligrams(kg float64) int64 { return int64(kg*1e6 + 0.5) }
