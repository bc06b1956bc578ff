package digitallink

import (
	"net/url"
	"slices"
	"strings"
)

// Root is the root of canonical Digital Links: GS1's own resolver. Only numbers that GS1 gave out may be written under it.
const Root = "https://id.gs1.org"

// New makes a Link of elements in any order: the one primary key first, its qualifiers in the order of the path, the others as attributes.
func New(elements ...Element) (Link, error) {
	at := slices.IndexFunc(elements, func(e Element) bool { _, ok := keyOf(e.AI); return ok })
	if at < 0 {
		return Link{}, malformed(BadKey, "no primary key")
	}
	k, _ := keyOf(elements[at].AI)
	var path strings.Builder
	path.WriteString("/" + elements[at].AI + "/" + Escape(elements[at].Value))
	used := map[int]bool{at: true}
	for _, ai := range k.sequenceOf(elements) {
		for i, e := range elements {
			if e.AI == ai {
				path.WriteString("/" + ai + "/" + Escape(e.Value))
				used[i] = true
			}
		}
	}
	query := url.Values{}
	var names []string
	for i, e := range elements {
		if !used[i] {
			if _, attribute, _ := formatOf(e.AI); !attribute {
				return Link{}, malformed(BadQuery, e.AI)
			}
			query.Add(e.AI, e.Value)
			names = append(names, e.AI)
		}
	}
	l, err := ParsePath(path.String(), query.Encode())
	if err != nil {
		return Link{}, err
	}
	slices.SortStableFunc(l.Attributes, func(a, b Element) int { return slices.Index(names, a.AI) - slices.Index(names, b.AI) })
	return l, nil
}

// sequenceOf returns the sequence that elements call for: the one of a qualifier that cannot be an attribute, or else the first of any.
func (k key) sequenceOf(elements []Element) []string {
	var some []string
	for _, sequence := range k.sequences {
		for _, e := range elements {
			if !slices.Contains(sequence, e.AI) {
				continue
			}
			if _, attribute, _ := formatOf(e.AI); !attribute {
				return sequence
			}
			if some == nil {
				some = sequence
			}
		}
	}
	return some
}

// Path returns the path with its key and qualifiers; ParsePath reads it back.
func (l Link) Path() string {
	var b strings.Builder
	b.WriteString("/" + l.Key.AI + "/" + Escape(l.Key.Value))
	for _, q := range l.Qualifiers {
		b.WriteString("/" + q.AI + "/" + Escape(q.Value))
	}
	return b.String()
}

// URI returns the link on a host of one's own, with its attributes. stem is http:// or https:// and whatever stands before the key, without
// a slash at its end.
func (l Link) URI(stem string) string {
	s, mark := stem+l.Path(), "?"
	for _, a := range l.Attributes {
		s += mark + a.AI + "=" + Escape(a.Value)
		mark = "&"
	}
	return s
}

// Canonical returns the link under Root, without attributes. It is for numbers of GS1 alone.
func (l Link) Canonical() string { return Root + l.Path() }
