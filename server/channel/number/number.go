// Package number reads telephone numbers: as people write them they come in, as they are dialled from anywhere (E.164, +84…) they go out.
package number

import (
	"fmt"
	"strings"
)

// Parse reads a number. One that begins with a single 0 is of Viet Nam; blanks, dots, hyphens and brackets are passed over.
func Parse(s string) (string, error) {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-()\u00a0", r) {
			return -1
		}
		return r
	}, s)
	digits := strings.TrimPrefix(plain, "+")
	switch {
	case strings.TrimLeft(digits, "0123456789") != "" || digits == "":
		return "", fmt.Errorf("%q is no telephone number: write it like 0912 345 678 or +84 912 345 678", s)
	case strings.HasPrefix(plain, "+"):
	case strings.HasPrefix(digits, "00"):
		digits = digits[2:]
	case strings.HasPrefix(digits, "0"):
		digits = "84" + digits[1:]
	case !strings.HasPrefix(digits, "84"):
		return "", fmt.Errorf("%q: which country? Write 0… for Viet Nam, or + and the country's number first", s)
	}
	if strings.HasPrefix(digits, "0") || len(digits) < 8 || len(digits) > 15 { // E.164 §6
		return "", fmt.Errorf("%q has %d digits: a digit is missing, or one too many", s, len(digits))
	}
	if strings.HasPrefix(digits, "84") && len(digits) != 11 && len(digits) != 12 {
		return "", fmt.Errorf("%q: numbers of Viet Nam have 10 digits with the 0 (11 of landlines): count them", s)
	}
	return "+" + digits, nil
}
