package panel_test

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"go.uber.org/goleak"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func says(t *testing.T, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestPlace_SetsTruthProbeAndProductSideBySide(t *testing.T) {
	m := newMade(t)
	v := visit(t, m)
	oxygen, water := m.truth(t, "ao1", measure.DissolvedOxygen), m.truth(t, "ao1", measure.WaterTemperature)
	m.answer("ao1-do", measure.DissolvedOxygen, oxygen+0.05, "")
	m.answer("ao1-ph", "", 0, "unplug")
	m.answer("ao1-rtd", measure.WaterTemperature, water+3, "")
	m.wait(12 * time.Second)
	m.product.say("ao1-do", measure.DissolvedOxygen, oxygen+0.05, measure.Good, "", 0)
	m.product.say("ao1-ph", measure.PH, 0, measure.Fault, measure.NoResponse, 5*time.Second)
	m.product.say("ao1-rtd", measure.WaterTemperature, water+3, measure.Good, "", 0)
	m.product.say("ao1-bao-hoa", measure.OxygenSaturation, 70, measure.Estimated, "", 0)
	m.product.say("ao1-muc", measure.WaterLevel, m.truth(t, "ao1", measure.WaterLevel), measure.Good, "", time.Hour)
	_, page := v.get("/place/ao1")
	says(t, page, `lang="vi"`, "Ao số một", "12 giây trước", "Không có số", "Không trả lời", "Rút dây", "Lệch +3,0, chưa nhận ra", "Ước tính", "Số cũ",
		"trạm tự tính", "Có số sai AoVườn chưa nhận ra", "AoVườn đánh giá:", `<polyline class="truth"`, `<polyline class="product"`)
	if n := strings.Count(page, `<polyline class="product"`); n != 2 {
		t.Errorf("the product's line with one hole is drawn as %d", n)
	}
	_, page = v.get("/place/ao1?lang=en")
	says(t, page, `lang="en"`, "Off by +3.0, not noticed", "12 s ago", "No answer", "Old value")
	if _, again := v.get("/"); !strings.Contains(again, `lang="en"`) {
		t.Error("the language is forgotten")
	}
}

func TestHome_SaysInAWordHowEachPlaceIsSeen(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(m *made)
		want    string
	}{
		"nothing yet": {func(*made) {}, "AoVườn chưa có số nào"},
		"right": {func(m *made) {
			m.product.say("ao1-do", measure.DissolvedOxygen, m.truth(t, "ao1", measure.DissolvedOxygen), measure.Good, "", 0)
		}, "AoVườn nói đúng"},
		"knows":  {func(m *made) { m.product.say("ao1-do", measure.DissolvedOxygen, 0, measure.Fault, measure.CRC, 0) }, "AoVườn biết đầu dò hỏng"},
		"doubts": {func(m *made) { m.product.say("ao1-do", measure.DissolvedOxygen, 1, measure.Suspect, "", 0) }, "AoVườn biết có số chưa chắc"},
		"fooled": {func(m *made) { m.product.say("ao1-do", measure.DissolvedOxygen, 1, measure.Good, "", 0) }, "Có số sai AoVườn chưa nhận ra"},
		"down":   {func(m *made) { m.product.status = http.StatusServiceUnavailable }, "answers 503"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMade(t)
			tc.prepare(m)
			_, page := visit(t, m).get("/")
			says(t, page, tc.want, "ao1", "khoai1", "W/m²", "hPa")
		})
	}
}

func TestPage_AsksTheProductOnceForAll(t *testing.T) {
	m := newMade(t)
	v := visit(t, m)
	for range 5 {
		v.get("/")
	}
	if m.product.asked != 1 {
		t.Errorf("asked %d times", m.product.asked)
	}
	m.wait(3 * time.Second)
	if v.get("/"); m.product.asked != 2 {
		t.Errorf("asked %d times, and a moment later", m.product.asked)
	}
}

func TestDo_AProbeIsUnpluggedAndMended(t *testing.T) {
	m := newMade(t)
	v := visit(t, m)
	status, page := v.post(url.Values{"usage": {"set DEVICE FAULT [NUMBER]"}, "DEVICE": {"ao1-do"}, "FAULT": {"unplug"}, "back": {"/place/ao1?q=ph"}})
	if status != http.StatusOK {
		t.Fatal(status)
	}
	says(t, page, "Đã làm:", "ao1-do hỏng: Rút dây", `<span class="chip fault" id="s-ao1-do" data-live>Rút dây</span>`, "Sửa lại như mới", `<option value="ph" selected>`)
	if k := m.field.Board().Devices(); !slices.ContainsFunc(k, func(d fault.Device) bool { return d.Name == "ao1-do" && d.Fault == "unplug" }) {
		t.Errorf("%+v", k)
	}
	if _, err := m.field.Desk().Do(t.Context(), "heal ao1-do"); err != nil {
		t.Fatal(err)
	}
	m.wait(5 * time.Second)
	_, page = v.get("/place/ao1")
	says(t, page, "Lần cuối: ao1-do được sửa, 5 giây trước")
	_, page = v.get("/log")
	says(t, page, "ao1-do được sửa", "bởi chương trình mô phỏng", "127.0.0.1", "<code>set ao1-do unplug</code>")
	if strings.Index(page, "heal ao1-do") > strings.Index(page, "set ao1-do") {
		t.Error("the newest is not the first")
	}
}

func TestDo_BadInputIsSaidAndLosesNothing(t *testing.T) {
	dip := func(value, celsius string) url.Values {
		return url.Values{"usage": {"dip DEVICE VALUE [CELSIUS]"}, "DEVICE": {"ao1-ph"}, "VALUE": {value}, "CELSIUS": {celsius}, "back": {"/place/ao1"}}
	}
	for name, tc := range map[string]struct {
		form url.Values
		want []string
	}{
		"no number":  {dip("bảy", "25,5"), []string{"phải là một số, như 7,01", `value="bảy"`, `value="25,5"`, `aria-invalid="true"`, ` open>`}},
		"nothing":    {dip("", "31"), []string{"còn trống", `value="31"`}},
		"the second": {dip("7,01", "ấm"), []string{"phải là một số", `value="7,01"`, `value="ấm"`}},
		"no such fault": {
			url.Values{"usage": {"set DEVICE FAULT [NUMBER]"}, "DEVICE": {"ao1-ph"}, "FAULT": {"love"}, "back": {"/place/ao1"}},
			[]string{"Cánh đồng không nhận", "it can be: unplug"},
		},
		"no such device": {
			url.Values{"usage": {"set DEVICE FAULT [NUMBER]"}, "DEVICE": {"ao9"}, "FAULT": {"unplug"}, "back": {"/place/ao1"}},
			[]string{"Cánh đồng không nhận", "there are: "},
		},
		"two commands": {
			url.Values{"usage": {"set DEVICE FAULT [NUMBER]"}, "DEVICE": {"ao1-ph\nheal all"}, "FAULT": {"unplug"}, "back": {"/place/ao1"}},
			[]string{"không được có dấu cách"},
		},
		"no such command": {url.Values{"usage": {"rm -rf"}, "back": {"/"}}, []string{"không còn lệnh này"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMade(t)
			status, page := visit(t, m).post(tc.form)
			if status != http.StatusUnprocessableEntity {
				t.Errorf("answered %d", status)
			}
			says(t, page, append(tc.want, `role="alert"`)...)
			for _, d := range m.field.Board().Devices() {
				if d.Fault != "" {
					t.Errorf("%s: %s", d.Name, d.Fault)
				}
			}
		})
	}
	m := newMade(t)
	if status, _ := visit(t, m).post(dip("7,01", strings.Repeat("x", 20<<10))); status != http.StatusBadRequest {
		t.Errorf("a form of 20 KB: %d", status)
	}
	if status, page := visit(t, m).post(dip("7,01", "25,5")); status != http.StatusOK || !strings.Contains(page, "được nhúng vào chai 7,01 ở 25,5 °C") {
		t.Errorf("commas: %d", status)
	}
}

func TestPage_IsNobodyElses(t *testing.T) {
	m := newMade(t)
	v := visit(t, m)
	ask := func(method, path, host string, head map[string]string) (int, http.Header) {
		t.Helper()
		form := url.Values{"usage": {"set DEVICE FAULT [NUMBER]"}, "DEVICE": {"ao1-do"}, "FAULT": {"unplug"}}
		req, err := http.NewRequest(method, m.URL+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for k, h := range head {
			req.Header.Set(k, h)
		}
		if host != "" {
			req.Host = host
		}
		status, _, header := v.do(req)
		return status, header
	}
	if status, _ := ask(http.MethodPost, "/do", "", map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}); status != http.StatusForbidden {
		t.Errorf("another page's form: %d", status)
	}
	if status, _ := ask(http.MethodPost, "/do", "evil.example", nil); status != http.StatusMisdirectedRequest {
		t.Errorf("by a strange name: %d", status)
	}
	if d := m.field.Board().Devices(); slices.ContainsFunc(d, func(d fault.Device) bool { return d.Fault != "" }) {
		t.Errorf("it was obeyed: %+v", d)
	}
	for host, want := range map[string]int{"evil.example": 421, "lop-hoc.local:8070": 200, "192.168.1.7": 200, "localhost:8070": 200, "[::1]:8070": 200} {
		status, head := ask(http.MethodGet, "/", host, nil)
		if status != want {
			t.Errorf("as %s: %d", host, status)
		}
		if status == http.StatusOK && (!strings.HasPrefix(head.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") || strings.Contains(head.Get("Content-Security-Policy"), "unsafe")) {
			t.Errorf("policy %s", head.Get("Content-Security-Policy"))
		}
	}
	for _, back := range []string{"https://evil.example/", "//evil.example", "/place/../x", "/do", "javascript:alert(1)"} {
		if status, page := v.post(url.Values{"usage": {"heal all"}, "back": {back}}); status != http.StatusOK || !strings.Contains(page, "Thời tiết") {
			t.Errorf("%s leads elsewhere: %d", back, status)
		}
	}
	for _, path := range []string{"/place/ao9", "/nothing", "/do"} {
		if status, _ := v.get(path); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", path, status)
		}
	}
	if _, page := v.post(url.Values{"usage": {"dip DEVICE VALUE [CELSIUS]"}, "DEVICE": {"ao1-ph"}, "VALUE": {`"><script>alert(1)</script>`}, "back": {"/place/ao1"}}); strings.Contains(page, "<script>alert") {
		t.Error("what was typed runs")
	}
}

// forms finds the forms of a page: what is hidden in each, and what it asks.
func forms(t *testing.T, page string) (list []url.Values) {
	t.Helper()
	form := regexp.MustCompile(`(?s)<form method="post" action="/do".*?</form>`)
	field := regexp.MustCompile(`(?s)<input type="hidden" name="([^"]+)" value="([^"]*)">|<input id="[^"]+" name="([^"]+)" value="([^"]*)"|<select id="[^"]+" name="([^"]+)">(.*?)</select>`)
	choice := regexp.MustCompile(`<option value="([^"]*)"`)
	for _, text := range form.FindAllString(page, -1) {
		v := url.Values{}
		for _, f := range field.FindAllStringSubmatch(text, -1) {
			switch {
			case f[1] != "":
				v.Set(f[1], strings.ReplaceAll(f[2], "&amp;", "&"))
			case f[3] != "":
				v.Set(f[3], f[4])
			case f[5] != "":
				for _, c := range choice.FindAllStringSubmatch(f[6], -1) {
					v.Add(f[5], c[1])
				}
			}
		}
		list = append(list, v)
	}
	return list
}

func TestForms_AreAllTakenByTheField(t *testing.T) {
	m := newMade(t)
	v := visit(t, m)
	sent := 0
	for _, path := range []string{"/", "/machines", "/place/ao1", "/place/khoai1"} {
		_, page := v.get(path)
		for _, f := range forms(t, page) {
			sent += sendEvery(t, v, f)
		}
	}
	if sent < 100 {
		t.Errorf("only %d forms and choices", sent)
	}
	t.Logf("%d forms and choices", sent)
}

// sendEvery sends a form once for every choice it has, with a number wherever one is asked for and none is there.
func sendEvery(t *testing.T, v *visitor, f url.Values) (sent int) {
	t.Helper()
	one := url.Values{}
	var many []string
	for name, values := range f {
		one.Set(name, values[0])
		if len(values) > 1 {
			many = append(many, name)
		}
		if values[0] == "" && len(values) == 1 {
			one.Set(name, "7,5")
		}
	}
	try := func(form url.Values) {
		t.Helper()
		sent++
		if status, page := v.post(form); status != http.StatusOK {
			t.Errorf("%v: %d: %s", form, status, regexp.MustCompile(`(?s)<p class="mark fault".*?</p>`).FindString(page))
		}
	}
	if len(many) == 0 {
		try(one)
	}
	for _, name := range many {
		for _, choice := range f[name] {
			if choice != "" {
				one.Set(name, choice)
				if name == "FAULT" { // only some take a number
					one.Del("NUMBER")
					if _, takes := fault.Kind(choice).Parameter(); takes {
						one.Set("NUMBER", "7")
					}
				}
				try(one)
			}
		}
	}
	return sent
}

// locale reads the words of a language: the page's own and those all pages have.
func locale(t *testing.T, lang string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range []string{"locales/", "../../gateway/words/locales/"} {
		raw, err := os.ReadFile(dir + lang + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var words map[string]string
		if err := yaml.UnmarshalWithOptions(raw, &words, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, words)
	}
	return all
}

func TestWords_AreCompleteInBothLanguages(t *testing.T) {
	vi, en := locale(t, "vi"), locale(t, "en")
	for key, text := range en {
		if strings.Count(text, "%s") != strings.Count(vi[key], "%s") {
			t.Errorf("%s: %q and %q", key, text, vi[key])
		}
	}
	for key := range vi {
		if en[key] == "" {
			t.Errorf("%s is not in English", key)
		}
	}
	m := newMade(t)
	want := []string{"fault.healthy"}
	for _, d := range m.field.Board().Devices() {
		for _, k := range d.Kinds {
			want = append(want, "fault."+string(k))
		}
	}
	for _, p := range m.field.Parts() {
		want = append(want, "kind."+p.Kind)
	}
	key := regexp.MustCompile(`\bt "([a-z.-]+)"`)
	files, err := os.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile("templates/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range key.FindAllStringSubmatch(string(raw), -1) {
			want = append(want, found[1])
		}
	}
	for _, key := range want {
		if vi[key] == "" {
			t.Errorf("no words for %s", key)
		}
	}
	// What the field can be told has words of its own, not those of help; a new verb works without.
	v := visit(t, m)
	for _, path := range []string{"/", "/machines", "/place/ao1", "/place/khoai1", "/log", "/nothing"} {
		for _, lang := range []string{"vi", "en"} {
			_, page := v.get(path + "?lang=" + lang)
			for _, bad := range []string{`class="title" lang="en"`, ">do.", ">ask.", ">verdict.", ">fault.", "ZgotmplZ"} {
				if strings.Contains(page, bad) {
					t.Errorf("%s, %s: %s", path, lang, bad)
				}
			}
			if label := regexp.MustCompile(`<label [^>]*>[A-Z|]+</label>`).FindString(page); label != "" {
				t.Errorf("%s, %s: %s", path, lang, label)
			}
		}
	}
}
