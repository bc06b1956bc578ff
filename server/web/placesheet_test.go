package web_test

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"aovuon/server/account"
)

func TestImport_PlacesGoOutAndComeIn(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	const path = "/farm/place/import"
	for _, file := range []string{"export.csv", "export.xlsx"} {
		out := w.as(account.Technician, http.MethodGet, "/farm/place/"+file, nil, nil)
		if out.status != http.StatusOK || len(out.body) == 0 {
			t.Fatalf("%s: %d", file, out.status)
		}
		res := w.sendFile(account.Technician, path, file, string(out.body), nil)
		page := html.UnescapeString(string(res.body))
		if res.status != http.StatusOK || !strings.Contains(page, "<dd>7</dd>") || strings.Contains(page, `name="sum"`) || !strings.Contains(page, "giống hệt sổ") {
			t.Errorf("%s changes something: %d: %.3000s", file, res.status, page[max(0, strings.Index(page, "<h1>")):])
		}
	}
	if out := string(w.as(account.Inspector, http.MethodGet, "/farm/place/export.csv", nil, nil).body); strings.Contains(out, "20.769") || strings.Contains(out, "HO-01") || !strings.Contains(out, "Ao 1") {
		t.Error("an inspector is given outlines or households, or nothing at all")
	}
	head := "Tên gọi;Là gì;Khu;Diện tích (m²);Nuôi, trồng gì;Ranh giới (tọa độ các góc)\n"
	bad := head + "Ao 8;Ao;Khu nào đó;3000;cá chép;\nAo 9;Ao;Khu ao Phú Khê;ba sào;cá chép;ở gốc đa\nAo 10;Ao;Khu ao Phú Khê;900;cá;\"20.769, 106.238\n20.770, 106.238\n20.770, 107.3\"\n"
	page := html.UnescapeString(string(w.sendFile(account.Technician, path, "a.csv", bad, nil).body))
	for _, want := range []string{"Dòng 2 · Khu", "Khu nào đó", "Dòng 3 · Diện tích (m²)", "ba sào", "Dòng 3 · Ranh giới", "Không phải tọa độ"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not said", want)
		}
	}
	lines := strings.SplitN(bad, "\n", 4)
	page = html.UnescapeString(string(w.sendFile(account.Technician, path, "a.csv", lines[0]+"\n"+lines[3], nil).body))
	if !strings.Contains(page, "Dòng 2 · Ranh giới") || strings.Contains(page, `name="sum"`) {
		t.Errorf("a pond of 100 km is taken: %.2000s", page[max(0, strings.Index(page, "<h1>")):])
	}
	good := head + "Ao 8;ao;khu ao phu khe;3.000,5;cá chép;\nAo 1;Ao;Khu ao Phú Khê;4300;cá rô phi;\n"
	res := w.sendFile(account.Technician, path, "a.csv", good, nil)
	form := hidden(string(res.body))
	if page := html.UnescapeString(string(res.body)); form["sum"] == "" || !strings.Contains(page, "<s>4200</s> → 4300") || !strings.Contains(page, `href="/land/`+own+`"`) {
		t.Fatalf("%d: %.3000s", res.status, page[max(0, strings.Index(page, "<h1>")):])
	}
	if p, _ := w.farmOnRecord().Place(own); p.AreaM2 != 4200 {
		t.Fatal("looking saved it")
	}
	if res := w.sendFile(account.Technician, path, "", "", form); res.status != http.StatusSeeOther || res.header.Get("Location") != "/land" {
		t.Fatalf("not applied: %d", res.status)
	}
	f := w.farmOnRecord()
	p, _ := f.Place(own)
	if p.AreaM2 != 4300 || len(p.Outline) != 0 || p.Profile != "freshwater" || p.Household != "HO-01" {
		t.Errorf("an empty cell takes the outline out, a column that is not there changes nothing: %+v", p)
	}
	if n := f.Places[len(f.Places)-1]; len(f.Places) != 8 || n.Title.VI != "Ao 8" || n.AreaM2 != 3000.5 || n.Zone != "phu-khe" || n.Code == "" {
		t.Errorf("added %+v of %d", n, len(f.Places))
	}
	if res := w.sendFile(account.Technician, path, "", "", form); res.status != http.StatusUnprocessableEntity {
		t.Errorf("the same again: %d", res.status)
	}
}
