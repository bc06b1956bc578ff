package flow

import (
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/trace"
)

// Use is what the diary tells to have left a lot.
type Use struct {
	Kind   LineKind // LineSold or LineBatch
	Entry  string   // its first event
	At     time.Time
	KG     float64
	Shared int    // of a batch: among so many inputs, each with an equal share of what went in, since it does not say how much of which
	Buyer  string // of a sale: id of a record
	Made   string // of a batch: code of the lot that came out
}

func (u Use) line() Line {
	l := Line{Kind: u.Kind, At: u.At, Event: u.Entry, Diary: true, KG: u.KG, Shared: u.Shared}
	if u.Buyer != "" {
		l.Ref = trace.Ref{Kind: trace.RefBuyer, ID: u.Buyer}
	}
	return l
}

// UsesOf returns what entries of the diary tell of the lot of a code: its sales, and the batches that it went into.
func UsesOf(code string, entries []diary.Entry) (out []Use) {
	for _, e := range entries {
		v := e.Values
		switch {
		case e.Voided:
		case e.Kind == diary.Sale && v.Text("lot_code") == code:
			kg, _ := v.Number(diary.KeyKG)
			out = append(out, Use{Kind: LineSold, Entry: e.First.ID, At: e.At(), KG: kg, Buyer: v.Text("buyer")})
		case e.Kind == diary.Batch && slices.Contains(v.List("inputs"), code):
			inputs := slices.Clone(v.List("inputs"))
			slices.Sort(inputs)
			n := len(slices.Compact(inputs))
			kg, _ := v.Number("in_kg")
			u := Use{Kind: LineBatch, Entry: e.First.ID, At: e.At(), KG: kilograms(milligrams(kg) / int64(n)), Made: v.Text("lot_code")}
			if n > 1 {
				u.Shared = n
			}
			out = append(out, u)
		}
	}
	return out
}
