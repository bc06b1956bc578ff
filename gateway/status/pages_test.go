package status_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/measure"
	"aovuon/gateway/scan"
	"aovuon/gateway/status"
)

const pin = "20481234"

// made is a gateway made up: every quality, every reason a fault can have, a calibration in each phase.
type made struct {
	mu    sync.Mutex
	at    time.Time
	snap  status.Snapshot
	scans int
	state *calibrate.State
	asked []any
}

func now() time.Time { return time.Date(2026, 11, 25, 3, 4, 5, 0, time.UTC) }

func newMade() *made {
	age := int64(12)
	m := &made{at: now(), snap: status.Snapshot{
		Gateway: "gw-ao-phukhe", Version: "v1.2.3", Server: "ssl://htx.example:8883", Time: now(), Clock: "synced", Uptime: 86400,
		Link: true, LinkFor: 7200, Receipts: 99, ReceiptAge: &age, Pending: 4, Sealed: 1, Bytes: 1 << 20, Health: "ok",
	}}
	add := func(sensor, bus string, q measure.Quantity, v float64, quality measure.Quality, reason measure.FaultReason, inputs string) {
		info, _ := q.Info()
		c := status.Channel{Sensor: sensor, Bus: bus, Quantity: q, Unit: info.Unit, Quality: quality.String(), Reason: string(reason), Inputs: inputs, Time: now(), Age: 7, For: 3700}
		if quality != measure.Fault {
			c.Value = &v
		}
		m.snap.Channels = append(m.snap.Channels, c)
	}
	add("ao1-temp", "ao-w1", measure.WaterTemperature, 28.44, measure.Good, "", "")
	add("ao1-do", "ao-i2c", measure.DissolvedOxygen, 5.61, measure.Estimated, "", "t=28.44@ao1-temp+12;s=0?;p=1013.25?")
	add("ao1-ph", "ao-i2c", measure.PH, 7.92, measure.Uncalibrated, "", "t=28.44@ao1-temp+720?")
	add("ao1-do", "ao-i2c", measure.OxygenSaturation, 71, measure.Good, "", "")
	add("ao1-level", "ao-485", measure.WaterLevel, 134.2, measure.Suspect, "", "")
	m.snap.Channels[4].Raw, m.snap.Channels[4].Why = new(134.9), "the same value for 6h"
	add("khoai1-am", "vuon-i2c", measure.SoilMoisture, 117, measure.OutOfRange, "", "")
	add("ao2-temp", "ao-w1", measure.WaterTemperature, 0, measure.Fault, measure.CRC, "")
	return m
}

func (m *made) options() status.Options {
	log := status.NewLog(2<<20, time.Hour)
	l := slog.New(log)
	l.Info("started", slog.Int("sensors", 6))
	l.Warn("sensor fault began", slog.String("sensor", "ao2-temp"), slog.String("reason", "crc"))
	due := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	return status.Options{
		Snapshot: func(context.Context) status.Snapshot { return m.snap },
		Targets: func() []calibrate.Target {
			return []calibrate.Target{
				{Sensor: "ao1-ph", Quantity: measure.PH, Kind: "ezo-ph", Methods: []calibrate.Method{calibrate.EZOPH}, Standing: calibrate.DueSoon, Due: &due},
				{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Kind: "ezo-do", Methods: []calibrate.Method{calibrate.EZODO, calibrate.Linear}, Standing: calibrate.Overdue},
			}
		},
		Desk: m, Log: log, PIN: pin, Hosts: []string{"aovuon"},
		Now: func() time.Time { m.mu.Lock(); defer m.mu.Unlock(); return m.at },
		Scan: func(context.Context) (scan.Report, error) {
			m.scans++
			return scan.Report{
				Found: []scan.Found{
					{Bus: "ao-i2c", Address: 0x61, Kind: "ezo-do", Chip: "EZO-D.O., firmware 2.16", Sensor: "ao1-do"},
					{Bus: "ao-i2c", Address: 0x64, Kind: "ezo-ec", Chip: "EZO-EC, firmware 2.10"},
					{Bus: "ao-i2c", Address: 0x68, Chip: "unknown (often a battery-backed clock)"},
				},
				Trouble: []scan.Trouble{{Bus: "vuon-i2c", Err: "/dev/i2c-3 does not exist"}},
			}, nil
		},
	}
}

func (m *made) serve(t *testing.T) *httptest.Server {
	t.Helper()
	s, err := status.New(m.options())
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv
}

// The desk: it does what is asked and remembers it.
func (m *made) do(what any, change func(st *calibrate.State)) (calibrate.State, error) {
	m.asked = append(m.asked, what)
	if m.state == nil {
		return calibrate.State{}, &calibrate.Refusal{Code: "none", Text: "nobody is calibrating"}
	}
	if change != nil {
		change(m.state)
	}
	return *m.state, nil
}

func phSteps() []calibrate.Step {
	return []calibrate.Step{
		{Name: "mid", Text: "Rinse.", Asks: "the pH", Nominal: new(7.0), Least: 6.98, Most: 7.03, Buffer: true, Celsius: true},
		{Name: "low", Text: "Rinse.", Optional: true, Asks: "the pH", Nominal: new(4.0), Buffer: true},
	}
}

func (m *made) Begin(_ context.Context, b calibrate.Begin) (calibrate.State, error) {
	if b.Who == "" {
		return calibrate.State{}, &calibrate.Refusal{Code: "malformed", Text: "who: want a name"}
	}
	m.state = &calibrate.State{Version: 1, Sensor: b.Sensor, Quantity: measure.PH, Method: calibrate.EZOPH, Who: b.Who, Steps: phSteps(), Phase: calibrate.Asking}
	return m.do(b, nil)
}

func (m *made) State(context.Context, string, int) (calibrate.State, error) {
	if m.state == nil {
		return calibrate.State{}, &calibrate.Refusal{Code: "none", Text: "nobody is calibrating"}
	}
	return *m.state, nil
}

func (m *made) Answer(_ context.Context, _ string, a calibrate.Answer) (calibrate.State, error) {
	return m.do(a, func(st *calibrate.State) {
		if st.At++; st.At == len(st.Steps) {
			st.Phase, st.Verdict, st.Slope = calibrate.Review, calibrate.Good, new(98.4)
		}
	})
}

func (m *made) Finish(_ context.Context, _, note string) (calibrate.State, error) {
	return m.do(note, func(st *calibrate.State) { st.Phase = calibrate.Done })
}

func (m *made) Abort(context.Context, string) (calibrate.State, error) {
	return m.do("abort", func(st *calibrate.State) { st.Phase = calibrate.Aborted })
}

// visitor is a browser without a screen.
type visitor struct {
	t   *testing.T
	url string
	c   *http.Client
}

func visit(t *testing.T, srv *httptest.Server) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, srv.URL, &http.Client{Jar: jar}}
}

// reply is the head of an answer.
type reply struct {
	StatusCode int
	Status     string
	Header     http.Header
}

func (v *visitor) do(req *http.Request) (reply, string) {
	v.t.Helper()
	res, err := v.c.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		v.t.Error(err)
	}
	return reply{res.StatusCode, res.Status, res.Header}, string(body)
}

func (v *visitor) get(path string) (reply, string) {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodGet, v.url+path, http.NoBody)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(req)
}

func (v *visitor) post(path string, form url.Values) (reply, string) {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodPost, v.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(req)
}

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
	for _, want := range []string{"mất nối đã 2 giờ", "500 gói", "Chưa có giờ", "disk: full", "Đã mất 7 lần đo", "đã bỏ bớt 9.000 lần đo cũ", "Chưa có đầu dò nào trả lời"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
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

// locale reads the words of a language.
func locale(t *testing.T, lang string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("locales/" + lang + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var words map[string]string
	if err := yaml.UnmarshalWithOptions(raw, &words, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return words
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

func TestLog_KeepsAnHourAndItsSize(t *testing.T) {
	l := status.NewLog(20_000, time.Hour)
	log := slog.New(l).With(slog.String("gateway", "gw-ao"))
	start := now()
	for i := range 1000 {
		rec := slog.NewRecord(start.Add(time.Duration(i)*time.Second), slog.LevelInfo, "line", 0)
		rec.AddAttrs(slog.Int("n", i))
		if err := log.Handler().Handle(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	at := start.Add(1000 * time.Second)
	all, more := l.Newest(at, slog.LevelInfo, 0, 10_000)
	if more || len(all) < 150 || len(all) > 220 || all[0].Text != `msg=line gateway=gw-ao n=999` {
		t.Errorf("%d lines, the first %+v", len(all), all[0])
	}
	page, more := l.Newest(at, slog.LevelInfo, 10, 5)
	if !more || len(page) != 5 || !strings.HasSuffix(page[0].Text, "n=989") {
		t.Errorf("%v %+v", more, page)
	}
	if none, _ := l.Newest(at, slog.LevelWarn, 0, 5); len(none) != 0 {
		t.Errorf("%+v", none)
	}
	if old, _ := l.Newest(at.Add(time.Hour), slog.LevelInfo, 0, 5); len(old) != 0 {
		t.Errorf("after an hour: %+v", old)
	}
	log.Warn("long", slog.String("text", strings.Repeat("ô", 9000)))
	if long, _ := l.Newest(time.Now(), slog.LevelInfo, 0, 1); len(long) != 1 || len(long[0].Text) > 5000 {
		t.Errorf("a long line is kept whole")
	}
}

func TestWatch_SaysSinceWhen(t *testing.T) {
	w := status.NewWatch()
	take := func(at time.Duration, q measure.Quality, why measure.FaultReason) {
		r := measure.Reading{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Value: 5, Quality: q, Reason: why, Time: measure.Instant{Uptime: at}}
		if err := w.Take(t.Context(), []measure.Reading{r}); err != nil {
			t.Fatal(err)
		}
	}
	look := func(at time.Duration) status.Channel {
		c := w.Channels(at, func(measure.Reading) string { return "why" }, func(string) string { return "ao-i2c" })
		if len(c) != 1 {
			t.Fatalf("%+v", c)
		}
		return c[0]
	}
	take(10*time.Second, measure.Good, "")
	take(20*time.Second, measure.Fault, measure.CRC)
	take(30*time.Second, measure.Fault, measure.CRC)
	if c := look(45 * time.Second); c.For != 25 || c.Age != 15 || c.Value != nil || c.Reason != "crc" || c.Why != "why" || c.Bus != "ao-i2c" {
		t.Errorf("%+v", c)
	}
	take(50*time.Second, measure.Fault, measure.Shorted)
	if c := look(51 * time.Second); c.For != 1 {
		t.Errorf("another reason: %+v", c)
	}
	take(60*time.Second, measure.Good, "")
	if c := look(60 * time.Second); c.Value == nil || *c.Value != 5 || c.For != 0 {
		t.Errorf("healed: %+v", c)
	}
	w.Keep([]string{"ao2-do"})
	if c := w.Channels(0, nil, nil); len(c) != 0 {
		t.Errorf("a sensor that is gone: %+v", c)
	}
}
