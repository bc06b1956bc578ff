package status

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"aovuon/gateway/lanpage"
	"aovuon/gateway/scan"
	"aovuon/gateway/words"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static/app.css
var sheet string

//go:embed locales/*.yaml
var locales embed.FS

const scanLimit = 3 * time.Minute

// Server draws the pages. It is safe for concurrent use.
type Server struct {
	o       Options
	words   map[string]*words.Words
	pages   map[string]*template.Template // language and file
	guard   *guard
	handler http.Handler

	mu      sync.Mutex
	scanned *scanned // the last scan, nil before the first
	looking bool     // a scan is under way
}

type scanned struct {
	scan.Report
	at  time.Time
	err error
}

// New returns the pages.
func New(o Options) (*Server, error) {
	s, err := draw(o, "home", "buses", "log", "calibrate", "session", "aerators", "pin", "message")
	if err != nil {
		return nil, err
	}
	s.handler, err = lanpage.Guard{Sheet: lanpage.Slim(sheet), Hosts: o.Hosts, Who: "the gateway"}.Handler(s.routes())
	return s, err
}

// draw reads words and templates of pages.
func draw(o Options, files ...string) (*Server, error) {
	s := &Server{
		o: o, words: map[string]*words.Words{}, pages: map[string]*template.Template{},
		guard: &guard{pin: o.PIN, now: o.Now, sessions: map[string]time.Time{}},
	}
	css := lanpage.Slim(sheet)
	for _, lang := range words.Languages() {
		w, err := words.Load(lang, locales)
		if err != nil {
			return nil, fmt.Errorf("status: %w", err)
		}
		s.words[lang] = w
		for _, file := range files {
			t, err := template.New(file).Funcs(funcs(w, css)).Option("missingkey=error").ParseFS(templates, "templates/layout.html", "templates/"+file+".html")
			if err != nil {
				return nil, fmt.Errorf("status: templates: %w", err)
			}
			s.pages[lang+file] = t
		}
	}
	return s, nil
}

func funcs(w *words.Words, css string) template.FuncMap {
	return template.FuncMap{
		"t": w.T, "say": w.Or, "value": w.Value, "exact": w.Exact, "count": w.Count, "length": w.Length, "inputs": w.Inputs,
		"datetime": w.DateTime, "date": w.Date, "clock": w.Clock, "lang": w.Lang,
		"css": func() template.CSS { return template.CSS(css) },
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// routes is the table of what there is.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /log", s.log)
	mux.HandleFunc("GET /buses", s.buses)
	mux.HandleFunc("POST /buses", s.needPIN(s.scan))
	mux.HandleFunc("GET /calibrate", s.calibrations)
	mux.HandleFunc("GET /calibrate/{sensor}", s.session)
	mux.HandleFunc("POST /calibrate/{sensor}", s.needPIN(s.calibrate))
	mux.HandleFunc("GET /aerators", s.aerators)
	mux.HandleFunc("POST /aerators", s.needPIN(s.override))
	mux.HandleFunc("GET /pin", s.askPIN)
	mux.HandleFunc("POST /pin", s.takePIN)
	mux.HandleFunc("POST /leave", s.leave)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.message(w, r, http.StatusNotFound, "missing") })
	return mux
}

// page is what every template is given.
type page struct {
	Title  string // key
	Nav    string
	Auto   bool // the person asked for the page to be drawn anew by itself
	Signed bool
	Bare   bool // there are no other pages
	Path   string
	Data   any
}

// show draws a page, whole or not at all.
func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, file string, p page) {
	p.Path, p.Signed = r.URL.Path, s.guard.signed(r)
	var b bytes.Buffer
	if err := s.pages[lanpage.Language(w, r)+file].ExecuteTemplate(&b, "layout", p); err != nil {
		http.Error(w, "this page cannot be drawn: see the log", http.StatusInternalServerError)
		if s.o.Log != nil {
			rec := slog.NewRecord(s.o.Now(), slog.LevelError, "status page not drawn", 0)
			rec.AddAttrs(slog.String("page", file), slog.Any("err", err))
			_ = s.o.Log.Handle(r.Context(), rec) //nolint:errcheck // there is nowhere left to say it
		}
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", lanpage.Language(w, r))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(lanpage.Slim(b.String()))) //nolint:errcheck // whoever asked has gone
}

func (s *Server) message(w http.ResponseWriter, r *http.Request, status int, key string) {
	s.show(w, r, status, "message", page{Title: "message." + key, Data: key})
}

// needPIN leads to the PIN whoever did not give it.
func (s *Server) needPIN(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.guard.signed(r) {
			http.Redirect(w, r, "/pin?to="+backTo(r.URL.Path), http.StatusSeeOther)
			return
		}
		if err := r.ParseForm(); err != nil {
			s.message(w, r, http.StatusBadRequest, "form")
			return
		}
		f(w, r)
	}
}

// backTo is a page of ours, or the first.
func backTo(path string) string {
	if path == "/buses" || path == "/calibrate" || path == "/aerators" || strings.HasPrefix(path, "/calibrate/") && validPlace(path[len("/calibrate/"):]) {
		return path
	}
	return "/"
}

func validPlace(sensor string) bool {
	for _, c := range sensor {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return sensor != "" && len(sensor) <= 40
}

type pinPage struct {
	To          string
	Wrong, Wait bool
}

func (s *Server) askPIN(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "pin", page{Title: "pin.title", Data: pinPage{To: backTo(r.URL.Query().Get("to"))}})
}

func (s *Server) takePIN(w http.ResponseWriter, r *http.Request) {
	to := backTo(r.PostFormValue("to"))
	session, wait := s.guard.tryPIN(r.PostFormValue("pin"))
	if session == "" {
		status := http.StatusForbidden
		if wait {
			status = http.StatusTooManyRequests
		}
		s.show(w, r, status, "pin", page{Title: "pin.title", Data: pinPage{To: to, Wrong: !wait, Wait: wait}})
		return
	}
	http.SetCookie(w, sessionCookie(session))
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func sessionCookie(session string) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: session, Path: "/", MaxAge: int(signedIn / time.Second), HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

func (s *Server) leave(w http.ResponseWriter, r *http.Request) {
	s.guard.leave(r)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// Serve answers on l until ctx is done.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return lanpage.Serve(ctx, l, s, scanLimit+time.Minute)
}
