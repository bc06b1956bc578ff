package status

import (
	"embed"
	"fmt"
	"math"
	"net"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/gateway/measure"
)

//go:embed locales/*.yaml
var locales embed.FS

// The languages of the page; the first is the one people get who ask for none.
const (
	vietnamese = "vi"
	english    = "en"
)

// words are one language: its texts, and how it writes numbers and dates.
type words struct {
	lang  string
	texts map[string]string
	zone  *time.Location // of the ponds
}

func loadWords(lang string) (*words, error) {
	raw, err := locales.ReadFile("locales/" + lang + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("status: locale: %w", err)
	}
	w := &words{lang: lang, zone: time.FixedZone("ICT", 7*3600)} // Viet Nam has had no other time since 1975
	if err := yaml.UnmarshalWithOptions(raw, &w.texts, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("status: locales/%s.yaml: %w", lang, err)
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

func (w *words) has(key string) bool { _, ok := w.texts[key]; return ok }

// or returns the text of a key, or another text where there is none.
func (w *words) or(key, otherwise string) string {
	if text, ok := w.texts[key]; ok {
		return text
	}
	return otherwise
}

// num writes a number with fixed decimals: 1.234,5 in Vietnamese, 1,234.5 in English.
func (w *words) num(v float64, decimals int) string {
	if w.lang == english {
		return measure.FormatNumber(v, decimals, ".", ",")
	}
	return measure.FormatNumber(v, decimals, ",", ".")
}

func (w *words) count(n uint64) string { return w.num(float64(n), 0) }

// value writes a value of a quantity without its unit.
func (w *words) value(q measure.Quantity, v float64) string {
	for _, state := range []struct {
		v    float64
		word string
	}{{0, "no."}, {1, "yes."}} { // of a state, which is a word and not a number
		if text := w.or(state.word+string(q), ""); v == state.v && text != "" {
			return text
		}
	}
	info, _ := q.Info()
	return w.num(v, info.Decimals)
}

// exact writes a number with no more decimals than it needs.
func (w *words) exact(v float64) string {
	decimals := 0
	for decimals < 3 && math.Abs(v*math.Pow10(decimals)-math.Round(v*math.Pow10(decimals))) > 1e-6 {
		decimals++
	}
	return w.num(v, decimals)
}

// nbsp is a space at which no line is broken.
const nbsp = "\u00a0"

func (w *words) dateTime(t time.Time) string { return t.In(w.zone).Format("02/01/2006 15:04:05") }
func (w *words) date(t time.Time) string     { return t.In(w.zone).Format("02/01/2006") }
func (w *words) clock(t time.Time) string    { return t.In(w.zone).Format("15:04:05") }

// length writes a time in its largest fitting unit.
func (w *words) length(seconds int64) string {
	switch {
	case seconds < 120:
		return w.t("for.seconds", w.num(float64(seconds), 0))
	case seconds < 2*3600:
		return w.t("for.minutes", w.num(float64(seconds/60), 0))
	case seconds < 48*3600:
		return w.t("for.hours", w.num(float64(seconds/3600), 0))
	}
	return w.t("for.days", w.num(float64(seconds/86400), 0))
}

// inputs writes what a value was computed with.
func (w *words) inputs(text string) []string {
	list, err := measure.ParseInputs(text)
	if err != nil {
		return nil // it is checked where it is made
	}
	var out []string
	for _, in := range list {
		info, _ := in.Quantity.Info()
		s := w.or("quantity."+string(in.Quantity), string(in.Quantity)) + " " + w.exact(in.Value)
		if info.Unit != "" {
			s += nbsp + info.Unit
		}
		switch {
		case in.Sensor != "" && in.Assumed:
			s += " " + w.t("input.old", in.Sensor, w.length(int64(in.Age/time.Second)))
		case in.Sensor != "":
			s += " " + w.t("input.from", in.Sensor, w.length(int64(in.Age/time.Second)))
		case in.Assumed:
			s += " " + w.t("input.assumed")
		}
		out = append(out, s)
	}
	return out
}

// isAddress reports whether host is an IP address, with or without brackets.
func isAddress(host string) bool { return net.ParseIP(strings.Trim(host, "[]")) != nil }
