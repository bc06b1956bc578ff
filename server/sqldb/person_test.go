package sqldb_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/audit"
	"aovuon/server/calibration"
	"aovuon/server/label"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// marks are recognisable: each stands in one thing that is entered about a person, and nowhere else.
func marks() []string { return []string{"Zyxmarkname", "0911222333", "zyxmarkphoto", "Zyxmarkhouse"} }

// marked puts a person with every mark on record, at a place of the demo lot.
func marked(t *testing.T, db *sqldb.DB, id, place string) privacy.Person {
	t.Helper()
	m := marks()
	p := privacy.Person{ID: id, Name: "Nguyễn " + m[0], Phone: m[1], Photo: m[2] + ".jpg", Household: "Hộ " + m[3], Places: []string{place}}
	if err := db.AddPerson(t.Context(), p, byAt(noon)); err != nil {
		t.Fatal(err)
	}
	return p
}

// demoOnRecord saves the demo farm and its lot and returns a place of the lot.
func demoOnRecord(t *testing.T, db *sqldb.DB) (place string) {
	t.Helper()
	f, d := demoFarm(t)
	for _, err := range []error{
		db.SaveFarm(t.Context(), f, byAt(noon)), db.SaveProduct(t.Context(), d.Product, byAt(noon)),
		db.SaveLot(t.Context(), d.Lot, byAt(noon)), db.SaveCertificate(t.Context(), d.Certificate, byAt(noon)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return d.Lot.Places[0]
}

func consent(t *testing.T, db *sqldb.DB, id, field string, at time.Time) bool {
	t.Helper()
	c, err := privacy.NewConsent(id, field)
	if err != nil {
		t.Fatal(err)
	}
	given, err := db.GiveConsent(t.Context(), c, byAt(at))
	if err != nil {
		t.Fatal(err)
	}
	return given
}

func producersAt(t *testing.T, db *sqldb.DB, place string) string {
	t.Helper()
	out, err := db.Producers(t.Context(), []string{place})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v", out)
}

func TestPerson_IsShownWhileTheyAgree(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		place := demoOnRecord(t, db)
		p := marked(t, db, "p-0123456789", place)
		if got := producersAt(t, db, place); got != "[]" {
			t.Fatalf("shown without consent: %s", got)
		}
		if !consent(t, db, p.ID, "name", noon) || consent(t, db, p.ID, "name", noon.Add(time.Hour)) {
			t.Error("a consent counts once")
		}
		if got := producersAt(t, db, place); !strings.Contains(got, p.Name) || strings.Contains(got, p.Phone) || strings.Contains(got, p.Household) {
			t.Errorf("the name was agreed to: %s", got)
		}
		if got := producersAt(t, db, "CSSHRYF9K"); got != "[]" {
			t.Errorf("shown at a place that is not theirs: %s", got)
		}
		consent(t, db, p.ID, "phone", noon)
		if n, err := db.WithdrawConsent(t.Context(), p.ID, privacy.PersonName, byAt(noon.Add(2*time.Hour))); err != nil || n != 1 {
			t.Fatalf("%d withdrawn, %v", n, err)
		}
		if got := producersAt(t, db, place); strings.Contains(got, p.Name) || !strings.Contains(got, p.Phone) {
			t.Errorf("the name was withdrawn: %s", got)
		}
		if !consent(t, db, p.ID, "name", noon.Add(3*time.Hour)) {
			t.Error("what was withdrawn cannot be given again")
		}
		all, err := db.Consents(t.Context(), p.ID)
		if err != nil || len(all) != 3 || all[0].Text != privacy.TextVersion {
			t.Errorf("%+v, %v", all, err)
		}
		head(t, db)
	})
}

func TestPerson_EverythingComesOut(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		place := demoOnRecord(t, db)
		p := marked(t, db, "p-0123456789", place)
		other := privacy.Person{ID: "p-012345678a", Name: "Somebody Else"}
		if err := db.AddPerson(t.Context(), other, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		consent(t, db, p.ID, "name", noon)
		q, err := db.AddRequest(t.Context(), privacy.Request{Person: p.ID, Kind: privacy.Access, Received: noon}, byAt(noon))
		if err != nil || q.ID != 1 {
			t.Fatalf("%+v, %v", q, err)
		}
		for range 2 {
			if err := db.AnswerRequest(t.Context(), q.ID, true, byAt(noon.Add(time.Hour))); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.AnswerRequest(t.Context(), 99, true, byAt(noon)); !errors.Is(err, sqldb.ErrNoRequest) {
			t.Errorf("a request that is not there: %v", err)
		}
		all, err := db.EverythingOf(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		var raw bytes.Buffer
		if err := all.WriteJSON(&raw); err != nil {
			t.Fatal(err)
		}
		for _, m := range marks() {
			if !strings.Contains(raw.String(), m) {
				t.Errorf("the export does not have %s", m)
			}
		}
		if strings.Contains(raw.String(), other.Name) || strings.Contains(raw.String(), other.ID) {
			t.Error("the export tells of somebody else")
		}
		if len(all.Consents) != 1 || len(all.Requests) != 1 || len(all.Ledger) != 4 || all.Requests[0].Done.IsZero() {
			t.Errorf("%d consents, %d requests, %d leaves", len(all.Consents), len(all.Requests), len(all.Ledger))
		}
		if _, err := db.EverythingOf(t.Context(), "p-nobody0000"); !errors.Is(err, privacy.ErrNoPerson) {
			t.Errorf("everything of nobody: %v", err)
		}
	})
}

// signedPolicy signs the head of the tree with a new key, and returns the policy that believes it.
func signedPolicy(t *testing.T, db *sqldb.DB) *ledger.Policy {
	t.Helper()
	p, _ := signing(t, db)
	return p
}

// signing also returns what signs the head again.
func signing(t *testing.T, db *sqldb.DB) (p *ledger.Policy, sign func()) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "htx-thu/ledger")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	publisher, err := ledger.NewPublisher(ledger.PublisherOptions{
		Tree: db, Signer: signer, VKey: vkey, Every: time.Hour, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	sign = func() {
		t.Helper()
		if err := publisher.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sign()
	policy, err := ledger.ParsePolicy("policy", fmt.Appendf(nil, "log %s\nquorum none\n", vkey))
	if err != nil {
		t.Fatal(err)
	}
	return policy, sign
}

func sound(t *testing.T, db *sqldb.DB, p *ledger.Policy, old []byte) {
	t.Helper()
	r, err := audit.Run(t.Context(), &audit.Local{DB: db}, audit.Options{Policy: p, Old: old, Dir: t.TempDir()})
	if err != nil || !r.Sound() {
		t.Fatalf("audit: %+v, %v", r, err)
	}
}

func TestPerson_ErasureLeavesNothingAndTheLedgerSound(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, c sqldb.Config) {
		db := sqldbtest.Open(t, c)
		place := demoOnRecord(t, db)
		p := marked(t, db, "p-0123456789", place)
		stays := marked(t, db, "p-012345678a", place)
		consent(t, db, p.ID, "name", noon)
		consent(t, db, stays.ID, "phone", noon)
		policy := signedPolicy(t, db)
		sound(t, db, policy, nil)
		old, err := db.Checkpoint(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time only scrubs
			if err := db.ErasePerson(t.Context(), p.ID, byAt(noon.Add(time.Hour))); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.ErasePerson(t.Context(), "p-zzzzzzzzzz", byAt(noon)); !errors.Is(err, privacy.ErrNoPerson) {
			t.Errorf("nobody was erased: %v", err)
		}
		head(t, db)
		sound(t, db, policy, old)
		at, err := db.LedgerFind(t.Context(), "person/"+p.ID, "")
		if err != nil || len(at) != 2 {
			t.Fatalf("leaves of the person: %v, %v", at, err)
		}
		if salt, body, err := db.LedgerBody(t.Context(), at[0]); err != nil || salt != nil || body != nil {
			t.Errorf("what was recorded is still there: %s, %v", body, err)
		}
		if got := producersAt(t, db, place); strings.Contains(got, marks()[0]) || !strings.Contains(got, stays.Phone) {
			t.Errorf("shown after one was erased: %s", got)
		}
		if _, err := db.WithdrawConsent(t.Context(), p.ID, "", byAt(noon)); !errors.Is(err, privacy.ErrNoPerson) {
			t.Errorf("withdrawal of somebody who is gone: %v", err)
		}
		agreed, err := db.Consents(t.Context(), p.ID)
		if err != nil || len(agreed) != 1 || agreed[0].Holds() {
			t.Errorf("consents of who is gone: %+v, %v", agreed, err)
		}
		if err := db.ErasePerson(t.Context(), stays.ID, byAt(noon.Add(2*time.Hour))); err != nil {
			t.Fatal(err)
		}
		if c.Driver != sqldb.SQLite {
			return
		}
		for _, file := range []string{c.DSN, c.DSN + "-wal"} { // unused pages, slack and journal included
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range marks() {
				if bytes.Contains(raw, []byte(m)) {
					t.Errorf("%s still has %s", file, m)
				}
			}
		}
	})
}

// Erasing a person erases the account they sign in with, what their browsers are called, and their name at calibrations, now and when
// those are drawn again; what the trail tells is a pseudonym, and the audit finds everything as it should be. What is looked for in the
// file is long: three letters are found in any hundred hashes by chance.
func TestErase_ReachesAccountsSessionsCalibrationsAndTheTrail(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, c sqldb.Config) {
		ctx, db := t.Context(), sqldbtest.Open(t, c)
		place := demoOnRecord(t, db)
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		by := byAt(noon)
		do(db.AddAccount(ctx, account.Account{ID: "u-AAAAAAAA", Login: "zyxwvutslogin", Name: "Zyxwvutsaccount", Role: account.Farmer, Places: []string{place}, Made: noon}, nil, by))
		do(db.AddAccount(ctx, account.Account{ID: "u-BBBBBBBB", Login: "stays", Name: "Ở Lại", Role: account.Technician, Made: noon}, nil, by))
		do(db.AddCard(ctx, account.Card{ID: "c-1", Account: "u-AAAAAAAA", Code: account.HashToken("c"), Made: noon}, by))
		for i, id := range []string{"u-AAAAAAAA", "u-BBBBBBBB"} {
			do(db.StartSession(ctx, account.Session{Hash: account.HashToken(id), ID: fmt.Sprint(i), Account: id, Device: "Zyxwvutsphone of " + id, Made: noon, Seen: noon}))
		}
		p := privacy.Person{ID: "p-0123456789", Name: "Nguyễn Zyxwvutsname", Places: []string{place}}
		do(db.AddPerson(ctx, p, by))
		do(db.TieAccount(ctx, p.ID, "u-AAAAAAAA", by))
		if err := db.AddPerson(ctx, privacy.Person{ID: "p-012345678a", Name: "Hai", Account: "u-AAAAAAAA"}, by); err == nil {
			t.Error("one account of two people")
		}
		doc := func(who, note string) calibration.Entry {
			body := fmt.Sprintf(`{"format":"aovuon/calibration/1","sensor":"ao1-ph","quantity":"ph","who":%q,"note":%q,"points":[],"verdict":"good"}`, who, note)
			e := calibration.New("gw-one", wire.Document{Body: body})
			e.Position, e.Received = 1, noon
			return e
		}
		docs := []calibration.Entry{doc("nguyễn  ZYXWVUTSNAME", ""), doc("Zyxwvutsaccount", "rửa"), doc("zyxwvutslogin", ""), doc("Ở Lại", "cùng Zyxwvutsaccount"), doc("Ở Lại", "")}
		do(db.SaveCalibrations(ctx, docs))
		all, err := db.EverythingOf(ctx, p.ID)
		if err != nil || all.Account == nil || all.Account.Login != "zyxwvutslogin" || len(all.Account.Sessions) != 1 || len(all.Calibrations) != 4 {
			t.Errorf("before: %+v, %v", all, err)
		}
		policy, sign := signing(t, db)
		sound(t, db, policy, nil)
		if err := db.EraseAccount(ctx, "u-AAAAAAAA", by); err == nil || !strings.Contains(err.Error(), p.ID) {
			t.Errorf("the account without its person: %v", err)
		}
		do(db.ErasePerson(ctx, p.ID, byAt(noon.Add(time.Hour))))
		head(t, db)
		sign()
		sound(t, db, policy, nil)
		do(db.ForgetCalibrations(ctx))
		do(db.SaveCalibrations(ctx, docs)) // reproject
		list, err := db.Calibrations(ctx, "gw-one", "ao1-ph", 10)
		if err != nil || len(list) != len(docs) || strings.Contains(strings.ToLower(fmt.Sprint(list)), "zyxwvuts") || !strings.Contains(fmt.Sprint(list), "Ở Lại") {
			t.Errorf("drawn again: %+v, %v", list, err)
		}
		if _, err := db.AccountByLogin(ctx, "zyxwvutslogin"); !errors.Is(err, account.ErrNone) {
			t.Errorf("the login still opens: %v", err)
		}
		if _, _, err := db.SessionOf(ctx, account.HashToken("u-AAAAAAAA")); !errors.Is(err, account.ErrNone) {
			t.Errorf("the session is open: %v", err)
		}
		if _, err := db.ChangeAccount(ctx, account.Change{ID: "u-AAAAAAAA", What: "enabled", By: by, Apply: func(*account.Account) error { return nil }}); !errors.Is(err, account.ErrNone) {
			t.Errorf("brought back: %v", err)
		}
		if left, err := db.Accounts(ctx); err != nil || len(left) != 1 || left[0].ID != "u-BBBBBBBB" {
			t.Errorf("accounts %+v, %v", left, err)
		}
		trail, err := db.Trail(ctx, 0, 1000, "")
		if err != nil || len(trail) < 10 {
			t.Fatalf("%d, %v", len(trail), err)
		}
		for _, e := range trail {
			if text := strings.ToLower(string(e.Body) + string(e.Before)); strings.Contains(text, "zyxwvuts") {
				t.Errorf("leaf %d %s: %s", e.N, e.Leaf.Subject, text)
			}
		}
		do(db.EraseAccount(ctx, "u-BBBBBBBB", byAt(noon.Add(2*time.Hour))))
		head(t, db)
		sign()
		sound(t, db, policy, nil)
		if c.Driver != sqldb.SQLite {
			return
		}
		for _, file := range []string{c.DSN, c.DSN + "-wal"} {
			if raw := bytes.ToLower(read(t, file)); bytes.Contains(raw, []byte("zyxwvuts")) || bytes.Contains(raw, []byte("ở lại")) {
				t.Errorf("%s still has a name", file)
			}
		}
	})
}

// Whatever table has rows of an account is known to erasure: a new one that is not fails here.
func TestErase_KnowsEveryTableOfAccounts(t *testing.T) {
	c := sqldbtest.SQLite(t)
	sqldbtest.Open(t, c)
	for _, table := range sqldbtest.TablesWith(t, c, "account") {
		if table != "person" && !slices.Contains(sqldb.AccountTables(), table) {
			t.Errorf("%s has a column account, and its rows stay when one is erased", table)
		}
	}
}

// The last admin is not erased by anybody but who has the machine.
func TestErase_KeepsAnAdmin(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if err := db.AddAccount(t.Context(), account.Account{ID: "u-AAAAAAAA", Login: "a", Name: "A", Role: account.Admin, Made: noon}, nil, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if err := db.EraseAccount(t.Context(), "u-AAAAAAAA", ledger.By{Actor: "u-AAAAAAAA", At: noon}); !errors.Is(err, account.ErrLastAdmin) {
			t.Errorf("%v", err)
		}
		if err := db.EraseAccount(t.Context(), "u-AAAAAAAA", byAt(noon)); err != nil {
			t.Error(err)
		}
		if err := db.EraseAccount(t.Context(), "u-AAAAAAAA", byAt(noon)); !errors.Is(err, account.ErrNone) {
			t.Errorf("twice: %v", err)
		}
	})
}

// Nothing that leaves the server without somebody's consent says who somebody is: leaves, public bodies, labels, topics.
func TestPerson_IsInNothingThatStrangersRead(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		place := demoOnRecord(t, db)
		p := marked(t, db, "p-0123456789", place)
		gone := marked(t, db, "p-012345678a", place)
		for _, field := range privacy.Consentable() {
			consent(t, db, p.ID, field, noon)
		}
		if _, err := db.WithdrawConsent(t.Context(), p.ID, privacy.PersonName, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if _, err := db.AddRequest(t.Context(), privacy.Request{Person: p.ID, Kind: privacy.Correct, Received: noon}, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if err := db.ErasePerson(t.Context(), gone.ID, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if _, err := db.AddGateway(t.Context(), card(t, "gw-thu", "secret"), byAt(noon)); err != nil {
			t.Fatal(err)
		}
		var seen bytes.Buffer
		size, err := db.LedgerSize(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leaves, err := db.LedgerLeaves(t.Context(), 0, size)
		if err != nil {
			t.Fatal(err)
		}
		for n, raw := range leaves {
			seen.Write(raw)
			leaf, err := ledger.ParseLeaf(raw)
			if err != nil {
				t.Fatal(err)
			}
			if _, body, err := db.LedgerBody(t.Context(), int64(n)); err != nil {
				t.Fatal(err)
			} else if leaf.Kind.Public() {
				seen.Write(body)
			}
		}
		rows, err := db.LedgerRows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			seen.WriteString(r.Subject)
			seen.Write(r.Body)
		}
		for _, what := range strangersRead(t, db) {
			seen.WriteString(what)
		}
		for _, m := range marks() {
			if at := bytes.Index(seen.Bytes(), []byte(m)); at >= 0 {
				t.Errorf("%s is in what strangers read: …%s…", m, seen.Bytes()[max(0, at-60):at+20])
			}
		}
		if seen.Len() < 10_000 || !strings.Contains(seen.String(), p.ID) {
			t.Errorf("only %d bytes were looked at", seen.Len())
		}
	})
}

// strangersRead returns what codes and topics say.
func strangersRead(t *testing.T, db *sqldb.DB) []string {
	t.Helper()
	var out []string
	lots, err := db.Lots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, err := db.Farm(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	add := func(path string) {
		code, err := label.New("https://tx.example.vn" + path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, code.URL(), string(code.SVG(code.URL())))
	}
	for _, l := range lots {
		add(l.Link().Path())
	}
	for _, p := range f.Places {
		add("/p/" + p.Code)
	}
	enrolled, err := db.Enrolments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range enrolled {
		for _, leaf := range []string{"batch", "status", "receipt", "desired"} {
			out = append(out, wire.Topic(e.Gateway, leaf))
		}
	}
	return out
}
