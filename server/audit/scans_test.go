package audit_test

import (
	mrand "math/rand/v2"
	"testing"
	"time"

	"aovuon/server/audit"
	"aovuon/server/ledger"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace/scan"
)

// scans has a code scanned, decided on, and a shop made that sells, and another that does not any more.
func (b *book) scans() {
	b.t.Helper()
	code := b.demo.Lot.Link().Path()
	by := func() ledger.By { b.now = b.now.Add(time.Second); return ledger.By{Actor: ledger.Operator, At: b.now} }
	batch := scan.Batch{
		Rows:     []scan.Row{{Code: code, At: b.now, Client: scan.Client{1}, Province: "33"}},
		Subjects: map[string]scan.Subject{code: {Kind: scan.OfLot, GTIN: b.demo.Lot.GTIN, Lot: b.demo.Lot.Code}},
		Found:    map[string][]scan.Finding{code: {{Rule: scan.LotRate, N: 40, Limit: 30, Units: 10, At: b.now}}},
	}
	for _, err := range []error{
		b.db.KeepScans(b.t.Context(), batch),
		b.db.Decide(b.t.Context(), scan.Decision{ID: "01KAWM0000000000000000000A", Code: code, Verdict: scan.Copied, Note: "hai gói một số"}, by()),
		b.db.Decide(b.t.Context(), scan.Decision{ID: "01KAWM0000000000000000000B", Code: code, Verdict: scan.InOrder, Note: "hội chợ"}, by()),
		b.db.AddShop(b.t.Context(), scan.Shop{ID: "s-one", Name: "Hạnh"}, "A", by()), b.db.AddShop(b.t.Context(), scan.Shop{ID: "s-two", Name: "Lan"}, "B", by()),
		b.db.RevokeShop(b.t.Context(), "s-two", by()),
	} {
		if err != nil {
			b.t.Fatal(err)
		}
	}
	b.sign()
}

// Nobody says afterwards that a suspicious code was found in order, or takes that back, or makes a shop.
func TestAudit_FindsDecisionsOnScansAndShopsThatWereChanged(t *testing.T) {
	b := newBook(t)
	b.scans()
	if r, err := b.audit(audit.Options{}); err != nil || !r.Sound() {
		t.Fatalf("%+v %v", r, err)
	}
	e := sqldbtest.NewEditor(t, b.config)
	random := mrand.New(mrand.NewPCG(3, 7))
	for table, columns := range map[string][]string{
		"scan_decision": {"id", "code", "verdict", "rules", "note", "at_ms", "actor", "*"}, "sold_shop": {"id", "name", "buyer", "made_ms", "made_by", "revoked_ms", "*"},
	} {
		for _, column := range columns {
			for range 3 {
				what, undo, ok := e.Edit(random, sqldbtest.Target{Table: table, Column: column, Where: "1 = 1"})
				if !ok {
					continue
				}
				if r, err := b.audit(audit.Options{}); err == nil && r.Sound() {
					t.Errorf("not found: %s", what)
				}
				undo()
			}
		}
	}
	if r, err := b.audit(audit.Options{}); err != nil || !r.Sound() {
		t.Errorf("after all was undone: %+v, %v", r.Findings, err)
	}
}
