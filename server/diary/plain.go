package diary

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Plain writes what people wrote without marks, in small letters, with single spaces and nothing else between words: Rầy nâu, rầy  nâu and ray nau are one pest.
func Plain(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			b.WriteByte('d')
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
