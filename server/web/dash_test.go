package web_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/parttest"
	"aovuon/server/watch"
	"aovuon/server/watch/rule"
	"aovuon/server/web"
)

// shown are the codes of the places that a page shows, in their order.
func shown(body []byte) (codes []string) {
	for _, m := range regexp.MustCompile(`id="p-([0-9A-Z]{9})"`).FindAllSubmatch(body, -1) {
		codes = append(codes, string(m[1]))
	}
	return codes
}

func TestDashboard_ShowsWhatIsAskedFor(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	const ao1, ao2, ao3, ao4 = "F7NE3CDQ7", "CSSHRYF9K", "72DQY3KX0", "E8SG6VC0T" // fine; a dead probe; little oxygen; fine
	for query, want := range map[string][]string{
		"zone=phu-khe":                      {ao2, ao3, ao1, ao4},
		"zone=phu-khe&state=look":           {ao3},
		"zone=phu-khe&state=lost":           {ao2},
		"zone=phu-khe&state=fine":           {ao1, ao4},
		"species=Oreochromis+niloticus":     {ao1, ao4},
		"kind=pond&q=ao+3":                  {ao3},
		"q=CA+TRAM":                         {ao2},
		"q=f7ne":                            {ao1},
		"state=splendid":                    nil,
		"zone=nowhere":                      nil,
		"kind=%3Cscript%3E":                 nil,
		"zone=phu-khe&view=table":           {ao2, ao3, ao1, ao4},
		"zone=phu-khe&view=nonsense":        {ao2, ao3, ao1, ao4},
		"q=" + strings.Repeat("%C3%A1", 90): nil,
	} {
		res := get(t, srv, "/?"+query, nil)
		if got := shown(res.body); res.status != http.StatusOK || !slices.Equal(got, want) {
			t.Errorf("%s: %d shows %v, want %v", query, res.status, got, want)
		}
		if nothing := strings.Contains(string(res.body), "Không có nơi nào khớp"); nothing != (want == nil) {
			t.Errorf("%s: says that nothing matches: %t", query, nothing)
		}
	}
	// What is counted is of the zone, whatever the state that is looked for.
	body := string(get(t, srv, "/?zone=phu-khe&state=lost", nil).body)
	for _, want := range []string{`<b>1</b> <span>Cần xem`, `<b>1</b> <span>Không rõ`, `<b>2</b> <span>Ổn`, `href="/?state=look&amp;zone=phu-khe"`, `href="/?zone=phu-khe" aria-current`} {
		if !strings.Contains(body, want) {
			t.Errorf("does not say %s", want)
		}
	}
}

// TestDashboard_WhoWorksAPlaceAndWhereItLiesIsForThoseWhoWorkThere: pages that are open to everybody have neither.
func TestDashboard_WhoWorksAPlaceAndWhereItLiesIsForThoseWhoWorkThere(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", true)
	w.keep(farm.Household, "hou0000001", form.Values{"name": "Hộ bà Lan", "code": "HO-01"})
	w.keep(farm.Household, "hou0000002", form.Values{"name": "Hộ ông Sơn", "code": "HO-02"})
	for role, want := range map[account.Role][3]bool{ // a map, another one's place on it, households
		account.Technician: {true, true, true}, account.Inspector: {true, true, true}, account.Farmer: {true, false, false}, account.Public: {},
	} {
		body := string(w.as(role, http.MethodGet, "/?view=map", nil, nil).body)
		got := [3]bool{strings.Contains(body, `class="parcels"`), strings.Contains(body, `/places/`+foreign+`" aria-label`), strings.Contains(body, `name="household"`)}
		if got != want {
			t.Errorf("%s: %v, want %v", role, got, want)
		}
	}
	// Nor does a query tell what the page does not.
	for role, want := range map[account.Role]int{account.Technician: 2, account.Public: 7} {
		if got := shown(w.as(role, http.MethodGet, "/?household=HO-01", nil, nil).body); len(got) != want {
			t.Errorf("%s: asked for a household: %v", role, got)
		}
	}
}

func TestDashboard_AlarmsAndAdviceStandOnCards(t *testing.T) {
	w := commune(t)
	page := w.as(account.Technician, http.MethodGet, "/", nil, nil).body
	card := func(i int) string {
		_, rest, _ := strings.Cut(string(page), `id="p-`+w.farm.Places[i].Code+`"`)
		rest, _, _ = strings.Cut(rest, "</article>")
		return rest
	}
	for i, want := range map[int][]string{
		10: {`class="chip danger"`, `href="/alarms/01JD000000000000000000000A"`, "từ 07:03 · chưa ai nhận"},
		12: {`class="chip lost"`, "đã có người nhận"},
		2:  {`class="note noted"`, "<b>Nhiệt độ nước</b>"},
		3:  {"Chưa tính được: pH"},
		60: {`class="chip warned"`, "Độ ẩm đất"},
	} {
		for _, text := range want {
			if !strings.Contains(card(i), text) {
				t.Errorf("%s does not say %q: %s", w.farm.Places[i].Title.VI, text, card(i))
			}
		}
	}
	if !strings.Contains(string(page), "gw-ao-3: kết nối máy chủ") {
		t.Error("a silent gateway is not told")
	}
	farmers := string(w.as(account.Farmer, http.MethodGet, "/", nil, nil).body)
	if strings.Contains(farmers, "gw-ao-3") || strings.Contains(farmers, "01JD000000000000000000000A") {
		t.Error("a farmer sees alarms of others")
	}
	// A decision that an alarm stands for is not said twice; an alarm that cannot be read is no calm.
	w.advice.Put("again", []rule.Decision{{Rule: "again", Place: w.farm.Places[10].Code, Topic: string(measure.DissolvedOxygen), Verdict: rule.Crit, Why: []rule.Reason{rule.Because("outdated", rule.At(now()))}}})
	page = w.as(account.Technician, http.MethodGet, "/", nil, nil).body
	if n := strings.Count(card(10), `class="note`); n != 1 {
		t.Errorf("%d notes of one alarm", n)
	}
	w.deaf.Store(true)
	if body := string(w.as(account.Technician, http.MethodGet, "/", nil, nil).body); !strings.Contains(body, "Không đọc được báo động") || strings.Contains(body, `class="calm"`) {
		t.Error("alarms cannot be read, and the page is calm")
	}
}

// weigh returns what travels of a page and of all it loads at once.
func weigh(t *testing.T, w *town, path string) (page, all int) {
	t.Helper()
	body := w.as(account.Technician, http.MethodGet, path, nil, nil).body
	sizeOf := func(raw []byte) int {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(raw); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Len()
	}
	page = sizeOf(body)
	all = page
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:href|src)="(/static/[^"]+\.(?:css|js|svg))"`).FindAllStringSubmatch(string(body), -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			all += sizeOf(get(t, w.srv, m[1], nil).body)
		}
	}
	return page, all
}

func TestDashboard_OfACommuneKeepsItsWeight(t *testing.T) {
	w := commune(t)
	for path, most := range map[string]int{"/": 100 << 10, "/?view=map": 60 << 10, "/?view=table": 60 << 10} {
		page, all := weigh(t, w, path)
		raw := len(w.as(account.Technician, http.MethodGet, path, nil, nil).body)
		t.Logf("%s: the page %d bytes, %d compressed, with what it loads %d", path, raw, page, all)
		if all > most {
			t.Errorf("%s: the first view of 90 places weighs %d bytes, want at most %d", path, all, most)
		}
	}
}

// TestRun_LinesAreDrawnAhead: no page waits for the history, neither the first one nor one that comes when the lines are due again.
func TestRun_LinesAreDrawnAhead(t *testing.T) {
	w := newSources(t)
	w.grow(t)
	var late atomic.Int64
	w.clock = func() time.Time { return now().Add(time.Duration(late.Load())) }
	srv := w.pages(t)
	pages, ok := srv.Config.Handler.(*web.Server)
	if !ok {
		t.Fatal("no pages")
	}
	for _, after := range []time.Duration{0, 4*time.Minute + 30*time.Second} { // they are due after five
		late.Store(int64(after))
		w.drawn(t, pages)
		late.Store(int64(after + 10*time.Second))
		before := w.ranges.Load()
		body := get(t, srv, "/", nil).body
		if n := w.ranges.Load() - before; n != 0 {
			t.Errorf("after %v: the page asked the history %d times", after, n)
		}
		if n := bytes.Count(body, []byte(`class="spark"`)); n < 90 {
			t.Errorf("after %v: %d lines on the page", after, n)
		}
	}
}

// drawn lets pages draw every line of the last day ahead.
func (s *sources) drawn(t *testing.T, pages *web.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := s.ranges.Load()
	done := make(chan error, 1)
	go func() { done <- pages.Run(ctx) }()
	parttest.Await(t, "every line is drawn", func() bool { return s.ranges.Load()-before >= int64(len(s.series())) })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// stream reads the first look of a stream: its parts, and the id of what it leaves a page with.
func stream(t *testing.T, srv *httptest.Server, path, last string, cookie *http.Cookie) (parts []string, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), parttest.Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(cookie)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
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
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), `data: {"id":"`); ok {
			name, _, _ := strings.Cut(data, `"`)
			parts = append(parts, name)
		}
		if got, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			return parts, got
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
	return nil, ""
}

// TestLive_APageIsSentWhatItMissed: one that was just drawn nothing, one whose line broke what changed meanwhile, one that nobody knows everything.
func TestLive_APageIsSentWhatItMissed(t *testing.T) {
	w := commune(t)
	cookie := &http.Cookie{Name: w.sid, Value: w.sids[account.Technician]}
	w.drawn(t, w.web) // a line that is drawn later is a change, too
	page := string(w.as(account.Technician, http.MethodGet, "/", nil, nil).body)
	_, rest, _ := strings.Cut(page, `data-live="`)
	from, _, _ := strings.Cut(rest, `"`)
	parts, id := stream(t, w.srv, html.UnescapeString(from), "", cookie)
	if len(parts) != 0 || id == "" {
		t.Errorf("a page that was just drawn is sent %v", parts)
	}
	for _, sr := range w.series() {
		if sr.Sensor == "ao5-do" && sr.Quantity == measure.DissolvedOxygen {
			v := w.live.Snapshot()[0]
			v.Series, v.Time, v.Value, v.Quality, v.Reason = sr, now().UTC(), 2.2, measure.Good, ""
			w.live.Update([]watch.Value{v})
		}
	}
	if parts, _ := stream(t, w.srv, "/live", id, cookie); !slices.Equal(parts, []string{"totals", "p-" + w.farm.Places[4].Code}) {
		t.Errorf("after a break: %v", parts)
	}
	for _, nonsense := range []string{"", "AAAA", "!!!", strings.Repeat("A", 5000)} {
		if parts, _ := stream(t, w.srv, "/live", nonsense, cookie); len(parts) != 91 {
			t.Errorf("%.10q: %d parts, want all", nonsense, len(parts))
		}
	}
	if parts, _ := stream(t, w.srv, "/live?zone=ao-0&state=lost", "", cookie); len(parts) != 18 {
		t.Errorf("of a zone, whatever the state: %d parts", len(parts))
	}
	if parts, _ := stream(t, w.srv, "/live?view=map", "", cookie); len(parts) != 6 {
		t.Errorf("of a map: %v", parts)
	}
}

// TestBrowser_StreamComesBack: after a server that answers with errors for a while, a browser alone would stay silent for ever; and whoever is
// signed out meanwhile is led to the door.
func TestBrowser_StreamComesBack(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	b := w.signedIn(browser(t), account.Technician)
	visit(b, desk(), w.srv.URL+"/")
	b.until("the stream is heard", `document.querySelector("#live-lost").hidden`)
	down := func(rw http.ResponseWriter, _ *http.Request) {
		http.Error(rw, "starting", http.StatusServiceUnavailable)
	}
	w.fault.Store(&down)
	w.srv.CloseClientConnections()
	b.until("a server that is down is told", `!document.querySelector("#live-lost").hidden`)
	w.set("ao1-do", measure.DissolvedOxygen, 2.34, measure.Good, "")
	w.fault.Store(nil)
	b.until("what was missed comes by itself", `document.querySelector("#p-F7NE3CDQ7").textContent.includes("2,34") && document.querySelector("#live-lost").hidden`)
	if _, err := w.acc.Reset(t.Context(), w.ids[account.Technician], w.by()); err != nil {
		t.Fatal(err)
	}
	w.srv.CloseClientConnections()
	b.do("who is signed out is led to the door", chromedp.WaitVisible(chromedp.CSS(`input[name="login"]`)))
}

func BenchmarkDashboard_Commune(b *testing.B) {
	w := commune(b)
	for name, path := range map[string]string{"cards": "/", "map": "/?view=map", "table": "/?view=table"} {
		b.Run(name, func(b *testing.B) {
			if res := w.as(account.Technician, http.MethodGet, path, nil, nil); res.status != http.StatusOK {
				b.Fatal(res.status)
			}
			for b.Loop() {
				w.as(account.Technician, http.MethodGet, path, nil, nil)
			}
		})
	}
}

// dashWords are what the pages of this file ask for.
func dashWords() (out []string) {
	for prefix, names := range map[string]string{"dashboard.view.": "cards map table", "dashboard.kind.": "pond plot shed", "dashboard.level.": "danger warned lost noted fine", "dashboard.tile.": "look lost fine", "nav.": "wall", "gateway.batch.told.": "calibration settings"} {
		for name := range strings.FieldsSeq(names) {
			out = append(out, prefix+name)
		}
	}
	return out
}
