package web_test

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"aovuon/server/account"
	"aovuon/server/parttest"
)

// hiddenOf are the fields that the form of a page carries.
func hiddenOf(page string) url.Values {
	out := url.Values{}
	for _, m := range regexp.MustCompile(`type="hidden" name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		out.Set(m[1], m[2])
	}
	return out
}

// sold is a co-op where 200 packs of a lot were made, and 120 of them shipped in a box.
func (w *town) sold() (lot string) {
	w.t.Helper()
	lot = w.harvested("500")
	buyer := w.buyer()
	w.done(lot, "release", url.Values{})
	w.done(lot, "pack", url.Values{"packs": {"200"}, "pack_g": {"500"}})
	w.done(lot, "box", url.Values{"per_box": {"120"}, "box_count": {"1"}})
	box := regexp.MustCompile(`/boxes/(\d{18})`).FindStringSubmatch(w.text(account.Technician, lot))
	if box == nil {
		w.t.Fatal("no box")
	}
	w.done(lot, "ship", url.Values{"buyer": {buyer}, "boxes": {box[1]}, "document_no": {"PX-7"}})
	return lot
}

func (w *town) recalled(lot, do string) string {
	w.t.Helper()
	parts := strings.Split(lot, "/")
	found := w.text(account.Technician, "/recall/found?"+url.Values{"lot": {"/01/" + parts[2] + "/10/" + parts[3]}}.Encode())
	for _, want := range []string{"1 lô", "200 gói", "1 thùng", " người mua", "120 gói đã ra khỏi kho", "Cá mừng xuân", "PX-7", "THU HỒI NGAY"} {
		if !strings.Contains(found, want) {
			w.t.Errorf("what was found does not say %q: %.3000s", want, found)
		}
	}
	form := hiddenOf(found)
	form.Set("why", "residue")
	form.Set("do", do)
	res := w.as(account.Technician, http.MethodPost, "/recall", form, nil)
	if res.status != http.StatusSeeOther {
		w.t.Fatalf("%s: %d %.500s", do, res.status, res.body)
	}
	return res.header.Get("Location")
}

// A drill changes nothing; a recall is in the lot's state at once, and its end, too. Which pages of labels follow it: TestStory_… of recall.
func TestRecall_MarksAtOnceAndADrillDoesNot(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	lot := w.sold()
	sees := func() bool { return strings.Contains(w.text(account.Technician, lot), "</svg>thu hồi</p>") }
	if sees() {
		t.Fatal("recalled before it was")
	}
	w.undecided(lot)
	if sees() {
		t.Fatal("an order that does not say what it is recalled the lot")
	}
	drill := w.recalled(lot, "drill")
	if sees() {
		t.Error("a drill marked the lot")
	}
	page := w.text(account.Technician, drill)
	for _, want := range []string{"Tập thu hồi", "Từ đầu đến có danh sách", "người mua không thấy gì", "Vì: Dư lượng thuốc, chất cấm", "Cá mừng xuân"} {
		if !strings.Contains(page, want) {
			t.Errorf("the drill does not say %q: %.3000s", want, page)
		}
	}
	truly := w.recalled(lot, "recall")
	if !sees() {
		t.Error("the recall marked nothing")
	}
	again := strings.Split(lot, "/")
	if found := w.text(account.Technician, "/recall/found?"+url.Values{"lot": {"/01/" + again[2] + "/10/" + again[3]}}.Encode()); !strings.Contains(found, "đang được thu hồi rồi") {
		t.Errorf("a second recall of the same is not told so: %.2000s", found)
	}
	if inspector := w.text(account.Inspector, truly); !strings.Contains(inspector, "Đang thu hồi") || strings.Contains(inspector, "tel:") || strings.Contains(inspector, truly+"/end") {
		t.Errorf("an inspector sees: %.2000s", inspector)
	}
	w.recallFiles(truly)
	if res := w.as(account.Technician, http.MethodPost, truly+"/end", url.Values{"reason": {" "}}, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("ended without a reason: %d", res.status)
	}
	if res := w.as(account.Technician, http.MethodPost, truly+"/end", url.Values{"reason": {"đã thu về đủ"}}, nil); res.status != http.StatusSeeOther || sees() {
		t.Errorf("ended: %d, the lot is still marked: %v", res.status, sees())
	}
	if page := w.text(account.Technician, truly); strings.Contains(page, "Đang thu hồi") || !strings.Contains(page, "Đã thu hồi xong") {
		t.Errorf("a recall that is over: %.2000s", page)
	}
	if list := w.text(account.Technician, "/recall"); !strings.Contains(list, truly) || !strings.Contains(list, drill) {
		t.Errorf("the list: %.2000s", list)
	}
}

// Whom nobody can call yet is a step away from being called: for those who may write the number down, and until it is.
func TestRecall_LeadsToWhereAPhoneNumberIsWritten(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	parts := strings.Split(w.sold(), "/")
	found := "/recall/found?" + url.Values{"lot": {"/01/" + parts[2] + "/10/" + parts[3]}}.Encode()
	at := "/farm/buyer/" + w.find("buyer", "Cá mừng xuân").ID
	lead := `href="` + at + `#at-phone"`
	w.says(account.Technician, found, []string{"Chưa có số điện thoại", lead}, nil)
	w.says(account.Technician, found+"&lang=en", []string{"No phone number", `href="` + at + `?lang=en#at-phone"`}, nil)
	w.says(account.Inspector, found, []string{"Chưa có số điện thoại"}, []string{lead})
	w.says(account.Technician, at, []string{`id="at-phone"`}, nil)
	form := w.values(at)
	form.Set("phone", "0912 345 678")
	if res := w.as(account.Technician, http.MethodPost, at, form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("%d: %s", res.status, wrongs(res.body))
	}
	w.says(account.Technician, found, []string{"tel:"}, []string{"Chưa có số điện thoại", lead})
}

// undecided sends orders that say neither recall nor drill, and looks for what keeps the Enter key from sending one: a browser presses the first
// button of a form, and does nothing where that one is disabled.
func (w *town) undecided(lot string) {
	w.t.Helper()
	parts := strings.Split(lot, "/")
	found := w.text(account.Technician, "/recall/found?"+url.Values{"lot": {"/01/" + parts[2] + "/10/" + parts[3]}}.Encode())
	_, form, _ := strings.Cut(found, `class="card bad"`)
	if _, first, _ := strings.Cut(form, "<button"); !strings.HasPrefix(first, " disabled hidden>") {
		w.t.Errorf("the Enter key would press <button%.60s", first)
	}
	for _, do := range []string{"", "Recall", "thật"} {
		order := hiddenOf(found)
		order.Set("why", "residue")
		order.Set("told", "cám mốc")
		order.Set("do", do)
		res := w.as(account.Technician, http.MethodPost, "/recall", order, nil)
		if page := string(res.body); res.status != http.StatusUnprocessableEntity || !strings.Contains(page, "thu hồi thật hay chỉ tập") || !strings.Contains(page, "cám mốc") {
			w.t.Errorf("%q: %d %.2000s", do, res.status, page)
		}
	}
}

func (w *town) recallFiles(at string) {
	w.t.Helper()
	list := string(w.as(account.Technician, http.MethodGet, at+"/list.csv", nil, nil).body)
	if !strings.Contains(list, "Cá mừng xuân;") || !strings.Contains(list, ";PX-7;") {
		w.t.Errorf("list: %s", list)
	}
	items := strings.Split(strings.TrimSpace(string(w.as(account.Technician, http.MethodGet, at+"/items.csv", nil, nil).body)), "\r\n")
	out := 0
	for _, line := range items {
		if strings.HasSuffix(line, ";Cá mừng xuân") {
			out++
		}
	}
	if len(items) != 201 || out != 120 {
		w.t.Errorf("%d lines of items, %d with the buyer: %s", len(items), out, items[1])
	}
	book, err := excelize.OpenReader(bytes.NewReader(w.as(account.Technician, http.MethodGet, at+"/list.xlsx", nil, nil).body))
	if err != nil {
		w.t.Fatal(err)
	}
	if rows, err := book.GetRows("Gọi cho ai"); err != nil || len(rows) != 2 || rows[1][0] != "Cá mừng xuân" {
		w.t.Errorf("workbook: %v %v", rows, err)
	}
	if err := book.Close(); err != nil {
		w.t.Error(err)
	}
}

// One screen: from the serial of a pack back to the pond, from the pond to the buyer, by whatever somebody writes.
func TestTrace_OneScreenBothWays(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	lot := w.sold()
	parts := strings.Split(lot, "/")
	box := regexp.MustCompile(`/boxes/(\d{18})`).FindStringSubmatch(w.text(account.Technician, lot))[1]
	for of, want := range map[string][]string{
		parts[3]: {"Làm từ gì", "Đã đi đâu", "Cá mừng xuân", box},
		"https://tx.example.vn/01/" + parts[2] + "/10/" + parts[3]: {"Cá mừng xuân", box},
		box:                   {parts[3], "Cá mừng xuân"},
		"ca mung xuan":        {parts[3], box},
		"khong co gi ten the": {"Không tìm thấy"},
		"":                    {parts[3], "Lô mới thu"},
	} {
		page := w.text(account.Technician, "/trace?"+url.Values{"of": {of}}.Encode())
		for _, s := range want {
			if !strings.Contains(page, s) {
				t.Errorf("%q does not show %q: %.3000s", of, s, page)
			}
		}
	}
}

func TestBrowser_Recall(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	lot := w.sold()
	parts := strings.Split(lot, "/")
	if res := w.as(account.Technician, http.MethodPost, "/farm/buyer/new", url.Values{"name": {"Chợ Phú Khê"}, "buyer_type": {"market"}, "phone": {"0912 345 678"}, "contact": {"Bà Thơm"}}, nil); res.status != http.StatusSeeOther {
		t.Fatal(res.status)
	}
	w.done(lot, "ship", url.Values{"buyer": {w.find("buyer", "Chợ Phú Khê").ID}, "kg": {"75"}, "document_no": {"PX-8"}})
	found := "/recall/found?" + url.Values{"lot": {"/01/" + parts[2] + "/10/" + parts[3]}}.Encode()
	b := w.signedIn(browser(t), account.Technician)
	visit(b, chromedp.EmulateViewport(360, 2400, chromedp.EmulateScale(2)), w.srv.URL+found)
	shoot(b, "recall-found")
	drill, truly := w.recalled(lot, "drill"), w.recalled(lot, "recall")
	for name, path := range map[string]string{
		"recall": "/recall", "recall-found-again": found, "recall-one": truly, "recall-drill": drill, "trace": "/trace", "trace-lot": "/trace?of=" + parts[3], "trace-buyer": "/trace?of=cho+phu+khe",
	} {
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
