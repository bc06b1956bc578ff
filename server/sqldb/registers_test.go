package sqldb_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/project"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func card(t *testing.T, id, secret string) wire.Card {
	t.Helper()
	vkey, err := wire.CreateKey(t.TempDir()+"/key", id)
	if err != nil {
		t.Fatal(err)
	}
	return wire.NewCard(id, vkey, secret)
}

func TestGateway_EnrolRetireAndNeverAnotherKey(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		c := card(t, "gw-one", "secret")
		before, err := db.EnrolmentRevision(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			added, err := db.AddGateway(ctx, c, byAt(noon))
			if err != nil || added != (i == 0) {
				t.Fatalf("add %d: %v, %v", i, added, err)
			}
		}
		after, err := db.EnrolmentRevision(ctx)
		if err != nil || after == before {
			t.Errorf("revision %q → %q, %v", before, after, err)
		}
		if _, err := db.AddGateway(ctx, card(t, "gw-one", "secret"), byAt(noon)); !errors.Is(err, sqldb.ErrKeyChanged) {
			t.Errorf("another key under the same name: %v", err)
		}
		renewed := wire.NewCard("gw-one", c.VKey, "new secret")
		if _, err := db.AddGateway(ctx, renewed, byAt(noon.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		if err := db.RetireGateway(ctx, "gw-one", byAt(noon.Add(2*time.Hour))); err != nil {
			t.Fatal(err)
		}
		if err := db.RetireGateway(ctx, "gw-six", byAt(noon)); !errors.Is(err, sqldb.ErrNoGateway) {
			t.Errorf("retire unknown: %v", err)
		}
		got, err := db.Enrolments(ctx)
		want := []ingest.Enrolment{{Gateway: "gw-one", VKey: c.VKey, SecretSHA: renewed.SecretSHA, Enrolled: noon, Retired: noon.Add(2 * time.Hour)}}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
	})
}

func TestGateway_EnrolsAllOfManyOrNone(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		one, two, six := card(t, "gw-one", "a"), card(t, "gw-two", "b"), card(t, "gw-six", "c")
		if added, err := db.AddGateways(ctx, []wire.Card{one, two}, byAt(noon)); err != nil || !added[0] || !added[1] {
			t.Fatalf("%v, %v", added, err)
		}
		if _, err := db.AddGateways(ctx, []wire.Card{six, card(t, "gw-two", "b")}, byAt(noon)); !errors.Is(err, sqldb.ErrKeyChanged) || !strings.Contains(err.Error(), "gateway gw-two: ") {
			t.Errorf("another key among many: %v", err)
		}
		if got, err := db.Enrolments(ctx); err != nil || len(got) != 2 {
			t.Errorf("%d are enrolled, %v", len(got), err)
		}
		if added, err := db.AddGateways(ctx, []wire.Card{two, six}, byAt(noon)); err != nil || added[0] || !added[1] {
			t.Errorf("%v, %v", added, err)
		}
	})
}

func TestQuarantine_CountsAllAndKeepsTheNewestOfEach(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		for i := range 10 {
			var samples []ingest.Refusal
			for j := range 8 {
				samples = append(samples, ingest.Refusal{
					Gateway: "gw-one", Reason: ingest.Malformed, Detail: fmt.Sprint(i*8 + j), Received: noon.Add(time.Duration(i*8+j) * time.Second),
					Size: 3, Sample: []byte{0, 0xff, byte(i)},
				})
			}
			at := noon.Add(time.Duration(i*8) * time.Second)
			err := db.SaveRefusals(ctx, []ingest.Count{
				{Gateway: "gw-one", Reason: ingest.Malformed, N: 100, First: at, Last: at},
				{Reason: ingest.UnknownGateway, N: 1, First: at, Last: at},
			}, samples)
			if err != nil {
				t.Fatal(err)
			}
		}
		counts, err := db.Refusals(ctx)
		last := noon.Add(72 * time.Second)
		want := []ingest.Count{
			{Reason: ingest.UnknownGateway, N: 10, First: noon, Last: last},
			{Gateway: "gw-one", Reason: ingest.Malformed, N: 1000, First: noon, Last: last},
		}
		if d := cmp.Diff(want, counts); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
		samples, err := db.Samples(ctx, 100)
		if err != nil || len(samples) == 0 || len(samples) > 20 || samples[0].Detail != "79" {
			t.Errorf("%d samples, newest %+v, %v", len(samples), samples[:min(1, len(samples))], err)
		}
	})
}

func TestCursorsAnchorsAndParking(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		for _, want := range []int64{0, 7, 3} {
			if want > 0 {
				if err := db.SaveCursor(ctx, "history", want); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := db.Cursor(ctx, "history"); err != nil || got != want {
				t.Errorf("cursor %d, %v; want %d", got, err, want)
			}
		}
		first := project.Anchor{Gateway: "gw-one", Boot: "00112233", Uptime: 90*time.Second + time.Millisecond, Wall: noon, Position: 5}
		later := first
		later.Wall, later.Position = noon.Add(time.Hour), 9
		for _, a := range []project.Anchor{first, later} {
			if got, err := db.SaveAnchor(ctx, a); err != nil || got != first {
				t.Errorf("anchor %+v, %v; want the first", got, err)
			}
		}
		if _, ok, err := db.AnchorOf(ctx, "gw-two", "00112233"); ok || err != nil {
			t.Errorf("anchor of another: %v %v", ok, err)
		}
		c := mustChain(t, "gw-one")
		if _, err := appendAll(ctx, db, c, 5); err != nil {
			t.Fatal(err)
		}
		var parked []project.Parked
		for p := range int64(4) {
			parked = append(parked, project.Parked{Position: p + 1, Gateway: "gw-one", Boot: "00112233", Readings: 10})
		}
		for range 2 {
			if err := db.Park(ctx, parked); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := db.Undated(ctx); err != nil || n != 40 {
			t.Errorf("undated %d, %v", n, err)
		}
		records, err := db.ParkedOf(ctx, "gw-one", "00112233", 1, 2)
		if err != nil || len(records) != 2 || records[0].Position != 2 || records[1].Batch.Seq != 3 {
			t.Errorf("parked: %+v, %v", records, err)
		}
		if err := db.Unpark(ctx, "gw-one", "00112233", 3); err != nil {
			t.Fatal(err)
		}
		if n, err := db.Undated(ctx); err != nil || n != 10 {
			t.Errorf("undated %d, %v", n, err)
		}
	})
}

func TestStandings_ShowTheNewestChainAndWord(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		for _, id := range []string{"gw-one", "gw-two"} {
			if _, err := db.AddGateway(ctx, card(t, id, "x"), byAt(noon)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := appendAll(ctx, db, mustChain(t, "gw-one"), 3); err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"online", "offline"} {
			if err := db.SaveStates(ctx, []ingest.State{{Gateway: "gw-one", State: s, Time: noon}, {Gateway: "gw-lost", State: s, Time: noon}}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := db.Standings(ctx)
		if err != nil || len(got) != 2 {
			t.Fatalf("%d standings, %v", len(got), err)
		}
		if s := got[0]; s.State.State != "offline" || s.Seq != 3 || s.Epoch != "00000000000000e1" || s.Seen.UnixMilli() != 1_800_000_000_003 {
			t.Errorf("%+v", s)
		}
		if s := got[1]; s.State.State != "" || !s.Seen.IsZero() || s.Seq != 0 {
			t.Errorf("%+v", s)
		}
		var newest []ingest.Record
		if err := db.EachNewest(ctx, func(r []ingest.Record) error { newest = append(newest, r...); return nil }); err != nil || len(newest) != 3 {
			t.Errorf("%d newest, %v", len(newest), err)
		}
	})
}
