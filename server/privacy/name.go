package privacy

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NameOf brings a name into one form, so that it is found however it was typed: words in small letters with a space between.
func NameOf(s string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(norm.NFC.String(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " "))
}

// Mentions reports whether the words of a name, in the form of NameOf, stand in a text. An empty name is mentioned nowhere.
func Mentions(text, name string) bool {
	return name != "" && strings.Contains(" "+NameOf(text)+" ", " "+name+" ")
}
