package help

import (
	"bytes"
	"image"
	"image/png"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// shelf has one good guide for each that there must be, so that a test can spoil one.
func shelf(t *testing.T) fstest.MapFS {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 720, 1560))); err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{"pictures/alarms-phone.png": {Data: b.Bytes()}}
	for _, id := range Order() {
		for _, lang := range Languages() {
			out["guides/"+id+"."+lang+".md"] = &fstest.MapFile{Data: []byte("# Title\n\nWhat it is *for*.\n\n## One {#one}\n\ntext\n")}
		}
	}
	return out
}

// shelved is the shelf of this folder with other files.
func shelved(files fs.FS) Shelf {
	s := Own()
	s.Files = files
	return s
}

func pages() Pages {
	return Pages{
		Picture: func(file string) string { return "/static/0/" + file },
		Word:    func(lang, key string) (string, bool) { return "I see to it (" + lang + ")", key == "alarm.ack" },
	}
}

func TestOpen_DrawsAGuide(t *testing.T) {
	files := shelf(t)
	files["guides/night.en.md"] = &fstest.MapFile{Data: []byte("# The night\n\nFor *whoever* is\non watch.\n\n## First {#first}\n\n1. Press **{{alarm.ack}}** on [Alarms](/alarms), see [two](#two) and [recall](guide:recall#drill).\n\n" +
		"![The \"alarms\"](screen:alarms-phone)\n\n## Two {#two}\n\n> Beware.\n\n| a | b |\n|---|---|\n| `server audit` | `x` |\n\n```\ngateway spool --config a < b\n```\n")}
	l, err := Open(pages(), shelved(files))
	if err != nil {
		t.Fatal(err)
	}
	g, ok := l.Guide("en", "night")
	if !ok || g.Title != "The night" || g.Summary != "For whoever is on watch." {
		t.Fatalf("%v %+v", ok, g)
	}
	for _, want := range []string{
		`<h2 id="first">First</h2>`, `<strong>I see to it (en)</strong>`, `<a href="/alarms?lang=en">Alarms</a>`, `<a href="#two">two</a>`, `<a href="/help/recall?lang=en#drill">recall</a>`,
		`<img class="screen" src="/static/0/alarms-phone.png" width="360" height="780" loading="lazy" alt="The &#34;alarms&#34;">`, `<blockquote>`, `<td><code>server audit</code></td>`, `gateway spool --config a &lt; b`,
	} {
		if !strings.Contains(string(g.Body(nil)), want) {
			t.Errorf("no %s in\n%s", want, g.Body(nil))
		}
	}
	if len(g.Parts) != 2 || g.Parts[1] != (Part{"two", "Two"}) || len(g.Pictures) != 1 {
		t.Errorf("parts %v, pictures %v", g.Parts, g.Pictures)
	}
	if len(g.Commands) != 2 || g.Commands[0] != (Ref{"server audit", 18}) || g.Commands[1] != (Ref{"gateway spool --config a < b", 21}) {
		t.Errorf("commands %+v", g.Commands)
	}
	if len(g.Links) != 3 || g.Links[0] != (Ref{"/alarms", 8}) || g.Links[1].Text != "guide:night#two" {
		t.Errorf("links %+v", g.Links)
	}
}

// What a guide may not have, and what is said of it.
func TestOpen_FaultTable(t *testing.T) {
	head := "# T\n\nwhat for\n\n"
	for _, tc := range []struct{ name, text, want string }{
		{"no title", "text\n", "night.vi.md:1: a guide begins with its title"},
		{"no summary", "# T\n\n## One {#one}\n", "night.vi.md:1: the title is followed by a paragraph"},
		{"raw HTML", head + "<b>x</b>\n", "night.vi.md:5: a guide has no RawHTML"},
		{"a block of HTML", head + "<div>\nx\n</div>\n", "a guide has no HTMLBlock"},
		{"a section without a name", head + "## One\n", "night.vi.md:5: a section has a name"},
		{"too deep", head + "#### One\n", "night.vi.md:5: a heading of level 4"},
		{"a second title", head + "# Two\n", "night.vi.md:5: a heading of level 1"},
		{"a link to a file", head + "[x](../README.md)\n", `night.vi.md:5: a link to "../README.md"`},
		{"a link by http", head + "[x](http://a.example)\n", `a link to "http://a.example"`},
		{"a picture from elsewhere", head + "![x](https://a.example/b.png)\n", "night.vi.md:5: a picture"},
		{"a picture nobody made", head + "![x](screen:none)\n", "there is no picture of screen none"},
		{"a picture without words", head + "![](screen:alarms-phone)\n", "a picture says what is seen on it"},
		{"a fact nobody knows", head + "{{fact:coop.fax}}\n", "night.vi.md: no fact coop.fax: there are coop.phone"},
		{"words no page has", head + "{{alarm.nack}}\n", "night.vi.md: no text alarm.nack on the pages"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := shelf(t)
			files["guides/night.vi.md"] = &fstest.MapFile{Data: []byte(tc.text)}
			if _, err := Open(pages(), shelved(files)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
	files := shelf(t)
	delete(files, "guides/recall.en.md")
	if _, err := Open(pages(), shelved(files)); err == nil || !strings.Contains(err.Error(), "a guide misses in one language") {
		t.Errorf("a guide in one language alone: %v", err)
	}
}

// A guide says what the co-op said of itself, as text; what it did not say is left blank, to be written in by hand.
func TestGuide_SaysWhatIsKnownOfTheCoop(t *testing.T) {
	files := shelf(t)
	files["guides/night.en.md"] = &fstest.MapFile{Data: []byte("# T\n\nwhat for\n\n| who | telephone |\n|---|---|\n| co-op | {{fact:coop.phone}} |\n")}
	l, err := Open(pages(), shelved(files))
	if err != nil {
		t.Fatal(err)
	}
	g, _ := l.Guide("en", "night")
	for number, want := range map[string]string{"": "<td></td>", "0912 345 678": "<td>0912 345 678</td>", "<b>": "<td>&lt;b&gt;</td>"} {
		if got := string(g.Body(map[string]string{"coop.phone": number})); !strings.Contains(got, want) {
			t.Errorf("%q: no %s in\n%s", number, want, got)
		}
	}
}

// Files of several shelves lead to each other as they do in the tree, and to what the pages show of the rest.
func TestOpen_LinksBetweenFiles(t *testing.T) {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("# T\n\nwhat for\n\n" + s + "\n")} }
	boxes := Shelf{Name: "build", Root: "hardware/boards", IDs: []string{"siren", "box"}, File: func(id, lang string) string { return id + "/guide." + lang + ".md" }, Files: fstest.MapFS{
		"siren/guide.vi.md": text("[a](wiring.svg)"), "siren/guide.en.md": text("[a](wiring.svg) [b](../box/guide.en.md#steps) [c](../../../server/help/guides/night.en.md)"),
		"box/guide.vi.md": text("x"), "box/guide.en.md": text("## S {#steps}"),
	}}
	p := pages()
	p.File = func(file string) (string, bool) { return "#wiring", file == "hardware/boards/siren/wiring.svg" }
	l, err := Open(p, shelved(shelf(t)), boxes)
	if err != nil {
		t.Fatal(err)
	}
	g, ok := l.Guide("en", "build/siren")
	if !ok || len(l.Shelf("en", "build")) != 2 || len(l.List("en")) != len(Order())+2 {
		t.Fatalf("the shelves are not there: %v", ok)
	}
	for _, want := range []string{`<a href="#wiring">a</a>`, `<a href="/help/build/box?lang=en#steps">b</a>`, `<a href="/help/night?lang=en">c</a>`} {
		if !strings.Contains(string(g.Body(nil)), want) {
			t.Errorf("no %s in %s", want, g.Body(nil))
		}
	}
	if len(g.Links) != 3 || g.Links[0].Text != "guide:build/siren#wiring" || g.Links[1].Text != "guide:build/box#steps" {
		t.Errorf("links %+v", g.Links)
	}
	for _, bad := range []string{"[a](pins.csv)", "[a](../box/guide.vi.md)"} { // the pages show none; another language
		boxes.Files.(fstest.MapFS)["siren/guide.en.md"] = text(bad)
		if _, err := Open(p, shelved(shelf(t)), boxes); err == nil || !strings.Contains(err.Error(), "siren/guide.en.md:5: a link to") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
