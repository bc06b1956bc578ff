package web_test

import (
	"archive/zip"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"aovuon/server/account"
	"aovuon/server/trace"
)

func TestPortal_SaysWhatIsMissingAndHandsOutReleasedLotsAlone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	link := w.demo.Lot.Link()
	path := "/portal/" + link.GTIN + "/" + link.Lot
	res := w.as(account.Technician, http.MethodGet, path, nil, nil)
	page := string(res.body)
	if res.status != http.StatusOK || !strings.Contains(page, "Còn thiếu") || !strings.Contains(page, "Hình ảnh sản phẩm") || strings.Contains(page, "bundle.zip") {
		t.Errorf("%d %s", res.status, page)
	}
	if res := w.as(account.Technician, http.MethodGet, path+"/bundle.zip", nil, nil); res.status != http.StatusNotFound {
		t.Errorf("the bundle of a lot that was not released: %d", res.status)
	}
	d := w.dossiers[link]
	d.Lot.State = trace.Released
	w.dossiers[link] = d
	if res := w.as(account.Inspector, http.MethodGet, path, nil, nil); !strings.Contains(string(res.body), path+"/bundle.zip") {
		t.Error("no way to the bundle")
	}
	res = w.as(account.Inspector, http.MethodGet, path+"/bundle.zip", nil, nil)
	z, err := zip.NewReader(bytes.NewReader(res.body), int64(len(res.body)))
	if err != nil || len(z.File) != 6 || res.header.Get("Content-Disposition") == "" {
		t.Errorf("%v %v", err, res.header)
	}
	if res := w.as(account.Technician, http.MethodGet, "/portal/"+link.GTIN+"/NO", nil, nil); res.status != http.StatusNotFound {
		t.Errorf("a lot that nobody opened: %d", res.status)
	}
}
