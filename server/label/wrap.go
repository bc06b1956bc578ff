package label

import (
	"slices"
	"strings"

	"aovuon/server/typeface"
)

// wrap breaks a text into rows of at most width ems: at blanks, and in codes behind a hyphen. With anywhere a word that is
// longer than a row is broken where the row ends; without, and where not one letter fits, it returns nil.
func wrap(f *typeface.Face, text string, width float64, anywhere bool) []string {
	var rows []string
	row := ""
	for _, word := range pieces(f, text, width) {
		if joined := row + word; f.Width(strings.TrimRight(joined, " ")) <= width {
			row = joined
			continue
		}
		if row != "" {
			rows = append(rows, strings.TrimRight(row, " "))
		}
		for f.Width(strings.TrimRight(word, " ")) > width {
			if !anywhere {
				return nil
			}
			n := fits(f, word, width)
			if n == 0 {
				return nil
			}
			rows, word = append(rows, word[:n]), word[n:]
		}
		row = word
	}
	return append(rows, strings.TrimRight(row, " "))
}

// balanced wraps a text into as few rows as wrap does, as equally long as they can be: no last word stands alone.
func balanced(f *typeface.Face, text string, width float64, anywhere bool) []string {
	rows := wrap(f, text, width, anywhere)
	for low, high := width/2, width; len(rows) > 1 && high-low > 0.1; {
		mid := (low + high) / 2
		if r := wrap(f, text, mid, false); r != nil && len(r) == len(rows) {
			rows, high = r, mid
		} else {
			low = mid
		}
	}
	return rows
}

// pieces cuts a text where a row may end, each piece with the blank or hyphen behind it. A word that fits a row is not cut
// at its hyphens.
func pieces(f *typeface.Face, text string, width float64) []string {
	var out []string
	for _, word := range strings.SplitAfter(text, " ") {
		if f.Width(strings.TrimRight(word, " ")) <= width {
			out = append(out, word)
			continue
		}
		out = append(out, strings.SplitAfter(word, "-")...)
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// fits returns how many bytes of a word, whole characters, a row holds.
func fits(f *typeface.Face, word string, width float64) int {
	n := 0
	for i, r := range word {
		end := i + len(string(r))
		if f.Width(word[:end]) > width {
			break
		}
		n = end
	}
	return n
}

// shorten ends the last of the rows in "…", at a word where there is one.
func shorten(f *typeface.Face, rows []string, width float64) []string {
	const dots = "…"
	rows = slices.Clone(rows)
	last := rows[len(rows)-1]
	for f.Width(last+dots) > width {
		if i := strings.LastIndexByte(last, ' '); i > 0 {
			last = last[:i]
			continue
		}
		r := []rune(last)
		if len(r) == 0 {
			break
		}
		last = string(r[:len(r)-1])
	}
	rows[len(rows)-1] = strings.TrimRight(last, " ,;-") + dots
	return rows
}
