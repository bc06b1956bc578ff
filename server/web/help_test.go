package web_test

import (
	"bytes"
	"html"
	"image"
	"image/draw"
	"image/png"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/hardware/boards"
	"aovuon/hardware/calibration"
	"aovuon/server/account"
	"aovuon/server/help"
	"aovuon/server/parttest"
	"aovuon/server/web"
)

// guides opens those of the program.
func guides(t *testing.T) *help.Library {
	t.Helper()
	l, err := web.Guides()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestHelp_GuidesAreTheSameInBothLanguages(t *testing.T) {
	l := guides(t)
	for i, vi := range l.List(web.Vietnamese) {
		en := l.List(web.English)[i]
		ids := func(g *help.Guide) (out []string) {
			for _, p := range g.Parts {
				out = append(out, p.ID)
			}
			return out
		}
		if !slices.Equal(ids(vi), ids(en)) || !slices.Equal(vi.Pictures, en.Pictures) {
			t.Errorf("%s: sections %v and %v, pictures %v and %v", vi.ID, ids(vi), ids(en), vi.Pictures, en.Pictures)
		}
		for _, tag := range []string{"<li>", "<tr>", "<blockquote>", "<pre>"} {
			if a, b := strings.Count(string(vi.Body(nil)), tag), strings.Count(string(en.Body(nil)), tag); a != b {
				t.Errorf("%s: %d × %s in Vietnamese, %d in English", vi.ID, a, tag, b)
			}
		}
		for _, g := range []*help.Guide{vi, en} {
			if strings.Contains(g.Title+g.Summary+string(g.Body(nil)), "—") {
				t.Errorf("%s in %s has an em dash", g.ID, g.Lang)
			}
			if strings.Contains(string(g.Body(nil)), "<th></th>") {
				t.Errorf("%s in %s has a column without a name", g.ID, g.Lang)
			}
		}
	}
}

// A guide that leads nowhere is worse than none.
func TestHelp_LinksOfGuidesGoSomewhere(t *testing.T) {
	l := guides(t)
	w := newTown(t, "http://127.0.0.1", false)
	for _, lang := range help.Languages() {
		for _, g := range l.List(lang) {
			for _, link := range g.Links {
				id, part, _ := strings.Cut(strings.TrimPrefix(link.Text, "guide:"), "#")
				if strings.HasPrefix(link.Text, "guide:") {
					to, ok := l.Guide(lang, id)
					if !ok || part != "" && !slices.ContainsFunc(to.Parts, func(p help.Part) bool { return p.ID == part }) {
						t.Errorf("%s.%s.md:%d leads to %s, which is not there", g.ID, lang, link.Line, link.Text)
					}
					continue
				}
				if res := w.as(account.Admin, http.MethodGet, link.Text, nil, nil); res.status != http.StatusOK {
					t.Errorf("%s.%s.md:%d leads to %s: %d", g.ID, lang, link.Line, link.Text, res.status)
				}
			}
		}
	}
}

func TestHelp_PagesAreForEverybody(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	for path, want := range map[string]string{
		"/help": "Đêm trực", "/help?lang=en": "The night", "/help/install": `id="claim"`, "/help/farmer-card?lang=en": "Three presses", "/help/recall": `id="drill"`, "/help/recall?lang=en": "Three clicks",
	} {
		if res := get(t, srv, path, nil); res.status != http.StatusOK || !strings.Contains(string(res.body), want) {
			t.Errorf("%s: %d without %s", path, res.status, want)
		}
	}
	if res := get(t, srv, "/help/nothing", nil); res.status != http.StatusNotFound {
		t.Errorf("no guide: %d", res.status)
	}
	body := string(get(t, srv, "/help/night", nil).body)
	for _, src := range regexp.MustCompile(`src="(/static/[^"]*\.png)"`).FindAllStringSubmatch(body, -1) {
		if res := get(t, srv, src[1], nil); res.status != http.StatusOK || res.header.Get("Content-Type") != "image/png" {
			t.Errorf("picture %s: %d %s", src[1], res.status, res.header.Get("Content-Type"))
		}
	}
}

// Whoever stands with a box at the pond finds how it is built, in either language: the guide, its drawing, its wires, its parts; and how its probes are calibrated.
func TestHelp_EveryBoxHasItsPages(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	leads := regexp.MustCompile(`(?:href|src)="(/(?:help|static)[^"#]*)(?:#([^"]*))?"`)
	here := regexp.MustCompile(`<a href="#([^"]*)"`)
	found := map[string]string{}
	read := func(path string) string {
		if body, ok := found[path]; ok {
			return body
		}
		res := get(t, srv, html.UnescapeString(path), nil)
		if res.status != http.StatusOK {
			t.Errorf("%s: %d", path, res.status)
		}
		found[path] = string(res.body)
		return found[path]
	}
	for _, lang := range help.Languages() {
		index := read(withLang("/help", lang))
		var paths []string
		for _, name := range boards.Names() {
			b, err := boards.Load(boards.Files, name)
			if err != nil {
				t.Fatal(err)
			}
			path := withLang("/help/build/"+name, lang)
			paths = append(paths, path)
			body := read(path)
			drawing, err := fs.ReadFile(boards.Files, boards.DrawingFile(name))
			if err != nil || !strings.Contains(body, string(drawing[:200])) {
				t.Errorf("%s: the drawing is not that of the box (%v)", path, err)
			}
			if strings.Contains(body, " style=") {
				t.Errorf("%s: a style within the page is refused by the browser", path)
			}
			for _, p := range b.Parts {
				if !strings.Contains(body, html.EscapeString(p.NameIn(lang))) {
					t.Errorf("%s: %s is not in the list of parts", path, p.Ref)
				}
			}
			if rows := strings.Count(body[strings.Index(body, `<table class="wires">`):], "<tr><th scope=\"row\">"); rows != len(b.Wires)+len(b.Parts) {
				t.Errorf("%s: %d rows of %d wires and %d parts", path, rows, len(b.Wires), len(b.Parts))
			}
		}
		for _, name := range calibration.Names() {
			paths = append(paths, withLang("/help/calibration/"+name, lang))
		}
		for _, path := range paths {
			short := strings.TrimSuffix(path, "?lang=vi")
			if !strings.Contains(index, `href="`+short+`"`) {
				t.Errorf("%s is not on the list of guides", path)
			}
			body := read(path)
			for _, m := range here.FindAllStringSubmatch(body, -1) {
				if !strings.Contains(body, `id="`+m[1]+`"`) {
					t.Errorf("%s leads to #%s, which is not there", path, m[1])
				}
			}
			for _, m := range leads.FindAllStringSubmatch(body, -1) {
				if to := read(m[1]); m[2] != "" && !strings.Contains(to, `id="`+m[2]+`"`) {
					t.Errorf("%s leads to %s#%s, which is not there", path, m[1], m[2])
				}
			}
		}
	}
	if res := get(t, srv, "/help/build/nothing", nil); res.status != http.StatusNotFound {
		t.Errorf("no box: %d", res.status)
	}
}

// A probe's page leads to how it is calibrated and cleaned; a place's calibrations to what holds for all of them.
func TestHelp_PagesOfProbesLeadToTheirGuides(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	for path, want := range map[string][]string{
		"/probes/gw-ao-phukhe/ao1-ph":         {`"/help/calibration/ph"`, `"/help/build/pond-box#fouls"`},
		"/probes/gw-ao-phukhe/ao1-do?lang=en": {`"/help/calibration/do?lang=en"`, `"/help/build/pond-box?lang=en#fouls"`},
		"/places/F7NE3CDQ7/calibrations":      {`"/help/calibration/before"`},
	} {
		body := string(get(t, srv, path, nil).body)
		for _, to := range want {
			if !strings.Contains(body, "href="+to) {
				t.Errorf("%s does not lead to %s", path, to)
			}
		}
	}
}

// mostScreens bounds what the pictures of guides add to the program.
const mostScreens = 3 << 20

func TestHelp_EveryPictureIsShownAndWasMadeByATest(t *testing.T) {
	shown := map[string]bool{}
	for _, g := range guides(t).List(web.Vietnamese) {
		for _, p := range g.Pictures {
			shown[p] = true
		}
	}
	var sum int64
	files, err := fs.ReadDir(help.Files, "pictures")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
		name := strings.TrimSuffix(strings.TrimSuffix(f.Name(), ".png"), ".txt")
		if !shown[name] {
			t.Errorf("pictures/%s is in no guide", f.Name())
		}
		if _, err := fs.Stat(help.Files, "pictures/"+name+".txt"); err != nil {
			t.Errorf("pictures/%s was not made by a test: %v", f.Name(), err)
		}
	}
	if sum > mostScreens {
		t.Errorf("the pictures are %d bytes, want at most %d", sum, mostScreens)
	}
}

func TestBrowser_Help(t *testing.T) {
	axe := parttest.Axe(t)
	s := newSources(t)
	srv := s.pages(t)
	b := browser(t)
	for name, path := range map[string]string{"help": "/help", "help-night": "/help/night", "help-audit": "/help/audit-day", "help-install": "/help/install", "help-week": "/help/first-week", "help-card": "/help/farmer-card", "help-bigger": "/help/bigger-server", "help-box": "/help/build/aerator", "help-ph": "/help/calibration/ph"} {
		for _, shade := range []string{"light", "dark"} {
			b.do(name, scheme(shade))
			visit(b, phone(), srv.URL+path)
			if complaints := axe(b.ctx); complaints != "" {
				t.Errorf("%s, %s: %s", name, shade, complaints)
			}
			if wide := ask1(b, name, evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
				t.Errorf("%s is %d px wide", name, wide)
			}
			shoot(b, name+"-"+shade)
		}
	}
}

// The card hangs at a pond: what runs over to a second sheet is lost.
func TestBrowser_TheFarmersCardIsOneSheet(t *testing.T) {
	s := newSources(t)
	s.phone = &phoneBook{number: "+84 (0225) 3.812.345-67890123456"}
	srv := s.pages(t)
	b := browser(t)
	pages := regexp.MustCompile(`/Type\s*/Page\b`)
	for _, lang := range help.Languages() {
		visit(b, desk(), srv.URL+withLang("/help/farmer-card", lang))
		pdf := ask1(b, lang, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPreferCSSPageSize()))
		if n := len(pages.FindAll(pdf, -1)); n != 1 {
			t.Errorf("%s: %d sheets", lang, n)
		}
		if dir := os.Getenv("AOVUON_SCREENSHOTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "farmer-card-"+lang+".pdf"), pdf, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What is taken to the pond is paper: nothing runs over its edge, and a drawing has a sheet across to itself, on which the smallest boxes' names can be read.
func TestBrowser_BoxesArePrintedOnA4(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	b := browser(t)
	across, upright := regexp.MustCompile(`/MediaBox\s*\[0 0 84[12][\d.]* 59[45]`), regexp.MustCompile(`/MediaBox\s*\[0 0 59[45][\d.]* 84[12]`)
	const mm = 96 / 25.4 // pixels of a page
	printed := func(path string, wide int64) []byte {
		b.do(path, chromedp.EmulateViewport(wide, 900), command("Emulation.setEmulatedMedia", map[string]any{"media": "print"}), chromedp.Navigate(srv.URL+path), chromedp.WaitVisible(chromedp.CSS("#main h1")))
		if over := ask1(b, path, evaluate[int64](`document.documentElement.scrollWidth`)); over > wide {
			t.Errorf("%s: %d px wide on paper of %d", path, over, wide)
		}
		pdf := ask1(b, path, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPreferCSSPageSize()))
		if dir := os.Getenv("AOVUON_SCREENSHOTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(path[1:], "/", "-")+".pdf"), pdf, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return pdf
	}
	const portrait = 688 // 182 mm, between margins of 14 mm
	for _, name := range boards.Names() {
		path := "/help/build/" + name
		pdf := printed(path, portrait)
		if n := len(across.FindAll(pdf, -1)); n != 1 || !upright.Match(pdf) {
			t.Errorf("%s: %d sheets across, want the drawing's alone", path, n)
		}
		b.do(path, chromedp.EmulateViewport(1062, 900)) // 281 mm: the sheet across
		letters := ask1(b, path, evaluate[float64](`(() => { const s = document.querySelector(".drawing svg"); return 14 * s.getBoundingClientRect().width / s.viewBox.baseVal.width })()`)) / mm
		if letters < 1.9 {
			t.Errorf("%s: the letters of the drawing are %.2f mm on paper", path, letters)
		}
	}
	for _, name := range calibration.Names() {
		pdf := printed("/help/calibration/"+name, portrait)
		if across.Match(pdf) || name == "form" && len(upright.FindAll(pdf, -1)) != 1 {
			t.Errorf("%s: the sheets are not those of a guide", name)
		}
	}
}

// onPage are the words of headings, buttons and labels that a page shows, without figures.
const onPage = `[...document.querySelectorAll("main h1, main h2, main h3, main button, main label, main th, main dt, main summary, main a.button")].filter(e => e.checkVisibility()).map(e => e.textContent.trim().replace(/\s+/g, " ").replace(/\d+/g, "0")).filter((w, i, all) => w && all.indexOf(w) === i).join("\n") + "\n"`

// pictured holds the picture of a guide against the page that a test has before it: by the words of its headings, buttons and labels, without
// their figures. AOVUON_HELP_PICTURES=update makes it anew.
func pictured(b tab, name string) {
	b.t.Helper()
	had, err := fs.ReadFile(help.Files, "pictures/"+name+".txt")
	dir := filepath.Join("..", "help", "pictures")
	update := os.Getenv("AOVUON_HELP_PICTURES") == "update"
	if _, shown := fs.Stat(help.Files, help.PictureFile(name)); shown != nil || err != nil && !update {
		return // of no guide; one without words fails TestHelp_EveryPictureIsShownAndWasMadeByATest
	}
	words := ask1(b, name, evaluate[string](onPage))
	if update {
		if err := os.WriteFile(filepath.Join(dir, name+".txt"), []byte(words), 0o600); err != nil {
			b.t.Fatal(err)
		}
		if ask1(b, name, evaluate[int](`innerWidth`)) == 360 { // what is scrolled to, too
			b.do(name, chromedp.EmulateViewport(360, tallest/2+200, chromedp.EmulateScale(2)))
		}
		top := ask1(b, name, evaluate[int](`Math.round(document.querySelector("main").getBoundingClientRect().top + scrollY) * devicePixelRatio`))
		if err := os.WriteFile(filepath.Join(dir, name+".png"), cropped(b, ask1(b, name, chromedp.CaptureScreenshot()), top), 0o600); err != nil {
			b.t.Fatal(err)
		}
		return
	}
	same := func() bool { words = ask1(b, name, evaluate[string](onPage)); return words == string(had) }
	if !parttest.Comes(same) { // what a script adds comes when it comes: the browser's offer to install, for one
		b.t.Errorf("%s: the page is not what the picture in the guides shows: run this test with AOVUON_HELP_PICTURES=update and look at the picture\nnow:\n%swas:\n%s", name, words, had)
	}
}

// tallest is how much of a page a picture shows, in its own pixels: somewhat more than one screen of a phone.
const tallest = 1800

// cropped leaves of a screen what is below the head of the page.
func cropped(b tab, shot []byte, top int) []byte {
	b.t.Helper()
	src, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		b.t.Fatal(err)
	}
	size := image.Rect(0, 0, src.Bounds().Dx(), min(src.Bounds().Dy()-top, tallest))
	out := image.NewRGBA(size)
	draw.Draw(out, size, src, image.Pt(0, top), draw.Src)
	var buf bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&buf, out); err != nil {
		b.t.Fatal(err)
	}
	return buf.Bytes()
}
