package web_test

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// says asks a page for texts that must, and must not, be on it.
func (w *town) says(role account.Role, path string, want, not []string) {
	w.t.Helper()
	res := w.as(role, http.MethodGet, path, nil, nil)
	page := html.UnescapeString(string(res.body))
	if res.status != http.StatusOK {
		w.t.Fatalf("%s as %s: %d", path, role, res.status)
	}
	for _, text := range want {
		if !strings.Contains(page, text) {
			w.t.Errorf("%s as %s does not say %q", path, role, text)
		}
	}
	for _, text := range not {
		if strings.Contains(page, text) {
			w.t.Errorf("%s as %s says %q", path, role, text)
		}
	}
}

func (w *town) keep(kind farm.RecordKind, id string, v form.Values) {
	w.t.Helper()
	if _, err := w.book.SaveRecord(w.t.Context(), farm.Record{Kind: kind, ID: id, Values: v}, w.by()); err != nil {
		w.t.Fatal(err)
	}
}

func TestRecords_TellWhatHangsOnThem(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.keep(farm.Contract, "con0000001", form.Values{
		"number": "HĐ-7", "buyer": "buy0000001", "product": "prd0000001", "quantity_kg": 3000.0, "floor_price": 40000.0, "from": "2026-10-01", "to": "2026-11-01",
	})
	at := now().AddDate(0, 0, -40)
	sale := func(id string, v form.Values) diary.Event {
		return diary.Event{ID: id, Kind: diary.Sale, Place: own, Cycle: "cyc0000001", Actor: "u-AAAAAAAA", Occurred: at, Recorded: at, Synced: at, Values: v}
	}
	w.book.put(
		sale("01KAAAAAAAAAAAAAAAAAAAAAAA", form.Values{"kg": 1000.0, "price": 42000.0, "buyer": "buy0000001", "contract": "con0000001"}),
		sale("01KAAAAAAAAAAAAAAAAAAAAAAB", form.Values{"kg": 500.0, "price": 38000.0, "buyer": "buy0000001", "contract": "con0000001"}),
		sale("01KAAAAAAAAAAAAAAAAAAAAAAC", form.Values{"kg": 200.0, "buyer": "buy0000001"}),
	)
	nb := "\u00a0"
	w.says(account.Inspector, "/farm/buyer/buy0000001", []string{
		"HĐ-7 · Cá rô phi tươi", "1,50" + nb + "tấn / 3,00" + nb + "tấn", "quá hạn", "còn thiếu 1,50" + nb + "tấn", "42.000" + nb + "đ/kg = 42,0" + nb + "triệu đồng", "dưới giá sàn 40.000" + nb + "đ/kg",
		"1,70" + nb + "tấn · 61,0" + nb + "triệu đồng · chưa ghi giá 200" + nb + "kg",
	}, nil)
	w.says(account.Technician, "/farm/contract/con0000001", []string{"1,50" + nb + "tấn · 61,0" + nb + "triệu đồng"}, []string{"200" + nb + "kg"})
	w.says(account.Technician, "/farm/product/prd0000001", []string{`href="/farm/contract/con0000001"`, `href="/farm/cycle/cyc0000001"`}, nil)
}

func TestHousehold_IsReadByItsOwnFarmerAlone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	if res := w.as(account.Farmer, http.MethodGet, "/household", nil, nil); res.status != http.StatusNotFound {
		t.Errorf("no household is on record: %d", res.status)
	}
	f := w.farmOnRecord()
	mine, _ := f.Place(own)
	other, _ := f.Place(foreign)
	w.keep(farm.Household, "hou0000001", form.Values{"name": "Hộ của tôi", "code": mine.Household, "phone": "0900000001"})
	w.keep(farm.Household, "hou0000002", form.Values{"name": "Hộ bên cạnh", "code": other.Household, "phone": "0900000002"})
	w.says(account.Farmer, "/household", []string{"0900000001", `href="/places/` + own + `"`, `href="/book/cyc0000001"`}, []string{"0900000002", foreign, "Hộ bên cạnh", `name="revision"`})
	w.says(account.Farmer, "/account", []string{`href="/household"`}, nil)
	if res := w.as(account.Farmer, http.MethodGet, "/farm/household/hou0000002", nil, nil); res.status != http.StatusForbidden {
		t.Errorf("another household: %d", res.status)
	}
	w.says(account.Inspector, "/farm/household/hou0000002", []string{"Hộ bên cạnh", `href="/places/` + foreign + `"`}, nil)
}
