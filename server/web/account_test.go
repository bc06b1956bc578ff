package web_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/server/account"
	"aovuon/server/diary/assess"
	"aovuon/server/diary/gate"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/passkey"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/digitallink"
	"aovuon/server/trace/epcis"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/printjob"
	"aovuon/server/trace/recall"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/soil"
	"aovuon/server/web"
)

const password = "bờ ruộng thuyền kèn"

// town is a co-op where people sign in.
type town struct {
	*sources
	t    testing.TB
	web  *web.Server
	srv  *httptest.Server
	acc  *account.Service
	ids  map[account.Role]string
	sids map[account.Role]string // cookies of those who are in
	card string                  // code of the farmer's, used by nobody yet
	sid  string                  // name of the cookie

	book   *townBook
	disks  disks
	called phoneBook
	told   *notify.Desk
	db     *sqldb.DB
	soil   *soil.Service
	// fault answers instead of the pages, while there is one; it may ask them.
	fault atomic.Pointer[func(http.ResponseWriter, *http.Request)]
	late  atomic.Int64 // how far the clock of accounts is ahead of the pages', ns
}

func (w *town) now() time.Time { return now().Add(time.Duration(w.late.Load())) }

// later lets the proofs of who is there grow old.
func (w *town) later() { w.late.Add(int64(account.ProofLimit + time.Second)) }

// shop is the desk of goods and what is on record.
type shop struct {
	*sqldb.DB
	desk *flow.Desk
}

func (s shop) Take(ctx context.Context, who flow.Who, o trace.Goods) (trace.Goods, error) {
	return s.desk.Take(ctx, who, o)
}

func (s shop) Account(ctx context.Context, l trace.Link) (flow.Account, error) {
	return s.desk.Account(ctx, l)
}

// townAlarms are the alarms on record, or those that a test made up.
type townAlarms struct {
	*alarm.Desk
	of *sources
}

func (a townAlarms) Open(ctx context.Context) ([]alarm.Alarm, error) {
	if made, err := a.of.openAlarms(ctx); len(made) > 0 || err != nil {
		return made, err
	}
	return a.Desk.Open(ctx)
}

// own and foreign are a place of the farmer's, and somebody else's.
const (
	own     = "F7NE3CDQ7"
	foreign = "72DQY3KX0"
)

func newTown(t testing.TB, publicURL string, open bool) *town {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newTownAt(t, l, publicURL, open)
}

// newTownAt is newTown where l listens.
func newTownAt(t testing.TB, l net.Listener, publicURL string, open bool) *town {
	t.Helper()
	return newTownOf(t, newSources(t), l, publicURL, open)
}

// newTownOf is newTownAt of another farm.
func newTownOf(t testing.TB, of *sources, l net.Listener, publicURL string, open bool) *town {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldbtest.Fresh(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &town{sources: of, t: t, ids: map[account.Role]string{}, sids: map[account.Role]string{}, sid: "__Host-sid"}
	if strings.HasPrefix(publicURL, "http:") {
		w.sid = "sid"
	}
	log := slog.New(slog.DiscardHandler)
	vault, err := account.NewVault(make([]byte, account.VaultKeyLen))
	if err != nil {
		t.Fatal(err)
	}
	moves := flow.New(db, db, flow.Defaults(), rand.Reader, w.now, log)
	party, noParty := passkey.New(publicURL, "AoVườn")
	w.acc = account.New(account.Options{
		People: db, Factors: db, Sessions: db, Devices: db, Links: db, Cards: db, PINs: db, Passkeys: db, Proofs: db, Tally: db, Hasher: account.NewHasher(), Vault: vault,
		Party: party, NoParty: noParty, Coop: "htx-demo", Now: w.now, Log: log,
	})
	skey, vkey, err := note.GenerateKey(rand.Reader, "htx-demo/ledger")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	w.book, w.told = newTownBook(t, db, w.farm), newNotify(t, db, w)
	w.db = db
	w.soil = soil.New(w.book, w)
	w.web, err = web.New(web.Options{
		Soil: w.soil, Farm: w, Lots: w, Names: w, EPCIS: &epcis.Gatherer{Names: epcis.Names{Base: publicURL}, Lots: w, Book: w.book, Goods: db}, Captures: db, Packed: w, Scans: w, ScanDesk: db, Reports: db, ScanDays: 180, People: w.sources, Calibrations: w, Ledger: db, Evidence: db, Live: w.live, Board: w.advice, History: w, PublicURL: publicURL, HSTS: true, Now: now, Log: log, Done: done,
		LogKey: web.LogKey{VKey: vkey, Verifier: verifier, SignStatement: signer.Sign}, Accounts: w.acc, Trail: db, OpenPages: open, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		System: func(context.Context) (web.System, error) { return w.system, w.fail() }, Book: w.book, Desk: w.book, Shelf: w.book.shelf, Registrar: db, Standings: db.DiaryLots,
		Alarms:  townAlarms{alarm.NewDesk(db, db, w.now), of},
		Notify:  w.told,
		PushKey: pushKey,
		Phone:   &w.called,
		Claims:  w.claim, Backups: &w.disks, SameDisk: func(dir string) bool { return dir == "/same/aovuon" },
		Printer: printjob.New(db, rand.Reader, now, log),
		Goods:   shop{db, moves}, Recall: recall.New(db, db, moves, w.now),
		Gates: &assess.Assessor{Book: w.book, Calibrations: w, Settings: gate.Defaults(), Now: now}, Blight: newBlightDesk(w),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.srv = &httptest.Server{Listener: l, Config: &http.Server{Handler: w}} //nolint:gosec // a test's
	w.srv.Start()
	t.Cleanup(func() {
		close(done)
		w.srv.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, role := range account.Roles() {
		w.person(role)
	}
	n, err := w.acc.MakeCard(t.Context(), w.ids[account.Farmer], w.by())
	if err != nil {
		t.Fatal(err)
	}
	w.card = n.Code
	return w
}

// ServeHTTP implements http.Handler.
func (w *town) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if f := w.fault.Load(); f != nil {
		(*f)(rw, r)
		return
	}
	w.answer(rw, r)
}

// answer is what the pages answer.
func (w *town) answer(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/sw.js" {
		w.worker(rw, r, "")
		return
	}
	w.web.ServeHTTP(rw, r)
}

// worker gives phones their service worker, with a script before it. It waits for a server on a busy machine, where the real one shows what it has.
func (w *town) worker(rw http.ResponseWriter, r *http.Request, first string) {
	rec := httptest.NewRecorder()
	r.Header.Del("Accept-Encoding")
	r.Header.Del("If-None-Match")
	w.web.ServeHTTP(rec, r)
	maps.Copy(rw.Header(), rec.Header())
	rw.Header().Del("Content-Length")
	rw.WriteHeader(rec.Code)
	patient := strings.Replace(rec.Body.String(), "const PATIENCE = 3000;", "const PATIENCE = 600000;", 1)
	if patient == rec.Body.String() {
		w.t.Error("how long the worker waits is written down elsewhere")
	}
	if _, err := io.WriteString(rw, first+patient); err != nil {
		w.t.Logf("the worker was not sent: %v", err)
	}
}

func (w *town) by() ledger.By { return ledger.By{Actor: ledger.Operator, At: now()} }

// person adds somebody of a role, and signs them in.
func (w *town) person(role account.Role) {
	w.t.Helper()
	a, err := w.acc.Add(w.t.Context(), account.Person{Login: string(role) + ".1", Name: "Người " + string(role), Role: role, Places: []string{own}}, w.by())
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := w.acc.NewLink(w.t.Context(), a.ID, w.by())
	if err != nil {
		w.t.Fatal(err)
	}
	o, err := w.acc.Redeem(w.t.Context(), token, account.Person{}, password, account.From{Address: "192.0.2.9"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ids[role], w.sids[role] = a.ID, o.Token
}

// as asks as somebody; form nil: GET.
func (w *town) as(role account.Role, method, path string, form url.Values, header http.Header) got {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.srv.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if sid := w.sids[role]; sid != "" {
		req.AddCookie(&http.Cookie{Name: w.sid, Value: sid})
	}
	return do(w.t, req)
}

func do(t testing.TB, req *http.Request) got {
	t.Helper()
	tr := &http.Transport{DisableCompression: true}
	defer tr.CloseIdleConnections()
	res, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") { // it has no end: its beginning says enough
		raw := make([]byte, 256<<10)
		n, _ := io.ReadAtLeast(res.Body, raw, 200) //nolint:errcheck // whatever came
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return got{res.StatusCode, res.Header, raw[:n]}
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return got{res.StatusCode, res.Header, body}
}

// accessTable says for every route who gets through: a admin, t technician, f farmer, i inspector, p public.
func accessTable() map[string]string {
	out := map[string]string{
		"POST /report": "atfip", "GET /picture/{record}/{sum}": "atfip",
		"/t/": "atfip", "GET /.well-known/gs1resolver": "atfip", "GET /jws/{path...}": "atfip", "/qr/": "atfip", "/live": "atfi", "GET /{$}": "atfi", "GET /places/{code}": "atfi", "GET /p/{code}": "atfip",
		"GET /places/{code}/calibrations": "atfi", "GET /places/{code}/data.csv": "atfi", "GET /places/{code}/chart.png": "atfi", "GET /readings": "atfi", "GET /readings/file": "atfi", "GET /api/readings": "atfi", "GET /compare": "atfi", "GET /compare/chart.png": "atfi", "GET /probes/{gateway}/{sensor}": "atfi", "GET /system": "ati", "GET /static/{sum}/{file}": "atfip", "GET /api/places": "atfi",
		"GET /api/series": "atfi", "GET /api/calibrations": "atfi", "GET /api/calibrations/in-force": "atfi", "GET /healthz": "atfip", "/": "atfip",
		"GET /gateways/{id}": "ati", "GET /wall": "atfi", "GET /theme": "atfip", "GET /privacy": "atfip", "GET /help": "atfip", "GET /help/{id}": "atfip", "GET /help/{shelf}/{id}": "atfip", "GET /tls": "atfip", "GET /tls/ca.pem": "atfip", "GET /tls/ca.crt": "atfip", "GET /proof/{n}": "atfip", "GET /ledger": "atfip", "GET /ledger/{$}": "atfip", "GET /ledger/checkpoint": "atfip", "GET /ledger/tile/{path...}": "atfip",
		"GET /ledger/proof/{n}": "atfip", "GET /ledger/body/{n}": "atfip", "GET /ledger/rows": "atfip", "GET /ledger/batches/{n}": "ai",
		"GET /ledger/bundle/{path...}": "ai", "GET /ledger/key": "atfip", "GET /sign-in": "atfip", "POST /sign-in": "atfip", "POST /sign-in/code": "atfip",
		"POST /sign-out": "atfip", "GET /setup/{token}": "atfip", "POST /setup/{token}": "atfip", "GET /c": "atfip", "GET /c/{code}": "atfip", "POST /c": "atfip",
		"GET /household": "atfi", "GET /forecast": "atfi", "GET /farm": "ati", "GET /farm/{kind}": "ati", "GET /farm/{kind}/new": "at", "POST /farm/{kind}/new": "at", "GET /farm/{kind}/{id}": "ati", "POST /farm/{kind}/{id}": "at", "GET /farm/{kind}/{id}/media/{sum}": "ati",
		"GET /plan": "ati", "GET /plan.xlsx": "ati", "GET /land": "ati", "GET /land/new": "at", "POST /land/new": "at", "GET /land/{code}": "at", "POST /land/{code}": "at",
		"GET /farm/{kind}/export.csv": "ati", "GET /farm/{kind}/export.xlsx": "ati", "GET /farm/{kind}/template.xlsx": "ati", "GET /farm/{kind}/import": "at", "POST /farm/{kind}/import": "at",
		"POST /land/{code}/mounts": "at", "POST /land/{code}/mounts/end": "at", "GET /zones/new": "at", "POST /zones/new": "at", "GET /coop": "at", "POST /coop": "at", "GET /limits": "ati", "GET /limits/new": "at", "POST /limits/new": "at", "GET /limits/{n}": "at",
		"POST /limits/{n}": "at", "GET /zones/{id}": "at", "POST /zones/{id}": "at",
		"GET /account": "atfi", "POST /account/password": "atfi", "POST /account/sessions": "atfi", "GET /account/codes": "atfi", "POST /account/codes": "atfi",
		"POST /account/codes/off": "atfi", "POST /sign-in/challenge": "atfip", "GET /account/confirm": "atfi", "POST /account/confirm": "atfi", "GET /account/second": "atfi",
		"POST /account/challenge": "atfi", "GET /account/password": "atfi", "POST /account/recovery": "atfi", "GET /account/passkeys": "atfi", "POST /account/passkeys": "atfi",
		"POST /account/passkeys/{id}/remove": "atfi", "POST /account/pin": "atfi", "GET /users": "a", "POST /users": "a", "GET /users/{id}": "a", "POST /users/{id}": "a",
		"POST /users/{id}/{what}": "a", "GET /p/{code}/log/{kind}": "atf", "POST /p/{code}/log/{kind}": "atf", "GET /log/{kind}": "atf", "POST /log/{kind}": "atf", "GET /diary": "atfi", "GET /diary/{id}": "atfi",
		"GET /diary/{id}/correct": "atf", "POST /diary/{id}/correct": "atf", "GET /diary/{id}/void": "atf", "POST /diary/{id}/void": "atf", "POST /diary/{id}/undo": "atf",
		"GET /labels": "at", "GET /labels/lot": "at", "GET /labels/calibration.pdf": "at", "GET /labels/roll.png": "at", "GET /labels/boards.pdf": "at",
		"GET /labels/print": "at", "POST /labels/print": "at", "GET /labels/jobs": "at", "GET /labels/jobs/{id}": "at", "GET /labels/jobs/{id}/progress": "at", "GET /labels/jobs/{id}/file": "at",
		"GET /book": "atfi", "GET /book/{cycle}": "atfi",
		"GET /diary/{id}/media/{sum}": "atfi", "GET /outbox": "atfip", "POST /api/diary": "atf", "PUT /api/media/{sum}": "atf", "GET /api/me/farm": "atf",
		"GET /trace": "ati", "GET /recall": "ati", "GET /recall/found": "ati", "POST /recall": "at", "GET /recall/{id}": "ati", "POST /recall/{id}/end": "at",
		"GET /recall/{id}/list.csv": "at", "GET /recall/{id}/list.xlsx": "at", "GET /recall/{id}/items.csv": "at",
		"GET /lots": "ati", "GET /lots/{gtin}/{code}": "ati", "GET /lots/{gtin}/{code}/{deed}": "at", "POST /lots/{gtin}/{code}/{deed}": "at", "GET /goods/receive": "at", "POST /goods/receive": "at",
		"GET /goods/{id}/void": "at", "POST /goods/{id}/void": "at", "GET /boxes/{sscc}": "ati", "POST /boxes/{sscc}/unbox": "at",
		"GET /alarms": "atfi", "GET /alarms/history": "atfi", "GET /alarms/{id}": "atfi", "POST /alarms/{id}/ack": "atf", "POST /alarms/{id}/snooze": "atf",
		"GET /alarms/maintenance": "at", "POST /alarms/maintenance": "at", "POST /alarms/maintenance/{id}/end": "at",
		"GET /scans": "ati", "GET /scans/code": "ati", "POST /scans/code": "at", "POST /scans/sold": "at", "GET /scans/reports": "ati", "POST /scans/reports": "at",
		"GET /scans/shops": "at", "POST /scans/shops": "at", "POST /scans/shops/revoke": "at", "POST /scan/where": "atfip", "POST /scan/sold": "atfip",
		"GET /water": "atfi", "GET /land/{code}/capacity": "at", "POST /land/{code}/capacity": "at",
		"GET /gates": "ati", "GET /api/actives": "atfi", "GET /api/gates": "atfi",
		"GET /sw.js": "atfip", "GET /manifest.webmanifest": "atfip", "GET /offline": "atfip",
		"GET /cards": "at", "POST /cards": "at", "POST /cards/{id}/revoke": "at", "GET /trail": "ai", "GET /epcis/lot/{path...}": "atfip", "GET /epcis/events": "ati", "GET /epcis/export.jsonld": "ati", "GET /epcis": "ati", "POST /epcis": "at", "POST /epcis/capture": "at", "GET /epcis/capture/{sum}": "ati", "GET /portal/{gtin}/{code}": "ati", "GET /portal/{gtin}/{code}/bundle.zip": "ati",
	}
	maps.Copy(out, notifyAccess())
	maps.Copy(out, startAccess())
	maps.Copy(out, blightAccess())
	maps.Copy(out, pushAccess())
	for _, key := range digitallink.Keys() {
		out["/"+key+"/"] = "atfip"
	}
	return out
}

// requestFor makes a request that fits a pattern.
func (w *town) requestFor(pattern string) (method, path string) {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = http.MethodGet, pattern
	}
	switch pattern {
	case "/":
		return method, "/nothing-here"
	case "/01/":
		return method, w.demo.Lot.Link().Path()
	case "/qr/":
		return method, "/qr" + w.demo.Lot.Link().Path() + ".svg"
	}
	path = strings.NewReplacer("{$}", "", "{code}/cal", own+"/cal", "/c/{code}", "/c/"+w.card, "{code}", own, "{id}/revoke", "c-AAAAAA/revoke", "{id}", w.ids[account.Technician],
		"{what}", "dance", "{n}", "0", "{token}", "nothing", "{path...}", "0/000", "{sum}/{file}", "0/0").Replace(path)
	if strings.HasPrefix(path, "/api/s") || path == "/api/gates" || path == "/api/calibrations" {
		path += "?place=" + own
	}
	return method, path
}

func TestAccess_EveryRouteIsInTheTableAndHeldToIt(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	table := accessTable()
	patterns := w.web.Patterns()
	for _, p := range patterns {
		if table[p] == "" {
			t.Errorf("%s: nobody said who may ask it: write it into accessTable and server/web/README.md", p)
		}
	}
	letters := map[account.Role]string{account.Admin: "a", account.Technician: "t", account.Farmer: "f", account.Inspector: "i", account.Public: "p"}
	for p, who := range table {
		if !slices.Contains(patterns, p) {
			t.Errorf("%s: there is no such route", p)
			continue
		}
		for role, letter := range letters {
			if p == "POST /sign-out" || p == "POST /account/sessions" && role != account.Public { // they would end the session
				continue
			}
			method, path := w.requestFor(p)
			form := url.Values{}
			if method == http.MethodGet {
				form = nil
			}
			res := w.as(role, method, path, form, http.Header{"X-Forwarded-For": {"192.0.2." + fmt.Sprint(1+slices.Index(patterns, p))}})
			signIn := res.status == http.StatusSeeOther && strings.HasPrefix(res.header.Get("Location"), "/sign-in?next=")
			refused := res.status == http.StatusForbidden || res.status == http.StatusUnauthorized || signIn
			if refused == strings.Contains(who, letter) {
				t.Errorf("%s as %s: %d %s", p, role, res.status, res.header.Get("Location"))
			}
			for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Strict-Transport-Security"} {
				if res.header.Get(name) == "" {
					t.Errorf("%s as %s: no %s", p, role, name)
				}
			}
			if !strings.HasPrefix(p, "/01/") && !strings.HasPrefix(p, "/qr/") && !strings.Contains(p, "ledger") && strings.Contains(who, letter) && !strings.Contains(who, "p") &&
				res.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s as %s: Cache-Control %q", p, role, res.header.Get("Cache-Control"))
			}
			for _, c := range res.header.Values("Set-Cookie") {
				if !strings.HasPrefix(c, "__Host-") || !strings.Contains(c, "; Path=/;") || !strings.Contains(c, "; Secure") || !strings.Contains(c, "; HttpOnly") ||
					!strings.Contains(c, "; SameSite=Lax") || strings.Contains(c, "Domain") {
					t.Errorf("%s as %s: cookie %s", p, role, c)
				}
			}
		}
	}
}

func TestAccess_CrossOriginPostsAreRefused(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	for _, p := range w.web.Patterns() {
		method, path := w.requestFor(p)
		if method != http.MethodPost {
			continue
		}
		for _, h := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}}} {
			if res := w.as(account.Admin, method, path, url.Values{"all": {"1"}}, h); res.status != http.StatusForbidden {
				t.Errorf("%s with %v: %d", p, h, res.status)
			}
		}
	}
	if res := w.as(account.Admin, http.MethodGet, "/account", nil, nil); res.status != http.StatusOK {
		t.Errorf("a foreign page ended the session: %d", res.status)
	}
}

// TestAccess_FarmersSeeTheirOwnPlaceAlone asks for somebody else's place in every way there is.
func TestAccess_FarmersSeeTheirOwnPlaceAlone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	secret := regexp.MustCompile(`ao3-[a-z]+|Ao 3|` + foreign)
	for path, want := range map[string]int{
		"/": 200, "/live": 200, "/live?place=" + foreign: 404, "/places/" + foreign: 404, "/places/" + foreign + "/calibrations": 404, "/places/72dq-y3kx0?range=7d": 404,
		"/api/places": 200, "/api/series?place=" + foreign: 404, "/api/series?place=" + own + "&place=" + foreign: 200, "/api/calibrations?place=" + foreign: 404,
		"/api/calibrations/in-force?gateway=gw-ao-phukhe&sensor=ao3-ph&quantity=ph": 404, "/system": 403, "/users": 403, "/cards": 403, "/trail": 403,
		"/places/" + own: 200, "/places/" + own + "/calibrations": 200,
	} {
		res := w.as(account.Farmer, http.MethodGet, path, nil, nil)
		if res.status != want {
			t.Errorf("%s: %d, want %d", path, res.status, want)
		}
		if found := secret.Find(res.body); found != nil {
			t.Errorf("%s: shows %s", path, found)
		}
	}
	if body := string(w.as(account.Farmer, http.MethodGet, "/", nil, nil).body); !strings.Contains(body, `id="p-`+own) || strings.Count(body, "<article") != 1 {
		t.Errorf("the own place, and no other: %d cards", strings.Count(body, "<article"))
	}
	// What stands on the board in the field is no secret; what is measured there is.
	for _, role := range []account.Role{account.Farmer, account.Public} {
		body := html.UnescapeString(string(w.as(role, http.MethodGet, "/p/"+foreign, nil, nil).body))
		if !strings.Contains(body, "Ao 3") || strings.Contains(body, "mg/L") || strings.Contains(body, "ao3-") {
			t.Errorf("the board as %s: %.300s", role, body)
		}
	}
	if body := string(w.as(account.Farmer, http.MethodGet, "/p/"+own, nil, nil).body); !strings.Contains(body, "mg/L") {
		t.Error("the own board shows nothing")
	}
}

func TestAccess_NoSessionIsFixedAndNoRoleIsTaken(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.sids["planted"] = "planted-by-somebody-else-planted-by-somebody"
	res := w.as("planted", http.MethodPost, "/sign-in", url.Values{"login": {"farmer.1"}, "password": {password}, "next": {"//evil.example"}, "role": {"admin"}}, nil)
	if res.status != http.StatusSeeOther || res.header.Get("Location") != "/" || strings.Contains(strings.Join(res.header.Values("Set-Cookie"), ";"), "planted") {
		t.Errorf("%d to %q with %v", res.status, res.header.Get("Location"), res.header.Values("Set-Cookie"))
	}
	if res := w.as("planted", http.MethodGet, "/account", nil, nil); res.status != http.StatusSeeOther {
		t.Errorf("the planted cookie lets in: %d", res.status)
	}
	// Unknown login and wrong password: the same answer.
	one := w.as(account.Public, http.MethodPost, "/sign-in", url.Values{"login": {"farmer.1"}, "password": {"x"}}, nil)
	two := w.as(account.Public, http.MethodPost, "/sign-in", url.Values{"login": {"nobody.1"}, "password": {"x"}}, nil)
	if string(one.body) != strings.ReplaceAll(string(two.body), "nobody.1", "farmer.1") || one.status != two.status {
		t.Errorf("%d and %d: the answers differ", one.status, two.status)
	}
	for _, role := range []account.Role{account.Technician, account.Farmer, account.Inspector, account.Public} {
		me := w.ids[role]
		for _, path := range []string{"/users", "/users/" + me, "/users/" + w.ids[account.Admin] + "/disable", "/users/" + me + "/enable"} {
			w.as(role, http.MethodPost, path, url.Values{"login": {"new.one"}, "name": {"x"}, "role": {"admin"}, "place": {foreign}}, nil)
		}
		w.as(role, http.MethodPost, "/account/pin", url.Values{"role": {"admin"}, "id": {me}}, nil)
		w.as(role, http.MethodPost, "/account/password", url.Values{"old": {password}, "password": {"short"}, "role": {"admin"}}, nil)
	}
	all, err := w.acc.People.Accounts(t.Context())
	if err != nil || len(all) != 4 {
		t.Fatalf("%d accounts, %v", len(all), err)
	}
	for _, a := range all {
		if w.ids[a.Role] != a.ID || !a.Active() || slices.Contains(a.Places, foreign) {
			t.Errorf("%+v", a)
		}
	}
}

func TestAccess_ACardIsBoundByAPostAndToOnePhone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	for range 3 { // looking binds nothing
		if res := w.as(account.Public, http.MethodGet, "/c/"+w.card, nil, nil); res.status != 200 || len(res.header.Values("Set-Cookie")) != 0 {
			t.Fatalf("%d, %v", res.status, res.header.Values("Set-Cookie"))
		}
	}
	if res := w.as(account.Public, http.MethodPost, "/c", url.Values{"look": {"1"}, "code": {strings.ToLower(account.ShowCode(w.card))}}, nil); res.header.Get("Location") != "/c/"+w.card {
		t.Errorf("typed by hand: %d to %s", res.status, res.header.Get("Location"))
	}
	res := w.as(account.Public, http.MethodPost, "/c", url.Values{"code": {w.card}, "pin": {"4821"}}, nil)
	if res.status != http.StatusSeeOther || len(res.header.Values("Set-Cookie")) != 2 {
		t.Fatalf("%d, %v", res.status, res.header.Values("Set-Cookie"))
	}
	if res := w.as(account.Public, http.MethodPost, "/c", url.Values{"code": {w.card}, "pin": {"4821"}}, nil); res.status != http.StatusUnprocessableEntity || len(res.header.Values("Set-Cookie")) != 0 {
		t.Errorf("a second phone: %d", res.status)
	}
}

func TestAccess_OpenPagesChangeNothing(t *testing.T) {
	w := newTown(t, "http://tx.example.vn", true)
	for path, want := range map[string]int{"/": 200, "/system": 200, "/api/places": 200, "/users": 303, "/cards": 303, "/trail": 303, "/account": 303} {
		if res := w.as(account.Public, http.MethodGet, path, nil, nil); res.status != want {
			t.Errorf("%s: %d, want %d", path, res.status, want)
		}
	}
	if res := w.as(account.Public, http.MethodPost, "/cards", url.Values{"farmer": {w.ids[account.Farmer]}}, nil); res.status != http.StatusForbidden {
		t.Errorf("cards for anybody: %d", res.status)
	}
	if body := string(w.as(account.Farmer, http.MethodGet, "/", nil, nil).body); strings.Contains(body, foreign) {
		t.Error("a farmer who signed in sees other places")
	}
}

func TestAccess_AddressesAreCountedAndOnlyOurProxyIsBelieved(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	try := func(said string) int {
		return w.as(account.Public, http.MethodPost, "/c", url.Values{"code": {"x"}}, http.Header{"X-Forwarded-For": {said}}).status
	}
	limited := 0
	for i := range 40 { // what a client says before the proxy's word changes nothing
		if try(fmt.Sprintf("198.51.100.%d, 203.0.113.7", i)) == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited != 20 {
		t.Errorf("%d of 40 were too many", limited)
	}
	if status := try("203.0.113.8"); status == http.StatusTooManyRequests {
		t.Error("another address has to wait, too")
	}
	for i := range 40 {
		try(fmt.Sprintf("2001:db8:1:2::%d", i))
	}
	if status := try("2001:db8:1:2:ffff::1"); status != http.StatusTooManyRequests {
		t.Errorf("an IPv6 network has as many tries as it has addresses: %d", status)
	}
}

func TestLocalPath(t *testing.T) {
	for in, want := range map[string]string{
		"/places/F7NE3CDQ7?range=7d": "/places/F7NE3CDQ7?range=7d", "": "/", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example": "/",
		"javascript:alert(1)": "/", "/%2f%2fevil.example": "/", "/\t/evil.example": "/", "evil": "/", "/a\r\nSet-Cookie: x": "/", "///evil": "/",
	} {
		if got := web.LocalPath(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// accountPages are the pages of accounts, and who looks at them.
func accountPages(w *town) map[string]account.Role {
	return map[string]account.Role{
		"/sign-in": account.Public, "/c": account.Public, "/c/" + w.card: account.Public, "/p/" + foreign: account.Public, "/account": account.Admin, "/account/codes": account.Technician,
		"/account/confirm": account.Admin, "/account/password": account.Technician, "/account/passkeys": account.Inspector,
		"/users": account.Admin, "/users/" + w.ids[account.Farmer]: account.Admin, "/cards": account.Technician, "/trail": account.Inspector, "/system": account.Farmer,
		"/setup/" + w.setup(): account.Public, "/farm": account.Technician, "/plan": account.Technician, "/farm/input": account.Technician, "/farm/input/new": account.Technician,
		"/farm/certificate/new": account.Admin, "/farm/cycle/cyc0000001": account.Technician, "/farm/buyer/buy0000001": account.Inspector,
		"/land": account.Inspector, "/land/" + own: account.Technician, "/land/new": account.Admin, "/zones/phu-khe": account.Technician, "/zones/new": account.Admin, "/coop": account.Technician, "/limits": account.Inspector, "/limits/0": account.Technician,
	}
}

func (w *town) setup() string {
	token, err := w.acc.NewLink(w.t.Context(), w.ids[account.Inspector], w.by())
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func TestBrowser_AccountPagesAxeFindsNothing(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	b := browser(t)
	for path, role := range accountPages(w) {
		cookies := []map[string]any{}
		if w.sids[role] != "" {
			cookies = append(cookies, map[string]any{"name": w.sid, "value": w.sids[role], "url": w.srv.URL})
		}
		b.do("cookies", command("Network.clearBrowserCookies", nil), command("Network.setCookies", map[string]any{"cookies": cookies}))
		for screen, view := range map[string]step{"phone": phone(), "desk": desk()} {
			for _, lang := range []string{"vi", "en"} {
				visit(b, view, w.srv.URL+withLang(path, lang))
				if complaints := axe(b.ctx); complaints != "" {
					t.Errorf("%s, %s, %s: %s", path, lang, screen, complaints)
				}
				if wide := ask1(b, path, evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); wide {
					t.Errorf("%s, %s, %s: wider than the screen", path, lang, screen)
				}
				shoot(b, strings.ReplaceAll(strings.Trim(string(role)+path[:min(len(path), 12)], "/"), "/", "-")+"-"+screen+"-"+lang)
			}
		}
	}
}
