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
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"aovuon/gateway/measure"
	"aovuon/server/calibration"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/trace"
	"aovuon/server/watch"
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
	People       People
	Calibrations Calibrations
	Ledger       Ledger
	LogKey       LogKey
	Evidence     Evidence
	OpenBatches  bool // the gateways' batches may be read by everybody
	// Bundle writes the evidence bundle of a lot's path; the error wraps trace.ErrUnknown where there is none.
	Bundle    func(ctx context.Context, path string, w io.Writer) error
	Live      Live
	History   History
	System    func(ctx context.Context) (System, error)
	PublicURL string // http:// or https:// and host: what labels begin with
	Now       func() time.Time
	Log       *slog.Logger
	// Done ends the live streams when it is closed, so that a server can stop; nil never does.
	Done <-chan struct{}
}

// Server answers every page. It is safe for concurrent use.
type Server struct {
	o       Options
	e       *engine
	sparks  *sparks
	base    string // PublicURL without trailing slash
	secure  bool   // the pages are served over TLS
	handler http.Handler

	bundling sync.Mutex // held while a bundle is made

	mu       sync.Mutex
	farm     *farm.Farm
	revision string
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
	s := &Server{o: o, e: e, sparks: newSparks(o.History), base: u.Scheme + "://" + u.Host, secure: u.Scheme == "https"}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(512))
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	zipped := compress(s.routes())
	s.handler = s.secured(http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/live" { // a stream that must not wait in a compressor
			s.live(w, r)
			return
		}
		zipped.ServeHTTP(w, r)
	})))
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// routes is the table of what there is. Labels are taken before it: http.ServeMux would tidy a malformed path into
// another one and redirect there, and a label must never be guessed.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(s.dashboard))
	mux.HandleFunc("GET /places/{code}", s.page(s.place))
	mux.HandleFunc("GET /p/{code}", s.page(s.place))
	mux.HandleFunc("GET /places/{code}/calibrations", s.page(s.calibrations))
	mux.HandleFunc("GET /system", s.page(s.system))
	mux.HandleFunc("GET /static/{sum}/{file}", s.static)
	mux.HandleFunc("GET /api/places", s.apiPlaces)
	mux.HandleFunc("GET /api/series", s.apiSeries)
	mux.HandleFunc("GET /api/calibrations", s.apiCalibrations)
	mux.HandleFunc("GET /api/calibrations/in-force", s.apiCalibrationAt)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /privacy", s.page(s.privacy))
	mux.HandleFunc("GET /proof/{n}", s.page(s.proofOf))
	s.ledgerRoutes(mux)
	mux.HandleFunc("/", s.page(func(r *http.Request, w *words) (answer, error) { return s.missing(r, w, "missing.page", "") }))
	label, qr := s.page(s.label), http.HandlerFunc(s.qr)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		switch {
		case strings.HasPrefix(path, "/01/") || path == "/01":
			label(w, r)
		case strings.HasPrefix(path, "/qr/"):
			qr(w, r)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// answer is one page, ready to be sent.
type answer struct {
	status int
	body   []byte
	public bool // the same for everybody: may be kept, and is sent again only when it changed
	fresh  bool // public, and asked for again every time: somebody may take back what it shows
	csp    string
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
		a, err := draw(r, s.words(r))
		if err != nil {
			if r.Context().Err() == nil {
				s.o.Log.Error("page failed", slog.String("path", cut(r.URL.Path)), slog.Any("err", err))
			}
			a, err = s.missing(r, s.words(r), "missing.failed", "")
			a.status = http.StatusServiceUnavailable
			if err != nil {
				http.Error(w, "503", http.StatusServiceUnavailable)
				return
			}
		}
		s.send(w, r, a)
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

// farmNow returns the farm on record, read again when it changed.
func (s *Server) farmNow(ctx context.Context) (*farm.Farm, error) {
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
	Nav    string // which entry of the navigation this page is: "", home or system
	Here   string // path and query of this page in Vietnamese
	There  string // the same page in the other language
	Live   string // stream of changes; "" for none
	Script string // static file with a script of the page's own; "" for none
	Plain  bool   // without the navigation: for those who do not work here
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
	if strings.HasPrefix(at, "//") || !strings.HasPrefix(at, "/") { // never a link to another host
		at = "/"
	}
	return frame{Title: title, Coop: f.Coop.Name, Demo: f.Coop.Demo, Here: at, There: inLanguage(at, other)}
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
