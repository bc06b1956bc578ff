package sqldb_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// beforeLedger is the last migration of the programs that had no ledger.
const beforeLedger = 5

// older is a database as the programs before the ledger left it, with rows in every table that the ledger speaks of.
func older(t *testing.T, c sqldb.Config) {
	t.Helper()
	full := sqldbtest.SQLite(t)
	db, err := sqldb.Open(t.Context(), full)
	if err != nil {
		t.Fatal(err)
	}
	f, d := demoFarm(t)
	f.Limits = slices.DeleteFunc(f.Limits, func(l farm.Limit) bool { return l.What != farm.OfValue }) // the programs of then knew no others
	_, err = db.AddGateways(t.Context(), []wire.Card{card(t, "gw-ao-phukhe", "secret"), card(t, "gw-cu", "secret")}, byAt(noon))
	for _, err := range []error{
		err, db.SaveFarm(t.Context(), f, byAt(noon)), db.SaveProduct(t.Context(), d.Product, byAt(noon)),
		db.SaveLot(t.Context(), d.Lot, byAt(noon)), db.SaveCertificate(t.Context(), d.Certificate, byAt(noon)),
		db.RetireGateway(t.Context(), "gw-cu", byAt(noon)), db.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	sqldbtest.Older(t, c, full, "migrations", beforeLedger)
}

func TestUpgrade_FromBeforeTheLedgerLosesNothingAndEveryRowIsSpokenOf(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, c sqldb.Config) {
		older(t, c)
		tables := []string{"coop", "zone", "address", "place", "mount", "limit_row", "product", "lot", "lot_place", "certificate", "gateway", "meta"}
		before := map[string][]string{}
		for _, table := range tables {
			if before[table] = sqldbtest.Rows(t, c, table); len(before[table]) == 0 {
				t.Fatalf("no rows in %s: the test says nothing of it", table)
			}
		}
		db := sqldbtest.Open(t, c)
		for _, table := range tables {
			// A later program may give a table more columns, behind those it had.
			after := sqldbtest.Rows(t, c, table)
			if !slices.EqualFunc(before[table], after, func(was, is string) bool { return strings.HasPrefix(is, was) }) {
				t.Errorf("%s: %q became %q", table, before[table], after)
			}
		}
		by := ledger.By{Actor: ledger.Server, At: noon.Add(time.Hour)}
		n, err := db.BeginLedger(t.Context(), by)
		if err != nil || n != 7 {
			t.Fatalf("%d leaves, %v; want farm, product, lot, certificate, two keys and one retired", n, err)
		}
		if size, _ := head(t, db); size != 7 {
			t.Errorf("%d leaves in the tree", size)
		}
		rows, err := db.LedgerRows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if at, err := db.LedgerFind(t.Context(), r.Subject, r.Kind); err != nil || len(at) != 1 {
				t.Errorf("%s %s: leaves %v, %v", r.Kind, r.Subject, at, err)
			}
		}
		// Once in a life: who later writes a row behind the ledger's back does not get a leaf by starting the server again.
		sqldbtest.Tamper(t, c, `INSERT INTO product (gtin, name_vi, name_en) VALUES ('09521234010999', 'x', 'x')`)
		if n, err := db.BeginLedger(t.Context(), by); err != nil || n != 0 {
			t.Errorf("again: %d leaves, %v", n, err)
		}
		if at, err := db.LedgerFind(t.Context(), "09521234010999", ""); err != nil || len(at) > 0 {
			t.Errorf("the forged row got leaves %v, %v", at, err)
		}
	})
}

// Who only wants to know what an old database holds must not bring it up to date: the program that made it would refuse it.
func TestEnds_LeavesAnOlderDatabaseAsItIs(t *testing.T) {
	c := sqldbtest.SQLite(t)
	older(t, c)
	before := read(t, c.DSN)
	if batches, leaves, err := sqldb.Ends(t.Context(), c.DSN); err != nil || batches != 0 || leaves != 0 {
		t.Errorf("%d batches, %d leaves, %v", batches, leaves, err)
	}
	if !slices.Equal(before, read(t, c.DSN)) {
		t.Error("the file was written")
	}
	db := sqldbtest.Open(t, c)
	if n, err := db.BeginLedger(t.Context(), byAt(noon)); err != nil || n == 0 {
		t.Fatalf("%d leaves, %v", n, err)
	}
	size, _ := head(t, db)
	if _, leaves, err := sqldb.Ends(t.Context(), c.DSN); err != nil || leaves != size { // while a server runs on it, too
		t.Errorf("%d leaves, want %d; %v", leaves, size, err)
	}
	if _, _, err := sqldb.Ends(t.Context(), c.DSN+".none"); err == nil {
		t.Error("a file that is not there has ends")
	}
}

func TestBeginLedger_SpeaksOfWhatAHalfUpgradedServerForgot(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, c sqldb.Config) {
		db := sqldbtest.Open(t, c)
		f, d := demoFarm(t)
		if err := errors.Join(db.SaveFarm(t.Context(), f, byAt(noon)), db.SaveProduct(t.Context(), d.Product, byAt(noon))); err != nil {
			t.Fatal(err)
		}
		sqldbtest.Tamper(t, c, `INSERT INTO product (gtin, name_vi, name_en) VALUES ('09521234010999', 'x', 'x')`) // before the ledger was begun
		n, err := db.BeginLedger(t.Context(), byAt(noon))
		if err != nil || n != 1 {
			t.Fatalf("%d leaves, %v; want the one of the product that had none", n, err)
		}
	})
}

// Settings and accounts that are older than what the ledger says of them are spoken of once, and whose free text asked for settings is dropped.
func TestBeginLedger_SpeaksOnceOfSettingsAndOfWhatLetsPeopleIn(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, c sqldb.Config) {
		db := sqldbtest.Open(t, c)
		if _, err := db.AddGateway(t.Context(), card(t, "gw-one", "x"), byAt(noon)); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{
			`INSERT INTO desired (gateway, version, changes, note, made_ms, made_by) VALUES ('gw-one', 3, '[]', '', 5, 'chị Hoa')`,
			`INSERT INTO account (id, login, name, role, password, secret, step, disabled_ms, made_ms) VALUES ('u-AAAAAAAA', 'tu', 'Tú', 'admin', 'hash', NULL, 0, 0, 5)`,
		} {
			sqldbtest.Tamper(t, c, q)
		}
		for i, want := range []int{2, 0} {
			if n, err := db.BeginLedger(t.Context(), byAt(noon)); err != nil || n != want {
				t.Fatalf("%d: %d leaves, %v; want %d", i, n, err, want)
			}
		}
		w, err := db.Wanted(t.Context(), "gw-one")
		if err != nil || w.Version != 3 || w.By != ledger.Operator {
			t.Errorf("%+v, %v", w, err)
		}
		for subject, kind := range map[string]ledger.Kind{"desired/gw-one": ledger.Changed, "u-AAAAAAAA": ledger.AccountChanged} {
			at, err := db.LedgerFind(t.Context(), subject, kind)
			if err != nil || len(at) != 1 {
				t.Fatalf("%s: leaves %v, %v", subject, at, err)
			}
			_, body, err := db.LedgerBody(t.Context(), at[0])
			if err != nil || strings.Contains(string(body), "Hoa") || strings.Contains(string(body), "hash") {
				t.Errorf("%s: %s, %v", subject, body, err)
			}
		}
	})
}

func TestOpen_RefusesANewerDatabaseAndLeavesItAlone(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, c sqldb.Config) {
		db, err := sqldb.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		now, err := db.Migration(t.Context())
		if err := errors.Join(err, db.Close()); err != nil || now < 6 {
			t.Fatalf("migration %d, %v", now, err)
		}
		sqldbtest.Tamper(t, c, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, `+map[string]string{"sqlite": "1", "postgres": "true"}[c.Driver]+`)`)
		before := sqldbtest.Rows(t, c, "goose_db_version")
		var file []byte
		if c.Driver == sqldb.SQLite {
			file = read(t, c.DSN)
		}
		_, err = sqldb.Open(t.Context(), c)
		if !errors.Is(err, sqldb.ErrNewer) {
			t.Fatalf("opened: %v", err)
		}
		t.Log(err)
		if after := sqldbtest.Rows(t, c, "goose_db_version"); !slices.Equal(before, after) {
			t.Errorf("%q became %q", before, after)
		}
		if file != nil && !slices.Equal(file, read(t, c.DSN)) {
			t.Error("the file was written")
		}
	})
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
