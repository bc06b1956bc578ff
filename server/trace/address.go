package trace

import (
	"fmt"
	"strings"

	"aovuon/server/farm"
)

// Address returns what stands in the code of a label, below the co-op's own host: the Digital Link, or for a product without a GTIN the short
// address, since a number of the co-op's own must not look like one of GS1's. base is http:// or https:// and host.
func Address(base string, l Link) (string, error) {
	base = strings.TrimSuffix(base, "/")
	if !farm.Internal(l.GTIN) || l.Lot == "" {
		return base + l.Path(), nil
	}
	short, err := ShortPath(l)
	return base + short, err
}

// BoxAddress returns what stands in the code of a box: /00/ and its SSCC, or the short address of a number of the co-op's own.
func BoxAddress(base, sscc string) string {
	base = strings.TrimSuffix(base, "/")
	if farm.InternalSSCC(sscc) {
		return base + shortRoot + sscc
	}
	return base + "/00/" + sscc
}

// shortRoot begins short addresses.
const shortRoot = "/t/"

// ShortPath returns the short address of a lot (its nine characters, see Short), or of an item: its serial and a check character.
func ShortPath(l Link) (string, error) {
	if l.Serial != "" {
		return shortRoot + farm.WithCheck(l.Serial), nil
	}
	short, err := l.Short()
	if err != nil {
		return "", fmt.Errorf("trace: short address of %s: %w", l.Path(), err)
	}
	return shortRoot + short, nil
}

// Short is what a short address names. One of its fields is set.
type Short struct {
	Lot    string // the nine characters of Link.Short
	Serial string // of an item
	SSCC   string // of a box
}

const serialLen = 13

// ParseShort reads the escaped path of a short address, as a scanner or a person gives it: small letters, hyphens, O for 0 are fine. The
// error says what is wrong with it.
func ParseShort(escapedPath string) (Short, error) {
	code := strings.TrimPrefix(escapedPath, shortRoot)
	if len(code) > 40 || strings.ContainsAny(code, "/%") {
		return Short{}, &MalformedError{Fault: BadLength, Part: code[:min(len(code), 40)]}
	}
	if len(code) == 18 && strings.Trim(code, "0123456789") == "" {
		if CheckDigit(code[:17]) != code[17] {
			return Short{}, &MalformedError{Fault: BadCheck, Part: code}
		}
		return Short{SSCC: code}, nil
	}
	if lot, err := farm.ParseCode(code); err == nil {
		return Short{Lot: lot}, nil
	}
	serial, err := farm.ParseChecked(code, serialLen)
	if err != nil {
		return Short{}, &MalformedError{Fault: BadShort, Part: code}
	}
	return Short{Serial: serial}, nil
}
