package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
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
	p := newTown(t, "http://127.0.0.1", false).pocket(browser(t))
	p.warm()
	return p
}

// pocket is the farmer's phone with a browser in which nothing was opened yet. Its seconds to take something back are long: a busy machine is late to look.
func (w *town) pocket(b tab) pocket {
	b.t.Helper()
	p := pocket{w, w.signedIn(b, account.Farmer)}
	p.before(`{ const every = self.setInterval; self.setInterval = (f, ms, ...rest) => every(f, ms === 1000 ? 3600000 : ms, ...rest); }`)
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
	p.browserOffline(cut)
	if cut {
		p.fails(hangUp)
		return
	}
	p.mend()
}

// backTo gives the signal back, to a server that breaks what f picks: the phone sends as soon as it can.
func (p pocket) backTo(pick func(*http.Request) bool, f func(http.ResponseWriter, *http.Request)) {
	p.b.t.Helper()
	p.only(pick, f)
	p.browserOffline(false)
}

func (p pocket) browserOffline(offline bool) {
	p.b.t.Helper()
	p.b.do("network", command("Network.enable", nil), command("Network.emulateNetworkConditions", map[string]any{
		"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
	}))
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
		p.answer(w, r)
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

// fill chooses and types the answers of a feeding.
func (p pocket) fill(amount string) {
	p.b.t.Helper()
	p.enter("[name=input]", "inp0000001")
	p.enter("[name=amount]", amount)
}

// enter leaves a field as a person who chose or typed something, and the page hears of it.
func (p pocket) enter(field, text string) {
	p.b.t.Helper()
	ask1(p.b, field, evaluate[bool](fmt.Sprintf(`(() => { const f = document.querySelector(%q); f.value = %q; return f.dispatchEvent(new Event("input", { bubbles: true })); })()`, field, text)))
}

// saved taps save and waits for the page that says so.
func (p pocket) saved() (id string) {
	p.b.t.Helper()
	p.b.do("save", parttest.Click(chromedp.CSS(".bottom button")))
	p.b.until("kept on the phone", `location.hash.startsWith("#kept=") && document.readyState === "complete" && !!self.outbox && !document.getElementById("kept").hidden`)
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
	p.b.until(id+" "+want, fmt.Sprintf(`outbox.get(%q).then((r) => (r ? r.state + " " + (r.status === undefined ? "" : r.status) : "").startsWith(%q))`, id, want))
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

// signIn fills the sign-in page's form.
func (p pocket) signIn(login string) {
	p.b.t.Helper()
	ask1(p.b, "who", evaluate[bool](fmt.Sprintf(`document.getElementById("login").value = %q, document.getElementById("password").value = %q, true`, login, password)))
	p.b.follow("sign in", parttest.Click(chromedp.CSS(`form[action="/sign-in"] button:not([type=button])`)))
}

// keptPages are the addresses in the caches of people.
func (p pocket) keptPages() string {
	p.b.t.Helper()
	return ask1(p.b, "caches", chromedp.Evaluate[string](`(async () => { let out = []; for (const n of await caches.keys()) if (n.startsWith("mine-")) for (const k of await (await caches.open(n)).keys()) out.push(new URL(k.url).pathname); return out.sort().join(" "); })()`, chromedp.EvalAwaitPromise))
}
