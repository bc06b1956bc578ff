package web_test

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/form"
	"aovuon/server/parttest"
)

// sick puts reports on record: three ponds beside each other, a plot, and what is too old or too little.
func (w *town) sick() {
	n := 0
	add := func(kind, place string, days int, v form.Values) {
		at := now().AddDate(0, 0, -days)
		n++
		w.book.put(diary.Event{ID: fmt.Sprintf("01KAEZP0000000000000000%03d", n), Kind: kind, Place: place, Values: v, Actor: "u-AAAAAAAA", Occurred: at, Recorded: at, Synced: at})
	}
	add("health", "CSSHRYF9K", 60, form.Values{"signs": "trắng đuôi"})
	add("mortality", "CSSHRYF9K", 20, form.Values{"count": 30.0, "signs": "thiếu oxy"})
	add("health", own, 4, form.Values{"signs": "đốm đỏ trên thân", "affected_pct": 3.0})
	add("mortality", "CSSHRYF9K", 2, form.Values{"count": 14.0, "signs": "xuất huyết gốc vây"})
	add("mortality", foreign, 1, form.Values{"count": 9.0, "signs": "lồi mắt <b>"})
	add("mortality", "E8SG6VC0T", 1, form.Values{"count": 2.0})
	add("scouting", khoai1, 3, form.Values{"pest": "rệp", "affected_pct": 2.5})
}

func TestPestsPage_StaffSeeAll(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.sick()
	page := strings.Join(strings.Fields(html.UnescapeString(string(w.as(account.Technician, http.MethodGet, "/pests", nil, nil).body))), " ")
	for _, want := range []string{
		"Lan nhiều nơi: cá bệnh, cá chết (3 nơi gần nhau)", "Ghi từ 20/11/2026 đến 23/11/2026", "đốm đỏ trên thân", "14 con chết", "9 con chết", "2,5 % bị", "rệp (1)", "Không lấy nước chung mương",
		`class="ground warned"`, `class="ground noted"`, `class="ground pond"`, "4 trên 7 ao, ruộng có ghi sâu bệnh", "Ruộng khoai 1: 1 lần ghi", "lồi mắt <b>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(string(w.as(account.Technician, http.MethodGet, "/pests", nil, nil).body), "mắt <b>") {
		t.Error("what people wrote is not escaped")
	}
	if strings.Contains(page, "trắng đuôi") || strings.Contains(page, "30 con") {
		t.Error("ten days hold what is older")
	}
	month := html.UnescapeString(string(w.as(account.Inspector, http.MethodGet, "/pests?days=30&lang=en", nil, nil).body))
	if !strings.Contains(month, "30 dead") || strings.Contains(month, "trắng đuôi") || !strings.Contains(month, "Spreading: sick or dead fish (3 places") {
		t.Error("thirty days, in English")
	}
	only := html.UnescapeString(string(w.as(account.Technician, http.MethodGet, "/pests?of=rep", nil, nil).body))
	if strings.Contains(only, "con chết") || !strings.Contains(only, "rệp") {
		t.Error("one subject alone")
	}
}

// A farmer sees the own reports, and that others have the same, but not who.
func TestPestsPage_AFarmerSeesTheOwn(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.sick()
	page := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, "/pests", nil, nil).body))
	for _, want := range []string{"Lan nhiều nơi: cá bệnh, cá chết (3 nơi gần nhau)", "và 2 nơi khác", "đốm đỏ trên thân", `/p/` + own + `/log/mortality`, "1 trên 1 ao"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, not := range []string{"Ao 2", "Ao 3", "Ruộng", "xuất huyết", "rệp", foreign} {
		if strings.Contains(page, not) {
			t.Errorf("a farmer reads %q of others", not)
		}
	}
	if res := w.as(account.Public, http.MethodGet, "/pests", nil, nil); res.status != http.StatusSeeOther {
		t.Errorf("a stranger: %d", res.status)
	}
}

func TestPestsPage_Nothing(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	if page := string(w.as(account.Technician, http.MethodGet, "/pests?days=x&of=y", nil, nil).body); !strings.Contains(page, "Không ghi chưa chắc là không có.") || strings.Contains(page, "gần nhau)</h2>") {
		t.Error("an empty page")
	}
}

func TestBrowser_Pests(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	w.sick()
	b := w.signedIn(browser(t), account.Technician)
	for _, shade := range []string{"light", "dark"} {
		b.do(shade, scheme(shade))
		visit(b, chromedp.EmulateViewport(360, 2400, chromedp.EmulateScale(2)), w.srv.URL+"/pests?days=30")
		if complaints := axe(b.ctx); complaints != "" {
			t.Errorf("%s: %s", shade, complaints)
		}
		if wide := ask1(b, "wide", evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
			t.Errorf("%d px wide", wide)
		}
		shoot(b, "pests-"+shade)
	}
}
