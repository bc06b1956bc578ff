package sqldb_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func claim(t *testing.T, db *sqldb.DB, gateway string, at time.Time) string {
	t.Helper()
	code, err := wire.NewClaimCode()
	if err != nil {
		t.Fatal(err)
	}
	c := sqldb.Claim{ID: code.ID(), Key: code.Key(), Gateway: gateway, Made: at, Expires: at.Add(10 * time.Minute)}
	if err := db.AddClaim(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if key, err := db.ClaimKey(t.Context(), c.ID, at); err != nil || string(key) != string(c.Key) {
		t.Fatalf("%x, %v", key, err)
	}
	return c.ID
}

func TestClaim_EnrolsOneGatewayOnceInTime(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		one, two := card(t, "gw-one", "a"), card(t, "gw-two", "b")
		id := claim(t, db, "gw-one", noon)
		late := byAt(noon.Add(11 * time.Minute))
		for name, f := range map[string]func() error{
			"unknown":         func() error { return db.EnrolByClaim(ctx, "00", one, byAt(noon)) },
			"another gateway": func() error { return db.EnrolByClaim(ctx, id, two, byAt(noon)) },
			"too late":        func() error { return db.EnrolByClaim(ctx, id, one, late) },
		} {
			if err := f(); !errors.Is(err, sqldb.ErrNoClaim) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for range 2 { // the answer was lost
			if err := db.EnrolByClaim(ctx, id, one, byAt(noon)); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.EnrolByClaim(ctx, id, card(t, "gw-one", "c"), byAt(noon)); !errors.Is(err, sqldb.ErrNoClaim) {
			t.Errorf("a second card: %v", err)
		}
		anyone := claim(t, db, "", noon)
		if err := db.EnrolByClaim(ctx, anyone, two, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if err := db.AddClaim(ctx, sqldb.Claim{ID: "x", Gateway: "gw-one", Made: noon, Expires: noon}); !errors.Is(err, sqldb.ErrInService) {
			t.Errorf("a claim for a gateway in service: %v", err)
		}
		if _, err := db.ClaimKey(ctx, id, noon.Add(time.Hour)); !errors.Is(err, sqldb.ErrNoClaim) {
			t.Errorf("over: %v", err)
		}
	})
}

func TestRekey_IsSaidInTheLedgerAndRetiringUndone(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		old, oldV := pair(t)
		fresh, freshV := pair(t)
		first := wire.NewCard("gw-one", oldV, "a")
		if _, err := db.AddGateway(ctx, first, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		raw, err := wire.SealRekey(old, fresh, oldV, wire.NewCard("gw-one", freshV, "b"), nil)
		if err != nil {
			t.Fatal(err)
		}
		q, err := wire.OpenRekey(raw)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := db.Rekey(ctx, q, byAt(noon)); err != nil {
				t.Fatal(err)
			}
		}
		back, err := wire.SealRekey(fresh, old, freshV, first, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := wire.OpenRekey(back)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Rekey(ctx, b, byAt(noon)); !errors.Is(err, sqldb.ErrKeyUsed) {
			t.Errorf("back to the old key: %v", err)
		}
		if err := db.RetireGateway(ctx, "gw-one", byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if err := db.Rekey(ctx, q, byAt(noon)); !errors.Is(err, sqldb.ErrNoGateway) {
			t.Errorf("a retired gateway renews itself: %v", err)
		}
		again := card(t, "gw-one", "c")
		if err := db.EnrolByClaim(ctx, claim(t, db, "", noon), again, byAt(noon)); !errors.Is(err, sqldb.ErrNoClaim) {
			t.Errorf("an old name with a claim for anybody: %v", err)
		}
		if err := db.EnrolByClaim(ctx, claim(t, db, "gw-one", noon), again, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if err := db.RetireGateway(ctx, "gw-one", byAt(noon)); err != nil {
			t.Fatal(err)
		}
		want := map[ledger.Kind]int{ledger.GatewayEnrolled: 1, ledger.GatewayRekeyed: 2, ledger.GatewayRetired: 2}
		for kind, n := range want {
			if at, err := db.LedgerFind(ctx, "gw-one", kind); err != nil || len(at) != n {
				t.Errorf("%s: %v, %v; want %d", kind, at, err, n)
			}
		}
		rows, err := db.LedgerRows(ctx)
		if err != nil || len(rows) != 3 {
			t.Fatalf("%+v, %v", rows, err)
		}
		for _, r := range rows { // tables and ledger say the same
			at, err := db.LedgerFind(ctx, r.Subject, r.Kind)
			if err != nil {
				t.Fatal(err)
			}
			if _, body, err := db.LedgerBody(ctx, at[len(at)-1]); err != nil || string(body) != string(r.Body) {
				t.Errorf("%s: %s, the ledger has %s, %v", r.Kind, r.Body, body, err)
			}
		}
	})
}

func pair(t *testing.T) (note.Signer, string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "gw-one")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(fmt.Errorf("key: %w", err))
	}
	return s, vkey
}
