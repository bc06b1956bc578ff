package web_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/form"
	"aovuon/server/parttest"
)

// The phone's power goes: the browser is killed, and started again on what it left on the disk.
func TestPhone_PowerOff(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	dir := t.TempDir()
	p := w.pocket(tab{t, parttest.BrowserAt(t, dir)})
	p.warm()
	p.fails(hangUp)
	var ids []string
	for _, amount := range []string{"1", "2"} {
		ids = append(ids, p.feed(amount))
	}
	browser := chromedp.FromContext(p.b.ctx).Browser.Process()
	if err := browser.Kill(); err != nil {
		t.Fatal(err)
	}
	parttest.Await(t, "the browser is dead, and lets go of its folder", func() bool { return browser.Signal(syscall.Signal(0)) != nil })
	p.b = tab{t, parttest.BrowserAt(t, dir)}
	p.open("/p/" + own) // no signal yet: the page comes from the disk
	for _, id := range ids {
		p.settled(id, "queued")
	}
	p.exactly()
	p.mend()
	w.signedIn(p.b, account.Farmer) // whether the cookie was on the disk already is the browser's business
	p.open("/p/" + own)
	for _, id := range ids {
		p.settled(id, "sent")
	}
	p.exactly(ids...)
}

// Two tabs at once send every entry once: with Web Locks, and with the lease where a browser has none.
func TestPhone_TwoTabs(t *testing.T) {
	for name, before := range map[string]string{"locks": "", "lease": `Object.defineProperty(Navigator.prototype, "locks", { value: undefined })`} {
		t.Run(name, func(t *testing.T) {
			p := newPocket(t)
			p.alone()
			p.before(before + ";")
			p.fails(hangUp)
			var ids []string
			for _, amount := range []string{"1", "2", "3"} {
				ids = append(ids, p.feed(amount))
			}
			ctx, end := chromedp.NewContext(p.b.ctx)
			defer end()
			other := pocket{p.town, tab{t, ctx}}
			other.alone()
			other.before(before + ";")
			other.open("/p/" + own)
			sent := map[string]int{}
			p.only(entries, func(w http.ResponseWriter, r *http.Request) {
				raw, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				for _, id := range ids {
					sent[id] += strings.Count(string(raw), id)
				}
				r.Body = io.NopCloser(bytes.NewReader(raw))
				p.answer(w, r)
			})
			p.again()
			other.again()
			for _, id := range ids {
				p.settled(id, "sent")
				other.settled(id, "sent")
				if sent[id] != 1 {
					t.Errorf("%s was sent %d times", id, sent[id])
				}
			}
			p.exactly(ids...)
		})
	}
}

// The phone is full: it says so, nothing is dropped silently, and the text alone is kept if the person wants that.
func TestPhone_Quota(t *testing.T) {
	p := newPocket(t)
	p.open("/p/" + own + "/log/feed")
	p.fill("7")
	p.photo()
	p.b.do("full", command("Storage.overrideQuotaForOrigin", map[string]any{"origin": p.srv.URL, "quotaSize": 1}))
	p.b.do("save", parttest.Click(chromedp.CSS(".bottom button")))
	p.b.until("said", `document.getElementById("said").textContent.includes("CHƯA được lưu") && !document.getElementById("without").hidden`)
	if len(p.onPhone()) != 0 || len(p.book.kept("")) != 0 {
		t.Error("something was kept without being asked")
	}
	if v := ask1(p.b, "form", evaluate[string](`document.querySelector("[name=amount]").value + document.querySelectorAll("#media li").length`)); v != "71" {
		t.Errorf("the form holds %q", v)
	}
	// Room for words, none for a photo.
	p.b.do("some room", command("Storage.overrideQuotaForOrigin", map[string]any{"origin": p.srv.URL}))
	p.b.do("without", parttest.Click(chromedp.CSS("#without")))
	parttest.Await(t, "the entry", func() bool { return len(p.book.kept("feed")) == 1 })
	if e := p.book.kept("feed")[0]; len(e.Media) != 0 {
		t.Errorf("kept %+v", e)
	}
}

// photo attaches a photo of 3000 × 2000 pixels.
func (p pocket) photo() {
	p.b.t.Helper()
	ask1(p.b, "photo", chromedp.Evaluate[bool](`(async () => {
		const c = new OffscreenCanvas(3000, 2000), g = c.getContext("2d");
		for (let i = 0; i < 300; i++) { g.fillStyle = "hsl(" + i * 37 + " 70% 50%)"; g.fillRect(Math.random() * 3000, Math.random() * 2000, 200, 200); }
		const blob = await c.convertToBlob({ type: "image/jpeg" });
		const d = new DataTransfer();
		d.items.add(new File([blob], "IMG_0001.jpg", { type: "image/jpeg" }));
		const input = document.querySelector("[name=photo]");
		input.files = d.files;
		input.dispatchEvent(new Event("change"));
		return true;
	})()`, chromedp.EvalAwaitPromise))
	p.b.until("made smaller", `document.querySelectorAll("#media img").length === 1`)
}

func TestPhone_Photos(t *testing.T) {
	p := newPocket(t)
	p.cut(true)
	p.open("/p/" + own + "/log/note")
	p.photo()
	size := ask1(p.b, "size", chromedp.Evaluate[string](`(async () => { const i = document.querySelector("#media img"); await i.decode(); return i.naturalWidth + "x" + i.naturalHeight; })()`, chromedp.EvalAwaitPromise))
	if size != "1600x1067" {
		t.Errorf("the photo is %s", size)
	}
	id := p.saved()
	var refuse atomic.Bool
	refuse.Store(true)
	p.backTo(func(r *http.Request) bool { return r.Method == http.MethodPut && refuse.Load() }, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	p.again()
	p.settled(id, "queued 500") // never the entry without its photo
	p.exactly()
	refuse.Store(false)
	p.again()
	p.settled(id, "sent")
	p.exactly(id)
	if m := p.book.kept("note")[0].Media; len(m) != 1 || !p.hasMedia(m[0].SHA256) {
		t.Errorf("photos %+v", m)
	}
	if left := ask1(p.b, "photos on the phone", chromedp.Evaluate[int](`outbox.open().then(db => new Promise(r => { db.transaction("media").objectStore("media").count().onsuccess = e => r(e.target.result); }))`, chromedp.EvalAwaitPromise)); left != 0 {
		t.Errorf("%d photos lie on the phone still", left)
	}
}

// An entry that the version before wrote, photo and all, is read and sent by this one; one of a version to come is left alone.
func TestPhone_UpgradeBetweenWritingAndSending(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	p := w.pocket(browser(t))
	photo := jpegOf(t)
	old := "01KBAAAAAAAAAAAAAAAAAAAAAH"
	p.b.do("a page without scripts", chromedp.Navigate(p.srv.URL+"/healthz"))
	ask1(p.b, "version 1", chromedp.Evaluate[bool](fmt.Sprintf(`new Promise((done, fail) => {
		const asked = indexedDB.open("aovuon", 1);
		asked.onupgradeneeded = () => asked.result.createObjectStore("entries", { keyPath: "id" });
		asked.onerror = () => fail(asked.error);
		asked.onsuccess = () => {
			const t = asked.result.transaction("entries", "readwrite");
			t.objectStore("entries").put({ v: 1, id: %q, by: %q, title: "Cho ăn", media: [{ sha256: %q, type: "image/jpeg", blob: new Blob([Uint8Array.from(%s)], { type: "image/jpeg" }) }],
				event: { kind: "feed", place: %q, values: { input: "inp0000001", amount: 4 }, occurred: "2026-11-24T00:00:00.000Z", recorded: "2026-11-24T00:00:00.000Z" } });
			t.oncomplete = () => { asked.result.close(); done(true); };
		};
	})`, old, p.ids[account.Farmer], sumOf(photo), bytesOf(photo), own), chromedp.EvalAwaitPromise))
	p.open("/p/" + own)
	p.settled(old, "sent")
	p.exactly(old)
	if m := p.book.kept("feed")[0].Media; len(m) != 1 || m[0].SHA256 != sumOf(photo) || !p.hasMedia(sumOf(photo)) {
		t.Errorf("photos %+v", m)
	}
	later := "01KBAAAAAAAAAAAAAAAAAAAAAJ"
	ask1(p.b, "version 3", chromedp.Evaluate[bool](fmt.Sprintf(`outbox.open().then(db => new Promise(done => { const t = db.transaction("entries", "readwrite");
		t.objectStore("entries").put({ v: 3, id: %q, by: %q, state: "queued", title: "?", event: { kind: "feed", place: %q, occurred: "2026-11-24T00:00:00.000Z" }, sealed: "unknown here" }); t.oncomplete = () => done(true); }))`,
		later, p.ids[account.Farmer], own), chromedp.EvalAwaitPromise))
	mine := p.feed("5")
	p.settled(mine, "sent")
	p.settled(later, "queued")
	p.exactly(old, mine)
	p.open("/outbox")
	p.b.until("told", `document.getElementById("queued").textContent.includes("bản mới hơn")`)
}

// hasMedia reports whether the shelf holds what was sent under a hash.
func (p pocket) hasMedia(sum string) bool {
	p.b.t.Helper()
	_, raw, ok, err := p.book.shelf.Media(p.b.t.Context(), sum)
	return err == nil && ok && len(raw) > 0
}

// bytesOf writes a text as a list of its bytes.
func bytesOf(s string) string {
	return strings.ReplaceAll(fmt.Sprintf("%d", []byte(s)), " ", ",")
}

// What a phone reads of a number is what the server reads.
func TestPhone_NumbersAreReadAsTheServerDoes(t *testing.T) {
	p := newPocket(t)
	p.open("/p/" + own + "/log/feed")
	for _, s := range []string{
		"1234,5", "1.234,5", "1.234.567", "1234.5", "0.125", "12", "-3,5", " 1 234,5 ", "0,25", "1234.567", "1.234", "1,234,567", "1,234.5", "1.23.4", "12.34,5", "", "NaN", "1e9", "0x10", "5 kg",
		"-", "12.", ".5", ",5", "5,", "0.500", "-0.500", "00,5", "--5", "1.000.000,25", "-1.234",
	} {
		want, ok := form.ParseNumber(s)
		got := ask1(p.b, s, evaluate[string](fmt.Sprintf(`String(parseNumber(%q))`, s)))
		if ok != (got != "NaN") || ok && got != strconv.FormatFloat(want, 'f', -1, 64) {
			t.Errorf("%q: the phone reads %s, the server %v %v", s, got, want, ok)
		}
	}
}

// What a phone has to load: scripts that work without a signal, and the page of a form.
func TestPhone_Budget(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	form := w.as(account.Farmer, http.MethodGet, "/p/"+own+"/log/water_test", nil, nil).body
	if len(form) > 30<<10 {
		t.Errorf("the page of a form has %d bytes", len(form))
	}
	worker := string(w.as(account.Public, http.MethodGet, "/sw.js", nil, nil).body)
	total := len(worker)
	for _, name := range []string{"outbox.js", "offline.js"} {
		path := regexp.MustCompile(`/static/[0-9a-f]+/` + name).FindString(worker)
		n := len(w.as(account.Public, http.MethodGet, path, nil, nil).body)
		if n == 0 {
			t.Errorf("no %s", name)
		}
		total += n
	}
	t.Logf("form %d bytes, scripts %d bytes", len(form), total)
	if total > 25<<10 {
		t.Errorf("the scripts have %d bytes", total)
	}
}
