package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aovuon/server/parttest"
	"aovuon/server/setup"
	"aovuon/server/web"
)

// installer is a server that is being set up; what is found is what a test says.
type installer struct {
	*setup.Store
	found []setup.Finding
	state web.InstallState
	done  *setup.Draft
}

func (i *installer) Standing() (web.InstallState, error) {
	st, _, err := i.Read()
	out := i.state
	out.Draft = st.Draft
	return out, err
}

func (i *installer) Keep(d setup.Draft) error {
	return i.Change(func(st *setup.State) error { st.Draft = d; return nil })
}

func (i *installer) Look(context.Context, setup.Draft) ([]setup.Finding, error) { return i.found, nil }

func (i *installer) Finish(_ context.Context, d setup.Draft) error { i.done = &d; return nil }

func newInstaller(t *testing.T) (*installer, http.Handler, string) {
	t.Helper()
	i := &installer{Store: setup.NewStore(t.TempDir(), now)}
	i.state = web.InstallState{Phase: web.InstallFilling, Hosts: []string{"192.168.1.10", "may.local"}}
	h, err := web.NewInstall(web.InstallOptions{Desk: i, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	token, err := i.NewLink()
	if err != nil {
		t.Fatal(err)
	}
	return i, h, "/setup/" + token
}

// asks asks as a browser at an address does, with its cookie.
func asks(h http.Handler, from, cookie, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.RemoteAddr = from
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "setup", Value: cookie})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func cookieOf(w *httptest.ResponseRecorder) string {
	for _, c := range w.Result().Cookies() {
		if c.Name == "setup" && c.HttpOnly && c.Path == "/setup/" {
			return c.Value
		}
	}
	return ""
}

func TestInstall_AnswersTheOwnNetworkAlone(t *testing.T) {
	_, h, at := newInstaller(t)
	for from, want := range map[string]int{
		"192.168.1.7:5000": http.StatusOK, "10.1.2.3:5000": http.StatusNotFound, "[fd00::1]:5000": http.StatusNotFound, "[fe80::1%eth0]:5000": http.StatusNotFound,
		"100.64.3.4:1": http.StatusNotFound, "8.8.8.8:5000": http.StatusForbidden, "[2001:db8::1]:5000": http.StatusForbidden, "[::ffff:8.8.8.8]:1": http.StatusForbidden, "what": http.StatusForbidden,
	} {
		path := at
		if want == http.StatusNotFound { // the link is another's by now, or will be: what counts is that it was let near
			path = "/setup/guessed"
		}
		if w := asks(h, from, "", http.MethodGet, path, nil); w.Code != want {
			t.Errorf("%s: %d", from, w.Code)
		}
	}
}

func TestInstall_ALinkIsNotGuessed(t *testing.T) {
	_, h, _ := newInstaller(t)
	last := 0
	for range 40 {
		last = asks(h, "192.168.1.7:5000", "", http.MethodGet, "/setup/guess", nil).Code
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after 40 guesses: %d", last)
	}
	if w := asks(h, "192.168.1.8:5000", "", http.MethodGet, "/setup/guess", nil); w.Code != http.StatusNotFound {
		t.Errorf("another machine: %d", w.Code)
	}
}

func TestInstall_KeepsOthersOut(t *testing.T) {
	i, h, at := newInstaller(t)
	cookie := cookieOf(asks(h, "192.168.1.7:5000", "", http.MethodGet, at, nil))
	if cookie == "" {
		t.Fatal("no cookie")
	}
	form := url.Values{"step": {"coop"}, "coop": {"Kẻ lạ"}, "address": {"x"}}
	if w := asks(h, "192.168.1.9:5000", "", http.MethodPost, at, form); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "máy khác") {
		t.Errorf("another browser: %d", w.Code)
	}
	r := httptest.NewRequest(http.MethodPost, at, strings.NewReader(form.Encode()))
	r.RemoteAddr = "192.168.1.7:5000"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(&http.Cookie{Name: "setup", Value: cookie})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
	if st, err := i.Standing(); err != nil || st.Draft.Coop != "" {
		t.Errorf("%+v %v", st.Draft, err)
	}
	for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
		if asks(h, "192.168.1.7:5000", cookie, http.MethodGet, at, nil).Header().Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
}

func TestInstall_NothingStartsOverAFaultOrAnUnseenWarning(t *testing.T) {
	i, h, at := newInstaller(t)
	ask := func(method, path string, form url.Values, cookie string) *httptest.ResponseRecorder {
		return asks(h, "192.168.1.7:5000", cookie, method, path, form)
	}
	cookie := cookieOf(ask(http.MethodGet, at, nil, ""))
	w := ask(http.MethodPost, at, url.Values{"step": {"coop"}, "coop": {"Hợp tác xã Đồng Tâm"}, "address": {"Thôn Đồng"}}, cookie)
	if w.Code != http.StatusSeeOther {
		t.Fatal(w.Code, w.Body)
	}
	ask(http.MethodPost, at, url.Values{"step": {"address"}, "way": {"lan"}, "lan_host": {"192.168.1.10"}}, cookie)
	check := url.Values{"step": {"check"}}
	i.found = []setup.Finding{{Code: "port.pages.taken", Grade: setup.Bad, Args: []string{"443"}}}
	if w := ask(http.MethodGet, at, nil, cookie); strings.Contains(w.Body.String(), "Lưu và chạy máy chủ") || !strings.Contains(w.Body.String(), "Cổng 443 đã có chương trình khác dùng") {
		t.Error(w.Body)
	}
	if w := ask(http.MethodPost, at, url.Values{"step": {"check"}, "seen": {"yes"}}, cookie); w.Code != http.StatusSeeOther || i.done != nil {
		t.Error("a fault: ", w.Code, i.done)
	}
	i.found = []setup.Finding{{Code: "port.plain.taken", Grade: setup.Warn, Args: []string{"80"}}}
	if w := ask(http.MethodPost, at, check, cookie); w.Code != http.StatusUnprocessableEntity || i.done != nil {
		t.Error("an unseen warning: ", w.Code, i.done)
	}
	if w := ask(http.MethodPost, at, url.Values{"step": {"check"}, "seen": {"yes"}}, cookie); w.Code != http.StatusSeeOther || i.done == nil || i.done.Name != "htx-dong-tam" {
		t.Error("seen: ", w.Code, i.done)
	}
}

// What is no address of this machine is never offered as one: it stays where it was written, with what is wrong with it, and one of the
// machine's that is chosen beside it counts.
func TestInstall_ARefusedAddressIsNoChoice(t *testing.T) {
	i, h, at := newInstaller(t)
	ask := func(method, path string, form url.Values, cookie string) *httptest.ResponseRecorder {
		return asks(h, "192.168.1.7:5000", cookie, method, path, form)
	}
	cookie := cookieOf(ask(http.MethodGet, at, nil, ""))
	ask(http.MethodPost, at, url.Values{"step": {"coop"}, "coop": {"Hợp tác xã Đồng Tâm"}, "address": {"Thôn Đồng"}}, cookie)
	address := func(chosen, written string) url.Values {
		return url.Values{"step": {"address"}, "way": {"lan"}, "lan_host": {chosen}, "lan_other": {written}}
	}
	shows := func(w *httptest.ResponseRecorder, when, host, why string) {
		t.Helper()
		page := w.Body.String()
		for _, part := range []string{`name="lan_other" value="` + host + `"`, `aria-describedby="e-lan_host"`, `id="e-lan_host" role="alert">` + why, `<option value="" selected>`} {
			if !strings.Contains(page, part) {
				t.Errorf("%s: no %s in %s", when, part, page)
			}
		}
		if strings.Contains(page, ">"+host+"</option>") {
			t.Errorf("%s: %s is a choice", when, host)
		}
	}
	w := ask(http.MethodPost, at, address("192.168.1.10", "máy chủ"), cookie)
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no address: %d", w.Code)
	}
	shows(w, "sent", "máy chủ", "Không phải địa chỉ")
	shows(ask(http.MethodGet, at, nil, cookie), "opened again", "máy chủ", "Không phải địa chỉ")
	if w := ask(http.MethodPost, at, address("", "192.168.1.99"), cookie); w.Code != http.StatusSeeOther {
		t.Errorf("written anew: %d", w.Code)
	}
	i.found = []setup.Finding{{Code: "address.other", Grade: setup.Bad, Args: []string{"192.168.1.99", "192.168.1.10"}}}
	shows(ask(http.MethodGet, at+"?step=address", nil, cookie), "refused by the check", "192.168.1.99", "Địa chỉ 192.168.1.99 không phải của máy này")
	i.found = nil
	for _, c := range []struct{ chosen, written, want string }{
		{"may.local", "192.168.1.99", "may.local"},           // chosen beside what stood there
		{"may.local", "ten-khac.local", "ten-khac.local"},    // written beside what was chosen
		{"", "ten-khac.local", "ten-khac.local"},             // left as it was
		{"192.168.1.10", "ten-khac.local", "192.168.1.10"},   //
		{"192.168.1.10", "192.168.1.10", "192.168.1.10"},     //
		{"192.168.1.10", "ten-khac.local", "ten-khac.local"}, //
		{"may.local", "", "may.local"}, {"may.local", "192.168.1.10", "192.168.1.10"},
	} {
		if w := ask(http.MethodPost, at, address(c.chosen, c.written), cookie); w.Code != http.StatusSeeOther {
			t.Errorf("%+v: %d", c, w.Code)
		}
		if st, err := i.Standing(); err != nil || st.Draft.LANHost != c.want {
			t.Errorf("%+v: %q, %v", c, st.Draft.LANHost, err)
		}
	}
}

func TestBrowser_InstallPagesAxeFindsNothing(t *testing.T) {
	axe := parttest.Axe(t)
	b := browser(t)
	i, h, at := newInstaller(t)
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	filled := setup.Draft{Coop: "Hợp tác xã Phú Khê", Address: "Thôn Phú Khê", Name: "htx-phu-khe", Way: setup.LAN, LANHost: "192.168.1.10"}
	fault := []setup.Finding{
		{Code: "port.pages.taken", Grade: setup.Bad, Args: []string{"443"}},
		{Code: "port.plain.taken", Grade: setup.Warn, Args: []string{"80"}},
		{Code: "address.here", Grade: setup.Note, Args: []string{"192.168.1.10"}},
		{Code: "folder.fine", Grade: setup.Fine, Args: []string{"/var/lib/aovuon-server", "120"}},
	}
	running := web.InstallState{
		Phase: web.InstallRunning, First: true, Link: "https://192.168.1.10/setup/x", Trust: "http://192.168.1.10/tls",
		CA: &web.CA{Fingerprint: strings.Repeat("AB:", 31) + "AB"},
	}
	for _, c := range []struct {
		name, path string
		draft      setup.Draft
		found      []setup.Finding
		state      web.InstallState
	}{
		{"coop", at, setup.Draft{}, nil, i.state},
		{"address", at + "?step=address", filled, nil, i.state},
		{"address-wrong", at + "?step=address", setup.Draft{Coop: filled.Coop, Address: filled.Address, Name: filled.Name, Way: setup.LAN, LANHost: "máy chủ"}, nil, i.state},
		{"check", at, filled, fault, i.state},
		{"running", at, filled, nil, running},
		{"closed", "/", filled, nil, i.state},
	} {
		i.state, i.found = c.state, c.found
		if err := i.Keep(c.draft); err != nil {
			t.Fatal(err)
		}
		for screen, view := range map[string]step{"phone": phone(), "desk": desk()} {
			for _, lang := range []string{"vi", "en"} {
				visit(b, view, srv.URL+withLang(c.path, lang))
				if complaints := axe(b.ctx); complaints != "" {
					t.Errorf("%s, %s, %s: %s", c.name, lang, screen, complaints)
				}
				if wide := ask1(b, c.name, evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); wide {
					t.Errorf("%s, %s, %s: wider than the screen", c.name, lang, screen)
				}
				shoot(b, "install-"+c.name+"-"+screen+"-"+lang)
			}
		}
	}
}
