package web_test

import (
	"bytes"
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
	for name, path := range map[string]string{"help": "/help", "help-night": "/help/night", "help-audit": "/help/audit-day", "help-install": "/help/install", "help-week": "/help/first-week", "help-card": "/help/farmer-card", "help-bigger": "/help/bigger-server"} {
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
