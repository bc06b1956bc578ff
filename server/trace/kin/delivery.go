package kin

import (
	"cmp"
	"slices"
	"time"

	"aovuon/server/trace"
)

// Delivery is what a buyer got, or gave back, of what was found downstream.
type Delivery struct {
	Buyer    string    // id of a record
	What     trace.Ref // a lot, a box, or the season that a sale without a lot is of
	At       time.Time
	KG       float64
	Count    int // of items
	Document string
	Source   string
	Diary    bool
	Back     bool
	Holds    []Content // of a box: what of what was found was in it when it left
}

// Content is how much of a lot is in a box.
type Content struct {
	Lot   trace.Ref
	KG    float64
	Count int // of items
}

// Deliveries returns what went to buyers, by buyer and time.
func (t Tree) Deliveries() (out []Delivery) {
	into := boxed{}
	for _, e := range t.Edges {
		if e.To.Kind == trace.RefBox {
			into[e.To] = append(into[e.To], e)
		}
	}
	for _, e := range t.Edges {
		if e.To.Kind == trace.RefBuyer {
			d := Delivery{Buyer: e.To.ID, What: e.From, At: e.At, KG: e.KG, Count: e.Count, Document: e.Document, Source: e.Source, Diary: e.Diary(), Back: e.Back}
			if e.From.Kind == trace.RefBox {
				d.Holds = into.content(e.From, e.when(), 0)
			}
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b Delivery) int { return cmp.Or(cmp.Compare(a.Buyer, b.Buyer), a.At.Compare(b.At)) })
	return out
}

// boxed are the edges into boxes.
type boxed map[trace.Ref][]Edge

// content is what was in a box at a time, with what was in boxes in it.
func (b boxed) content(box trace.Ref, when int64, depth int) (out []Content) {
	net := map[trace.Ref]Content{}
	inner := map[trace.Ref]int{}
	for _, e := range b[box] {
		if e.when() > when {
			continue
		}
		sign := 1
		if e.Back {
			sign = -1
		}
		if e.From.Kind == trace.RefBox {
			inner[e.From] += sign
			continue
		}
		c := net[e.From]
		net[e.From] = Content{e.From, c.KG + float64(sign)*e.KG, c.Count + sign*e.Count}
	}
	for from, n := range inner {
		if n > 0 && depth < mostDepth {
			for _, c := range b.content(from, when, depth+1) {
				net[c.Lot] = Content{c.Lot, net[c.Lot].KG + c.KG, net[c.Lot].Count + c.Count}
			}
		}
	}
	for _, c := range net {
		if c.Count > 0 || milligrams(c.KG) > 0 {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Content) int { return cmp.Compare(a.Lot.ID, b.Lot.ID) })
	return out
}

// Lots returns the links of the lots that were found, nearest first.
func (t Tree) Lots() (out []trace.Link) {
	for _, n := range t.Of(trace.RefLot) {
		if l, ok := n.Ref.Link(); ok {
			out = append(out, l)
		}
	}
	return out
}
