package sqldb_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/wire"
	"aovuon/server/desired"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func wanted(gateway string, version uint64) desired.Wanted {
	return desired.Wanted{
		Gateway: gateway, Version: version, Note: []byte{0xff, byte(version)}, Made: noon.Add(time.Duration(version) * time.Second), By: ledger.Operator,
		Changes: []wire.Change{{Path: "seal.every", Was: []byte("null"), Value: []byte(`"1m"`)}},
	}
}

func TestDesired_VersionsFollowEachOtherUntilAnswered(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		for _, id := range []string{"gw-one", "gw-two"} {
			if _, err := db.AddGateway(ctx, card(t, id, "secret"), byAt(noon)); err != nil {
				t.Fatal(err)
			}
		}
		save := func(w desired.Wanted, want error) {
			t.Helper()
			before, err := db.WantedRevision(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.SaveWanted(ctx, w, byAt(noon)); !errors.Is(err, want) {
				t.Errorf("version %d of %s: %v; want %v", w.Version, w.Gateway, err, want)
			}
			if after, err := db.WantedRevision(ctx); err != nil || (after != before) != (want == nil) {
				t.Errorf("revision %q → %q, %v", before, after, err)
			}
		}
		if w, err := db.Wanted(ctx, "gw-one"); err != nil || w.Version != 0 || w.Gateway != "gw-one" {
			t.Errorf("nothing wanted: %+v, %v", w, err)
		}
		save(wanted("gw-six", 1), sqldb.ErrNoGateway)
		save(wanted("gw-one", 2), sqldb.ErrOutrun)
		save(wanted("gw-one", 1), nil)
		save(wanted("gw-one", 1), sqldb.ErrOutrun)
		save(wanted("gw-one", 3), sqldb.ErrOutrun)
		save(wanted("gw-one", 2), nil)
		save(wanted("gw-two", 1), nil)
		unanswered := func(want ...desired.Wanted) {
			t.Helper()
			got, err := db.Unanswered(ctx)
			if d := cmp.Diff(want, got); d != "" || err != nil {
				t.Errorf("%v %s", err, d)
			}
		}
		unanswered(wanted("gw-one", 2), wanted("gw-two", 1))
		report := desired.Report{
			Gateway: "gw-one", Time: noon, Position: 7,
			SettingsReport: wire.SettingsReport{
				Version: 1, State: wire.SettingsApplied, Kept: []string{"seal.every"},
				Settings: map[string]json.RawMessage{"seal.every": []byte(`"30s"`)},
			},
		}
		for _, r := range []desired.Report{report, report} {
			if err := db.SaveReport(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		unanswered(wanted("gw-one", 2), wanted("gw-two", 1))
		report.Position, report.Version = 9, 2
		old := report
		old.Position, old.Version = 8, 0
		for _, r := range []desired.Report{report, old} { // the log is read again: the newest stands
			if err := db.SaveReport(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		unanswered(wanted("gw-two", 1))
		if got, err := db.Report(ctx, "gw-one"); err != nil || cmp.Diff(report, got) != "" {
			t.Errorf("%v %s", err, cmp.Diff(report, got))
		}
		if got, err := db.Report(ctx, "gw-two"); err != nil || got.State != "" {
			t.Errorf("%+v, %v", got, err)
		}
		if err := db.RetireGateway(ctx, "gw-two", byAt(noon)); err != nil {
			t.Fatal(err)
		}
		unanswered()
		save(wanted("gw-two", 2), sqldb.ErrNoGateway)
	})
}

// Every version is a leaf, with what was wanted before and who asked; what is refused is none.
func TestDesired_EveryVersionIsALeaf(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		if _, err := db.AddGateway(ctx, card(t, "gw-one", "secret"), byAt(noon)); err != nil {
			t.Fatal(err)
		}
		hoa := ledger.By{Actor: "u-AAAAAAAA", At: noon}
		for _, v := range []uint64{1, 1, 2, 4} {
			if err := db.SaveWanted(ctx, wanted("gw-one", v), hoa); err != nil && !errors.Is(err, sqldb.ErrOutrun) {
				t.Fatal(err)
			}
		}
		at, err := db.LedgerFind(ctx, "desired/gw-one", ledger.Changed)
		if err != nil || len(at) != 2 {
			t.Fatalf("leaves %v, %v", at, err)
		}
		_, body, err := db.LedgerBody(ctx, at[1])
		if err != nil {
			t.Fatal(err)
		}
		var said struct {
			Table, Key    string
			Before, After struct {
				Version uint64
				By      string
				Changes []wire.Change
			}
		}
		if err := json.Unmarshal(body, &said); err != nil || said.Table != "desired" || said.Key != "gw-one" || said.Before.Version != 1 || said.After.Version != 2 ||
			said.After.By != hoa.Actor || len(said.After.Changes) != 1 || said.After.Changes[0].Path != "seal.every" {
			t.Errorf("%s, %v", body, err)
		}
		rows, err := db.ChangeRows(ctx)
		if err != nil || len(rows) != 1 || rows[0].Subject != "desired/gw-one" {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}
