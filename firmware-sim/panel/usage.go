package panel

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// usage is one way to use a verb, as help prints it: "dip DEVICE VALUE [CELSIUS] - put its probe where VALUE is right".
type usage struct {
	Head  string // without what it means
	Means string // English
	Words []word
}

// word is a part of a usage.
type word struct {
	Text    string   // what stands there, or in capitals what somebody has to say
	Choice  []string // one of these: "on|off"
	Group   int      // 0: always there; otherwise it comes and goes together with those of the same number
	Rest    bool     // "WORDS…": several words
	Literal bool
	Number  bool   // it is a number
	Unit    string // what a number alone is in, where the protocol wants a time with its unit
}

// parseUsage reads a line of help. ok is false for what has no place on a page: help itself, and what is not understood.
func parseUsage(line string) (u usage, ok bool) {
	u.Head, u.Means, _ = strings.Cut(line, " - ")
	u.Head = strings.TrimSpace(u.Head)
	group, open := 0, false
	for text := range strings.FieldsSeq(u.Head) {
		if strings.HasPrefix(text, "[") {
			group, open = group+1, true
			text = text[1:]
		}
		closes := strings.HasSuffix(text, "]")
		w, good := parseWord(strings.TrimSuffix(text, "]"))
		if !good || closes && !open {
			return usage{}, false
		}
		if open {
			w.Group = group
		}
		open = open && !closes
		u.Words = append(u.Words, w)
	}
	if open || len(u.Words) == 0 || !u.Words[0].Literal || u.Words[0].Group > 0 || u.Words[0].Text == "help" {
		return usage{}, false
	}
	u.typed()
	return u, true
}

func parseWord(text string) (w word, ok bool) {
	if !oneWord(text) {
		return word{}, false
	}
	if cut, rest := strings.CutSuffix(text, "…"); rest {
		text, w.Rest = cut, true
	}
	if strings.Contains(text, "|") {
		w.Text, w.Choice = text, strings.Split(text, "|")
		return w, !slices.Contains(w.Choice, "")
	}
	w.Text = text
	w.Literal = strings.IndexFunc(text, unicode.IsUpper) < 0
	return w, !strings.ContainsAny(text, "[]")
}

// key is the name of a usage in the locale files and of its forms: its words, in small letters.
func (u usage) key() string {
	list := make([]string, len(u.Words))
	for i, w := range u.Words {
		list[i] = strings.ToLower(strings.ReplaceAll(w.Text, "|", "-"))
	}
	return strings.Join(list, ".")
}

// asks lists what somebody has to say, the subject left out.
func (u usage) asks(subject string) (list []word) {
	for _, w := range u.Words {
		if !w.Literal && w.Text != subject {
			list = append(list, w)
		}
	}
	return list
}

// fieldError is a field of a form that was not filled in properly.
type fieldError struct {
	name string // of the field
	key  string // of the words that say what is wrong
}

func (e *fieldError) Error() string { return fmt.Sprintf("%s: %s", e.name, e.key) }

// errNoForm says that the field does not, or no longer, know what a form asks for.
var errNoForm = errors.New("no such command")

// oneWord reports whether text fits into a line of the control protocol as one word.
func oneWord(text string) bool {
	return text != "" && len(text) <= 80 && strings.IndexFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar
	}) < 0
}

// number is a number as people here write it, with a comma or a point; as the protocol wants it.
func number(text string) (string, bool) {
	text = strings.Replace(strings.Replace(text, ",", ".", 1), "−", "-", 1)
	v, err := strconv.ParseFloat(text, 64)
	return text, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// typed finds what words in capitals want: a number, or a time whose unit goes without saying.
func (u *usage) typed() {
	for i := range u.Words {
		w := &u.Words[i]
		switch w.Text {
		case "RTT":
			w.Unit = "ms"
		case "PERIOD", "DURATION", "FOR":
			w.Unit = "s"
		case "OFFSET":
			if w.Number = u.Words[0].Text != "gateway"; !w.Number { // a clock's
				w.Unit = "h"
			}
		case "VALUE", "CELSIUS", "GAIN", "AMOUNT", "KG", "MM", "CM", "MB", "RATE", "HOURS", "PERCENT", "SHARE", "SPEED", "KBPS", "NUMBER":
			w.Number = true
		}
	}
}

// line is the command a filled-in form means. of returns what was said for a word.
func (u usage) line(of func(name string) string) (string, error) {
	said := map[int]bool{}
	for _, w := range u.Words {
		if !w.Literal && of(w.Text) != "" {
			said[w.Group] = true
		}
	}
	var out []string
	for _, w := range u.Words {
		switch {
		case w.Group > 0 && !said[w.Group]:
			continue
		case w.Literal:
			out = append(out, w.Text)
			continue
		}
		v, err := w.value(of(w.Text))
		if err != nil {
			return "", err
		}
		out = append(out, v)
	}
	return strings.Join(out, " "), nil
}

// value is what was said for a word, as the protocol wants it.
func (w word) value(said string) (string, error) {
	said = strings.TrimSpace(said)
	switch {
	case said == "":
		return "", &fieldError{w.Text, "wrong.empty"}
	case len(w.Choice) > 0 && !slices.Contains(w.Choice, said):
		return "", &fieldError{w.Text, "wrong.choice"}
	case w.Rest:
		fields := strings.Fields(said)
		if slices.ContainsFunc(fields, func(f string) bool { return !oneWord(f) }) || len(said) > 500 {
			return "", &fieldError{w.Text, "wrong.word"}
		}
		return strings.Join(fields, " "), nil
	case !oneWord(said):
		return "", &fieldError{w.Text, "wrong.word"}
	case w.Unit != "":
		if v, ok := number(said); ok {
			return v + w.Unit, nil
		}
	case w.Number:
		v, ok := number(said)
		if !ok {
			return "", &fieldError{w.Text, "wrong.number"}
		}
		return v, nil
	}
	return said, nil
}
