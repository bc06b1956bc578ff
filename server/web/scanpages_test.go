package web_test

import (
	"context"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/scan"
)

// scanned is a town whose demo lot is packed, one item of it copied.
func scanned(t testing.TB, publicURL string) (w *town, items []trace.Item) {
	t.Helper()
	w = newTown(t, publicURL, false)
	db := w.book.DB
	d := w.dossiers[w.demo.Lot.Link()]
	d.Lot.State = trace.Released
	kept := flow.Kept{Goods: trace.Goods{ID: "01KB0000000000000000000001", Kind: trace.Pack, At: now(), Made: now(), Actor: "a-test"}}
	w.items = map[string]trace.Item{}
	for i, state := range []trace.ItemState{trace.ItemShipped, trace.ItemShipped, trace.ItemVoid} {
		it := trace.Item{Serial: fmt.Sprintf("7N3K5P0R2XA4%d", i), GTIN: d.Lot.GTIN, Lot: d.Lot.Code, Run: kept.Goods.ID, N: i + 1, NetG: 500, State: state, Changed: now().Add(-96 * time.Hour)}
		kept.Items = append(kept.Items, it)
		w.items[it.Serial] = it
	}
	for _, err := range []error{
		db.SaveProduct(t.Context(), d.Product, w.by()), db.SaveLot(t.Context(), d.Lot, w.by()),
		db.Move(t.Context(), w.by(), func(context.Context, flow.Shelf) (flow.Kept, error) { return kept, nil }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	regions, err := scan.ParseRegions(strings.NewReader("203.0.113.0/24,01\n198.51.100.0/24,79\n"))
	if err != nil {
		t.Fatal(err)
	}
	at := now().Add(-72 * time.Hour)
	s := scan.New(scan.Options{Store: db, Limits: scan.Defaults(), Regions: regions, Keep: scan.Keep, Random: zeros{}, Now: now, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 14 {
		addr := fmt.Sprintf("8.8.8.%d", i)
		switch i % 3 {
		case 0:
			addr = fmt.Sprintf("203.0.113.%d", i)
		case 1:
			addr = fmt.Sprintf("198.51.100.%d", i)
		}
		s.Note(scan.Scanned{Code: kept.Items[0].Link().Path(), Addr: addr, Agent: "Mozilla/5.0 Zalo", At: at.Add(time.Duration(i) * 40 * time.Minute)})
	}
	for i := range 30 {
		s.Note(scan.Scanned{Code: fmt.Sprint("/01/09521234010036/10/X/21/", i), Addr: "203.0.113.200", Agent: "Mozilla/5.0", At: at.Add(time.Duration(i) * time.Second)})
	}
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	err = db.AddReport(t.Context(), scan.Report{
		ID: "01KB0000000000000000000002", Code: kept.Items[0].Link().Path(), What: "label", Where: "chợ Sặt, Hải Phòng", Note: "Hai gói <b>cùng</b> một số.", Contact: "0912 345 678", At: now().Add(-5 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, kept.Items
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// tells sends a form of somebody, and follows to what it leads to.
func (w *town) tells(role account.Role, path string, form url.Values) (status int, body, to string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.srv.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if sid := w.sids[role]; sid != "" {
		req.AddCookie(&http.Cookie{Name: w.sid, Value: sid})
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // a test's
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, html.UnescapeString(string(raw)), res.Header.Get("Location")
}

// views returns a page as somebody sees it.
func (w *town) views(t *testing.T, role account.Role, path string) (status int, body string) {
	t.Helper()
	header := http.Header{}
	if sid := w.sids[role]; sid != "" {
		header.Set("Cookie", w.sid+"="+sid)
	}
	res := get(t, w.srv, path, header)
	return res.status, html.UnescapeString(string(res.body))
}

func has(t *testing.T, where, body string, want ...string) {
	t.Helper()
	for _, x := range want {
		if !strings.Contains(body, x) {
			t.Errorf("%s does not say %q", where, x)
		}
	}
}

func TestScansPages_ShowWhatIsSuspiciousAndWhatToDo(t *testing.T) {
	w, items := scanned(t, "https://tx.example.vn")
	code := items[0].Link().Path()
	_, body := w.views(t, account.Inspector, "/scans")
	has(t, "/scans", body, "Cá rô phi", "7N3K5P0R2XA40", "14 máy đã mở mã này trong 30 ngày", "hiện ở hai tỉnh mà không ai đi kịp", "Hà Nội", "TP. Hồ Chí Minh", `<circle class="dot"`,
		"Hoàng Sa", "30 mã trong một giờ, 30 mã không có thật", "Người mua báo: 1 chưa xong")
	if strings.Contains(body, "/scans/shops") {
		t.Error("an inspector is led to where codes of shops are made")
	}
	of := "/scans/code?" + url.Values{"of": {code}}.Encode()
	_, body = w.views(t, account.Technician, of)
	has(t, of, body, "Vì sao đáng ngờ", "Nên làm gì", "đã giao cho nơi bán", "Ghi là đã bán", "Kết luận", `name="verdict" value="copy"`)
	if _, body := w.views(t, account.Inspector, of); strings.Contains(body, `name="verdict"`) {
		t.Error("an inspector may decide")
	}
	if status, _ := w.views(t, account.Technician, "/scans/code?of=/01/x"); status != 404 {
		t.Errorf("a code nobody scanned: %d", status)
	}
	if status, body, _ := w.tells(account.Technician, "/scans/code", url.Values{"of": {code}, "verdict": {"fine"}}); status != 422 || !strings.Contains(body, "xin ghi vì sao") {
		t.Errorf("without a reason: %d", status)
	}
	status, _, to := w.tells(account.Technician, "/scans/code", url.Values{"of": {code}, "verdict": {"fine"}, "note": {"Hội chợ ở Hải Phòng"}})
	if status != 303 || to != "/scans" {
		t.Errorf("decided: %d, %s", status, to)
	}
	if _, body := w.views(t, account.Technician, "/scans"); !strings.Contains(body, "Không có mã nào đáng ngờ") {
		t.Error("what is in order is still suspicious")
	}
	_, body = w.views(t, account.Technician, of)
	has(t, of, body, "Không có gì lạ", "Hội chợ ở Hải Phòng")
	if len(w.said) != 1 || w.said[0] != "changed "+code {
		t.Errorf("the public page is not told: %q", w.said)
	}
}

func TestReportsPage_IsAnsweredAndForgetsTheNumber(t *testing.T) {
	w, _ := scanned(t, "https://tx.example.vn")
	_, body := w.views(t, account.Technician, "/scans/reports")
	has(t, "/scans/reports", body, "Tem có vẻ bị sao chép", "chợ Sặt", "Hai gói <b>cùng</b> một số.", "0912 345 678")
	if _, body := w.views(t, account.Inspector, "/scans/reports"); strings.Contains(body, "0912") || !strings.Contains(body, "chợ Sặt") {
		t.Error("an inspector sees a buyer's number, or no report")
	}
	id := "01KB0000000000000000000002"
	if status, body, _ := w.tells(account.Technician, "/scans/reports", url.Values{"id": {id}, "answer": {" "}}); status != 422 || !strings.Contains(body, "xin ghi đã thấy gì") {
		t.Errorf("nothing was answered: %d", status)
	}
	if status, _, _ := w.tells(account.Technician, "/scans/reports", url.Values{"id": {id}, "answer": {"Đã gọi, đang hỏi nơi bán"}}); status != 303 {
		t.Errorf("answered: %d", status)
	}
	if status, _, _ := w.tells(account.Technician, "/scans/reports", url.Values{"id": {id}, "answer": {"Tem bị photo"}, "close": {"1"}}); status != 303 {
		t.Errorf("closed: %d", status)
	}
	_, body = w.views(t, account.Technician, "/scans/reports?closed=1")
	has(t, "closed", body, "Tem bị photo")
	if strings.Contains(body, "0912") {
		t.Error("the number of a closed report is kept")
	}
	if status, body, _ := w.tells(account.Technician, "/scans/reports", url.Values{"id": {id}, "answer": {"?"}}); status != 422 || !strings.Contains(body, "vừa được người khác khép lại") {
		t.Errorf("closed before: %d", status)
	}
}

func TestShops_SayWhatIsSold(t *testing.T) {
	w, items := scanned(t, "https://tx.example.vn")
	status, body, _ := w.tells(account.Technician, "/scans/shops", url.Values{"name": {"Cửa hàng Hạnh"}})
	_, code, ok := strings.Cut(body, `<code class="big">`)
	code, _, _ = strings.Cut(code, "<")
	if status != 200 || !ok || len(code) != 11 {
		t.Fatalf("%d: code %q", status, code)
	}
	if _, body := w.views(t, account.Technician, "/scans/shops"); strings.Contains(body, code) || !strings.Contains(body, "Cửa hàng Hạnh") {
		t.Error("a code is shown twice, or the shop is not")
	}
	path := items[1].Link().Path()
	_, body = w.views(t, "", path+"?sold")
	has(t, "?sold", body, items[1].Serial, "Mã cửa hàng do hợp tác xã cấp")
	for _, tc := range []struct {
		path, shop string
		status     int
		want       string
	}{
		{path, "000-000-000", 422, "không có cửa hàng nào mang mã này"},
		{path, code, 200, "Đã ghi: bán lúc 24/11/2026 07:40, Cửa hàng Hạnh."},
		{path, strings.ToLower(code), 200, "Đã ghi: bán lúc"},
		{items[2].Link().Path(), code, 422, "gói này đã hủy"},
		{w.demo.Lot.Link().Path(), code, 404, ""},
		{"/01/09521234010036/10/X/21/0000000000000", code, 404, ""},
	} {
		if status, body, _ := w.tells("", "/scan/sold", url.Values{"of": {tc.path}, "shop": {tc.shop}}); status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%+v: %d", tc, status)
		}
	}
	shops, err := w.book.Shops(t.Context())
	if err != nil || len(shops) != 1 || shops[0].Sold != 1 {
		t.Fatalf("%+v, %v", shops, err)
	}
	other := "/scans/shops/revoke"
	if status, _, _ := w.tells(account.Technician, other, url.Values{"id": {shops[0].ID}}); status != 303 {
		t.Errorf("revoked: %d", status)
	}
	if status, _, _ := w.tells("", "/scan/sold", url.Values{"of": {items[0].Link().Path()}, "shop": {code}}); status != 422 {
		t.Errorf("a code that is not used any more: %d", status)
	}
	// staff say it themselves, and take it back
	if status, _, _ := w.tells(account.Technician, "/scans/sold", url.Values{"of": {items[0].Link().Path()}}); status != 303 {
		t.Errorf("staff: %d", status)
	}
	of := "/scans/code?" + url.Values{"of": {items[0].Link().Path()}}.Encode()
	_, body = w.views(t, account.Technician, of)
	has(t, of, body, "đã bán", "Bỏ ghi đã bán")
	if status, _, _ := w.tells(account.Technician, "/scans/sold", url.Values{"of": {items[0].Link().Path()}, "undo": {"1"}}); status != 303 {
		t.Errorf("undo: %d", status)
	}
	if _, sold, err := w.book.Sale(t.Context(), items[0].Serial); sold || err != nil {
		t.Errorf("still sold, %v", err)
	}
}

func TestWhere_IsAskedOfReaders(t *testing.T) {
	w, items := scanned(t, "https://tx.example.vn")
	path := items[1].Link().Path()
	_, body := w.views(t, "", path+"?where")
	has(t, "?where", body, "Bạn đang ở tỉnh nào?", `<option value="33">Hưng Yên</option>`, "Nước ngoài", "Không lưu địa chỉ mạng")
	if n := strings.Count(body, "<option"); n != 36 {
		t.Errorf("%d choices", n)
	}
	status, _, to := w.tells("", "/scan/where", url.Values{"of": {path}, "province": {"33"}})
	if status != 303 || to != path || len(w.said) != 1 || w.said[0] != "33 "+path {
		t.Errorf("%d to %q, said %q", status, to, w.said)
	}
	for _, bad := range []url.Values{{"of": {path}, "province": {"02"}}, {"of": {"//evil.example"}, "province": {"33"}}} {
		if status, _, to := w.tells("", "/scan/where", bad); status != 404 || to != "" {
			t.Errorf("%v: %d to %q", bad, status, to)
		}
	}
	if status, _ := w.views(t, "", "/01/09521234010036/10/NONE?where"); status != 404 {
		t.Errorf("a code nobody issued: %d", status)
	}
	before := len(w.scanned)
	w.views(t, "", "/01/09521234010036/10/NONE/21/0000000000000")
	if len(w.scanned) != before+1 {
		t.Error("who opens a code that nobody issued is not noted")
	}
}

func TestBrowser_Scans(t *testing.T) {
	axe := parttest.Axe(t)
	w, items := scanned(t, "http://127.0.0.1")
	if err := w.book.AddShop(t.Context(), scan.Shop{ID: "s-1", Name: "Cửa hàng thực phẩm sạch Hạnh, chợ Sặt"}, "X", w.by()); err != nil {
		t.Fatal(err)
	}
	item := items[1].Link().Path()
	b := w.signedIn(browser(t), account.Technician)
	for name, path := range map[string]string{
		"scans": "/scans", "scan-code": "/scans/code?" + url.Values{"of": {items[0].Link().Path()}}.Encode(), "scan-reports": "/scans/reports", "scan-shops": "/scans/shops",
		"scan-where": item + "?where", "scan-sold": item + "?sold", "scan-item": item,
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
