package web_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
	"aovuon/server/trace"
	"aovuon/server/web"
)

// harvested enters a harvest of the farmer's pond, and returns where staff see its lot.
func (w *town) harvested(kg string) string {
	w.t.Helper()
	w.season()
	path := "/p/" + own + "/log/harvest"
	id := w.idAt(account.Farmer, path)
	if res := w.as(account.Farmer, http.MethodPost, path, url.Values{"id": {id}, "cycle": {"cyc0000001"}, "kg": {kg}}, nil); res.status != http.StatusSeeOther {
		w.t.Fatalf("harvest: %d %.500s", res.status, res.body)
	}
	lot := regexp.MustCompile(`href="(/lots/\d{14}/[^"]+)"`).FindStringSubmatch(w.text(account.Technician, "/lots"))
	if lot == nil {
		w.t.Fatal("the harvest opened no lot")
	}
	return lot[1]
}

// idAt is the id that a form carries.
func (w *town) idAt(role account.Role, path string) string {
	w.t.Helper()
	id := regexp.MustCompile(`name="id" value="([0-9A-Z]{26})"`).FindStringSubmatch(string(w.as(role, http.MethodGet, path, nil, nil).body))
	if id == nil {
		w.t.Fatalf("no form at %s", path)
	}
	return id[1]
}

func (w *town) text(role account.Role, path string) string {
	w.t.Helper()
	return strings.ReplaceAll(html.UnescapeString(string(w.as(role, http.MethodGet, path, nil, nil).body)), "\u00a0", " ")
}

// done sends the form of a deed; it must be taken.
func (w *town) done(lot, deed string, form url.Values) {
	w.t.Helper()
	if status, said := w.sent(lot, deed, form); status != http.StatusSeeOther {
		w.t.Fatalf("%s: %d %s", deed, status, said)
	}
}

// sent sends the form of a deed.
func (w *town) sent(lot, deed string, form url.Values) (int, string) {
	w.t.Helper()
	path := lot + "/" + deed
	form.Set("id", w.idAt(account.Technician, path))
	res := w.as(account.Technician, http.MethodPost, path, form, nil)
	text := regexp.MustCompile(`<[^>]*>|\s+`).ReplaceAllString(strings.ReplaceAll(html.UnescapeString(string(res.body)), "\u00a0", " "), " ")
	return res.status, strings.Join(strings.Fields(text), " ")
}

// From a harvest to the buyer by pages alone: released, packed, boxed, shipped; and nothing leaves that did not come in.
func TestLots_FromHarvestToBuyer(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	lot := w.harvested("500")
	buyer := w.buyer()
	if status, said := w.sent(lot, "ship", url.Values{"buyer": {buyer}, "kg": {"10"}}); status != http.StatusUnprocessableEntity || !strings.Contains(said, "Tình trạng của lô không cho") || !strings.Contains(said, "chờ duyệt bán") {
		t.Errorf("shipped before it was released: %d %.400s", status, said)
	}
	if page := w.text(account.Technician, lot+"/release"); !strings.Contains(page, "Khối lượng: vào 500 kg, còn 500 kg") {
		t.Errorf("the release does not say what to look at: %.2000s", page)
	}
	w.done(lot, "release", url.Values{})
	w.done(lot, "pack", url.Values{"packs": {"200"}, "pack_g": {"500"}})
	status, said := w.sent(lot, "pack", url.Values{"packs": {"900"}, "pack_g": {"500"}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(said, "Không đủ hàng") || !strings.Contains(said, "Tổng vào") || !strings.Contains(said, "500 kg") || !strings.Contains(said, "Còn lại") || !strings.Contains(said, "400 kg") || !strings.Contains(said, "450 kg") {
		t.Errorf("more than there is: %d %.1500s", status, said)
	}
	w.done(lot, "box", url.Values{"per_box": {"50"}, "box_count": {"2"}})
	page := w.text(account.Technician, lot)
	boxes := regexp.MustCompile(`/boxes/(\d{18})`).FindAllStringSubmatch(page, -1)
	if len(boxes) != 2 || !strings.Contains(page, "200 gói") || !strings.Contains(page, "400 kg") {
		t.Fatalf("%d boxes: %.4000s", len(boxes), page)
	}
	if status, said := w.sent(lot, "ship", url.Values{"buyer": {buyer}}); status != http.StatusUnprocessableEntity || !strings.Contains(said, "Chưa ghi được") {
		t.Errorf("nothing shipped: %d %.300s", status, said)
	}
	w.done(lot, "ship", url.Values{"buyer": {buyer}, "boxes": {boxes[0][1]}, "kg": {"12,5"}, "document_no": {"PX-07"}})
	page = w.text(account.Inspector, lot)
	for _, want := range []string{"387,5", "PX-07", "Cá mừng xuân", "đã xuất"} {
		if !strings.Contains(page, want) {
			t.Errorf("the lot's page does not say %q: %.6000s", want, page)
		}
	}
	if strings.Contains(page, "/ship") || strings.Contains(page, "/void") {
		t.Error("an inspector is offered to move goods")
	}
	if box := w.text(account.Technician, "/boxes/"+boxes[0][1]); !strings.Contains(box, "đã xuất") || strings.Contains(box, "/unbox") {
		t.Errorf("%.2000s", box)
	}
	if status, said := w.sent(lot, "return", url.Values{"buyer": {buyer}, "kg": {"13"}, "reason": {"ươn"}}); status != http.StatusUnprocessableEntity || !strings.Contains(said, "không nhận nhiều đến thế") {
		t.Errorf("more came back than left: %d %.600s", status, said)
	}
	w.done(lot, "return", url.Values{"buyer": {buyer}, "boxes": {boxes[0][1]}, "reason": {"thùng bị móp"}})
	if page = w.text(account.Technician, lot); !strings.Contains(page, "thùng bị móp") {
		t.Errorf("%.3000s", page)
	}
	w.done(lot, "ship", url.Values{"buyer": {buyer}, "boxes": {boxes[0][1]}})
	if status, said := w.sent(lot, "ship", url.Values{"buyer": {buyer}, "boxes": {boxes[0][1]}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a box left twice: %d %.300s", status, said)
	}
}

// buyer puts a buyer on record.
func (w *town) buyer() string {
	w.t.Helper()
	res := w.as(account.Technician, http.MethodPost, "/farm/buyer/new", url.Values{"name": {"Cá mừng xuân"}, "buyer_type": {"company"}}, nil)
	if res.status != http.StatusSeeOther {
		w.t.Fatalf("buyer: %d %.500s", res.status, res.body)
	}
	return w.find("buyer", "Cá mừng xuân").ID
}

// Labels may be printed ahead: a code counts only once it is on an item; a spoilt label gives its mass back.
func TestLots_LabelsAheadAndSpoilt(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	lot := w.harvested("100")
	if status, said := w.sent(lot, "activate", url.Values{}); status != http.StatusUnprocessableEntity || !strings.Contains(said, "Số gói") {
		t.Errorf("nothing was issued: %d %.300s", status, said)
	}
	w.done(lot, "issue", url.Values{"packs": {"10"}, "pack_g": {"1000"}})
	if page := w.text(account.Technician, lot); !strings.Contains(page, "đã cấp mã, chưa dán") || !strings.Contains(page, "90 kg") {
		t.Errorf("%.3000s", page)
	}
	if status, said := w.sent(lot, "activate", url.Values{"packs": {"11"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("more than were issued: %d %.300s", status, said)
	}
	w.done(lot, "activate", url.Values{"packs": {"6"}})
	w.done(lot, "activate", url.Values{})
	link, err := trace.ParseLink("/01/"+strings.Replace(strings.TrimPrefix(lot, "/lots/"), "/", "/10/", 1), "")
	if err != nil {
		t.Fatal(err)
	}
	events, err := w.book.GoodsOf(t.Context(), link.Ref())
	if err != nil || len(events) != 3 {
		t.Fatal(len(events), err)
	}
	items, err := w.book.Items(t.Context(), events[0].ID)
	if err != nil || len(items) != 10 {
		t.Fatal(len(items), err)
	}
	w.done(lot, "spoil", url.Values{"items": {strings.ToLower(items[0].Serial) + ", " + items[1].Serial}, "reason": {"in lem"}})
	if page := w.text(account.Technician, lot); !strings.Contains(page, "92 kg") || !strings.Contains(page, "Tem hủy, hàng về lô") {
		t.Errorf("%.3000s", page)
	}
}

// What was noted by mistake is taken back, and stays to be seen.
func TestLots_TakenBack(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	lot := w.harvested("100")
	w.done(lot, "destroy", url.Values{"kg": {"30"}, "reason": {"dập nát"}})
	page := w.text(account.Technician, lot)
	undo := regexp.MustCompile(`href="(/goods/[0-9A-Z]{26}/void\?lot=[^"]+)"`).FindStringSubmatch(page)
	if undo == nil || !strings.Contains(page, "70 kg") {
		t.Fatalf("%.4000s", page)
	}
	u, err := url.Parse(undo[1])
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"id": {w.idAt(account.Technician, undo[1])}, "lot": {u.Query().Get("lot")}}
	if res := w.as(account.Technician, http.MethodPost, u.Path, form, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", res.status)
	}
	form.Set("reason", "ghi nhầm ao")
	if res := w.as(account.Technician, http.MethodPost, u.Path, form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("%d %.500s", res.status, res.body)
	}
	page = w.text(account.Technician, lot)
	if !strings.Contains(page, "đã rút lại") || !strings.Contains(page, "ghi nhầm ao") || !strings.Contains(page, "100 kg") || strings.Contains(page, "70 kg") {
		t.Errorf("%.4000s", page)
	}
}

// A lot is sorted, split, merged, made into something else; a lot of another's comes in; what comes out is no more than went in.
func TestLots_BecomeLots(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	lot := w.harvested("500")
	if status, said := w.sent(lot, "grade", url.Values{"kg": {"100"}, "grade_1": {"80"}, "grade_2": {"30"}}); status != http.StatusUnprocessableEntity || !strings.Contains(said, "nhiều hơn mức có thể") || !strings.Contains(said, "110 kg") {
		t.Errorf("%d %.1000s", status, said)
	}
	w.done(lot, "grade", url.Values{"kg": {"100"}, "grade_1": {"60"}, "grade_2": {"35"}})
	w.done(lot, "split", url.Values{"kg": {"150"}, "lot_code": {"TACH-01"}})
	if page := w.text(account.Technician, "/lots"); strings.Count(page, "/lots/0") < 4 || !strings.Contains(page, "TACH-01") {
		t.Errorf("%.4000s", page)
	}
	other := strings.TrimSuffix(lot, lot[strings.LastIndex(lot, "/"):]) + "/TACH-01"
	gtin := strings.Split(lot, "/")[2]
	w.done(lot, "merge", url.Values{"lots": {"lot:" + gtin + "/TACH-01"}, "lot_code": {"GOP-01"}})
	if page := w.text(account.Technician, other); !strings.Contains(page, "GOP-01") || !strings.Contains(page, "<b>0 kg</b>") {
		t.Errorf("%.4000s", page)
	}
	id := w.idAt(account.Technician, "/goods/receive")
	form := url.Values{"id": {id}, "product": {w.find("product", "Cá rô phi tươi").ID}, "supplier": {"HTX bên cạnh"}, "lot_code": {"NHAN-1"}, "kg": {"250"}}
	if res := w.as(account.Technician, http.MethodPost, "/goods/receive", form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("received: %d %.1500s", res.status, res.body)
	}
	if page := w.text(account.Technician, "/lots?q=nhan-1"); !strings.Contains(page, "NHAN-1") || strings.Contains(page, "TACH-01") {
		t.Errorf("%.3000s", page)
	}
}

// AI 10 allows a slash, a quote and a percent sign in a lot code; pages and files have to do with it.
func TestLots_AnyCodeThatGS1Allows(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	lot := w.harvested("100")
	gtin := strings.Split(lot, "/")[2]
	for code, stem := range map[string]string{"../../etc": ".._.._etc", `K"1>`: "K_1_", "%2F": "_2F"} {
		w.done(lot, "split", url.Values{"kg": {"1"}, "lot_code": {code}})
		at := "/lots/" + gtin + "/" + url.PathEscape(code)
		page := w.text(account.Technician, at)
		_, undo, _ := strings.Cut(page, `href="/goods/`)
		undo, _, _ = strings.Cut(undo, `"`)
		if res := w.as(account.Technician, http.MethodGet, "/goods/"+html.UnescapeString(undo), nil, nil); res.status != http.StatusOK {
			t.Errorf("%s: its split cannot be taken back at %q: %d", code, undo, res.status)
		}
		if got := web.FileStem(code); got != stem {
			t.Errorf("%s: its files are called %s, want %s", code, got, stem)
		}
	}
}

func TestLots_BadAddressesAndForms(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	lot := w.harvested("100")
	for _, path := range []string{"/lots/1/2", lot + "/fly", lot + "/receive", "/boxes/1", "/goods/x/void", "/goods/x/void?lot=" + strings.TrimPrefix(lot, "/lots")} {
		if res := w.as(account.Technician, http.MethodGet, path, nil, nil); res.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.status)
		}
	}
	if res := w.as(account.Technician, http.MethodPost, lot+"/destroy", url.Values{"id": {"x"}, "kg": {"1"}, "reason": {"x"}}, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("a form without an id: %d", res.status)
	}
	for _, kg := range []string{"-1", "NaN", "1e999", "một"} {
		if status, said := w.sent(lot, "destroy", url.Values{"kg": {kg}, "reason": {"x"}}); status != http.StatusUnprocessableEntity {
			t.Errorf("%s kg: %d %.300s", kg, status, said)
		}
	}
	for _, path := range []string{"/lots", lot, lot + "/release"} {
		if res := w.as(account.Farmer, http.MethodGet, path, nil, nil); res.status != http.StatusForbidden {
			t.Errorf("a farmer at %s: %d", path, res.status)
		}
	}
}

func TestBrowser_Lots(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	lot := w.harvested("500")
	w.done(lot, "release", url.Values{})
	w.done(lot, "pack", url.Values{"packs": {"200"}, "pack_g": {"500"}})
	w.done(lot, "box", url.Values{"per_box": {"50"}, "box_count": {"2"}})
	w.done(lot, "ship", url.Values{"buyer": {w.buyer()}, "kg": {"12,5"}, "document_no": {"PX-07"}})
	w.done(lot, "split", url.Values{"kg": {"150"}, "lot_code": {"TACH-01"}})
	split := lot[:strings.LastIndex(lot, "/")] + "/TACH-01"
	b := w.signedIn(browser(t), account.Technician)
	for name, path := range map[string]string{"lots": "/lots", "lot": lot, "lot-release": split + "/release", "lot-ship": lot + "/ship", "lot-merge": split + "/merge", "lot-receive": "/goods/receive"} {
		for _, shade := range []string{"light", "dark"} {
			b.do(name, scheme(shade))
			visit(b, chromedp.EmulateViewport(360, 2400, chromedp.EmulateScale(2)), w.srv.URL+path)
			if complaints := axe(b.ctx); complaints != "" {
				t.Errorf("%s, %s: %s", name, shade, complaints)
			}
			if wide := ask1(b, name, evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
				t.Errorf("%s is %d px wide", name, wide)
			}
			if shade == "light" {
				shoot(b, name)
			}
		}
	}
}
