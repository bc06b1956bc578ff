package web_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/parttest"
)

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
	p.b.follow("picture", parttest.Click(chromedp.CSS(`a[href="/p/`+own+`/log/feed"]`)))
	p.b.until("prefilled", `document.querySelector("[name=amount]").value === "12,5"`)
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

// A tap on save that comes before the form knows what it begins with waits for that, whatever was typed meanwhile stays, and a second tap is no second
// entry.
func TestPhone_SavedBeforeTheFormIsFilled(t *testing.T) {
	p := newPocket(t)
	p.open("/p/" + own + "/log/feed")
	p.fill("7")
	p.enter("#note", "đổ hai lần")
	p.enter("#occurred", "2031-01-01T07:00")
	bad := p.saved()
	p.settled(bad, "refused")
	p.before(`{ let made; Object.defineProperty(self, "outbox", { get: () => made, set: (real) => {
		made = real;
		const all = real.all, later = new Promise((go) => { self.release = go; });
		if (location.pathname.includes("/log/")) real.all = () => later.then(all);
	} }); }`)
	p.open("/p/" + own + "/log/feed#mend=" + bad)
	p.enter("[name=input]", "inp0000001")
	p.enter("#occurred", "")
	p.enter("[name=amount]", "8")
	p.b.do("save", parttest.Click(chromedp.CSS(".bottom button")), parttest.Click(chromedp.CSS(".bottom button")))
	p.exactly()
	ask1(p.b, "now it knows", evaluate[bool](`release(), true`))
	p.b.until("kept on the phone", `location.hash.startsWith("#kept=") && !!self.outbox && !document.getElementById("kept").hidden`)
	id := ask1(p.b, "id", evaluate[string](`location.hash.slice(6)`))
	p.settled(id, "sent")
	p.exactly(id)
	if _, there := p.onPhone()[bad]; there {
		t.Error("it was not kept as what mends the refused one")
	}
	if e := p.book.kept("feed")[0]; e.Values["amount"] != 8.0 || e.Note != "đổ hai lần" {
		t.Errorf("kept %+v", e)
	}
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
		p.answer(httptest.NewRecorder(), r)
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
	p.b.follow("sign in", parttest.Click(chromedp.CSS("#unsent .again")))
	p.b.until("said on the sign-in page", `document.getElementById("unsent").textContent.includes("1 bản ghi chưa gửi")`)
	p.signIn("farmer.1")
	if path := ask1(p.b, "where it leads", evaluate[string](`location.pathname`)); path != "/p/"+own {
		t.Errorf("sign-in leads to %s", path)
	}
	p.settled(id, "sent")
	p.exactly(id)
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
	p.backTo(entries, hangUp)
	p.open("/account")
	p.b.follow("sign out", parttest.Click(chromedp.CSS(`form[action="/sign-out"] button`)))
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
	p.b.follow("sign out", parttest.Click(chromedp.CSS(`form[action="/sign-out"] button`)))
	p.signIn("farmer.1")
	p.settled(id, "sent")
	p.exactly(id)
	if e := p.book.kept("")[0]; e.Actor != p.ids[account.Farmer] {
		t.Errorf("kept as %s", e.Actor)
	}
}

// What was asked for somebody before they signed out, and comes after it, does not stay on the phone.
func TestPhone_SigningOutWhileItsPagesCome(t *testing.T) {
	p := newPocket(t)
	late := make(chan struct{})
	var asked atomic.Int64
	p.only(func(r *http.Request) bool { return r.URL.Path == "/api/me/farm" && asked.Add(1) == 1 }, func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		p.answer(rec, r)
		<-late
		maps.Copy(w.Header(), rec.Header())
		if _, err := w.Write(rec.Body.Bytes()); err != nil {
			t.Error(err)
		}
	})
	p.open("/account")
	parttest.Await(t, "the phone asks for its pages", func() bool { return asked.Load() == 1 })
	p.b.follow("sign out", parttest.Click(chromedp.CSS(`form[action="/sign-out"] button`)))
	close(late)
	ask1(p.b, "the next time", chromedp.Evaluate[bool](`navigator.serviceWorker.ready.then((r) => { r.active.postMessage({ warm: "?lang=vi" }); return true; })`, chromedp.EvalAwaitPromise))
	parttest.Await(t, "the phone is done with the first answer", func() bool { return asked.Load() == 2 })
	if kept := p.keptPages(); kept != "" {
		t.Errorf("after signing out the phone keeps %s", kept)
	}
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
	began := time.Now()
	id := p.feed("7")
	p.cut(false)
	p.again()
	p.settled(id, "sent")
	p.exactly(id)
	e := p.book.kept("")[0]
	if off := e.At().Sub(now()); off.Abs() > time.Since(began)+time.Second {
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
	p.enter("#occurred", "2031-01-01T07:00")
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
	p.b.follow("mend", parttest.Click(chromedp.CSS("#refused a.button")))
	p.b.until("filled", `document.getElementById("occurred").value === "2031-01-01T07:00" && document.querySelector("[name=amount]").value === "7"`)
	p.enter("#occurred", "")
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
	p.enter("#occurred", "2031-01-01T07:00")
	bad = p.saved()
	p.settled(bad, "refused")
	p.open("/outbox")
	p.b.do("aside", parttest.Click(chromedp.CSS("#refused button.quiet")), parttest.Click(chromedp.CSS("#refused button.grave")))
	p.settled(bad, "dropped")
	p.exactly(good, mended)
}
