// Package kin follows goods: what a lot, a pack, a box or a buyer's delivery is made of, and where something that was used went to.
//
// Entries of the diary and goods events come in, and Edges go out, which a store keeps beside them; edges of a store come in, with the thing
// that somebody asks about, and a Tree of all that is upstream or downstream of it goes out. The package knows no SQL and no page.
package kin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"aovuon/server/trace"
)

// Edge says that something of one thing is in another from a time on.
type Edge struct {
	From, To trace.Ref
	At       time.Time // when it was used, harvested, packed, shipped
	Kept     time.Time // of a goods event, when it was entered: what is in a box follows that order. Zero: of the diary
	KG       float64   // 0: not told
	Count    int       // of items
	Source   string    // id of the goods event, or of the first event of the diary's entry
	Back     bool      // what came back, of a buyer, or out of a box: To is what it was in
	Document string    // of a delivery
}

// Diary reports whether the Source is of the diary.
func (e Edge) Diary() bool { return e.Kept.IsZero() }

// Edges reads edges that a store keeps.
type Edges interface {
	// Out returns the edges that begin at one of some things, In those that end there, in no particular order.
	Out(ctx context.Context, from []trace.Ref) ([]Edge, error)
	In(ctx context.Context, to []trace.Ref) ([]Edge, error)
}

// Direction is which way somebody looks.
type Direction int

// The directions.
const (
	Down Direction = iota // where it went
	Up                    // what it is made of
)

// Node is a thing that was found.
type Node struct {
	Ref   trace.Ref
	Depth int // steps from the nearest thing that was asked about, which have 0
}

// Tree is all that was found on one side of some things.
type Tree struct {
	Direction Direction
	Nodes     []Node // those asked about first, then by depth
	Edges     []Edge // between them, that count
}

// Of returns the nodes of a kind.
func (t Tree) Of(kind trace.RefKind) (out []Node) {
	for _, n := range t.Nodes {
		if n.Ref.Kind == kind {
			out = append(out, n)
		}
	}
	return out
}

// Start is a thing that somebody asks about: of a season or a place, from a time on (Down) or up to one (Up); zero: always.
type Start struct {
	Ref   trace.Ref
	Since time.Time
}

// From returns starts that always count.
func From(refs ...trace.Ref) []Start {
	out := make([]Start, len(refs))
	for i, r := range refs {
		out[i].Ref = r
	}
	return out
}

// mostDepth bounds how far is looked: a circle of events, which cannot be, ends too.
const mostDepth = 64

// Trace finds all that is upstream or downstream of some things.
//
// A lot is one whole: what came into it is in all of it. A season of a place is not: what was used in it is in what was harvested from then on, so
// Down from a season follows the harvests since the first use, and Up from a lot the uses until its harvest. Nor is a box: what was taken out of it
// before it left is in no delivery of it.
func Trace(ctx context.Context, edges Edges, of []Start, d Direction) (Tree, error) {
	w := walk{d: d, at: map[trace.Ref]int{}, used: map[used]bool{}}
	var next []trace.Ref
	for _, s := range of {
		if w.reach(s.Ref, s.spans(d), 0) {
			next = append(next, s.Ref)
		}
	}
	for depth := 1; len(next) > 0 && depth <= mostDepth; depth++ {
		read := edges.Out
		if d == Up {
			read = edges.In
		}
		found, err := read(ctx, next)
		if err != nil {
			return Tree{}, fmt.Errorf("kin: %w", err)
		}
		next = w.step(found, depth)
	}
	return w.tree(), nil
}

func (w *walk) tree() Tree {
	t := Tree{Direction: w.d, Edges: w.edges}
	for _, f := range w.found {
		t.Nodes = append(t.Nodes, f.Node)
	}
	slices.SortStableFunc(t.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Ref.Kind, b.Ref.Kind), cmp.Compare(a.Ref.ID, b.Ref.ID))
	})
	slices.SortStableFunc(t.Edges, func(a, b Edge) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Source, b.Source), cmp.Compare(a.From.String(), b.From.String()), cmp.Compare(a.To.String(), b.To.String()))
	})
	return t
}
