package notify

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// ShortMost is how many characters of the GSM 7-bit alphabet one SMS holds.
const ShortMost = 160

// instead are the signs that have another form in a short text. What has none, and is not of the alphabet, becomes a question mark.
func instead() map[rune]string {
	return map[rune]string{
		'đ': "d", 'Đ': "D", '\u00a0': " ", '\u202f': " ", '\u2009': " ", '\t': " ", '–': "-", '—': "-", '−': "-", '·': "-", '•': "-", '…': "...", '“': `"`, '”': `"`, '‘': "'", '’': "'",
		'°': " do ", '±': "+-", '×': "x", '≥': ">=", '≤': "<=", '≈': "=", '₀': "0", '₁': "1", '₂': "2", '₃': "3", '₄': "4", '⁺': "+", '⁻': "-", '²': "2", '³': "3", '‰': " phan nghin", 'µ': "u", 'μ': "u",
		'→': "->", '[': "(", ']': ")", '{': "(", '}': ")", '~': "-", '|': "/", '\\': "/", '^': "", '`': "'", '€': "EUR", 'Ø': "O", 'ø': "o",
	}
}

// Plain writes a text without the marks of Vietnamese and with signs of the GSM 7-bit alphabet alone that are one character there and look the
// same on every telephone: letters without marks, digits, and what stands in ASCII.
func Plain(s string) string {
	other := instead()
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch t, ok := other[r]; {
		case unicode.Is(unicode.Mn, r):
		case ok:
			b.WriteString(t)
		case r == '\n' || r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// Short writes the text of one SMS: parts in their order with a space between, as many whole ones as it holds. Where not even the first fits, it
// is cut at a word.
func Short(parts ...string) string {
	var out string
	for i, p := range parts {
		p = strings.Join(strings.Fields(Plain(p)), " ")
		if p == "" {
			continue
		}
		next := p
		if out != "" {
			next = out + " " + p
		}
		if len(next) <= ShortMost {
			out = next
			continue
		}
		if i == 0 || out == "" {
			return cutWord(next, ShortMost)
		}
		if room := ShortMost - len(out); room > 40 { // the beginning of a sentence says something
			return out + " " + cutWord(p, room-1)
		}
		return out
	}
	return out
}

// cutWord bounds a plain text, at the end of a word where there is one.
func cutWord(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[:most-3]
	if i := strings.LastIndexByte(s, ' '); i > most/2 {
		s = s[:i]
	}
	return strings.TrimRight(s, " ,.;:-") + "..."
}
