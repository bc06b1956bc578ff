package web_test

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"aovuon/server/account"
	"aovuon/server/diary"
)

// feedForm is what the form of a feeding sends, with the id of the form that was drawn.
func (w *town) feedForm(role account.Role, amount string) url.Values {
	w.t.Helper()
	page := string(w.as(role, http.MethodGet, "/p/"+own+"/log/feed", nil, nil).body)
	id := regexp.MustCompile(`name="id" value="([0-9A-Z]{26})"`).FindStringSubmatch(page)
	if id == nil {
		w.t.Fatalf("no form: %.300s", page)
	}
	return url.Values{"id": {id[1]}, "cycle": {"cyc0000001"}, "input": {"inp0000001"}, "amount": {amount}, "appetite": {"good"}}
}

func TestDiary_AFormWithoutScript(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	form := w.feedForm(account.Farmer, "12,5")
	path := "/p/" + own + "/log/feed"
	res := w.as(account.Farmer, http.MethodPost, path, form, nil)
	to := res.header.Get("Location")
	if res.status != http.StatusSeeOther || to != "/p/"+own+"?kept="+form.Get("id") {
		t.Fatalf("%d to %s: %.300s", res.status, to, res.body)
	}
	if again := w.as(account.Farmer, http.MethodPost, path, form, nil); again.status != http.StatusSeeOther || len(w.book.kept("")) != 1 {
		t.Errorf("sent twice: %d, %d entries", again.status, len(w.book.kept("")))
	}
	e := w.book.kept("")[0]
	if n, _ := e.Values.Number("amount"); n != 12.5 || e.Actor != w.ids[account.Farmer] || e.Cycle != "cyc0000001" || e.Place != own {
		t.Errorf("kept %+v", e)
	}
	page := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, to, nil, nil).body))
	for _, want := range []string{"Đã ghi vào nhật ký", "Thu hồi", "Cám cá 30 % đạm · 12,5\u00a0kg"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page after it does not say %q", want)
		}
	}
	// The next form begins with what was said last.
	next := string(w.as(account.Farmer, http.MethodGet, path, nil, nil).body)
	if !strings.Contains(next, `value="12,5"`) || !strings.Contains(next, `value="inp0000001" selected`) || strings.Contains(next, "Oxytetracyclin") {
		t.Error("the next form does not begin with the last values, or offers a drug as feed")
	}
	// The same form with other answers is another entry: it is told so and gets another id.
	form.Set("amount", "13")
	res = w.as(account.Farmer, http.MethodPost, path, form, nil)
	if body := string(res.body); res.status != http.StatusUnprocessableEntity || !strings.Contains(body, "đã ghi một lần") || strings.Contains(body, form.Get("id")) || !strings.Contains(body, `value="13"`) {
		t.Errorf("reused: %d", res.status)
	}
}

func TestDiary_WhatIsWrongIsSaidAndNothingIsLost(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	for name, c := range map[string]struct {
		set  url.Values
		want string
	}{
		"no number":      {url.Values{"amount": {"1.234"}}, "problem.form.number"},
		"missing":        {url.Values{"amount": {""}}, "problem.form.missing"},
		"below":          {url.Values{"amount": {"-1"}}, "problem.form.small"},
		"unknown":        {url.Values{"input": {"inp9999999"}}, "problem.form.ref"},
		"in the future":  {url.Values{"occurred": {"2026-12-24T07:00"}}, "problem.diary.future"},
		"no time":        {url.Values{"occurred": {"hôm qua"}}, "problem.diary.when"},
		"another season": {url.Values{"cycle": {"cyc0000002"}}, "problem.diary.cycle"},
	} {
		form := w.feedForm(account.Farmer, "12")
		form.Set("note", "ghi chú phải còn")
		maps.Copy(form, c.set)
		res := w.as(account.Farmer, http.MethodPost, "/p/"+own+"/log/feed", form, nil)
		body := html.UnescapeString(string(res.body))
		said, _, _ := strings.Cut(texts(t, "vi")[c.want], "%s")
		if res.status != http.StatusUnprocessableEntity || !strings.Contains(body, said) || !strings.Contains(body, "ghi chú phải còn") || !strings.Contains(body, form.Get("id")) {
			t.Errorf("%s: %d, says %q: %t", name, res.status, said, strings.Contains(body, said))
		}
	}
	if n := len(w.book.kept("")); n != 0 {
		t.Errorf("%d entries kept", n)
	}
}

func TestDiary_CorrectedAndTakenBack(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	form := w.feedForm(account.Farmer, "12")
	w.as(account.Farmer, http.MethodPost, "/p/"+own+"/log/feed", form, nil)
	id := form.Get("id")
	page := string(w.as(account.Technician, http.MethodGet, "/diary/"+id+"/correct", nil, nil).body)
	fresh := regexp.MustCompile(`name="id" value="([0-9A-Z]{26})"`).FindStringSubmatch(page)
	if fresh == nil || !strings.Contains(page, `value="12"`) {
		t.Fatalf("no form to correct with: %.400s", page)
	}
	form.Set("id", fresh[1])
	form.Set("corrects", id)
	form.Set("amount", "21")
	res := w.as(account.Technician, http.MethodPost, "/diary/"+id+"/correct", form, nil)
	if res.status != http.StatusSeeOther || res.header.Get("Location") != "/diary/"+id {
		t.Fatalf("correct: %d %s %.300s", res.status, res.header.Get("Location"), res.body)
	}
	body := html.UnescapeString(string(w.as(account.Inspector, http.MethodGet, "/diary/"+id, nil, nil).body))
	for _, want := range []string{"<del>12\u00a0kg</del> → <ins>21\u00a0kg</ins>", "Người farmer", "Người technician", "Đã sửa"} {
		if !strings.Contains(body, want) {
			t.Errorf("the history does not say %q", want)
		}
	}
	if strings.Contains(body, "/void") {
		t.Error("an inspector is offered to take it back")
	}
	// Somebody corrects what was corrected meanwhile: told, not overwritten.
	form.Set("id", "01KBAAAAAAAAAAAAAAAAAAAAAA")
	if res = w.as(account.Farmer, http.MethodPost, "/diary/"+id+"/correct", form, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("a stale correction: %d", res.status)
	}
	void := url.Values{"id": {"01KBAAAAAAAAAAAAAAAAAAAAAB"}, "reason": {"nhầm ao"}}
	if res = w.as(account.Farmer, http.MethodPost, "/diary/"+id+"/void", void, nil); res.status != http.StatusSeeOther {
		t.Errorf("void: %d %.300s", res.status, res.body)
	}
	list := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, "/diary?place="+own+"&kind=feed&from=24/11/2026&to=24/11/2026", nil, nil).body))
	if !strings.Contains(list, "Đã thu hồi") || strings.Count(list, `class="entry`) != 1 {
		t.Error("the list does not show one entry, taken back")
	}
	if n := len(w.book.kept("")); n != 3 {
		t.Errorf("%d events, want 3: nothing is overwritten", n)
	}
}

func TestDiary_FarmersWriteAndReadTheirOwnPlaceAlone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	e := diary.Event{ID: "01KBAAAAAAAAAAAAAAAAAAAAAC", Kind: "note", Place: foreign, Note: "bí mật của ao 3", Occurred: now(), Recorded: now()}
	if out, err := w.book.Take(t.Context(), webWriter(w.ids[account.Admin]), []diary.Sent{{Event: e, SentAt: now()}}); err != nil || out[0].State != diary.Kept {
		t.Fatal(out, err)
	}
	for _, path := range []string{"/p/" + foreign + "/log/feed", "/diary/" + e.ID, "/diary/" + e.ID + "/correct", "/diary/" + e.ID + "/void", "/diary?place=" + foreign, "/log/training"} {
		if res := w.as(account.Farmer, http.MethodGet, path, nil, nil); res.status != http.StatusNotFound || bytes.Contains(res.body, []byte("bí mật")) {
			t.Errorf("%s: %d", path, res.status)
		}
	}
	for _, path := range []string{"/diary", "/api/me/farm", "/api/me/farm?place=" + foreign} {
		if res := w.as(account.Farmer, http.MethodGet, path, nil, nil); bytes.Contains(res.body, []byte(foreign)) || bytes.Contains(res.body, []byte("bí mật")) || bytes.Contains(res.body, []byte("Chép 2026")) {
			t.Errorf("%s shows a place of somebody else", path)
		}
	}
	if res := w.as(account.Admin, http.MethodGet, "/diary", nil, nil); !bytes.Contains(res.body, []byte("bí mật của ao 3")) {
		t.Error("the admin does not see it")
	}
	sent := `[{"id":"01KBAAAAAAAAAAAAAAAAAAAAAD","kind":"note","place":"` + foreign + `","note":"x","occurred":"2026-11-24T00:00:00Z","recorded":"2026-11-24T00:00:00Z","sent_at":"2026-11-24T00:40:00Z"}]`
	if _, body := w.api(account.Farmer, http.MethodPost, "/api/diary", sent, nil); !strings.Contains(body, `"code":"place"`) {
		t.Errorf("an entry for somebody else's place: %s", body)
	}
}

// api sends JSON as somebody.
func (w *town) api(role account.Role, method, path, body string, header http.Header) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.srv.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	if sid := w.sids[role]; sid != "" {
		req.AddCookie(&http.Cookie{Name: w.sid, Value: sid})
	}
	res := do(w.t, req)
	return res.status, string(res.body)
}

func TestAPIDiary(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	one := func(id, rest string) string {
		return `{"id":"` + id + `","kind":"feed","place":"` + own + `","occurred":"2026-11-24T00:30:00Z","recorded":"2026-11-24T00:30:00Z","sent_at":"2026-11-24T00:40:00Z",` + rest + `}`
	}
	good := one("01KBAAAAAAAAAAAAAAAAAAAAAE", `"values":{"input":"inp0000001","amount":12},"actor":"u-somebody","device":"d-else"`)
	bad := one("01KBAAAAAAAAAAAAAAAAAAAAAF", `"values":{"input":"inp0000001","amount":-5}`)
	odd := one("01KBAAAAAAAAAAAAAAAAAAAAAG", `"values":"none"`)
	status, body := w.api(account.Farmer, http.MethodPost, "/api/diary", "["+good+","+bad+","+odd+",7]", nil)
	var got struct{ Outcomes []diary.Outcome }
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	state := map[string]string{}
	for _, o := range got.Outcomes {
		state[o.ID[25:]] = string(o.State) + " " + o.Code
	}
	if len(got.Outcomes) != 3 || state["E"] != "kept " || state["F"] != "refused fields" || state["G"] != "refused shape" {
		t.Errorf("outcomes %v", state)
	}
	if e := w.book.kept("")[0]; e.Actor != w.ids[account.Farmer] || e.Device == "d-else" {
		t.Errorf("the phone said who wrote it: %+v", e)
	}
	if _, body = w.api(account.Farmer, http.MethodPost, "/api/diary", "["+good+"]", nil); !strings.Contains(body, `"known"`) || len(w.book.kept("")) != 1 {
		t.Errorf("sent again: %s", body)
	}
	for name, c := range map[string]struct {
		role   account.Role
		body   string
		as     string
		status int
	}{
		"nobody":        {account.Public, "[]", "", 401},
		"inspector":     {account.Inspector, "[]", "", 403},
		"somebody else": {account.Farmer, "[]", "u-else", 409},
		"no list":       {account.Farmer, "{}", "", 400},
		"no JSON":       {account.Farmer, "[", "", 400},
		"too many":      {account.Farmer, "[" + strings.Repeat("1,", 100) + "1]", "", 413},
		"too large":     {account.Farmer, `["` + strings.Repeat("x", 3<<20) + `"]`, "", 413},
		"nothing":       {account.Farmer, "[]", w.ids[account.Farmer], 200},
	} {
		if status, body := w.api(c.role, http.MethodPost, "/api/diary", c.body, http.Header{"X-As": {c.as}}); status != c.status {
			t.Errorf("%s: %d %s, want %d", name, status, body, c.status)
		}
	}
}

func TestAPIMedia(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	jpeg := jpegOf(t)
	for name, c := range map[string]struct {
		sum, body string
		status    int
	}{
		"a photo":       {sumOf(jpeg), jpeg, 201},
		"again":         {sumOf(jpeg), jpeg, 201},
		"another hash":  {sumOf("x"), jpeg, 422},
		"no photo":      {sumOf("<html>"), "<html>", 415},
		"far too large": {sumOf("x"), strings.Repeat("x", 13<<20), 413},
	} {
		if status, body := w.api(account.Farmer, http.MethodPut, "/api/media/"+c.sum, c.body, nil); status != c.status {
			t.Errorf("%s: %d %s, want %d", name, status, body, c.status)
		}
	}
}

func TestDiary_PhotosWithoutScript(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	post := func(content string) got {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		form := w.feedForm(account.Farmer, "3")
		for k, v := range form {
			if err := m.WriteField(k, v[0]); err != nil {
				t.Fatal(err)
			}
		}
		f, err := m.CreateFormFile("photo", "IMG_1.jpg")
		if err == nil {
			_, err = io.WriteString(f, content)
		}
		if err != nil || m.Close() != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.srv.URL+"/p/"+own+"/log/feed", &b)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", m.FormDataContentType())
		req.AddCookie(&http.Cookie{Name: w.sid, Value: w.sids[account.Farmer]})
		return do(t, req)
	}
	if res := post(jpegOf(t)); res.status != http.StatusSeeOther {
		t.Fatalf("%d %.300s", res.status, res.body)
	}
	e := w.book.kept("feed")[0]
	if len(e.Media) != 1 {
		t.Fatalf("kept %+v", e)
	}
	path := "/diary/" + e.ID + "/media/" + e.Media[0].SHA256
	if res := w.as(account.Farmer, http.MethodGet, path, nil, nil); res.status != http.StatusOK || res.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("the photo: %d", res.status)
	}
	if res := w.as(account.Farmer, http.MethodGet, "/diary/"+e.ID+"/media/"+sumOf("x"), nil, nil); res.status != http.StatusNotFound {
		t.Errorf("another photo: %d", res.status)
	}
	if res := post("<html>no photo"); res.status != http.StatusUnprocessableEntity || !strings.Contains(html.UnescapeString(string(res.body)), "không phải ảnh") {
		t.Errorf("what is no photo: %d", res.status)
	}
}
