package sqldb_test

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/media"
	"aovuon/server/privacy"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// What a farmer wrote, and what others wrote of her, says nothing of her once she was erased; what was done to the fish stays.
func TestPerson_ErasureReachesTheDiaryAndTheRegister(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, c sqldb.Config) {
		db, ctx := sqldbtest.Open(t, c), t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(db.AddAccount(ctx, account.Account{ID: "u-22222222", Login: "tamhtx", Name: "Nguyễn Thị Tám", Role: account.Farmer, Made: noon}, nil, byAt(noon)))
		home := household("H07")
		home.Values = form.Values{"name": "Hộ Nguyễn Thị Tám", "code": "H07", "phone": "0912345678", "hamlet": "Phú Khê", "area_m2": 900.0, "note": "nhà đầu làng"}
		_, err := db.SaveRecord(ctx, home, byAt(noon))
		must(err)
		must(db.AddPerson(ctx, privacy.Person{ID: "p-0000000001", Name: "Nguyễn Thị Tám", Household: "H07", Account: "u-22222222"}, byAt(noon)))

		own := feeding(1, "aaaaa", noon)
		own.Note, own.Position = "mẹ tôi ốm", &diary.Position{Point: pointAt(t, 20.7713421, 106.2249671), Acc: 5}
		own.Media = []diary.Media{{SHA256: "abcd", Type: "audio/ogg"}}
		visit := feeding(2, "aaaaa", noon)
		visit.Kind, visit.Values = "visitor", form.Values{"who": "chú Ba hàng xóm", "purpose": "xem ao"}
		sale := feeding(3, "aaaaa", noon)
		sale.Kind, sale.Values = diary.Sale, form.Values{"buyer": "b", "kg": 10.0, "price": 52000.0}
		others := feeding(4, "aaaaa", noon)
		others.Actor, others.Note = "u-33333333", "gặp nguyễn thị TÁM ở bờ ao"
		sprayed := feeding(5, "bbbbb", noon)
		sprayed.Actor, sprayed.Kind, sprayed.Values = "u-33333333", diary.Spraying, form.Values{"input": "x", "amount": 1.0, "pest": "sâu", "sprayer": "Nguyễn Thị Tám"}
		untouched := feeding(6, "bbbbb", noon)
		untouched.Actor, untouched.Note = "u-33333333", "tám giờ sáng"
		for _, e := range []diary.Event{own, visit, sale, others, sprayed, untouched} {
			addEvent(t, db, e)
		}
		must(db.AddMedia(ctx, media.Item{SHA256: "abcd", Kept: "ef", Type: "audio/ogg", Size: 9}, ledger.By{Actor: "u-22222222", At: noon}))
		paper := strings.Repeat("0123456789abcdef", 4)
		must(db.AddMedia(ctx, media.Item{SHA256: paper, Kept: "f0", Type: "image/jpeg", Size: 9}, ledger.By{Actor: "u-22222222", At: noon}))
		scanned := farm.Record{Kind: farm.Contract, ID: "hd-1", Values: form.Values{"number": "1", "buyer": "b1", "product": "p1", "quantity_kg": 1.0, "from": "2026-01-01", "to": "2026-12-31", "file": []string{paper}}}
		for _, rec := range []farm.Record{
			{Kind: farm.Buyer, ID: "b1", Values: form.Values{"name": "Chợ xã"}}, {Kind: farm.Product, ID: "p1", Values: form.Values{"name": "Khoai", "branch": "crop"}}, scanned,
		} {
			_, err = db.SaveRecord(ctx, rec, byAt(noon))
			must(err)
		}

		everything, err := db.EverythingOf(ctx, "p-0000000001")
		must(err)
		var text strings.Builder
		must(everything.WriteJSON(&text))
		for _, want := range []string{"mẹ tôi ốm", "chú Ba hàng xóm", "20.7713421", "abcd"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("her export does not say %q", want)
			}
		}

		size := ledgerSize(t, db)
		must(db.ErasePerson(ctx, "p-0000000001", byAt(noon.Add(time.Hour))))
		if ledgerSize(t, db) <= size {
			t.Error("the ledger does not speak of the erasure")
		}
		for _, table := range []string{"diary_event", "farm_record", "ledger_body", "person", "account"} {
			for _, row := range sqldbtest.Rows(t, c, table) {
				for _, gone := range []string{"mẹ tôi", "chú Ba", "20.771", "thị TÁM", "Thị Tám", "0912345678", "đầu làng"} {
					if strings.Contains(row, gone) {
						t.Errorf("%s still says %q: %s", table, gone, row)
					}
				}
			}
		}
		for id, want := range map[string]form.Values{own.ID: own.Values, visit.ID: {"purpose": "xem ao"}, sale.ID: sale.Values, sprayed.ID: {"input": "x", "amount": 1.0, "pest": "sâu"}} {
			e, ok, err := db.Event(ctx, id)
			if err != nil || !ok || !sameValues(e.Values, want) {
				t.Errorf("%v, want %v, %v", e.Values, want, err)
			}
		}
		if e, _, err := db.Event(ctx, untouched.ID); err != nil || e.Note != untouched.Note {
			t.Errorf("%+v, %v", e, err)
		}
		if has, err := db.HasMedia(ctx, "abcd"); err != nil || has {
			t.Errorf("her voice is still there: %v", err)
		}
		if has, err := db.HasMedia(ctx, paper); err != nil || !has {
			t.Errorf("the photo of a contract went with who took it: %v", err)
		}
		list, err := db.Records(ctx, farm.Household)
		must(err)
		if len(list) != 1 || list[0].Name() != "H07" || !list[0].Retired || list[0].Values["area_m2"] != 900.0 {
			t.Errorf("%+v", list)
		}
		if _, err := db.SaveRecord(ctx, home, byAt(noon)); err == nil {
			t.Error("the code of an erased household is given again")
		}
		stale := list[0]
		stale.Values = home.Values
		if _, err := db.SaveRecord(ctx, stale, byAt(noon)); !errors.Is(err, farm.ErrChanged) {
			t.Errorf("an erased household is filled in again: %v", err)
		}
		if added, err := db.AddEvent(ctx, own, byAt(noon)); added || err != nil { // a phone that never got its answer
			t.Errorf("%v, %v", added, err)
		}
	})
}

func sameValues(a, b form.Values) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range b {
		if a[k] != v {
			return false
		}
	}
	return true
}

// A household with somebody else on record stays as it is.
func TestPerson_ErasureLeavesAHouseholdOfOthers(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		kept, err := db.SaveRecord(ctx, household("H07"), byAt(noon))
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"p-0000000001", "p-0000000002"} {
			if err := db.AddPerson(ctx, privacy.Person{ID: id, Name: "Người " + id, Household: "H07"}, byAt(noon)); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.ErasePerson(ctx, "p-0000000001", byAt(noon)); err != nil {
			t.Fatal(err)
		}
		got, _, err := db.Record(ctx, farm.Household, kept.ID)
		if err != nil || got.Name() != kept.Name() || got.Retired {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestCertificate_OfTheRegisterIsWhatLabelsObey(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		f, d := demoFarm(t)
		if err := errors.Join(db.SaveFarm(ctx, f, byAt(noon)), db.SaveProduct(ctx, d.Product, byAt(noon)), db.SaveLot(ctx, d.Lot, byAt(noon))); err != nil {
			t.Fatal(err)
		}
		save := func(r farm.Record) farm.Record {
			t.Helper()
			out, err := db.SaveRecord(ctx, r, byAt(noon))
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		covered := func() int {
			t.Helper()
			got, err := db.Dossier(ctx, d.Lot.Link())
			if err != nil {
				t.Fatal(err)
			}
			return len(got.Certificates)
		}
		fish := save(farm.Record{Kind: farm.Product, ID: "rophi", Values: form.Values{"name": "Cá rô phi tươi", "branch": "fish", "gtin": d.Product.GTIN}})
		save(farm.Record{Kind: farm.Product, ID: "khoai", Values: form.Values{"name": "Khoai tây", "branch": "crop"}})
		day := d.Lot.Harvested.In(farm.Time())
		v := func(change form.Values) form.Values {
			out := form.Values{
				"scheme": "vietgap", "standard": "TCVN 13528-1", "edition": "2022", "number": "VG-1", "issuer": "QUACERT", "products": []string{"rophi"}, "places": d.Lot.Places,
				"from": day.AddDate(0, -1, 0).Format(time.DateOnly), "to": day.Format(time.DateOnly), // its last day is the day of the harvest
			}
			maps.Copy(out, change)
			return out
		}
		c := save(farm.Record{Kind: farm.Certificate, ID: "vg", Values: v(nil)})
		if n := covered(); n != 1 {
			t.Errorf("on its last day %d cover the lot", n)
		}
		for name, step := range map[string]struct {
			change form.Values
			want   int
		}{
			"over the day before": {form.Values{"to": day.AddDate(0, 0, -1).Format(time.DateOnly)}, 0},
			"of another product":  {form.Values{"products": []string{"khoai"}}, 0},
			"of another place":    {form.Values{"places": []string{otherPlace(f, d.Lot.Places[0])}}, 0},
			"wherever it is made": {form.Values{"places": []string{}}, 1},
		} {
			c.Values = v(step.change)
			c = save(c)
			if n := covered(); n != step.want {
				t.Errorf("%s: %d cover the lot", name, n)
			}
			c.Values = v(nil)
			c = save(c)
			if n := covered(); n != 1 {
				t.Errorf("after %s: %d cover the lot", name, n)
			}
		}
		lot := d.Lot
		lot.Barred = []string{"VietGAP"}
		if err := db.SaveLot(ctx, lot, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if n := covered(); n != 0 {
			t.Errorf("what was used on it bars the scheme: %d", n)
		}
		all, err := db.Products(ctx)
		if err != nil || len(all) != 2 || all[0].GTIN != farm.InternalNumber(1) || all[0].Record != "khoai" || all[1].GTIN != d.Product.GTIN || all[1].Record != "rophi" {
			t.Errorf("%+v, %v", all, err)
		}
		fish.Values["name"] = "Rô phi"
		save(fish)
		if all, err := db.Products(ctx); err != nil || all[1].Name.VI != "Rô phi" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func otherPlace(f *farm.Farm, not string) string {
	for _, p := range f.Places {
		if p.Code != not {
			return p.Code
		}
	}
	return ""
}
