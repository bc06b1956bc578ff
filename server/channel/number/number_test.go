package number_test

import (
	"testing"

	"aovuon/server/channel/number"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"0912345678": "+84912345678", "0912 345.678": "+84912345678", "+84 912-345-678": "+84912345678", "84912345678": "+84912345678", "0084912345678": "+84912345678",
		"(024) 3825 1234": "+842438251234", "+49 170 1234567": "+491701234567",
		"": "", "912345678": "", "091234567": "", "09123456789012": "", "+0912345678": "", "0912-34x-678": "", "+": "", "++84912345678": "", "٠٩١٢٣٤٥٦٧٨": "",
	} {
		got, err := number.Parse(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("0912 345 678")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := number.Parse(s)
		if err != nil {
			return
		}
		if again, err := number.Parse(n); err != nil || again != n {
			t.Errorf("%q: %q, then %q, %v", s, n, again, err)
		}
	})
}
