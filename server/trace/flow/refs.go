package flow

import (
	"slices"

	"aovuon/server/trace"
)

// Refs returns what an event names, each once: what goes in and comes out with every item, the place and the buyer.
func Refs(g trace.Goods) []trace.Ref {
	seen := map[trace.Ref]bool{}
	for _, p := range slices.Concat(g.In, g.Out) {
		if p.Ref != (trace.Ref{}) {
			seen[p.Ref] = true
		}
		for _, s := range p.Items {
			seen[trace.Ref{Kind: trace.RefItem, ID: s}] = true
		}
	}
	if g.Place != "" {
		seen[trace.Ref{Kind: trace.RefPlace, ID: g.Place}] = true
	}
	if b := buyer(g); b.ID != "" {
		seen[b] = true
	}
	return sortedRefs(seen)
}
