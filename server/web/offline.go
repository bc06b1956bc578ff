package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// offlineRoutes are what makes the pages an app of the phone, which opens where there is no signal.
func (s *Server) offlineRoutes() []route {
	return []route{
		{"GET /sw.js", stranger(), s.serviceWorker},
		{"GET /manifest.webmanifest", stranger(), s.manifest},
		{"GET /offline", stranger(), s.page(s.offlinePage)},
	}
}

// phoneAssets are the static files without which pages of the diary are not whole.
func (s *Server) phoneAssets() []string {
	var out []string
	for _, name := range []string{"shell.css", "shell.js", "app.css", "forms.css", "diary.css", "icon.svg", "kinds.svg", "live.js", "outbox.js", "offline.js", "log.js", "phone.js", "icon-192.png"} {
		out = append(out, s.e.names[name])
	}
	return out
}

// shell are the pages that are kept for whoever holds the phone: there is nothing of anybody in them.
func shell() []string { return []string{"/offline", "/outbox"} }

// serviceWorker sends static/worker/sw.js with what it must know of this version of the pages in front: a new version is another script, and
// the browser takes it.
func (s *Server) serviceWorker(w http.ResponseWriter, _ *http.Request) {
	list, err := json.Marshal(append(s.phoneAssets(), shell()...))
	if err != nil {
		s.apiFail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	s.write(w, fmt.Appendf(nil, "const BUILD=%q,OUTBOX=%q,SHELL=%s;\n%s", s.e.build, s.e.names["outbox.js"], list, s.e.assets[s.e.names["sw.js"]].body))
}

// manifest is what a phone asks to put the pages on its home screen.
func (s *Server) manifest(w http.ResponseWriter, r *http.Request) {
	words := s.words(r)
	raw, err := json.Marshal(map[string]any{
		"id": "/", "name": words.t("brand"), "short_name": words.t("brand"), "description": words.t("app.what"), "lang": words.lang, "start_url": "/", "scope": "/",
		"display": "standalone", "background_color": "#f2f5f1", "theme_color": "#07543d",
		"icons": []map[string]string{
			{"src": s.e.names["icon-192.png"], "sizes": "192x192", "type": "image/png", "purpose": "any"},
			{"src": s.e.names["icon-512.png"], "sizes": "512x512", "type": "image/png", "purpose": "any"},
			{"src": s.e.names["icon-mask.png"], "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
			{"src": s.e.names["icon.svg"], "sizes": "any", "type": "image/svg+xml"},
		},
	})
	if err != nil {
		s.apiFail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/manifest+json")
	w.Header().Set("Cache-Control", "no-cache")
	s.write(w, raw)
}

// offlinePage stands in for a page that is not on the phone, where no signal brings it.
func (s *Server) offlinePage(r *http.Request, w *words) (answer, error) {
	return s.draw(r, w, "offline.html", "", w.t("offline.title"), func(fr frame) any { fr.Plain, fr.Outbox = true, true; return fr })
}

// buildOf is a mark for everything that pages are drawn from: another one means that pages look otherwise.
func buildOf(files ...fs.FS) (string, error) {
	h := sha256.New()
	for _, f := range files {
		err := fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := fs.ReadFile(f, name)
			fmt.Fprintf(h, "%s %d\n", name, len(raw)) //nolint:errcheck // a hash takes everything
			h.Write(raw)
			return err
		})
		if err != nil {
			return "", fmt.Errorf("web: build: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:6]), nil
}

// myFarm is what a phone keeps of the farm: for its own scripts, and as the list of pages to have along.
type myFarm struct {
	AsOf    time.Time         `json:"as_of"`
	Account string            `json:"account"`
	Places  []myPlace         `json:"places"`
	Inputs  []myInput         `json:"inputs"`
	All     bool              `json:"all"`    // pages holds all there is to keep
	Pages   map[string]string `json:"pages"`  // address -> a mark for its state
	Assets  []string          `json:"assets"` // static files that these pages need
}

type myPlace struct {
	Code   string                 `json:"code"`
	Title  string                 `json:"title"`
	Kind   farm.Kind              `json:"kind"`
	Cycles []myCycle              `json:"cycles"`
	Kinds  []string               `json:"kinds"`          // as the place needs them now
	Last   map[string]form.Values `json:"last,omitempty"` // by kind: what its next form begins with
	Gates  []myGate               `json:"gates"`          // as of AsOf
}

type myCycle struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type myGate struct {
	Level string `json:"level"`
	Text  string `json:"text"`
	Until string `json:"until,omitempty"`
	Entry string `json:"entry,omitempty"`
}

type myInput struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Unit    string   `json:"unit"`
	Actives []string `json:"actives,omitempty"`
}

// apiMyFarm answers what a phone keeps. Of those who see all places only the pages of ?place= are kept, beside the first ones: the place they
// stand at.
func (s *Server) apiMyFarm(w http.ResponseWriter, r *http.Request) {
	words, ctx := s.words(r), r.Context()
	f, err := s.farmNow(ctx)
	if err != nil {
		s.apiFail(w, err)
		return
	}
	reg, rev, err := s.registerNow(ctx)
	if err != nil {
		s.apiFail(w, err)
		return
	}
	out := myFarm{
		AsOf: s.o.Now().UTC(), Account: visitor(ctx).Account.ID, Places: []myPlace{}, Inputs: []myInput{}, All: !s.may(ctx, account.SeeAllPlaces), Assets: s.phoneAssets(),
	}
	hour := out.AsOf.Truncate(time.Hour).String()
	base := s.e.build + rev + s.farmMark()
	out.Pages = map[string]string{}
	page := func(path string, of ...string) {
		out.Pages[inLanguage(path, words.lang)] = mark(base, strings.Join(of, " "))
	}
	page("/", hour)
	page("/diary", hour)
	page("/outbox")
	for _, p := range f.Places {
		if !out.All && p.Code != r.URL.Query().Get("place") {
			continue
		}
		if err := s.phonePlace(r, words, reg, p, &out, page); err != nil {
			s.apiFail(w, err)
			return
		}
	}
	for _, in := range reg[farm.Input] {
		if !in.Retired {
			out.Inputs = append(out.Inputs, myInput{in.ID, in.Name(), in.Values.Text("type"), in.Values.Text("unit"), in.Values.List("actives")})
		}
	}
	s.apiSend(w, http.StatusOK, out)
}

// phonePlace adds a place, its page and its forms.
func (s *Server) phonePlace(r *http.Request, w *words, reg register, p farm.Place, out *myFarm, page func(path string, of ...string)) error {
	ctx, now := r.Context(), s.o.Now()
	entries, err := s.entriesAt(ctx, p.Code)
	if err != nil {
		return err
	}
	rules, overdue, err := s.rulesAt(ctx, w, p, now)
	if err != nil {
		return err
	}
	cycles := reg.openCycles(p.Code, now)
	mine := myPlace{
		Code: p.Code, Title: p.Title.In(w.lang), Kind: p.Kind, Cycles: []myCycle{}, Gates: []myGate{}, Last: map[string]form.Values{},
		Kinds: diary.Order(stand(p, cycles, entries, overdue, now)),
	}
	var ids []string
	for _, c := range cycles {
		mine.Cycles = append(mine.Cycles, myCycle{c.ID, c.Name()})
		ids = append(ids, c.ID)
	}
	open := strings.Join(ids, " ")
	for _, g := range rules {
		mine.Gates = append(mine.Gates, myGate{g.Level.String(), g.Text, g.Until, g.Entry})
	}
	newest := map[string]string{} // by kind: the last event of it
	all := ""
	for _, e := range entries {
		last := e.History[len(e.History)-1].ID
		newest[e.Kind], all = newest[e.Kind]+last, all+last
		if !e.Voided {
			mine.Last[e.Kind] = keptOf(e)
		}
	}
	page("/p/"+p.Code, all, open, now.UTC().Truncate(time.Hour).String())
	for _, name := range mine.Kinds {
		page("/p/"+p.Code+"/log/"+name, newest[name], open)
	}
	out.Places = append(out.Places, mine)
	return nil
}

// keptOf are the answers of an entry that the next one of its kind begins with.
func keptOf(e diary.Entry) form.Values {
	k, _ := diary.KindOf(e.Kind)
	out := form.Values{}
	for _, f := range k.Fields {
		if v, there := e.Values[f.Key]; f.Kept && there {
			out[f.Key] = v
		}
	}
	return out
}

// mark is a short sum of texts.
func mark(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:5])
}

// farmMark is the revision of the farm that was read last.
func (s *Server) farmMark() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

// atHome reports whether a page is one of those that speak of the phone's outbox: of people who sign in, and where they do.
func (s *Server) atHome(r *http.Request) bool {
	if s.o.Book == nil {
		return false
	}
	p := r.URL.Path
	return visitor(r.Context()) != nil || slices.Contains([]string{"/sign-in", "/c", "/outbox", "/offline"}, p) || strings.HasPrefix(p, "/c/")
}
