package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/parttest"
)

// pocket is a farmer's phone with the pages open, and the co-op whose diary it writes into.
type pocket struct {
	*town
	b tab
}

// newPocket is a phone that somebody has signed in on, with the own pages kept on it.
func newPocket(t *testing.T) pocket {
	t.Helper()
	w := newTown(t, "http://127.0.0.1", false)
	p := pocket{w, w.signedIn(browser(t), account.Farmer)}
	p.warm()
	return p
}

// warm opens the place's page and waits until all own pages are on the phone.
func (p pocket) warm() {
	p.b.t.Helper()
	p.open("/p/" + own)
	p.b.until("pages are kept", `document.documentElement.dataset.kept !== undefined`)
}

func (p pocket) open(path string) {
	p.b.t.Helper()
	p.b.do(path, phone(), chromedp.Navigate(p.srv.URL+path), chromedp.WaitVisible(chromedp.CSS("#main h1")))
}

// cut takes the signal away, or gives it back: the page's own requests by the browser, the service worker's by the server's silence.
func (p pocket) cut(cut bool) {
	p.b.t.Helper()
	p.b.do("network", command("Network.enable", nil), command("Network.emulateNetworkConditions", map[string]any{
		"offline": cut, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
	}))
	if cut {
		p.fails(hangUp)
		return
	}
	p.mend()
}

// fails has every request answered by f.
func (p pocket) fails(f func(http.ResponseWriter, *http.Request)) { p.fault.Store(&f) }
func (p pocket) mend()                                            { p.fault.Store(nil) }

// hangUp closes the connection without a word.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		err = conn.Close()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// only breaks what f picks; the rest is served.
func (p pocket) only(pick func(*http.Request) bool, f func(http.ResponseWriter, *http.Request)) {
	p.fails(func(w http.ResponseWriter, r *http.Request) {
		if pick(r) {
			f(w, r)
			return
		}
		p.web.ServeHTTP(w, r)
	})
}

func entries(r *http.Request) bool { return r.URL.Path == "/api/diary" }

// tap clicks at once what is there.
func (p pocket) tap(selector string) {
	p.b.t.Helper()
	ask1(p.b, selector, evaluate[bool](`document.querySelector("`+selector+`").click(), true`))
}

// before has every page begin with a script.
func (p pocket) before(script string) {
	p.b.t.Helper()
	p.b.do("script", command("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": script}))
}

// alone has pages send by themselves, without the service worker's Background Sync.
func (p pocket) alone() {
	p.b.t.Helper()
	p.before(`Object.defineProperty(ServiceWorkerRegistration.prototype, "sync", { value: undefined })`)
}

// feed writes a feeding on the phone: the form, an amount, save.
func (p pocket) feed(amount string) (id string) {
	p.b.t.Helper()
	p.open("/p/" + own + "/log/feed")
	p.fill(amount)
	return p.saved()
}

func (p pocket) fill(amount string) {
	p.b.t.Helper()
	ask1(p.b, "answers", evaluate[bool](fmt.Sprintf(`document.querySelector("[name=input]").value = "inp0000001", document.querySelector("[name=amount]").value = %q, true`, amount)))
}

// saved taps save and waits for the page that says so.
func (p pocket) saved() (id string) {
	p.b.t.Helper()
	p.b.do("save", chromedp.Click(chromedp.CSS(".bottom button")))
	last := ""
	defer func() {
		if p.b.t.Failed() {
			p.b.t.Logf("the phone shows %s", last)
		}
	}()
	parttest.Await(p.b.t, "kept on the phone", func() bool { // asked anew each time: another page comes
		there, err := chromedp.Run(p.b.ctx, evaluate[bool](`location.hash.startsWith("#kept=") && document.readyState === "complete" && !!self.outbox && !document.getElementById("kept").hidden`))
		if err == nil && !there {
			last, _ = chromedp.Run(p.b.ctx, evaluate[string](`[location.href, document.readyState, document.activeElement.outerHTML.slice(0, 200), document.body.innerText].join("\n")`)) //nolint:errcheck // told when it fails
		}
		return err == nil && there
	})
	return ask1(p.b, "id", evaluate[string](`location.hash.slice(6)`))
}

// onPhone is what lies in the outbox: id -> state and status.
func (p pocket) onPhone() map[string]string {
	p.b.t.Helper()
	raw := ask1(p.b, "outbox", chromedp.Evaluate[string](`outbox.all().then(l => JSON.stringify(Object.fromEntries(l.map(r => [r.id, r.state + (r.status === undefined ? "" : " " + r.status)]))))`, chromedp.EvalAwaitPromise))
	out := map[string]string{}
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		p.b.t.Fatal(err)
	}
	return out
}

// settled waits until an entry of the outbox stands at something.
func (p pocket) settled(id, want string) {
	p.b.t.Helper()
	var last string
	parttest.Await(p.b.t, id+" "+want, func() bool { last = p.onPhone()[id]; return strings.HasPrefix(last, want) })
}

// again has the phone try to send, as when a signal comes.
func (p pocket) again() {
	p.b.t.Helper()
	ask1(p.b, "a signal", evaluate[bool](`dispatchEvent(new Event("online"))`))
}

// exactly compares the diary with the ids that were written: nothing lost, nothing twice, nothing else.
func (p pocket) exactly(ids ...string) {
	p.b.t.Helper()
	var got []string
	for _, e := range p.book.kept("") {
		got = append(got, e.ID)
	}
	slices.Sort(got)
	slices.Sort(ids)
	if !slices.Equal(got, ids) {
		p.b.t.Errorf("in the diary %v, written %v", got, ids)
	}
}

func (p pocket) badge() string { p.b.t.Helper(); return p.b.text("#unsent") }

func TestPhone_ThreeTapsAndTakenBack(t *testing.T) {
	p := newPocket(t)
	p.open("/p/" + own) // the board's code, scanned
	first := p.feed("12,5")
	p.settled(first, "sent")
	p.exactly(first)
	p.b.until("said", `document.getElementById("kept").textContent.includes("Đã ghi vào nhật ký")`)
	// The next time nothing needs to be typed: picture, save.
	p.open("/p/" + own)
	ask1(p.b, "more work", evaluate[bool](`document.querySelectorAll(".doing details").forEach(d => d.open = true), true`))
	p.b.follow("picture", chromedp.Click(chromedp.CSS(`a[href="/p/`+own+`/log/feed"]`)))
	if v := ask1(p.b, "prefilled", evaluate[string](`document.querySelector("[name=amount]").value`)); v != "12,5" {
		t.Errorf("amount %q", v)
	}
	second := p.saved()
	p.settled(second, "sent")
	shoot(p.b, "phone-toast")
	p.tap("#kept button")
	parttest.Await(t, "the void", func() bool { return len(p.book.kept(diary.Void)) == 1 })
	if v := p.book.kept(diary.Void)[0]; v.Corrects != second || v.Values.Text("reason") == "" {
		t.Errorf("void %+v", v)
	}
	// With no signal it never leaves the phone. (Background Sync would try: its network is not the one that is cut.)
	p.alone()
	p.cut(true)
	third := p.feed("1")
	p.tap("#kept button")
	p.settled(third, "dropped")
	p.cut(false)
	p.again()
	p.exactly(first, second, p.book.kept(diary.Void)[0].ID)
}

// A server that is down, or that has too many from one address to answer, leaves what the phone has.
func TestPhone_NoAnswerShowsWhatIsKept(t *testing.T) {
	p := newPocket(t)
	for _, status := range []int{429, 500, 503} {
		p.fails(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		p.open("/p/" + own)
		p.b.until("of when it is", `!document.getElementById("as-of").hidden`)
	}
	p.mend()
	p.open("/p/" + own)
	p.b.until("as the server has it", `document.getElementById("as-of").hidden`)
}

func TestPhone_NoSignal(t *testing.T) {
	p := newPocket(t)
	p.cut(true)
	var ids []string
	for _, amount := range []string{"1", "2,5", "3"} {
		ids = append(ids, p.feed(amount)) // form and pages come from the phone
	}
	if asOf := ask1(p.b, "as of", evaluate[string](`document.getElementById("as-of").hidden ? "" : document.getElementById("as-of").textContent`)); asOf != "Ngoại tuyến: số liệu lúc 24/11/2026 07:40" {
		t.Errorf("the page from the phone says %q", asOf)
	}
	p.b.until("counted", `document.getElementById("unsent").textContent.includes("3 bản ghi chưa gửi")`)
	p.exactly()
	for _, path := range []string{"/", "/diary", "/outbox", "/p/" + own + "/log/water_test"} { // every own page opens
		p.open(path)
		if shown := ask1(p.b, path, evaluate[bool](`!document.querySelector("a[href='/outbox'].button")`)); !shown {
			t.Errorf("%s is not on the phone", path)
		}
	}
	p.open("/account")
	if title := p.b.text("h1"); title != "Chưa có sóng" {
		t.Errorf("a page that is not kept: %q", title)
	}
	p.cut(false)
	p.open("/p/" + own)
	for _, id := range ids {
		p.settled(id, "sent")
	}
	p.exactly(ids...)
	p.b.until("nothing waits", `document.getElementById("unsent").hidden`)
}

// The server takes the entries and the answer is lost on the way, again and again.
func TestPhone_LieFi(t *testing.T) {
	p := newPocket(t)
	lost := 0
	p.only(entries, func(w http.ResponseWriter, r *http.Request) {
		p.web.ServeHTTP(httptest.NewRecorder(), r)
		lost++
		hangUp(w, r)
	})
	id := p.feed("7")
	p.settled(id, "queued 0")
	p.again()
	parttest.Await(t, "a second time", func() bool { return p.book.taken() >= 2 })
	p.settled(id, "queued 0")
	p.exactly(id)
	p.mend()
	p.again()
	p.settled(id, "sent")
	p.exactly(id)
	if lost < 2 {
		t.Errorf("%d answers were lost", lost)
	}
}

// Whatever else answers than the server's word on an entry, the entry stays and says why.
func TestPhone_FaultsOfTheServer(t *testing.T) {
	p := newPocket(t)
	p.alone()
	p.only(entries, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	id := p.feed("7")
	p.settled(id, "queued 500")
	for _, status := range []int{403, 404, 409, 413, 429, 502} {
		p.only(entries, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		p.again()
		p.settled(id, fmt.Sprint("queued ", status))
		if badge := p.badge(); !strings.Contains(badge, "1 bản ghi chưa gửi") {
			t.Errorf("%d: the badge says %q", status, badge)
		}
	}
	// A portal of a café answers 200 with a page of its own.
	p.only(entries, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>welcome") }) //nolint:errcheck // a test's
	p.again()
	p.settled(id, "queued 502")
	// And one leads elsewhere.
	p.only(entries, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/offline", http.StatusFound) })
	p.again()
	p.settled(id, "queued 0")
	p.fails(hangUp) // down
	p.again()
	p.settled(id, "queued 0")
	p.exactly()
	p.mend()
	p.book.failing(context.DeadlineExceeded) // its database is silent
	p.again()
	p.settled(id, "queued 503")
	p.book.failing(nil)
	p.again()
	p.settled(id, "sent")
	p.exactly(id)
}

func TestPhone_SessionOver(t *testing.T) {
	p := newPocket(t)
	p.cut(true)
	id := p.feed("7")
	// While the phone has no signal: it sends by itself as soon as there is one.
	if err := p.acc.Sessions.EndSessions(t.Context(), p.ids[account.Farmer], "", p.by()); err != nil {
		t.Fatal(err)
	}
	p.cut(false)
	p.again()
	p.settled(id, "queued 401")
	p.b.until("asked to sign in", `!document.querySelector("#unsent .again").hidden`)
	p.b.follow("sign in", chromedp.Click(chromedp.CSS("#unsent .again")))
	p.b.until("said on the sign-in page", `document.getElementById("unsent").textContent.includes("1 bản ghi chưa gửi")`)
	p.signIn("farmer.1")
	if path := ask1(p.b, "where it leads", evaluate[string](`location.pathname`)); path != "/p/"+own {
		t.Errorf("sign-in leads to %s", path)
	}
	p.settled(id, "sent")
	p.exactly(id)
}

// signIn fills the sign-in page's form.
func (p pocket) signIn(login string) {
	p.b.t.Helper()
	ask1(p.b, "who", evaluate[bool](fmt.Sprintf(`document.getElementById("login").value = %q, document.getElementById("password").value = %q, true`, login, password)))
	p.b.follow("sign in", chromedp.Click(chromedp.CSS(`form[action="/sign-in"] button:not([type=button])`)))
}

// What one person wrote and saw on a phone is neither sent as another's nor shown to another.
func TestPhone_SomebodyElseSignsIn(t *testing.T) {
	p := newPocket(t)
	other, err := p.acc.Add(t.Context(), account.Person{Login: "hoa", Name: "Hoa", Role: account.Farmer, Places: []string{foreign}}, p.by())
	if err != nil {
		t.Fatal(err)
	}
	token, err := p.acc.NewLink(t.Context(), other.ID, p.by())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.acc.Redeem(t.Context(), token, account.Person{}, password, account.From{Address: "192.0.2.9"}); err != nil {
		t.Fatal(err)
	}
	p.cut(true)
	id := p.feed("7")
	p.cut(false)
	p.only(entries, hangUp)
	p.open("/account")
	p.b.follow("sign out", chromedp.Click(chromedp.CSS(`form[action="/sign-out"] button`)))
	if kept := p.keptPages(); kept != "" {
		t.Errorf("after signing out the phone keeps %s", kept)
	}
	p.mend()
	p.signIn("hoa")
	p.settled(id, "queued 409")
	p.exactly()
	p.b.until("told", `document.getElementById("unsent").textContent.includes("của người khác")`)
	p.open("/p/" + foreign)
	p.b.until("pages are kept", `document.documentElement.dataset.kept !== undefined`)
	if kept := p.keptPages(); strings.Contains(kept, own) || !strings.Contains(kept, foreign) {
		t.Errorf("the phone keeps %s", kept)
	}
	p.cut(true)
	p.open("/p/" + own)
	if title := p.b.text("h1"); title != "Chưa có sóng" {
		t.Errorf("the other's place: %q", title)
	}
	p.cut(false)
	p.open("/outbox")
	if text := p.b.text("#queued"); strings.Contains(text, "Cám") {
		t.Errorf("shows what the other wrote: %q", text)
	}
	p.open("/account")
	p.b.follow("sign out", chromedp.Click(chromedp.CSS(`form[action="/sign-out"] button`)))
	p.signIn("farmer.1")
	p.settled(id, "sent")
	p.exactly(id)
	if e := p.book.kept("")[0]; e.Actor != p.ids[account.Farmer] {
		t.Errorf("kept as %s", e.Actor)
	}
}

// keptPages are the addresses in the caches of people.
func (p pocket) keptPages() string {
	p.b.t.Helper()
	return ask1(p.b, "caches", chromedp.Evaluate[string](`(async () => { let out = []; for (const n of await caches.keys()) if (n.startsWith("mine-")) for (const k of await (await caches.open(n)).keys()) out.push(new URL(k.url).pathname); return out.sort().join(" "); })()`, chromedp.EvalAwaitPromise))
}

func TestPhone_WrongClock(t *testing.T) {
	p := newPocket(t)
	p.alone() // its clock is the right one here
	ahead := 400 * 24 * time.Hour
	p.before(fmt.Sprintf(`{
		const Real = Date, off = %d;
		self.Date = class extends Real { constructor(...a) { if (a.length) super(...a); else super(Real.now() + off); } static now() { return Real.now() + off; } };
	}`, ahead.Milliseconds()))
	p.cut(true)
	id := p.feed("7")
	p.cut(false)
	p.again()
	p.settled(id, "sent")
	p.exactly(id)
	e := p.book.kept("")[0]
	if off := e.At().Sub(now()); off.Abs() > time.Minute {
		t.Errorf("a phone that is 400 days ahead: done %v off", off)
	}
	if e.Skew > -390*24*time.Hour {
		t.Errorf("its clock is told as %v off", e.Skew)
	}
}

func TestPhone_RefusedIsSeenAndMended(t *testing.T) {
	p := newPocket(t)
	p.cut(true)
	p.open("/p/" + own + "/log/feed")
	p.fill("7")
	ask1(p.b, "next year", evaluate[bool](`document.querySelector("details.more").open = true, document.getElementById("occurred").value = "2031-01-01T07:00", true`))
	bad := p.saved()
	good := p.feed("8")
	p.cut(false)
	p.again()
	p.settled(good, "sent")
	p.settled(bad, "refused")
	p.exactly(good)
	p.open("/outbox")
	p.b.until("why", `document.getElementById("refused").textContent.includes("Giờ làm ở phía trước")`)
	shoot(p.b, "phone-refused")
	p.b.follow("mend", chromedp.Click(chromedp.CSS("#refused a.button")))
	p.b.until("filled", `document.getElementById("occurred").value === "2031-01-01T07:00" && document.querySelector("[name=amount]").value === "7"`)
	ask1(p.b, "now", evaluate[bool](`document.getElementById("occurred").value = "", true`))
	p.only(entries, hangUp)
	mended := p.saved()
	p.settled(mended, "queued 0")
	p.settled(bad, "refused") // until the mended one is kept
	p.mend()
	p.again()
	p.settled(mended, "sent")
	p.exactly(good, mended)
	if _, there := p.onPhone()[bad]; there {
		t.Error("the refused one is there still")
	}
	// And one that nobody wants any more is put aside, with a trace.
	p.open("/p/" + own + "/log/feed")
	p.fill("9")
	ask1(p.b, "next year", evaluate[bool](`document.getElementById("occurred").value = "2031-01-01T07:00", true`))
	bad = p.saved()
	p.settled(bad, "refused")
	p.open("/outbox")
	p.b.do("aside", chromedp.Click(chromedp.CSS("#refused button.quiet")), chromedp.Click(chromedp.CSS("#refused button.grave")))
	p.settled(bad, "dropped")
	p.exactly(good, mended)
}
