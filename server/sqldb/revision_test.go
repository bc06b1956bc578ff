package sqldb_test

import (
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/privacy"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
)

// Whatever the public page of a lot is drawn from moves the lot's revision by the transaction that changes it; what says the same again does not.
func TestLotRevision_MovesWithWhatThePageIsDrawnFrom(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		f, d := demoFarm(t)
		l := d.Lot
		link := l.Link()
		seen := map[string]string{}
		moves := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			rev, err := db.LotRevision(ctx, link)
			if err != nil || rev == "" || seen[rev] != "" {
				t.Errorf("%s: revision %q as after %s, %v", what, rev, seen[rev], err)
			}
			seen[rev] = what
		}
		moves("nothing", nil)
		moves("farm", db.SaveFarm(ctx, f, byAt(noon)))
		moves("product", db.SaveProduct(ctx, d.Product, byAt(noon)))
		moves("lot", db.SaveLot(ctx, l, byAt(noon)))
		for _, state := range []trace.State{trace.Released, trace.Recalled, trace.Released, trace.Held} {
			l.State = state
			moves(string(state), db.SaveLot(ctx, l, byAt(noon)))
		}
		moves("certificate", db.SaveCertificate(ctx, d.Certificate, byAt(noon)))
		moves("evidence", db.SaveEvidence(ctx, link, nil, noon))
		moves("evidence again", db.SaveEvidence(ctx, link, nil, noon.Add(time.Millisecond)))
		_, err := db.SaveRecord(ctx, farm.Record{Kind: farm.Input, Values: form.Values{"name": "Vôi", "type": "lime", "unit": "kg"}}, byAt(noon))
		moves("register", err)
		p := privacy.Person{ID: "p-0123456789", Name: "Lan", Places: []string{l.Places[0]}, Created: noon}
		moves("person", db.AddPerson(ctx, p, byAt(noon)))
		_, err = db.GiveConsent(ctx, privacy.Consent{Person: p.ID, Field: privacy.PersonName, To: privacy.Everybody, Text: "consent-1", Given: noon}, byAt(noon))
		moves("consent", err)
		_, err = db.WithdrawConsent(ctx, p.ID, privacy.PersonName, byAt(noon))
		moves("consent taken back", err)
		before, err := db.LotRevision(ctx, link)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.SaveLot(ctx, l, byAt(noon.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		if after, err := db.LotRevision(ctx, link); err != nil || after != before {
			t.Errorf("the same lot again: %q after %q, %v", after, before, err)
		}
	})
}
