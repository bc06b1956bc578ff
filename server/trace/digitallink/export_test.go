package digitallink

import "strings"

// FormatOf is formatOf.
func FormatOf(ai string) (format string, attribute, ok bool) { return formatOf(ai) }

// Sequences returns the qualifiers of a key as the dictionary writes them.
func Sequences(ai string) string {
	k, _ := keyOf(ai)
	var out []string
	for _, s := range k.sequences {
		out = append(out, strings.Join(s, ","))
	}
	return strings.Join(out, "|")
}
