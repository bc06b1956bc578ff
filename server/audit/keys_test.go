package audit_test

import (
	"strings"
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/audit"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// rotate gives the gateway a new key, signed for by the old one, and begins a new chain.
func (b *book) rotate() {
	b.t.Helper()
	fresh, vkey := keyPair(b.t, gateway)
	raw, err := wire.SealRekey(b.signer, fresh, b.vkey, wire.NewCard(gateway, vkey, "new secret"), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	q, err := wire.OpenRekey(raw)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.db.Rekey(b.t.Context(), q, by(b.now)); err != nil {
		b.t.Fatal(err)
	}
	b.signer, b.vkey = fresh, vkey
}

func TestAudit_FollowsTheKeysOfAGateway(t *testing.T) {
	b := newBook(t)
	stolen := b.signer
	b.rotate()
	b.begin("1111111111111111")
	b.send(3)
	b.rotate()
	if err := b.db.RetireGateway(t.Context(), gateway, by(b.now)); err != nil { // and replaced, with a claim
		t.Fatal(err)
	}
	code, err := wire.NewClaimCode()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.db.AddClaim(t.Context(), sqldb.Claim{ID: code.ID(), Key: code.Key(), Gateway: gateway, Made: b.now, Expires: b.now.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	fresh, vkey := keyPair(t, gateway)
	if err := b.db.EnrolByClaim(t.Context(), code.ID(), wire.NewCard(gateway, vkey, "third"), by(b.now)); err != nil {
		t.Fatal(err)
	}
	b.signer = fresh
	b.begin("2222222222222222")
	b.send(3)
	b.sign()
	r, err := b.audit(audit.Options{})
	if err != nil || !r.Sound() || r.Batches != 30 || r.Chains != 3 {
		t.Fatalf("%+v, %v", r, err)
	}

	b.signer = stolen // whoever has the old key, and the machine
	b.begin("3333333333333333")
	b.send(1)
	r, err = b.audit(audit.Options{})
	if err != nil || r.Sound() || !strings.Contains(r.Findings[0].What, "replaced") {
		t.Errorf("a batch of the replaced key: %+v, %v", r, err)
	}
}

func TestAudit_SeesAKeyThatWasPutIntoTheTable(t *testing.T) {
	b := newBook(t)
	b.rotate()
	b.sign()
	_, vkey := keyPair(t, gateway)
	sqldbtest.Tamper(t, b.config, `UPDATE gateway SET vkey = '`+vkey+`'`)
	if r, err := b.audit(audit.Options{}); err != nil || r.Sound() {
		t.Errorf("%+v, %v", r, err)
	}
}
