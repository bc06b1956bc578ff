package web_test

import (
	"bufio"
	"encoding/json"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/parttest"
	"aovuon/server/trace"
	"aovuon/server/watch"
	"aovuon/server/web"
)

// tags are what a text is without.
var tags = regexp.MustCompile(`<[^>]*>`)

func TestMain(m *testing.M) { goleak.VerifyTestMain(parttest.Sharing(m)) }

type got struct {
	status int
	header http.Header
	body   []byte
}

func get(t *testing.T, srv *httptest.Server, path string, header http.Header) got {
	t.Helper()
	return ask(t, srv, http.MethodGet, path, header)
}

// ask sends a request with the path exactly as it is written.
func ask(t *testing.T, srv *httptest.Server, method, path string, header http.Header) got {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque = "//" + req.URL.Host + path
	maps.Copy(req.Header, header)
	tr := &http.Transport{DisableCompression: true}
	defer tr.CloseIdleConnections()
	res, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return got{res.StatusCode, res.Header, body}
}

func TestPages_BadInputIsAnsweredCalmly(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	long := strings.Repeat("A", 6000)
	for path, want := range map[string]int{
		"/": 200, "/?lang=xx": 200, "/?lang=en%0d%0aSet-Cookie:a=b": 200, "/?lang[]=en": 200,
		"/places/F7NE3CDQ7": 200, "/places/f7ne-3cdq7": 200, "/p/F7NE3CDQ7": 200, "/p/F7NE3CDQ7?range=30d&lang=en": 200,
		"/places/F7NE3CDQ8": 404, "/places/7K3PNX9DX": 404, "/live?place=7K3PNX9DX": 404, "/places/" + long: 404, "/places/%00": 404, "/places/..%2f..%2fetc%2fpasswd": 404, "/places/": 404,
		"/places/F7NE3CDQ7?range=9999d": 404, "/places/F7NE3CDQ7?range=-1": 404, "/places/F7NE3CDQ7?range=24h&range=7d": 200,
		"/01/09521234010036/10/AO1-261123": 200, "/01/09521234010036/10/AO1-261123?lang=en": 200, "/01/09521234010036/10/AO1-261123?17=270101": 200,
		"/01/09521234010036/10/AO1-261123/21/1": 404, "/01/09521234010036/10/AO1-261124": 404, "/01/09521234010036": 404,
		"/01/09521234010036/10/AO1-261123/": 404, "/01//09521234010036/10/AO1-261123": 404, "/01/../01/09521234010036/10/AO1-261123": 404,
		"/01/09521234010037/10/AO1-261123": 404, "/01/09521234010036/10/%0d%0aX:y": 404, "/01/09521234010036/10/" + long: 404, "/01": 404, "/01/": 404,
		"/01/09521234010036/10/AO1-261123?10=A": 404, "/01/09521234010036/10/%3Cscript%3E": 404, "/01/09521234010036/10/a%2e%2e": 404,
		"/qr/01/09521234010036/10/AO1-261123.png": 200, "/qr/01/09521234010036/10/AO1-261123.svg": 200, "/qr/p/F7NE3CDQ7.svg": 200,
		"/qr/01/09521234010036/10/AO1-261123": 404, "/qr/01/09521234010036/10/AO1-261123.gif": 404, "/qr/01/09521234010036/10/NONE.png": 404,
		"/qr/01/09521234010037/10/A.png": 404, "/qr/p/F7NE3CDQ8.svg": 404, "/qr/.png": 404, "/qr/https://evil.example.png": 404,
		"/static/000000000000/app.css": 404, "/static/x/../../server.go": 404, "/robots.txt": 404, "/system": 200, "/healthz": 200,
		"/api/places": 200, "/api/series?place=F7NE3CDQ7": 200, "/api/series?place=F7NE3CDQ7&quantity=ph&range=7d": 200, "/api/series": 400,
		"/api/series?place=F7NE3CDQ7&quantity=love": 400, "/api/series?place=F7NE3CDQ7&range=1y": 400, "/api/series?place=7K3PNX9DX": 404,
		"/api/series?place=" + long: 400,
	} {
		res := get(t, srv, path, nil)
		if res.status != want && (res.status < 300 || res.status >= 400 || want != 404) {
			t.Errorf("%.80s: %d, want %d", path, res.status, want)
		}
		for _, name := range []string{"Set-Cookie", "X"} {
			if res.header.Get(name) != "" {
				t.Errorf("%.80s: header %s", path, name)
			}
		}
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
			if res.header.Get(name) == "" {
				t.Errorf("%.80s: no %s", path, name)
			}
		}
	}
}

func TestPages_SaySoWhatIsMalformedAndNothingOfWhatIsUnknown(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	for path, want := range map[string]string{
		"/01/09521234010037/10/A":                          "chữ số kiểm tra",
		"/01/09521234010036/21/S/10/L":                     "sai thứ tự",
		"/01/09521234010036/10/A/10/B":                     "xuất hiện hai lần",
		"/01/9521234010036/10/A":                           "đúng 14 chữ số",
		"/01/09521234010036/10/A/":                         "thừa dấu gạch chéo",
		"/01/09521234010036/10/%3Cscript%3Ealert(1)%20":    "ký tự không được dùng",
		"/01/09521234010036/10/NOBODY":                     "Chúng tôi không cấp mã này",
		"/01/09506000134352/10/AO1-261123":                 "Chúng tôi không cấp mã này",
		"/01/09521234010036/10/AO1-261123/21/1234567":      "Chúng tôi không cấp mã này",
		"/01/09521234010036/10/A?lang=en&99=":              "attribute after the question mark",
		"/01/09521234010036/10/AO1-261123/21/1234?lang=en": "We did not issue this code",
	} {
		res := get(t, srv, path, nil)
		body := string(res.body)
		if res.status != 404 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, does not say %q", path, res.status, want)
		}
		if strings.Contains(body, "<script>alert") {
			t.Errorf("%s: script in the page", path)
		}
	}
}

func TestPages_OnlyReads(t *testing.T) {
	srv := newSources(t).pages(t)
	for _, path := range []string{"/", "/places/F7NE3CDQ7", "/01/09521234010036/10/AO1-261123", "/qr/p/F7NE3CDQ7.svg", "/live", "/api/places", "/system"} {
		for _, method := range []string{http.MethodPost, http.MethodDelete, "TRACE"} {
			if res := ask(t, srv, method, path, nil); res.status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, res.status)
			}
			res := ask(t, srv, method, path, http.Header{"Sec-Fetch-Site": {"cross-site"}})
			if res.status != http.StatusForbidden && res.status != http.StatusMethodNotAllowed {
				t.Errorf("cross-site %s %s: %d", method, path, res.status)
			}
		}
	}
	if res := ask(t, srv, http.MethodHead, "/01/09521234010036/10/AO1-261123", nil); res.status != 200 || len(res.body) != 0 {
		t.Errorf("HEAD: %d, %d bytes", res.status, len(res.body))
	}
}

func TestLabelPage_IsSentAgainOnlyWhenItChanged(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	path := s.demo.Lot.Link().Path()
	first := get(t, srv, path, nil)
	tag := first.header.Get("ETag")
	if res := get(t, srv, path, http.Header{"If-None-Match": {`"x", ` + tag}}); res.status != http.StatusNotModified || len(res.body) != 0 || tag == "" {
		t.Errorf("tag %q: %d, %d bytes", tag, res.status, len(res.body))
	}
	d := s.dossiers[s.demo.Lot.Link()]
	d.Evidence[0].Min--
	if res := get(t, srv, path, http.Header{"If-None-Match": {tag}}); res.status != 200 || res.header.Get("ETag") == tag {
		t.Errorf("changed evidence: %d, tag %q", res.status, res.header.Get("ETag"))
	}
}

func TestLabelPage_TheLastDayOfACertificateIsThatOfItsPaper(t *testing.T) {
	s := newSources(t)
	link := s.demo.Lot.Link()
	d := s.dossiers[link]
	d.Certificates = []trace.Certificate{s.demo.Certificate}
	d.Certificates[0].From, d.Certificates[0].To = time.Date(2026, 1, 30, 0, 0, 0, 0, farm.Time()), time.Date(2027, 1, 31, 0, 0, 0, 0, farm.Time()).UTC()
	s.dossiers[link] = d
	if body := string(get(t, s.pages(t), link.Path(), nil).body); !strings.Contains(body, "hiệu lực 30/01/2026 – 30/01/2027") {
		t.Error("the page does not say the days that stand on the paper, 30/01/2026 to 30/01/2027")
	}
}

func TestLabelPage_ClaimsNoCertificateTheLotDoesNotHave(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	link := s.demo.Lot.Link()
	if body := string(get(t, srv, link.Path(), nil).body); !strings.Contains(body, "Chứng nhận minh họa, không có giá trị") || strings.Contains(body, "đạt chuẩn") {
		t.Error("the demo certificate is not called one")
	}
	d := s.dossiers[link]
	d.Certificates = nil
	s.dossiers[link] = d
	for path, want := range map[string]string{
		link.Path(): "Không có chứng nhận nào được ghi cho lô này", link.Path() + "?lang=en": "No certificate is on record for this lot",
	} {
		if body := string(get(t, srv, path, nil).body); !strings.Contains(body, want) || strings.Contains(body, "VietGAP") {
			t.Errorf("%s: a certificate out of nothing", path)
		}
	}
}

func TestLabelPage_SaysWhatState(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	link := s.demo.Lot.Link()
	d := s.dossiers[link]
	d.Lot.State, d.Evidence = trace.Recalled, nil
	s.dossiers[link] = d
	body := string(get(t, srv, link.Path(), nil).body)
	for _, want := range []string{"ĐÃ BỊ THU HỒI", "Số liệu nước đang được tính"} {
		if !strings.Contains(body, want) {
			t.Errorf("does not say %q", want)
		}
	}
	for _, never := range []string{"hàng thật", "chính hãng", "genuine"} {
		if strings.Contains(strings.ToLower(body), never) {
			t.Errorf("says %q", never)
		}
	}
}

// A lot that may not be sold has a page that says so and nothing of what was measured, and no code to print.
func TestLabelPage_OfALotThatIsHeldClaimsNothing(t *testing.T) {
	for state, want := range map[trace.State]string{trace.Held: "ĐANG BỊ GIỮ LẠI", trace.Void: "ĐÃ BỊ HỦY"} {
		s := newSources(t)
		srv := s.pages(t)
		link := s.demo.Lot.Link()
		d := s.dossiers[link]
		d.Lot.State = state
		s.dossiers[link] = d
		body := string(get(t, srv, link.Path(), nil).body)
		if !strings.Contains(body, want) || !strings.Contains(body, d.Lot.Code) {
			t.Errorf("%s: does not say %q", state, want)
		}
		for _, never := range []string{"VietGAP", "mg/L", "pH", "class=\"qr\"", "/proof/"} {
			if strings.Contains(body, never) {
				t.Errorf("%s: says %q", state, never)
			}
		}
		if got := get(t, srv, "/qr"+link.Path()+".png", nil); got.status != http.StatusNotFound {
			t.Errorf("%s: its code is drawn: %d", state, got.status)
		}
	}
}

func TestDashboard_HasNoFalseCalm(t *testing.T) {
	s := newSources(t)
	s.farm.Places = append(s.farm.Places, farm.Place{
		Code: "7K3PNX9DX", Name: "ao9", Kind: farm.Pond, Title: farm.Text{VI: "Ao 9", EN: "Pond 9"}, Zone: "phu-khe", Holds: farm.Text{VI: "cá mè", EN: "carp"},
	})
	body := string(get(t, s.pages(t), "/", nil).body)
	for _, want := range []string{
		"Đầu dò không trả lời", "Số liệu cũ", "lần cuối", "dưới 4\u00a0mg/L (TCVN 13952:2024 (trích lại))", "Chưa lắp đầu dò", "Chưa hiệu chuẩn",
		`class="tile danger"`, `class="tile lost"`, "Dữ liệu minh họa",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("does not say %q", want)
		}
	}
	// The worst comes first in its zone.
	if dead, low, good := strings.Index(body, `id="p-CSSHRYF9K"`), strings.Index(body, `id="p-72DQY3KX0"`), strings.Index(body, `id="p-F7NE3CDQ7"`); dead > low || low > good {
		t.Errorf("order: dead probe at %d, low oxygen at %d, good water at %d", dead, low, good)
	}
	s.set("ao3-do", measure.DissolvedOxygen, 2.9, measure.Good, "")
	body = string(get(t, s.pages(t), "/", nil).body)
	if !strings.Contains(body, "Nguy hiểm, quá thấp") || strings.Index(body, `id="p-72DQY3KX0"`) > strings.Index(body, `id="p-CSSHRYF9K"`) {
		t.Error("danger is not first")
	}
}

// TestDashboard_ValueOfTheFutureIsNeverFresh: of a clock that is ahead nobody knows how old its values are, neither before
// the time they are dated nor when that has come.
func TestDashboard_ValueOfTheFutureIsNeverFresh(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration // now
		ahead bool
		fresh bool
	}{
		"a clock a little off":            {after: 4 * time.Minute, fresh: true},
		"dated ahead":                     {after: 20 * time.Minute, ahead: true},
		"dated ahead, and the time comes": {after: -30 * time.Second, ahead: true},
		"dated ahead, and it is past":     {after: -3 * time.Hour, ahead: true},
		"ahead in the history":            {after: 6 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSources(t)
			for _, v := range s.newest() {
				if v.Sensor == "ao1-do" {
					v.Time, v.Ahead = now().Add(tc.after).UTC(), tc.ahead
					s.live = watch.NewLive()
					s.live.Update([]watch.Value{v})
				}
			}
			srv := s.pages(t)
			for lang, want := range map[string]string{"vi": "Sai giờ · 24/11/2026 ", "en": "Wrong clock · 24/11/2026 "} {
				_, card, _ := strings.Cut(string(get(t, srv, withLang("/", lang), nil).body), `id="p-F7NE3CDQ7"`)
				card, _, _ = strings.Cut(card, "</article>")
				card = html.UnescapeString(tags.ReplaceAllString(card, ""))
				if strings.Contains(card, want) == tc.fresh || strings.Contains(card, texts(t, lang)["state.future.why"]) == tc.fresh {
					t.Errorf("%s: fresh should be %t: %s", lang, tc.fresh, card)
				}
				if strings.Contains(card, texts(t, lang)["state.last"]) == tc.fresh {
					t.Errorf("%s: the value is not marked: %s", lang, card)
				}
			}
		})
	}
}

func TestPages_FailClosedAndQuiet(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	s.setFailing(true)
	for _, path := range []string{"/", "/places/F7NE3CDQ7", "/system", "/01/09521234010036/10/AO1-261123", "/qr/01/09521234010036/10/AO1-261123.svg", "/healthz", "/api/places"} {
		res := get(t, srv, path, nil)
		if res.status != http.StatusServiceUnavailable || strings.Contains(string(res.body), "secret-dsn") || strings.Contains(string(res.body), "panic") {
			t.Errorf("%s: %d %.200s", path, res.status, res.body)
		}
	}
	s.setFailing(false)
	if res := get(t, srv, "/", nil); res.status != 200 {
		t.Errorf("after the failure: %d", res.status)
	}
}

func TestSystemPage_SaysWhatBecameOfSettings(t *testing.T) {
	for want, set := range map[string]web.Settings{
		"đang dùng bản 3<":                      {State: "applied", Version: 3, Wanted: 3},
		"bản 4 đang chờ trạm nhận<":             {State: "applied", Version: 3, Wanted: 4},
		"bản 1 đang chờ trạm nhận<":             {Wanted: 1},
		"giữ theo tệp của trạm: seal.every, a<": {State: "applied", Version: 3, Wanted: 3, Kept: []string{"seal.every", "a"}},
		"trạm đã quay về cài đặt cũ<":           {State: "rolled-back", Version: 3, Wanted: 3, Why: "ao1-do"},
		"<dd>splendid<":                         {State: "splendid", Version: 3, Wanted: 3},
	} {
		s := newSources(t)
		s.system.Gateways[0].Settings = set
		if body := string(get(t, s.pages(t), "/system", nil).body); !strings.Contains(body, want) {
			t.Errorf("%+v: the page does not say %s", set, want)
		}
	}
}

func TestSystemPage_ShowsTheHealthOfGateways(t *testing.T) {
	s := newSources(t)
	say := func(gateway, sensor string, q measure.Quantity, v float64, age time.Duration) {
		s.live.Update([]watch.Value{{
			Series: history.Series{Place: "unplaced", Gateway: gateway, Sensor: sensor, Quantity: q}, Time: now().UTC().Add(-age), Value: v,
		}})
	}
	say("gw-ao-phukhe", "gw-health", measure.CPUTemperature, 54.3, time.Minute)
	say("gw-ao-phukhe", "gw-health", measure.DiskFree, 12345.6, time.Minute)
	say("gw-ao-phukhe", "gw-health", measure.UnderVoltage, 1, time.Minute)
	say("gw-ao-phukhe", "gw-health", measure.LinkUp, 1, 3*time.Hour)
	say("gw-vuon", "gw-health", measure.SpoolDepth, 1234, 25*time.Minute)
	say("gw-ao-phukhe", "gw-health", measure.ClockOffset, -0.0015, time.Minute)
	body := string(get(t, s.pages(t), "/system", nil).body)
	for _, want := range []string{
		"<dt>Nhiệt độ bộ xử lý</dt><dd>54\u00a0°C</dd>", "<dt>Bộ nhớ lưu trữ còn trống</dt><dd>12.346\u00a0MB</dd>",
		"<dt>Thiếu điện áp nguồn</dt><dd>Có</dd>", "<dt>Kết nối máy chủ</dt><dd>Thông (", "<dt>Số gói chờ gửi</dt><dd>1.234 (25 phút trước)</dd>",
	} {
		if n := strings.Count(body, want); n != 1 {
			t.Errorf("%d times %s", n, want)
		}
	}
	if home := string(get(t, s.pages(t), "/", nil).body); strings.Contains(home, "gw-health") {
		t.Error("the dashboard takes a gateway's health for a probe that nobody placed")
	}
}

func TestSystemPage_ShowsRefusalsInWords(t *testing.T) {
	srv := newSources(t).pages(t)
	body := string(get(t, srv, "/system", nil).body)
	for _, want := range []string{"Trạm lạ, chưa ghi danh", "1.412", "Chữ ký sai hoặc nội dung bị sửa", "gw-vuon", "Mất kết nối", "Đang chờ", "&lt;script&gt;", "Ghi vào kho chuỗi số liệu"} {
		if !strings.Contains(body, want) {
			t.Errorf("does not say %q", want)
		}
	}
	if strings.Contains(body, "<script>alert") {
		t.Error("a refused message runs as a script")
	}
	if body := string(get(t, srv, "/system?lang=en", nil).body); !strings.Contains(body, "Unknown gateway, not enrolled") {
		t.Error("reasons are not in the language that was asked for")
	}
}

func TestAPI_GivesValuesAndNeverOneForAFault(t *testing.T) {
	srv := newSources(t).pages(t)
	var places struct {
		Places []struct {
			Code, State string
			Series      []struct {
				Sensor, Quality, Reason string
				Value                   *float64
			}
		}
	}
	res := get(t, srv, "/api/places", nil)
	if err := json.Unmarshal(res.body, &places); err != nil || len(places.Places) != 7 {
		t.Fatalf("%v, %d places", err, len(places.Places))
	}
	for _, p := range places.Places {
		for _, x := range p.Series {
			if (x.Quality == "fault") != (x.Value == nil) {
				t.Errorf("%s: quality %s, value %v", x.Sensor, x.Quality, x.Value)
			}
		}
	}
	var series struct {
		Series []struct{ Steps []map[string]any }
	}
	res = get(t, srv, "/api/series?place=72DQY3KX0&quantity=ph&range=7d", nil)
	if err := json.Unmarshal(res.body, &series); err != nil || len(series.Series) != 1 || len(series.Series[0].Steps) < 160 {
		t.Errorf("%v: %.300s", err, res.body)
	}
}

// The stream begins with everything, then sends what changed and nothing else.
func TestLive_SendsWhatChanged(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
	}()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	next := func() (ids []string) { // until the sign of life after the first
		alive := 0
		for lines.Scan() {
			if lines.Text() == "event: alive" {
				if alive++; alive == 2 {
					return ids
				}
			}
			if data, ok := strings.CutPrefix(lines.Text(), `data: {"id":"`); ok {
				id, _, _ := strings.Cut(data, `"`)
				ids = append(ids, id)
			}
		}
		return ids
	}
	go s.set("ao1-ph", measure.PH, 6.1, measure.Good, "")
	first := next()
	if len(first) != 8 || first[0] != "totals" {
		t.Errorf("first parts %v", first)
	}
	if res.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
		t.Errorf("content type %q", res.Header.Get("Content-Type"))
	}
}

func TestStyleSheet_IsSmallAndKeptForEver(t *testing.T) {
	srv := newSources(t).pages(t)
	page := string(get(t, srv, "/", nil).body)
	_, rest, _ := strings.Cut(page, `<link rel="stylesheet" href="`)
	at, _, _ := strings.Cut(rest, `"`)
	res := get(t, srv, at, nil)
	if res.status != 200 || len(res.body) > 10<<10 || !strings.Contains(res.header.Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %d, %d bytes, %q", at, res.status, len(res.body), res.header.Get("Cache-Control"))
	}
	if strings.Contains(page, "style=") || strings.Contains(page, "onclick") {
		t.Error("the page needs what its Content-Security-Policy forbids")
	}
}
