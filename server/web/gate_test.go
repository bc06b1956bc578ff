package web_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/parttest"
)

// treated puts a treatment on record that ended so many days ago; its input asks for 21.
func (w *town) treated(days int) string {
	at := now().AddDate(0, 0, -days)
	e := diary.Event{
		ID: "01KAEZ00000000000000000001", Kind: diary.Treatment, Place: own, Cycle: "cyc0000001", Actor: "u-AAAAAAAA", Occurred: at, Recorded: at, Synced: at,
		Values: form.Values{"input": "inp0000002", "amount": 200.0, "reason": "đốm đỏ"},
	}
	w.book.put(e)
	return e.ID
}

func TestGates_TheFarmerSeesFromWhenItMayBeHarvested(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	id := w.treated(12) // 12/11; the waiting days are 13/11 to 03/12
	for _, path := range []string{"/p/" + own, "/places/" + own} {
		page := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, path, nil, nil).body))
		for _, want := range []string{"Thu hoạch được từ 04/12/2026 – do dùng Oxytetracyclin 20 % đến ngày 12/11/2026, phải ngưng thuốc 21 ngày", "còn 10 ngày", `href="/diary/` + id + `"`, "chưa ghi thả giống"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
		if en := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, path+"?lang=en", nil, nil).body)); !strings.Contains(en, "Harvest from 04/12/2026 – because of Oxytetracyclin 20 %") {
			t.Errorf("%s in English", path)
		}
	}
	for kind, want := range map[string]bool{"harvest": true, "feed": false} {
		page := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, "/p/"+own+"/log/"+kind, nil, nil).body))
		if strings.Contains(page, "Thu hoạch được từ 04/12/2026") != want || strings.Contains(page, "lô sẽ bị giữ lại") != want {
			t.Errorf("the form of %s: want the date and what it means: %v", kind, want)
		}
	}
	if page := html.UnescapeString(string(w.as(account.Inspector, http.MethodGet, "/places/"+own, nil, nil).body)); !strings.Contains(page, "Thu hoạch được từ 04/12/2026") {
		t.Error("an inspector is not told")
	}
}

func TestGates_WhenWaitingIsOverThatIsSaid(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.treated(22)
	if page := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, "/p/"+own, nil, nil).body)); !strings.Contains(page, "Đã hết thời gian cách ly từ 24/11/2026, thu hoạch được.") {
		t.Error("the page does not say that waiting is over")
	}
}

func TestAPIGates(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	id := w.treated(12)
	var out struct {
		Harvests []gate.Harvest
		Findings []struct {
			Rule, Level, Cause, Text string
			Clears                   time.Time
		}
	}
	res := w.as(account.Farmer, http.MethodGet, "/api/gates?place="+own, nil, nil)
	if err := json.Unmarshal(res.body, &out); err != nil || res.status != http.StatusOK {
		t.Fatal(res.status, err)
	}
	until := time.Date(2026, 12, 4, 0, 0, 0, 0, now().Location())
	if len(out.Harvests) != 1 || !out.Harvests[0].From.Equal(until) || out.Harvests[0].Cause != id {
		t.Errorf("%+v", out.Harvests)
	}
	if f := out.Findings[0]; f.Rule != "withdrawal" || f.Level != "block" || f.Cause != id || !f.Clears.Equal(until) || !strings.HasPrefix(f.Text, "Thu hoạch được từ 04/12/2026") {
		t.Errorf("%+v", f)
	}
	if res := w.as(account.Farmer, http.MethodGet, "/api/gates?place="+foreign, nil, nil); res.status != http.StatusNotFound {
		t.Errorf("somebody else's: %d", res.status)
	}
}

func TestAPIActives_WarnsWhileTyping(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	type hit struct {
		Name, Scope, Text string
		Blocks            bool
	}
	ask := func(text, branch string) (int, []hit) {
		t.Helper()
		var out struct{ Actives []hit }
		res := w.as(account.Farmer, http.MethodGet, "/api/actives?"+url.Values{"text": {text}, "branch": {branch}}.Encode(), nil, nil)
		if err := json.Unmarshal(res.body, &out); err != nil {
			t.Fatalf("%q: %v", res.body, err)
		}
		return res.status, out.Actives
	}
	for _, c := range []struct {
		text, branch string
		want         []hit
	}{
		{"xanh malachit", "fish", []hit{{"Malachite green", "aquaculture", "Malachite green là chất cấm dùng trong nuôi trồng thủy sản (TT 10/2016/TT-BNNPTNT, cần xác nhận). Dùng là lô bị giữ lại.", true}}},
		{"deltamethrin", "crop", []hit{{"Deltamethrin", "drift", "Deltamethrin rất độc với cá: không phun gần ao, không rửa bình xuống ao, mương.", false}}},
		{"enrofloxaxin", "fish", []hit{{"Enrofloxacin", "aquaculture", "Có thể là Enrofloxacin, chất bị cấm (TT 10/2016/TT-BNNPTNT, cần xác nhận). Xem lại nhãn.", false}}},
		{"vôi bột", "fish", []hit{}},
		{"", "fish", []hit{}},
	} {
		if status, got := ask(c.text, c.branch); status != http.StatusOK || !slices.Equal(got, c.want) {
			t.Errorf("%s for %s: %d, %+v", c.text, c.branch, status, got)
		}
	}
	for text, branch := range map[string]string{"x": "sea", strings.Repeat("ă", 401): "fish"} {
		if status, _ := ask(text, branch); status != http.StatusBadRequest {
			t.Errorf("%.10s for %s: %d", text, branch, status)
		}
	}
}

// troubled puts a season with everything on record that the gates complain of.
func (w *town) troubled() {
	w.treated(12)
	w.t.Helper()
	by := w.by()
	for _, rec := range []farm.Record{
		{Kind: farm.Input, ID: "inp0000004", Values: form.Values{"name": "Karate 2.5EC", "type": "pesticide", "unit": "ml", "actives": []string{"lambda-cyhalothrin"}, "phi_days": 7.0}},
		{Kind: farm.Input, ID: "inp0000005", Values: form.Values{"name": "Trị nấm xanh", "type": "drug", "unit": "g", "actives": []string{"malachite green"}}},
		{Kind: farm.Certificate, ID: "cer0000001", Values: form.Values{"scheme": "vietgap", "standard": "TCVN 13528-1", "number": "VG-2026-011", "issuer": "X", "products": []string{"prd0000001"}, "places": []string{own}, "from": "2025-12-01", "to": "2026-12-10"}},
	} {
		if _, err := w.book.SaveRecord(w.t.Context(), rec, by); err != nil {
			w.t.Fatal(err)
		}
	}
	add := func(n int, kind, place string, days int, v form.Values) {
		at := now().AddDate(0, 0, -days)
		w.book.put(diary.Event{ID: fmt.Sprintf("01KAEZ%020d", n), Kind: kind, Place: place, Actor: "u-AAAAAAAA", Occurred: at, Recorded: at, Synced: at, Values: v})
	}
	add(10, diary.Receipt, "", 90, form.Values{"input": "inp0000001", "amount": 500.0, "lot": "CC-0826", "expiry": "2027-02-28"})
	add(11, diary.Receipt, "", 90, form.Values{"input": "inp0000002", "amount": 150.0, "lot": "OX1", "expiry": "2026-10-31"})
	add(12, diary.Feeding, own, 2, form.Values{"input": "inp0000001", "amount": 12.5, "lot": "CC-0826"})
	add(13, diary.Treatment, own, 20, form.Values{"input": "inp0000005", "amount": 50.0, "reason": "nấm"})
	add(14, diary.Spraying, "WW08G83KH", 3, form.Values{"input": "inp0000004", "amount": 100.0, "pest": "sâu"})
}

func TestGatesPage_TellsStaffOfTheWholeCoop(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.troubled()
	page := html.UnescapeString(string(w.as(account.Technician, http.MethodGet, "/gates", nil, nil).body))
	for _, want := range []string{
		"Chưa được, chưa biết đến ngày nào", "Giấy chứng nhận VietGAP số VG-2026-011 hết hạn ngày 10/12/2026 (còn 16 ngày).", `href="/farm/certificate/cer0000001"`,
		"Có chất cấm Malachite green trong Trị nấm xanh", "Kho không khớp: Oxytetracyclin 20 %, lô (không ghi), dùng nhiều hơn nhập 50 g.", "lô CC-0826 · hạn 28/02/2027", "487,5\u00a0kg", "Từ 29/11/2026",
		"Lambda-cyhalothrin rất độc với cá, đã phun ở Ruộng khoai 1, chỉ cách ao 44 m",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if res := w.as(account.Farmer, http.MethodGet, "/gates", nil, nil); res.status != http.StatusForbidden {
		t.Errorf("a farmer: %d", res.status)
	}
	for kind, want := range map[string]string{"treatment": ">CHẤT CẤM – Trị nấm xanh", "env_product": "Vôi bột"} {
		if form := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, "/p/"+own+"/log/"+kind, nil, nil).body)); !strings.Contains(form, want) || strings.Contains(form, "CHẤT CẤM – Oxy") {
			t.Errorf("the form %s does not offer %q", kind, want)
		}
	}
	input := html.UnescapeString(string(w.as(account.Technician, http.MethodGet, "/farm/input/inp0000005", nil, nil).body))
	if !strings.Contains(input, "Malachite green là chất cấm") {
		t.Error("the input's own page does not warn")
	}
}

func TestBrowser_Gates(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	w.troubled()
	b := w.signedIn(browser(t), account.Technician)
	for name, path := range map[string]string{"gates": "/gates", "gates-place": "/places/" + own, "gates-spot": "/p/" + own, "gates-input": "/farm/input/inp0000005"} {
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
	// While it is typed.
	visit(b, desk(), w.srv.URL+"/farm/input/new")
	b.do("type", chromedp.SendKeys(chromedp.CSS("input[name=name]"), "Enro-floxacine 20"), chromedp.WaitVisible(chromedp.CSS("#actives .danger")))
	b.until("said", `document.getElementById("actives").textContent.includes("Enrofloxacin là chất cấm")`)
	shoot(b, "gates-typing")
}

// A harvest within the waiting days holds its lot: everybody is told, and somebody else lets it go, by pages alone.
func TestLots_AHeldLotIsShownAndReleasedByASecondPerson(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	cause := w.treated(12)
	path := "/p/" + own + "/log/harvest"
	idOf := func(role account.Role, path string) string {
		id := regexp.MustCompile(`name="id" value="([0-9A-Z]{26})"`).FindStringSubmatch(string(w.as(role, http.MethodGet, path, nil, nil).body))
		if id == nil {
			t.Fatalf("no form at %s", path)
		}
		return id[1]
	}
	harvest := idOf(account.Farmer, path)
	if res := w.as(account.Farmer, http.MethodPost, path, url.Values{"id": {harvest}, "cycle": {"cyc0000001"}, "kg": {"500"}}, nil); res.status != http.StatusSeeOther {
		t.Fatalf("harvest: %d %.300s", res.status, res.body)
	}
	entry := "/diary/" + harvest
	page := html.UnescapeString(string(w.as(account.Technician, http.MethodGet, entry, nil, nil).body))
	to := regexp.MustCompile(`href="(/p/` + own + `/log/release\?lot=([^"]+))"`).FindStringSubmatch(page)
	if to == nil || !strings.Contains(page, "đang bị giữ") || !strings.Contains(page, "/diary/"+cause) {
		t.Fatalf("the harvest does not say what holds it, or how it is let go: %.3000s", page)
	}
	for _, who := range []struct {
		role account.Role
		path string
	}{{account.Farmer, entry}, {account.Farmer, "/p/" + own}, {account.Inspector, entry}, {account.Inspector, "/gates"}, {account.Technician, "/gates"}} {
		page := html.UnescapeString(string(w.as(who.role, http.MethodGet, who.path, nil, nil).body))
		if !strings.Contains(page, to[2]) || !strings.Contains(page, "bị giữ") {
			t.Errorf("%s at %s is not told", who.role, who.path)
		}
		if may := strings.Contains(page, "/log/release"); may != (who.role == account.Technician) {
			t.Errorf("%s at %s: led to the release: %t", who.role, who.path, may)
		}
	}
	release := "/p/" + own + "/log/release"
	form := url.Values{"id": {"01KBAAAAAAAAAAAAAAAAAAAAAR"}, "lot_code": {to[2]}, "reason": {"đã kiểm dư lượng, phiếu 12"}}
	if res := w.as(account.Farmer, http.MethodPost, release, form, nil); res.status != http.StatusNotFound {
		t.Errorf("a farmer lets it go: %d", res.status)
	}
	form.Set("id", idOf(account.Technician, to[1]))
	form.Del("reason")
	if res := w.as(account.Technician, http.MethodPost, release, form, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", res.status)
	}
	form.Set("reason", "đã kiểm dư lượng, phiếu 12")
	if res := w.as(account.Technician, http.MethodPost, release, form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("release: %d %.2000s", res.status, res.body)
	}
	page = html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, entry, nil, nil).body))
	if !strings.Contains(page, "được bán") || !strings.Contains(page, "Ai cho bán, vì sao") || strings.Contains(page, "đang bị giữ") {
		t.Error("the harvest does not say that its lot was let go")
	}
	why := "/diary/" + form.Get("id")
	if !strings.Contains(page, why) || !strings.Contains(string(w.as(account.Farmer, http.MethodGet, why, nil, nil).body), "phiếu 12") {
		t.Error("the harvest does not lead to why")
	}
	lots := string(w.as(account.Inspector, http.MethodGet, "/book/cyc0000001", nil, nil).body)
	if _, lots, _ = strings.Cut(lots, "Các lô đã mở"); !strings.Contains(lots, to[2]) || !regexp.MustCompile(`<td>24/11/2026 [0-9:]+, [^<]*: đã kiểm dư lượng, phiếu 12</td>`).MatchString(lots) {
		t.Errorf("the book does not say who let it go, and why: %.1500s", lots)
	}
}
