package panel

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aovuon/gateway/lanpage"
	"aovuon/gateway/words"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed locales/*.yaml
var locales embed.FS

//go:embed static/app.css
var sheet string

//go:embed static/app.js
var script string

// Page draws the pages. It is safe for concurrent use.
type Page struct {
	o       Options
	words   map[string]*words.Words
	pages   map[string]*template.Template // language and file
	handler http.Handler
}

// New returns the pages.
func New(o Options) (*Page, error) {
	s := &Page{o: o, words: map[string]*words.Words{}, pages: map[string]*template.Template{}}
	css, js := lanpage.Slim(sheet), lanpage.Slim(script)
	for _, lang := range words.Languages() {
		w, err := words.Load(lang, locales)
		if err != nil {
			return nil, fmt.Errorf("panel: %w", err)
		}
		s.words[lang] = w
		for _, file := range []string{"home", "place", "machines", "log", "message"} {
			t, err := template.New(file).Funcs(funcs(w, css, js)).Option("missingkey=error").ParseFS(templates, "templates/layout.html", "templates/parts.html", "templates/"+file+".html")
			if err != nil {
				return nil, fmt.Errorf("panel: templates: %w", err)
			}
			s.pages[lang+file] = t
		}
	}
	var err error
	s.handler, err = lanpage.Guard{Sheet: css, Script: js, Hosts: o.Hosts, Who: "the field"}.Handler(s.routes())
	return s, err
}

func funcs(w *words.Words, css, js string) template.FuncMap {
	return template.FuncMap{
		"t": w.T, "say": w.Or, "lang": w.Lang, "pair": pair,
		"css": func() template.CSS { return template.CSS(css) }, //nolint:gosec // our own
		"js":  func() template.JS { return template.JS(js) },    //nolint:gosec // our own
	}
}

// pair gives a part of a page what it needs beside its thing: the page its forms lead back to.
func pair(thing any, back string) map[string]any {
	return map[string]any{"Form": thing, "Device": thing, "Back": back}
}

// ServeHTTP implements http.Handler.
func (s *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers on l until ctx is done.
func (s *Page) Serve(ctx context.Context, l net.Listener) error {
	return lanpage.Serve(context.WithValue(ctx, running{}, ctx), l, s, 2*time.Minute) // a gateway may take a minute to end
}

// running is the key of the context that ends with the simulator, in those of requests: what a command starts outlives the request.
type running struct{}

func runningOf(ctx context.Context) context.Context {
	if all, ok := ctx.Value(running{}).(context.Context); ok {
		return all
	}
	return context.WithoutCancel(ctx)
}

// routes is the table of what there is.
func (s *Page) routes() http.Handler {
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, r *http.Request) {
		s.draw(w, r, &url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}, http.StatusOK, nil)
	}
	mux.HandleFunc("GET /{$}", show)
	mux.HandleFunc("GET /place/{id}", show)
	mux.HandleFunc("GET /machines", show)
	mux.HandleFunc("GET /log", show)
	mux.HandleFunc("POST /do", s.do)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.message(w, r, http.StatusNotFound, "missing") })
	return mux
}

// shown is what every template is given.
type shown struct {
	Title   string
	Nav     string
	Path    string
	Back    string // the page, for its forms to lead back to
	Live    bool
	Problem string  // why the form that was just sent was not obeyed
	At      string  // the form
	Done    *saying // what was just done
	Data    any
}

// draw draws the page of a path. last is the form that was sent from it and not obeyed.
func (s *Page) draw(w http.ResponseWriter, r *http.Request, at *url.URL, status int, last *attempt) {
	text := s.words[lanpage.Language(w, r)]
	g, err := s.gather(r.Context(), text, last)
	if err != nil {
		s.o.Log.Error("panel: page not drawn", slog.String("path", at.Path), slog.Any("err", err))
		http.Error(w, "this page cannot be drawn: see the log", http.StatusInternalServerError)
		return
	}
	file, p := "home", shown{Nav: "home", Title: text.T("home.title"), Live: true}
	switch id, place := strings.CutPrefix(at.Path, "/place/"); {
	case place && !s.hasPlace(id):
		s.message(w, r, http.StatusNotFound, "missing")
		return
	case place:
		v := g.place(r.Context(), id, at.Query().Get("q"))
		file, p.Title, p.Nav, p.Data = "place", v.Card.Name, "", v
	case at.Path == "/machines":
		file, p.Title, p.Nav = "machines", text.T("machines.title"), "machines"
		p.Data = g.machines(r.Context())
	case at.Path == "/log":
		file, p.Title, p.Nav = "log", text.T("log.title"), "log"
		p.Data = s.sayings(text, g.said)
	default:
		p.Data = g.home()
	}
	if last != nil {
		p.Problem, p.At = s.refusal(text, last.err), "f-"+slug(last.subject+"-"+keyOf(last.head))
	}
	p.Done = s.justDone(text, at.Query().Get("done"))
	p.Path = at.Path
	p.Back = (&url.URL{Path: at.Path, RawQuery: at.RawQuery}).String()
	s.show(w, text, status, file, p)
}

func keyOf(head string) string {
	u, _ := parseUsage(head)
	return u.key()
}

// show draws a page, whole or not at all.
func (s *Page) show(w http.ResponseWriter, text *words.Words, status int, file string, p shown) {
	var b bytes.Buffer
	if err := s.pages[text.Lang()+file].ExecuteTemplate(&b, "layout", p); err != nil {
		s.o.Log.Error("panel: page not drawn", slog.String("page", file), slog.Any("err", err))
		http.Error(w, "this page cannot be drawn: see the log", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", text.Lang())
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		s.o.Log.Debug("panel: whoever asked has gone", slog.Any("err", err))
	}
}

func (s *Page) message(w http.ResponseWriter, r *http.Request, status int, key string) {
	text := s.words[lanpage.Language(w, r)]
	s.show(w, text, status, "message", shown{Title: text.T("message." + key), Path: "/", Back: "/", Data: key})
}

func (s *Page) hasPlace(id string) bool {
	for _, p := range s.o.Field.Places() {
		if p.ID == id {
			return true
		}
	}
	return false
}
