package web

import (
	"embed"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
)

//go:embed locales/*.yaml
var locales embed.FS

// The languages of the pages; the first is the one people get who ask for none.
const (
	Vietnamese = "vi"
	English    = "en"
)

// words are one language: its texts, and how it writes numbers and dates. Days are those of the co-op.
type words struct {
	lang  string
	texts map[string]string
	zone  *time.Location
}

// loadWords reads the texts of a language: locales/vi.yaml and its parts, locales/vi.*.yaml.
func loadWords(lang string) (*words, error) {
	w := &words{lang: lang, texts: map[string]string{}, zone: farm.Time()}
	parts, err := fs.Glob(locales, "locales/"+lang+".*yaml")
	if err != nil || len(parts) == 0 {
		return nil, fmt.Errorf("web: no locales of %s: %w", lang, err)
	}
	for _, part := range parts {
		raw, err := locales.ReadFile(part)
		if err != nil {
			return nil, fmt.Errorf("web: locale: %w", err)
		}
		var texts map[string]string
		if err := yaml.UnmarshalWithOptions(raw, &texts, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("web: %s: %w", part, err)
		}
		for key, text := range texts {
			if _, twice := w.texts[key]; twice {
				return nil, fmt.Errorf("web: %s: %s is in another part already", part, key)
			}
			w.texts[key] = text
		}
	}
	return w, nil
}

// t returns the text of a key, its %s filled in. A key that is missing shows itself; a test keeps that from happening.
func (w *words) t(key string, args ...string) string {
	text, ok := w.texts[key]
	if !ok {
		return key
	}
	for _, a := range args {
		text = strings.Replace(text, "%s", a, 1)
	}
	return text
}

// has reports whether there is a text for key.
func (w *words) has(key string) bool { _, ok := w.texts[key]; return ok }

// num writes a number with fixed decimals: 1.234,5 in Vietnamese, 1,234.5 in English.
func (w *words) num(v float64, decimals int) string {
	if w.lang == English {
		return measure.FormatNumber(v, decimals, ".", ",")
	}
	return measure.FormatNumber(v, decimals, ",", ".")
}

// count writes a whole number.
func (w *words) count(n int64) string { return w.num(float64(n), 0) }

// value writes a value with the decimals its probe supports, without the unit.
func (w *words) value(q measure.Quantity, v float64) string {
	if key := "no." + string(q); v == 0 && w.has(key) { // a state is a word, not a number
		return w.t(key)
	}
	if key := "yes." + string(q); v == 1 && w.has(key) {
		return w.t(key)
	}
	info, _ := q.Info()
	return w.num(v, info.Decimals)
}

// valueUnit writes a value with its unit.
func (w *words) valueUnit(q measure.Quantity, v float64) string { return w.withUnit(w.value(q, v), q) }

// nbsp is a space at which no line is broken.
const nbsp = "\u00a0"

// withUnit puts the unit behind a printed number, on the same line.
func (w *words) withUnit(number string, q measure.Quantity) string {
	if u := w.unit(q); u != "" {
		return number + nbsp + u
	}
	return number
}

// limit writes a limit with its unit and no more decimals than it has.
func (w *words) limit(q measure.Quantity, v float64) string {
	return w.withUnit(w.num(v, decimalsOf(v)), q)
}

// unit returns the symbol of a quantity's unit; pH has none.
func (w *words) unit(q measure.Quantity) string {
	info, _ := q.Info()
	return info.Unit
}

// percent writes a share. What is not quite all is never written as 100 %, what is not quite nothing never as 0 %.
func (w *words) percent(share float64) string {
	p := share * 100
	switch {
	case p > 99.9 && p < 100:
		p = 99.9
	case p > 0 && p < 0.1:
		p = 0.1
	}
	decimals := 1
	if p == math.Trunc(p) {
		decimals = 0
	}
	return w.num(p, decimals) + nbsp + "%"
}

// date writes dd/mm/yyyy.
func (w *words) date(t time.Time) string { return t.In(w.zone).Format("02/01/2006") }

// dateTime writes dd/mm/yyyy HH:mm.
func (w *words) dateTime(t time.Time) string { return t.In(w.zone).Format("02/01/2006 15:04") }

// ago writes how long before now t was. A time ahead of now, by a clock that is off, is written out.
func (w *words) ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < -time.Minute:
		return w.dateTime(t)
	case d < time.Minute:
		return w.t("ago.now")
	case d < time.Hour:
		return w.amount("ago.minutes", int64(d/time.Minute))
	case d < 48*time.Hour:
		return w.amount("ago.hours", int64(d/time.Hour))
	}
	return w.amount("ago.days", int64(d/(24*time.Hour)))
}

// amount writes a counted thing; English has another form for one.
func (w *words) amount(key string, n int64) string {
	if n == 1 && w.has(key+".one") {
		return w.t(key+".one", "1")
	}
	return w.t(key, w.count(n))
}

// length writes a duration in its largest fitting unit.
func (w *words) length(d time.Duration) string {
	switch {
	case d > 0 && d < time.Minute:
		return w.amount("for.seconds", max(1, int64(d.Round(time.Second)/time.Second)))
	case d < time.Hour:
		return w.amount("for.minutes", int64(d.Round(time.Minute)/time.Minute))
	case d < 48*time.Hour:
		return w.amount("for.hours", int64(d.Round(time.Hour)/time.Hour))
	}
	return w.amount("for.days", int64(d.Round(24*time.Hour)/(24*time.Hour)))
}

// hours writes a duration in whole hours.
func (w *words) hours(d time.Duration) string {
	return w.amount("for.hours", int64(d.Round(time.Hour)/time.Hour))
}

// lowerFirst writes a text so that it can stand within a sentence; names such as pH stay as they are.
func lowerFirst(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if second, _ := utf8.DecodeRuneInString(s[n:]); unicode.IsUpper(second) {
		return s
	}
	return string(unicode.ToLower(first)) + s[n:]
}
