package web_test

import (
	"bytes"
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
)

func TestPlan_OnAPageAndInAWorkbook(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	rec := farm.Record{Kind: farm.Target, Values: form.Values{"name": "Giá trị sản xuất", "target_of": "value_ha", "want": 210e6, "decision": "Kế hoạch 59"}}
	if _, err := w.book.SaveRecord(t.Context(), rec, w.by()); err != nil {
		t.Fatal(err)
	}
	at := now().AddDate(0, 0, -3)
	w.book.put(
		diary.Event{ID: "01KAAAAAAAAAAAAAAAAAAAAAAA", Kind: diary.Harvest, Place: own, Cycle: "cyc0000001", Actor: "u-AAAAAAAA", Occurred: at, Recorded: at, Synced: at, Values: form.Values{"kg": 2100.0}},
		diary.Event{ID: "01KAAAAAAAAAAAAAAAAAAAAAAB", Kind: diary.Sale, Place: own, Cycle: "cyc0000001", Actor: "u-AAAAAAAA", Occurred: at, Recorded: at, Synced: at, Values: form.Values{"kg": 2000.0, "price": 42000.0, "buyer": "buy0000001"}},
		diary.Event{ID: "01KAAAAAAAAAAAAAAAAAAAAAAC", Kind: diary.Sale, Place: own, Cycle: "cyc0000001", Actor: "u-AAAAAAAA", Occurred: at, Recorded: at, Synced: at, Values: form.Values{"kg": 100.0, "buyer": "buy0000001"}},
	)
	page := html.UnescapeString(string(w.as(account.Technician, http.MethodGet, "/plan?year=2026", nil, nil).body))
	for _, want := range []string{
		"Giá trị sản xuất", "Kế hoạch 59", "210,0\u00a0triệu đồng/ha", "84,0\u00a0triệu đồng", "2,10\u00a0tấn", "chưa ghi giá 100\u00a0kg", "= 84,0\u00a0triệu đồng / ",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	res := w.as(account.Inspector, http.MethodGet, "/plan.xlsx?year=2026", nil, nil)
	book, err := excelize.OpenReader(bytes.NewReader(res.body))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows(book.GetSheetName(0), excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 3 || rows[1][3] != "2100" || rows[1][6] != "84000000" || rows[1][8] != "100" {
		t.Errorf("the workbook says %q", rows)
	}
}
