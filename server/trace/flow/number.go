package flow

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"aovuon/server/farm"
)

// alphabet is Crockford's base 32: no I, L, O, U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// SerialLen is how many characters a serial has: 65 random bits.
const SerialLen = 13

// NewSerial draws a serial from a source of random bytes.
func NewSerial(random io.Reader) (string, error) {
	var b [SerialLen]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("flow: new serial: %w", err)
	}
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b[:]), nil
}

// ValidSerial reports whether s can be a serial of ours.
func ValidSerial(s string) bool { return len(s) == SerialLen && strings.Trim(s, alphabet) == "" }

// ValidSSCC reports whether s is written as an SSCC: 18 digits, the last of them right.
func ValidSSCC(s string) bool {
	return len(s) == 18 && strings.Trim(s, "0123456789") == "" && farm.CheckDigit(s[:17]) == s[17]
}

// internalSSCC begins the box numbers of a co-op without a GS1 company prefix: GS1 gives out no company prefix that begins with 04
// (restricted circulation within a company, General Specifications 1.4). [farm.InternalSSCC] knows such a number again.
const internalSSCC = "004"

// ssccPrefix returns what the co-op's box numbers begin with: extension digit 0 and the company prefix.
func ssccPrefix(company string) string {
	if company == "" {
		return internalSSCC
	}
	return "0" + company
}

// nextSSCC returns the box number after the last of a prefix; last is empty where there is none yet.
func nextSSCC(prefix, last string) (string, error) {
	digits := 17 - len(prefix)
	n := 0
	if last != "" {
		var err error
		if n, err = strconv.Atoi(last[len(prefix):17]); err != nil {
			return "", fmt.Errorf("flow: box number %s: %w", last, err)
		}
	}
	body := fmt.Sprintf("%s%0*d", prefix, digits, n+1)
	if len(body) != 17 {
		return "", fmt.Errorf("flow: the box numbers that begin with %s are used up", prefix)
	}
	return body + string(farm.CheckDigit(body)), nil
}
