package web_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"aovuon/server/account"
	"aovuon/server/farm"
)

func TestRecords_AreAddedChangedAndRetired(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	form := url.Values{"name": {"Kháng sinh X"}, "type": {"drug"}, "unit": {"g"}, "withdrawal_days": {"ba tuần"}, "actives": {"oxytetracycline", " ", "florfenicol"}}
	res := w.as(account.Technician, http.MethodPost, "/farm/input/new", form, nil)
	body := html.UnescapeString(string(res.body))
	if res.status != http.StatusUnprocessableEntity || !strings.Contains(body, "Không phải số") || !strings.Contains(body, `value="ba tuần"`) || !strings.Contains(body, `value="florfenicol"`) {
		t.Fatalf("a word for a number: %d, and what was written is not all there: %.2000s", res.status, body)
	}
	form.Set("withdrawal_days", "21")
	if res := w.as(account.Technician, http.MethodPost, "/farm/input/new", form, nil); res.status != http.StatusSeeOther || res.header.Get("Location") != "/farm/input" {
		t.Fatalf("not added: %d %s", res.status, res.header.Get("Location"))
	}
	if list := html.UnescapeString(string(w.as(account.Inspector, http.MethodGet, "/farm/input?q=khang", nil, nil).body)); !strings.Contains(list, "Kháng sinh X") || strings.Contains(list, "Vôi bột") {
		t.Error("a search without diacritics does not find it, or finds everything")
	}
	rec := w.find(farm.Input, "Kháng sinh X")
	if days, _ := rec.Values.Number("withdrawal_days"); days != 21 || len(rec.Values.List("actives")) != 2 {
		t.Errorf("kept %+v", rec)
	}
	// Two people have it open; the second is shown what the first did, and nothing is overwritten.
	path := "/farm/input/" + rec.ID
	form.Set("revision", "1")
	form.Set("withdrawal_days", "30")
	if res := w.as(account.Admin, http.MethodPost, path, form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("not changed: %d", res.status)
	}
	form.Set("withdrawal_days", "14")
	res = w.as(account.Technician, http.MethodPost, path, form, nil)
	body = html.UnescapeString(string(res.body))
	if res.status != http.StatusUnprocessableEntity || !strings.Contains(body, "Có người vừa sửa") || !strings.Contains(body, "30\u00a0ngày") || !strings.Contains(body, `value="14"`) || !strings.Contains(body, `name="revision" value="2"`) {
		t.Errorf("a conflict: %d: %.2500s", res.status, body)
	}
	if days, _ := w.find(farm.Input, "Kháng sinh X").Values.Number("withdrawal_days"); days != 30 {
		t.Errorf("overwritten with %v", days)
	}
	form.Set("revision", "2")
	form.Set("retired", "yes")
	if res := w.as(account.Technician, http.MethodPost, path, form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("not retired: %d", res.status)
	}
	if list := string(w.as(account.Admin, http.MethodGet, "/farm/input", nil, nil).body); strings.Contains(list, "Kháng sinh X") || !strings.Contains(list, "retired=1") {
		t.Error("a retired input is still in the list, or cannot be found any more")
	}
}

func TestRecords_AreNoBodysBusinessOutside(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", true) // pages are open
	if res := w.as(account.Public, http.MethodGet, "/farm/buyer", nil, nil); res.status == http.StatusOK || strings.Contains(string(res.body), "0912345678") {
		t.Errorf("a stranger reads the buyers: %d", res.status)
	}
	page := string(w.as(account.Inspector, http.MethodGet, "/farm/buyer/buy0000001", nil, nil).body)
	if strings.Contains(page, "<button>") && strings.Contains(page, `name="revision"`) || !strings.Contains(page, "Hải Dương") {
		t.Error("an inspector is offered a form, or sees nothing")
	}
	for _, path := range []string{"/farm/zebra", "/farm/zebra/new", "/farm/input/nothing0000"} {
		if res := w.as(account.Admin, http.MethodGet, path, nil, nil); res.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.status)
		}
	}
}

// find returns the record of a name.
func (w *town) find(kind farm.RecordKind, name string) farm.Record {
	w.t.Helper()
	all, err := w.book.Records(w.t.Context(), kind)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range all {
		if r.Name() == name {
			return r
		}
	}
	w.t.Fatalf("no %s %q", kind, name)
	return farm.Record{}
}
