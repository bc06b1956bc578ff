// Package web draws the pages: the co-op's dashboard, a page for every place, the public page of a label, the system page,
// and a small JSON API. Newest values, history, farm and lots come in through the ports in Options; HTML goes out, which
// works without script. README.md holds the table of routes.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/calibration"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/trace"
	"aovuon/server/trace/printjob"
	"aovuon/server/trace/recall"
	"aovuon/server/watch"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// historyPatience is how long a page waits for one question to the history.
const historyPatience = 5 * time.Second

// Register is the farm on record.
type Register interface {
	// FarmRevision changes whenever Farm would.
	FarmRevision(ctx context.Context) (string, error)
	Farm(ctx context.Context) (*farm.Farm, error)
}

// Lots are the harvest lots on record.
type Lots interface {
	Lots(ctx context.Context) ([]trace.Lot, error)
	// Dossier returns all about the lot of a link; the error wraps trace.ErrUnknown when nobody issued it.
	Dossier(ctx context.Context, l trace.Link) (trace.Dossier, error)
	// LotRevision changes whenever what the public page of a lot is drawn from does, as of the transaction that changed it.
	LotRevision(ctx context.Context, l trace.Link) (string, error)
}

// Live are the newest values; watch.Live is one.
type Live interface {
	Snapshot() []watch.Value
	Subscribe(ctx context.Context) <-chan []watch.Value
}

// History is what pages read of the history; history.Store is one.
type History interface {
	Range(ctx context.Context, q history.Query) ([]history.Bucket, error)
	Latest(ctx context.Context, series []history.Series) ([]history.Point, error)
	Each(ctx context.Context, s history.Series, from, to time.Time, f func(history.Point) error) error
	Rollups(ctx context.Context, s history.Series, span history.Span, from, to time.Time) ([]history.Rollup, error)
}

// Calibrations are the calibrations on record; see sqldb.DB for what each promises.
type Calibrations interface {
	Calibrations(ctx context.Context, gateway, sensor string, limit int) ([]calibration.Entry, error)
	CalibrationAt(ctx context.Context, gateway, sensor string, q measure.Quantity, at time.Time) (calibration.Entry, bool, error)
}

// Options are what the pages are drawn from. All must be set.
type Options struct {
	Farm         Register
	Lots         Lots
	GLN          string   // of the co-op; empty: it has none
	Names        Names    // finds what short codes name; nil: nothing
	EPCIS        Teller   // nil: nothing is told as EPCIS
	Captures     Captures // keeps documents of others; nil: none are taken in
	People       People
	Calibrations Calibrations
	Ledger       Ledger
	LogKey       LogKey
	Evidence     Evidence
	Blight       Blight // judges potato plots; nil: nobody does
	OpenBatches  bool   // the gateways' batches may be read by everybody
	// Bundle writes the evidence bundle of a lot's path; the error wraps trace.ErrUnknown where there is none.
	Bundle     func(ctx context.Context, path string, w io.Writer) error
	Accounts   *account.Service
	Trail      Trail
	Book       Book           // the diary and the register; nil: there is no diary on these pages
	Desk       Desk           // takes entries in
	Registrar  Registrar      // changes the register
	Standings  Standings      // lots that the diary opened; nil: nobody knows
	Gates      Gates          // judge the diary; nil: nobody does
	Shelf      Shelf          // keeps photos and voice notes
	Recall     *recall.Desk   // follows goods, and recalls them; nil: nobody does
	Goods      Goods          // lots after the harvest; nil: nobody keeps them
	Packed     Packed         // items and boxes; nil: nothing is packed here
	Scans      Scans          // counts who opens a code; nil: nobody does
	ScanDesk   ScanDesk       // what staff read of scans and reports, and shops; nil: nobody does
	Reports    Reports        // keeps what buyers report; nil: there is no form
	Printer    Printer        // keeps prints of labels; nil: none are made
	OpenPages  bool           // everybody may read the co-op's pages
	Proxies    []netip.Prefix // whose X-Forwarded-For is believed
	CA         *CA            // who signed the pages' certificate on a local network; nil: phones know them
	HSTS       bool           // browsers may be told to ask for TLS for ever: the host is a name on the internet
	Live       Live
	Board      *rule.Board      // what rules decided; nil: none do
	Soil       Soil             // water in the soil of plots; nil: nobody looks
	Drying     Drying           // how batches dry; nil: nobody watches
	Dawn       Dawn             // foretells oxygen; nil: nobody does
	Alarms     Alarms           // nil: nobody keeps them
	Looked     func() time.Time // when alarms were last judged, zero before the first time; nil: nobody knows
	Notify     *notify.Desk     // who is told of alarms, and what was sent; nil: nobody is told
	PushKey    string           // what browsers ask for alarms with; empty: they cannot
	History    History
	System     func(ctx context.Context) (System, error)
	Claims     Claims                // makes claims of gateways; nil: nobody does
	Phone      Phone                 // of the co-op; nil: none is known, and no page takes one
	Backups    Backups               // settles where backups go; nil: no page does
	SameDisk   func(dir string) bool // whether a folder is on the disk that the data is on; nil: nobody knows
	Watched    Watched               // told of every answer; nil: nobody counts
	Stuck      func() time.Time      // since when batches cannot be committed; zero while they can. nil: nobody knows
	ScanDays   int                   // after so many days single scans are forgotten; 0: as long as there is none
	BackupDays int                   // after so many days the nightly backups have forgotten what was erased; 0: none are made
	PublicURL  string                // http:// or https:// and host: what labels begin with
	Now        func() time.Time
	Log        *slog.Logger
	// Done ends the live streams when it is closed, so that a server can stop; nil never does.
	Done <-chan struct{}

	// Unknown returns what came to an intake that its mapping does not name; nil: nobody tells.
	Unknown func(ctx context.Context, source string) ([]UnknownDevice, error)

	// Batches returns the newest batches of a gateway, the newest first; nil: nobody tells.
	Batches func(ctx context.Context, gateway string, limit int) ([]Batch, error)
}

// Server answers every page. It is safe for concurrent use.
type Server struct {
	o        Options
	e        *engine
	sparks   *sparks
	commons  *commons
	pictures pictures
	base     string // PublicURL without trailing slash
	secure   bool   // the pages are served over TLS
	handler  http.Handler

	bundling sync.Mutex // held while a bundle is made
	room     *printjob.Room

	mu       sync.Mutex
	farm     *farm.Farm
	revision string
	down     time.Time // since when the database does not answer; zero while it does

	register    register
	registerRev string
}

// New returns the pages.
func New(o Options) (*Server, error) {
	u, err := url.Parse(o.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("web: public URL %q: want http:// or https:// and a host", o.PublicURL)
	}
	e, err := newEngine()
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, e: e, sparks: newSparks(o.History), commons: newCommons(), base: u.Scheme + "://" + u.Host, secure: u.Scheme == "https"}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(512))
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s.handler = s.secured(http.NewCrossOriginProtection().Handler(s.routes(compress)))
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// How often an address may ask for the pages of strangers, and try to get in.
const (
	labelBurst, labelEvery = 120, 100 * time.Millisecond
	entryBurst, entryEvery = 20, 3 * time.Second
)

// table is what there is, and who may ask for it. Nothing is served that is not in here.
func (s *Server) table() []route {
	labels := account.NewBucket(labelBurst, labelEvery, s.o.Now)
	return slices.Concat(s.blightRoutes(), s.pestRoutes(), s.bulletinRoutes(), []route{
		{"/qr/", stranger(), s.limited(labels, s.qr)},
		{"POST /report", stranger(), s.limited(account.NewBucket(reportBurst, reportEvery, s.o.Now), s.form(s.report))},
		{"GET /picture/{record}/{sum}", stranger(), s.limited(labels, s.picture)},
		{"/live", guard{action: account.SeePlaces, script: true}, s.live},
		{"GET /{$}", needs(account.SeePlaces), s.page(s.dashboard)},
		{"GET /p/{code}", everybody(), s.limited(labels, s.page(s.boardPage))},
		{"GET /system", needs(account.SeeSystem), s.page(s.system)},
		{"GET /gateways/{id}", needs(account.SeeSystem), s.page(s.gateway)},
		{"GET /static/{sum}/{file}", stranger(), s.static},
		{"GET /api/places", guard{action: account.SeePlaces, script: true}, s.apiPlaces},
		{"GET /api/series", guard{action: account.SeePlaces, script: true}, s.apiSeries},
		{"GET /api/calibrations", guard{action: account.SeePlaces, script: true}, s.apiCalibrations},
		{"GET /api/calibrations/in-force", guard{action: account.SeePlaces, script: true}, s.apiCalibrationAt},
		{"GET /healthz", stranger(), s.health},
		{"GET /wall", needs(account.SeePlaces), s.page(s.wall)},
		{"GET /theme", stranger(), s.page(s.setTheme)},
		{"GET /privacy", stranger(), s.page(s.privacy)},
		{"GET /proof/{n}", stranger(), s.page(s.proofOf)},
		{"/", everybody(), s.page(func(r *http.Request, w *words) (answer, error) { return s.missing(r, w, "missing.page", "") })},
	}, s.codeRoutes(labels), s.epcisRoutes(), s.portalRoutes(), s.captureRoutes(), s.ledgerRoutes(), s.accountRoutes(), s.tlsRoutes(), s.helpRoutes(), s.diaryRoutes(), s.offlineRoutes(), s.recordRoutes(), s.gateRoutes(), s.bookRoutes(), s.printRoutes(), s.goodsRoutes(), s.kinRoutes(), s.scanRoutes(), s.sayRoutes(), s.waterRoutes(),
		s.alarmRoutes(),
		s.timeRoutes(), s.readingsRoutes(), s.compareRoutes(), s.probeRoutes(),
		s.forecastRoutes(),
		s.notifyRoutes(),
		s.pushRoutes(),
		s.startRoutes(), s.claimRoutes(), s.backupRoutes(),
	)
}

// routes serves the table. Labels are taken before http.ServeMux: it would tidy a malformed path into another one and redirect there, and a
// label must never be guessed. The stream is, too: it must not wait in a compressor.
func (s *Server) routes(compress func(http.Handler) http.HandlerFunc) http.Handler {
	before := map[string]http.HandlerFunc{}
	mux := http.NewServeMux()
	for _, rt := range s.table() {
		h := Watch(s.o.Watched, s.o.Now, rt.pattern, s.guarded(rt))
		switch {
		case rt.pattern == "/live":
			before["live"] = h
		case strings.HasPrefix(rt.pattern, "/") && rt.pattern != "/":
			before[strings.Trim(rt.pattern, "/")] = compress(h)
		default:
			mux.HandleFunc(rt.pattern, h)
		}
	}
	others := compress(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, more := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
		if h, ok := before[first]; ok && (first == "01" || more != (first == "live")) {
			h(w, r)
			return
		}
		others(w, r)
	})
}

// answer is one page, ready to be sent.
type answer struct {
	status int
	body   []byte
	public bool // the same for everybody: may be kept, and is sent again only when it changed
	fresh  bool // public, and asked for again every time: somebody may take back what it shows
	csp    string
	to     string // a path of ours to go on to, instead of a body
	set    []*http.Cookie
	secret bool // never kept: forms, and what one person alone may see
}

// page turns a drawing function into a handler. A page is drawn whole before the first byte is sent; what goes wrong is
// logged and the reader gets a plain page.
func (s *Server) page(draw func(*http.Request, *words) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		s.answer(w, r, draw)
	}
}

// answer draws a page and sends it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, draw func(*http.Request, *words) (answer, error)) {
	a, err := draw(r, s.words(r))
	if err != nil {
		if r.Context().Err() == nil {
			s.o.Log.Error("page failed", slog.String("path", cut(r.URL.Path)), slog.Any("err", err))
		}
		a = s.failed(r)
	}
	s.send(w, r, a)
}

// failed is the page of what cannot be shown now.
func (s *Server) failed(r *http.Request) answer {
	a, err := s.missing(r, s.words(r), "missing.failed", "")
	if err != nil {
		a.body = []byte("503")
	}
	a.status = http.StatusServiceUnavailable
	return a
}

// maxForm bounds what a form sends, bytes.
const maxForm = 64 << 10

// form turns a function that changes something and draws what comes of it into a handler. Its values are in r.PostForm.
func (s *Server) form(act func(*http.Request, *words) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "the form cannot be read", http.StatusBadRequest)
			return
		}
		s.answer(w, r, act)
	}
}

// cut bounds what a stranger can write into the log.
func cut(s string) string {
	if len(s) > 120 {
		return s[:120]
	}
	return s
}

// words returns the language a page was asked for in.
func (s *Server) words(r *http.Request) *words {
	if w, ok := s.e.words[r.URL.Query().Get("lang")]; ok {
		return w
	}
	return s.e.words[Vietnamese]
}

// farmNow returns what the visitor may see of the farm on record.
func (s *Server) farmNow(ctx context.Context) (*farm.Farm, error) {
	f, err := s.wholeFarm(ctx)
	if err != nil {
		return nil, err
	}
	return s.ownFarm(ctx, f), nil
}

// wholeFarm returns the farm on record, read again when it changed: for what strangers may see of it. While the database does not answer it is the one that was read last.
func (s *Server) wholeFarm(ctx context.Context) (*farm.Farm, error) {
	limit, cancel := context.WithTimeout(ctx, sqlPatience)
	defer cancel()
	f, err := s.readFarm(limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.down = time.Time{}
	case s.farm == nil || ctx.Err() != nil:
		return nil, err
	default:
		if s.down.IsZero() {
			s.down = s.o.Now()
			s.o.Log.Error("the database does not answer, pages show what is remembered", slog.Any("err", err))
		}
		f = s.farm
	}
	return f, nil
}

func (s *Server) readFarm(ctx context.Context) (*farm.Farm, error) {
	rev, err := s.o.Farm.FarmRevision(ctx)
	if err != nil {
		return nil, fmt.Errorf("web: farm: %w", err)
	}
	s.mu.Lock()
	f, known := s.farm, s.revision == rev
	s.mu.Unlock()
	if f != nil && known {
		return f, nil
	}
	if f, err = s.o.Farm.Farm(ctx); err != nil {
		return nil, fmt.Errorf("web: farm: %w", err)
	}
	s.mu.Lock()
	s.farm, s.revision = f, rev
	s.mu.Unlock()
	return f, nil
}

// frame is what every page has around it.
type frame struct {
	Title  string
	Coop   farm.Text
	Demo   bool
	Nav    string // which entry of the navigation this page is
	Menu   []entry
	Forms  bool   // it has forms, and their style sheet
	Here   string // path and query of this page in Vietnamese
	There  string // the same page in the other language
	Sheet  string // static style sheet of the page's own; "" for none
	Live   string // stream of changes; "" for none
	Script string // static file with a script of the page's own; "" for none
	Alarm  string // what is wrong with the server itself; for those who work here
	Theme  string // how this device is to show pages; "" as it wishes itself
	Plain  bool   // without the navigation: for those who do not work here
	Bare   bool   // the server is none yet: there is no other page to lead to
	Soon   bool   // it asks again in a moment, by itself
	Outbox bool   // it speaks of what is on the phone and not with the server
	Me     string // the visitor's pseudonym, for the phone's outbox
	AsOf   time.Time
}

func (s *Server) frame(r *http.Request, w *words, f *farm.Farm, title string) frame {
	q := r.URL.Query()
	q.Del("lang")
	here := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: q.Encode()}
	other := English
	if w.lang == English {
		other = Vietnamese
	}
	at := here.String()
	if r.Method == http.MethodPost { // what a form answers cannot be asked for again
		at = "/"
	}
	if strings.HasPrefix(at, "//") || !strings.HasPrefix(at, "/") { // never a link to another host
		at = "/"
	}
	fr := frame{
		Title: title, Coop: f.Coop.Name, Demo: f.Coop.Demo, Here: at, There: inLanguage(at, other), Alarm: s.alarm(w), Menu: s.menu(r.Context(), w), Outbox: s.atHome(r),
		AsOf: s.o.Now(), Theme: themeOf(r),
	}
	if v := visitor(r.Context()); v != nil {
		fr.Me = v.Account.ID
	}
	return fr
}

// health says whether the pages can be drawn.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok\n"
	if _, err := s.o.Farm.FarmRevision(r.Context()); err != nil {
		s.o.Log.Error("not healthy", slog.Any("err", err))
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "database\n"
	}
	s.write(w, []byte(text))
}

// write sends a body. A reader who left is no news.
func (s *Server) write(w http.ResponseWriter, body []byte) {
	if _, err := w.Write(body); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
		s.o.Log.Debug("reader left", slog.Any("err", err))
	}
}
