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
}

// Deliveries returns what went to buyers, by buyer and time.
func (t Tree) Deliveries() (out []Delivery) {
	for _, e := range t.Edges {
		if e.To.Kind == trace.RefBuyer {
			out = append(out, Delivery{Buyer: e.To.ID, What: e.From, At: e.At, KG: e.KG, Count: e.Count, Document: e.Document, Source: e.Source, Diary: e.Diary(), Back: e.Back})
		}
	}
	slices.SortStableFunc(out, func(a, b Delivery) int { return cmp.Or(cmp.Compare(a.Buyer, b.Buyer), a.At.Compare(b.At)) })
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
