package measure_test

import (
	"testing"

	"aovuon/gateway/measure"
)

func TestFormatNumber_AsVietnameseAndEnglishWriteIt(t *testing.T) {
	for _, tc := range []struct {
		v        float64
		decimals int
		vi, en   string
	}{
		{0, 0, "0", "0"},
		{5.25, 1, "5,2", "5.2"},
		{999, 0, "999", "999"},
		{1234.5, 1, "1.234,5", "1,234.5"},
		{1234567, 0, "1.234.567", "1,234,567"},
		{-12.34, 2, "−12,34", "−12.34"},
		{-0.04, 1, "0,0", "0.0"},
	} {
		if vi, en := measure.FormatNumber(tc.v, tc.decimals, ",", "."), measure.FormatNumber(tc.v, tc.decimals, ".", ","); vi != tc.vi || en != tc.en {
			t.Errorf("%v: %s, %s; want %s, %s", tc.v, vi, en, tc.vi, tc.en)
		}
	}
}
