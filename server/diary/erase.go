package diary

import (
	"maps"
	"strings"

	"aovuon/server/form"
	"aovuon/server/privacy"
)

// Erase returns an event without what says something of a person who is to be erased, and whether that took anything out. Of an event of their
// own (own) go note, position and whom they named; of any event the answers and the note that name them. What was done, with what and how much
// stays: the harvest was eaten, and an auditor must know what was in it.
func (e Event) Erase(own bool, names []string) (Event, bool) {
	before := e
	out, took := e, false
	out.Values = maps.Clone(e.Values)
	k, _ := KindOf(e.Kind)
	for key, v := range before.Values {
		f, known := k.Field(key)
		private := own && f.Private && known && (f.Type == form.Text || f.Type == form.Long)
		free := !known || f.Type == form.Text || f.Type == form.Long
		if private || free && named(v, names) {
			delete(out.Values, key)
			took = true
		}
	}
	if e.Note != "" && (own || Mentioned(e.Note, names)) {
		out.Note, took = "", true
	}
	if own && e.Position != nil {
		out.Position, took = nil, true
	}
	return out, took
}

// named reports whether an answer is somebody's name, or mentions it.
func named(v any, names []string) bool {
	switch x := v.(type) {
	case string:
		return Mentioned(x, names)
	case []string:
		for _, s := range x {
			if Mentioned(s, names) {
				return true
			}
		}
	}
	return false
}

// Mentioned reports whether a text is one of some names, or has one of several words in it: a name of one word, such as Lan or Mai, is too often
// a word that means something else.
func Mentioned(text string, names []string) bool {
	for _, n := range names {
		name := privacy.NameOf(n)
		if name != "" && privacy.NameOf(text) == name || strings.Contains(name, " ") && privacy.Mentions(text, name) {
			return true
		}
	}
	return false
}
