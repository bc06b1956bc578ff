package flow

import (
	"aovuon/server/diary"
	"aovuon/server/trace"
)

// Erase returns an event without what says something of a person who is to be erased, and whether that took anything out. Of an event of their
// own (own) goes the note; of any event every text that names them: supplier, vehicle, document, reason and note. What was done with which goods
// stays: they were eaten, and an auditor must know what they were made of. The buyer is an entry of the register, and erased there.
func Erase(g trace.Goods, own bool, names []string) (trace.Goods, bool) {
	took := false
	for _, text := range []*string{&g.Supplier, &g.Vehicle, &g.Document, &g.Reason, &g.Note} {
		if *text != "" && (own && text == &g.Note || diary.Mentioned(*text, names)) {
			*text, took = "", true
		}
	}
	return g, took
}
