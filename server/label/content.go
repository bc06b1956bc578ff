package label

import (
	"fmt"
	"strconv"
	"strings"

	"aovuon/server/typeface"
)

// Size is the size of a label in mm.
type Size struct{ W, H float64 }

// String writes "50×30".
func (s Size) String() string { return num(s.W) + "×" + num(s.H) }

// num writes a length with at most two decimals.
func num(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0"), ".")
}

// Line is a line of a label.
type Line struct {
	Text string
	Bold bool
	// Must is a line that the label is refused without, and that is never shortened. Others are left out, the last first,
	// where there is no room: the page behind the code has them.
	Must bool
}

// Content is what a label says, in the words that stand on it. The package knows no language.
type Content struct {
	URL string
	// Name is what is sold, in large letters: up to three lines. Where even the least letters leave no room it is cut at a
	// word and ends in "…".
	Name  string
	Lines []Line
	Where Where
}

// Bounds of a text: more is a mistake, not a label.
const (
	maxName, maxLine, maxLines = 200, 120, 12
)

// ready is a Content that can be laid out: its texts composed, its code made.
type ready struct {
	code *Code
	name string
	line []Line
}

func (p *Press) ready(c Content) (ready, error) {
	code, err := NewPrinted(c.URL, c.Where)
	if err != nil {
		return ready{}, err
	}
	r := ready{code: code}
	if r.name, err = plain(p.bold, "name", c.Name, maxName); err != nil {
		return ready{}, err
	}
	if r.name == "" {
		return ready{}, refuse(NoName, c.URL+" has no name on it")
	}
	if len(c.Lines) > maxLines {
		return ready{}, fmt.Errorf("label: %d lines on a label: want at most %d", len(c.Lines), maxLines)
	}
	for _, l := range c.Lines {
		if l.Text, err = plain(p.face(l.Bold), "line", l.Text, maxLine); err != nil {
			return ready{}, err
		}
		if l.Text != "" {
			r.line = append(r.line, l)
		}
	}
	return r, nil
}

func plain(f *typeface.Face, what, text string, most int) (string, error) {
	out, lacks := f.Plain(text)
	if lacks != 0 {
		return "", refuse(BadLetter, fmt.Sprintf("%s %.60q: %q cannot be printed: the typeface has Latin, Greek and Cyrillic letters; write it otherwise", what, text, lacks), fmt.Sprintf("%.60s", text), string(lacks))
	}
	if n := len([]rune(out)); n > most {
		return "", refuse(TooLong, fmt.Sprintf("%s %.60q has %d characters: want at most %d", what, text, n, most), fmt.Sprintf("%.60s", text))
	}
	return out, nil
}
