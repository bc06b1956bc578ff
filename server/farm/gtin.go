package farm

import (
	"fmt"
	"strings"
)

// CheckDigit returns the GS1 check digit of a string of digits: modulo 10, weights 3, 1, 3 ... from the right.
func CheckDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		w := 1
		if (len(digits)-i)%2 == 1 {
			w = 3
		}
		sum += w * int(digits[i]-'0')
	}
	return byte('0' + (10-sum%10)%10)
}

// ValidGTIN reports whether s is a GTIN written with 14 digits, the last of them right.
func ValidGTIN(s string) bool {
	return len(s) == 14 && strings.Trim(s, "0123456789") == "" && CheckDigit(s[:13]) == s[13]
}

// internalPrefix begins numbers that GS1 never gives out: prefix 040 to 049 of a GTIN-13, restricted circulation within a company (General
// Specifications, 1.4).
const internalPrefix = "004"

// Internal reports whether a number of 14 digits is one of the co-op's own, for a product that has no GTIN. It is never shown as a GTIN.
func Internal(gtin string) bool { return strings.HasPrefix(gtin, internalPrefix) }

// InternalNumber returns the co-op's own number n, from 1.
func InternalNumber(n int) string {
	body := fmt.Sprintf("%s%010d", internalPrefix, n)
	return body + string(CheckDigit(body))
}

// InternalSSCC reports whether a number of 18 digits is one of the co-op's own, for a box of a co-op without a GS1 prefix: after the extension
// digit it begins as internal numbers do. It is never shown as an SSCC.
func InternalSSCC(sscc string) bool {
	return len(sscc) == 18 && strings.HasPrefix(sscc[1:], internalPrefix[1:])
}
