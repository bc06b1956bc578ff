package panel

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/words"
)

// saying is a command of the log as a person reads it.
type saying struct {
	N      int
	When   string
	By     string
	Words  string // empty: there are none for it
	Line   string
	Answer []string // English, as the field says it
	Err    string
}

func (s *Page) sayings(w *words.Words, list []Said) []saying {
	out := make([]saying, len(list))
	for i, one := range list {
		out[i] = s.saying(w, one)
	}
	return out
}

func (s *Page) saying(w *words.Words, one Said) saying {
	v := saying{N: one.N, When: w.DateTime(one.At), By: w.Or("by."+one.By, one.By), Line: one.Line, Answer: one.Lines, Err: one.Err, Words: inWords(w, one.Line)}
	if len(v.Answer) > 6 {
		v.Answer = append(slices.Clone(v.Answer[:6]), "…")
	}
	return v
}

// inWords says a command in words: said.VERB… with a %s for every word that is not part of the key. The longest key that fits the
// line word by word is taken: in a key "*" stands for any word.
func inWords(w *words.Words, line string) string {
	list := strings.Fields(line)
	if len(list) == 0 || len(list) > 8 {
		return ""
	}
	for kept := len(list); kept > 0; kept-- { // which words are part of the key: from all of them to the verb alone
		for mask := range 1 << (len(list) - 1) {
			if popcount(mask) != kept-1 {
				continue
			}
			key, args := []string{list[0]}, []string{}
			for i, word := range list[1:] {
				if mask>>i&1 == 1 {
					key = append(key, word)
				} else {
					key = append(key, "*")
					args = append(args, w.Or("fault."+word, w.Or("choice."+word, comma(w, word))))
				}
			}
			if name := "said." + strings.Join(key, "."); w.Has(name) {
				return w.T(name, args...)
			}
		}
	}
	return ""
}

func popcount(mask int) (n int) {
	for ; mask > 0; mask &= mask - 1 {
		n++
	}
	return n
}

// comma writes a number of a command as people here do.
func comma(w *words.Words, word string) string {
	if v, err := strconv.ParseFloat(word, 64); err == nil {
		return w.Plain(v)
	}
	return word
}

// lately says what was last done to a thing, and when; empty when nothing was. verb is its only verb, or empty for a device, whose
// commands are all those that name it first.
func (g *gathered) lately(verb, id string) string {
	for _, one := range g.said {
		f := strings.Fields(one.Line)
		if one.Err != "" || len(f) < 2 || f[1] != id && f[1] != "all" || verb != "" && f[0] != verb || verb == "" && !g.ofDevices(f[0]) {
			continue
		}
		age := g.w.Length(int64(max(0, g.now.Sub(one.At)) / time.Second))
		text := inWords(g.w, one.Line)
		if text == "" {
			text = one.Line
		}
		return g.w.T("lately", text, age)
	}
	return ""
}

// ofDevices reports whether a verb is one of those that devices have.
func (g *gathered) ofDevices(verb string) bool {
	return slices.ContainsFunc(g.usages, func(u usage) bool { return u.Words[0].Text == verb && u.subject() == "DEVICE" })
}

// justDone is the command a page was led back from.
func (s *Page) justDone(w *words.Words, n string) *saying {
	number, err := strconv.Atoi(n)
	if err != nil {
		return nil
	}
	one, ok := s.o.Said.get(number)
	if !ok {
		return nil
	}
	v := s.saying(w, one)
	return &v
}
