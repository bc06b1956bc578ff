// Package yamlfile reads files that people write and tells them what is wrong in them: YAML text and the Go type it is
// for come in; a Document out, which points at lines, or an Error with file, line, column, the line itself, what is wrong
// and how to mend it.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// text is raw without the byte order mark that some editors put before a text.
func text(raw []byte) []byte { return bytes.TrimPrefix(raw, []byte("\ufeff")) }

// Decode reads YAML into v and takes no keys a structure does not have. The decoder panics on some malformed anchors and tags (an alias to a
// value with a tag nobody knows); that is a mistake in the file, no reason to end.
func Decode(raw []byte, v any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("this YAML cannot be read (%v): write it without anchors, aliases and tags", p)
		}
	}()
	return yaml.UnmarshalWithOptions(text(raw), v, yaml.Strict())
}

// Document is a file that can say where something stands in it.
type Document struct {
	path    string
	example string
	lines   []string
	file    *ast.File
}

// Error is one thing that is wrong with a file.
type Error struct {
	File         string
	Line, Column int    // from 1; 0 when the file as a whole is meant
	Text         string // the line itself, or what is around the column of a very long one
	What         string
	Mend         string
	cut          int // characters of the line that are not in Text
}

// Error prints file, line and column, what is wrong, the line, and the mend.
func (p *Error) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	fmt.Fprintf(&b, ": %s", p.What)
	if p.Text != "" {
		fmt.Fprintf(&b, "\n  %5d | %s\n        | %s^", p.Line, p.Text, strings.Repeat(" ", max(p.Column-p.cut-1, 0)))
	}
	if p.Mend != "" {
		fmt.Fprintf(&b, "\n  mend: %s", p.Mend)
	}
	return b.String()
}

// Parse reads the text of a file with one document in it. example is the command that prints a file to start from; errors
// name it.
func Parse(path string, raw []byte, example string) (*Document, error) {
	raw = text(raw)
	if !utf8.Valid(raw) {
		return nil, &Error{File: path, What: "this is no UTF-8 text", Mend: "save the file as UTF-8"}
	}
	d := &Document{path: path, example: example, lines: strings.Split(string(raw), "\n")}
	if strings.TrimSpace(string(raw)) == "" {
		return nil, &Error{File: path, What: "the file is empty", Mend: example + " prints one to start from"}
	}
	if err := d.tooDeep(); err != nil {
		return nil, err
	}
	var err error
	if d.file, err = parser.ParseBytes(raw, 0); err != nil {
		return nil, d.Explain(err)
	}
	switch bodies := d.bodies(); len(bodies) {
	case 0:
		return nil, &Error{File: path, What: "the file holds nothing but comments", Mend: example + " prints one to start from"}
	case 1:
		return d, nil
	default:
		return nil, d.at(bodies[1].GetToken(), "a second document", "keep one: everything after the line --- would not be read")
	}
}

// Path is the name of the file.
func (d *Document) Path() string { return d.path }

// bodies are the documents that hold something.
func (d *Document) bodies() (out []ast.Node) {
	for _, doc := range d.file.Docs {
		if doc.Body != nil && doc.Body.Type() != ast.CommentType {
			out = append(out, doc.Body)
		}
	}
	return out
}

// at points at a token.
func (d *Document) at(t *token.Token, what, mend string) *Error {
	p := &Error{File: d.path, What: what, Mend: mend}
	if t == nil || t.Position == nil {
		return p
	}
	p.Line, p.Column = t.Position.Line, t.Position.Column
	if p.Line >= 1 && p.Line <= len(d.lines) {
		p.Text, p.cut = around(strings.TrimRight(d.lines[p.Line-1], "\r"), p.Column)
	}
	return p
}

// around cuts a line that fits no screen to what is around a column, and counts what it left out before.
func around(line string, column int) (text string, cut int) {
	const most = 200
	r := []rune(line)
	if len(r) <= most {
		return line, 0
	}
	cut = min(max(column-1-most/2, 0), len(r)-most)
	return string(r[cut : cut+most]), cut
}

// mostDepth is how deep brackets may stand in each other: the YAML library needs memory and time by the square of it.
const mostDepth = 500

// tooDeep finds where brackets are opened and never closed in such numbers that no person can have meant it.
func (d *Document) tooDeep() error {
	depth := 0
	for i, line := range d.lines {
		for j, c := range []byte(line) {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			}
			if depth > mostDepth {
				return d.at(&token.Token{Position: &token.Position{Line: i + 1, Column: utf8.RuneCountInString(line[:j]) + 1}},
					fmt.Sprintf("%d brackets are open here", depth), "close them; "+d.example+" shows the shape of every part")
			}
		}
	}
	return nil
}

// Problem points at the value the first of the YAML paths leads to; where none is there, at the nearest thing around
// the first one that is.
func (d *Document) Problem(what, mend string, paths ...string) *Error {
	for path := paths[0]; path != "$"; path = path[:strings.LastIndexAny(path, ".[")] {
		paths = append(paths, path)
	}
	for _, path := range paths {
		if n := d.Node(path); n != nil {
			return d.at(n.GetToken(), what, mend)
		}
	}
	for _, doc := range d.file.Docs {
		if m, ok := doc.Body.(*ast.MappingNode); ok && len(m.Values) > 0 {
			return d.at(m.Values[0].Key.GetToken(), what, mend)
		}
	}
	return d.at(nil, what, mend)
}

// Node is what a YAML path leads to, or nil.
func (d *Document) Node(path string) ast.Node {
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	n, err := p.FilterFile(d.file)
	if err != nil {
		return nil
	}
	return n
}

// Explain turns what the YAML library says into an Error with its mend.
func (d *Document) Explain(err error) error {
	var y yaml.Error
	if !errors.As(err, &y) {
		return &Error{File: d.path, What: err.Error()}
	}
	var syntax *yaml.SyntaxError
	var mistyped *yaml.TypeError
	var twice *yaml.DuplicateKeyError
	var tooBig *yaml.OverflowError
	var shape *yaml.UnexpectedNodeTypeError
	var mend string
	switch {
	case errors.As(err, &mistyped):
		mend = "write " + typeName(mistyped.DstType)
	case errors.As(err, &tooBig):
		mend = "write a number that fits"
	case errors.As(err, &twice), errors.As(err, &syntax) && strings.Contains(syntax.Message, "already defined"):
		mend = "keep one of the two"
	case errors.As(err, &shape):
		mend = d.example + " shows the shape of every part"
	default:
		mend = "this is not YAML: look at the indentation, the colons and the brackets here and on the line before"
	}
	what, _, _ := strings.Cut(y.GetMessage(), "\n")
	if mistyped != nil {
		what = fmt.Sprintf("%s where %s is expected", typeName(mistyped.SrcType), typeName(mistyped.DstType))
	}
	return d.at(y.GetToken(), what, mend)
}

func typeName(t reflect.Type) string {
	if t == nil {
		return "nothing"
	}
	if t == reflect.TypeFor[time.Duration]() {
		return "a time with its unit, as in 30s or 15m"
	}
	switch k := t.Kind(); {
	case k == reflect.String:
		return "a text"
	case k == reflect.Bool:
		return "true or false"
	case k >= reflect.Int && k <= reflect.Uint64:
		return "a whole number"
	case k == reflect.Float32 || k == reflect.Float64:
		return "a number"
	case k == reflect.Slice:
		return "a list"
	case k == reflect.Map || k == reflect.Struct:
		return "a group of keys"
	case k == reflect.Pointer:
		return typeName(t.Elem())
	}
	return t.String()
}

// Misfits finds every key that the structure of t does not have and every value that its type cannot hold: the YAML library
// would report the first, and not always where it stands.
func (d *Document) Misfits(t reflect.Type) error {
	var bad []error
	for _, doc := range d.file.Docs {
		d.walkKeys(doc.Body, t, &bad)
	}
	return errors.Join(bad...)
}

func (d *Document) walkKeys(n ast.Node, t reflect.Type, bad *[]error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if wrong := d.mistyped(n, t); wrong != nil {
		*bad = append(*bad, wrong)
		return
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		if t.Kind() == reflect.Slice {
			for _, v := range n.Values {
				d.walkKeys(v, t.Elem(), bad)
			}
		}
	case *ast.MappingNode:
		for _, v := range n.Values {
			d.walkKeys(v, t, bad)
		}
	case *ast.MappingValueNode:
		d.walkKey(n, t, bad)
	}
}

func (d *Document) walkKey(n *ast.MappingValueNode, t reflect.Type, bad *[]error) {
	key := n.Key.GetToken().Value
	if t.Kind() == reflect.Map {
		d.walkKeys(n.Value, t.Elem(), bad)
	}
	if t.Kind() != reflect.Struct {
		return
	}
	keys := keysOf(t)
	f, ok := keys[key]
	if !ok {
		mend := "remove it, or write one of: " + strings.Join(slices.Sorted(maps.Keys(keys)), ", ")
		*bad = append(*bad, d.at(n.Key.GetToken(), fmt.Sprintf("unknown key %q", key), mend))
		return
	}
	d.walkKeys(n.Value, f, bad)
}

// keysOf lists the keys a struct is written with, and their types.
func keysOf(t reflect.Type) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	for f := range t.Fields() {
		tag, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if options == "inline" {
			maps.Copy(keys, keysOf(f.Type))
		} else if tag != "" && tag != "-" {
			keys[tag] = f.Type
		}
	}
	return keys
}

// QuoteKey writes a key of a map so that it can stand in a path.
func QuoteKey(k string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_]+$`).MatchString(k) {
		return k
	}
	return "'" + strings.Join(slices.Collect(strings.SplitSeq(k, "'")), "") + "'"
}
