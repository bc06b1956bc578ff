package digitallink

import (
	"strconv"
	"strings"
	"time"

	"aovuon/server/farm"
)

// InSet82 reports whether r is in GS1 AI encodable character set 82 (General Specifications, figure 7.11-1).
func InSet82(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || (r < 128 && strings.ContainsRune(`!"%&'()*+,-./:;<=>?_`, r))
}

// inSet reports whether r is in the set that a form's letter names.
func inSet(set byte, r rune) bool {
	switch set {
	case 'N':
		return r >= '0' && r <= '9'
	case 'Y': // set 39
		return r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '#' || r == '-' || r == '/'
	case 'Z': // base 64 for URIs, with padding
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '='
	}
	return InSet82(r)
}

// checkValue reports what is wrong with the value of a form; "" when nothing is.
func checkValue(format, value string) Fault {
	for _, r := range value {
		if !InSet82(r) && !strings.HasPrefix(format, "Y") {
			return BadCharacter
		}
	}
	rest := value
	for component := range strings.FieldsSeq(format) {
		optional := component[0] == '['
		component = strings.Trim(component, "[]")
		if optional && rest == "" {
			return ""
		}
		shape, rules, _ := strings.Cut(component, ",")
		n, upTo := strings.CutPrefix(shape[1:], "..")
		size, err := strconv.Atoi(n)
		if err != nil {
			return BadNumber // the table is tested against the dictionary, so it is none of ours
		}
		if upTo {
			size = min(size, len(rest))
		}
		if size == 0 || len(rest) < size {
			return BadNumber
		}
		part := rest[:size]
		rest = rest[size:]
		for _, r := range part {
			if !inSet(shape[0], r) {
				return BadNumber
			}
		}
		if f := checkRule(rules, part); f != "" {
			return f
		}
	}
	if rest != "" {
		return BadValueLen
	}
	return ""
}

// checkRule reports what is wrong with digits that a rule stands beside.
func checkRule(rule, part string) Fault {
	switch rule {
	case "csum":
		if farm.CheckDigit(part[:len(part)-1]) != part[len(part)-1] {
			return BadCheck
		}
	case "zero":
		if part != "0" {
			return BadNumber
		}
	case "yymmdd", "yymmd0":
		if rule == "yymmd0" && strings.HasSuffix(part, "00") {
			part = part[:4] + "01"
		}
		if _, err := time.Parse("060102", part); err != nil {
			return BadNumber
		}
	}
	return ""
}

// check checks an element of the path.
func check(ai, format, value, written string) error {
	f := checkValue(format, value)
	if f == BadNumber || f == BadValueLen {
		switch {
		case ai == "01":
			f = BadGTIN
		case strings.HasPrefix(format, "X.."):
			f = BadValueLen
		default:
			f = BadNumber
		}
	}
	if f != "" {
		return malformed(f, written)
	}
	return nil
}

// Escape percent-encodes all but RFC 3986's unreserved characters: reserved ones must be encoded in a Digital Link.
// A value of dots alone would be cleaned away as a path by those on the way, so its dots are encoded too.
func Escape(s string) string {
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
