package measure

import (
	"math"
	"strconv"
	"strings"
)

// FormatNumber writes a number for people: with fixed decimals behind point, thousands parted by group, and a true minus
// sign. What rounds to zero has none.
func FormatNumber(v float64, decimals int, point, group string) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	var b strings.Builder
	if v < 0 && strings.Trim(s, "0.") != "" {
		b.WriteString("−")
	}
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(group)
		}
		b.WriteRune(c)
	}
	if fraction != "" {
		b.WriteString(point + fraction)
	}
	return b.String()
}
