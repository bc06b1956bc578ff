package sqldb_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
)

func demoFarm(t testing.TB) (*farm.Farm, trace.Demo) {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	d, ok := trace.NewDemo(f, time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC))
	if !ok {
		t.Fatal("the demo farm has no pond for the demo lot")
	}
	return f, d
}

func TestFarm_ComesBackAsItWasSaved(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		empty, err := db.Farm(t.Context())
		if err != nil || len(empty.Places) != 0 {
			t.Fatalf("farm of a fresh database: %+v, %v", empty, err)
		}
		f, _ := demoFarm(t)
		f.Mounts[0].From = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		f.Places[4].Ground = farm.Ground{Texture: "loam", FieldCapacity: 27.25, WiltingPoint: 13.5, On: time.Date(2026, 11, 3, 17, 0, 0, 0, time.UTC), Probe: "gw-vuon/khoai1-am"}
		for range 2 { // the second time changes nothing
			if err := db.SaveFarm(t.Context(), f, byAt(noon)); err != nil {
				t.Fatal(err)
			}
			got, err := db.Farm(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(f, got); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestSaveFarm_RemovesPlacesButNotThoseOfLots(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, d := demoFarm(t)
		for _, err := range []error{db.SaveFarm(t.Context(), f, byAt(noon)), db.SaveProduct(t.Context(), d.Product, byAt(noon)), db.SaveLot(t.Context(), d.Lot, byAt(noon))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		rev, err := db.FarmRevision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		without := func(name string) *farm.Farm {
			g := &farm.Farm{Coop: f.Coop, Zones: f.Zones, Limits: f.Limits}
			code := ""
			for _, p := range f.Places {
				if p.Name == name {
					code = p.Code
					continue
				}
				g.Places = append(g.Places, p)
			}
			for _, m := range f.Mounts {
				if m.Place != code {
					g.Mounts = append(g.Mounts, m)
				}
			}
			return g
		}
		if err := db.SaveFarm(t.Context(), without("ao1"), byAt(noon)); err == nil || !strings.Contains(err.Error(), "ao1") {
			t.Errorf("the pond of a lot was removed: %v", err)
		}
		if got, err := db.Farm(t.Context()); err != nil || cmp.Diff(f, got) != "" {
			t.Errorf("a refused farm left traces: %v\n%s", err, cmp.Diff(f, got))
		}
		small := without("ao2")
		if err := db.SaveFarm(t.Context(), small, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Farm(t.Context()); err != nil || cmp.Diff(small, got) != "" {
			t.Errorf("%v\n%s", err, cmp.Diff(small, got))
		}
		if now, err := db.FarmRevision(t.Context()); err != nil || now == rev {
			t.Errorf("revision %q after a change, %q before, %v", now, rev, err)
		}
	})
}

// Each of several that changed the same farm meant to keep what the others wrote: one is kept, the others are told.
func TestChangeFarm_OfTheSameRevisionOneIsKept(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, _ := demoFarm(t)
		if err := db.ChangeFarm(t.Context(), "", f, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		rev, err := db.FarmRevision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const writers = 4
		said := make(chan error, writers)
		for i := range writers {
			mine := *f
			mine.Coop.Name.VI = fmt.Sprintf("HTX %d", i)
			go func() { said <- db.ChangeFarm(t.Context(), rev, &mine, byAt(noon)) }()
		}
		kept := 0
		for range writers {
			switch err := <-said; {
			case err == nil:
				kept++
			case !errors.Is(err, farm.ErrChanged):
				t.Error(err)
			}
		}
		if kept != 1 {
			t.Errorf("%d were kept", kept)
		}
		before, err := db.Farm(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := db.ChangeFarm(t.Context(), "", f, byAt(noon)); !errors.Is(err, farm.ErrChanged) {
			t.Errorf("from before the first: %v", err)
		}
		if got, err := db.Farm(t.Context()); err != nil || cmp.Diff(before, got) != "" {
			t.Errorf("a refused farm left traces: %v\n%s", err, cmp.Diff(before, got))
		}
	})
}

func TestDossier_HoldsWhatTheLabelPageNeeds(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, d := demoFarm(t)
		at := time.Date(2026, 11, 24, 4, 5, 6, 7e6, time.UTC)
		evidence := []trace.Evidence{{
			Place: d.Lot.Places[0], Quantity: measure.DissolvedOxygen, From: d.Lot.Stocked, To: d.Lot.Harvested, N: 7, Min: 1.5, Mean: 2.25, Max: 3,
			Covered: time.Hour, Within: time.Minute, Limits: f.Limits[:1], First: d.Lot.Stocked, Last: d.Lot.Harvested,
			Gaps:   []trace.Gap{{From: d.Lot.Stocked, To: d.Lot.Harvested, Reason: trace.NoProbe}},
			Course: trace.Course{From: d.Lot.Stocked, Days: 3, Steps: []trace.Step{{I: 0, Min: 1.5, Mean: 2, Max: 2.5}, {I: 4, Min: 2, Mean: 2.5, Max: 3}}},
		}}
		for _, err := range []error{
			db.SaveFarm(t.Context(), f, byAt(noon)), db.SaveProduct(t.Context(), d.Product, byAt(noon)), db.SaveLot(t.Context(), d.Lot, byAt(noon)), db.SaveLot(t.Context(), d.Lot, byAt(noon)),
			db.SaveCertificate(t.Context(), d.Certificate, byAt(noon)), db.SaveCertificate(t.Context(), d.Certificate, byAt(noon)),
			db.SaveEvidence(t.Context(), d.Lot.Link(), evidence[:0], at), db.SaveEvidence(t.Context(), d.Lot.Link(), evidence, at),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := db.Dossier(t.Context(), d.Lot.Link())
		want := trace.Dossier{Lot: d.Lot, Product: d.Product, Certificates: []trace.Certificate{d.Certificate}, Evidence: evidence, Weighed: at}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		lots, err := db.Lots(t.Context())
		if err != nil || cmp.Diff([]trace.Lot{d.Lot}, lots) != "" {
			t.Errorf("lots %+v, %v", lots, err)
		}
		for _, l := range []trace.Link{
			{GTIN: d.Lot.GTIN},
			{GTIN: d.Lot.GTIN, Lot: "AO1-000000"},
			{GTIN: "09506000134352", Lot: d.Lot.Code},
			{GTIN: d.Lot.GTIN, Lot: d.Lot.Code, Serial: "1"},
			{GTIN: d.Lot.GTIN, Lot: d.Lot.Code, Variant: "1"},
			{},
		} {
			if _, err := db.Dossier(t.Context(), l); !errors.Is(err, trace.ErrUnknown) {
				t.Errorf("%+v: %v", l, err)
			}
		}
	})
}

func TestSaveLot_RefusesUnknownPlacesAndProducts(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, d := demoFarm(t)
		if err := db.SaveLot(t.Context(), d.Lot, byAt(noon)); err == nil {
			t.Error("a lot of no product")
		}
		for _, err := range []error{db.SaveFarm(t.Context(), f, byAt(noon)), db.SaveProduct(t.Context(), d.Product, byAt(noon))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		d.Lot.Places = []string{"77S9RTVPX"}
		if err := db.SaveLot(t.Context(), d.Lot, byAt(noon)); err == nil {
			t.Error("a lot from nowhere")
		}
		if lots, err := db.Lots(t.Context()); err != nil || len(lots) != 0 {
			t.Errorf("a refused lot left traces: %+v, %v", lots, err)
		}
	})
}

// Where a place lies and who works it goes to the ledger inside; strangers' leaves and JSON have neither.
func TestSaveFarm_LandIsSaidInsideAlone(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, _ := demoFarm(t)
		save := func() {
			t.Helper()
			if err := db.SaveFarm(t.Context(), f, byAt(noon)); err != nil {
				t.Fatal(err)
			}
		}
		said := func() int {
			t.Helper()
			rows, err := db.ChangeRows(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, r := range rows {
				if strings.HasPrefix(r.Subject, "place_land/") {
					n++
				}
			}
			return n
		}
		save()
		if n := said(); n != len(f.Places) {
			t.Errorf("%d lands of %d places", n, len(f.Places))
		}
		public, err := db.LedgerRows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range public {
			if s := string(r.Body); strings.Contains(s, "106.2") || strings.Contains(s, "HO-0") || strings.Contains(s, "Outline") {
				t.Errorf("%s: %s", r.Kind, s)
			}
		}
		f.Places[0].Outline, f.Places[0].Household = nil, ""
		f.Places[1].Outline = f.Places[1].Outline[:3]
		save()
		got, err := db.Farm(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f, got); diff != "" || said() != len(f.Places)-1 {
			t.Errorf("%d lands\n%s", said(), diff)
		}
		// A place goes with its land.
		last := f.Places[len(f.Places)-1].Code
		f.Places = f.Places[:len(f.Places)-1]
		f.Mounts = slices.DeleteFunc(f.Mounts, func(m farm.Mount) bool { return m.Place == last })
		save()
		if said() != len(f.Places)-1 {
			t.Errorf("%d lands of %d places", said(), len(f.Places))
		}
	})
}
