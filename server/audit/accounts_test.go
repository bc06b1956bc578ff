package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/audit"
	"aovuon/server/calibration"
	"aovuon/server/desired"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/privacy"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace/recall"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// people puts a technician with everything that lets one in and two farmers on record, one with a card that was replaced and one with a card
// that was revoked; and people with consents, one of whom was erased; and settings that somebody wanted of the gateway.
func (b *book) people() {
	b.t.Helper()
	ctx, place := b.t.Context(), b.demo.Lot.Places[0]
	do := func(err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	for _, a := range []account.Account{
		{ID: "u-AAAAAAAA", Login: "tu", Name: "Tú", Role: account.Technician, Password: "$argon2id$made-up", Made: b.now},
		{ID: "u-BBBBBBBB", Login: "tam", Name: "Tám", Role: account.Farmer, Places: []string{place}, Made: b.now},
		{ID: "u-CCCCCCCC", Login: "bay", Name: "Bảy", Role: account.Farmer, Places: []string{place}, Made: b.now},
	} {
		do(b.db.AddAccount(ctx, a, nil, by(b.now)))
	}
	for _, c := range []account.Card{{ID: "c-1", Account: "u-BBBBBBBB"}, {ID: "c-2", Account: "u-BBBBBBBB"}, {ID: "c-3", Account: "u-CCCCCCCC"}} {
		c.Made, c.Code = b.now, account.HashToken(c.ID)
		do(b.db.AddCard(ctx, c, by(b.now)))
	}
	told := notify.Contact{ID: "01K00000000000000000000001", Name: "Tám", Lang: "vi", Level: rule.Crit, Account: "u-BBBBBBBB", Addresses: []notify.Address{{Channel: "sms", To: "+84912345678"}}, Agreed: b.now}
	do(b.db.SaveContact(ctx, told, by(b.now)))
	told.Step = 1
	do(b.db.SaveContact(ctx, told, by(b.now)))
	told.ID, told.Account = "01K00000000000000000000002", ""
	do(b.db.SaveContact(ctx, told, by(b.now)))
	do(b.db.RemoveContact(ctx, told.ID, by(b.now)))
	set := notify.DefaultSettings()
	set.DigestAt = 300
	do(b.db.SaveSettings(ctx, set, by(b.now)))
	do(b.db.RevokeCard(ctx, "c-3", by(b.now)))
	if bound, err := b.db.BindCard(ctx, "c-2", account.HashToken("phone"), by(b.now)); err != nil || !bound {
		b.t.Fatal(err)
	}
	for i, name := range []string{"phone", "office"} {
		k := account.Passkey{Account: "u-AAAAAAAA", Name: name, Made: b.now}
		k.Credential, k.Public, k.Counter = []byte(name), []byte("public half of "+name), uint32(i)
		k.ID = k.Fingerprint()
		do(b.db.AddPasskey(ctx, k, nil, by(b.now)))
		if i == 0 {
			do(b.db.RemovePasskey(ctx, "u-AAAAAAAA", k.ID, by(b.now)))
		}
	}
	do(b.db.SavePIN(ctx, "c-2", "$argon2id$pin", by(b.now)))
	do(b.db.SaveSecret(ctx, "u-AAAAAAAA", []byte("secret of codes"), 1, [][]byte{account.HashToken("r1"), account.HashToken("r2")}, by(b.now)))
	if spent, err := b.db.SpendRecovery(ctx, "u-AAAAAAAA", account.HashToken("r1"), by(b.now)); err != nil || !spent {
		b.t.Fatal(err)
	}
	do(b.db.SaveLink(ctx, account.Link{Hash: account.HashToken("link"), Account: "u-CCCCCCCC", Expires: b.now.Add(time.Hour)}, by(b.now)))
	do(b.db.SaveCalibrations(ctx, []calibration.Entry{calibration.New(gateway, wire.Document{Body: `{"who":"Người p-0000000003"}`})}))
	for i, id := range []string{"p-0000000001", "p-0000000002", "p-0000000003"} {
		do(b.db.AddPerson(ctx, privacy.Person{ID: id, Name: "Người " + id, Phone: "0900", Household: "Hộ", Photo: "a.jpg", Places: []string{place}}, by(b.now)))
		for n, field := range []string{"name", "phone", "name"} { // the third time after it was withdrawn
			at := by(b.now.Add(time.Duration(i+n) * time.Minute))
			if n == 2 {
				_, err := b.db.WithdrawConsent(ctx, id, privacy.PersonName, at)
				do(err)
			}
			c, err := privacy.NewConsent(id, field)
			do(err)
			_, err = b.db.GiveConsent(ctx, c, at)
			do(err)
		}
		_, err := b.db.AddRequest(ctx, privacy.Request{Person: id, Kind: privacy.Access, Received: b.now}, by(b.now))
		do(err)
	}
	do(b.db.AnswerRequest(ctx, 1, true, by(b.now.Add(time.Hour))))
	do(b.db.ErasePerson(ctx, "p-0000000003", by(b.now.Add(time.Hour))))
	home, err := b.db.SaveRecord(ctx, farm.Record{Kind: farm.Household, Values: form.Values{"name": "Ông Bùi Văn", "code": "H01", "joined": "2020-01-31", "area_m2": 31000.0}}, by(b.now))
	do(err)
	home.Values["area_m2"] = 32000.0
	_, err = b.db.SaveRecord(ctx, home, by(b.now.Add(time.Minute)))
	do(err)
	point, err := privacy.NewPoint(20.771342, 106.224967)
	do(err)
	_, err = b.db.AddEvent(ctx, diary.Event{
		ID: "01KAV5N2A00000000000000000", Kind: diary.Feeding, Place: place, Values: form.Values{"input": "cam-40", "amount": 12.5}, Note: "x", Actor: "u-BBBBBBBB", Device: "d-1",
		Occurred: b.now, Recorded: b.now, Synced: b.now, Position: &diary.Position{Point: point, Acc: 5},
	}, by(b.now))
	do(err)
	b.diary(place, do)
	b.goods(do)
	do(b.db.SaveRecall(ctx, recall.Record{ID: "01KAV5N2A0000000000000000R", Drill: true, Ask: recall.Ask{Input: "cam-40"}, Reason: "tập", Begun: b.now, Marked: b.now}, by(b.now)))
	_, _, err = b.db.Capture(ctx, []byte(`{"type":"EPCISDocument"}`), 1, by(b.now))
	do(err)
	if drawn, err := b.db.DrawEdges(ctx); err != nil || !drawn {
		b.t.Fatal(drawn, err)
	}
	for v := range uint64(2) {
		do(b.db.SaveWanted(ctx, desired.Wanted{
			Gateway: gateway, Version: v + 1, Made: b.now, Note: fmt.Appendf(nil, "note %d", v),
			Changes: []wire.Change{{Path: "seal.every", Was: []byte("null"), Value: []byte(`"1m"`)}},
		}, by(b.now)))
	}
	b.sign()
}

// What somebody with the database's file does to people, settings and what lets somebody in, an audit where it lies says by name.
func TestAudit_FindsWhatWasDoneToPeopleBehindItsBack(t *testing.T) {
	b := newBook(t)
	b.people()
	if r, err := b.audit(audit.Options{}); err != nil || !r.Sound() || r.Changes != 49 || len(r.Notes) > 0 {
		t.Fatalf("before: %+v, %v", r, err)
	}
	e := sqldbtest.NewEditor(t, b.config)
	for want, edit := range map[string]string{
		"row consent/p-0000000001/person.phone: is not what":     `UPDATE consent SET withdrawn_ms = 1 WHERE person = 'p-0000000001' AND field = 'person.phone'`,
		"row consent/p-0000000001/person.name: is not what":      `UPDATE consent SET withdrawn_ms = 0 WHERE person = 'p-0000000001' AND field = 'person.name'`,
		"row consent/p-0000000002/person.household: the ledger":  `INSERT INTO consent SELECT person, 'person.household', audience, text_version, given_ms, 0 FROM consent WHERE person = 'p-0000000002' AND field = 'person.phone'`,
		"row consent/p-0000000002/person.phone: is gone":         `DELETE FROM consent WHERE person = 'p-0000000002' AND field = 'person.phone'`,
		"row person/p-0000000001: is not what":                   `UPDATE person SET name = 'Ai đó' WHERE id = 'p-0000000001'`,
		"row person/p-0000000003: is not what":                   `UPDATE person SET erased_ms = 0 WHERE id = 'p-0000000003'`,
		"row person/p-0000000004: the ledger":                    `INSERT INTO person SELECT 'p-0000000004', name, phone, photo, household, created_ms, 0, account FROM person WHERE id = 'p-0000000001'`,
		"row person_request/1: is not what":                      `UPDATE person_request SET done_ms = 0 WHERE id = 1`,
		"row desired/gw-ao-phukhe: is not what":                  `UPDATE desired SET changes = '[]'`,
		"row record household/":                                  `UPDATE farm_record SET retired = 1 WHERE kind = 'household'`,
		"row entry 01KAV5N2A00000000000000000: is not what":      `UPDATE diary_event SET body = REPLACE(body, '12.5', '2.5')`,
		"row entry 01KAV5N2A00000000000000000: is gone":          `DELETE FROM diary_event WHERE id = '01KAV5N2A00000000000000000'`,
		"row entry 01KAV5N2A00000000000000000: the body of leaf": `UPDATE ledger_body SET salt = NULL, body = NULL WHERE n = (SELECT n FROM ledger_leaf WHERE kind = 'entry' AND subject = '01KAV5N2A00000000000000000')`,
		"row media/bb: is not what":                              `UPDATE media SET erased_ms = 0`,
		"row entry 01KAV5N2A00000000000000002: is not what":      `UPDATE diary_event SET body = '{"values":{"kg":5}}' WHERE id = '01KAV5N2A00000000000000002'`,
		"row entry 01KAV5N2A00000000000000001: is not what":      `UPDATE event_media SET sha256 = 'cc' WHERE sha256 = 'aa'`,
		"row lot_hold/00400000000015/B2: is not what":            `UPDATE lot_hold SET released_ms = 0`,
		"row lot /01/00400000000015/10/B2: says otherwise":       `UPDATE lot SET barred = ''`,
		"row product 00400000000015: says otherwise":             `UPDATE product SET record = 'rophi' WHERE gtin = '00400000000015'`,
		"account u-AAAAAAAA: its password is not what":           `UPDATE account SET password = '$argon2id$mine' WHERE id = 'u-AAAAAAAA'`,
		"account u-BBBBBBBB: its password is not what":           `UPDATE account SET password = '$argon2id$mine' WHERE id = 'u-BBBBBBBB'`,
		"account u-AAAAAAAA: its codes is not what":              `UPDATE account SET secret = x'00' WHERE id = 'u-AAAAAAAA'`,
		"account u-AAAAAAAA: its recovery codes is not what":     `UPDATE account_recovery SET used_ms = 0`,
		"account u-BBBBBBBB: its card c-2 is not what":           `UPDATE account_card SET pin = '' WHERE id = 'c-2'`,
		"account u-AAAAAAAA: its link is not what":               `INSERT INTO account_link VALUES (x'11', 'u-AAAAAAAA', 9999999999999, 0)`,
		"account u-CCCCCCCC: its link is gone":                   `DELETE FROM account_link`,
		"row person/p-0000000001: the body of leaf":              `UPDATE ledger_body SET salt = NULL, body = NULL WHERE n = (SELECT MAX(n) FROM ledger_leaf WHERE subject = 'person/p-0000000001')`,
		"account u-BBBBBBBB: the body of leaf":                   `UPDATE ledger_body SET salt = NULL, body = NULL WHERE n = (SELECT MIN(n) FROM ledger_leaf WHERE subject = 'u-BBBBBBBB')`,
	} {
		undo := e.Exec(edit)
		r, err := b.audit(audit.Options{})
		if err != nil || len(r.Findings) != 1 || !strings.HasPrefix(r.Findings[0].String(), want) {
			t.Errorf("after %s: %+v, %v; want %s", edit, r.Findings, err, want)
		}
		undo()
	}
	if r, err := b.audit(audit.Options{}); err != nil || !r.Sound() {
		t.Errorf("after all was undone: %+v, %v", r.Findings, err)
	}
}

// Somebody with the database's file makes himself an admin, or brings a revoked card back: an audit where it lies says so.
func TestAudit_FindsARoleOrACardThatWasGivenBehindItsBack(t *testing.T) {
	for name, c := range map[string]struct {
		edit, undo, want string
		findings         int
	}{
		"role":     {`UPDATE account SET role = 'admin' WHERE login = 'tam'`, `UPDATE account SET role = 'farmer' WHERE login = 'tam'`, "account u-BBBBBBBB: who it is or what it may do", 1},
		"revoked":  {`UPDATE account_card SET revoked_ms = 0 WHERE id = 'c-3'`, `UPDATE account_card SET revoked_ms = made_ms WHERE id = 'c-3'`, "account u-CCCCCCCC: the card", 1},
		"replaced": {`UPDATE account_card SET revoked_ms = 0 WHERE id = 'c-1'`, `UPDATE account_card SET revoked_ms = made_ms WHERE id = 'c-1'`, "account u-BBBBBBBB: the card", 1},
		"passkey's public half": {
			`UPDATE account_passkey SET public = credential`, `UPDATE account_passkey SET public = CAST('public half of office' AS BLOB)`, "account u-AAAAAAAA: who it is or what it may do", 1,
		},
		"passkey of another": {
			`UPDATE account_passkey SET account = 'u-BBBBBBBB'`, `UPDATE account_passkey SET account = 'u-AAAAAAAA'`, "account u-", 2,
		},
		"a cloned one taken again": {
			`UPDATE account_passkey SET cloned_ms = 7`, `UPDATE account_passkey SET cloned_ms = 0`, "account u-AAAAAAAA: its passkey k-", 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			b.people()
			if r, err := b.audit(audit.Options{}); err != nil || !r.Sound() || r.Accounts != 4 || len(r.Notes) > 0 {
				t.Fatalf("before: %+v, %v", r, err)
			}
			sqldbtest.Tamper(t, b.config, c.edit)
			r, err := b.audit(audit.Options{})
			if err != nil || len(r.Findings) != c.findings || !strings.HasPrefix(r.Findings[0].String(), c.want) {
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
