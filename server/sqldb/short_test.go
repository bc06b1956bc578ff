package sqldb_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
)

func TestShortened_FindsTheLotAndBelievesNoOther(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, d := demoFarm(t)
		if err := errors.Join(db.SaveFarm(t.Context(), f, byAt(noon)), db.SaveProduct(t.Context(), d.Product, byAt(noon)), db.SaveLot(t.Context(), d.Lot, byAt(noon)), db.SaveLot(t.Context(), d.Lot, byAt(noon))); err != nil {
			t.Fatal(err)
		}
		short, err := d.Lot.Link().Short()
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Shortened(t.Context(), short)
		if err != nil || cmp.Diff([]trace.Link{d.Lot.Link()}, got) != "" {
			t.Errorf("%v, %v", got, err)
		}
		if got, err := db.Shortened(t.Context(), "000000000"); err != nil || len(got) != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// A number that was mistyped and corrected stays on labels: they go on opening their lots, old and new ones, and no other product gets it.
func TestDossier_ACorrectedGTINKeepsItsLabelsAlive(t *testing.T) {
	const right = "09506000134352"
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, d := demoFarm(t)
		ctx, wrong := t.Context(), d.Product.GTIN
		if err := db.SaveFarm(ctx, f, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		save := func(id, name, gtin string, revision int64) (farm.Record, error) {
			return db.SaveRecord(ctx, farm.Record{Kind: farm.Product, ID: id, Revision: revision, Values: form.Values{"name": name, "branch": "fish", "gtin": gtin}}, byAt(noon))
		}
		rec, err := save("rophi", "Cá rô phi", wrong, 0)
		if err != nil {
			t.Fatal(err)
		}
		old := d.Lot
		if err := db.SaveLot(ctx, old, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if _, err := save("rophi", "Cá rô phi", right, rec.Revision); err != nil {
			t.Fatal(err)
		}
		young := d.Lot
		young.GTIN, young.Code = right, "AO1-NEW"
		if err := db.SaveLot(ctx, young, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		for _, l := range []trace.Link{
			old.Link(), {GTIN: right, Lot: old.Code}, young.Link(), {GTIN: wrong, Lot: young.Code},
		} {
			got, err := db.Dossier(ctx, l)
			if err != nil || got.Lot.Code != l.Lot || got.Product.Name.VI != "Cá rô phi" {
				t.Errorf("%s: %+v, %v", l.Path(), got.Lot, err)
			}
		}
		if _, err := db.Dossier(ctx, trace.Link{GTIN: right, Lot: "AO1-NONE"}); !errors.Is(err, trace.ErrUnknown) {
			t.Errorf("a lot that nobody opened: %v", err)
		}
		_, err = save("chep", "Cá chép", wrong, 0)
		if bad, ok := errors.AsType[*form.InvalidError](err); !ok || bad.Problems[0].Code != form.Taken {
			t.Errorf("another product gets the number that is on labels: %v", err)
		}
		same := young // both numbers of one product have a lot of the same code: each label names its own
		same.GTIN = wrong
		if err := db.SaveLot(ctx, same, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Dossier(ctx, same.Link()); err != nil || got.Lot.GTIN != wrong {
			t.Errorf("%+v, %v", got.Lot, err)
		}
	})
}
