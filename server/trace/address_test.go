package trace_test

import (
	"errors"
	"testing"

	"aovuon/server/farm"
	"aovuon/server/trace"
)

// What is printed must open the same page for ever: these values do not change.
func TestAddress_Golden(t *testing.T) {
	own := farm.InternalNumber(1)
	for _, tc := range []struct {
		link trace.Link
		want string
	}{
		{trace.Link{GTIN: "09521234010036", Lot: "AO1-261123"}, "https://tx.example/01/09521234010036/10/AO1-261123"},
		{trace.Link{GTIN: "09521234010036", Lot: "A/B", Serial: "0123456789ABC"}, "https://tx.example/01/09521234010036/10/A%2FB/21/0123456789ABC"},
		{trace.Link{GTIN: own, Lot: "BD-261123"}, "https://tx.example/t/V2FF27672"},
		{trace.Link{GTIN: own, Lot: "BD-261123", Serial: "0123456789ABC"}, "https://tx.example/t/0123456789ABCB"},
		{trace.Link{GTIN: own}, "https://tx.example/01/" + own},
	} {
		got, err := trace.Address("https://tx.example/", tc.link)
		if err != nil || got != tc.want {
			t.Errorf("%+v: %s, %v; want %s", tc.link, got, err, tc.want)
		}
	}
	for sscc, want := range map[string]string{
		"095212340000000013": "https://tx.example/00/095212340000000013", "004000000000000015": "https://tx.example/t/004000000000000015",
	} {
		if got := trace.BoxAddress("https://tx.example", sscc); got != want {
			t.Errorf("%s: %s, want %s", sscc, got, want)
		}
	}
}

func TestParseShort(t *testing.T) {
	sscc := "00400000000000001"
	sscc += string(trace.CheckDigit(sscc))
	for path, want := range map[string]trace.Short{
		"/t/DTSJDGCZ5":                          {Lot: "DTSJDGCZ5"},
		"/t/dts-jdg-cz5":                        {Lot: "DTSJDGCZ5"},
		"/t/" + farm.WithCheck("0123456789ABC"): {Serial: "0123456789ABC"},
		"/t/o123456789abcb":                     {Serial: "0123456789ABC"},
		"/t/" + sscc:                            {SSCC: sscc},
	} {
		if got, err := trace.ParseShort(path); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", path, got, err, want)
		}
	}
	for path, fault := range map[string]trace.Fault{
		"/t/": trace.BadShort, "/t/DTSJDGCZ6": trace.BadShort, "/t/DTSJDGC": trace.BadShort, "/t/DTSJDGCZ5/": trace.BadLength, "/t/%44": trace.BadLength,
		"/t/" + sscc[:17] + string('0'+(sscc[17]-'0'+1)%10): trace.BadCheck, "/t/UUUUUUUUU": trace.BadShort,
		"/t/0123456789012345678901234567890123456789X": trace.BadLength,
	} {
		_, err := trace.ParseShort(path)
		if bad, ok := errors.AsType[*trace.MalformedError](err); !ok || bad.Fault != fault {
			t.Errorf("%s: %v, want %s", path, err, fault)
		}
	}
}
