package web_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
)

// season puts the demo's season on record.
func (w *town) season() {
	w.t.Helper()
	d, err := diary.Demo(w.farm, now())
	if err != nil {
		w.t.Fatal(err)
	}
	w.book.keepSeason(w.t, d)
}

// The book of a season is for those who may read its place, in three forms that say the same.
func TestBook_IsForThoseWhoMayReadThePlace(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.season()
	list := string(w.as(account.Inspector, http.MethodGet, "/book", nil, nil).body)
	for _, want := range []string{"Rô phi ao 1", "Khoai tây ruộng 2", "/book/demo-thuoc1?standard=organic"} {
		if !strings.Contains(list, want) {
			t.Errorf("inspector's list: no %q", want)
		}
	}
	list = string(w.as(account.Farmer, http.MethodGet, "/book", nil, nil).body)
	if !strings.Contains(list, "/book/demo-ao1?") || strings.Contains(list, "demo-ao3") {
		t.Error("a farmer's list is not that of the own places")
	}
	for path, want := range map[string]int{
		"/book/demo-ao1": 200, "/book/demo-ao1?standard=vietgap-fish": 200, "/book/demo-ao1.pdf": 200, "/book/demo-ao1.xlsx": 200, "/book/demo-ao3": 404, "/book/demo-ao3.pdf": 404,
		"/book/none": 404, "/book/demo-ao1?standard=gacp": 404, "/book/demo-ao1.pdf?standard=gacp": 404,
	} {
		res := w.as(account.Farmer, http.MethodGet, path, nil, nil)
		if res.status != want {
			t.Errorf("%s: %d, want %d", path, res.status, want)
		}
		begins := map[bool]string{strings.Contains(path, ".pdf"): "%PDF-", strings.Contains(path, ".xlsx"): "PK\x03\x04"}[true]
		if want == 200 && !bytes.HasPrefix(res.body, []byte(begins)) {
			t.Errorf("%s begins with %.10q", path, res.body)
		}
	}
}

// A page shows what was corrected and taken back, where time is without an entry, and the way to every entry. Prices are in no book.
func TestBook_ShowsChangesGapsAndSources(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.season()
	one := string(w.as(account.Inspector, http.MethodGet, "/book/demo-ao1", nil, nil).body)
	for _, want := range []string{"<del>50</del>", "gõ thừa số 0", "ghi nhầm ao, đã ghi lại ở ao 2", `class="voided"`, "/diary/01", "máy chủ nhận lúc", "TCVN 13528-1:2022"} {
		if !strings.Contains(one, want) {
			t.Errorf("ao1: no %q", want)
		}
	}
	if strings.Contains(one, "34.000") || strings.Contains(one, "34000") {
		t.Error("the book shows a price")
	}
	three := string(w.as(account.Inspector, http.MethodGet, "/book/demo-ao3", nil, nil).body)
	if !strings.Contains(three, "Không có ghi chép từ 15/10/2026 đến 18/10/2026 (4 ngày)") {
		t.Error("ao3: the gap is not said")
	}
	if !strings.Contains(three, "chưa có giấy chứng nhận") {
		t.Error("ao3: nothing says that it is not certified")
	}
}

func TestBrowser_Books(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	w.season()
	b := w.signedIn(browser(t), account.Inspector)
	for name, path := range map[string]string{"books": "/book", "book": "/book/demo-ao1", "book-table": "/book/demo-ao1#health", "book-gap": "/book/demo-ao3#feed"} {
		for _, shade := range []string{"light", "dark"} {
			for screen, view := range map[string]step{"phone": phone(), "desk": desk()} {
				b.do(name, view, scheme(shade))
				visit(b, view, w.srv.URL+path)
				// Thousands of cells: seconds each. "#health" is further down on a page that was asked; colours do not change with the width, nor the layout with the colours.
				if !strings.Contains(path, "#health") && (shade == "light") == (screen == "phone") {
					if complaints := axe(b.ctx); complaints != "" {
						t.Errorf("%s, %s, %s: %s", name, shade, screen, complaints)
					}
				}
				if wide := ask1(b, name, evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); wide {
					t.Errorf("%s, %s: wider than the screen", name, screen)
				}
				if shade == "light" {
					shoot(b, name+"-"+screen)
				}
			}
		}
	}
}

// keepSeason keeps the demo's register and entries.
func (b *townBook) keepSeason(t testing.TB, d diary.DemoSeason) {
	t.Helper()
	if _, err := b.SaveRecords(t.Context(), d.Records, ledger.By{Actor: ledger.Operator, At: now()}); err != nil {
		t.Fatal(err)
	}
	for _, x := range d.Entries {
		e := x.Event
		e.Actor, e.Synced = x.Actor, x.Came
		b.put(e)
	}
}
