package web

import (
	"context"
	"slices"
	"strings"
	"time"

	"aovuon/server/trace"
	"aovuon/server/trace/kin"
)

// kinNode is a thing in the tree of a trace.
type kinNode struct {
	Kind, Name, Sub string
	Href, Open      string
	Level           level
	How             string // when, how much, on which paper
	Again           bool   // it stands further up, with what is behind it
	Back            bool
	Kids            []*kinNode
	More            string // of kids that are not shown
}

// mostKids is how many things are shown behind one at once.
const mostKids = 100

// forest draws a tree as people read it: each thing once with what is behind it.
type forest struct {
	n      namer
	d      kin.Direction
	behind map[trace.Ref][]kin.Edge
	states map[trace.Link]trace.State
	seen   map[trace.Ref]bool
}

// tree draws what is behind the things that were asked about.
func (s *Server) tree(ctx context.Context, n namer, t kin.Tree) ([]*kinNode, error) {
	f := forest{n: n, d: t.Direction, behind: map[trace.Ref][]kin.Edge{}, states: map[trace.Link]trace.State{}, seen: map[trace.Ref]bool{}}
	now, err := s.o.Recall.LotsNow(ctx, t.Lots())
	if err != nil {
		return nil, err
	}
	for _, l := range now {
		f.states[l.Link] = l.State
	}
	used := map[trace.Ref]bool{} // places where something was used while no season ran
	for _, e := range t.Edges {
		used[e.To] = true
	}
	for _, e := range t.Edges {
		from := e.From
		if t.Direction == kin.Up {
			from = e.To
			if e.From.Kind == trace.RefPlace && !used[e.From] && e.To.Kind == trace.RefLot && seasoned(t, e.To) {
				continue // its season says where it was
			}
		}
		f.behind[from] = append(f.behind[from], e)
	}
	var out []*kinNode
	for _, node := range t.Nodes {
		if node.Depth == 0 {
			f.seen[node.Ref] = true
			out = append(out, f.kids(node.Ref)...)
		}
	}
	return out, nil
}

// kids are what is behind a thing, the youngest first.
func (f *forest) kids(r trace.Ref) (out []*kinNode) {
	by := map[trace.Ref][]kin.Edge{}
	var order []trace.Ref
	for _, e := range f.behind[r] {
		there := e.To
		if f.d == kin.Up {
			there = e.From
		}
		if by[there] == nil {
			order = append(order, there)
		}
		by[there] = append(by[there], e)
	}
	slices.SortStableFunc(order, func(a, b trace.Ref) int { return -lastEdge(by[a]).Compare(lastEdge(by[b])) })
	for i, there := range order {
		if i == mostKids {
			break
		}
		out = append(out, f.node(there, by[there]))
	}
	if more := len(order) - mostKids; more > 0 {
		out[mostKids-1].More = f.n.t.w.t("kin.more", f.n.t.w.count(int64(more)))
	}
	return out
}

func lastEdge(edges []kin.Edge) (last time.Time) {
	for _, e := range edges {
		if e.At.After(last) {
			last = e.At
		}
	}
	return last
}

func (f *forest) node(r trace.Ref, edges []kin.Edge) *kinNode {
	w := f.n.t.w
	k := &kinNode{Kind: string(r.Kind), Name: f.n.name(r), Sub: f.n.place(r), Href: traceHref(r), Open: f.n.open(r), How: f.how(edges), Level: fine}
	if l, ok := r.Link(); ok {
		if st, known := f.states[l]; known {
			k.Level, k.Sub = lotLevel(st), w.t("lot.state."+string(st))
		}
	}
	k.Back = !slices.ContainsFunc(edges, func(e kin.Edge) bool { return !e.Back })
	if f.seen[r] {
		k.Again = len(f.behind[r]) > 0
		return k
	}
	f.seen[r] = true
	k.Kids = f.kids(r)
	return k
}

// how says of some edges between two things when it was, how much, and on which papers.
func (f *forest) how(edges []kin.Edge) string {
	w := f.n.t.w
	first, last, kg, items, back := edges[0].At, edges[0].At, 0.0, 0, 0.0
	backItems := 0
	var papers []string
	for _, e := range edges {
		if e.At.Before(first) {
			first = e.At
		}
		if e.At.After(last) {
			last = e.At
		}
		if e.Back {
			back, backItems = back+e.KG, backItems+e.Count
		} else {
			kg, items = kg+e.KG, items+e.Count
		}
		if e.Document != "" && !slices.Contains(papers, e.Document) {
			papers = append(papers, e.Document)
		}
	}
	out := []string{w.date(first)}
	if w.date(last) != w.date(first) {
		out[0] += " – " + w.date(last)
	}
	if len(edges) > 1 {
		out = append(out, w.amount("kin.times", int64(len(edges))))
	}
	out = append(out, amountOf(w, kg, items)...)
	if back > 0 || backItems > 0 {
		out = append(out, w.t("kin.back", strings.Join(amountOf(w, back, backItems), ", ")))
	}
	return strings.Join(append(out, papers...), " · ")
}

// amountOf writes how many items, or how much loose; none where nobody told.
func amountOf(w *words, kg float64, items int) []string {
	switch {
	case items > 0:
		return []string{w.t("lot.count", w.count(int64(items)))}
	case kg > 0:
		return []string{w.mass(kg)}
	}
	return nil
}

// seasoned reports whether a lot is of a season.
func seasoned(t kin.Tree, lot trace.Ref) bool {
	return slices.ContainsFunc(t.Edges, func(e kin.Edge) bool { return e.To == lot && e.From.Kind == trace.RefSeason })
}
