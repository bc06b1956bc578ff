package kin

import (
	"slices"

	"aovuon/server/trace"
)

// OfItem returns the edges of one item, of the events that name it: it is of its lot, and in the boxes and with the buyers it went to.
func OfItem(item trace.Item, events []trace.Goods) (out []Edge) {
	gone := map[string]bool{}
	for _, g := range events {
		if g.Kind == trace.Amend {
			gone[g.Voids] = true
		}
	}
	lot, self := item.Link(), trace.Ref{Kind: trace.RefItem, ID: item.Serial}
	lot.Serial = ""
	for _, g := range events {
		if gone[g.ID] {
			continue
		}
		e := Edge{From: self, At: g.At.UTC(), Kept: g.Made.UTC(), KG: item.NetG / 1000, Count: 1, Source: g.ID, Document: g.Document}
		names := func(parts []trace.Part) bool {
			return slices.ContainsFunc(parts, func(p trace.Part) bool { return slices.Contains(p.Items, item.Serial) })
		}
		switch {
		case g.ID == item.Run:
			e.From, e.To = lot.Ref(), self
		case g.Kind == trace.FillBox && names(g.In) && len(g.Out) > 0:
			e.To = g.Out[0].Ref
		case g.Kind == trace.EmptyBox && names(g.Out) && len(g.In) > 0:
			e.To, e.Back = g.In[0].Ref, true
		case (g.Kind == trace.Ship || g.Kind == trace.Return) && names(g.In):
			e.To, e.Back = trace.Ref{Kind: trace.RefBuyer, ID: g.Buyer}, g.Kind == trace.Return
		default:
			continue
		}
		out = append(out, e)
	}
	return out
}
