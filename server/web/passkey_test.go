package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/server/account"
	"aovuon/server/parttest"
	"aovuon/server/passkey/passkeytest"
)

// keyTown is a town at localhost, where browsers give passkeys, that asks staff for a second factor.
func keyTown(t *testing.T) (w *town, origin string) {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin = fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	w = newTownAt(t, l, origin, false)
	w.acc.Required = true
	return w, origin
}

// authenticator puts a security key with a fingerprint reader into the browser; verified false: the finger is another's.
func (b tab) authenticator(verified bool) (id string) {
	b.t.Helper()
	b.do("authenticator", command("WebAuthn.enable", nil), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		var res struct {
			ID string `json:"authenticatorId"`
		}
		err := t.Call(ctx, "WebAuthn.addVirtualAuthenticator", map[string]any{"options": map[string]any{
			"protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true, "isUserVerified": verified, "automaticPresenceSimulation": true,
		}}, &res)
		id = res.ID
		return err
	}))
	return id
}

// type1 types into the field with an id.
func type1(id, text string) step { return chromedp.SendKeys(chromedp.ID(id), text) }

// press presses the button with a text, and waits for the page it leads to.
func (b tab) press(text string) {
	b.t.Helper()
	b.follow(text, parttest.Click(chromedp.Search(`//button[normalize-space()="`+text+`"]`)))
}

// at returns the path of the page.
func (b tab) at() string { return ask1(b, "path", evaluate[string](`location.pathname`)) }

// enter signs in with a password.
func (b tab) enter(login string) {
	b.t.Helper()
	b.do("password", type1("login", login), type1("password", password))
	b.press("Vào")
}

// TestBrowser_StaffSetUpAPasskeyAndSignInWithIt goes the whole way in a real browser with its virtual authenticator.
func TestBrowser_StaffSetUpAPasskeyAndSignInWithIt(t *testing.T) {
	w, origin := keyTown(t)
	b := browser(t)
	id := b.authenticator(true)
	visit(b, phone(), origin+"/sign-in?next=/system")
	shoot(b, "passkey-signin")
	b.enter("technician.1")
	for _, path := range []string{"/", "/system", "/cards", "/account", "/trail", "/places/" + own} { // nothing else opens
		visit(b, phone(), origin+path)
		if at := b.at(); at != "/account/second" {
			t.Fatalf("%s opens %s before a second factor is set up", path, at)
		}
	}
	shoot(b, "passkey-second")
	b.do("name", type1("keyname", "Máy ở văn phòng"))
	b.press("Tạo khóa truy cập")
	if n := ask1(b, "recovery codes", evaluate[int](`document.querySelectorAll(".spare li").length`)); n != 10 {
		t.Fatalf("%d recovery codes: %s", n, b.text("main"))
	}
	shoot(b, "passkey-recovery")
	visit(b, phone(), origin+"/account")
	if text := b.text("main"); !strings.Contains(text, "Máy ở văn phòng") || !strings.Contains(text, "chưa dùng lần nào") || !strings.Contains(text, "Còn 10 mã dự phòng") {
		t.Errorf("the account does not show the passkey: %s", text)
	}
	shoot(b, "passkey-account")
	b.press("Đăng xuất")
	b.press("Vào bằng khóa truy cập") // no login, no password
	if at := b.at(); at != "/" {
		t.Fatalf("led to %s: %s", at, b.text("main"))
	}
	visit(b, phone(), origin+"/account")
	if text := b.text("main"); !strings.Contains(text, "dùng lần cuối 24/11/2026") {
		t.Errorf("the last use is not shown: %s", text)
	}

	// The second factor after the password.
	b.press("Đăng xuất")
	b.enter("technician.1")
	if text := b.text("main"); !strings.Contains(text, "Mã dự phòng") {
		t.Fatalf("no second factor is asked for: %s", text)
	}
	shoot(b, "passkey-code")
	b.press("Dùng khóa truy cập")
	visit(b, phone(), origin+"/system")
	if at := b.at(); at != "/system" {
		t.Errorf("after password and passkey: %s", at)
	}

	// A confirmation, by passkey.
	w.later()
	visit(b, phone(), origin+"/account/password")
	if at := b.at(); at != "/account/confirm" {
		t.Fatalf("a new password asks for no confirmation: %s", at)
	}
	shoot(b, "passkey-confirm")
	b.press("Dùng khóa truy cập")
	if at := b.at(); at != "/account/password" {
		t.Errorf("after the confirmation: %s", at)
	}

	// Somebody else's finger: the browser gives nothing, and the page says so.
	visit(b, phone(), origin+"/account")
	b.press("Đăng xuất")
	b.do("another finger", command("WebAuthn.setUserVerified", map[string]any{"authenticatorId": id, "isUserVerified": false}))
	b.do("press", parttest.Click(chromedp.Search(`//button[normalize-space()="Vào bằng khóa truy cập"]`)))
	b.until("told", `!document.querySelector("[data-wrong]").hidden`)
	if at := b.at(); at != "/sign-in" {
		t.Errorf("another finger leads to %s", at)
	}
}

// TestBrowser_ACopiedPasskeyIsRefused: the counter of the virtual authenticator is set back, as that of a copy would be.
func TestBrowser_ACopiedPasskeyIsRefused(t *testing.T) {
	_, origin := keyTown(t)
	b := browser(t)
	id := b.authenticator(true)
	visit(b, phone(), origin+"/sign-in")
	b.enter("admin.1")
	b.press("Tạo khóa truy cập")
	visit(b, phone(), origin+"/account")
	for range 2 {
		b.press("Đăng xuất")
		b.press("Vào bằng khóa truy cập")
		visit(b, phone(), origin+"/account")
	}
	b.press("Đăng xuất")
	b.do("set the counter back", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		var res struct {
			Credentials []map[string]any `json:"credentials"`
		}
		if err := t.Call(ctx, "WebAuthn.getCredentials", map[string]any{"authenticatorId": id}, &res); err != nil {
			return err
		}
		if err := t.Call(ctx, "WebAuthn.clearCredentials", map[string]any{"authenticatorId": id}, nil); err != nil {
			return err
		}
		c := res.Credentials[0]
		c["signCount"] = 1
		return t.Call(ctx, "WebAuthn.addCredential", map[string]any{"authenticatorId": id, "credential": c}, nil)
	}))
	b.do("press", parttest.Click(chromedp.Search(`//button[normalize-space()="Vào bằng khóa truy cập"]`)), chromedp.WaitVisible(chromedp.CSS("main > div > .wrong")))
	if text := b.text("main > div > .wrong"); !strings.Contains(text, "có thể ai đó có bản sao") {
		t.Errorf("told %q", text)
	}
}

// TestBrowser_WithoutScriptThePasswordGoesOn: no button that does nothing, and codes can be set up.
func TestBrowser_WithoutScriptThePasswordGoesOn(t *testing.T) {
	_, origin := keyTown(t)
	b := browser(t)
	b.do("no script", command("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}), phone(), chromedp.Navigate(origin+"/sign-in"), chromedp.WaitVisible(chromedp.ID("login")))
	shown := func() string {
		t.Helper()
		return ask1(b, "text", chromedp.Text(chromedp.CSS("main")))
	}
	if strings.Contains(shown(), "khóa truy cập") {
		t.Errorf("a button is offered that needs script: %s", shown())
	}
	b.do("password", type1("login", "technician.1"), type1("password", password), chromedp.Click(chromedp.CSS("form.card button")), chromedp.WaitVisible(chromedp.CSS("[data-noscript]")))
	if !strings.Contains(shown(), "Trình duyệt này không tạo được khóa truy cập") {
		t.Errorf("the page does not say why there are no passkeys: %s", shown())
	}
	if strings.Contains(shown(), "Đặt tên cho khóa này") || !strings.Contains(shown(), "Bật mã dùng một lần") {
		t.Errorf("a name is asked for, or codes are not offered: %s", shown())
	}
	shoot(b, "passkey-noscript")
}

// TestSecondFactor_NothingElseOpens asks every route as somebody who must set a second factor up.
func TestSecondFactor_NothingElseOpens(t *testing.T) {
	w, _ := keyTown(t)
	o, err := w.acc.SignIn(t.Context(), "admin.1", password, account.From{Address: "192.0.2.200"})
	if err != nil || !o.NeedsEnrol {
		t.Fatalf("%+v, %v", o, err)
	}
	w.sids["half"] = o.Token
	open := []string{"GET /account/second", "GET /account/codes", "POST /account/codes", "GET /account/passkeys", "POST /account/passkeys", "POST /account/challenge"}
	for p, who := range accessTable() {
		if strings.Contains(who, "p") {
			continue // everybody's
		}
		method, path := w.requestFor(p)
		form := url.Values{}
		if method == http.MethodGet {
			form = nil
		}
		res := w.as("half", method, path, form, nil)
		led := res.status == http.StatusSeeOther && res.header.Get("Location") == "/account/second" || res.status == http.StatusForbidden
		if may := slices.Contains(open, p); led == may {
			t.Errorf("%s: %d %s", p, res.status, res.header.Get("Location"))
		}
	}
	if res := w.as("half", http.MethodPost, "/sign-out", url.Values{}, nil); res.header.Get("Location") != "/sign-in" {
		t.Errorf("sign-out: %d", res.status)
	}
	if res := w.as("half", http.MethodGet, "/account/second", nil, nil); res.status != http.StatusSeeOther || !strings.HasPrefix(res.header.Get("Location"), "/sign-in") {
		t.Errorf("after it: %d %s", res.status, res.header.Get("Location"))
	}
}

// TestConfirm_ComesBeforeEveryChange asks for each change with an old proof.
func TestConfirm_ComesBeforeEveryChange(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.later()
	for _, p := range []string{
		"GET /account/password", "POST /account/password", "GET /account/codes", "POST /account/codes", "POST /account/codes/off", "POST /account/recovery", "GET /account/passkeys",
		"POST /account/passkeys", "POST /account/passkeys/k-AAAAAAAAAAAAAAAA/remove",
	} {
		method, path, _ := strings.Cut(p, " ")
		form := url.Values{"password": {"một mật khẩu khác hẳn"}, "passkey": {"{}"}}
		next := "/account"
		if method == http.MethodGet {
			form, next = nil, path
		}
		res := w.as(account.Technician, method, path, form, nil)
		if to := "/account/confirm?next=" + url.QueryEscape(next); res.status != http.StatusSeeOther || res.header.Get("Location") != to {
			t.Errorf("%s: %d to %q, want %q", p, res.status, res.header.Get("Location"), to)
		}
	}
	if res := w.as(account.Technician, http.MethodPost, "/account/challenge", url.Values{"what": {"new"}}, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("a new passkey is asked for: %d %s", res.status, res.body)
	}
	if res := w.as(account.Technician, http.MethodPost, "/account/confirm", url.Values{"password": {"wrong"}, "next": {"//evil.example"}}, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong password: %d", res.status)
	}
	if res := w.as(account.Technician, http.MethodPost, "/account/confirm", url.Values{"password": {password}, "next": {"//evil.example"}}, nil); res.header.Get("Location") != "/" {
		t.Errorf("%d to %q", res.status, res.header.Get("Location"))
	}
	if res := w.as(account.Technician, http.MethodGet, "/account/password", nil, nil); res.status != http.StatusOK {
		t.Errorf("after it: %d", res.status)
	}
}

// TestPasskeys_AreNotOfferedWhereBrowsersRefuse: the page says why.
func TestPasskeys_AreNotOfferedWhereBrowsersRefuse(t *testing.T) {
	for address, want := range map[string]string{"https://192.168.1.5": "dãy số (IP)", "http://htx.example": "chỉ cho dùng trên địa chỉ https://", "http://127.0.0.1:8080": "dãy số (IP)"} {
		w := newTown(t, address, false)
		for _, path := range []string{"/account", "/account/passkeys"} {
			body := html.UnescapeString(string(w.as(account.Admin, http.MethodGet, path, nil, nil).body))
			if !strings.Contains(body, want) || strings.Contains(body, "data-from") {
				t.Errorf("%s %s: does not say %q", address, path, want)
			}
		}
		if body := string(w.as(account.Public, http.MethodGet, "/sign-in", nil, nil).body); strings.Contains(body, "data-from") {
			t.Errorf("%s: a passkey is asked for", address)
		}
		if res := w.as(account.Public, http.MethodPost, "/sign-in/challenge", url.Values{}, nil); res.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: challenge %d %s", address, res.status, res.body)
		}
	}
}

// TestSignIn_KnownBrowsersAreNotHeldBackByNeighbours: an address is shut for strangers, not for a browser that was in before.
func TestSignIn_KnownBrowsersAreNotHeldBackByNeighbours(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	o, err := w.acc.SignIn(t.Context(), "admin.1", password, account.From{Address: "192.0.2.44"})
	if err != nil {
		t.Fatal(err)
	}
	from := http.Header{"X-Forwarded-For": {"203.0.113.9"}}
	wrong := url.Values{"login": {"nobody"}, "password": {"wrong wrong"}}
	for range 40 {
		w.as(account.Public, http.MethodPost, "/sign-in", wrong, from)
	}
	good := url.Values{"login": {"admin.1"}, "password": {password}}
	if res := w.as(account.Public, http.MethodPost, "/sign-in", good, from); res.status != http.StatusTooManyRequests {
		t.Errorf("a strange browser behind that address: %d", res.status)
	}
	known := from.Clone()
	known.Set("Cookie", "__Host-device="+o.Device)
	if res := w.as(account.Public, http.MethodPost, "/sign-in", good, known); res.status != http.StatusSeeOther {
		t.Errorf("the admin's own browser: %d", res.status)
	}
	if res := w.as(account.Public, http.MethodGet, "/c/"+w.card, nil, known); res.status != http.StatusOK {
		t.Errorf("a card at a known browser: %d", res.status)
	}
	made := from.Clone()
	made.Set("Cookie", "__Host-device=made-up")
	if res := w.as(account.Public, http.MethodPost, "/sign-in", good, made); res.status != http.StatusTooManyRequests {
		t.Errorf("a made-up secret: %d", res.status)
	}
}

// TestPasskeys_OverHTTP signs in with an authenticator in software, and with what a page must not take.
func TestPasskeys_OverHTTP(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	k := passkeytest.New(t, "https://tx.example.vn", "tx.example.vn")
	ask := func(role account.Role, path string, form url.Values) []byte {
		t.Helper()
		res := w.as(role, http.MethodPost, path, form, nil)
		if res.status != http.StatusOK || !json.Valid(res.body) || res.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %s", path, res.status, res.body)
		}
		return res.body
	}
	if res := w.as(account.Farmer, http.MethodPost, "/account/challenge", url.Values{"what": {"new"}}, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("a farmer is given a passkey: %d", res.status)
	}
	answer := k.Make(ask(account.Technician, "/account/challenge", url.Values{"what": {"new"}}))
	if res := w.as(account.Admin, http.MethodPost, "/account/passkeys", url.Values{"passkey": {string(answer)}}, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("an answer to another's question: %d", res.status)
	}
	answer = k.Make(ask(account.Technician, "/account/challenge", url.Values{"what": {"new"}}))
	res := w.as(account.Technician, http.MethodPost, "/account/passkeys", url.Values{"passkey": {string(answer)}, "name": {`<script>alert(1)</script>`}}, nil)
	if res.status != http.StatusOK || strings.Count(string(res.body), "<li>") < 10 {
		t.Fatalf("%d %s", res.status, res.body)
	}
	page := string(w.as(account.Technician, http.MethodGet, "/account", nil, nil).body)
	if strings.Contains(page, "<script>alert") || !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Error("the name is not shown as text")
	}
	if res := w.as(account.Admin, http.MethodGet, "/users/"+w.ids[account.Technician], nil, nil); !strings.Contains(html.UnescapeString(string(res.body)), "1 khóa truy cập") {
		t.Error("an admin does not see that there is a passkey")
	}
	answer = k.Sign(ask(account.Public, "/sign-in/challenge", url.Values{}))
	res = w.as(account.Public, http.MethodPost, "/sign-in", url.Values{"passkey": {string(answer)}, "next": {"/system"}}, nil)
	if res.status != http.StatusSeeOther || res.header.Get("Location") != "/system" {
		t.Fatalf("%d to %s", res.status, res.header.Get("Location"))
	}
	if res := w.as(account.Public, http.MethodPost, "/sign-in", url.Values{"passkey": {string(answer)}}, nil); res.status != http.StatusUnprocessableEntity || len(res.header.Values("Set-Cookie")) > 0 {
		t.Errorf("the same answer again: %d", res.status)
	}
	if res := w.as(account.Admin, http.MethodPost, "/account/passkeys/"+keyID(t, page)+"/remove", url.Values{}, nil); res.status != http.StatusNotFound {
		t.Errorf("an admin removes another's passkey: %d", res.status)
	}
	if res := w.as(account.Technician, http.MethodPost, "/account/passkeys/"+keyID(t, page)+"/remove", url.Values{}, nil); res.status != http.StatusSeeOther {
		t.Errorf("the owner removes it: %d", res.status)
	}
}

// keyID finds the id of the passkey that an account's page lists.
func keyID(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `/account/passkeys/k-`)
	if !ok || len(rest) < 16 {
		t.Fatal("no passkey is listed")
	}
	return "k-" + rest[:16]
}

func TestBrowser_SecondFactorPagesAxeFindsNothing(t *testing.T) {
	axe := parttest.Axe(t)
	w, origin := keyTown(t)
	b := browser(t)
	k := passkeytest.New(t, origin, "localhost")
	v, err := w.acc.Visit(t.Context(), w.sids[account.Admin])
	if err != nil {
		t.Fatal(err)
	}
	options, err := w.acc.AskNew(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.acc.AddPasskey(t.Context(), v, "Điện thoại", k.Make(options), account.From{}); err != nil {
		t.Fatal(err)
	}
	half, err := w.acc.SignIn(t.Context(), "technician.1", password, account.From{Address: "192.0.2.201"})
	if err != nil {
		t.Fatal(err)
	}
	w.sids["half"] = half.Token
	for path, role := range map[string]account.Role{"/sign-in": account.Public, "/account": account.Admin, "/account/confirm": account.Admin, "/account/passkeys": account.Admin, "/account/second": "half", "/account/codes": "half"} {
		cookies := []map[string]any{}
		if w.sids[role] != "" {
			cookies = append(cookies, map[string]any{"name": w.sid, "value": w.sids[role], "url": origin})
		}
		b.do("cookies", command("Network.clearBrowserCookies", nil), command("Network.setCookies", map[string]any{"cookies": cookies}))
		for screen, view := range map[string]step{"phone": phone(), "desk": desk()} {
			for _, lang := range []string{"vi", "en"} {
				visit(b, view, origin+withLang(path, lang))
				if at := b.at(); at != path {
					t.Fatalf("%s leads to %s", path, at)
				}
				if complaints := axe(b.ctx); complaints != "" {
					t.Errorf("%s, %s, %s: %s", path, lang, screen, complaints)
				}
				if wide := ask1(b, path, evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); wide {
					t.Errorf("%s, %s, %s: wider than the screen", path, lang, screen)
				}
				shoot(b, "second"+strings.ReplaceAll(path, "/", "-")+"-"+screen+"-"+lang)
			}
		}
	}
}

// TestBrowser_SheetAndSystemAxeFindsNothing looks at what needs a press of a button, or staff, to be seen.
func TestBrowser_SheetAndSystemAxeFindsNothing(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	b := browser(t)
	b.do("cookie", command("Network.setCookies", map[string]any{"cookies": []map[string]any{{"name": w.sid, "value": w.sids[account.Technician], "url": w.srv.URL}}}))
	for screen, view := range map[string]step{"phone": phone(), "desk": desk()} {
		for _, lang := range []string{"vi", "en"} {
			for name, open := range map[string]func(){
				"system": func() { visit(b, view, w.srv.URL+withLang("/system", lang)) },
				"sheet": func() {
					visit(b, view, w.srv.URL+withLang("/cards", lang))
					b.follow("print", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
						_, err := chromedp.Run(ctx, evaluate[bool](`(() => { const tick = document.querySelector("input[name=farmer]"); tick.checked = true; tick.form.submit(); return true; })()`))
						return err
					}))
					if n := ask1(b, "cards", evaluate[int](`document.querySelectorAll(".sheet svg").length`)); n != 1 {
						t.Fatalf("%d cards on the sheet", n)
					}
				},
			} {
				open()
				if complaints := axe(b.ctx); complaints != "" {
					t.Errorf("%s, %s, %s: %s", name, lang, screen, complaints)
				}
				if wide := ask1(b, name, evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); wide {
					t.Errorf("%s, %s, %s: wider than the screen", name, lang, screen)
				}
				shoot(b, name+"-staff-"+screen+"-"+lang)
			}
		}
	}
}
