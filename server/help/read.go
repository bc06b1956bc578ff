package help

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// reader takes one file apart.
type reader struct {
	files fs.FS
	pages Pages
	file  string            // in files
	dir   string            // of the tree
	at    map[string]string // file of the tree, the guide that it is
	raw   []byte
	guide *Guide
	bad   []error
}

// read reads one guide. All that is wrong with it is told at once.
func read(s Shelf, id, lang string, at map[string]string, pages Pages) (*Guide, error) {
	file := s.File(id, lang)
	raw, err := fs.ReadFile(s.Files, file)
	if err != nil {
		return nil, fmt.Errorf("a guide misses in one language: %w", err)
	}
	rd := &reader{files: s.Files, pages: pages, file: file, dir: path.Join(s.Root, path.Dir(file)), at: at, guide: &Guide{ID: s.id(id), Lang: lang}}
	raw = rd.spoken(raw)
	rd.facts(raw)
	rd.raw = raw
	md := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithHeadingAttribute()),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(rd, 1))))
	doc := md.Parser().Parse(text.NewReader(raw))
	rd.head(doc)
	err = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			rd.node(n)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return nil, err
	}
	if len(rd.bad) > 0 {
		return nil, errors.Join(rd.bad...)
	}
	var b bytes.Buffer
	if err := md.Renderer().Render(&b, raw, doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	rd.guide.body = b.String()
	return rd.guide, nil
}

var quoted = regexp.MustCompile(`\{\{([a-z0-9_.-]+)\}\}`)

// spoken puts in the words of buttons and titles, which guides quote by their keys: {{alarm.ack}}. So none goes stale.
func (rd *reader) spoken(raw []byte) []byte {
	return quoted.ReplaceAllFunc(raw, func(m []byte) []byte {
		key := string(quoted.FindSubmatch(m)[1])
		text, ok := rd.pages.Word(rd.guide.Lang, key)
		if !ok {
			rd.bad = append(rd.bad, fmt.Errorf("%s: no text %s on the pages", rd.file, key))
		}
		return []byte(text)
	})
}

// facts finds marks of what nobody knows.
func (rd *reader) facts(raw []byte) {
	for _, m := range factMark.FindAllSubmatch(raw, -1) {
		if !slices.Contains(Facts(), string(m[1])) {
			rd.bad = append(rd.bad, fmt.Errorf("%s: no fact %s: there are %s", rd.file, m[1], strings.Join(Facts(), ", ")))
		}
	}
}

// head takes the title and the summary off the document.
func (rd *reader) head(doc ast.Node) {
	title, ok := doc.FirstChild().(*ast.Heading)
	if !ok || title.Level != 1 {
		rd.wrong(doc, "a guide begins with its title: # Title")
		return
	}
	summary, ok := title.NextSibling().(*ast.Paragraph)
	if !ok {
		rd.wrong(title, "the title is followed by a paragraph that says what the guide is for")
		return
	}
	rd.guide.Title, rd.guide.Summary = rd.words(title), rd.words(summary)
	doc.RemoveChild(doc, title)
	doc.RemoveChild(doc, summary)
}

// node checks one node against the form of guides and notes what it refers to.
func (rd *reader) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.Document, *ast.Paragraph, *ast.TextBlock, *ast.List, *ast.ListItem, *ast.Emphasis, *ast.Text, *ast.String, *ast.Blockquote,
		*east.Table, *east.TableHeader, *east.TableRow, *east.TableCell:
	case *ast.Heading:
		rd.heading(n)
	case *ast.CodeSpan:
		rd.code(n, rd.words(n))
	case *ast.FencedCodeBlock:
		for i := range n.Lines().Len() {
			at := n.Lines().At(i)
			rd.codeAt(rd.lineOf(at.Start), string(at.Value(rd.raw)))
		}
	case *ast.Link:
		rd.link(n)
	case *ast.Image:
		rd.image(n)
	default:
		rd.wrong(n, fmt.Sprintf("a guide has no %s", n.Kind()))
	}
}

func (rd *reader) heading(n *ast.Heading) {
	switch n.Level {
	case 2:
		id, ok := n.AttributeString("id")
		raw, isBytes := id.([]byte)
		if !ok || !isBytes {
			rd.wrong(n, "a section has a name that links lead to: ## Heading {#name}")
			return
		}
		rd.guide.Parts = append(rd.guide.Parts, Part{ID: string(raw), Title: rd.words(n)})
	case 3:
	default:
		rd.wrong(n, fmt.Sprintf("a heading of level %d: there are one title, sections (##) and parts of them (###)", n.Level))
	}
}

// link leads to a page of the product, a guide, a section of this one, or out by https.
func (rd *reader) link(n *ast.Link) {
	to := rd.shown(string(n.Destination))
	n.Destination = []byte(to)
	line := rd.lineOf(rd.start(n))
	inside := ""
	if rd.guide.Lang != Languages()[0] {
		inside = "?lang=" + rd.guide.Lang
	}
	switch {
	case strings.HasPrefix(to, "https://"):
		return
	case strings.HasPrefix(to, "#"):
		rd.guide.Links = append(rd.guide.Links, Ref{"guide:" + rd.guide.ID + to, line})
	case strings.HasPrefix(to, "guide:"):
		rd.guide.Links = append(rd.guide.Links, Ref{to, line})
		id, part, _ := strings.Cut(strings.TrimPrefix(to, "guide:"), "#")
		n.Destination = []byte("/help/" + id + inside)
		if part != "" {
			n.Destination = append(n.Destination, "#"+part...)
		}
	case strings.HasPrefix(to, "/") && !strings.ContainsAny(to, "?#"):
		rd.guide.Links = append(rd.guide.Links, Ref{to, line})
		n.Destination = []byte(to + inside)
	default:
		rd.wrong(n, fmt.Sprintf("a link to %q: there are /page, guide:ID, guide:ID#section, #section, https://… and the files of guides in the same language", to))
	}
}

// shown returns what a link to a file of the tree leads to on the pages; any other link it leaves.
func (rd *reader) shown(to string) string {
	file, part, cut := strings.Cut(to, "#")
	if file == "" || strings.HasPrefix(file, "/") || strings.Contains(file, ":") {
		return to
	}
	file = path.Join(rd.dir, file)
	if id, ok := rd.at[file]; ok {
		if cut {
			return "guide:" + id + "#" + part
		}
		return "guide:" + id
	}
	if rd.pages.File != nil && !cut {
		if page, ok := rd.pages.File(file); ok {
			return page
		}
	}
	return to
}

func (rd *reader) image(n *ast.Image) {
	name, ok := strings.CutPrefix(string(n.Destination), "screen:")
	if !ok || path.Base(name) != name {
		rd.wrong(n, fmt.Sprintf("a picture %q: there is ![what is seen](screen:NAME) alone", n.Destination))
		return
	}
	if rd.words(n) == "" {
		rd.wrong(n, "a picture says what is seen on it: ![what is seen](screen:NAME)")
	}
	if _, err := measured(rd.files, name); err != nil {
		rd.wrong(n, err.Error())
	}
	rd.guide.Pictures = append(rd.guide.Pictures, name)
}

var (
	program = regexp.MustCompile(`^(gateway|server|aovuon-server) [a-z]`)
	asUser  = regexp.MustCompile(`^sudo (-u [a-z-]+ )?`) // before a command
)

func (rd *reader) code(n ast.Node, what string) { rd.codeAt(rd.lineOf(rd.start(n)), what) }

func (rd *reader) codeAt(line int, what string) {
	if what = asUser.ReplaceAllString(strings.TrimSpace(what), ""); program.MatchString(what) {
		rd.guide.Commands = append(rd.guide.Commands, Ref{what, line})
	}
}

// words returns the text of a node and of what is in it.
func (rd *reader) words(n ast.Node) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Segment.Value(rd.raw))
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		default:
			b.WriteString(rd.words(c))
		}
	}
	return strings.TrimSpace(b.String())
}

// start returns where in the file a node begins, as far as goldmark knows.
func (rd *reader) start(n ast.Node) int {
	for ; n != nil; n = n.Parent() {
		if t, ok := n.(*ast.Text); ok {
			return t.Segment.Start
		}
		for c := n.FirstChild(); c != nil; c = c.FirstChild() {
			if t, ok := c.(*ast.Text); ok {
				return t.Segment.Start
			}
		}
		if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 {
			return n.Lines().At(0).Start
		}
	}
	return 0
}

func (rd *reader) lineOf(at int) int { return 1 + bytes.Count(rd.raw[:at], []byte("\n")) }

func (rd *reader) wrong(n ast.Node, what string) {
	rd.bad = append(rd.bad, fmt.Errorf("%s:%d: %s", rd.file, cmp.Or(rd.lineOf(rd.start(n)), 1), what))
}

// RegisterFuncs implements renderer.NodeRenderer: pictures are drawn with their size, and fetched when they come into sight.
func (rd *reader) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindImage, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkSkipChildren, nil
		}
		img := n.(*ast.Image)
		name := strings.TrimPrefix(string(img.Destination), "screen:")
		size, err := measured(rd.files, name)
		if err != nil {
			return ast.WalkStop, err
		}
		_, err = fmt.Fprintf(w, `<img class="screen" src="%s" width="%d" height="%d" loading="lazy" alt="%s">`,
			template.HTMLEscapeString(rd.pages.Picture(name+".png")), size.X, size.Y, template.HTMLEscapeString(rd.words(img)))
		if err != nil {
			return ast.WalkStop, fmt.Errorf("picture %s: %w", name, err)
		}
		return ast.WalkSkipChildren, nil
	})
}
