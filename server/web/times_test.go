package web_test

import (
	"encoding/csv"
	"html"
	"image/png"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/form"
)

// aerated is the pond of the demo with an aerator.
const aerated = "E8SG6VC0T"

// worked puts a week of the diary of a place on record: fed twice a day, dead fish, a water test.
func (w *town) worked(place string) {
	w.t.Helper()
	id := func(n byte) string { return "01JD000000000000000000000" + string(rune('A'+n)) }
	at := now().Add(-30 * time.Hour)
	e := func(n byte, kind string, ago time.Duration, v form.Values) diary.Event {
		return diary.Event{ID: id(n), Kind: kind, Place: place, Actor: w.ids[account.Technician], Occurred: at.Add(-ago), Recorded: at.Add(-ago), Synced: at.Add(-ago), Values: v}
	}
	w.book.put(
		e(0, diary.Feeding, 48*time.Hour, form.Values{"input": "inp0000001", "amount": 12.0}), e(1, diary.Feeding, 38*time.Hour, form.Values{"input": "inp0000001", "amount": 12.0}),
		e(2, "mortality", 30*time.Hour, form.Values{"count": 40.0, "signs": "nổi đầu"}), e(3, diary.WaterTest, 29*time.Hour, form.Values{"ph": 7.5}),
		e(4, diary.Feeding, 24*time.Hour, form.Values{"input": "inp0000001", "amount": 12.0}),
	)
}

func TestPlace_WhatHappenedStandsBelowEveryChart(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.worked(aerated)
	path := "/places/" + aerated + "?from=2026-11-18&to=2026-11-24"
	body := html.UnescapeString(string(w.as(account.Technician, http.MethodGet, path, nil, nil).body))
	figures := strings.Count(body, "<figure")
	for text, want := range map[string]int{
		"Quạt nước: chạy":               figures - 1, // but not below its own chart
		"Nhật ký: 2 việc, cho ăn 3 lần": figures, `class="tick"`: 3 * figures, "Cho ăn 3 lần.": 1, "Cá chết</a>": 1, "40": -1, "nổi đầu": -1, "Người technician": -1, "/diary?from=2026-11-18&place=E8SG6VC0T&to=2026-11-24": 1,
		">2</text>": figures, // the two that were done at about the same time are one disc
	} {
		if got := strings.Count(body, text); got != want && (want >= 0 || got <= 0) {
			t.Errorf("%d times %q, want %d (%d charts)", got, text, want, figures)
		}
	}
	if figures < 4 {
		t.Errorf("%d charts", figures)
	}
	// How long the aerator ran: the made-up one does from 2 to 6:30, when there was power.
	ran := regexp.MustCompile(`Quạt nước: chạy (\d+) giờ`).FindStringSubmatch(body)
	if ran == nil || ran[1] < "27" || ran[1] > "32" {
		t.Errorf("the aerator ran %v hours in six mornings and a bit", ran)
	}
	// Who may not read the diary of a place is not told of it; a farmer is not told of another's place at all.
	if body := string(w.as(account.Farmer, http.MethodGet, path, nil, nil).body); strings.Contains(body, "nổi đầu") || strings.Contains(body, "<figure") {
		t.Error("a farmer sees what was done at another's pond")
	}
}

func TestPlace_AlarmsStandBelowTheChartOfWhatTheySpeakOf(t *testing.T) {
	w, ids := alarmed(t, "https://tx.example.vn")
	ponds := w.farm.Places
	body := html.UnescapeString(string(w.as(account.Technician, http.MethodGet, "/places/"+ponds[0].Code, nil, nil).body))
	for text, want := range map[string]int{"Báo động: 1 lần": 1, `class="bar danger"`: 1, "/alarms/" + ids[0] + `">Ôxy hòa tan</a>`: 1, "còn kéo dài": 1} {
		if got := strings.Count(body, text); got != want {
			t.Errorf("%d times %q, want %d", got, text, want)
		}
	}
	oxygen := strings.Index(body, "dissolved_oxygen-t")
	if at := strings.Index(body, `class="bar danger"`); at < oxygen || strings.Contains(body[oxygen:at], "</svg>") {
		t.Error("the alarm of the oxygen stands below another chart")
	}
	// A probe that is silent is another colour, and its alarm is told of its own place alone.
	body = string(w.as(account.Technician, http.MethodGet, "/places/"+ponds[1].Code, nil, nil).body)
	if !strings.Contains(body, `class="bar lost"`) || strings.Contains(body, `class="bar danger"`) {
		t.Error("the silent probe of the second pond")
	}
	// Before it began there was none.
	if body := string(w.as(account.Technician, http.MethodGet, "/places/"+ponds[0].Code+"?from=2026-11-20&to=2026-11-21", nil, nil).body); strings.Contains(body, "Báo động:") {
		t.Error("an alarm is drawn at a time at which it did not last")
	}
}

func TestPlace_GapsAndLimitsAreSeen(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	body := html.UnescapeString(string(get(t, srv, "/places/F7NE3CDQ7?range=30d", nil).body))
	chart := body[strings.Index(body, `id="c-gw-ao-phukhe-ao1-do-dissolved_oxygen-t"`):]
	chart = chart[:strings.Index(chart, "</svg>")]
	for _, want := range []string{`class="gap"`, `class="lim"`, `class="lim crit"`, "cảnh báo 4\u00a0mg/L", "nguy hiểm 3\u00a0mg/L"} {
		if !strings.Contains(chart, want) {
			t.Errorf("the chart has no %s", want)
		}
	}
	// What is asked for and is no time is said, and the page is there all the same.
	for query, want := range map[string]string{"from=2026-11-25&to=2026-11-26": "chưa tới", "from=hom-qua&to=2026-11-20": "Ngày chưa đúng", "from=2020-01-01&to=2026-11-20": "nhiều nhất 400 ngày"} {
		res := get(t, srv, "/places/F7NE3CDQ7?"+query, nil)
		if text := string(res.body); res.status != http.StatusOK || !strings.Contains(text, want) || !strings.Contains(text, "<figure") {
			t.Errorf("%s: %d, does not say %q or shows no chart", query, res.status, want)
		}
	}
}

func TestPlace_WhenTheHistoryIsSilentTheRestStands(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	get(t, srv, "/places/F7NE3CDQ7", nil) // the farm is known now
	s.setFailing(true)
	for path, status := range map[string]int{"/places/F7NE3CDQ7/data.csv": 503, "/places/F7NE3CDQ7/chart.png": 503, "/compare": 200, "/compare/chart.png": 503} {
		res := get(t, srv, path, nil)
		if res.status != status || strings.Contains(string(res.body), "secret") || strings.Contains(res.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %s", path, res.status, res.header.Get("Content-Disposition"))
		}
	}
}

func TestPlace_DataGoesAlongAsATable(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	for _, c := range []struct {
		query, name   string
		comma         rune
		head, columns string
		rows          int
		first         string
	}{
		{"from=2026-11-20&to=2026-11-20&quantity=ph", "ao1-2026-11-20-2026-11-21.csv", ';', "Thời điểm", "Chữ ký", 144, "20/11/2026 00:00:00|pH||gw-ao-phukhe|ao1-ph|"},
		{"from=2026-11-20&to=2026-11-20&quantity=ph&lang=en", "ao1-2026-11-20-2026-11-21.csv", ',', "Time", "Signature", 144, "20/11/2026 00:00:00|pH||gw-ao-phukhe|ao1-ph|"},
	} {
		res := get(t, srv, "/places/F7NE3CDQ7/data.csv?"+c.query, nil)
		if got := res.header.Get("Content-Disposition"); res.status != 200 || !strings.Contains(got, c.name) {
			t.Fatalf("%s: %d %s", c.query, res.status, got)
		}
		text, marked := strings.CutPrefix(string(res.body), "\ufeff")
		r := csv.NewReader(strings.NewReader(text))
		r.Comma = c.comma
		rows, err := r.ReadAll()
		if err != nil || !marked {
			t.Fatalf("%s: %v, marked as UTF-8: %t", c.query, err, marked)
		}
		if head := rows[0]; head[0] != c.head || head[len(head)-1] != c.columns || len(rows)-1 != c.rows {
			t.Errorf("%s: %v, %d rows", c.query, head, len(rows)-1)
		}
		first := strings.Join(rows[1], "|")
		if !strings.HasPrefix(first, c.first) || len(rows[1]) != 12 || rows[1][8] != "6" {
			t.Errorf("%s: first row %v", c.query, rows[1])
		}
		if dot := strings.Contains(rows[1][6], "."); dot != (c.comma == ',') {
			t.Errorf("%s: the mean is written %s", c.query, rows[1][6])
		}
	}
	for query, status := range map[string]int{"range=30d&every=reading": 200, "from=2026-09-01&to=2026-11-01&every=reading": 400, "range=1y": 400, "from=2026-11-20&to=2026-11-19": 400} {
		if res := get(t, srv, "/places/F7NE3CDQ7/data.csv?"+query, nil); res.status != status {
			t.Errorf("%s: %d, want %d", query, res.status, status)
		}
	}
}

func TestPlace_AChartGoesAlongAsAPicture(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	for path, name := range map[string]string{
		"/places/F7NE3CDQ7/chart.png?range=7d&quantity=dissolved_oxygen": "ao1-dissolved_oxygen-2026-11-17-2026-11-24.png",
		"/compare/chart.png?quantity=dissolved_oxygen&range=7d":          "so-sanh-dissolved_oxygen-2026-11-17-2026-11-24.png",
	} {
		res := get(t, srv, path, nil)
		if res.status != 200 || res.header.Get("Content-Type") != "image/png" || !strings.Contains(res.header.Get("Content-Disposition"), name) {
			t.Fatalf("%s: %d %s %s", path, res.status, res.header.Get("Content-Type"), res.header.Get("Content-Disposition"))
		}
		img, err := png.Decode(strings.NewReader(string(res.body)))
		if err != nil || img.Bounds().Dx() != 1080 || img.Bounds().Dy() < 700 {
			t.Errorf("%s: %v, %v", path, err, img.Bounds())
		}
		if dir := os.Getenv("AOVUON_SCREENSHOTS"); dir != "" {
			if err := os.WriteFile(dir+"/"+name, res.body, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if res := get(t, srv, "/places/F7NE3CDQ7/chart.png?quantity=soil_moisture", nil); res.status != 404 || !strings.Contains(string(res.body), "không đo thông số ấy") {
		t.Errorf("a picture of what is not measured: %d", res.status)
	}
}

func TestCompare_SetsPlacesBesideEachOther(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	body := html.UnescapeString(string(get(t, srv, "/compare?quantity=dissolved_oxygen&place=F7NE3CDQ7&place=72dq-y3kx0&range=7d", nil).body))
	for text, want := range map[string]int{`class="line c1"`: -1, `class="line c2"`: -1, `class="line c3"`: 0, `class="lim"`: 1, "checked": 2, "A: Ao 1 thấp nhất": 1, "B: Ao 3 thấp nhất": 1} {
		if got := strings.Count(body, text); got != want && (want >= 0 || got <= 0) {
			t.Errorf("%d times %q, want %d", got, text, want)
		}
	}
	// A place alone stands beside others of its kind; what is not measured there is not asked of it.
	body = string(get(t, srv, "/compare?place=F7NE3CDQ7", nil).body)
	if n := strings.Count(body, "checked"); n < 2 || n > 4 {
		t.Errorf("%d places beside each other", n)
	}
	for query, want := range map[string]string{"quantity=nonsense": "Ôxy hòa tan", "place=AAAAAAAAA&place=%00": "Ôxy hòa tan", "range=7d&quantity=soil_moisture": "Độ ẩm"} {
		if res := get(t, srv, "/compare?"+query, nil); res.status != 200 || !strings.Contains(string(res.body), want) {
			t.Errorf("%s: %d", query, res.status)
		}
	}
	w := newTown(t, "https://tx.example.vn", false)
	if body := string(w.as(account.Farmer, http.MethodGet, "/compare?place="+own+"&place="+foreign, nil, nil).body); strings.Contains(body, "Ao 3") || !strings.Contains(body, "Ao 1") {
		t.Error("a farmer compares with another's pond")
	}
}

func TestProbe_SaysWhatItsReadingsAreWorth(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	body := html.UnescapeString(string(get(t, srv, "/probes/gw-ao-phukhe/ao1-ph?range=30d", nil).body))
	for _, want := range []string{
		"Đầu dò ao1-ph", "có số liệu 97,4\u00a0% thời gian", "Lúc không có số liệu", "không có gì gửi về", "Ao 1", "từ đầu đến nay", "Lê Thị Hoa", "Quá hạn", "Độ trôi", "+0,21", "+0,18",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q, but %s", want, regexp.MustCompile(`[\d.]+ lần đo, [^<]*`).FindString(body))
		}
	}
	for path, status := range map[string]int{"/probes/gw-ao-phukhe/nothing": 404, "/probes/gw-vuon/ao1-ph": 404, "/probes/x%2Fy/%00": 404, "/probes/gw-ao-phukhe/ao2-ph": 200, "/probes/gw-ao-phukhe/ao1-ph?range=season": 200, "/probes/gw-ao-phukhe/ao1-ph?range=1y": 404} {
		if res := get(t, srv, path, nil); res.status != status {
			t.Errorf("%s: %d, want %d", path, res.status, status)
		}
	}
	w := newTown(t, "https://tx.example.vn", false)
	for path, status := range map[string]int{"/probes/gw-ao-phukhe/ao1-ph": 200, "/probes/gw-ao-phukhe/ao3-ph": 404, "/probes/gw-ao-phukhe/ao3-do": 404} {
		if res := w.as(account.Farmer, http.MethodGet, path, nil, nil); res.status != status {
			t.Errorf("a farmer asks for %s: %d, want %d", path, res.status, status)
		}
	}
}

// What the pointer touches is read out, in every chart at once; what it draws becomes the time of the page.
func TestBrowser_ChartsAreLookedAtCloser(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	b := browser(t)
	b.do("open", desk(), chromedp.Navigate(srv.URL+"/places/F7NE3CDQ7?from=2026-11-20&to=2026-11-20"), chromedp.WaitVisible(chromedp.CSS(".figs.ready svg.chart")))
	b.do("scroll", chromedp.ScrollIntoView(chromedp.CSS("#over-time")))
	type box struct{ X, Y, W float64 }
	at := ask1(b, "where the chart is", chromedp.Evaluate[box](`(() => { const r = document.querySelector(".figs svg.chart").getBoundingClientRect(); return {X: r.left, Y: r.top + 60, W: r.width}; })()`))
	x := func(units float64) float64 { return at.X + at.W*units/360 }
	mouse := func(kind string, to float64) step {
		return command("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": to, "y": at.Y, "button": "left", "clickCount": 1})
	}
	b.do("to noon", command("Input.dispatchMouseEvent", map[string]any{"type": "mouseMoved", "x": x(198.3), "y": at.Y}))
	b.until("noon is read out everywhere", `[...document.querySelectorAll("figure output")].every((o) => /^12:0\d 20\/11: [\d,]+/.test(o.textContent))`)
	if said := b.text("figure output"); !regexp.MustCompile(`^12:0\d 20/11: \d\d,\d °C \(\d\d,\d–\d\d,\d\)$`).MatchString(said) {
		t.Errorf("read out: %q", said)
	}
	b.do("press", mouse("mousePressed", x(121)))
	b.do("draw", mouse("mouseMoved", x(150)), mouse("mouseMoved", x(198)))
	b.until("what is chosen is seen", `[...document.querySelectorAll("svg.chart .sel")].every((p) => p.getAttribute("d").startsWith("M"))`)
	b.follow("let go", mouse("mouseReleased", x(198)))
	if got := ask1(b, "address", chromedp.Evaluate[string](`location.search`)); !regexp.MustCompile(`^\?from=2026-11-20T0[56]%3A\d\d&to=2026-11-20T1[12]%3A\d\d$`).MatchString(got) {
		t.Errorf("the page's time became %s", got)
	}
	b.do("the keyboard reads, too", chromedp.Focus(chromedp.CSS(".figs svg.chart")), command("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": "ArrowLeft", "code": "ArrowLeft", "windowsVirtualKeyCode": 37}))
	b.until("read out", `/^1[12]:\d\d 20\/11: [\d,]+/.test(document.querySelector("figure output").textContent)`)
}

// The colours of pictures are those of the pages in light.
func TestPicture_HasTheColoursOfThePages(t *testing.T) {
	raw, err := os.ReadFile("static/shell.css")
	if err != nil {
		t.Fatal(err)
	}
	_, root, _ := strings.Cut(string(raw), ":root")
	root, _, _ = strings.Cut(root, "}")
	own, err := os.ReadFile("chart/brush.go")
	if err != nil {
		t.Fatal(err)
	}
	for token, classes := range map[string][]string{
		"water": {`"line": line`, `"dot": fill`, `"bar run": fill`, `"line c1": line`, `"tag c1": fill`}, "danger": {`"lim": line`, `"lim crit": line`, `"bar danger": fill`, `"line c2": line`, `"tag c2": fill`},
		"brand": {`"tick": line`, `"mark": fill`, `"line c3": line`, `"tag c3": fill`}, "warned": {`"bar warned": fill`, `"line c4": line`, `"tag c4": fill`}, "lost": {`"bar lost": fill`, `"line c5": line`, `"tag c5": fill`},
		"soft": {`"ax": fill`, `"line c6": line`, `"tag c6": fill`}, "line": {`"grid": line`}, "band": {`"band": fill`, `"stem": line`}, "gap": {`"gap": fill`, `"track": fill`}, "out": {`"out": fill`}, "ink": {`"words": fill`},
	} {
		m := regexp.MustCompile(`--` + token + `: (#[0-9a-f]+);`).FindStringSubmatch(root)
		if m == nil {
			t.Fatalf("shell.css has no --%s", token)
		}
		for _, class := range classes {
			if !strings.Contains(string(own), class+`("`+m[1]+`"`) {
				t.Errorf("%s is not %s, which is --%s", class, m[1], token)
			}
		}
	}
}

// On a phone nothing sticks out of the page, whatever other sheets say of the same classes.
func TestBrowser_PagesOfPlacesFitAPhone(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	w.worked(aerated)
	b := w.signedIn(browser(t), account.Technician)
	for _, path := range []string{"/places/" + aerated + "?range=7d", "/compare", "/probes/gw-ao-phukhe/ao1-ph"} {
		b.do(path, phone(), chromedp.Navigate(w.srv.URL+path), chromedp.WaitVisible(chromedp.CSS(".figs.ready svg.chart")))
		if over := ask1(b, path, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`)); over > 0 {
			t.Errorf("%s is %d pixels wider than the phone", path, over)
		}
		if tall := ask1(b, path, chromedp.Evaluate[float64](`Math.max(...[...document.querySelectorAll("main .card")].map((c) => c.getBoundingClientRect().height))`)); tall > 1600 {
			t.Errorf("%s: a card is %.0f pixels high", path, tall)
		}
		if wide := ask1(b, path, chromedp.Evaluate[float64](`document.querySelector(".figs svg.chart").getBoundingClientRect().width`)); wide < 290 {
			t.Errorf("%s: the chart is %.0f pixels wide", path, wide)
		}
	}
}
