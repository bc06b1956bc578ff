package web

import (
	"aovuon/server/form"
	"aovuon/server/help"
)

// Patterns are the routes there are.
func (s *Server) Patterns() (out []string) {
	for _, rt := range s.table() {
		out = append(out, rt.pattern)
	}
	return out
}

// LocalPath is localPath.
func LocalPath(s string) string { return localPath(s) }

// FormWords are the keys of what may be wrong with an entry and its answers.
func FormWords() []string {
	var out []string
	for _, c := range outboxCodes() {
		out = append(out, "problem.diary."+c)
	}
	for _, c := range formCodes() {
		out = append(out, "problem.form."+c)
	}
	return out
}

// RoughBody is rough.
func RoughBody(raw []byte) []byte { return rough(raw) }

// Deeds returns what the form of each deed asks, by the deed's name.
func Deeds() map[string][]form.Field {
	out := map[string][]form.Field{}
	for _, d := range deeds() {
		out[d.name] = d.fields()
	}
	return out
}

// Reasons is reasons.
func Reasons() []string { return reasons() }

// FileStem is fileStem.
func FileStem(code string) string { return fileStem(code) }

// Guides are the guides of the program, as its pages draw them.
func Guides() (*help.Library, error) {
	e, err := newEngine()
	if err != nil {
		return nil, err
	}
	return e.help, nil
}
