package farm

import (
	"slices"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// SortRecords puts records in the order of their names, as a Vietnamese dictionary has it, with numbers by their value: Ao 2 before Ao 10.
func SortRecords(list []Record) {
	c := collate.New(language.Vietnamese, collate.IgnoreCase, collate.Numeric)
	var buf collate.Buffer
	keys := make(map[string]string, len(list))
	for _, r := range list {
		keys[string(r.Kind)+"/"+r.ID] = string(c.KeyFromString(&buf, r.Name()))
		buf.Reset()
	}
	slices.SortStableFunc(list, func(a, b Record) int {
		if d := strings.Compare(keys[string(a.Kind)+"/"+a.ID], keys[string(b.Kind)+"/"+b.ID]); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
}
