package audit_test

import (
	"crypto/rand"
	"log/slog"
	mrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/audit"
	"aovuon/server/ledger"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/printjob"
)

// prints packs and boxes something of the demo's lot, prints labels of it, and some again.
func (b *book) prints() {
	b.t.Helper()
	clock := func() time.Time { b.now = b.now.Add(time.Second); return b.now }
	who := flow.Who{Actor: ledger.Operator, Role: account.Admin}
	goods := flow.New(b.db, b.db, flow.Defaults(), rand.Reader, clock, slog.New(slog.DiscardHandler))
	desk := printjob.New(b.db, rand.Reader, clock, slog.New(slog.DiscardHandler))
	lot := b.demo.Lot.Link().Ref()
	move := func(g trace.Goods) trace.Goods {
		b.t.Helper()
		out, err := goods.Take(b.t.Context(), who, g)
		if err != nil {
			b.t.Fatal(err)
		}
		return out
	}
	run := move(trace.Goods{Kind: trace.Pack, In: []trace.Part{{Ref: lot}}, Out: []trace.Part{{Ref: lot, Count: 12}}, NetG: 500}).ID
	box := move(trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: lot, Count: 6}}}).Out[0].Ref.ID
	if now, err := b.db.DiaryLot(b.t.Context(), b.demo.Lot.Link()); err != nil {
		b.t.Fatal(err)
	} else if now.Lot.State != trace.Released {
		move(trace.Goods{Kind: trace.Issue, In: []trace.Part{{Ref: lot}}})
	}
	paper := printjob.Paper{Sheet: "L7160", Start: 1}
	first, err := desk.Take(b.t.Context(), who, printjob.Order{Run: run, Count: 9, Paper: paper})
	for _, o := range []printjob.Order{{Boxes: []string{box}, Paper: paper}, {Again: first.ID, Slots: []int{2, 3, 7}, Why: printjob.Jammed, Paper: paper}} {
		if err == nil {
			_, err = desk.Take(b.t.Context(), who, o)
		}
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.sign()
}

// A print that is told of in the ledger is on record, and the other way round; none can be made to look smaller.
func TestAudit_FindsPrintsThatWereChanged(t *testing.T) {
	b := newBook(t)
	b.prints()
	if r, err := b.audit(audit.Options{}); err != nil || !r.Sound() {
		t.Fatalf("%+v %v", r, err)
	}
	e := sqldbtest.NewEditor(t, b.config)
	for edit, want := range map[string]string{
		`UPDATE print_job SET labels = '1-8' WHERE labels = '1-9'`:                 "says otherwise",
		`UPDATE print_job SET reason = 'lost' WHERE again <> ''`:                   "says otherwise",
		`DELETE FROM print_job WHERE again <> ''`:                                  "is gone",
		`UPDATE print_box SET sscc = '004000000000000992'`:                         "says otherwise",
		`UPDATE print_job SET paper = replace(paper, 'L7160', 'L7163')`:            "says otherwise",
		`UPDATE print_job SET id = '01KAWM0000000000000000000Z' WHERE again <> ''`: "does not speak of it",
	} {
		undo := e.Exec(edit)
		r, err := b.audit(audit.Options{})
		if err != nil || !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return strings.Contains(f.String(), want) }) {
			t.Errorf("after %s: %v, %v; want %q", edit, r.Findings, err, want)
		}
		undo()
	}
	random := mrand.New(mrand.NewPCG(3, 5))
	for _, column := range []string{"id", "made_ms", "actor", "run", "gtin", "lot", "labels", "again", "reason", "paper"} {
		for range 8 {
			what, undo, ok := e.Edit(random, sqldbtest.Target{Table: "print_job", Column: column, Where: "1 = 1"})
			if !ok {
				continue
			}
			if r, err := b.audit(audit.Options{}); err == nil && r.Sound() {
				t.Errorf("not found: %s", what)
			}
			undo()
		}
	}
	if r, err := b.audit(audit.Options{}); err != nil || !r.Sound() {
		t.Errorf("after all was undone: %+v, %v", r.Findings, err)
	}
}
