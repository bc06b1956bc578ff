package audit_test

import (
	"strings"
	"testing"

	"aovuon/server/account"
	"aovuon/server/audit"
	"aovuon/server/sqldb/sqldbtest"
)

// people puts a technician and two farmers on record, one with a card that was replaced and one with a card that was revoked.
func (b *book) people() {
	b.t.Helper()
	place := b.demo.Lot.Places[0]
	for _, a := range []account.Account{
		{ID: "u-AAAAAAAA", Login: "tu", Name: "Tú", Role: account.Technician, Made: b.now},
		{ID: "u-BBBBBBBB", Login: "tam", Name: "Tám", Role: account.Farmer, Places: []string{place}, Made: b.now},
		{ID: "u-CCCCCCCC", Login: "bay", Name: "Bảy", Role: account.Farmer, Places: []string{place}, Made: b.now},
	} {
		if err := b.db.AddAccount(b.t.Context(), a, nil, by(b.now)); err != nil {
			b.t.Fatal(err)
		}
	}
	for _, c := range []account.Card{{ID: "c-1", Account: "u-BBBBBBBB"}, {ID: "c-2", Account: "u-BBBBBBBB"}, {ID: "c-3", Account: "u-CCCCCCCC"}} {
		c.Made, c.Code = b.now, account.HashToken(c.ID)
		if err := b.db.AddCard(b.t.Context(), c, by(b.now)); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.db.RevokeCard(b.t.Context(), "c-3", by(b.now)); err != nil {
		b.t.Fatal(err)
	}
	b.sign()
}

// Somebody with the database's file makes himself an admin, or brings a revoked card back: an audit where it lies says so.
func TestAudit_FindsARoleOrACardThatWasGivenBehindItsBack(t *testing.T) {
	for name, c := range map[string]struct{ edit, undo, want string }{
		"role":     {`UPDATE account SET role = 'admin' WHERE login = 'tam'`, `UPDATE account SET role = 'farmer' WHERE login = 'tam'`, "account u-BBBBBBBB: who it is or what it may do"},
		"revoked":  {`UPDATE account_card SET revoked_ms = 0 WHERE id = 'c-3'`, `UPDATE account_card SET revoked_ms = 1 WHERE id = 'c-3'`, "account u-CCCCCCCC: the card"},
		"replaced": {`UPDATE account_card SET revoked_ms = 0 WHERE id = 'c-1'`, `UPDATE account_card SET revoked_ms = 1 WHERE id = 'c-1'`, "account u-BBBBBBBB: the card"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			b.people()
			if r, err := b.audit(audit.Options{}); err != nil || !r.Sound() || r.Accounts != 3 || len(r.Notes) > 0 {
				t.Fatalf("before: %+v, %v", r, err)
			}
			sqldbtest.Tamper(t, b.config, c.edit)
			r, err := b.audit(audit.Options{})
			if err != nil || len(r.Findings) != 1 || !strings.HasPrefix(r.Findings[0].String(), c.want) {
				t.Fatalf("after %s: %+v, %v", c.edit, r.Findings, err)
			}
			sqldbtest.Tamper(t, b.config, c.undo)
			if r, err := b.audit(audit.Options{}); err != nil || !r.Sound() {
				t.Errorf("after it was undone: %+v, %v", r.Findings, err)
			}
		})
	}
}

// What is recorded while the audit runs, or was not signed yet, is no finding.
func TestAudit_DoesNotCompareAccountsThatAreNotSignedYet(t *testing.T) {
	b := newBook(t)
	b.people()
	if err := b.db.RevokeCard(t.Context(), "c-2", by(b.now)); err != nil {
		t.Fatal(err)
	}
	r, err := b.audit(audit.Options{})
	if err != nil || !r.Sound() || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "1 leaves are not of the signed head") {
		t.Errorf("%+v, %v", r, err)
	}
}
