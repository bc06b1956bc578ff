// Package help holds the guides of the product: what a technician does on the first day, in the night, on the day of an audit, in a recall.
//
// Markdown files of this folder and of other shelves (how the boxes of the field are built), Vietnamese and English, come in (README.md says in which form); pages of HTML go out, each with its contents and with
// what it refers to, so that a test can hold a guide against the product. A guide that breaks a rule is an error at the start, with file and line.
package help

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"regexp"
)

// Files are the guides and their pictures.
//
//go:embed guides/*.md pictures
var Files embed.FS

// Order lists the guides of this folder as /help shows them: as a co-op meets them.
func Order() []string {
	return []string{"install", "first-week", "farmer-card", "night", "offline", "audit-day", "recall", "bigger-server"}
}

// Languages are those in which every guide is written, the first one first.
func Languages() []string { return []string{"vi", "en"} }

// Guide is one guide in one language.
type Guide struct {
	ID, Lang string
	Title    string
	Summary  string // its first paragraph, as text
	body     string // all below the title, as HTML with the marks of facts; Body puts them in
	Parts    []Part // its contents

	Pictures []string // names of screens, in order
	Links    []Ref    // of the guide to pages of the product, as written: /alarms, guide:recall#drill
	Commands []Ref    // code that begins with the name of a program
}

// Facts lists what a guide may say of the co-op that reads it: {{fact:coop.phone}}.
func Facts() []string { return []string{"coop.phone"} }

var factMark = regexp.MustCompile(`\{\{fact:([a-z.]*)\}\}`)

// Body is all below the title, with what is known of Facts; what is not is left blank.
func (g *Guide) Body(known map[string]string) template.HTML {
	return template.HTML(factMark.ReplaceAllStringFunc(g.body, func(mark string) string { //nolint:gosec // goldmark escapes, raw HTML is refused, and the files are ours; facts are escaped here
		return template.HTMLEscapeString(known[factMark.FindStringSubmatch(mark)[1]])
	}))
}

// Part is a section that the contents name.
type Part struct {
	ID, Title string
}

// Ref is something a guide refers to, and in which line.
type Ref struct {
	Text string
	Line int
}

// Library are all guides in all languages.
type Library struct {
	shelves []Shelf
	guides  map[string]map[string]*Guide // language, ID
}

// Pages are what guides need of the pages they speak of.
type Pages struct {
	Picture func(file string) string                      // address of a picture
	Word    func(lang, key string) (text string, ok bool) // a text of the locales
	File    func(file string) (to string, ok bool)        // where a file of the tree is shown that is no guide: "#section" of the guide that leads there, or a page; may be nil
}

// Open reads every guide of the shelves.
func Open(pages Pages, shelves ...Shelf) (*Library, error) {
	l := &Library{shelves: shelves, guides: map[string]map[string]*Guide{}}
	var problems []error
	for _, lang := range Languages() {
		l.guides[lang] = map[string]*Guide{}
		at := places(lang, shelves)
		for _, s := range shelves {
			for _, id := range s.IDs {
				g, err := read(s, id, lang, at, pages)
				if err != nil {
					problems = append(problems, err)
					continue
				}
				l.guides[lang][g.ID] = g
			}
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("help: %w", errors.Join(problems...))
	}
	return l, nil
}

// Guide returns a guide in a language.
func (l *Library) Guide(lang, id string) (*Guide, bool) {
	g, ok := l.guides[lang][id]
	return g, ok
}

// List returns all guides in a language, shelf by shelf.
func (l *Library) List(lang string) []*Guide {
	var out []*Guide
	for _, s := range l.shelves {
		out = append(out, l.Shelf(lang, s.Name)...)
	}
	return out
}

// Shelf returns the guides of one shelf in a language, in their order.
func (l *Library) Shelf(lang, name string) []*Guide {
	var out []*Guide
	for _, s := range l.shelves {
		if s.Name != name {
			continue
		}
		for _, id := range s.IDs {
			out = append(out, l.guides[lang][s.id(id)])
		}
	}
	return out
}
