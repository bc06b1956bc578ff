package digitallink

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxPath bounds a path: the longest key and three qualifiers, each character written as %XX.
const maxPath = 512

// ParsePath reads the escaped path and the raw query of a URL whose path begins with the primary key. What is not exactly a Digital
// Link is a *MalformedError. Fragments are for the browser and no part of either.
func ParsePath(escapedPath, rawQuery string) (Link, error) {
	if len(escapedPath) > maxPath || len(rawQuery) > maxPath {
		return Link{}, malformed(BadLength, escapedPath)
	}
	rest, ok := strings.CutPrefix(escapedPath, "/")
	if !ok {
		return Link{}, malformed(BadKey, escapedPath)
	}
	return read(strings.Split(rest, "/"), escapedPath, rawQuery)
}

// Parse reads a whole URI, on whatever host and under whatever stem: the right-most primary key counts.
func Parse(uri string) (Link, error) {
	if len(uri) > 2*maxPath {
		return Link{}, malformed(BadLength, uri)
	}
	rest, ok := cutScheme(uri)
	if !ok {
		return Link{}, malformed(BadKey, uri)
	}
	rest, _, _ = strings.Cut(rest, "#")
	path, query, _ := strings.Cut(rest, "?")
	segments := strings.Split(path, "/")[1:] // the first is the host
	for i := len(segments) - 2; i >= 0; i -= 2 {
		if _, ok := keyOf(segments[i]); ok {
			return read(segments[i:], path, query)
		}
	}
	if n := len(segments); n > 0 && segments[n-1] == "" {
		return Link{}, malformed(BadSlash, uri)
	}
	return Link{}, malformed(BadKey, uri)
}

// cutScheme takes the scheme off: small or capital letters, not a mix of both.
func cutScheme(uri string) (string, bool) {
	for _, scheme := range []string{"https://", "http://", "HTTPS://", "HTTP://"} {
		if rest, ok := strings.CutPrefix(uri, scheme); ok && rest != "" && rest[0] != '/' {
			return rest, true
		}
	}
	return "", false
}

// read reads segments that begin with the key.
func read(segments []string, path, query string) (Link, error) {
	k, ok := keyOf(segments[0])
	if !ok {
		return Link{}, malformed(BadKey, path)
	}
	for i, s := range segments {
		if s == "" && i%2 == 1 && i == len(segments)-1 && i > 1 {
			return Link{}, malformed(NoValue, segments[i-1]) // /10/ with nothing after it
		}
		if s == "" {
			return Link{}, malformed(BadSlash, path)
		}
	}
	if len(segments) == 1 {
		return Link{}, malformed(LateSegment, path)
	}
	format, _, _ := formatOf(segments[0])
	value, err := unescape(segments[1])
	if err != nil {
		return Link{}, err
	}
	if !strings.ContainsAny(format, "XYZ") && value != segments[1] { // digits are never written as %XX
		err = malformed(numberFault(segments[0]), segments[1])
	} else {
		err = check(segments[0], format, value, segments[1])
	}
	if err != nil {
		return Link{}, err
	}
	l := Link{Key: Element{segments[0], value}}
	if err := l.qualify(k, segments[2:]); err != nil {
		return Link{}, err
	}
	return l, l.describe(k, query)
}

func numberFault(ai string) Fault {
	if ai == "01" {
		return BadGTIN
	}
	return BadNumber
}

// qualify reads key and value segments.
func (l *Link) qualify(k key, segments []string) error {
	sequence, next := []string(nil), 0
	for ; len(segments) > 0; segments = segments[2:] {
		ai := segments[0]
		if ai == l.Key.AI || l.Qualifier(ai) != "" {
			return malformed(Duplicate, ai)
		}
		if sequence == nil {
			if i := slices.IndexFunc(k.sequences, func(s []string) bool { return slices.Contains(s, ai) }); i >= 0 {
				sequence = k.sequences[i]
			}
		}
		at := slices.Index(sequence, ai)
		switch {
		case at < 0:
			return malformed(BadKey, ai)
		case at < next:
			return malformed(BadOrder, ai)
		case len(segments) == 1:
			return malformed(LateSegment, ai)
		}
		value, err := unescape(segments[1])
		if err != nil {
			return err
		}
		format, _ := qualifierFormat(ai)
		if err := check(ai, format, value, segments[1]); err != nil {
			return err
		}
		l.Qualifiers, next = append(l.Qualifiers, Element{ai, value}), at+1
	}
	return nil
}

// unescape decodes one value.
func unescape(s string) (string, error) {
	v, err := url.PathUnescape(s)
	if err != nil || !utf8.ValidString(v) {
		return "", malformed(BadEncoding, s)
	}
	return v, nil
}

// describe reads the attributes of the query. Names that are not numbers are none of GS1's business.
func (l *Link) describe(k key, raw string) error {
	if raw == "" {
		return nil
	}
	if _, err := url.ParseQuery(raw); err != nil {
		return malformed(BadEncoding, raw)
	}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		ai, err := url.QueryUnescape(name)
		if err != nil || ai == "" || strings.Trim(ai, "0123456789") != "" {
			continue
		}
		text, err := url.QueryUnescape(value)
		format, attribute, _ := formatOf(ai)
		if err != nil || !attribute || !l.takes(k, ai) || checkValue(format, text) != "" {
			return malformed(BadQuery, ai)
		}
		l.Attributes = append(l.Attributes, Element{ai, text})
	}
	return nil
}

// takes reports whether an attribute may stand beside the path: what could be a qualifier of it may not, and nothing may stand twice.
func (l *Link) takes(k key, ai string) bool {
	if ai == l.Key.AI || l.Attribute(ai) != "" {
		return false
	}
	for _, s := range k.sequences {
		// Which sequence the path has is known by its first qualifier; without one, all of them could still be.
		if slices.Contains(s, ai) && (len(l.Qualifiers) == 0 || slices.Contains(s, l.Qualifiers[0].AI)) {
			return false
		}
	}
	return true
}
