package web

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold is how texts are compared in a search: small letters without the marks of Vietnamese, as people type them in a hurry.
func fold(s string) string {
	var out strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			out.WriteRune('d')
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}
