package status_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
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

	"aovuon/gateway/calibrate"
	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
	"aovuon/gateway/status"
	"aovuon/gateway/uplink"
)

func TestHome_SaysWhatAndWhy(t *testing.T) {
	v := visit(t, newMade().serve(t))
	_, vi := v.get("/")
	for _, want := range []string{
		`lang="vi"`, "gw-ao-phukhe", "v1.2.3", "ssl://htx.example:8883", "25/11/2026 10:04:05", "máy chủ xác nhận lần cuối 12 giây trước", "4 lần đo chưa đóng gói",
		"28,4", "5,61", "Ước tính", "nhiệt độ nước 28,44", "ao1-temp, 12 giây trước", "(giả định)", "ao1-temp, đã cũ 12 phút", "Chưa hiệu chuẩn", "Đáng ngờ",
		"Giá trị thô trước khi lọc: 134,9", "the same value for 6h", "Ngoài dải đo", "Không có số đo", "Dữ liệu bị nhiễu trên đường dây", "máy bơm", "như vậy đã 61 phút",
	} {
		if !strings.Contains(strings.ToLower(vi), strings.ToLower(want)) {
			t.Errorf("the page does not say %q", want)
		}
	}
	_, en := v.get("/?lang=en")
	for _, want := range []string{`lang="en"`, "28.4", "Estimated", "(assumed)", "last receipt 12 s ago", "Disturbed on the wire"} {
		if !strings.Contains(en, want) {
			t.Errorf("the English page does not say %q", want)
		}
	}
	if _, again := v.get("/"); !strings.Contains(again, `lang="en"`) {
		t.Error("the language is forgotten")
	}
	if _, auto := v.get("/?auto=1"); !strings.Contains(auto, `http-equiv="refresh"`) || strings.Contains(en, `http-equiv="refresh"`) {
		t.Error("the page refreshes itself when nobody asked, or not when somebody did")
	}
}

func TestHome_SaysWhatIsWrongWithTheGateway(t *testing.T) {
	m := newMade()
	m.snap.Link, m.snap.Sealed, m.snap.Clock, m.snap.Time, m.snap.Health, m.snap.Dropped, m.snap.Thinned = false, 500, "unsynced", time.Time{}, "disk: full", 7, 9000
	m.snap.Channels = nil
	_, page := visit(t, m.serve(t)).get("/")
	for _, want := range []string{"mất nối đã 2 giờ", "500 gói", "Chưa có giờ", "không ghi được, số đo đang chờ trong bộ nhớ: dọn bớt chỗ hoặc thay thẻ.", `Kỹ thuật viên đọc: <span lang="en">disk: full</span>`, "Đã mất 7 lần đo", "đã bỏ bớt 9.000 lần đo cũ", "Chưa có đầu dò nào trả lời"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// Why there is no link is said in the language of the page, what to do with it; the program's own words stand small below, for the technician.
func TestHome_SaysWhyThereIsNoLink(t *testing.T) {
	m := newMade()
	m.snap.Link, m.snap.LinkWhy, m.snap.LinkError = false, string(uplink.WrongClock), "x509: certificate <is> not yet valid"
	v := visit(t, m.serve(t))
	for at, words := range map[string][2]string{
		"/?lang=vi": {"xem ô Đồng hồ", "Kỹ thuật viên đọc:"}, "/?lang=en": {"look at the clock", "For the technician:"},
	} {
		said := `<small class="why">` + words[1] + ` <span lang="en">x509: certificate &lt;is&gt; not yet valid</span></small>`
		if _, page := v.get(at); !strings.Contains(page, words[0]) || !strings.Contains(page, said) {
			t.Errorf("%s: not said: %q\n%s", at, words, page)
		}
	}
	m.snap.LinkWhy = "" // of another kind: the program's own words are all there is
	if _, page := v.get("/?lang=vi"); !strings.Contains(page, "mất nối đã 2 giờ") || strings.Contains(page, "link.why") || !strings.Contains(page, "not yet valid") {
		t.Error(page)
	}
}

// Nobody can plug in or calibrate a channel that is computed.
func TestHome_SendsFromComputedChannelsToTheirProbes(t *testing.T) {
	m := newMade()
	m.snap.Channels = []status.Channel{
		{Sensor: "ao1-bao-hoa", Quantity: measure.OxygenSaturation, Quality: "fault", Reason: "no-response"},
		{Sensor: "ao1-nh3", Quantity: measure.UnionisedAmmonia, Quality: "uncalibrated"},
	}
	_, page := visit(t, m.serve(t)).get("/")
	if n := strings.Count(page, "sửa hoặc hiệu chuẩn đầu dò đó trước"); n != 2 || strings.Contains(page, "phích cắm") || strings.Contains(page, "Cần hiệu chuẩn đầu dò này") {
		t.Errorf("said %d times:\n%s", n, page)
	}
}

func TestPIN_StandsBeforeWhatChangesSomething(t *testing.T) {
	m := newMade()
	v := visit(t, m.serve(t))
	if _, page := v.post("/buses", nil); m.scans != 0 || !strings.Contains(page, `name="pin"`) {
		t.Fatal("the buses were scanned without a PIN")
	}
	if _, page := v.post("/calibrate/ao1-ph", url.Values{"do": {"begin"}, "who": {"An"}}); len(m.asked) != 0 || !strings.Contains(page, `value="/calibrate/ao1-ph"`) {
		t.Fatal("a calibration began without a PIN")
	}
	if res, page := v.post("/pin", url.Values{"pin": {"00000000"}}); res.StatusCode != http.StatusForbidden || !strings.Contains(page, "Mã PIN sai") {
		t.Errorf("a wrong PIN: %s", res.Status)
	}
	if res, page := v.post("/pin", url.Values{"pin": {pin}, "to": {"/buses"}}); res.StatusCode != http.StatusOK || !strings.Contains(page, "Dò các đường dây") {
		t.Fatalf("the PIN: %s", res.Status)
	}
	_, page := v.post("/buses", nil)
	for _, want := range []string{"0x61", "tên ao1-do", "loại ezo-ec", "Không phải loại mạch", "/dev/i2c-3 does not exist"} {
		if !strings.Contains(page, want) {
			t.Errorf("the scan does not say %q", want)
		}
	}
	if m.scans != 1 {
		t.Errorf("%d scans", m.scans)
	}
	if _, page := v.post("/leave", nil); strings.Contains(page, "Thoát") {
		t.Error("still signed in")
	}
	if _, page := v.post("/buses", nil); m.scans != 1 || !strings.Contains(page, `name="pin"`) {
		t.Error("scanned after leaving")
	}
}

func TestPIN_IsNotGuessed(t *testing.T) {
	m := newMade()
	v := visit(t, m.serve(t))
	for range 5 {
		v.post("/pin", url.Values{"pin": {"1"}})
	}
	if res, page := v.post("/pin", url.Values{"pin": {pin}}); res.StatusCode != http.StatusTooManyRequests || !strings.Contains(page, "chờ 10 phút") {
		t.Errorf("the sixth: %s", res.Status)
	}
	m.mu.Lock()
	m.at = m.at.Add(11 * time.Minute)
	m.mu.Unlock()
	if res, _ := v.post("/pin", url.Values{"pin": {pin}}); res.StatusCode != http.StatusOK {
		t.Errorf("after the wait: %s", res.Status)
	}
	m.mu.Lock()
	m.at = m.at.Add(3 * time.Hour)
	m.mu.Unlock()
	if _, page := v.post("/buses", nil); !strings.Contains(page, `name="pin"`) {
		t.Error("signed in for ever")
	}
	for range 100 {
		if p := status.NewPIN(); !regexp.MustCompile(`^\d{8}$`).MatchString(p) {
			t.Fatalf("PIN %q", p)
		}
	}
}

func TestPage_IsNobodyElses(t *testing.T) {
	m := newMade()
	srv := m.serve(t)
	v := visit(t, srv)
	v.post("/pin", url.Values{"pin": {pin}})
	req, err := http.NewRequest(http.MethodPost, srv.URL+"/buses", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "http://evil.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if res, _ := v.do(req); res.StatusCode != http.StatusForbidden || m.scans != 0 {
		t.Errorf("another page's form: %s", res.Status)
	}
	for host, want := range map[string]int{
		"evil.example": 421, "aovuon.evil.example": 421, "aovuon.local:8081": 200, "aovuon": 200, "192.168.1.7:8081": 200, "[fe80::1]:8081": 200, "localhost:8081": 200,
	} {
		req, err := http.NewRequest(http.MethodGet, srv.URL+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		res, _ := v.do(req)
		if res.StatusCode != want {
			t.Errorf("as %s: %s", host, res.Status)
		}
		if res.StatusCode == http.StatusOK && (!strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") || res.Header.Get("Cache-Control") != "no-store") {
			t.Errorf("headers %v", res.Header)
		}
	}
	for _, to := range []string{"https://evil.example", "//evil.example", "/calibrate/../x", "/calibrate/A"} {
		if _, page := v.get("/pin?to=" + url.QueryEscape(to)); !strings.Contains(page, `name="to" value="/"`) {
			t.Errorf("leads to %s", to)
		}
	}
	if res, _ := v.post("/calibrate/ao1-ph", url.Values{"who": {strings.Repeat("x", 20<<10)}}); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a form of 20 KB: %s", res.Status)
	}
}

func TestCalibrate_LeadsStepByStep(t *testing.T) {
	m := newMade()
	v := visit(t, m.serve(t))
	v.post("/pin", url.Values{"pin": {pin}})
	says := func(page string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
	}
	_, page := v.get("/calibrate")
	says(page, "Sắp đến hạn", "24/12/2026", "Quá hạn")
	res, page := v.post("/calibrate/ao1-ph", url.Values{"do": {"begin"}, "quantity": {"ph"}})
	says(page, "who: want a name", "thiếu hoặc sai")
	if res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("refused with %s", res.Status)
	}
	_, page = v.post("/calibrate/ao1-ph", url.Values{"do": {"begin"}, "quantity": {"ph"}, "who": {"Nguyễn Văn An"}, "new": {"1"}})
	says(page, "Điểm giữa", "nhúng vào dung dịch đệm pH 7", `value="7"`, "Nhiệt độ dung dịch", "Nguyễn Văn An")
	res, page = v.post("/calibrate/ao1-ph", url.Values{"do": {"answer"}, "step": {"mid"}, "value": {"bảy"}})
	says(page, "cần là số")
	if res.StatusCode != http.StatusUnprocessableEntity || m.state.At != 0 {
		t.Errorf("no number: %s", res.Status)
	}
	m.state.Phase, m.state.Readings = calibrate.Measuring, []float64{6.9, 7.012}
	_, page = v.get("/calibrate/ao1-ph")
	says(page, "7,012", `http-equiv="refresh"`)
	m.state.Phase, m.state.Problem, m.state.Code = calibrate.Asking, "step mid: it moves by 0.3", "unsteady"
	_, page = v.get("/calibrate/ao1-ph")
	says(page, "Số đo chưa ổn định", "it moves by 0.3")
	_, page = v.post("/calibrate/ao1-ph", url.Values{"do": {"answer"}, "step": {"mid"}, "value": {"7,01"}, "celsius": {"28,5"}, "lot": {"L7"}, "expiry": {"2027-06"}})
	says(page, "Điểm thấp", "Bỏ qua bước này")
	a, ok := m.asked[len(m.asked)-1].(calibrate.Answer)
	if !ok || a.Step != "mid" || *a.Value != 7.01 || *a.Celsius != 28.5 || a.Lot != "L7" || a.Expiry != "2027-06" {
		t.Errorf("answered %+v", m.asked)
	}
	_, page = v.post("/calibrate/ao1-ph", url.Values{"do": {"skip"}, "step": {"low"}})
	says(page, "Đạt", "Độ dốc 98,4", "Lưu hiệu chuẩn")
	_, page = v.post("/calibrate/ao1-ph", url.Values{"do": {"finish"}, "note": {"nước đục"}})
	says(page, "Đã lưu hiệu chuẩn")
	if m.asked[len(m.asked)-1] != "nước đục" {
		t.Errorf("asked %v", m.asked)
	}
	if res, _ := v.get("/calibrate/nobody"); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown sensor: %s", res.Status)
	}
}

func TestPages_KeepTheirWeight(t *testing.T) {
	m := newMade()
	for i := range 23 { // a gateway of 30 channels
		m.snap.Channels = append(m.snap.Channels, m.snap.Channels[i%7])
		m.snap.Channels[7+i].Sensor = fmt.Sprintf("ao%d-x", i)
	}
	v := visit(t, m.serve(t))
	for _, path := range []string{"/", "/buses", "/log", "/calibrate", "/calibrate/ao1-do", "/pin", "/nothing"} {
		_, body := v.get(path)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes, %d compressed", path, len(body), b.Len())
		if b.Len() > 14<<10 {
			t.Errorf("%s weighs %d bytes", path, b.Len())
		}
		if strings.Contains(body, "<script") {
			t.Errorf("%s needs a script", path)
		}
	}
}

// locale reads the words of a language: the page's own and those all pages have.
func locale(t *testing.T, lang string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range []string{"locales/", "../words/locales/"} {
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

func TestAerators_ShowsAndTakesAPersonsWord(t *testing.T) {
	m := newMade()
	v := visit(t, m.serve(t))
	_, body := v.get("/aerators")
	for _, want := range []string{
		"Đã bật mà máy không chạy", "Oxy thấp", "Tắt", "Bằng tay, còn 25 phút", "no such pin", "Đang báo động", "Chưa biết", "ao1-do, Ôxy hòa tan",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	word := url.Values{"aerator": {"ao1-quat"}, "mode": {"off"}, "minutes": {"30"}}
	if _, body := v.post("/aerators", word); m.word != "" || !strings.Contains(body, "PIN") {
		t.Errorf("without the PIN: %q", m.word)
	}
	if _, body := v.post("/pin", url.Values{"pin": {pin}, "to": {"/aerators"}}); !strings.Contains(body, "ao1-quat") {
		t.Errorf("the PIN does not lead back: %s", body)
	}
	if _, body := v.post("/aerators", word); m.word != "ao1-quat off 30m0s" || !strings.Contains(body, "ao1-quat") {
		t.Errorf("with the PIN: %q", m.word)
	}
	for name, bad := range map[string]url.Values{
		"nobody": {"aerator": {"ao9"}, "mode": {"on"}, "minutes": {"30"}}, "no time": {"aerator": {"ao1-quat"}, "mode": {"on"}},
		"too long": {"aerator": {"ao1-quat"}, "mode": {"on"}, "minutes": {"99999"}},
	} {
		if res, _ := v.post("/aerators", bad); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
}

func TestWords_AreCompleteInBothLanguages(t *testing.T) {
	vi, en := locale(t, "vi"), locale(t, "en")
	var want []string
	for _, q := range measure.Quantities() {
		want = append(want, "quantity."+string(q))
	}
	for _, r := range measure.FaultReasons() {
		want = append(want, "reason."+string(r), "mend."+string(r))
	}
	for q := measure.Good; q <= measure.Fault; q++ {
		want = append(want, "quality."+q.String())
		if q != measure.Good && q != measure.Fault {
			want = append(want, "why."+q.String())
		}
	}
	for _, st := range edge.States() {
		want = append(want, "aerator.state."+string(st))
	}
	for _, c := range edge.Causes() {
		want = append(want, "aerator.cause."+string(c))
	}
	for _, c := range uplink.Causes() {
		want = append(want, "link.why."+string(c))
	}
	for c := measure.Synced; c <= measure.Unsynced; c++ {
		want = append(want, "clock."+c.String())
	}
	for _, key := range want {
		if vi[key] == "" || en[key] == "" {
			t.Errorf("no words for %s", key)
		}
	}
	for key, text := range en {
		if strings.Count(text, "%s") != strings.Count(vi[key], "%s") {
			t.Errorf("%s: %q and %q", key, text, vi[key])
		}
	}
	for key := range vi { // what the gateway itself says in English needs no translation into it
		own := slices.ContainsFunc([]string{"step.", "asks.", "problem."}, func(p string) bool { return strings.HasPrefix(key, p) })
		if en[key] == "" && !own {
			t.Errorf("%s is not in English", key)
		}
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
		for _, m := range key.FindAllStringSubmatch(string(raw), -1) {
			if vi[m[1]] == "" {
				t.Errorf("%s: no words for %s", f.Name(), m[1])
			}
		}
	}
}
