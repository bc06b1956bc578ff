package kin

import (
	"cmp"
	"slices"
	"strings"

	"aovuon/server/diary"
	"aovuon/server/trace"
)

// Lots says which lots the diary means.
type Lots struct {
	Own   []trace.Ref              // that the entry brought in, or is of
	Coded func(string) []trace.Ref // of a code, as somebody wrote it
}

// OfEntry returns the edges that an entry of the diary stands for: none of one that was taken back.
//
// What was bought in is in the season it was used in; a harvest is of the season, or of the place where no season is named; a batch is of the lots
// it names; what was sold of a lot is with the buyer.
func OfEntry(e diary.Entry, lots Lots) (out []Edge) {
	if e.Voided {
		return nil
	}
	v := e.Values
	edge := func(from, to trace.Ref, kg float64) {
		if from.ID != "" && to.ID != "" {
			out = append(out, Edge{From: from, To: to, At: e.At().UTC(), KG: kg, Source: e.First.ID})
		}
	}
	used := func(input, lot string, kg float64) {
		edge(Supply(input, lot), season(e), kg)
	}
	ground := season(e)
	kg, _ := v.Number(diary.KeyKG)
	switch e.Kind {
	case diary.Harvest:
		for _, l := range lots.Own {
			edge(ground, l, kg)
			if ground.Kind == trace.RefSeason { // what was used there when no season ran, too
				edge(trace.Ref{Kind: trace.RefPlace, ID: e.Place}, l, 0)
			}
		}
	case diary.Batch:
		made, _ := v.Number("out_kg")
		for _, l := range lots.Own {
			edge(ground, l, made)
			for _, code := range v.List("inputs") {
				known := lots.Coded(code)
				for _, from := range known {
					edge(from, l, 0)
				}
				if len(known) == 0 { // a lot of somebody else's
					edge(Supply("", code), l, 0)
				}
			}
		}
	case diary.Sale:
		to := trace.Ref{Kind: trace.RefBuyer, ID: v.Text("buyer")}
		if sold := lots.Coded(v.Text("lot_code")); v.Text("lot_code") != "" && len(sold) > 0 {
			for _, l := range sold {
				edge(l, to, kg)
			}
		} else {
			edge(ground, to, kg) // nobody wrote down of which lot
		}
		for i := range out {
			out[i].Document = v.Text("document_no")
		}
	case diary.Stocking, diary.Seeding:
		used(cmp.Or(v.Text("hatchery"), v.Text("supplier")), v.Text("seed_lot"), kg)
	}
	if id := v.Text(diary.KeyInput); id != "" && e.Kind != diary.Receipt && e.Kind != diary.StockTake {
		used(id, v.Text(diary.KeyLot), 0)
	}
	return merged(out)
}

// season is what an entry is of: its season, or its place.
func season(e diary.Entry) trace.Ref {
	if e.Cycle != "" {
		return trace.Ref{Kind: trace.RefSeason, ID: e.Cycle}
	}
	return trace.Ref{Kind: trace.RefPlace, ID: e.Place}
}

// Supply names what was bought in: an input of the register, or whoever sold it, and the maker's lot. Without a lot it is what of that input has a lot that
// nobody wrote down.
func Supply(input, lot string) trace.Ref {
	return trace.Ref{Kind: trace.RefSupply, ID: input + "/" + lot}
}

// OfGoods returns the edges that a goods event stands for: none of an Amend, and none of what an Amend took back, which the caller knows.
func OfGoods(g trace.Goods) (out []Edge) {
	edge := func(p trace.Part, from, to trace.Ref) {
		if from.ID != "" && to.ID != "" && from != to {
			out = append(out, Edge{From: from, To: to, At: g.At.UTC(), Kept: g.Made.UTC(), KG: p.KG, Count: max(p.Count, len(p.Items)), Source: g.ID, Document: g.Document})
		}
	}
	buyer := trace.Ref{Kind: trace.RefBuyer, ID: g.Buyer}
	switch g.Kind {
	case trace.Transform, trace.Receive:
		for _, to := range g.Out {
			for _, from := range g.In {
				edge(from, from.Ref, to.Ref)
			}
			if len(g.In) == 0 {
				edge(to, Supply(strings.ReplaceAll(g.Supplier, "/", " "), g.Document), to.Ref)
			}
		}
	case trace.FillBox:
		for _, from := range g.In {
			for _, to := range g.Out {
				edge(from, from.Ref, to.Ref)
			}
		}
	case trace.EmptyBox:
		for _, box := range g.In {
			for _, p := range g.Out {
				edge(p, p.Ref, box.Ref)
			}
		}
	case trace.Ship, trace.Return:
		for _, from := range g.In {
			edge(from, from.Ref, buyer)
		}
	case trace.Pack, trace.Destroy, trace.Hold, trace.LetGo, trace.Issue, trace.Recall, trace.EndRecall, trace.Close, trace.Reopen, trace.Amend:
	}
	for i := range out {
		out[i].Back = g.Kind == trace.Return || g.Kind == trace.EmptyBox
	}
	return merged(out)
}

// merged has one edge between two things, by their names.
func merged(edges []Edge) (out []Edge) {
	slices.SortStableFunc(edges, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(a.From.String(), b.From.String()), cmp.Compare(a.To.String(), b.To.String()))
	})
	for _, e := range edges {
		if n := len(out); n > 0 && out[n-1].From == e.From && out[n-1].To == e.To {
			out[n-1].KG += e.KG
			out[n-1].Count += e.Count
			continue
		}
		out = append(out, e)
	}
	return out
}
