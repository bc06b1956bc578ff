package sqldb_test

import (
	"testing"

	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func TestCapture_KeepsADocumentOnceAndAsItCame(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, doc := t.Context(), []byte("{\"type\":\"EPCISDocument\"}\n ")
		var sum string
		for i := range 2 {
			got, added, err := db.Capture(ctx, doc, 3, byAt(noon))
			if err != nil || added != (i == 0) || len(got) != 64 || sum != "" && got != sum {
				t.Fatalf("%d: %s %v %v", i, got, added, err)
			}
			sum = got
		}
		if raw, ok, err := db.CapturedDocument(ctx, sum); err != nil || !ok || string(raw) != string(doc) {
			t.Errorf("%q %v %v", raw, ok, err)
		}
		if _, ok, err := db.CapturedDocument(ctx, "x"); err != nil || ok {
			t.Errorf("%v %v", ok, err)
		}
		list, err := db.CapturedList(ctx, 10)
		if err != nil || len(list) != 1 || list[0].Events != 3 || !list[0].Made.Equal(noon) {
			t.Errorf("%+v %v", list, err)
		}
		rows, err := db.ChangeRows(ctx)
		if err != nil || len(rows) != 1 || rows[0].Kind != ledger.Changed || rows[0].Subject != "captured/"+sum {
			t.Errorf("%+v %v", rows, err)
		}
	})
}
