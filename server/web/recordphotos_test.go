package web_test

import (
	"bytes"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"aovuon/server/account"
	"aovuon/server/farm"
)

// postFiles sends a form with files of one input.
func (w *town) postFiles(role account.Role, path string, form url.Values, input string, files ...string) got {
	w.t.Helper()
	return w.postParts(role, path, form, input, "IMG_1.jpg", files...)
}

// postParts sends a form with files of one name, in parts, as a browser does.
func (w *town) postParts(role account.Role, path string, form url.Values, input, name string, files ...string) got {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, all := range form {
		for _, v := range all {
			if err := m.WriteField(k, v); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	for _, content := range files {
		f, err := m.CreateFormFile(input, name)
		if err == nil {
			_, err = io.WriteString(f, content)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.srv.URL+path, &b)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", m.FormDataContentType())
	req.AddCookie(&http.Cookie{Name: w.sid, Value: w.sids[role]})
	return do(w.t, req)
}

func TestRecords_HavePhotosOfTheirPapers(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	one, two := jpegOf(t), jpegOf(t)+"2" // what is behind the picture is not kept
	form := url.Values{
		"scheme": {"vietgap"}, "standard": {"TCVN 13528-1"}, "number": {"VG-77"}, "issuer": {"Trung tâm"}, "products": {"prd0000001"}, "from": {"2026-01-01"}, "to": {"ba năm"},
	}
	res := w.postFiles(account.Technician, "/farm/certificate/new", form, "photo-file", one)
	body := html.UnescapeString(string(res.body))
	if res.status != http.StatusUnprocessableEntity || !strings.Contains(body, `name="file" value="`+sumOf(one)+`" checked`) || !strings.Contains(body, `href="#at-to"`) {
		t.Fatalf("%d: the photo is lost with the mistake, or nothing leads there: %.3000s", res.status, body)
	}
	form.Set("to", "2027-12-31")
	form["file"] = []string{sumOf(one)}
	if res := w.postFiles(account.Technician, "/farm/certificate/new", form, "photo-file", two); res.status != http.StatusSeeOther {
		t.Fatalf("%d: %s", res.status, wrongs(res.body))
	}
	rec := w.find(farm.Certificate, "VG-77")
	if got := rec.Photos(); len(got) != 2 || got[0] != sumOf(one) || got[1] != sumOf(two) {
		t.Fatalf("kept %v", got)
	}
	path := "/farm/certificate/" + rec.ID
	page := string(w.as(account.Inspector, http.MethodGet, path, nil, nil).body)
	for _, src := range regexp.MustCompile(`src="(/farm/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		if res := w.as(account.Inspector, http.MethodGet, src[1], nil, nil); res.status != http.StatusOK || res.header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("%s: %d", src[1], res.status)
		}
	}
	if strings.Count(page, `src="/farm/`) != 2 {
		t.Errorf("the inspector sees %d photos", strings.Count(page, `src="/farm/`))
	}
	if res := w.as(account.Inspector, http.MethodGet, path+"/media/"+sumOf("x"), nil, nil); res.status != http.StatusNotFound {
		t.Errorf("a photo of something else: %d", res.status)
	}
	if res := w.as(account.Farmer, http.MethodGet, path+"/media/"+sumOf(one), nil, nil); res.status == http.StatusOK {
		t.Error("a farmer sees it")
	}
	form.Set("revision", "1")
	form["file"] = []string{sumOf(two)}
	if res := w.postFiles(account.Technician, path, form, "photo-file", "<html>"); res.status != http.StatusUnprocessableEntity || !strings.Contains(html.UnescapeString(string(res.body)), "không phải ảnh") {
		t.Errorf("what is no photo: %d", res.status)
	}
	if res := w.postFiles(account.Technician, path, form, "photo-file"); res.status != http.StatusSeeOther {
		t.Fatalf("%d: %s", res.status, wrongs(res.body))
	}
	if got := w.find(farm.Certificate, "VG-77").Photos(); len(got) != 1 || got[0] != sumOf(two) {
		t.Errorf("after taking one off: %v", got)
	}
}

func TestRecords_FormsKeepAllThatWasWritten(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	long := strings.Repeat("á", 250)
	form := url.Values{"name": {long}, "type": {"drug"}, "unit": {"g"}, "withdrawal_days": {"ba tuần"}, "actives": {"oxytetracycline", long}}
	body := html.UnescapeString(string(w.as(account.Technician, http.MethodPost, "/farm/input/new", form, nil).body))
	for _, want := range []string{`value="` + long + `"`, `value="ba tuần"`, `value="oxytetracycline"`, `href="#at-name"`, `href="#at-actives"`, `href="#at-withdrawal_days"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %.60s", want)
		}
	}
}
