package web_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/diary/assess"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/parttest"
	"aovuon/server/watch/blight"
)

const khoai1, khoai2 = "WW08G83KH", "77S9RTVPH"

// blightDesk is the watch over a town's plots.
type blightDesk struct {
	*blight.Watch
	gates *assess.Assessor
}

func newBlightDesk(w *town) blightDesk {
	return blightDesk{blight.New(w.book, w), &assess.Assessor{Book: w.book, Settings: gate.Defaults(), Now: now}}
}

func (b blightDesk) Chooser(ctx context.Context) (blight.Chooser, error) {
	c, err := b.gates.Case(ctx, "")
	return blight.NewChooser(c), err
}

// blightAccess says who may read of late blight, of pests, and what the loudspeaker reads out.
func blightAccess() map[string]string {
	return map[string]string{"GET /blight": "atfi", "GET /pests": "atfi", "GET /bulletin": "ati", "GET /bulletin.txt": "ati"}
}

// potatoes puts two seasons of potato on record: one that was sprayed and rained upon, one that nobody cared for.
func (w *town) potatoes() {
	w.t.Helper()
	for _, rec := range []farm.Record{
		{Kind: farm.Cycle, ID: "cyc0000011", Values: form.Values{"name": "Khoai tây ruộng 1", "place": khoai1, "branch": "crop", "species": "khoai tây", "variety": "Solara", "season": "vụ đông 2026", "begin": "2026-10-20", "end": "2026-12-05"}},
		{Kind: farm.Cycle, ID: "cyc0000012", Values: form.Values{"name": "Khoai tây ruộng 2", "place": khoai2, "branch": "crop", "species": "khoai tây", "variety": "Marabel", "season": "vụ đông 2026", "begin": "2026-09-20", "blight_class": "s"}},
		{Kind: farm.Input, ID: "inp0000021", Values: form.Values{"name": "Mancozeb 80 WP", "type": "pesticide", "unit": "kg", "actives": []string{"mancozeb"}, "phi_days": 14.0, "registration_no": "BVTV-1", "valid_to": "2030-01-01"}},
		{Kind: farm.Input, ID: "inp0000022", Values: form.Values{"name": "Cymoxanil 72 WP", "type": "pesticide", "unit": "kg", "actives": []string{"cymoxanil"}, "phi_days": 7.0, "registration_no": "BVTV-2", "valid_to": "2030-01-01"}},
		{Kind: farm.Input, ID: "inp0000023", Values: form.Values{"name": "Dimethomorph 50 WP", "type": "pesticide", "unit": "g", "actives": []string{"dimethomorph"}}},
	} {
		if _, err := w.book.SaveRecord(w.t.Context(), rec, w.by()); err != nil {
			w.t.Fatal(err)
		}
	}
	n := 0
	add := func(kind, place string, days int, v form.Values) {
		at := now().AddDate(0, 0, -days)
		n++
		w.book.put(diary.Event{ID: fmt.Sprintf("01KAEZB0000000000000000%03d", n), Kind: kind, Place: place, Values: v, Actor: "u-AAAAAAAA", Occurred: at, Recorded: at, Synced: at})
	}
	add(diary.Planting, khoai1, 33, form.Values{"density_m2": 5.0}) // 22/10
	add(diary.Receipt, "", 30, form.Values{"input": "inp0000021", "amount": 5.0, "lot": "L1", "expiry": "2028-01-01"})
	add(diary.Spraying, khoai1, 9, form.Values{"input": "inp0000021", "amount": 1.5, "lot": "L1", "pest": "mốc sương"})
	add(diary.Spraying, khoai1, 4, form.Values{"input": "inp0000021", "amount": 0.1, "lot": "L1", "pest": "mốc sương"})
	for d := 3; d >= 1; d-- {
		add("weather", "", d, form.Values{"sky": "rain", "rain_mm": float64(d)})
	}
	add("scouting", khoai2, 2, form.Values{"pest": "mốc sương", "affected_pct": 3.5})
}

func TestBlightPage_RanksPlotsAndSaysWhy(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.potatoes()
	res := w.as(account.Technician, http.MethodGet, "/blight", nil, nil)
	page := strings.Join(strings.Fields(html.UnescapeString(string(res.body))), " ")
	for _, want := range []string{
		"Cần phun", "Ngày 22/11/2026 đã thấy mốc sương trên ruộng, khoảng 3,5 % số cây.", "Ngắt bỏ lá bệnh đem chôn", "(giống: Nhiễm nặng)",
		"Từ lần phun 20/11/2026 thời tiết đã cộng", "Mới phun được 4 ngày", `href="/farm/cycle/cyc0000011"`, "từ 05/11/2026 (14 ngày sau trồng 22/10/2026)", "Mancozeb 80 WP",
		"Thu hoạch sớm nhất từ 09/12/2026", "Thu hoạch sớm nhất từ 02/12/2026", "Chưa biết, vì chưa nhập thời gian cách ly trên nhãn", "Sau ngày kết thúc vụ đã định (05/12/2026).", "còn 3,4 kg",
		"Solara: nhiễm trung bình (chưa ghi, tạm tính)", "chưa phun lần nào",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Index(page, `id="b-`+khoai2) > strings.Index(page, `id="b-`+khoai1) {
		t.Error("the plot with disease does not stand first")
	}
	if strings.Count(page, `<th scope="row">`) != 14+14 {
		t.Errorf("%d days", strings.Count(page, `<th scope="row">`))
	}
	all := string(w.as(account.Technician, http.MethodGet, "/blight?days=all", nil, nil).body)
	if strings.Count(all, `<th scope="row">`) != 20+52 {
		t.Errorf("%d days of all", strings.Count(all, `<th scope="row">`))
	}
	en := html.UnescapeString(string(w.as(account.Inspector, http.MethodGet, "/blight?lang=en", nil, nil).body))
	if !strings.Contains(en, "Harvest from 09/12/2026 at the earliest") || strings.Contains(en, "Log a spray") {
		t.Error("in English, to an inspector")
	}
}

// The page of a plot says what the board holds of it, to those who read the diary.
func TestBlightPanel_OnThePlotsPage(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", true)
	w.judged()
	page := html.UnescapeString(string(w.as(account.Technician, http.MethodGet, "/places/"+khoai1, nil, nil).body))
	for _, want := range []string{"Mốc sương khoai tây", "Cần làm ngay hôm nay", "Phun phòng mốc sương", `href="/blight#b-` + khoai1 + `"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if page := string(w.as(account.Public, http.MethodGet, "/places/"+khoai1, nil, nil).body); strings.Contains(page, "Mốc sương") {
		t.Error("a stranger reads what comes from the diary")
	}
	if page := string(w.as(account.Farmer, http.MethodGet, "/places/"+own, nil, nil).body); strings.Contains(page, "note.") || strings.Contains(page, "lan nhiều nơi") {
		t.Error("what is calm is said")
	}
}

// A farmer sees the own plots and no other; a co-op without potato is told what to do.
func TestBlightPage_OwnPlots(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	page := string(w.as(account.Technician, http.MethodGet, "/blight", nil, nil).body)
	if !strings.Contains(page, "Ruộng khoai 1") || !strings.Contains(page, "chưa mở vụ nào") {
		t.Error("plots without a season are not said to have none")
	}
	w.potatoes()
	page = string(w.as(account.Farmer, http.MethodGet, "/blight", nil, nil).body)
	if strings.Contains(page, "Ruộng khoai") || !strings.Contains(page, "Chưa có ruộng khoai tây nào") {
		t.Error("a farmer of ponds sees plots of others")
	}
	if res := w.as(account.Public, http.MethodGet, "/blight", nil, nil); res.status != http.StatusSeeOther {
		t.Errorf("a stranger: %d", res.status)
	}
}

func TestBlightPage_HistoryDown(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.potatoes()
	w.setFailing(true)
	if res := w.as(account.Technician, http.MethodGet, "/blight", nil, nil); res.status != http.StatusServiceUnavailable || strings.Contains(string(res.body), "secret-dsn") {
		t.Errorf("%d", res.status)
	}
}

func TestBrowser_Blight(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	w.potatoes()
	b := w.signedIn(browser(t), account.Technician)
	for _, shade := range []string{"light", "dark"} {
		b.do(shade, scheme(shade))
		visit(b, chromedp.EmulateViewport(360, 2400, chromedp.EmulateScale(2)), w.srv.URL+"/blight")
		ask1(b, "open", evaluate[int](`[...document.querySelectorAll("main details")].map(d => d.open = true).length`))
		if complaints := axe(b.ctx); complaints != "" {
			t.Errorf("%s: %s", shade, complaints)
		}
		if wide := ask1(b, "wide", evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
			t.Errorf("%d px wide", wide)
		}
		if shade == "light" {
			shoot(b, "blight")
			b.do("desk", chromedp.EmulateViewport(1440, 2000))
			shoot(b, "blight-desk")
		}
	}
}
