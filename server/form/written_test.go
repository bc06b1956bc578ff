package form_test

import (
	"testing"

	"aovuon/server/form"
)

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		in   string
		want float64
		ok   bool
	}{
		{"1234,5", 1234.5, true},
		{"1.234,5", 1234.5, true},
		{"1.234.567", 1234567, true},
		{"1234.5", 1234.5, true},
		{"0.125", 0.125, true},
		{"12", 12, true},
		{"-3,5", -3.5, true},
		{" 1 234,5 ", 1234.5, true},
		{"0,25", 0.25, true},
		{"1234.567", 1234.567, true},
		{"1.234", 0, false}, // a ton or a gram more than a kilogram: ask again
		{"1,234,567", 0, false},
		{"1,234.5", 0, false},
		{"1.23.4", 0, false},
		{"12.34,5", 0, false},
		{"", 0, false},
		{"NaN", 0, false},
		{"1e9", 0, false},
		{"0x10", 0, false},
		{"5 kg", 0, false},
		{"-", 0, false},
	} {
		if got, ok := form.ParseNumber(c.in); ok != c.ok || (ok && got != c.want) {
			t.Errorf("ParseNumber(%q) = %v, %v; want %v, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}
