package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/parttest"
	"aovuon/server/setup"
	"aovuon/server/web"
)

// startAccess is who may ask for what leads a new co-op on.
func startAccess() map[string]string {
	return map[string]string{
		"GET /start": "at", "GET /gateways/new": "at", "POST /gateways/new": "at", "POST /gateways/claim.txt": "at",
		"GET /backup": "a", "POST /backup": "a", "POST /backup/keep": "a", "POST /backup/key.txt": "a",
	}
}

// claim makes claims as a server does, and keeps none.
func (w *town) claim(_ context.Context, gateway string, valid time.Duration) (web.Claim, error) {
	switch gateway {
	case "gw-taken":
		return web.Claim{}, web.ErrClaimTaken
	case "gw-many":
		return web.Claim{}, web.ErrClaimMany
	}
	code, err := wire.NewClaimCode()
	if err != nil {
		return web.Claim{}, err
	}
	text := wire.Claim{Code: code, Server: "https://htx.example"}
	text.Pin = wire.PinOf("htx+00000000+AAAA", "")
	return web.Claim{Text: text.String(), Code: code.String(), Server: "https://htx.example", Expires: w.now().Add(valid)}, nil
}

// disks are those of a server, and what was settled of backups.
type disks struct {
	place          web.BackupPlace
	dir, recipient string
	kept           int
}

const testKey = "# opens the backups of AoVườn\n# public key: age1test\nAGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQABC123\n"

func (d *disks) Place(context.Context) (web.BackupPlace, error) {
	p := d.place
	p.Offers = "aovuon"
	p.Disks = []setup.Disk{{Mount: "/mnt/usb", Source: "/dev/sda1", Kind: "ext4", Size: 64 << 30, Free: 60 << 30}, {Mount: "/same", Source: "/dev/vda1", Kind: "ext4", Size: 9 << 30, Free: 3 << 30, Same: true}}
	return p, nil
}

func (d *disks) Try(dir string) error {
	if strings.HasPrefix(dir, "/locked") {
		return errors.New("read-only file system")
	}
	return nil
}

func (d *disks) NewKey() (string, string, error) { return testKey, "age1test", nil }

func (d *disks) Keep(dir, recipient string) error {
	d.dir, d.recipient, d.kept = dir, recipient, d.kept+1
	return nil
}

func TestClaimPage_ShowsOnceWhatAGatewayEnrolsWith(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	if res := w.as(account.Technician, http.MethodGet, "/gateways/new", nil, nil); !strings.Contains(string(res.body), `href="/help/build/gateway-box"`) {
		t.Error("the page does not lead to how the box is built")
	}
	for _, c := range []struct{ id, hours, want string }{
		{"GW Ao", "48", "chữ thường không dấu"}, {"gw-moi", "9999", "Hãy chọn mã dùng được"}, {"gw-taken", "48", "đang hoạt động"}, {"gw-many", "48", "quá nhiều mã"},
	} {
		res := w.as(account.Technician, http.MethodPost, "/gateways/new", url.Values{"id": {c.id}, "hours": {c.hours}}, nil)
		if res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), c.want) || !strings.Contains(string(res.body), `value="`+strings.ToLower(c.id)+`"`) {
			t.Errorf("%s: %d", c.id, res.status)
		}
	}
	res := w.as(account.Technician, http.MethodPost, "/gateways/new", url.Values{"id": {"gw-moi"}, "hours": {"48"}}, nil)
	text := regexp.MustCompile(`aovuon-claim:[^<"]+`).FindString(string(res.body))
	if res.status != http.StatusOK || text == "" || !strings.Contains(string(res.body), "<svg") || res.header.Get("Cache-Control") != "no-store" {
		t.Fatal(res.status, string(res.body))
	}
	file := w.as(account.Technician, http.MethodPost, "/gateways/claim.txt", url.Values{"claim": {text}}, nil)
	if string(file.body) != text+"\n" || !strings.Contains(file.header.Get("Content-Disposition"), `"claim.txt"`) {
		t.Errorf("%q %v", string(file.body), file.header)
	}
	if bad := w.as(account.Technician, http.MethodPost, "/gateways/claim.txt", url.Values{"claim": {"<script>"}}, nil); bad.status != http.StatusBadRequest {
		t.Errorf("no claim: %d", bad.status)
	}
}

func TestBackupPage_TheKeyIsPutAwayBeforeItCounts(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	post := func(path string, form url.Values) got { return w.as(account.Admin, http.MethodPost, path, form, nil) }
	for dir, want := range map[string]string{"": "đường dẫn đầy đủ", "relative": "đường dẫn đầy đủ", "/locked/x": "read-only file system", "/same/aovuon": "cùng ổ với dữ liệu"} {
		if res := post("/backup", url.Values{"other": {dir}}); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), want) || w.disks.kept > 0 {
			t.Errorf("%q: %d", dir, res.status)
		}
	}
	res := post("/backup", url.Values{"dir": {"/mnt/usb/aovuon"}})
	if res.status != http.StatusOK || !strings.Contains(string(res.body), "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQABC123") || w.disks.kept > 0 {
		t.Fatal(res.status, string(res.body))
	}
	keep := url.Values{"dir": {"/mnt/usb/aovuon"}, "key": {testKey}, "public": {"age1test"}, "last": {"wrong!"}}
	if res := post("/backup/keep", keep); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), "AGE-SECRET-KEY-1Q") || w.disks.kept > 0 {
		t.Errorf("not put away: %d", res.status)
	}
	keep.Set("last", "abc 123")
	if res := post("/backup/keep", keep); res.status != http.StatusOK || !strings.Contains(string(res.body), "Đã lưu.") || w.disks.dir != "/mnt/usb/aovuon" || w.disks.recipient != "age1test" {
		t.Errorf("%d %+v", res.status, w.disks)
	}
	w.disks.place.Keys = 1 // another disk: the key that there is stays
	if res := post("/backup", url.Values{"dir": {"/same/aovuon"}, "same": {"yes"}}); res.status != http.StatusOK || !strings.Contains(string(res.body), "Đã lưu.") || w.disks.dir != "/same/aovuon" || w.disks.recipient != "" {
		t.Errorf("%d %+v", res.status, w.disks)
	}
	w.disks.place.Fixed = "/etc/aovuon-server/server.yaml"
	if res := post("/backup", url.Values{"dir": {"/mnt/usb/aovuon"}}); res.status != http.StatusUnprocessableEntity || w.disks.kept != 2 {
		t.Errorf("fixed: %d", res.status)
	}
	if file := post("/backup/key.txt", url.Values{"key": {strings.ReplaceAll(testKey, "\n", "\r\n")}}); string(file.body) != testKey {
		t.Errorf("%q", string(file.body))
	}
}

func TestStart_TicksItselfOff(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	body := w.text(account.Admin, "/start")
	for _, href := range []string{`href="/backup"`, `href="/land/new"`, `href="/gateways/new"`, `href="/users"`, `href="/cards"`} {
		if !strings.Contains(body, href) {
			t.Errorf("no %s", href)
		}
	}
	if done := strings.Count(body, "<small>đã xong</small>"); done < 4 { // places, mounts, people, cards of the town
		t.Errorf("%d steps are ticked: %s", done, body)
	}
	if strings.Contains(w.text(account.Technician, "/start"), `href="/users"`) {
		t.Error("a technician is sent where only admins may go")
	}
}

// firstAdmin is a link that makes the first admin, of a server that has none.
func (w *town) firstAdmin() string {
	w.t.Helper()
	_, err := w.acc.Disable(w.t.Context(), w.ids[account.Admin], true, w.by())
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := w.acc.SetupLink(w.t.Context(), w.by())
	if err != nil {
		w.t.Fatal(err)
	}
	return "/setup/" + token
}

func TestSetupPage_SaysAtWhichFieldAndHowToMendIt(t *testing.T) {
	w := newTown(t, "http://127.0.0.1", false)
	at := w.firstAdmin()
	const short, common, named = "từ 12 đến 128 ký tự", "từ ai cũng thử trước", "không được chứa tên đăng nhập"
	for _, c := range []struct {
		what, login, name, password string
		want                        map[string]string // by field
	}{
		{"a login with marks", "Nguyễn Lan", "Nguyễn Thị Lan", password, map[string]string{"login": "chữ thường không dấu"}},
		{"a login that is taken", "farmer.1", "Nguyễn Thị Lan", password, map[string]string{"login": "đã có người dùng"}},
		{"no name", "lan", " ", password, map[string]string{"name": "Hãy ghi họ tên"}},
		{"short", "lan", "Nguyễn Thị Lan", "ngắn", map[string]string{"password": short}},
		{"common", "lan", "Nguyễn Thị Lan", "passwordpassword", map[string]string{"password": common}},
		{"named", "nguyenlan", "Nguyễn Thị Lan", "bờ ruộng nguyenlan kèn", map[string]string{"password": named}},
		{"everything at once", "Lan!", "", "ngắn", map[string]string{"login": "chữ thường không dấu", "name": "Hãy ghi họ tên", "password": short}},
	} {
		res := w.as(account.Public, http.MethodPost, at, url.Values{"login": {c.login}, "name": {c.name}, "password": {c.password}}, nil)
		page := string(res.body)
		if res.status != http.StatusUnprocessableEntity || !strings.Contains(page, `value="`+c.login+`"`) || !strings.Contains(page, "đánh dấu rồi gõ lại mật khẩu") {
			t.Errorf("%s: %d: %s", c.what, res.status, wrongs(res.body))
		}
		for _, field := range []string{"login", "name", "password"} {
			_, said, marked := strings.Cut(page, `<p class="wrong small" id="e-`+field+`" role="alert">`)
			said, _, _ = strings.Cut(said, "</p>")
			input, _, _ := strings.Cut(page[strings.Index(page, `id="`+field+`"`):], ">")
			if want, wrong := c.want[field]; marked != wrong || strings.Contains(input, `aria-invalid="true"`) != wrong || !strings.Contains(said, want) {
				t.Errorf("%s: %s: %q: %s", c.what, field, said, input)
			}
		}
	}
	if res := w.as(account.Public, http.MethodPost, at, url.Values{"login": {"lan"}, "name": {"Nguyễn Thị Lan"}, "password": {password}}, nil); res.status != http.StatusSeeOther {
		t.Errorf("mended: %d: %s", res.status, wrongs(res.body))
	}
}

// A form that was sent wrong is read out and seen at the field, too.
func TestBrowser_AWrongFirstAdminAxeFindsNothing(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	b := browser(t)
	visit(b, phone(), w.srv.URL+w.firstAdmin())
	b.do("filled in", chromedp.SendKeys("#login", "Nguyễn Lan"), chromedp.SendKeys("#name", "Nguyễn Thị Lan"), chromedp.SendKeys("#password", "passwordpassword"))
	b.do("sent", chromedp.Submit("#login"), chromedp.WaitVisible("#e-login"), chromedp.WaitVisible("#e-password"))
	if complaints := axe(b.ctx); complaints != "" {
		t.Error(complaints)
	}
	if n := ask1(b, "marked", evaluate[int](`[...document.querySelectorAll("[aria-invalid=true]")].filter(i => getComputedStyle(i).borderColor !== getComputedStyle(document.querySelector("#name")).borderColor).length`)); n != 2 {
		t.Errorf("%d fields are marked", n)
	}
	shoot(b, "setup-wrong")
}

func TestBrowser_FirstStepsAxeFindsNothing(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	b := w.signedIn(browser(t), account.Admin)
	look := func(name string) {
		if complaints := axe(b.ctx); complaints != "" {
			t.Errorf("%s: %s", name, complaints)
		}
		if wide := ask1(b, name, evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); wide {
			t.Errorf("%s: wider than the screen", name)
		}
		shoot(b, name)
	}
	for screen, view := range map[string]step{"phone": phone(), "desk": desk()} {
		for _, lang := range []string{"vi", "en"} {
			end := "-" + screen + "-" + lang
			for _, path := range []string{"/start", "/gateways/new", "/backup"} {
				visit(b, view, w.srv.URL+withLang(path, lang))
				look("first" + strings.ReplaceAll(path, "/", "-") + end)
			}
			visit(b, view, w.srv.URL+withLang("/gateways/new", lang))
			b.do("name", chromedp.SendKeys(chromedp.ID("id"), "gw-ao-1"))
			b.follow("claim", parttest.Click(chromedp.CSS("main form button")))
			look("first-claim" + end)
			visit(b, view, w.srv.URL+withLang("/backup", lang))
			b.do("disk", parttest.Click(chromedp.CSS("input[name=dir]")))
			b.follow("key", parttest.Click(chromedp.CSS("main form button")))
			look("first-key" + end)
		}
	}
}
