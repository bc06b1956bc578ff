package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/history"
	"aovuon/server/parttest"
	"aovuon/server/watch"
	"aovuon/server/web"
)

// madeUpBatches are the newest ones of the first gateway.
func madeUpBatches(_ context.Context, gateway string, _ int) ([]web.Batch, error) {
	if gateway != "gw-ao-phukhe" {
		return nil, nil
	}
	at := now().UTC()
	return []web.Batch{
		{Seq: 86412, Received: at.Add(-20 * time.Second), From: at.Add(-50 * time.Second), To: at.Add(-25 * time.Second), Readings: 22, Clock: "synced"},
		{Seq: 86411, Received: at.Add(-50 * time.Second), From: at.Add(-6 * time.Hour), To: at.Add(-3 * time.Hour), Readings: 1, Faults: 1, Gaps: 2, Clock: "rtc", Told: []string{"calibration"}},
		{Seq: 86410, Received: at.Add(-80 * time.Second), Clock: "unsynced", Told: []string{"settings"}},
	}, nil
}

func TestGatewayPage_SaysHowAGatewayAndItsProbesAre(t *testing.T) {
	s := newSources(t)
	say := func(sensor string, q measure.Quantity, v float64, age time.Duration) {
		s.live.Update([]watch.Value{{Series: history.Series{Place: "unplaced", Gateway: "gw-ao-phukhe", Sensor: sensor, Quantity: q}, Time: now().UTC().Add(-age), Value: v}})
	}
	say("gw-health", measure.SpoolDepth, 1234, time.Minute)
	say("gw-health", measure.DiskFree, 12345.6, time.Minute)
	say("gw-health", measure.CPUTemperature, 54.3, time.Minute)
	say("stray", measure.PH, 7.1, time.Minute)
	srv := s.pages(t)
	body := string(get(t, srv, "/gateways/gw-ao-phukhe", nil).body)
	for _, want := range []string{
		"Trạm gw-ao-phukhe", "Đang kết nối", "1.234", "12.346\u00a0MB", "54\u00a0°C",
		"trạm không nhận bản 3", "seal.every: every of 1ms", `href="/probes/gw-ao-phukhe/ao1-ph"`, `href="/places/F7NE3CDQ7"`, "Đầu dò không trả lời", "Quá hạn hiệu chuẩn", "Nguyễn Văn Tâm&lt;b&gt;",
		"stray", "chưa khai báo vị trí",
		"86.412", "22 số đo", "1 số đo lỗi", "2 khoảng trống", "đến muộn 3 giờ", "chưa rõ giờ đo", "có kết quả hiệu chuẩn", "trả lời cài đặt",
		"Chữ ký sai hoặc nội dung bị sửa",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("does not say %q", want)
		}
	}
	for _, never := range []string{"unknown-gateway", "Trạm lạ", "gw-vuon", `href="/probes/gw-ao-phukhe/gw-health"`} {
		if strings.Contains(body, never) {
			t.Errorf("says %q, which is of another", never)
		}
	}
	// What is worst among its probes comes first.
	if dead, good := strings.Index(body, ">ao2-ph<"), strings.Index(body, ">ao1-do<"); dead < 0 || dead > good {
		t.Errorf("a dead probe at %d, a good one at %d", dead, good)
	}
	empty := string(get(t, srv, "/gateways/gw-moi", nil).body)
	for _, want := range []string{"Chưa gửi gì", "Chưa có đầu dò nào", "Chưa nhận gói nào", "Trạm chưa báo gì về mình"} {
		if !strings.Contains(empty, want) {
			t.Errorf("a new one does not say %q", want)
		}
	}
	for _, path := range []string{"/gateways/nobody", "/gateways/%3Cscript%3E", "/gateways/" + strings.Repeat("a", 3000)} {
		if res := get(t, srv, path, nil); res.status != http.StatusNotFound || strings.Contains(string(res.body), "<script>alert") {
			t.Errorf("%.40s: %d", path, res.status)
		}
	}
	if system := string(get(t, srv, "/system", nil).body); !strings.Contains(system, `href="/gateways/gw-vuon"`) {
		t.Error("the system page does not lead there")
	}
}

func TestBrowser_GatewayAndWallScreens(t *testing.T) {
	axe := parttest.Axe(t)
	w := commune(t)
	w.system.Gateways[0].ID, w.system.Gateways[1].ID = "gw-ao-2", "gw-vuon-0"
	for i, q := range []measure.Quantity{measure.SpoolDepth, measure.DiskFree, measure.CPUTemperature, measure.LinkUp, measure.ClockOffset} {
		w.live.Update([]watch.Value{{Series: history.Series{Place: "unplaced", Gateway: "gw-ao-2", Sensor: "gw1-health", Quantity: q}, Time: now().UTC().Add(-time.Minute), Value: []float64{12, 12400, 51.5, 1, 0.004}[i]}})
	}
	w.system.Gateways[0].Program = &wire.ProgramReport{
		Version: "0.20261126.1030+g1a2b3c4", Wanted: "0.20261203.900+g5d6e7f8", State: wire.ProgramRolledBack, Code: wire.CodeMute,
		Why: "no receipt came within 10m0s for anything it sealed: connect to ssl://htx.example:8883: connection refused",
	}
	w.system.Gateways[1].Program = &wire.ProgramReport{Version: "0.20261126.1030+g1a2b3c4", State: wire.ProgramCurrent}
	b := w.signedIn(browser(t), account.Technician)
	for screen, view := range map[string]step{"360": phone(), "768": chromedp.EmulateViewport(768, 1024), "1440": desk(), "1080p": chromedp.EmulateViewport(1920, 1080)} {
		for name, path := range map[string]string{"gateway": "/gateways/gw-ao-2", "wall": "/wall", "wall-en": "/wall?lang=en&zone=dong-0", "wall-none": "/wall?zone=nowhere", "system": "/system"} {
			b.do(path, view, chromedp.Navigate(w.srv.URL+path), chromedp.WaitVisible(chromedp.CSS("main h1")))
			if fits := ask1(b, "width", evaluate[bool](`document.documentElement.scrollWidth <= innerWidth`)); !fits {
				t.Errorf("%s at %s is wider than the screen", name, screen)
			}
			if complaints := axe(b.ctx); complaints != "" {
				t.Errorf("%s at %s: %s", name, screen, complaints)
			}
			shoot(b, name+"-"+screen)
		}
	}
	b.do("television", chromedp.EmulateViewport(1920, 1080), chromedp.Navigate(w.srv.URL+"/wall"), chromedp.WaitVisible(chromedp.CSS("main h1")))
	if high := ask1(b, "height", evaluate[int](`document.documentElement.scrollHeight`)); high > 1080 {
		t.Errorf("the wall is %d high: nobody scrolls it", high)
	}
}

func TestWall_ShowsOnePartAfterTheOther(t *testing.T) {
	w := newSources(t)
	w.grow(t)
	clock := now()
	w.clock = func() time.Time { return clock }
	srv := w.pages(t)
	seen := map[string]int{}
	zones := []string{}
	for range 6 {
		body := string(get(t, srv, "/wall?every=30", nil).body)
		_, rest, _ := strings.Cut(body, `<section class="zone">`)
		_, name, _ := strings.Cut(rest, "<h2>")
		name, _, _ = strings.Cut(name, " <small>")
		zones = append(zones, name)
		for _, p := range w.farm.Places {
			if strings.Contains(rest, "</svg>"+p.Title.VI+"</h3>") {
				seen[p.Code]++
			}
		}
		for _, always := range []string{"Ao 11", "Ao 22", "Ao 33"} { // what is worst, whatever is shown
			if worst, _, _ := strings.Cut(body, `<section class="zone">`); !strings.Contains(worst, "<b>"+always+"</b>") {
				t.Errorf("%s: %s is not in sight", name, always)
			}
		}
		if !strings.Contains(body, `<p class="clock">`+clock.Format("15:04")) || !strings.Contains(body, `content="30"`) {
			t.Error("no time, or it does not go on by itself")
		}
		clock = clock.Add(30 * time.Second)
	}
	if len(seen) != len(w.farm.Places) {
		t.Errorf("%d places of %d were shown: %v", len(seen), len(w.farm.Places), zones)
	}
	for code, n := range seen {
		if n != 1 {
			t.Errorf("%s was shown %d times in a round", code, n)
		}
	}
	for _, query := range []string{"?every=0", "?every=99999", "?every=x", "?every=-5", "?zone=nowhere"} {
		if res := get(t, srv, "/wall"+query, nil); res.status != http.StatusOK {
			t.Errorf("%s: %d", query, res.status)
		}
	}
	town := commune(t)
	if farmers := string(town.as(account.Farmer, http.MethodGet, "/wall", nil, nil).body); strings.Contains(farmers, "Ao 22") {
		t.Error("a farmer sees places of others")
	}
}

// TestBrowser_WallSaysWhenItLostTheServer and goes on by itself, also after an error that no browser survives.
func TestBrowser_WallSaysWhenItLostTheServer(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	b := w.signedIn(browser(t), account.Technician)
	b.do("open", chromedp.EmulateViewport(1920, 1080), chromedp.Navigate(w.srv.URL+"/wall?every=5"), chromedp.WaitVisible(chromedp.CSS("main h1")))
	ask1(b, "a mark that would not survive a reload", evaluate[int](`window.mark = 1`))
	down := func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "down", http.StatusBadGateway) }
	w.fault.Store(&down)
	b.until("the server is lost", `!document.querySelector("#wall-lost").hidden && document.querySelector("#wall-lost").textContent.includes("Mất máy chủ từ")`)
	shoot(b, "wall-lost")
	w.set("ao1-do", measure.DissolvedOxygen, 2.34, measure.Good, "")
	w.fault.Store(nil)
	b.until("it is back, with what is true now", `document.querySelector("#wall-lost").hidden && document.querySelector(".worst").textContent.includes("Ao 1")`)
	if !ask1(b, "mark", evaluate[bool](`window.mark === 1`)) {
		t.Error("the page was loaded again")
	}
	if _, err := w.acc.Reset(t.Context(), w.ids[account.Technician], w.by()); err != nil {
		t.Fatal(err)
	}
	b.until("signed out is said", `document.querySelector("#wall-lost").textContent.includes("đăng nhập")`)
}
