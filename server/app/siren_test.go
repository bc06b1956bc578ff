package app

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/channel/siren"
	"aovuon/server/desired"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/watch/notify"
)

// A siren is a desired setting like any other: signed, versioned, on record; a storm is one version, and what was refused is asked for anew.
func TestSirens_AskByDesiredSettings(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, now := t.Context(), time.Date(2026, 11, 26, 20, 11, 5, 0, time.UTC)
		dir := t.TempDir()
		vkey, err := wire.CreateKey(filepath.Join(dir, "server.key"), "htx-test")
		if err != nil {
			t.Fatal(err)
		}
		signer, _, err := wire.LoadKey(filepath.Join(dir, "server.key"))
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			t.Fatal(err)
		}
		gwKey, err := wire.CreateKey(filepath.Join(dir, "gw.key"), "gw-ao")
		if err != nil {
			t.Fatal(err)
		}
		s := &sirens{db: db, signer: signer, now: func() time.Time { return now }}
		sound := func(until time.Time, want uint64) {
			t.Helper()
			if got, err := s.Sound(ctx, "gw-ao", until); err != nil || got != want {
				t.Errorf("version %d, %v; want %d", got, err, want)
			}
		}
		answer := func(version uint64, state wire.SettingsState, position int64) {
			t.Helper()
			err := db.SaveReport(ctx, desired.Report{Gateway: "gw-ao", Time: now, Position: position, SettingsReport: wire.SettingsReport{Version: version, State: state}})
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Sound(ctx, "gw-ao", now.Add(time.Minute)); !errors.Is(err, notify.ErrPermanent) || !errors.Is(err, desired.ErrNoReport) {
			t.Errorf("a gateway that never said anything: %v", err)
		}
		answer(0, wire.SettingsLocal, 1)
		if _, err := s.Sound(ctx, "gw-ao", now.Add(time.Minute)); !errors.Is(err, notify.ErrPermanent) || !errors.Is(err, sqldb.ErrNoGateway) {
			t.Errorf("a gateway that is not enrolled: %v", err)
		}
		if _, err := db.AddGateway(ctx, wire.NewCard("gw-ao", gwKey, "secret"), ledger.By{Actor: ledger.Operator, At: now}); err != nil {
			t.Fatal(err)
		}
		until := now.Add(5 * time.Minute)
		sound(until, 1)
		w, err := db.Wanted(ctx, "gw-ao")
		if err != nil {
			t.Fatal(err)
		}
		d, err := wire.OpenDesired(w.Note, verifier)
		if err != nil || d.Version != 1 || !d.Time.Equal(now) || len(d.Changes) != 1 || d.Changes[0].Path != siren.Path || string(d.Changes[0].Value) != `"2026-11-26T20:16:05Z"` || string(d.Changes[0].Was) != "null" || w.By != ledger.Server {
			t.Errorf("%+v %v", d, err)
		}
		sound(until.Add(20*time.Second), 1) // a storm
		sound(until.Add(2*time.Minute), 2)
		answer(2, wire.SettingsRefused, 2)
		sound(until.Add(2*time.Minute), 3)
		if r, err := s.Answer(ctx, "gw-ao"); err != nil || r.Version != 2 || r.State != wire.SettingsRefused {
			t.Errorf("%+v %v", r, err)
		}
	})
}

func TestWantsSiren(t *testing.T) {
	at := time.Date(2026, 11, 26, 20, 16, 5, 0, time.UTC)
	change := func(path, value string) []wire.Change {
		return []wire.Change{{Path: path, Was: json.RawMessage("null"), Value: json.RawMessage(value)}}
	}
	applied := desired.Report{SettingsReport: wire.SettingsReport{Version: 1, State: wire.SettingsApplied}}
	for name, tc := range map[string]struct {
		changes []wire.Change
		report  desired.Report
		want    bool
	}{
		"long enough": {change(siren.Path, `"2026-11-26T20:16:05Z"`), applied, true},
		"too short":   {change(siren.Path, `"2026-11-26T20:16:04Z"`), applied, false},
		"on its way":  {change(siren.Path, `"2026-11-26T20:16:05Z"`), desired.Report{}, true},
		"no time":     {change(siren.Path, `7`), applied, false},
		"other":       {change("seal.every", `"2026-11-26T20:16:05Z"`), applied, false},
		"nothing":     {nil, applied, false},
	} {
		if got := wantsSiren(desired.Wanted{Version: 1, Changes: tc.changes}, tc.report, at); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
