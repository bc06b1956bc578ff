package web_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/trace"
	"aovuon/server/trace/epcis"
)

// rice is a supplier's document: a lot of 500 kg was shipped.
const rice = `{"@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"], "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-11-20T08:00:00+07:00",
	"epcisBody": {"eventList": [{"type": "ObjectEvent", "eventTime": "2026-11-20T07:00:00+07:00", "eventTimeZoneOffset": "+07:00", "action": "OBSERVE", "bizStep": "shipping",
	"quantityList": [{"epcClass": "https://id.gs1.org/01/09506000134352/10/GAO-A", "quantity": 500, "uom": "KGM"}, {"epcClass": "https://id.gs1.org/01/09506000134352/10/BAO", "quantity": 10}],
	"sourceList": [{"type": "owning_party", "source": "https://id.gs1.org/417/9506000000001"}]}]}}`

// post sends a body as somebody; status and answer come back.
func (w *town) post(role account.Role, path, kind string, body []byte) got {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.srv.URL+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.AddCookie(&http.Cookie{Name: w.sid, Value: w.sids[role]})
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := res.Body.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		w.t.Fatal(err)
	}
	return got{status: res.StatusCode, header: res.Header, body: b.Bytes()}
}

func riceProduct(t *testing.T, w *town) string {
	t.Helper()
	_, err := w.book.SaveRecord(t.Context(), farm.Record{Kind: farm.Product, ID: "prdgao0001", Values: form.Values{"name": "Gạo mua", "branch": "process"}}, ledger.By{Actor: ledger.Operator, At: now()})
	if err != nil {
		t.Fatal(err)
	}
	list, err := w.book.Products(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.Record == "prdgao0001" {
			return p.GTIN
		}
	}
	t.Fatal("no product")
	return ""
}

func TestCapture_MakesLotsOfWhatASupplierSends(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	product := riceProduct(t, w)
	type answer struct {
		Captured string         `json:"captured"`
		Added    bool           `json:"added"`
		Supplies []epcis.Supply `json:"supplies"`
		Received []struct {
			Ref trace.Ref `json:"ref"`
			Lot string    `json:"lot"`
			Why string    `json:"why"`
		} `json:"received"`
	}
	send := func(want int) (a answer) {
		res := w.post(account.Technician, "/epcis/capture?product="+product, "application/ld+json", []byte(rice))
		if res.status != want {
			t.Fatalf("%d %s", res.status, res.body)
		}
		if err := json.Unmarshal(res.body, &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	first := send(http.StatusCreated)
	if len(first.Supplies) != 2 || len(first.Received) != 2 || !first.Added || first.Received[1].Lot == "" || first.Received[0].Why == "" || first.Received[0].Lot != "" {
		t.Fatalf("%+v", first)
	}
	link, err := trace.ParseLink(first.Received[1].Lot, "")
	if err != nil {
		t.Fatal(err)
	}
	lot, err := w.book.Lot(t.Context(), link)
	if err != nil || lot.KG != 500 || lot.GTIN != product {
		t.Errorf("%+v, %v", lot, err)
	}
	again := send(http.StatusOK)
	if again.Added || again.Captured != first.Captured || again.Received[1].Why == "" || again.Received[1].Lot != first.Received[1].Lot {
		t.Errorf("sent again: %+v", again)
	}
	if goods, err := w.book.GoodsOf(t.Context(), first.Received[1].Ref); err != nil || len(goods) != 1 {
		t.Errorf("received %d times, %v", len(goods), err)
	}
	if res := w.as(account.Inspector, http.MethodGet, "/epcis/capture/"+first.Captured, nil, nil); string(res.body) != rice {
		t.Errorf("the document is not as it came: %s", res.body)
	}
}

func TestCapture_FaultsAreToldAndNothingIsKept(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	bad := strings.Replace(strings.Replace(rice, `"shipping"`, `"selling"`, 1), `"KGM"`, `"kg"`, 1)
	res := w.post(account.Technician, "/epcis/capture", "application/ld+json", []byte(bad))
	var p struct {
		Faults []epcis.Problem `json:"faults"`
	}
	if err := json.Unmarshal(res.body, &p); err != nil || res.status != http.StatusBadRequest || res.header.Get("Content-Type") != "application/problem+json" || len(p.Faults) != 2 || p.Faults[0].Event != 1 {
		t.Errorf("%d %v %s", res.status, err, res.body)
	}
	for path, want := range map[string]int{"/epcis/capture?product=09506000134352": 400} {
		if res := w.post(account.Technician, path, "application/ld+json", []byte(rice)); res.status != want {
			t.Errorf("%s: %d %s", path, res.status, res.body)
		}
	}
	if res := w.post(account.Technician, "/epcis/capture", "application/ld+json", bytes.Repeat([]byte(" "), epcis.MostBytes+2)); res.status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", res.status)
	}
	if kept, err := w.book.CapturedList(t.Context(), 10); err != nil || len(kept) != 0 {
		t.Errorf("%d are kept, %v", len(kept), err)
	}
	for _, role := range []account.Role{account.Farmer, account.Inspector} {
		if res := w.post(role, "/epcis/capture", "application/ld+json", []byte(rice)); res.status != http.StatusForbidden {
			t.Errorf("%s: %d", role, res.status)
		}
	}
}

// upload sends the page's form.
func (w *town) uploadEPCIS(product, text string) got {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, v := range map[string]string{"product": product, "supplier": "Nhà máy gạo A"} {
		if err := m.WriteField(k, v); err != nil {
			w.t.Fatal(err)
		}
	}
	f, err := m.CreateFormFile("file", "a.jsonld")
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return w.post(account.Technician, "/epcis", m.FormDataContentType(), b.Bytes())
}

func TestCapture_OfAPage(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	product := riceProduct(t, w)
	if res := w.uploadEPCIS("", "lúa"); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), "chưa nhận gì") {
		t.Errorf("%d %s", res.status, res.body)
	}
	res := w.uploadEPCIS(product, rice)
	if res.status != http.StatusOK || !strings.Contains(string(res.body), "Lô của hợp tác xã") || !strings.Contains(string(res.body), "500\u00a0kg") {
		t.Errorf("%d %s", res.status, res.body)
	}
	b := w.signedIn(browser(t), account.Technician)
	for _, shade := range []string{"light", "dark"} {
		b.do("epcis", scheme(shade))
		visit(b, chromedp.EmulateViewport(360, 1800, chromedp.EmulateScale(2)), w.srv.URL+"/epcis")
		if complaints := axe(b.ctx); complaints != "" {
			t.Errorf("%s: %s", shade, complaints)
		}
		if wide := ask1(b, "epcis", evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
			t.Errorf("%d px wide", wide)
		}
	}
	shoot(b, "epcis")
}
