package app

import (
	"fmt"
	"strconv"
	"strings"
)

// Bytes is a size on disk, written as 500MB or 2GB (powers of ten) in the configuration.
type Bytes uint64

// String writes b in the largest unit that leaves a whole number.
func (b Bytes) String() string {
	switch {
	case b >= 1e9 && b%1e9 == 0:
		return strconv.FormatUint(uint64(b/1e9), 10) + "GB"
	case b >= 1e6 && b%1e6 == 0:
		return strconv.FormatUint(uint64(b/1e6), 10) + "MB"
	}
	return strconv.FormatUint(uint64(b), 10) + "B"
}

// UnmarshalText reads a whole number and a unit: B, kB, MB or GB.
func (b *Bytes) UnmarshalText(text []byte) error {
	s := string(text)
	digits := strings.TrimRight(s, "BkKMG ")
	n, err := strconv.ParseUint(digits, 10, 32)
	unit := map[string]uint64{"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9}[strings.TrimSpace(s[len(digits):])]
	if err != nil || unit == 0 {
		return fmt.Errorf("bad size %q: write a whole number and a unit, as in 500MB or 2GB", s)
	}
	*b = Bytes(n * unit)
	return nil
}
