package calibration

import (
	"encoding/json"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// nameOf brings a name into one form, so that it is found however it was typed: words in small letters with a space between.
func nameOf(s string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(norm.NFC.String(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " "))
}

// holds reports whether the words of a name stand in a text.
func holds(text, name string) bool { return strings.Contains(" "+nameOf(text)+" ", " "+name+" ") }

// Names reports whether a document says that one of some people did the calibration, or cannot be read and holds one of their names. Names
// that are empty name nobody.
func Names(body string, people []string) bool {
	var doc struct {
		Who  string `json:"who"`
		Note string `json:"note"`
	}
	err := json.Unmarshal([]byte(body), &doc)
	for _, p := range people {
		name := nameOf(p)
		if name == "" {
			continue
		}
		if err != nil && holds(body, name) {
			return true
		}
		if err == nil && (nameOf(doc.Who) == name || holds(doc.Note, name)) {
			return true
		}
	}
	return false
}

// Erase returns a document without who did the calibration and what they noted. Of one that cannot be read nothing is left.
func Erase(body string) string {
	var doc map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &doc) != nil || doc == nil {
		return "{}"
	}
	for k := range doc { // json reads members whatever their case
		if f := strings.ToLower(k); f == "who" || f == "note" {
			delete(doc, k)
		}
	}
	out, err := json.Marshal(doc)
	if err != nil { // every member was read from JSON
		return "{}"
	}
	return string(out)
}
