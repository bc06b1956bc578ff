// Package words is a language of the pages that machines in the field show by themselves: its texts, and how it writes numbers,
// values, dates and lengths of time.
//
// The locale files of a page come in, beside the ones here, which name what all pages speak of: quantities, qualities, reasons
// of faults. Texts go out.
package words

import (
	"embed"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/gateway/measure"
)

//go:embed locales/*.yaml
var common embed.FS

// The languages there are; the first is the one people get who ask for none.
const (
	Vietnamese = "vi"
	English    = "en"
)

// Languages lists them, the first first.
func Languages() []string { return []string{Vietnamese, English} }

// Words are one language. They are safe for concurrent use.
type Words struct {
	lang  string
	texts map[string]string
	zone  *time.Location // of the ponds
}

// Load reads a language: locales/LANG.yaml of own, and what all pages have in common. A text that is there twice is an error.
func Load(lang string, own fs.FS) (*Words, error) {
	w := &Words{lang: lang, texts: make(map[string]string), zone: time.FixedZone("ICT", 7*3600)} // Viet Nam has had no other time since 1975
	for _, files := range []fs.FS{common, own} {
		raw, err := fs.ReadFile(files, "locales/"+lang+".yaml")
		if err != nil {
			return nil, fmt.Errorf("words: %w", err)
		}
		var texts map[string]string
		if err := yaml.UnmarshalWithOptions(raw, &texts, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("words: locales/%s.yaml: %w", lang, err)
		}
		for key, text := range texts {
			if _, twice := w.texts[key]; twice {
				return nil, fmt.Errorf("words: locales/%s.yaml: %s stands in the common words already: remove it", lang, key)
			}
			w.texts[key] = text
		}
	}
	return w, nil
}

// Lang is the language's name, as HTML wants it.
func (w *Words) Lang() string { return w.lang }

// T returns the text of a key, its %s filled in. A key that is missing shows itself; tests keep that from happening.
func (w *Words) T(key string, args ...string) string {
	text, ok := w.texts[key]
	if !ok {
		return key
	}
	// What is filled in may have a %s of its own, which is no place to fill.
	var b strings.Builder
	for _, a := range args {
		before, after, found := strings.Cut(text, "%s")
		if !found {
			break
		}
		b.WriteString(before + a)
		text = after
	}
	return b.String() + text
}

// Has reports whether there is a text.
func (w *Words) Has(key string) bool { _, ok := w.texts[key]; return ok }

// Or returns the text of a key, or another text where there is none.
func (w *Words) Or(key, otherwise string) string {
	if text, ok := w.texts[key]; ok {
		return text
	}
	return otherwise
}

// Num writes a number with fixed decimals: 1.234,5 in Vietnamese, 1,234.5 in English.
func (w *Words) Num(v float64, decimals int) string {
	if w.lang == English {
		return measure.FormatNumber(v, decimals, ".", ",")
	}
	return measure.FormatNumber(v, decimals, ",", ".")
}

// Count writes a number of things.
func (w *Words) Count(n uint64) string { return w.Num(float64(n), 0) }

// Value writes a value of a quantity without its unit.
func (w *Words) Value(q measure.Quantity, v float64) string {
	for _, state := range []struct {
		v    float64
		word string
	}{{0, "no."}, {1, "yes."}} { // of a state, which is a word and not a number
		if text := w.Or(state.word+string(q), ""); v == state.v && text != "" {
			return text
		}
	}
	info, _ := q.Info()
	return w.Num(v, info.Decimals)
}

// Quantity is the name of a quantity.
func (w *Words) Quantity(q measure.Quantity) string { return w.Or("quantity."+string(q), string(q)) }

// Exact writes a number with no more decimals than it needs, three at most.
func (w *Words) Exact(v float64) string {
	decimals := 0
	for decimals < 3 && math.Abs(v*math.Pow10(decimals)-math.Round(v*math.Pow10(decimals))) > 1e-6 {
		decimals++
	}
	return w.Num(v, decimals)
}

// Plain writes a number as a person types it, without groups.
func (w *Words) Plain(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if w.lang != English {
		text = strings.ReplaceAll(text, ".", ",")
	}
	return text
}

// nbsp is a space at which no line is broken.
const nbsp = "\u00a0"

// DateTime writes an instant in the time of the ponds.
func (w *Words) DateTime(t time.Time) string { return t.In(w.zone).Format("02/01/2006 15:04:05") }

// Date writes the day alone.
func (w *Words) Date(t time.Time) string { return t.In(w.zone).Format("02/01/2006") }

// Clock writes the time of the day alone.
func (w *Words) Clock(t time.Time) string { return t.In(w.zone).Format("15:04:05") }

// Minute writes the time of the day without seconds.
func (w *Words) Minute(t time.Time) string { return t.In(w.zone).Format("15:04") }

// Length writes a time in its largest fitting unit.
func (w *Words) Length(seconds int64) string {
	switch {
	case seconds < 120:
		return w.T("for.seconds", w.Num(float64(seconds), 0))
	case seconds < 2*3600:
		return w.T("for.minutes", w.Num(float64(seconds/60), 0))
	case seconds < 48*3600:
		return w.T("for.hours", w.Num(float64(seconds/3600), 0))
	}
	return w.T("for.days", w.Num(float64(seconds/86400), 0))
}

// Inputs writes what a value was computed with.
func (w *Words) Inputs(text string) []string {
	list, err := measure.ParseInputs(text)
	if err != nil {
		return nil // it is checked where it is made
	}
	var out []string
	for _, in := range list {
		info, _ := in.Quantity.Info()
		s := w.Quantity(in.Quantity) + " " + w.Exact(in.Value)
		if info.Unit != "" {
			s += nbsp + info.Unit
		}
		switch {
		case in.Sensor != "" && in.Assumed:
			s += " " + w.T("input.old", in.Sensor, w.Length(int64(in.Age/time.Second)))
		case in.Sensor != "":
			s += " " + w.T("input.from", in.Sensor, w.Length(int64(in.Age/time.Second)))
		case in.Assumed:
			s += " " + w.T("input.assumed")
		}
		out = append(out, s)
	}
	return out
}
