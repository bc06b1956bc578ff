// Package aovuon_test holds the documents of the tree together: what goes in are all Markdown files, what comes out are links and anchors that lead nowhere, and
// files that nobody finds who begins at the README.
package aovuon_test

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// guides are the product's own help pages: server/help holds their links, which are pages and not files.
const guides = "server/help/guides/"

// document is a Markdown file.
type document struct {
	links   []link
	anchors map[string]bool
}

type link struct {
	line   int
	target string
}

var (
	inlineLink = regexp.MustCompile(`\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)`)
	defined    = regexp.MustCompile(`^\s{0,3}\[[^\]]+\]:\s+<?(\S+?)>?(?:\s+"[^"]*")?\s*$`)
	code       = regexp.MustCompile("``[^`]*``|`[^`]*`")
	named      = regexp.MustCompile(`<a\s+(?:id|name)="([^"]+)"`)
	heading    = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	linkText   = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
)

// read finds the links and the anchors of a text, code aside.
func read(text string) document {
	d := document{anchors: map[string]bool{}}
	fence := ""
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if mark := fenceOf(trimmed); mark != "" && (fence == "" || strings.HasPrefix(mark, fence)) {
			if fence == "" {
				fence = mark
			} else if trimmed == mark {
				fence = ""
			}
			continue
		}
		if fence != "" || indented(line, trimmed) {
			continue
		}
		if h := heading.FindStringSubmatch(line); h != nil {
			d.anchor(h[1])
		}
		for _, a := range named.FindAllStringSubmatch(line, -1) {
			d.anchors[a[1]] = true
		}
		line = code.ReplaceAllString(line, "x")
		for _, m := range inlineLink.FindAllStringSubmatch(line, -1) {
			d.links = append(d.links, link{i + 1, m[1]})
		}
		if m := defined.FindStringSubmatch(line); m != nil {
			d.links = append(d.links, link{i + 1, m[1]})
		}
	}
	return d
}

// indented reports whether a line is code for standing in; items of lists within lists are none.
func indented(line, trimmed string) bool {
	return strings.HasPrefix(line, "    ") && !strings.HasPrefix(trimmed, "- ") && !strings.HasPrefix(trimmed, "* ")
}

// fenceOf returns the marks that a fence of code begins or ends with.
func fenceOf(line string) string {
	for _, mark := range []string{"`", "~"} {
		if n := len(line) - len(strings.TrimLeft(line, mark)); n >= 3 {
			return strings.Repeat(mark, n)
		}
	}
	return ""
}

// anchor adds a heading's anchor as GitHub makes it: small letters, no punctuation, hyphens for spaces, and a number when there was one of the same name.
func (d *document) anchor(heading string) {
	heading = linkText.ReplaceAllString(heading, "$1")
	slug := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	name := slug
	for n := 1; d.anchors[name]; n++ {
		name = fmt.Sprintf("%s-%d", slug, n)
	}
	d.anchors[name] = true
}

// documents reads every Markdown file of the tree; what builds and tests leave behind is none.
func documents(t *testing.T) map[string]document {
	t.Helper()
	out := map[string]document{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && name != "." && (e.Name() == "node_modules" || strings.HasPrefix(e.Name(), ".")):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(name, ".md"):
			return nil
		}
		raw, err := os.ReadFile(name)
		out[name] = read(string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// target returns the file or folder that a link of a document names, and the anchor in it; ok is false of what is not in the tree: another site, a mail address.
func target(from string, l link) (file, anchor string, ok bool, err error) {
	u, err := url.Parse(l.target)
	if err != nil || u.IsAbs() || u.Host != "" {
		return "", "", false, err
	}
	if u.Path == "" {
		return from, u.Fragment, true, nil
	}
	return path.Join(path.Dir(from), u.Path), u.Fragment, true, nil
}

func TestDocuments_EveryLinkLeadsSomewhere(t *testing.T) {
	all := documents(t)
	for name, d := range all {
		if strings.HasPrefix(name, guides) {
			continue
		}
		for _, l := range d.links {
			file, anchor, ok, err := target(name, l)
			switch {
			case err != nil:
				t.Errorf("%s:%d: %q is no link: %v", name, l.line, l.target, err)
				continue
			case !ok:
				continue
			}
			if _, err := os.Stat(file); err != nil || strings.HasPrefix(l.target, "/") {
				t.Errorf("%s:%d: %s: there is no such file or folder", name, l.line, l.target)
				continue
			}
			if to, read := all[file]; anchor != "" && read && !to.anchors[anchor] {
				t.Errorf("%s:%d: %s: %s has no heading of that name", name, l.line, l.target, file)
			}
		}
	}
}

// shown returns the documents that a link to a file or folder shows: of a folder its README, or where it has none, what lies there.
func shown(all map[string]document, file string) (out []string) {
	for _, name := range []string{file, path.Join(file, "README.md")} {
		if _, ok := all[name]; ok {
			return []string{name}
		}
	}
	for name := range all {
		if path.Dir(name) == file {
			out = append(out, name)
		}
	}
	return out
}

// The README names every package that explains itself, and whoever goes on from there finds every document.
func TestDocuments_EveryOneIsFoundFromTheReadme(t *testing.T) {
	all := documents(t)
	found, queue := map[string]bool{"README.md": true}, []string{"README.md"}
	direct := map[string]bool{}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		for _, l := range all[name].links {
			file, _, ok, err := target(name, l)
			if err != nil || !ok {
				continue
			}
			for _, file := range shown(all, file) {
				if name == "README.md" {
					direct[file] = true
				}
				if !found[file] {
					found[file] = true
					queue = append(queue, file)
				}
			}
		}
	}
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, guides): // /help lists them
		case path.Base(name) == "README.md" && name != "README.md" && !direct[name]:
			t.Errorf("README.md has no link to %s", name)
		case !found[name]:
			t.Errorf("no way leads from README.md to %s: link it from the README of its folder", name)
		}
	}
}

// What finds faults is tried on faults.
func TestRead_FindsLinksAndAnchors(t *testing.T) {
	d := read(strings.Join([]string{
		"# A `b`: c, d", "## Twice", "## Twice", "[x](a.md#y) `[no](code)` ![p](p.png \"said\")", "```", "[no](fence)", "```", "", "    [no](indented)",
		"- a list", "    - [n](o)", "", "[ref]: <r.md>", "## [Gửi](z) đi", `<a id="here"></a>`,
	}, "\n"))
	var links []string
	for _, l := range d.links {
		links = append(links, fmt.Sprint(l.line, " ", l.target))
	}
	if want := []string{"4 a.md#y", "4 p.png", "11 o", "13 r.md", "14 z"}; !slices.Equal(links, want) {
		t.Errorf("links %q, want %q", links, want)
	}
	for _, anchor := range []string{"a-b-c-d", "twice", "twice-1", "gửi-đi", "here"} {
		if !d.anchors[anchor] {
			t.Errorf("no anchor %s in %v", anchor, d.anchors)
		}
	}
}
