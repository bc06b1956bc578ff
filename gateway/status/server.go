package status

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"aovuon/gateway/scan"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static/app.css
var sheet string

const (
	mostAtOnce = 16       // requests; a page takes milliseconds
	mostForm   = 16 << 10 // bytes
	scanLimit  = 3 * time.Minute
)

// Server draws the pages. It is safe for concurrent use.
type Server struct {
	o       Options
	words   map[string]*words
	pages   map[string]*template.Template // language and file
	guard   *guard
	handler http.Handler
	busy    chan struct{}

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
	s := &Server{
		o: o, words: map[string]*words{}, pages: map[string]*template.Template{}, busy: make(chan struct{}, mostAtOnce),
		guard: &guard{pin: o.PIN, now: o.Now, sessions: map[string]time.Time{}},
	}
	css := slim(sheet)
	sum := sha256.Sum256([]byte(css))
	for _, lang := range []string{vietnamese, english} {
		w, err := loadWords(lang)
		if err != nil {
			return nil, err
		}
		s.words[lang] = w
		for _, file := range []string{"home", "buses", "log", "calibrate", "session", "aerators", "pin", "message"} {
			t, err := template.New(file).Funcs(funcs(w, css)).Option("missingkey=error").ParseFS(templates, "templates/layout.html", "templates/"+file+".html")
			if err != nil {
				return nil, fmt.Errorf("status: templates: %w", err)
			}
			s.pages[lang+file] = t
		}
	}
	zip, err := gzhttp.NewWrapper(gzhttp.MinSize(512))
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	csp := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	s.handler = s.secured(csp, http.NewCrossOriginProtection().Handler(zip(s.routes())))
	return s, nil
}

func funcs(w *words, css string) template.FuncMap {
	return template.FuncMap{
		"t": w.t, "say": w.or, "value": w.value, "exact": w.exact, "count": w.count, "length": w.length, "inputs": w.inputs,
		"datetime": w.dateTime, "date": w.date, "clock": w.clock, "lang": func() string { return w.lang },
		"css": func() template.CSS { return template.CSS(css) },
	}
}

// slim drops what only those who write a style sheet or a template need.
func slim(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if l := strings.TrimSpace(line); l != "" && (!strings.HasPrefix(l, "/*") || !strings.HasSuffix(l, "*/")) {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
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

// secured bounds requests and sets the headers of every answer.
func (s *Server) secured(csp string, inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.busy <- struct{}{}:
			defer func() { <-s.busy }()
		default:
			http.Error(w, "too many requests at once: try again in a moment", http.StatusServiceUnavailable)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if !s.o.validHost(host) {
			// Somebody's page made its own name lead here (DNS rebinding); a browser would take us for that page.
			http.Error(w, "ask for this page by the gateway's address or its name", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostForm)
		inner.ServeHTTP(w, r)
	})
}

// page is what every template is given.
type page struct {
	Title  string // key
	Nav    string
	Auto   bool // the person asked for the page to be drawn anew by itself
	Signed bool
	Path   string
	Data   any
}

// show draws a page, whole or not at all.
func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, file string, p page) {
	p.Path, p.Signed = r.URL.Path, s.guard.signed(r)
	var b bytes.Buffer
	if err := s.pages[s.lang(w, r)+file].ExecuteTemplate(&b, "layout", p); err != nil {
		http.Error(w, "this page cannot be drawn: see the log", http.StatusInternalServerError)
		if s.o.Log != nil {
			rec := slog.NewRecord(s.o.Now(), slog.LevelError, "status page not drawn", 0)
			rec.AddAttrs(slog.String("page", file), slog.Any("err", err))
			_ = s.o.Log.Handle(r.Context(), rec) //nolint:errcheck // there is nowhere left to say it
		}
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", s.lang(w, r))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(slim(b.String()))) //nolint:errcheck // whoever asked has gone
}

// lang is the language of a request: that of ?lang=, which is remembered, or the remembered one.
func (s *Server) lang(w http.ResponseWriter, r *http.Request) string {
	if l := r.URL.Query().Get("lang"); s.words[l] != nil {
		http.SetCookie(w, &http.Cookie{Name: "lang", Value: l, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, HttpOnly: true})
		return l
	}
	if c, err := r.Cookie("lang"); err == nil && s.words[c.Value] != nil {
		return c.Value
	}
	return vietnamese
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
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: session, Path: "/", MaxAge: int(signedIn / time.Second), HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Server) leave(w http.ResponseWriter, r *http.Request) {
	s.guard.leave(r)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// Serve answers on l until ctx is done.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: s, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: scanLimit + time.Minute,
		IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog:    slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), // what strangers send is not worth a line
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	end := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := srv.Shutdown(last); err != nil {
			end <- srv.Close()
			return
		}
		end <- nil
	})
	err := srv.Serve(l)
	if !stop() {
		err = errors.Join(err, <-end)
	}
	if ctx.Err() == nil || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("status: %w", err)
	}
	return nil
}
