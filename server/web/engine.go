package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"aovuon/hardware/boards"
	"aovuon/hardware/calibration"
	"aovuon/server/farm"
	"aovuon/server/help"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

// pageFiles are the pages: each is layout.html, the parts, and a file of its own.
func pageFiles() []string {
	return []string{
		"dashboard.html", "place.html", "compare.html", "readings.html", "probe.html", "calibrations.html", "system.html", "label.html", "proof.html", "ledger.html", "tls.html", "privacy.html", "help.html", "missing.html",
		"signin.html", "setup.html", "keycard.html", "board.html", "account.html", "confirm.html", "password.html", "second.html", "codes.html", "users.html", "user.html", "cards.html", "sheet.html", "trail.html",
		"farm.html", "plan.html", "places.html", "placeform.html", "zone.html", "limits.html", "limit.html", "records.html", "record.html", "import.html", "spot.html", "log.html", "diary.html", "entry.html", "outbox.html", "offline.html", "books.html", "book.html", "gates.html", "water.html", "capacity.html", "labels.html", "print.html", "which.html", "portal.html", "coop.html", "epcis.html",
		"gateway.html", "wall.html",
		"lots.html", "lot.html", "deed.html", "amend.html", "box.html",
		"lotlabels.html", "printjob.html", "printjobs.html",
		"blight.html", "pests.html", "bulletin.html",
		"trace.html", "recall.html", "recallfound.html", "recallone.html",
		"forecast.html",
		"contacts.html", "contact.html", "messages.html", "ladder.html", "push.html",
		"scans.html", "scancode.html", "reports.html", "shops.html", "where.html", "sold.html",
		"install.html", "start.html", "claim.html", "backup.html",
		"alarms.html", "alarm.html", "alarmhistory.html", "maintenance.html",
	}
}

// partFiles are templates that pages share.
func partFiles() []string {
	return []string{
		"blightcard.html",
		"layout.html", "card.html", "icons.html", "person.html", "passkey.html", "fields.html", "entryline.html", "gate.html", "goods.html", "joblist.html", "kin.html", "watercard.html", "dryingpanel.html", "processes.html",
		"atwork.html", "placealarms.html",
		"dawn.html", "advice.html",
		"period.html",
		"messageline.html",
		"guidelink.html",
	}
}

// engine holds the parsed templates of every language and the static files under the names their contents give them.
type engine struct {
	words  map[string]*words
	pages  map[string]map[string]*template.Template // language, file
	assets map[string]asset                         // by URL path
	names  map[string]string                        // static file -> URL path
	css    template.CSS
	cssSum string // of css, as a CSP source
	help   *help.Library
	boards map[string]*boardView // by language/name
	build  string                // a mark for all that pages are drawn from
}

type asset struct {
	body []byte
	mime string
}

func newEngine() (*engine, error) {
	e := &engine{
		words: map[string]*words{}, pages: map[string]map[string]*template.Template{}, assets: map[string]asset{}, names: map[string]string{},
		boards: map[string]*boardView{},
	}
	if err := e.loadStatic(); err != nil {
		return nil, err
	}
	var err error
	if e.build, err = buildOf(templates, static, locales, help.Files, boards.Files, calibration.Files); err != nil {
		return nil, err
	}
	for _, lang := range []string{Vietnamese, English} {
		if e.words[lang], err = loadWords(lang); err != nil {
			return nil, err
		}
	}
	if err := e.loadHelp(); err != nil {
		return nil, err
	}
	for lang, w := range e.words {
		e.pages[lang] = map[string]*template.Template{}
		if err := e.loadPages(w); err != nil {
			return nil, fmt.Errorf("web: templates: %w", err)
		}
	}
	return e, nil
}

// loadPages parses the templates of a language: the parts once, of which every page takes a copy (what is run is written into).
func (e *engine) loadPages(w *words) error {
	var files []string
	for _, p := range partFiles() {
		files = append(files, "templates/"+p)
	}
	parts, err := template.New("").Funcs(e.funcs(w)).Option("missingkey=error").ParseFS(templates, files...)
	if err != nil {
		return err
	}
	for _, file := range pageFiles() {
		t, err := parts.Clone()
		if err == nil {
			t, err = t.ParseFS(templates, "templates/"+file)
		}
		if err != nil {
			return err
		}
		e.pages[w.lang][file] = t.Lookup(file)
	}
	return nil
}

func (e *engine) loadStatic() error {
	return fs.WalkDir(static, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		mime, ok := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png"}[path.Ext(name)]
		if !ok {
			return fmt.Errorf("web: static file %s: no media type is known for %s", name, path.Ext(name))
		}
		if path.Ext(name) == ".css" {
			body = slimCSS(body)
		}
		if path.Ext(name) == ".js" {
			body = slimScript(body)
		}
		sum := e.serve(path.Base(name), body, mime)
		if path.Base(name) == "public.css" {
			e.css = template.CSS(body)
			e.cssSum = "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		}
		return nil
	})
}

// serve puts a file under an address that holds a sum of its content, which it returns.
func (e *engine) serve(name string, body []byte, mime string) [sha256.Size]byte {
	sum := sha256.Sum256(body)
	at := "/static/" + hex.EncodeToString(sum[:6]) + "/" + name
	e.assets[at], e.names[name] = asset{body, mime}, at
	return sum
}

// loadHelp reads the guides, and serves their pictures as static files.
func (e *engine) loadHelp() error {
	pictures, err := fs.Glob(help.Files, "pictures/*.png")
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	for _, file := range pictures {
		body, err := help.Files.ReadFile(file)
		if err != nil {
			return fmt.Errorf("web: %w", err)
		}
		e.serve("help-"+path.Base(file), body, "image/png")
	}
	if err := e.loadBoards(); err != nil {
		return err
	}
	e.help, err = help.Open(help.Pages{
		Picture: func(file string) string { return e.names["help-"+file] },
		Word: func(lang, key string) (string, bool) {
			w := e.words[lang]
			return w.t(key), w.has(key)
		},
		File: e.boardPart,
	}, Shelves()...)
	if err != nil {
		return err
	}
	e.nameBoardParts()
	return nil
}

// funcs are what templates may call. Each set knows its language.
func (e *engine) funcs(w *words) template.FuncMap {
	return template.FuncMap{
		"t":        w.t,
		"text":     func(t farm.Text) string { return t.In(w.lang) },
		"value":    w.value,
		"unit":     w.unit,
		"num":      w.num,
		"count":    w.count,
		"percent":  w.percent,
		"date":     w.date,
		"datetime": w.dateTime,
		"length":   w.length,
		"amount":   w.amount,
		"lang":     func() string { return w.lang },
		"asset":    func(name string) (string, error) { return e.asset(name) },
		"css":      func() template.CSS { return e.css },
		"guide":    func(id string) guideLink { return e.guide(w, id) },
		"link":     func(to string) string { return inLanguage(to, w.lang) },
	}
}

func (e *engine) asset(name string) (string, error) {
	at, ok := e.names[name]
	if !ok {
		return "", fmt.Errorf("no static file %s", name)
	}
	return at, nil
}

// inLanguage returns a link to a page of ours that keeps the language.
func inLanguage(to, lang string) string {
	u, err := url.Parse(to)
	if err != nil || lang == Vietnamese {
		return to
	}
	q := u.Query()
	q.Set("lang", lang)
	u.RawQuery = q.Encode()
	return u.String()
}

// render writes a template of a page file into a buffer: a page is sent whole or not at all.
func (e *engine) render(lang, file, name string, data any) ([]byte, error) {
	t, ok := e.pages[lang][file]
	if !ok {
		return nil, fmt.Errorf("web: no page %s in %s", file, lang)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("web: %s: %w", file, err)
	}
	return b.Bytes(), nil
}

// slim drops the indentation of templates: it is for those who write them.
func slim(page []byte) []byte {
	var b strings.Builder
	b.Grow(len(page))
	for line := range strings.Lines(string(page)) {
		if s := strings.TrimSpace(line); s != "" {
			b.WriteString(s)
			b.WriteByte('\n')
		}
	}
	return []byte(b.String())
}

// slimCSS drops what only those who write a style sheet need. The result is what slim leaves as it is, so that its sum is
// the same within a page.
func slimCSS(sheet []byte) []byte {
	var b strings.Builder
	rest := string(slim(sheet))
	for {
		before, after, found := strings.Cut(rest, "/*")
		b.WriteString(before)
		if !found {
			break
		}
		_, rest, _ = strings.Cut(after, "*/")
	}
	return slim([]byte(strings.NewReplacer(" { ", "{", "; }", "}", " }", "}", ": ", ":", "; ", ";", ", ", ",", " {", "{").Replace(b.String())))
}

// slimScript drops from a script the lines that are comments, and indentation. Scripts have no text over several lines.
func slimScript(script []byte) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(string(script)) {
		if s := strings.TrimSpace(line); s != "" && !strings.HasPrefix(s, "//") {
			b.WriteString(s)
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}
