package web_test

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"aovuon/server/account"
	"aovuon/server/export"
)

func TestReadings_AreFetchedAsTables(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	for _, path := range []string{"/readings/file?", "/api/readings?"} {
		res := get(t, srv, path+"place=F7NE3CDQ7&quantity=ph&from=2026-11-20&to=2026-11-20", nil)
		if res.status != 200 || !strings.HasPrefix(res.header.Get("Content-Type"), "text/csv") || !strings.Contains(res.header.Get("Content-Disposition"), `"so-lieu-ao1-ph-2026-11-20-2026-11-21.csv"`) {
			t.Fatalf("%s: %d %v", path, res.status, res.header)
		}
		rows, err := csv.NewReader(bytes.NewReader(res.body)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(rows[0], ",") != strings.Join(export.Columns(), ",") || len(rows) < 100 || rows[1][1] != "F7NE3CDQ7" || rows[1][2] != "ph" || !strings.HasPrefix(rows[1][0], "2026-11-20T00:0") ||
			!strings.HasSuffix(rows[1][0], "+07:00") {
			t.Errorf("%s: %d rows, %v", path, len(rows), rows[:2])
		}
		last := rows[len(rows)-1]
		if !strings.HasPrefix(last[0], "2026-11-20T23:5") {
			t.Errorf("%s: the last row is %v", path, last)
		}
	}
	res := get(t, srv, "/readings/file?format=parquet&from=2026-11-20&to=2026-11-20", nil)
	f, err := parquet.OpenFile(bytes.NewReader(res.body), int64(len(res.body)))
	if err != nil || res.status != 200 || f.NumRows() < 1000 {
		t.Errorf("parquet: %d, %v", res.status, err)
	}
	for query, want := range map[string]struct {
		status int
		text   string
	}{
		"from=2026-11-20&to=2026-11-19": {400, "Ngày kết thúc phải sau"},
		"from=x":                        {400, "Ngày chưa đúng"},
		"format=xls":                    {400, "CSV hoặc Parquet"},
		"quantity=love":                 {400, "Không có thông số"},
		"place=AAAAAAAA0":               {400, "Không có ao, vườn này"},
		"place=F7NE3CDQ7&quantity=soil_moisture&range=7d":         {404, "chưa có đầu dò"},
		"place=F7NE3CDQ7&quantity=soil_moisture&range=7d&lang=en": {404, "Nothing measured"},
	} {
		if res := get(t, srv, "/readings/file?"+query, nil); res.status != want.status || !strings.Contains(string(res.body), want.text) || res.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %d", query, res.status)
		}
		if res := get(t, srv, "/api/readings?"+query, nil); res.status != want.status || !strings.Contains(res.header.Get("Content-Type"), "json") {
			t.Errorf("api %s: %d %s", query, res.status, res.body)
		}
	}
	s.setFailing(true)
	if res := get(t, srv, "/readings/file?range=7d", nil); res.status != 503 || res.header.Get("Content-Disposition") != "" {
		t.Errorf("a silent history: %d", res.status)
	}
}

func TestReadings_AFarmerFetchesTheOwn(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	body := string(w.as(account.Farmer, http.MethodGet, "/readings/file?range=7d", nil, nil).body)
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, r := range rows[1:] {
		if r[1] != own {
			t.Fatalf("a farmer of %s reads %v", own, r)
		}
	}
	if res := w.as(account.Farmer, http.MethodGet, "/readings/file?range=7d&place="+foreign, nil, nil); res.status != 400 {
		t.Errorf("another's pond: %d", res.status)
	}
	page := string(w.as(account.Farmer, http.MethodGet, "/readings", nil, nil).body)
	if !strings.Contains(page, `value="`+own+`"`) || strings.Contains(page, foreign) {
		t.Error("the form offers what it does not give")
	}
}
