package calibration

import (
	"encoding/json"
	"strings"

	"aovuon/server/privacy"
)

// Names reports whether a document says that one of some people did the calibration, or cannot be read and holds one of their names. Names
// that are empty name nobody.
func Names(body string, people []string) bool {
	var doc struct {
		Who  string `json:"who"`
		Note string `json:"note"`
	}
	err := json.Unmarshal([]byte(body), &doc)
	for _, p := range people {
		name := privacy.NameOf(p)
		if name == "" {
			continue
		}
		if err != nil && privacy.Mentions(body, name) {
			return true
		}
		if err == nil && (privacy.NameOf(doc.Who) == name || privacy.Mentions(doc.Note, name)) {
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
