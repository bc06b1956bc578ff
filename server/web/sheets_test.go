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
	"aovuon/server/farm"
	"aovuon/server/parttest"
)

// sendFile sends a form with a file; without a name there is none.
func (w *town) sendFile(role account.Role, path, name, content string, fields map[string]string) got {
	w.t.Helper()
	form := url.Values{}
	for k, v := range fields {
		form.Set(k, v)
	}
	if name == "" {
		return w.postParts(role, path, form, "file", name)
	}
	return w.postParts(role, path, form, "file", name, content)
}

// hidden are the hidden fields of the form that applies.
func hidden(page string) map[string]string {
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="(raw|name|sum)" value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

const inputsFile = "Tên;Loại vật tư;Đơn vị tính;Hoạt chất;Số ngày ngừng thuốc trước khi thu cá (theo nhãn)\n"

func TestImport_ShowsEveryProblemAndSavesNothing(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	res := w.sendFile(account.Technician, "/farm/input/import", "vật tư.csv", inputsFile+"A;thuốc lá;kg;;\nB;Vôi;kg;;ba tuần\nC;;kg;;\nD;Vôi;kg;;\n", nil)
	page := html.UnescapeString(string(res.body))
	if res.status != http.StatusUnprocessableEntity || strings.Contains(page, `name="sum"`) {
		t.Fatalf("%d: %.2000s", res.status, page)
	}
	for _, want := range []string{"vật tư.csv", "Dòng 2 · Loại vật tư", "thuốc lá", "Không có lựa chọn này", "Dòng 3 · Số ngày ngừng thuốc", "ba tuần", "Không phải số", "Dòng 4 · Loại vật tư", "Chưa điền"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not said", want)
		}
	}
	res = w.sendFile(account.Technician, "/farm/input/import", "cũ.csv", "T\xean;phone\n", nil)
	if page := html.UnescapeString(string(res.body)); res.status != http.StatusUnprocessableEntity || !strings.Contains(page, "CSV UTF-8") {
		t.Errorf("an old file: %d", res.status)
	}
	if res := w.sendFile(account.Technician, "/farm/input/import", "", "", nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("no file: %d", res.status)
	}
	if res := w.sendFile(account.Inspector, "/farm/input/import", "a.csv", inputsFile+"E;Vôi;kg;;\n", nil); res.status == http.StatusOK {
		t.Error("an inspector imports")
	}
	if all, err := w.book.Records(t.Context(), farm.Input); err != nil || len(all) != 3 {
		t.Errorf("%d inputs: %v", len(all), err)
	}
}

func TestImport_AppliesWhatWasShownAndNothingElse(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	file := inputsFile + "Oxytetracyclin 20 %;Thuốc thú y thủy sản;g;oxytetracycline;28\nVôi nung;vôi;kg;;\n"
	res := w.sendFile(account.Technician, "/farm/input/import", "a.csv", file, nil)
	page := html.UnescapeString(string(res.body))
	form := hidden(string(res.body))
	if res.status != http.StatusOK || !strings.Contains(page, "<s>21</s> → 28") || !strings.Contains(page, "Vôi nung") || form["sum"] == "" {
		t.Fatalf("%d: %.3000s", res.status, page)
	}
	if days, _ := w.find(farm.Input, "Oxytetracyclin 20 %").Values.Number("withdrawal_days"); days != 21 {
		t.Fatal("looking saved it")
	}
	// Somebody saves something in between: it is shown again, and nothing is saved.
	if res := w.as(account.Admin, http.MethodPost, "/farm/buyer/new", map[string][]string{"name": {"Chợ Phú"}}, nil); res.status != http.StatusSeeOther {
		t.Fatal(res.status)
	}
	res = w.sendFile(account.Technician, "/farm/input/import", "", "", form)
	if res.status != http.StatusUnprocessableEntity || !strings.Contains(html.UnescapeString(string(res.body)), "đã khác đi") {
		t.Fatalf("the register changed meanwhile: %d", res.status)
	}
	form = hidden(string(res.body))
	if res := w.sendFile(account.Technician, "/farm/input/import", "", "", form); res.status != http.StatusSeeOther || res.header.Get("Location") != "/farm/input" {
		t.Fatalf("not applied: %d", res.status)
	}
	if days, _ := w.find(farm.Input, "Oxytetracyclin 20 %").Values.Number("withdrawal_days"); days != 28 {
		t.Errorf("kept %v", days)
	}
	w.find(farm.Input, "Vôi nung")
}

func TestExport_ComesBackTheSame(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	for _, kind := range farm.RecordKinds() {
		for _, ext := range []string{".csv", ".xlsx"} {
			res := w.as(account.Technician, http.MethodGet, "/farm/"+string(kind)+"/export"+ext, nil, nil)
			if res.status != http.StatusOK || !strings.Contains(res.header.Get("Content-Disposition"), string(kind)) {
				t.Fatalf("%s%s: %d", kind, ext, res.status)
			}
			back := w.sendFile(account.Technician, "/farm/"+string(kind)+"/import", "x"+ext, string(res.body), nil)
			if page := html.UnescapeString(string(back.body)); !strings.Contains(page, "không có gì để ghi") && !strings.Contains(page, "chưa có dòng nào để nhập") {
				t.Errorf("%s%s: %.2500s", kind, ext, page)
			}
		}
	}
	if res := w.as(account.Inspector, http.MethodGet, "/farm/buyer/export.csv", nil, nil); res.status != http.StatusOK || strings.Contains(string(res.body), "0912345678") {
		t.Errorf("an inspector's file has private columns: %d", res.status)
	}
}

func TestBrowser_ImportPages(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	b := w.signedIn(browser(t), account.Technician)
	for name, file := range map[string]string{
		"form": "", "bad": inputsFile + "A;thuốc lá;kg;;\nB;Vôi;kg;;ba tuần\n", "good": inputsFile + "Oxytetracyclin 20 %;Thuốc thú y thủy sản;g;oxytetracycline;28\nVôi nung;vôi;kg;;\n",
	} {
		for _, shade := range []string{"light", "dark"} {
			b.do(name, phone(), scheme(shade))
			visit(b, phone(), w.srv.URL+"/farm/input/import")
			if file != "" {
				ask1(b, name, evaluate[bool](`(() => { const d = new DataTransfer(); d.items.add(new File([`+"`"+file+"`"+`], "vật tư.csv")); document.querySelector("#file").files = d.files; return true })()`))
				b.do(name, parttest.Click(chromedp.CSS(`form[enctype] button`)), chromedp.WaitVisible(chromedp.CSS(`dl.facts`)))
			}
			if complaints := axe(b.ctx); complaints != "" {
				t.Errorf("%s, %s: %s", name, shade, complaints)
			}
			if wide := ask1(b, name, evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
				t.Errorf("%s is %d px wide", name, wide)
			}
			if shade == "light" {
				shoot(b, "import-"+name)
			}
		}
	}
}
