package web_test

import (
	"archive/zip"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
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

func TestPortal_ForEverybody(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	link := w.demo.Lot.Link()
	d := w.dossiers[link]
	d.Lot.State = trace.Released
	w.dossiers[link] = d
	b := w.signedIn(browser(t), account.Technician)
	for _, shade := range []string{"light", "dark"} {
		for _, lang := range []string{"vi", "en"} {
			b.do("portal", scheme(shade))
			visit(b, chromedp.EmulateViewport(360, 2000, chromedp.EmulateScale(2)), w.srv.URL+withLang("/portal/"+link.GTIN+"/"+link.Lot, lang))
			if complaints := axe(b.ctx); complaints != "" {
				t.Errorf("%s, %s: %s", lang, shade, complaints)
			}
			if wide := ask1(b, "portal", evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
				t.Errorf("%d px wide", wide)
			}
			if shade == "light" {
				shoot(b, "portal-"+lang)
			}
		}
	}
}
