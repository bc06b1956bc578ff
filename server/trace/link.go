package trace

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"aovuon/server/farm"
)

// Link is a GS1 Digital Link to a product, a lot of it or an item of the lot: the path /01/<GTIN>[/22/<variant>][/10/<lot>][/21/<serial>]
// of GS1 Digital Link URI Syntax 1.3 and later: numeric keys, 14-digit GTIN, qualifiers in this order.
type Link struct {
	GTIN    string // AI 01
	Variant string // AI 22
	Lot     string // AI 10
	Serial  string // AI 21
}

// Fault says which part of a scanned path is malformed, and how. The texts that people read stand in the pages' locales,
// under the value of Fault.
type Fault string

// The faults of a path.
const (
	BadLength    Fault = "length"     // longer than any Digital Link of ours can be
	BadEncoding  Fault = "encoding"   // a percent sign without two hexadecimal digits, or bytes that are no characters
	BadGTIN      Fault = "gtin"       // not 14 digits
	BadCheck     Fault = "check"      // check digit of the GTIN
	BadKey       Fault = "key"        // a key that a GTIN does not take
	BadOrder     Fault = "order"      // qualifiers in the wrong order
	Duplicate    Fault = "duplicate"  // a key twice
	NoValue      Fault = "empty"      // a key without value
	BadSlash     Fault = "slash"      // trailing slash or empty segment
	BadCharacter Fault = "character"  // a character outside GS1's set 82
	BadValueLen  Fault = "value"      // more than 20 characters
	BadQuery     Fault = "query"      // a GS1 attribute after ? that may not stand there
	LateSegment  Fault = "incomplete" // a path that ends after a key
)

// Faults lists every fault.
func Faults() []Fault {
	return []Fault{
		BadLength, BadEncoding, BadGTIN, BadCheck, BadKey, BadOrder, Duplicate, NoValue, BadSlash, BadCharacter, BadValueLen, BadQuery,
		LateSegment,
	}
}

// MalformedError is the error of a path that is no Digital Link.
type MalformedError struct {
	Fault Fault
	Part  string // of the path, as it was written, at most 40 characters
}

func (e *MalformedError) Error() string {
	return "trace: malformed Digital Link: " + string(e.Fault) + ": " + strconv.QuoteToASCII(e.Part)
}

func malformed(f Fault, part string) error {
	for i := range part {
		if i >= 40 {
			part = part[:i]
			break
		}
	}
	return &MalformedError{Fault: f, Part: strings.ToValidUTF8(part, "�")}
}

// maxPath bounds a path: 14 digits and three values of 20 characters, each written as %XX.
const maxPath = 256

// ParseLink reads the escaped path and the raw query of a scanned URL. It guesses nothing: what is not exactly a Digital
// Link is a *MalformedError. Fragments are for the browser and no part of either.
func ParseLink(escapedPath, rawQuery string) (Link, error) {
	if len(escapedPath) > maxPath || len(rawQuery) > 2*maxPath {
		return Link{}, malformed(BadLength, escapedPath)
	}
	rest, ok := strings.CutPrefix(escapedPath, "/01/")
	if !ok {
		return Link{}, malformed(BadKey, escapedPath)
	}
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		if s == "" && i%2 == 0 && i == len(segments)-1 && i > 0 {
			return Link{}, malformed(NoValue, segments[i-1]) // /10/ with nothing after it
		}
		if s == "" {
			return Link{}, malformed(BadSlash, escapedPath)
		}
	}
	l := Link{GTIN: segments[0]}
	if err := checkGTIN(l.GTIN); err != nil {
		return Link{}, err
	}
	if err := l.qualifiers(segments[1:]); err != nil {
		return Link{}, err
	}
	return l, l.checkQuery(rawQuery)
}

func checkGTIN(s string) error {
	if len(s) != 14 || strings.Trim(s, "0123456789") != "" {
		return malformed(BadGTIN, s)
	}
	if CheckDigit(s[:13]) != s[13] {
		return malformed(BadCheck, s)
	}
	return nil
}

// qualifiers reads key and value segments.
func (l *Link) qualifiers(segments []string) error {
	order := []struct {
		key string
		to  *string
	}{{"22", &l.Variant}, {"10", &l.Lot}, {"21", &l.Serial}}
	next := 0
	for ; len(segments) > 0; segments = segments[2:] {
		key := segments[0]
		at := -1
		for i, o := range order {
			if o.key == key {
				at = i
			}
		}
		switch {
		case key == "01":
			return malformed(Duplicate, key)
		case at < 0:
			return malformed(BadKey, key)
		case *order[at].to != "":
			return malformed(Duplicate, key)
		case at < next:
			return malformed(BadOrder, key)
		case len(segments) == 1:
			return malformed(LateSegment, key)
		}
		value, err := unescape(segments[1])
		if err != nil {
			return err
		}
		*order[at].to, next = value, at+1
	}
	return nil
}

// unescape decodes one value: 1 to 20 characters of set 82.
func unescape(s string) (string, error) {
	v, err := url.PathUnescape(s)
	if err != nil || !utf8.ValidString(v) {
		return "", malformed(BadEncoding, s)
	}
	for _, r := range v {
		if !inSet82(r) {
			return "", malformed(BadCharacter, s)
		}
	}
	if len(v) > 20 {
		return "", malformed(BadValueLen, s)
	}
	return v, nil
}

// inSet82 reports whether r is in GS1 AI encodable character set 82 (General Specifications, figure 7.11-1).
func inSet82(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || (r < 128 && strings.ContainsRune(`!"%&'()*+,-./:;<=>?_`, r))
}

// checkQuery refuses GS1 attributes that may not follow this path. Names that are not numbers are none of GS1's business.
func (l Link) checkQuery(raw string) error {
	if raw == "" {
		return nil
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return malformed(BadEncoding, raw)
	}
	for name, values := range q {
		if name == "" || strings.Trim(name, "0123456789") != "" {
			continue
		}
		if !attribute(name) || len(values) != 1 || values[0] == "" {
			return malformed(BadQuery, name)
		}
	}
	return nil
}

// attribute reports whether a numeric name is an application identifier that may stand in the query of a GTIN: one GS1
// has given out, and neither the GTIN nor one of its qualifiers.
func attribute(name string) bool {
	n, err := strconv.Atoi(name)
	if err != nil {
		return false
	}
	switch len(name) {
	case 2:
		return n == 2 || n == 3 || (n >= 11 && n <= 13) || (n >= 15 && n <= 17) || n == 20 || n == 30 || n == 37 || n >= 90
	case 3:
		return (n >= 240 && n <= 243) || n == 250 || n == 251 || (n >= 400 && n <= 403) || (n >= 410 && n <= 427) || (n >= 710 && n <= 717)
	case 4:
		return (n >= 3100 && n <= 3699) || (n >= 3900 && n <= 3959) || (n >= 4300 && n <= 4333) || (n >= 7001 && n <= 7259) || (n >= 8001 && n <= 8200)
	}
	return false
}

// Path returns the canonical path of the link; ParseLink reads it back.
func (l Link) Path() string {
	var b strings.Builder
	b.WriteString("/01/" + l.GTIN)
	for _, q := range []struct{ key, value string }{{"22", l.Variant}, {"10", l.Lot}, {"21", l.Serial}} {
		if q.value != "" {
			b.WriteString("/" + q.key + "/" + escape(q.value))
		}
	}
	return b.String()
}

// escape percent-encodes all but RFC 3986's unreserved characters: reserved ones must be encoded in a Digital Link.
// A value of dots alone would be cleaned away as a path by those on the way, so its dots are encoded too.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	dots := strings.Trim(s, ".") == ""
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || (c == '.' && !dots) {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

// CheckDigit returns the GS1 check digit of a string of digits.
func CheckDigit(digits string) byte { return farm.CheckDigit(digits) }
